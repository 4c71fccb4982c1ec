"""Signatures, erasures and legal holds over HTTP: who proves what, and what is shown of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from engine.core.definition import Signature, Workflow
from engine.permission import Caller, Denied, How, Role, Why
from engine.store.sql import SqlStore
from tests.web.doors import Doors
from workflows import instrument_calibration

PLAIN = instrument_calibration.WORKFLOW
ASKED = {
    "measurement_recorded": Signature(meaning="measured", second=True),
    "release_instrument": Signature(meaning="released"),
}
SIGNED: Workflow = replace(
    PLAIN,
    version="signed",
    roles=("technician", "metrologist", "clinician"),
    events=tuple(
        replace(
            event,
            signature=ASKED.get(event.name),
            roles=event.roles if event.timer else (*event.roles, "clinician"),
        )
        for event in PLAIN.events
    ),
)
PEOPLE = {
    "ann-signed-in": ("oidc:ann", 0),
    "bob-signed-in": ("oidc:bob", 60),
    "eve-signed-in-this-morning": ("oidc:eve", 3 * 3600),
    "kai-of-a-provider-that-does-not-say": ("oidc:kai", None),
}


@dataclass
class Provider:
    """Knows a few people by their bearer tokens, and when each signed in."""

    tenant: str = ""
    now: Any = None

    def identify(self, text: str) -> Caller | Denied:
        if text not in PEOPLE:
            return Denied(why=Why.UNKNOWN_KEY)
        name, ago = PEOPLE[text]
        at = None if ago is None else self.now() - timedelta(seconds=ago)
        return Caller(
            tenant=self.tenant, id=name, roles=frozenset({Role.CLINICIAN}), sites=None,
            how=How.OIDC, authenticated_at=at,
        )  # fmt: skip


class Ward(Doors):
    """Doors with a course whose measurements and release are signed."""

    def __init__(self, store: SqlStore, tenant: str) -> None:
        provider = Provider(tenant)
        super().__init__(store, tenant, provider=provider)
        provider.now = self.clock.now
        service = self.services[tenant]
        with store.transaction(tenant) as tx:
            service.setting.registry.install((SIGNED,), tx)
        self.course = f"I-{tenant}"
        place = {"patient": f"of-{tenant}", "site": "north", "zone": "UTC"}
        enrolment = self.event(
            "course.enrolled",
            course=self.course,
            workflow=SIGNED.label,
            actor=actor("ann"),
            **place,
        )
        began = self.ask("ann-signed-in", "POST", "/v1/courses", enrolment)
        assert began.status_code == 201, began.text

    def send(self, who: str, name: str, **more: Any) -> httpx2.Response:
        body = self.event(name, actor=actor(who), **more)
        return self.ask(f"{who}-signed-in", "POST", f"/v1/courses/{self.course}/events", body,
                        headers={"If-Match": "*"})  # fmt: skip

    def measured(self, **more: Any) -> int:
        data = {"deviation": {"value": "3", "unit": "um"},
                "room_temperature": {"value": "20", "unit": "Cel"}}  # fmt: skip
        sent = self.send("ann", "measurement_recorded", data=data, **more)
        assert sent.status_code == 201, sent.text
        return int(sent.json()["seq"])

    def sign(self, login: str, who: str, meaning: str, **more: Any) -> httpx2.Response:
        if "record" in more and "hash" not in more:
            more["hash"] = self.record(more["record"])["hash"]
        body = {"id": f"s{next(self.numbers)}", "actor": actor(who), "meaning": meaning,
                "printed_name": f"Dr {who}"}  # fmt: skip
        return self.ask(login, "POST", f"/v1/courses/{self.course}/signatures", body | more)

    def record(self, seq: int) -> dict[str, Any]:
        found = self.ask("ann-signed-in", "GET", f"/v1/courses/{self.course}/records/{seq}")
        assert found.status_code == 200, found.text
        document: dict[str, Any] = found.json()
        return document


def actor(who: str) -> dict[str, str]:
    return {"id": f"oidc:{who}" if who in ("ann", "bob", "eve", "kai") else who,
            "role": "clinician"}  # fmt: skip


def kind(answer: httpx2.Response) -> str:
    return str(answer.json()["type"].rpartition("/")[2])


@pytest.fixture
def ward(database: SqlStore, request: pytest.FixtureRequest) -> Ward:
    name = sha256(request.node.name.encode()).hexdigest()[:8]
    return Ward(database, f"ward-{name}")


def test_two_who_signed_in_anew_sign_a_report_and_it_is_shown_with_the_record(ward: Ward):
    seq = ward.measured()
    assert ward.record(seq)["unsigned"] == ["measured", "verified"]
    first = ward.sign("ann-signed-in", "ann", "measured", record=seq)
    second = ward.sign("bob-signed-in", "bob", "verified", record=seq)
    assert (first.status_code, second.status_code) == (201, 201), second.text
    shown = ward.record(seq)

    assert shown["unsigned"] == []
    assert [(s["actor"], s["meaning"], s["printed_name"], s["proof"], s["by"], s["holds"])
            for s in shown["signatures"]] == [
        ("oidc:ann", "measured", "Dr ann", "oidc", "oidc:ann", True),
        ("oidc:bob", "verified", "Dr bob", "oidc", "oidc:bob", True),
    ]  # fmt: skip
    listed = ward.ask("ann-signed-in", "GET", f"/v1/courses/{ward.course}/records").json()
    assert listed["records"][seq - 1]["signatures"] == shown["signatures"]
    assert listed["records"][0]["signatures"] == []


def test_what_an_event_asks_to_be_signed_is_said_before_it_is_sent(ward: Ward):
    ward.measured()
    asked = {"meaning": "released", "when": "beforehand", "second": None, "within_seconds": None}
    whose = f"/v1/courses/{ward.course}"
    listed = ward.ask("ann-signed-in", "GET", f"{whose}/options").json()["options"]
    signatures = {one["event"]: one["signature"] for one in listed}

    assert signatures["release_instrument"] == asked
    assert signatures["instrument_scrapped"] is None
    body = ward.event("release_instrument", actor=actor("ann"))
    tried = ward.ask("ann-signed-in", "POST", f"{whose}/events/dry-run", body).json()
    assert tried["signature"] == asked
    data = {"deviation": {"value": "3", "unit": "um"},
            "room_temperature": {"value": "20", "unit": "Cel"}}  # fmt: skip
    body = ward.event("measurement_recorded", actor=actor("ann"), data=data)
    tried = ward.ask("ann-signed-in", "POST", f"{whose}/events/dry-run", body).json()
    assert tried["signature"]["second"]["meaning"] == "verified"
    assert tried["signature"]["when"] == "afterwards"
    page = ward.ask("ann-signed-in", "GET", f"/courses/{ward.course}",
                    headers={"Accept": "text/html"}).text  # fmt: skip
    assert "needs a signature beforehand (released)" in page


def test_what_was_proved_is_kept_as_kind_time_and_digest_and_never_as_a_secret(ward: Ward):
    seq = ward.measured()
    signed = ward.sign("bob-signed-in", "bob", "verified", record=seq).json()
    shown = ward.record(signed["seq"])
    proof = shown["record"]["event"]["data"]["proof"]

    assert proof["kind"] == "oidc"
    assert proof["digest"] == sha256(b"bob-signed-in").hexdigest()
    assert proof["at"] == (ward.clock.now() - timedelta(seconds=60)).isoformat()[:19] + "Z"
    assert "signed-in" not in json.dumps(shown)
    assert "Dr bob" not in json.dumps(shown["record"])


@pytest.mark.parametrize(
    "token", ["eve-signed-in-this-morning", "kai-of-a-provider-that-does-not-say"]
)
def test_who_did_not_sign_in_just_now_is_asked_to_do_so(ward: Ward, token: str):
    seq = ward.measured()
    answer = ward.sign(token, token[:3], "reviewed", record=seq)

    assert (answer.status_code, kind(answer)) == (401, "reauthenticate")
    assert "insufficient_user_authentication" in answer.headers["WWW-Authenticate"]
    assert "max_age=300" in answer.headers["WWW-Authenticate"]
    assert ward.record(seq)["signatures"] == []


def test_an_api_token_is_given_again_and_is_nobody_else_s(ward: Ward):
    seq = ward.measured()
    token, other = ward.token(Role.CLINICIAN), ward.token(Role.CLINICIAN)
    for given in ({}, {"token": other}, {"token": 7}):
        answer = ward.sign(token, "desk", "reviewed", record=seq, **given)
        assert (answer.status_code, kind(answer)) == (422, "invalid"), answer.text
    unknown = ward.sign(token, "desk", "reviewed", record=seq, token=token[:-4] + "AAAA")
    assert unknown.status_code == 401
    signed = ward.sign(token, "desk", "reviewed", record=seq, token=token)
    assert signed.status_code == 201, signed.text
    (shown,) = ward.record(seq)["signatures"]
    stored = ward.record(signed.json()["seq"])["record"]["event"]["data"]["proof"]

    assert (shown["proof"], shown["by"]) == ("token", f"token:{token.split('_')[1]}")
    assert stored["digest"] == sha256(token.encode()).hexdigest()
    secret = token.split("_", 2)[2]
    assert not any(secret in row for rows in ward.stored().values() for row in rows)


def test_one_login_signs_once_whoever_it_says_it_is(ward: Ward):
    seq = ward.measured()
    system = ward.token(Role.CLINICIAN)
    first = ward.sign(system, "ann", "measured", record=seq, token=system)
    second = ward.sign(system, "bob", "verified", record=seq, token=system)

    assert first.status_code == 201
    assert (second.status_code, kind(second)) == (409, "same-signer")
    assert ward.record(seq)["unsigned"] == ["verified"]


def test_who_signed_in_signs_for_nobody_else_and_in_no_role_that_is_not_theirs(ward: Ward):
    seq = ward.measured()
    for claimed in ({"id": "oidc:bob", "role": "clinician"}, {"id": "oidc:ann", "role": "nurse"}):
        answer = ward.sign("ann-signed-in", "ann", "reviewed", record=seq, actor=claimed)
        assert answer.status_code == 403, answer.text
    for role in (Role.SCHEDULER, Role.AUDITOR, Role.ADMINISTRATOR, Role.RECORDS):
        token = ward.token(role)
        answer = ward.sign(token, "ann", "reviewed", record=seq, token=token)
        assert (answer.status_code, kind(answer)) == (403, "not-permitted")


def test_a_request_is_granted_once_it_was_signed_as_it_is_sent(ward: Ward):
    ward.measured()
    act = ward.event("release_instrument", course=ward.course, actor=actor("ann"))
    path = f"/v1/courses/{ward.course}/events"
    tried = ward.ask("ann-signed-in", "POST", f"{path}/dry-run", {**act, "id": "tried"})
    assert tried.json()["decision"]["reason"] == "unsigned"
    signed = ward.sign("ann-signed-in", "ann", "released", event=act)
    assert signed.status_code == 201, signed.text
    headers = {"If-Match": signed.headers["ETag"]}
    granted = ward.ask("ann-signed-in", "POST", path, act, headers=headers)

    assert granted.status_code == 201, granted.text
    (shown,) = ward.record(granted.json()["seq"])["signatures"]
    assert (shown["seq"], shown["beforehand"], shown["holds"]) == (signed.json()["seq"], True, True)


def test_a_request_without_its_signature_is_a_problem_that_says_so(ward: Ward):
    ward.measured()
    answer = ward.send("ann", "release_instrument")

    assert (answer.status_code, kind(answer)) == (409, "unsigned")


def test_a_signature_sent_again_has_one_answer_though_it_is_proved_again(ward: Ward):
    seq = ward.measured()
    token = ward.token(Role.CLINICIAN)
    sent = {"id": "once", "record": seq, "token": token}
    first = ward.sign(token, "ann", "reviewed", **sent)
    ward.clock.advance(minutes=9)
    again = ward.sign(token, "ann", "reviewed", **sent)
    other = ward.sign(token, "ann", "approved", **sent)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.text == first.text
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, kind(other)) == (422, "idempotency-conflict")


@pytest.mark.parametrize(
    "name", ["course.signed", "course.erased", "course.legal_hold_placed"]
)  # fmt: skip
@pytest.mark.parametrize("where", ["events", "events/dry-run"])
def test_nobody_says_as_an_event_what_only_the_service_says(ward: Ward, name: str, where: str):
    """Else a system could make up what a person proved, and who keeps the records."""
    seq = ward.measured()
    proof = {"kind": "oidc", "by": "oidc:bob", "at": ward.clock.now().isoformat()}
    data = {"record": seq, "hash": ward.record(seq)["hash"], "meaning": "verified",
            "printed_name": "Dr Bob", "proof": proof}  # fmt: skip
    token = ward.token(Role.SERVICE, actor_roles=["clinician", "records", "administrator"])
    for role in ("clinician", "records"):
        body = ward.event(name, actor={"id": "bob", "role": role}, data=data,
                          reason={"code": "x"})  # fmt: skip
        answer = ward.ask(token, "POST", f"/v1/courses/{ward.course}/{where}", body)
        assert answer.status_code in (403, 422), answer.text
    assert ward.record(seq)["signatures"] == []


# --- custody --------------------------------------------------------------------------------------


def asked(ward: Ward, token: str, what: str, **body: Any) -> httpx2.Response:
    path = f"/v1/courses/{ward.course}/{what}"
    return ward.ask(token, "POST", path, {"id": f"k{next(ward.numbers)}"} | body)


@pytest.mark.parametrize("role", [Role.RECORDS, Role.ADMINISTRATOR], ids=str)
def test_who_keeps_the_records_erases_and_is_in_the_record(ward: Ward, role: Role):
    ward.measured(reason={"text": "fell at night"})
    token = ward.token(role)
    erased = asked(ward, token, "erasures", basis="gdpr-17-1-b")
    assert erased.status_code == 201, erased.text
    event = ward.record(erased.json()["seq"])["record"]["event"]

    assert erased.json()["texts_left"] == 0
    assert event["actor"] == {"id": f"token:{token.split('_')[1]}", "role": role.value}
    assert event["reason"] == {"code": "gdpr-17-1-b"}
    assert not any("fell at night" in row for rows in ward.stored().values() for row in rows)


def test_bytes_that_an_erasure_may_leave_are_told_logged_and_counted_with_what_removes_them(
    ward: Ward,
):
    ward.measured(reason={"text": "fell at night"})
    token = ward.token(Role.RECORDS)
    with capture_logs() as lines:
        erased = asked(ward, token, "erasures", basis="gdpr-17-1-b").json()
    (left,) = [line for line in lines if line["event"] == "erased_bytes_left"]

    assert erased["scrubbed"] is False
    assert erased["why_not"]
    assert erased["scrub_with"] == f"regimen erasure-check {ward.course} --scrub"
    assert (left["log_level"], left["course"], left["seq"]) == (
        "warning", ward.course, erased["seq"],
    )  # fmt: skip
    metrics = ward.app.state.operation.metrics
    assert b"regimen_erasures_unscrubbed_total 1.0" in metrics.text()


def test_a_legal_hold_keeps_texts_and_is_released_by_its_name(ward: Ward):
    seq = ward.measured(reason={"text": "fell at night"})
    token = ward.token(Role.RECORDS)
    placed = asked(ward, token, "legal-holds", hold="case-7", reason="litigation")
    assert placed.json()["legal_holds"] == [{"hold": "case-7", "record": seq + 1}]
    refused = asked(ward, token, "erasures", basis="gdpr-17-1-b", record=seq)
    assert (refused.status_code, kind(refused)) == (409, "legal-hold")
    unknown = asked(ward, token, "legal-holds/case-8/release", reason="settled")
    assert (unknown.status_code, kind(unknown)) == (409, "no-such-legal-hold")
    released = asked(ward, token, "legal-holds/case-7/release", reason="settled")

    assert released.json()["legal_holds"] == []
    assert asked(ward, token, "erasures", basis="gdpr-17-1-b").status_code == 201


def test_an_erasure_sent_again_is_one(ward: Ward):
    ward.measured(reason={"text": "fell at night"})
    token = ward.token(Role.RECORDS)
    first = asked(ward, token, "erasures", id="once", basis="x")
    ward.clock.advance(minutes=1)
    again = asked(ward, token, "erasures", id="once", basis="x")

    assert again.json()["seq"] == first.json()["seq"]
    assert again.headers["Idempotency-Replayed"] == "true"


def test_an_event_sent_again_after_its_text_was_erased_gets_its_answer(ward: Ward):
    sent = {"data": {"deviation": {"value": "3", "unit": "um"}}, "id": "m-1",
            "reason": {"text": "fell at night"}, "at": ward.clock.now().isoformat()}  # fmt: skip
    first = ward.send("ann", "measurement_recorded", **sent)
    asked(ward, ward.token(Role.RECORDS), "erasures", basis="x")
    again = ward.send("ann", "measurement_recorded", **sent)

    assert (again.status_code, again.text) == (201, first.text)


def test_what_an_erasure_does_not_reach_is_told_to_who_may_know(ward: Ward):
    ward.measured(reason={"text": "fell at night"})
    path = f"/v1/courses/{ward.course}/custody"
    for role in (Role.RECORDS, Role.ADMINISTRATOR, Role.AUDITOR):
        found = ward.ask(ward.token(role), "GET", path).json()
        places = {one["place"]: one["found"] for one in found["places"]}
        assert (places["texts"], places["backups"]) == (1, None)
    assert ward.ask("ann-signed-in", "GET", path).status_code == 403


@pytest.mark.parametrize(
    "body", [{}, {"basis": "because I can"}, {"basis": "x", "record": 99}, {"basis": "x", "all": 1}]
)
def test_what_is_wrong_with_an_erasure_is_named(ward: Ward, body: dict[str, Any]):
    ward.measured(reason={"text": "fell at night"})
    answer = asked(ward, ward.token(Role.RECORDS), "erasures", **body)

    assert (answer.status_code, kind(answer)) == (422, "invalid")

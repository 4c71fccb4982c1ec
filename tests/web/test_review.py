"""Review queues over HTTP: pages, sign-offs by an event, and who may not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from engine.permission import Role
from engine.ports import Transaction
from engine.store.sql import SqlStore
from engine.web.routes import review as routes
from tests.web.conftest import House, numbers
from tests.web.doors import COURSE, Doors
from tests.web.test_events import measured, release, send

OTHER = {"id": "m-9", "role": "metrologist"}


@pytest.fixture
def refused(house: House) -> House:
    """Record 2 was refused."""
    house.enrolled()
    assert send(house, release(house), if_match="*").status_code == 409
    return house


def queue(house: House, name: str = "refusal", **asked: Any) -> Any:
    answer = house.client.get(f"/v1/review/{name}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def sign(house: House, record: int = 2, outcome: str = "accepted", **more: Any) -> Any:
    data = {"record": record, "outcome": outcome} | more.pop("data", {})
    return send(house, house.event("course.reviewed", data=data, **({"actor": OTHER} | more)))


def test_a_refusal_is_in_its_queue_with_whose_it_was_and_what_kept_it_out(refused: House):
    (item,) = queue(refused)["items"]
    index = refused.client.get("/v1/review").json()["queues"]

    assert (item["course"], item["record"], item["event"]) == ("I-1", 2, "release_instrument")
    assert item["guards"]
    assert {one["queue"]: one["count"] for one in index} == {
        "open-finding": 0, "deviation": 0, "override": 0, "late-entry": 0, "refusal": 1,
    }  # fmt: skip


def test_a_sign_off_leaves_the_revision_as_it_was_and_the_queue_empty(refused: House):
    before = refused.client.get("/v1/courses/I-1").headers["etag"]
    answer = sign(refused, data={"comment": "The gauge was cold."})

    assert answer.status_code == 201, answer.text
    assert refused.client.get("/v1/courses/I-1").headers["etag"] == before
    assert queue(refused)["items"] == []
    assert send(refused, measured(refused)).status_code == 201


def test_a_request_that_was_made_before_a_sign_off_is_not_stale(refused: House):
    assert send(refused, measured(refused)).status_code == 201
    seen = refused.client.get("/v1/courses/I-1").headers["etag"]
    assert sign(refused).status_code == 201
    answer = send(refused, release(refused), if_match=seen)

    assert answer.status_code == 201, answer.text


def test_nobody_signs_off_what_they_did_or_signed_off_before(refused: House):
    own = refused.client.get("/v1/review/refusal").json()["items"][0]["actor"]
    by_actor = sign(refused, actor=own)
    assert sign(refused, outcome="escalated").status_code == 201
    again = sign(refused)

    assert (by_actor.status_code, again.status_code) == (409, 409)
    assert [one["reviewers"] for one in queue(refused)["items"]] == [["m-9"]]


def review(house: House, **sent: Any) -> Any:
    body = {"id": "r-1", "actor": OTHER, "record": 2, "outcome": "accepted"} | sent
    return house.client.post("/v1/courses/I-1/reviews", json=body)


def test_a_record_is_signed_off_without_an_event_to_write_and_once_however_often_it_is_sent(
    refused: House,
):
    before = refused.client.get("/v1/courses/I-1").headers["etag"]
    first = review(refused, comment="The gauge was cold.", queue="refusal")
    refused.clock.advance(minutes=5)
    again = review(refused, comment="The gauge was cold.", queue="refusal")

    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert first.headers["location"] == "/v1/courses/I-1/records/3"
    assert refused.client.get("/v1/courses/I-1").headers["etag"] == before
    assert queue(refused)["items"] == []
    said = refused.client.get("/v1/courses/I-1/records/3").json()["record"]
    assert (said["event"]["event"], said["event"]["actor"]) == ("course.reviewed", OTHER)
    assert said["event"]["data"]["comment"].keys() == {"sha256"}


def test_the_id_of_another_sign_off_is_not_taken(refused: House):
    assert review(refused, outcome="escalated").status_code == 201
    answer = review(refused)

    assert answer.status_code == 422
    assert answer.json()["type"] == "/v1/problems/idempotency-conflict"


def test_sign_offs_that_are_sent_twice_at_once_are_one(refused: House):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: review(refused), range(8)))

    taken = [one.json()["seq"] for one in answers if one.status_code == 201]
    others = {one.json()["type"] for one in answers if one.status_code != 201}
    assert set(taken) == {3}
    assert others <= {"/v1/problems/still-running"}
    assert review(refused).headers["idempotency-replayed"] == "true"


def test_the_same_sign_off_at_another_process_meanwhile_is_one(
    refused: House, monkeypatch: pytest.MonkeyPatch
):
    """Its time is another one than that of the first, and is taken for that."""
    before, made = routes.as_before, list[str]()

    def meanwhile(tx: Transaction, body: dict[str, Any]) -> dict[str, Any]:
        found = before(tx, body)
        if not made:
            made.append(body["id"])
            refused.clock.advance(seconds=-1)
            refused.service.submit({**body, "at": refused.clock.now().isoformat()})
        return found

    monkeypatch.setattr(routes, "as_before", meanwhile)
    answer = review(refused)

    assert answer.status_code == 201, answer.text
    assert (answer.json()["seq"], answer.headers["idempotency-replayed"]) == (3, "true")


def test_a_sign_off_that_nobody_made_cannot_have_been_seen(refused: House):
    answer = review(refused, reviewed_by=2)

    assert answer.status_code == 409
    assert "record 2 was last signed off by nobody yet" in answer.json()["detail"]


def test_who_read_a_record_before_somebody_else_signed_it_off_signs_nothing_off(refused: House):
    assert review(refused, outcome="escalated", reviewed_by=None).status_code == 201
    later = {"id": "r-2", "actor": {"id": "m-7", "role": "metrologist"}}
    stale = review(refused, **later, reviewed_by=None)
    assert stale.status_code == 409
    assert "record 2 was last signed off by record 3" in stale.json()["detail"]

    (item,) = queue(refused)["items"]
    assert review(refused, **later, reviewed_by=item["reviewed_by"]).status_code == 201
    assert queue(refused)["items"] == []
    # Sent again, it was made on what was so then.
    assert review(refused, outcome="escalated", reviewed_by=None).status_code == 201


def test_of_a_sign_off_in_the_moment_before_ones_own_one_is_told_and_signs_nothing_off(
    refused: House, monkeypatch: pytest.MonkeyPatch
):
    """The service is asked between reading and recording, as another process asks the database."""
    submit, other = refused.service.submit, refused.event("course.reviewed", actor=OTHER)
    other |= {"course": "I-1", "data": {"record": 2, "outcome": "escalated"}}

    def late(body: Any, **more: Any) -> Any:
        submit(other)
        return submit(body, **more)

    monkeypatch.setattr(refused.service, "submit", late)
    answer = review(refused, actor={"id": "m-7", "role": "metrologist"}, reviewed_by=None)

    assert answer.status_code == 409
    assert "record 2 was last signed off by record 3" in answer.json()["detail"]
    assert [one["reviewers"] for one in queue(refused)["items"]] == [["m-9"]]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"outcome": "fine"}, "data.outcome"),
        ({"outcome": "acted-on"}, "data.comment"),
        ({"queue": "open-finding"}, "data.queue"),
        ({"queue": ["refusal"]}, "data.queue"),
        ({"record": 1}, "data.record"),
        ({"record": "2"}, "data.record"),
        ({"record": "2", "reviewed_by": None}, "record"),
        ({"reviewed_by": 0}, "reviewed_by"),
        ({"actor": "m-9"}, "actor"),
        ({"hash": "0" * 64}, "hash"),
    ],
)
def test_a_sign_off_by_itself_that_means_nothing_names_its_member(
    refused: House, sent: dict[str, Any], field: str
):
    answer = review(refused, **sent)

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field
    assert len(queue(refused)["items"]) == 1


def test_queues_are_asked_for_by_workflow(refused: House):
    here, elsewhere = {"workflow": "instrument_calibration"}, {"workflow": "intralesional_il2"}

    assert len(queue(refused, **here)["items"]) == 1
    assert queue(refused, **elsewhere)["items"] == []
    for asked, count in ((here, 1), (elsewhere, 0)):
        index = refused.client.get("/v1/review", params=asked).json()["queues"]
        assert sum(one["count"] for one in index) == count


@pytest.fixture
def doors(database: SqlStore) -> Doors:
    """A course of a clinic, whose record 2 was refused."""
    made = Doors(database, f"reviewed-{next(numbers)}")
    clinician = made.token(Role.CLINICIAN)
    began = made.ask(clinician, "POST", "/v1/courses", made.enrolment(COURSE))
    assert began.status_code == 201, began.text
    body = made.event("release_hold", reason={"code": "clinician-decision"})
    path = f"/v1/courses/{COURSE}/events"
    answer = made.ask(clinician, "POST", path, body, headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["seq"]) == (409, 2)
    return made


def signing(role: str, **more: Any) -> dict[str, Any]:
    actor = {"id": "qa-1", "role": role}
    return {"id": f"r-{role}", "actor": actor, "record": 2, "outcome": "accepted", **more}


PATH = f"/v1/courses/{COURSE}/reviews"


def test_an_auditor_signs_off_by_a_program_and_sends_no_other_event(doors: Doors):
    auditor = doors.token(Role.AUDITOR)
    answer = doors.ask(auditor, "POST", PATH, signing("auditor", reviewed_by=None))
    sent = doors.event("course.reviewed", actor={"id": "qa-1", "role": "auditor"}, data={})
    event = doors.ask(auditor, "POST", f"/v1/courses/{COURSE}/events", sent)

    assert answer.status_code == 201, answer.text
    assert answer.json()["seq"] == 3
    assert event.status_code == 403


@pytest.mark.parametrize("claimed", ["clinician", "prescriber", "engine", "administrator"])
def test_an_auditor_signs_off_in_no_other_role(doors: Doors, claimed: str):
    answer = doors.ask(doors.token(Role.AUDITOR), "POST", PATH, signing(claimed))

    assert answer.status_code == 403
    assert doors.services[doors.tenant].records(COURSE)[-1].seq == 2


@pytest.mark.parametrize("role", Role, ids=str)
def test_who_may_sign_off_over_http_is_who_may_in_the_browser(doors: Doors, role: Role):
    named = {Role.SERVICE: "prescriber"}.get(role, role.value)
    answer = doors.ask(doors.token(role), "POST", PATH, signing(named))

    may = role in (Role.AUDITOR, Role.CLINICIAN, Role.PRESCRIBER, Role.SERVICE)
    assert answer.status_code == (201 if may else 403), answer.text


def test_nothing_at_a_site_of_others_is_signed_off(doors: Doors):
    south = doors.token(Role.AUDITOR, sites=["south"])

    assert doors.ask(south, "POST", PATH, signing("auditor")).status_code == 404
    assert doors.services[doors.tenant].records(COURSE)[-1].seq == 2


def test_pages_follow_one_another(house: House):
    for number in range(3):
        house.enrolled(f"I-{number}")
        body = {**release(house), "course": f"I-{number}"}
        house.client.post(f"/v1/courses/I-{number}/events", json=body, headers={"if-match": "*"})
    first = queue(house, limit=2)
    rest = queue(house, limit=2, cursor=first["next"])

    assert [one["course"] for one in first["items"] + rest["items"]] == ["I-0", "I-1", "I-2"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"outcome": "fine"}, "data.outcome"),
        ({"outcome": "acted-on"}, "data.comment"),
        ({"queue": "open-finding"}, "data.queue"),
        ({"record": 1}, "data.record"),
    ],
)
def test_a_sign_off_that_means_nothing_is_malformed(
    refused: House, data: dict[str, Any], field: str
):
    answer = sign(refused, data=data)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_a_cursor_of_something_else_is_malformed(refused: House):
    answer = refused.client.get("/v1/review/refusal", params={"cursor": "e30"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "cursor"

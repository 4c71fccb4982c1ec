"""Electronic signatures: bound to what they are of, by two persons where two are asked for.

The instrument's measurements and its release are signed here, each by its sender and a second
person; the release is a request, and so is signed before it is sent.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.answer import Answer
from engine.core.definition import Event, Signature, Workflow
from engine.core.encoding import canonical, instant_text
from engine.core.history import verify
from engine.core.record import Record, hash_of
from engine.core.redecision import decide_again
from engine.errors import IdempotencyConflict, InvalidInput, NotPermitted
from engine.store.memory import MemoryStore
from engine.store.sql import SqlStore
from tests.service.bench import INSTRUMENT, NOW, Bench

ASKED = {
    "measurement_recorded": Signature(
        meaning="measured", second=True, roles=("metrologist",), within=timedelta(days=1)
    ),
    "release_instrument": Signature(
        meaning="released", second=True, roles=("technician",), within=timedelta(hours=1)
    ),
    "instrument_scrapped": Signature(meaning="scrapped"),
}


def asking(event: Event) -> Event:
    return replace(event, signature=ASKED.get(event.name))


SIGNED: Workflow = replace(
    INSTRUMENT, version="signed", events=tuple(asking(event) for event in INSTRUMENT.events)
)


class Desk:
    """A course whose events are signed."""

    def __init__(self, bench: Bench, course: str = "I-1") -> None:
        self.bench, self.course = bench, course
        bench.enrolled(course)

    def sign(
        self, meaning: str, who: str = "ann", role: str = "metrologist", **more: Any
    ) -> Answer:
        return self.bench.service.submit(self.signature(meaning, who, role, **more))

    def signature(
        self, meaning: str, who: str, role: str = "metrologist", **more: Any
    ) -> dict[str, Any]:
        at = more.pop("proved_at", self.bench.clock.now())
        own = {name: more.pop(name) for name in ("id", "course") if name in more}
        proof = {"kind": "host", "by": more.pop("by", who), "at": instant_text(at)}
        if "record" in more and "hash" not in more:
            more["hash"] = self.bench.records(self.course)[more["record"] - 1].hash
        data = {"meaning": meaning, "printed_name": f"Dr {who}", "proof": proof, **more}
        body = self.bench.body(self.course, "course.signed", data=data)
        return body | {"actor": {"id": who, "role": role}} | own

    def measured(self) -> int:
        """The record of a measurement by ann."""
        body = self.bench.measurement(self.course) | ANN
        return self.bench.service.submit(body).seq

    def release(self, **more: Any) -> dict[str, Any]:
        return self.bench.release(self.course) | ANN | more

    def signed(self, act: dict[str, Any], *who: tuple[str, str, str]) -> None:
        for meaning, name, role in who:
            answer = self.sign(meaning, name, role, event=act)
            assert answer.verdict == "accepted", answer.decision

    def waiting(self) -> dict[str, Any]:
        return self.bench.row(self.course).get("unsigned", {})


ANN = {"actor": {"id": "ann", "role": "metrologist"}}
BOTH = (("released", "ann", "metrologist"), ("verified", "bob", "technician"))


@pytest.fixture
def desk(bench: Bench) -> Desk:
    bench.install(SIGNED)
    return Desk(bench)


# --- reports, and what is recorded already ------------------------------------------------------


def test_a_report_is_recorded_and_waits_until_its_sender_and_another_person_signed(desk: Desk):
    seq = desk.measured()
    assert list(desk.waiting()) == [str(seq)]
    assert desk.sign("measured", record=seq).verdict == "accepted"
    assert list(desk.waiting()) == [str(seq)]
    assert desk.sign("verified", "bob", record=seq).verdict == "accepted"

    assert desk.waiting() == {}
    assert desk.bench.proved(desk.course)


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (("verified", "ann", "metrologist", "ann"), "same-signer"),
        (("verified", "ann", "metrologist", "other"), "same-signer"),
        (("measured", "ann", "metrologist", "other"), "same-signer"),
        (("verified", "bob", "metrologist", "ann"), "same-signer"),
        (("verified", "bob", "technician", "bob"), "not-a-signer"),
        (("measured", "bob", "metrologist", "bob"), "not-a-signer"),
    ],
    ids=["same actor", "same actor by another login", "twice", "same login", "role", "meaning"],
)
def test_the_second_person_is_another_one_who_may_sign(desk: Desk, who: tuple[str, ...], why: str):
    seq = desk.measured()
    desk.sign("measured", record=seq)
    answer = desk.sign(*who[:3], by=who[3], record=seq)

    assert (answer.verdict, answer.decision["reason"]) == ("refused", why)
    assert list(desk.waiting()) == [str(seq)]
    assert desk.bench.proved(desk.course)


def test_any_record_may_be_signed_with_any_meaning_of_the_engine_s_own_too(desk: Desk):
    desk.measured()
    data = {"record": 2, "input": "deviation", "entered_in_error": True}
    reason = {"code": "typing-error"}
    corrected = desk.bench.service.submit(
        desk.bench.body(desk.course, "course.corrected", data=data, reason=reason)
    )
    for seq in (1, corrected.seq):
        assert desk.sign("reviewed", "eve", "technician", record=seq).verdict == "accepted"
    assert list(desk.waiting()) == ["2"]
    assert desk.bench.proved(desk.course)


def test_a_signature_names_the_hash_of_its_record_and_of_no_other(desk: Desk):
    desk.measured()
    for wrong in (
        {"record": 2, "hash": desk.bench.records(desk.course)[0].hash},
        {"record": 2, "hash": "0" * 64},
        {"record": 9, "hash": "0" * 64},
    ):
        with pytest.raises(InvalidInput, match=f"hash of record {wrong['record']}"):
            desk.sign("measured", **wrong)
    with pytest.raises(InvalidInput, match=r"data\.hash"):
        desk.bench.service.submit(desk.signature("measured", "ann", record=2, hash=None))

    assert len(desk.bench.records(desk.course)) == 2


def test_a_signature_of_another_course_or_tenant_is_of_no_record_here(desk: Desk):
    """Both have the same records, but for whose they are."""
    other = Desk(desk.bench, "I-2")
    elsewhere = desk.bench.beside()
    elsewhere.install(SIGNED)
    there = Desk(elsewhere)
    for one in (desk, other, there):
        one.measured()
    for moved in (other, there):
        hashed = moved.bench.records(moved.course)[1].hash
        with pytest.raises(InvalidInput, match="hash of record 2 of this course"):
            desk.sign("measured", record=2, hash=hashed)


def test_somebody_who_proved_it_too_long_ago_or_will_prove_it_has_not_signed(desk: Desk):
    desk.measured()
    for minutes in (-6, 6):
        at = NOW + timedelta(minutes=minutes)
        with pytest.raises(InvalidInput, match=r"data\.proof\.at: .*last 5 minutes"):
            desk.sign("measured", record=2, proved_at=at)


def test_who_may_send_nothing_to_a_course_signs_nothing_of_it(desk: Desk):
    desk.measured()
    with pytest.raises((NotPermitted, InvalidInput), match="role"):
        desk.sign("measured", "ann", "gardener", record=2)


def test_the_printed_name_is_in_no_record(desk: Desk):
    desk.measured()
    desk.sign("measured", record=2)
    (record,) = desk.bench.records(desk.course)[2:]

    assert b"Dr ann" not in record.body
    with desk.bench.store.transaction(desk.bench.tenant, write=False) as tx:
        assert tx.texts(desk.course, 3)["data.printed_name"][1] == "Dr ann"


def test_a_signature_sent_again_is_one_signature(desk: Desk):
    desk.measured()
    body = desk.signature("measured", "ann", record=2)
    first, again = desk.bench.service.submit(body), desk.bench.service.submit(body)

    assert (again.seq, again.repeated) == (first.seq, True)
    with pytest.raises(IdempotencyConflict):
        desk.bench.service.submit(desk.signature("verified", "bob", record=2, id=body["id"]))


# --- requests, which are signed before they are sent ---------------------------------------------


def test_a_request_is_granted_once_both_have_signed_it_and_names_their_signatures(desk: Desk):
    desk.measured()
    act = desk.release()
    desk.signed(act, *BOTH)
    answer = desk.bench.service.submit(act)

    assert (answer.verdict, answer.state) == ("accepted", "in_service")
    assert answer.decision["signed"] == [3, 4]
    assert "signed" not in desk.bench.row(desk.course)
    assert desk.bench.proved(desk.course)


@pytest.mark.parametrize("who", [(), BOTH[:1], BOTH[1:]], ids=["nobody", "one", "the other"])
def test_a_request_that_lacks_a_signature_is_not_granted(desk: Desk, who: Any):
    desk.measured()
    act = desk.release()
    desk.signed(act, *who)
    answer = desk.bench.service.submit(act)

    assert (answer.verdict, answer.decision["reason"]) == ("refused", "unsigned")
    assert desk.bench.state(desk.course) == "on_bench"
    assert "signed" not in desk.bench.row(desk.course)
    assert desk.bench.proved(desk.course)


def test_whoever_is_asked_to_sign_sees_first_whether_all_else_would_be_granted(desk: Desk):
    unmeasured = desk.bench.service.dry_run(desk.release())
    desk.measured()
    measured = desk.bench.service.dry_run(desk.release())

    assert unmeasured.decision["reason"] == "guard-undecided"
    assert measured.decision["reason"] == "unsigned"


def test_a_request_that_is_not_what_was_signed_is_not_granted(desk: Desk):
    desk.measured()
    act = desk.release()
    desk.signed(act, *BOTH)
    later = instant_text(NOW + timedelta(seconds=1))
    answer = desk.bench.service.submit(act | {"at": later})

    assert (answer.verdict, answer.decision["reason"]) == ("refused", "altered")
    assert desk.bench.proved(desk.course)


def test_two_who_signed_different_things_signed_nothing_together(desk: Desk):
    desk.measured()
    act = desk.release()
    desk.signed(act, BOTH[0])
    other = act | {"reason": {"code": "other"}}
    answer = desk.sign(*BOTH[1], event=other)

    assert (answer.verdict, answer.decision["reason"]) == ("refused", "altered")


def test_the_revision_that_a_request_expects_is_no_part_of_what_is_signed(desk: Desk):
    desk.measured()
    act = desk.release(expected_revision=2)
    desk.signed(act, *BOTH)

    assert desk.bench.service.submit(act | {"expected_revision": 4}).verdict == "accepted"


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (("verified", "ann", "metrologist", "ann"), "same-signer"),
        (("released", "ann", "metrologist", "ann"), "same-signer"),
        (("verified", "bob", "technician", "ann"), "same-signer"),
        (("verified", "bob", "metrologist", "bob"), "not-a-signer"),
        (("released", "bob", "technician", "bob"), "not-a-signer"),
    ],
)
def test_the_second_signature_of_a_request_is_another_person_s(
    desk: Desk, who: tuple[str, ...], why: str
):
    desk.measured()
    act = desk.release()
    desk.signed(act, BOTH[0])
    answer = desk.sign(*who[:3], by=who[3], event=act)

    assert (answer.verdict, answer.decision["reason"]) == ("refused", why)


def test_signatures_that_are_too_old_do_not_count_and_may_be_given_again(desk: Desk):
    desk.measured()
    act = desk.release()
    desk.signed(act, *BOTH)
    desk.bench.clock.advance(minutes=59)
    assert desk.bench.service.dry_run(act).verdict == "accepted"
    desk.bench.clock.advance(minutes=2)
    late = act | {"at": instant_text(desk.bench.clock.now())}
    assert desk.bench.service.dry_run(act).decision["reason"] in ("too-old", "unsigned")
    assert desk.bench.service.dry_run(late).decision["reason"] == "altered"

    again = late | {"id": "again"}
    desk.signed(again, *BOTH)
    assert desk.bench.service.submit(again).verdict == "accepted"
    assert desk.bench.proved(desk.course)


def test_what_was_recorded_already_is_not_signed_beforehand(desk: Desk):
    desk.measured()
    act = desk.release()
    desk.bench.service.submit(act)
    with pytest.raises(InvalidInput, match=r"data\.event\.id"):
        desk.sign(*BOTH[0], event=act)


def test_only_a_request_that_asks_for_it_is_signed_beforehand(desk: Desk):
    for act in (desk.bench.measurement(desk.course) | ANN, desk.bench.measurement("I-2") | ANN):
        with pytest.raises(InvalidInput, match=r"data\.event"):
            desk.sign("measured", event=act)
    with pytest.raises(InvalidInput, match=r"data\.event\.course"):
        desk.sign("released", event=desk.bench.release("I-2") | ANN)


def test_the_words_of_a_request_are_those_that_were_signed_and_no_record_has_them(desk: Desk):
    desk.measured()
    act = desk.release(reason={"code": "urgent", "text": "needed tonight"})
    desk.signed(act, *BOTH)
    with pytest.raises(InvalidInput, match=r"reason\.text: expected the words that were signed"):
        desk.bench.service.submit(act | {"reason": {"code": "urgent", "text": "not needed"}})
    assert desk.bench.service.submit(act).verdict == "accepted"

    assert not any(b"needed" in record.body for record in desk.bench.records(desk.course))
    assert desk.bench.proved(desk.course)


def test_of_many_events_that_were_signed_and_never_sent_a_course_keeps_the_newest(desk: Desk):
    desk.measured()
    acts = [desk.release(id=f"act-{n:02}") for n in range(18)]
    for act in acts:
        desk.signed(act, BOTH[0])
    kept = desk.bench.row(desk.course)["signed"]

    assert list(kept) == [f"act-{n:02}" for n in range(2, 18)]
    assert desk.bench.proved(desk.course)


# --- tampering ----------------------------------------------------------------------------------


def chained(records: list[dict[str, Any]], of: list[Record]) -> list[Record]:
    """The records with these bodies, as somebody would chain them who owns the tables."""
    found: list[Record] = []
    for body, record in zip(records, of, strict=True):
        body["prev"] = found[-1].hash if found else record.prev_hash
        said = canonical(body)
        found.append(replace(record, body=said, hash=hash_of(said), prev_hash=body["prev"]))
    return found


def bodies(desk: Desk) -> list[dict[str, Any]]:
    return [json.loads(record.body) for record in desk.bench.records(desk.course)]


def fault(desk: Desk, changed: list[dict[str, Any]]) -> Any:
    records = chained(changed, desk.bench.records(desk.course))
    return verify(records, course=desk.course, tenant=desk.bench.tenant)


@pytest.fixture
def both(desk: Desk) -> Desk:
    """A course whose measurement is signed by two, and its release."""
    desk.measured()
    desk.sign("measured", record=2)
    desk.sign("verified", "bob", record=2)
    act = desk.release()
    desk.signed(act, *BOTH)
    assert desk.bench.service.submit(act).verdict == "accepted"
    return desk


def test_a_log_that_was_chained_anew_as_it_was_agrees(both: Desk):
    assert fault(both, bodies(both)) is None


def test_a_record_that_was_changed_has_lost_its_signature_though_all_is_chained_anew(both: Desk):
    changed = bodies(both)
    changed[1]["event"]["data"]["deviation"]["value"] = "2"
    found = fault(both, changed)

    assert (found.seq, found.kind) == (3, "signature")
    assert "not of record 2 as it stands" in found.what


@pytest.mark.parametrize("to", [1, 4, 99])
def test_a_signature_that_was_moved_to_another_record_is_found(both: Desk, to: int):
    changed = bodies(both)
    changed[3]["event"]["data"]["record"] = to
    found = fault(both, changed)

    assert (found.seq, found.kind) == (4, "signature")


def test_a_request_that_was_changed_after_it_was_signed_is_found(both: Desk):
    changed = bodies(both)
    changed[6]["event"]["actor"]["id"] = "eve"
    found = fault(both, changed)

    assert (found.seq, found.kind) == (7, "signature")
    assert "what the signature of record 5 is of" in found.what


def test_what_a_signature_is_of_cannot_be_changed_either(both: Desk):
    changed = bodies(both)
    changed[4]["event"]["data"]["event"]["actor"]["id"] = "eve"
    found = fault(both, changed)

    assert (found.seq, found.kind) == (7, "signature")


def test_a_request_cannot_claim_a_signature_of_something_else(both: Desk):
    changed = bodies(both)
    changed[6]["decision"]["signed"] = [3, 6]
    found = fault(both, changed)

    assert (found.seq, found.kind) == (7, "signature")


def test_a_request_that_was_granted_without_its_signatures_would_be_decided_otherwise(both: Desk):
    """Who chains a log anew without a signature is found by whoever weighs it again."""
    records = both.bench.records(both.course)
    changed = bodies(both)
    del changed[5]  # bob's
    changed[5] |= {"seq": 6, "decision": {**changed[5]["decision"], "signed": [5]}}
    found = chained(changed, [*records[:5], replace(records[6], seq=6)])
    assert verify(found, course=both.course, tenant=both.bench.tenant) is None
    with both.bench.store.transaction(both.bench.tenant, write=False) as tx:
        again = list(decide_again(found, lambda d: both.bench.registry.machine(d, tx)))

    assert ("decision.reason", '"unsigned"') in {(one.place, one.again) for one in again}


@pytest.mark.parametrize("kind", ["memory", "database"])
def test_each_store_gives_the_same_records(kind: str, store: SqlStore, tenant: str):
    bench = Bench(MemoryStore() if kind == "memory" else store, f"{tenant}-{kind}")
    bench.install(SIGNED)
    desk = Desk(bench)
    desk.measured()
    act = desk.release(reason={"code": "urgent", "text": "needed tonight"})
    desk.signed(act, *BOTH)

    assert bench.service.submit(act).verdict == "accepted"
    assert bench.proved(desk.course)

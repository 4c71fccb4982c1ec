"""An event id is used once: the same body again gets the same answer, another body none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from engine.answer import Answer
from engine.errors import Conflict, IdempotencyConflict, InvalidInput
from engine.store.sql import SqlStore
from engine.submission import Desk
from tests.service.bench import BAD, Bench
from tests.service.racing import until_it_waits

KEEPER = {"id": "kim", "role": "records"}
WORDS = {"code": "odd", "text": "It fell off the bench."}


def the_first_again(first: Answer, again: Answer) -> bool:
    assert again.repeated
    assert not first.repeated
    for member in ("course", "event", "event_id", "seq", "verdict", "state", "state_before"):
        assert getattr(again, member) == getattr(first, member)
    assert again.decision == first.decision
    return True


# --- the same body ------------------------------------------------------------------------------


def test_an_event_that_is_sent_again_gets_its_first_answer_and_no_record(bench: Bench):
    bench.enrolled("gauge")
    sent = bench.measurement("gauge")
    first = bench.service.submit(sent)
    bench.service.submit(bench.release("gauge"))

    again = bench.service.submit(sent)

    assert the_first_again(first, again)
    assert again.state == "on_bench"
    assert bench.state("gauge") == "in_service"
    assert len(bench.records("gauge")) == 3


def test_the_answer_to_a_repeat_says_which_revision_may_be_expected_now(bench: Bench):
    bench.enrolled("gauge")
    sent = bench.measurement("gauge")
    first = bench.service.submit(sent)
    later = bench.service.submit(bench.measurement("gauge"))

    again = bench.service.submit(sent)

    assert (first.revision, later.revision, again.revision) == (2, 3, 3)


def test_a_refusal_is_final_for_its_event_id_even_once_it_would_be_granted(bench: Bench):
    bench.enrolled("gauge")
    asked = bench.release("gauge")
    first = bench.service.submit(asked)
    bench.service.submit(bench.measurement("gauge"))

    again = bench.service.submit(asked)
    afresh = bench.service.submit(bench.release("gauge"))

    assert first.refused
    assert the_first_again(first, again)
    assert afresh.verdict == "accepted"


def test_a_deviation_that_is_sent_again_is_recorded_once(bench: Bench):
    bench.in_service("gauge")
    bench.service.submit(bench.measurement("gauge", BAD))
    sent = bench.measurement("gauge")
    first = bench.service.submit(sent)

    again = bench.service.submit(sent)

    assert first.verdict == "deviation"
    assert the_first_again(first, again)
    assert len(bench.records("gauge")) == 5


def test_an_enrolment_that_is_sent_again_gets_its_first_answer_whatever_came_since(bench: Bench):
    sent = bench.enrolment("gauge")
    first = bench.service.submit(sent)
    bench.service.submit(bench.body("gauge", "instrument_scrapped"))

    again = bench.service.submit(sent)

    assert the_first_again(first, again)
    assert bench.state("gauge") == "scrapped"


def test_a_request_that_is_sent_again_gets_its_answer_though_its_time_is_long_past(bench: Bench):
    bench.in_service("gauge")
    asked = bench.release("gauge")
    first = bench.service.submit(asked)
    bench.clock.advance(days=3)

    again = bench.service.submit(asked)

    assert the_first_again(first, again)


def test_a_request_that_is_sent_again_is_not_stale_by_its_own_doing(bench: Bench):
    bench.enrolled("gauge")
    bench.service.submit(bench.measurement("gauge"))
    asked = bench.release("gauge", expected_revision=2)
    first = bench.service.submit(asked)

    again = bench.service.submit(asked)

    assert (first.verdict, first.revision) == ("accepted", 3)
    assert the_first_again(first, again)


def test_a_request_that_waited_for_its_own_repeat_is_not_stale_either(
    bench: Bench, store: SqlStore
):
    """The row that it waited for has moved on, and the look for its record was before that."""
    bench.enrolled("gauge")
    bench.service.submit(bench.measurement("gauge"))
    asked = bench.release("gauge", expected_revision=2)

    with ThreadPoolExecutor(1) as pool:
        with store.transaction(bench.tenant) as tx:
            first = Desk(setting=bench.service.setting, tx=tx).submit(asked)
            waiting = pool.submit(bench.service.submit_many, [asked])
            until_it_waits(store)
        (again,) = waiting.result(timeout=60)

    assert isinstance(again, Answer)
    assert the_first_again(first, again)
    assert len(bench.records("gauge")) == 3


def test_the_order_of_the_members_makes_no_other_body(bench: Bench):
    bench.enrolled("gauge")
    sent = bench.measurement("gauge")
    first = bench.service.submit(sent)
    turned = dict(reversed(sent.items()))
    turned["data"] = dict(reversed(sent["data"].items()))

    again = bench.service.submit(turned)

    assert the_first_again(first, again)


def test_an_event_that_is_there_twice_in_one_batch_is_recorded_once(bench: Bench):
    sent = [bench.enrolment("gauge"), bench.measurement("gauge")]

    answers = bench.service.submit_many([*sent, *sent])

    assert [answer.repeated for answer in answers] == [False, False, True, True]
    assert len(bench.records("gauge")) == 2


def test_of_two_who_send_an_event_at_once_both_get_the_one_answer(bench: Bench):
    bench.enrolled("gauge")
    bodies = [bench.measurement("gauge") for _ in range(10)]
    with ThreadPoolExecutor(2) as pool:
        for body in bodies:
            one, other = pool.map(bench.service.submit, [body, body])
            assert {one.repeated, other.repeated} == {True, False}
            assert (one.seq, one.decision) == (other.seq, other.decision)

    assert len(bench.records("gauge")) == 11
    assert bench.proved("gauge")


def test_the_id_of_one_course_is_free_in_another(bench: Bench):
    bench.enrolled("gauge", "caliper")
    bench.service.submit(bench.measurement("gauge", id="check-1"))

    answer = bench.service.submit(bench.measurement("caliper", id="check-1"))

    assert not answer.repeated
    assert answer.course == "caliper"


# --- another body -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"data": BAD},
        {"data": {**BAD, "deviation": {"value": "3.0", "unit": "um"}}},
        {"at": "2026-03-02T08:59:59Z"},
        {"actor": {"id": "metrologist-2", "role": "metrologist"}},
        {"actor": {"id": "metrologist-1", "role": "technician"}},
        {"event": "returned_to_bench", "data": {}},
        {"reason": {"code": "odd"}},
        {"expected_revision": 1},
        {"format": True},
    ],
    ids=["data", "spelling", "at", "actor", "role", "event", "reason", "revision", "type"],
)
def test_an_id_that_was_used_for_another_body_is_a_conflict_and_the_first_stands(
    bench: Bench, change: dict[str, Any]
):
    bench.enrolled("gauge")
    sent = bench.measurement("gauge")
    bench.service.submit(sent)

    with pytest.raises(IdempotencyConflict) as raised:
        bench.service.submit(sent | change)

    assert (raised.value.course, raised.value.event_id) == ("gauge", sent["id"])
    assert len(bench.records("gauge")) == 2


def test_the_id_of_an_enrolment_is_used_too(bench: Bench):
    first = bench.enrolment("gauge")
    bench.service.submit(first)

    with pytest.raises(IdempotencyConflict):
        bench.service.submit(bench.measurement("gauge", id=first["id"]))
    with pytest.raises(IdempotencyConflict):
        bench.service.submit(first | {"patient": "another"})


def test_a_course_that_exists_is_not_enrolled_again_under_another_event_id(bench: Bench):
    bench.enrolled("gauge")

    with pytest.raises(Conflict, match="exists already") as raised:
        bench.service.submit(bench.enrolment("gauge"))

    assert not raised.value.retriable
    assert len(bench.records("gauge")) == 1


def test_nobody_takes_the_id_that_a_timer_will_have(bench: Bench):
    bench.in_service("gauge")
    waiting = bench.row("gauge")["timers"]["recalibration"]
    named = f"timer:recalibration:{waiting[1]}"

    with pytest.raises(InvalidInput, match="id"):
        bench.service.submit(bench.measurement("gauge", id=named))

    bench.clock.advance(days=400)
    assert bench.service.tick() == 1
    assert bench.records("gauge")[-1].event_id == named
    with pytest.raises(IdempotencyConflict):
        bench.service.submit(bench.measurement("gauge", id=named))


# --- free texts ---------------------------------------------------------------------------------


def test_a_free_text_is_compared_though_only_its_salted_digest_was_recorded(bench: Bench):
    bench.enrolled("gauge")
    sent = bench.measurement("gauge", reason=WORDS)
    first = bench.service.submit(sent)

    again = bench.service.submit(sent)
    with pytest.raises(IdempotencyConflict):
        bench.service.submit(sent | {"reason": {**WORDS, "text": "It was dropped."}})
    with pytest.raises(IdempotencyConflict):
        bench.service.submit(sent | {"reason": {"code": "odd"}})

    assert the_first_again(first, again)
    assert b"fell off" not in bench.records("gauge")[-1].body


def test_the_digest_of_a_free_text_is_not_the_text(bench: Bench):
    """Who saw the record could otherwise repeat the event without the text."""
    bench.enrolled("gauge")
    sent = bench.measurement("gauge", reason=WORDS)
    bench.service.submit(sent)
    with bench.store.transaction(bench.tenant, write=False) as tx:
        recorded = tx.record("gauge", 2)
    assert recorded is not None
    digest = recorded.body.decode().split('"sha256":"')[1][:64]

    for guess in (digest, f"sha256:{digest}", {"sha256": digest}):
        with pytest.raises((IdempotencyConflict, InvalidInput)):
            bench.service.submit(sent | {"reason": {"code": "odd", "text": guess}})


def test_once_a_text_is_erased_any_text_is_taken_for_it_and_nothing_else_is(
    bench: Bench, store: SqlStore
):
    bench.enrolled("gauge")
    sent = bench.measurement("gauge", reason=WORDS)
    first = bench.service.submit(sent)
    erase(bench, store)

    again = bench.service.submit(sent)
    other = bench.service.submit(sent | {"reason": {"code": "odd", "text": "Whatever."}})
    with pytest.raises(IdempotencyConflict):
        bench.service.submit(sent | {"reason": {"code": "even", "text": WORDS["text"]}})
    with pytest.raises(IdempotencyConflict):
        bench.service.submit(sent | {"data": BAD})

    assert the_first_again(first, again)
    assert the_first_again(first, other)
    assert bench.proved("gauge")


def erase(bench: Bench, store: SqlStore) -> None:
    """At the store itself: over HTTP it is asked of a resource of its own."""
    keeper = Bench(store, bench.tenant, bench.registry, bench.clock)
    body = keeper.body("gauge", "course.erased", id="erase-1", data={},
                       reason={"code": "gdpr-17-1-b"}, actor=KEEPER)  # fmt: skip
    assert keeper.service.submit(body).verdict == "accepted"
    with store.transaction(bench.tenant, write=False) as tx:
        assert list(tx.kept_texts("gauge")) == []

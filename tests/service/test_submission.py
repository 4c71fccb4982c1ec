"""Events at the door: what is taken, what is said of the rest, and what is not written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from engine.answer import Answer
from engine.core.encoding import instant_text
from engine.errors import (
    Conflict,
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    UnknownEvent,
    UnknownWorkflow,
)
from engine.store.memory import MemoryStore
from engine.store.sql import SqlStore
from engine.store.tables import metadata
from tests.service.bench import BAD, INSTRUMENT, NOW, Bench


def counts(store: SqlStore, tenant: str) -> dict[str, int]:
    """How many rows of the tenant each table has."""
    with store.engine.connect() as connection:
        return {
            table.name: connection.scalar(
                select(func.count()).select_from(table).where(table.c.tenant == tenant)
            )
            or 0
            for table in metadata.tables.values()
        }


# --- what is no event ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"course": ""}, "course"),
        ({"course": "x" * 65}, "course"),
        ({"course": 7}, "course"),
        ({"course": None}, "course"),
        ({"course": "a\x00b"}, "course"),
        ({"course": "\ud800"}, "course"),
        ({"id": ""}, "id"),
        ({"id": "a\x00b"}, "id"),
        ({"id": "\udfff"}, "id"),
        ({"id": ["e1"]}, "id"),
        ({"at": "2026-03-02T09:00:00"}, "at"),
        ({"at": None}, "at"),
        ({"at": {"value": None, "reason": "not-published"}}, "at"),
        ({"unheard_of": 1}, "unheard_of"),
        ({"data": {"deviation": {"value": 3.0, "unit": "um"}}}, "data.deviation.value"),
        ({"data": {"deviation": {"value": "3"}}}, "data.deviation.unit"),
        ({"reason": {"text": "a\x00b"}}, "reason.text"),
        ({"actor": {"id": "m", "role": "chief"}}, "actor.role"),
        ({"actor": {"id": "m", "role": "engine"}}, "actor.role"),
        ({"override": {"code": "x", "guards": ["unheard_of"]}}, "override.guards"),
        ({"event": "recalibration_missed", "data": {}}, "event"),
        ({"format": 2}, "format"),
    ],
)
def test_what_is_malformed_is_named_and_not_recorded(
    bench: Bench, store: SqlStore, change: dict[str, Any], field: str
):
    bench.enrolled("gauge")
    before = counts(store, bench.tenant)

    with pytest.raises(InvalidInput) as raised:
        bench.service.submit(bench.measurement("gauge") | change)

    assert raised.value.field == field
    assert counts(store, bench.tenant) == before


@pytest.mark.parametrize("body", [None, [], "event", 7, b"{}"])
def test_what_is_no_object_is_no_event(bench: Bench, body: object):
    with pytest.raises(InvalidInput, match="a JSON object"):
        bench.service.submit(body)


def test_a_course_that_does_not_exist_is_not_found(bench: Bench):
    with pytest.raises(NotFound) as raised:
        bench.service.submit(bench.measurement("nowhere"))

    assert raised.value.course == "nowhere"


def test_a_course_of_another_tenant_does_not_exist(bench: Bench):
    bench.enrolled("gauge")
    other = bench.beside()
    other.install()

    with pytest.raises(NotFound):
        other.service.submit(other.measurement("gauge"))
    with pytest.raises(NotFound):
        other.service.records("gauge")
    assert list(other.service.courses()) == []


def test_an_event_that_the_workflow_lacks_is_named_with_those_that_it_has(bench: Bench):
    bench.enrolled("gauge")

    with pytest.raises(UnknownEvent, match="measurement_recorded") as raised:
        bench.service.submit(bench.body("gauge", "dose_given"))

    assert raised.value.event == "dose_given"


def test_a_role_that_may_not_send_an_event_is_told_who_may(bench: Bench):
    bench.enrolled("gauge")
    bench.service.submit(bench.measurement("gauge"))

    with pytest.raises(NotPermitted) as raised:
        bench.service.submit(bench.body("gauge", "release_instrument", role="technician"))

    assert raised.value.permitted == ("metrologist",)
    assert len(bench.records("gauge")) == 2


def test_a_correction_that_names_no_reading_is_malformed_and_lets_no_timer_fire(bench: Bench):
    bench.in_service("gauge")
    bench.clock.advance(days=400)
    correction = bench.body(
        "gauge", "course.corrected", reason={"code": "typing-error"},
        data={"record": 3, "input": "deviation", "value": {"value": "4", "unit": "um"}},
    )  # fmt: skip

    with pytest.raises(InvalidInput, match="data.record"):
        bench.service.submit(correction)

    assert bench.state("gauge") == "in_service"


# --- time ---------------------------------------------------------------------------------------


def test_a_time_that_leads_the_clock_by_more_than_the_skew_is_in_the_future(bench: Bench):
    bench.enrolled("gauge")
    skew = bench.service.setting.skew
    near, far = (instant_text(NOW + skew + timedelta(seconds=n)) for n in (0, 1))

    with pytest.raises(InvalidInput, match="not in the future") as raised:
        bench.service.submit(bench.measurement("gauge", at=far))
    answer = bench.service.submit(bench.measurement("gauge", at=near))

    assert raised.value.field == "at"
    assert answer.verdict == "accepted"


def test_an_enrolment_of_the_future_is_refused_at_the_door(bench: Bench):
    with pytest.raises(InvalidInput, match="not in the future"):
        bench.service.submit(bench.enrolment("gauge", at="2026-03-03T09:00:00Z"))

    assert list(bench.service.courses()) == []


def test_recorded_at_never_decreases_when_the_clock_goes_back(bench: Bench):
    bench.in_service("gauge")
    bench.clock.advance(days=-30)
    bench.service.submit(bench.measurement("gauge", at=instant_text(NOW)))
    bench.service.submit(bench.measurement("gauge"))
    bench.clock.advance(days=31)
    bench.service.submit(bench.measurement("gauge"))

    times = [record.recorded_at for record in bench.records("gauge")]
    # The sixth weighs again what the late one of a month before could have informed.
    assert times == [NOW] * 6 + [NOW + timedelta(days=1)]
    assert bench.proved("gauge")


def test_what_is_in_time_does_not_become_future_because_the_clock_went_back(bench: Bench):
    """The time that counts is the one that the record will have."""
    bench.enrolled("gauge")
    bench.service.submit(bench.measurement("gauge"))
    asked = bench.release("gauge")
    bench.clock.advance(days=-1)

    answer = bench.service.submit(asked)

    assert answer.verdict == "accepted"
    assert bench.proved("gauge")


def test_a_request_that_is_older_than_it_may_be_is_refused_and_recorded(bench: Bench):
    bench.enrolled("gauge")
    bench.service.submit(bench.measurement("gauge"))
    asked = bench.release("gauge")
    bench.clock.advance(hours=1, seconds=1)

    answer = bench.service.submit(asked)

    assert (answer.verdict, answer.decision["reason"]) == ("refused", "too-old")
    assert len(bench.records("gauge")) == 3
    assert bench.proved("gauge")


# --- expected revisions -------------------------------------------------------------------------


def test_a_request_from_a_stale_screen_is_a_conflict_with_both_numbers(bench: Bench):
    bench.enrolled("gauge")
    bench.service.submit(bench.measurement("gauge"))

    with pytest.raises(Conflict, match="expected revision 1, it is 2") as raised:
        bench.service.submit(bench.release("gauge", expected_revision=1))

    assert (raised.value.expected, raised.value.actual) == (1, 2)
    assert not raised.value.retriable
    assert len(bench.records("gauge")) == 2


def test_a_report_is_taken_from_a_stale_screen_too(bench: Bench):
    bench.enrolled("gauge")
    bench.service.submit(bench.measurement("gauge"))

    answer = bench.service.submit(bench.measurement("gauge", expected_revision=1))

    assert (answer.verdict, answer.seq) == ("accepted", 3)


def test_a_refusal_makes_nobodys_screen_stale(bench: Bench):
    bench.enrolled("gauge")
    refused = bench.service.submit(bench.release("gauge"))
    assert (refused.seq, refused.revision) == (2, 1)

    answer = bench.service.submit(bench.release("gauge", expected_revision=1))

    assert (answer.verdict, answer.seq, answer.revision) == ("refused", 3, 1)


def test_a_timer_that_was_due_makes_a_request_stale_and_fires_in_its_own_time(bench: Bench):
    bench.in_service("gauge")
    bench.clock.advance(days=400)

    with pytest.raises(Conflict, match="timers.*expected revision 3, it is 4") as raised:
        bench.service.submit(bench.release("gauge", expected_revision=3))

    assert raised.value.timers == 1
    assert [record.event for record in bench.records("gauge")][3:] == ["recalibration_missed"]
    assert bench.service.tick() == 0
    assert bench.state("gauge") == "overdue"


def test_a_request_that_was_stale_anyhow_leaves_the_timers_that_were_due_recorded(bench: Bench):
    bench.in_service("gauge")
    bench.clock.advance(days=400)

    with pytest.raises(Conflict, match="moved on since it was read") as raised:
        bench.service.submit(bench.release("gauge", expected_revision=2))

    assert (raised.value.actual, raised.value.timers) == (4, 0)
    assert bench.state("gauge") == "overdue"


# --- many at once -------------------------------------------------------------------------------


def test_a_batch_takes_what_is_good_and_says_what_is_wrong_with_the_rest(bench: Bench):
    bench.enrolled("gauge")
    bench.service.submit(bench.measurement("gauge", id="used"))
    bodies = [
        bench.measurement("gauge"),
        bench.measurement("gauge") | {"at": "noon"},
        bench.measurement("nowhere"),
        bench.body("gauge", "release_instrument", role="technician"),
        bench.measurement("gauge", BAD, id="used"),
        bench.release("gauge", expected_revision=1),
        bench.body("gauge", "dose_given"),
        bench.enrolment("caliper", patient="patient-of-gauge"),
        bench.enrolment("caliper", workflow="unheard_of"),
        None,
        bench.release("gauge"),
    ]

    answers = bench.service.submit_many(bodies)

    assert [type(answer) for answer in answers] == [
        Answer, InvalidInput, NotFound, NotPermitted, IdempotencyConflict, Conflict, UnknownEvent,
        Conflict, UnknownWorkflow, InvalidInput, Answer,
    ]  # fmt: skip
    assert [a.verdict for a in answers if isinstance(a, Answer)] == ["accepted", "accepted"]
    assert bench.state("gauge") == "in_service"
    assert [line.course for line in bench.service.courses()] == ["gauge"]
    assert bench.proved("gauge")


def test_a_batch_is_decided_in_its_order_as_its_events_would_be_alone(bench: Bench):
    def bodies(course: str) -> list[dict[str, Any]]:
        return [
            body | {"id": f"{n}", "course": course}
            for n, body in enumerate(
                [
                    bench.enrolment(course, patient=course),
                    bench.release(course),
                    bench.measurement(course),
                    bench.release(course),
                    bench.measurement(course, BAD),
                ]
            )
        ]

    together = bench.service.submit_many(bodies("gauge"))
    alone = [bench.service.submit(body) for body in bodies("caliper")]

    assert [a.decision for a in together if isinstance(a, Answer)] == [a.decision for a in alone]
    assert [a.state for a in alone] == ["on_bench"] * 3 + ["in_service", "withdrawn"]
    assert bench.proved("gauge", "caliper")


def test_an_empty_batch_is_no_mistake(bench: Bench):
    assert bench.service.submit_many([]) == []


# --- only asking --------------------------------------------------------------------------------


def test_a_dry_run_gives_the_answer_and_writes_nothing(bench: Bench, store: SqlStore):
    bench.in_service("gauge")
    bench.clock.advance(days=400)
    before, sent = counts(store, bench.tenant), bench.measurement("gauge", BAD)

    tried = bench.service.dry_run(sent)
    left = counts(store, bench.tenant)
    real = bench.service.submit(sent)

    assert left == before
    assert tried == real
    assert bench.events("gauge")[-2:] == ["recalibration_missed", "measurement_recorded"]
    assert (tried.state_before, tried.state) == ("overdue", "withdrawn")


def test_a_dry_run_of_a_refusal_an_enrolment_and_a_repeat_writes_nothing(
    bench: Bench, store: SqlStore
):
    sent = bench.enrolment("gauge")
    bench.service.submit(sent)
    before = counts(store, bench.tenant)

    assert bench.service.dry_run(bench.release("gauge")).refused
    assert bench.service.dry_run(bench.enrolment("caliper")).state == "on_bench"
    assert bench.service.dry_run(sent).repeated
    assert counts(store, bench.tenant) == before


def test_what_is_asked_of_a_course_writes_nothing(bench: Bench, store: SqlStore):
    bench.in_service("gauge")
    bench.clock.advance(days=400)
    before = counts(store, bench.tenant)

    status = bench.service.status("gauge")
    visits = bench.service.due(until=bench.clock.now().date())

    assert status.row["state"] == "in_service"
    assert [visit.name for visit in visits] == ["recalibration"]
    assert counts(store, bench.tenant) == before
    with pytest.raises(NotFound):
        bench.service.status("nowhere")


def test_what_is_decided_does_not_depend_on_where_it_is_stored(bench: Bench):
    elsewhere = Bench(MemoryStore(), bench.tenant)
    elsewhere.install(INSTRUMENT)
    for one in (bench, elsewhere):
        one.in_service("gauge")
        one.service.submit(one.measurement("gauge", BAD, reason={"text": "Odd."}))

    assert bench.records("gauge") == elsewhere.records("gauge")
    assert bench.row("gauge") == elsewhere.row("gauge")

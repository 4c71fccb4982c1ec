"""What the service promises of courses and events, kept over HTTP too, on each database.

These are the tests of the library's own service, run again at a bench whose service is on the other
side of HTTP. Whatever is added to them runs here too, unless it is named below with the reason why
HTTP cannot show it. What the stores promise beneath is seen here through the service: one open
course of a patient, an id used once, a course begun once, a stale decision that writes nothing,
records without a gap. What they promise of transactions, outbox, caches and readings is between
them and the engine, and nobody is told of it over HTTP.
"""

from __future__ import annotations

import pytest

from engine.store.memory import MemoryStore
from engine.store.sql import SqlStore
from tests.service import test_enrolment, test_idempotency, test_submission
from tests.service.bench import BAD, INSTRUMENT, Bench
from tests.web.conftest import numbers
from tests.web.remote import RemoteBench

_DRY = "an enrolment has no dry run, and a dry run's document names no record: see test_events"
_INSIDE = "it holds a transaction of the library open"
_TIMERS = "it looks at a row's timers with the records that armed them"

LEFT_TO_THE_LIBRARY = {
    "test_a_dry_run_gives_the_answer_and_writes_nothing": _DRY,
    "test_a_dry_run_of_a_refusal_an_enrolment_and_a_repeat_writes_nothing": _DRY,
    "test_what_is_no_object_is_no_event": "a body that is no JSON object is malformed before it "
    "is an event: see test_events",
    "test_what_is_asked_of_a_course_writes_nothing": "status and due visits are other resources, "
    "which are documents of their own: see test_courses and test_worklists",
    "test_what_is_decided_does_not_depend_on_where_it_is_stored": "it compares rows; of records, "
    "the test below says it",
    "test_a_request_that_waited_for_its_own_repeat_is_not_stale_either": _INSIDE,
    "test_a_course_that_opens_between_the_look_and_the_write_costs_a_report_nothing": _INSIDE,
    "test_the_timers_of_an_adopted_course_follow_from_what_was_attested": _TIMERS,
    "test_nobody_takes_the_id_that_a_timer_will_have": _TIMERS,
    "test_an_engine_that_no_longer_has_the_python_file_decides_and_replays": "a process of its "
    "own uses the library",
}

PROMISES = {
    name: test
    for module in (test_submission, test_idempotency, test_enrolment)
    for name, test in vars(module).items()
    if name.startswith("test_")
}
globals().update({name: test for name, test in PROMISES.items() if name not in LEFT_TO_THE_LIBRARY})


@pytest.fixture
def store(database: SqlStore) -> SqlStore:
    return database


@pytest.fixture
def tenant() -> str:
    return f"remote-{next(numbers)}"


@pytest.fixture
def bench(store: SqlStore, tenant: str) -> Bench:
    """A tenant that knows two workflows and is asked over HTTP."""
    bench = RemoteBench(store, tenant)
    bench.install(INSTRUMENT, test_enrolment.TINY)
    return bench


def test_what_is_left_to_the_library_is_there():
    assert LEFT_TO_THE_LIBRARY.keys() <= PROMISES.keys()


def test_what_is_recorded_over_http_is_what_the_library_records_elsewhere(bench: Bench):
    elsewhere = Bench(MemoryStore(), bench.tenant)
    elsewhere.install(INSTRUMENT)
    for one in (bench, elsewhere):
        one.in_service("gauge")
        one.service.submit(one.release("gauge"))
        one.service.submit(one.measurement("gauge", BAD, reason={"text": "Odd."}))

    assert bench.records("gauge") == elsewhere.records("gauge")


def test_courses_are_listed_by_name_in_pages(bench: Bench):
    for name in ("b", "B", "a_2", "a-1", "a:3"):
        bench.enrolled(name)

    lines = list(bench.service.courses())

    assert [line.course for line in lines] == ["B", "a-1", "a:3", "a_2", "b"]
    assert (lines[0].patient, lines[0].seq, lines[0].open) == ("patient-of-B", 1, True)

"""Timers that are due come back as events: once each, in their order, however late a worker is."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from engine import submission
from engine.core.history import replay
from engine.derivation import CHANGED
from engine.errors import Conflict, StoreUnavailable
from engine.store.sql import SqlStore, open_store
from engine.store.tables import courses
from engine.testing import Story
from tests.service import racing
from tests.service.bench import NOW, Bench, said
from tests.service.racing import BELL, RINGS, Race, Worker
from tests.tenant import VERSION
from tests.workflows import il2
from workflows.intralesional_il2 import WORKFLOW as IL2

DAY = timedelta(days=1)


@pytest.fixture
def bench(store: SqlStore, tenant: str) -> Bench:
    """A tenant that knows the workflow of the bell."""
    bench = Bench(store, tenant)
    bench.install(BELL)
    return bench


def bells(bench: Bench, number: int) -> list[str]:
    """Courses whose bell will ring at the next full hours."""
    names = [f"c{n}" for n in range(number)]
    for name in names:
        begun = bench.enrolment(name, workflow="tiny", actor={"id": "c", "role": "chief"})
        bench.service.submit_many([begun, bench.body(name, "noted", role="chief")])
    return names


def messages(bench: Bench) -> Counter[str]:
    """How many messages of the workflow wait, by course."""
    with bench.store.transaction(bench.tenant, write=False) as tx:
        waiting = tx.waiting(10_000)
    return Counter(message.course for message in waiting if message.kind != CHANGED.kind)


def waiting(bench: Bench) -> int:
    with bench.store.transaction(bench.tenant, write=False) as tx:
        return len(tx.due_timers(NOW + 1000 * DAY, 10_000))


def tick_until_quiet(bench: Bench, *, limit: int = 100) -> int:
    fired = 0
    while came := bench.service.tick(limit=limit):
        fired += came
    return fired


# --- races --------------------------------------------------------------------------------------


@pytest.mark.parametrize("race", [racing.threads, racing.processes], ids=["threads", "processes"])
def test_however_many_workers_race_each_timer_has_exactly_one_effect(
    race: Race, bench: Bench, database_url: str
):
    names = bells(bench, 12)

    ends = race([Worker(database_url, bench.tenant, f"w{n}", NOW + DAY) for n in range(3)])

    assert sum(ends) == len(names) * RINGS
    for course in names:
        assert [r.event_id for r in bench.records(course)[2:]] == [
            f"timer:bell:{seq}" for seq in range(2, 2 + RINGS)
        ]
    assert messages(bench) == dict.fromkeys(names, RINGS)
    assert waiting(bench) == 0
    assert bench.proved(*names)


@pytest.mark.parametrize("race", [racing.threads, racing.processes], ids=["threads", "processes"])
def test_workers_who_race_with_events_lose_neither_an_event_nor_a_timer(
    race: Race, bench: Bench, database_url: str
):
    names = tuple(bells(bench, 8))

    ends = race(
        [
            Worker(database_url, bench.tenant, "one", NOW + DAY, notes=names),
            Worker(database_url, bench.tenant, "other", NOW + DAY, notes=names[::-1]),
        ]
    )

    assert [type(end) for end in ends] == [int, int]
    for course in names:
        assert bench.events(course)[2:5] == ["rang"] * RINGS
        assert sorted(r.event_id for r in bench.records(course)[5:]) == ["one", "other"]
    assert messages(bench) == dict.fromkeys(names, RINGS)
    assert bench.proved(*names)


# --- what is decided, and when ------------------------------------------------------------------


def test_a_timer_that_is_not_due_does_not_fire(bench: Bench):
    bells(bench, 1)
    bench.clock.advance(minutes=59, seconds=59)

    assert bench.service.tick() == 0
    bench.clock.advance(seconds=1)
    assert bench.service.tick() == 1


def test_a_timer_happens_when_it_was_due_however_late_it_is_recorded(bench: Bench):
    bells(bench, 1)
    bench.clock.advance(days=30)

    assert bench.service.tick() == RINGS
    fired = bench.records("c0")[2:]
    assert [record.at for record in fired] == [NOW + timedelta(hours=n) for n in (1, 2, 3)]
    assert {record.recorded_at for record in fired} == {NOW + 30 * DAY}
    assert json.loads(fired[0].body)["event"]["actor"] == {"id": "engine", "role": "engine"}


def test_a_look_at_few_timers_goes_on_with_the_rest_at_the_next(bench: Bench):
    names = bells(bench, 5)
    bench.clock.advance(days=1)

    assert bench.service.tick(limit=2) == 2 * RINGS
    assert tick_until_quiet(bench, limit=2) == 3 * RINGS
    assert messages(bench) == dict.fromkeys(names, RINGS)


def test_a_worker_lets_no_timer_of_another_tenant_fire(bench: Bench, store: SqlStore):
    bells(bench, 1)
    other = Bench(store, f"{bench.tenant}-b")
    other.install(BELL)
    bells(other, 1)
    other.clock.advance(days=1)

    assert tick_until_quiet(other) == RINGS
    assert bench.events("c0") == ["course.enrolled", "noted"]


def test_a_worker_that_was_away_for_very_long_catches_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    """A transaction has a bound. An event waits for the worker, whose next look goes on."""
    monkeypatch.setattr(submission, "TIMERS_AT_ONCE", RINGS - 1)
    bells(bench, 1)
    bench.clock.advance(days=1)

    with pytest.raises(Conflict, match="let a worker decide them first"):
        bench.service.submit(bench.body("c0", "told", role="chief"))
    assert bench.service.tick() == RINGS - 1
    answer = bench.service.submit(bench.body("c0", "told", role="chief"))

    assert answer.seq == 2 + RINGS + 1
    assert bench.proved("c0")


# --- what cannot be decided ---------------------------------------------------------------------

Spoil = Callable[[Bench, SqlStore, Sequence[str]], None]


def damaged(bench: Bench, store: SqlStore, courses: Sequence[str]) -> None:
    """Somebody wrote into the rows."""
    for course in courses:
        row(bench, store, course, "row", "{")


def of_a_newer_engine(bench: Bench, store: SqlStore, courses: Sequence[str]) -> None:
    """The courses were begun by an engine that reads definitions in another way."""
    with bench.store.transaction(bench.tenant) as tx:
        (known,) = tx.definitions()
        newer = known.semantic.replace(b'"semantics":2', b'"semantics":99')
        assert newer != known.semantic
        tx.define(replace(known, digest="sha256:newer", semantic=newer))
    for course in courses:
        row(bench, store, course, "row", json.dumps(bench.row(course) | {"digest": "sha256:newer"}))
        row(bench, store, course, "digest", "sha256:newer")


def row(bench: Bench, store: SqlStore, course: str, column: str, value: str) -> None:
    place = (courses.c.tenant == bench.tenant, courses.c.course == course)
    with store.engine.begin() as connection:
        assert connection.execute(courses.update().where(*place).values({column: value})).rowcount


@pytest.mark.parametrize("spoil", [damaged, of_a_newer_engine])
def test_courses_that_cannot_be_decided_do_not_stop_the_others(
    bench: Bench, store: SqlStore, spoil: Spoil
):
    """Not even when there are more of them than a worker looks at."""
    names = bells(bench, 6)
    bad = names[:4]
    spoil(bench, store, bad)
    bench.clock.advance(days=1)

    assert tick_until_quiet(bench, limit=1) == RINGS * 2
    for name in names:
        assert len(bench.records(name)) == (2 if name in bad else 2 + RINGS)


def test_a_database_that_is_not_there_stops_the_worker_and_is_named(tmp_path: Path):
    store = open_store(f"sqlite:///{tmp_path}/nowhere/courses.db")
    with pytest.raises(StoreUnavailable, match="make its folder"):
        Bench(store, "works").service.tick()
    store.close()


# --- worker lag ---------------------------------------------------------------------------------


def retold(bench: Bench, story: Story, look: Callable[[Bench, datetime], None]) -> None:
    """The events of a story sent again at the times at which they were recorded.

    Between two of them, `look` says which timers a worker decides in the meantime.
    """
    for record in story.records:
        body = json.loads(record.body)
        if body["event"]["actor"]["role"] == "engine":
            continue
        look(bench, record.recorded_at)
        bench.clock.time = record.recorded_at
        bench.service.submit(body["event"])
    look(bench, story.clock.now())
    bench.clock.time = story.clock.now()
    tick_until_quiet(bench)


def prompt(bench: Bench, until: datetime) -> None:
    """Every timer in its own moment."""
    while True:
        with bench.store.transaction(bench.tenant, write=False) as tx:
            due = tx.due_timers(until, 1)
        if not due:
            return
        bench.clock.time = max(bench.clock.time, due[0].due)
        assert bench.service.tick(limit=1)


def lagging(bench: Bench, until: datetime) -> None:
    """None: no worker runs before the end."""


def now_and_then(chance: Random) -> Callable[[Bench, datetime], None]:
    """Some of them, at some time afterwards."""

    def look(bench: Bench, until: datetime) -> None:
        while (left := until - bench.clock.time) > timedelta(0):
            bench.clock.time += min(left, chance.random() * 20 * DAY)
            if chance.random() < 0.5:
                bench.service.tick()

    return look


@pytest.fixture(scope="module")
def told() -> Story:
    """Eight visits, thirteen months of cycles, and a pressure at home now and then."""
    story = il2.in_maintenance()
    for month in ("05", "06", "09", "12"):
        story.until(f"2026-{month}-26 20:00").given(il2.at_home(130))
    return story.until("2027-06-01 09:00")


def test_the_answer_does_not_depend_on_how_far_a_worker_lags(store: SqlStore, told: Story):
    """Only the time of the record tells a prompt worker from a late one."""
    expected = [{**body, "engine": VERSION} for body in said(told.records)]
    delays = []
    for look in (prompt, lagging, now_and_then(Random(1))):
        bench = Bench(store, f"lag-{len(delays)}")
        bench.install(IL2)
        retold(bench, told, look)
        records = bench.records(told.course)
        timers = [record for record in records if record.event_id.startswith("timer:")]
        delays.append([record.recorded_at - (record.at or NOW) for record in timers])

        assert said(records) == expected
        assert bench.proved(told.course)

    at_once, in_the_end, in_between = (sum(found, timedelta(0)) for found in delays)
    assert timedelta(0) == at_once < in_between < in_the_end


def test_thirteen_months_of_maintenance_pass_in_seconds(store: SqlStore):
    """Every timer in its own moment, on a database, each in a transaction of its own."""
    bench = Bench(store, "maintenance")
    bench.install(IL2)
    tail = il2.in_tail()
    retold(bench, tail, prompt)
    before = len(bench.records(tail.course))

    began = time.perf_counter()
    prompt(bench, tail.clock.now() + 400 * DAY)
    seconds = time.perf_counter() - began
    fired = bench.records(tail.course)[before:]

    assert seconds < 20
    names = Counter(record.event for record in fired)
    assert names == {"tail_over": 1, "cycle_began": 12, "cycle_over": 12}
    assert bench.state(tail.course) == "follow_up"
    assert bench.row(tail.course) == replay(bench.records(tail.course))
    assert bench.proved(tail.course)

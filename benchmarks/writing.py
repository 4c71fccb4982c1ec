"""One writer on SQLite: events one by one, and fifty to a transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, count, islice
from pathlib import Path

from benchmarks import floor
from benchmarks.courses import KINDS, LARGE, SMALL, Kind
from benchmarks.engines import Bench, Timed, recorded, timed
from benchmarks.measure import Figure, Run, in_turns, rate
from engine.store import migrate
from engine.store.sql import SqlStore, open_store

AT_ONCE = 50
LEAST = {SMALL: 0.47, LARGE: 0.2}
LEAST_AT_ONCE = {SMALL: 4000, LARGE: 1000}


def figures(run: Run) -> Iterator[Figure]:
    """What one writer does on a file."""
    yield from (one_by_one(run, kind) for kind in KINDS)
    yield from (fifty_at_once(run, kind) for kind in KINDS)


def one_by_one(run: Run, kind: Kind) -> Figure:
    """The events of course after course, each committed before the next; whole courses a turn."""
    raw = floor.on_sqlite(run.folder / f"floor-{kind.workflow}.db")
    store = opened(run.folder / f"engine-{kind.workflow}.db")
    written = floor_steps(kind)
    bench, events, steps = Bench(store), endless_events(kind), endless_steps(written)
    turn = len(kind.tell("c")) * (1 if kind.workflow == LARGE else 6)

    def floor_turn() -> float:
        some = list(islice(steps, turn))
        return rate(turn, lambda: raw.write(bench.tenant, some))

    def engine_turn() -> float:
        some = list(islice(events, turn))
        return rate(turn, lambda: bench.submit(some))

    pair = in_turns(floor_turn, engine_turn, run.of(9, 4))
    raw.close()
    store.close()
    return pair.judged_by_ratio(f"SQLite, one writer, {kind.title}", LEAST[kind.workflow])


def fifty_at_once(run: Run, kind: Kind) -> Figure:
    """Batches of fifty events, whole courses a turn; the floor commits as seldom."""
    raw = floor.on_sqlite(run.folder / f"floor-many-{kind.workflow}.db")
    store = opened(run.folder / f"engine-many-{kind.workflow}.db")
    written = floor_steps(kind)
    bench, groups, steps = Bench(store), count(), endless_steps(written)
    batches = len(batches_of(kind, 0))

    def floor_turn() -> float:
        some = [list(islice(steps, AT_ONCE)) for _ in range(batches)]
        return rate(batches * AT_ONCE, lambda: raw.write_many(bench.tenant, some))

    def engine_turn() -> float:
        some = batches_of(kind, next(groups))
        return rate(sum(map(len, some)), lambda: bench.submit_many(some))

    pair = in_turns(floor_turn, engine_turn, run.of(7, 2))
    raw.close()
    store.close()
    return pair.judged_by_rate(
        f"`submit_many` of {AT_ONCE}, SQLite, {kind.title}", LEAST_AT_ONCE[kind.workflow]
    )


def opened(path: Path) -> SqlStore:
    """A store on a new file."""
    store = open_store(f"sqlite:///{path}")
    migrate.upgrade(store.engine)
    return store


def endless_events(kind: Kind, name: str = "c") -> Iterator[Timed]:
    """The events of one course after another."""
    return chain.from_iterable(timed(kind.tell(f"{name}-{n}")) for n in count())


def batches_of(kind: Kind, group: int) -> list[list[Timed]]:
    """The events of ten courses, five of each at once: as many as may lie within a day."""
    courses = [timed(kind.tell(f"c-{group}-{n}")) for n in range(AT_ONCE // 5)]
    return [
        [event for course in courses for event in course[first : first + 5]]
        for first in range(0, len(courses[0]), 5)
    ]


def floor_steps(kind: Kind) -> list[floor.Step]:
    """What the engine writes for one course."""
    return list(floor.steps(recorded(kind.tell("c"))))


def endless_steps(written: Sequence[floor.Step], name: str = "c") -> Iterator[floor.Step]:
    """The same steps again and again, of courses with other names."""
    return (replace(step, course=f"{name}-{n}") for n in count() for step in written)

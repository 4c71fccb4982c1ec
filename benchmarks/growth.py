"""Whether a step costs the same late in a course as early, and among many courses as among few."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from random import Random
from statistics import quantiles

from sqlalchemy import Table, text

from benchmarks.courses import KINDS, Kind
from benchmarks.engines import Bench, Timed, timed
from benchmarks.measure import Figure, Run
from benchmarks.writing import opened
from engine.store.sql import SqlStore
from engine.store.tables import courses, readings, records, timers, visits

MOST = 1.2
EARLY, LATE = 10, 1_000
FEW, MANY = 100, 100_000
SEED = "seed"


def figures(run: Run) -> Iterator[Figure]:
    """Late against early, many against few."""
    yield from (late_in_a_course(run, kind) for kind in KINDS)
    yield from (among_many(run, kind) for kind in KINDS)


def late_in_a_course(run: Run, kind: Kind) -> Figure:
    """Steps of the same kind in young courses and in old ones, in turns."""
    store = opened(run.folder / f"late-{kind.workflow}.db")
    bench, steps = Bench(store), run.of(50, 20)
    early, late = list[float](), list[float]()
    for n in range(run.of(4, 1)):
        young, old = timed(kind.long(f"young-{n}", 200)), timed(kind.long(f"old-{n}", LATE + steps))
        # What is repeated without end begins where the last of the other events was.
        ends = old[-1][0]["event"]
        begin = max(EARLY, 3 + max(i for i, (body, _) in enumerate(old) if body["event"] != ends))
        bench.submit_many([[event] for event in young[:begin]])
        bench.submit_many([[event] for event in old[:begin]])
        bench.submit_many([old[i : min(i + 50, LATE)] for i in range(begin, LATE, 50)])
        for one, other in zip(young[begin : begin + steps], old[LATE:], strict=True):
            early.append(_seconds(bench, one))
            late.append(_seconds(bench, other))
    store.close()
    return _figure(f"step {LATE:,} of a course against step {EARLY}, {kind.title}", early, late)


def among_many(run: Run, kind: Kind) -> Figure:
    """The same step of a course in a full database and in a nearly empty one, in turns."""
    many = run.of(MANY, MANY // 10)
    few, few_store = _crowd(run, kind, FEW)
    crowd, crowd_store = _crowd(run, kind, many)
    alone, among = list[float](), list[float]()
    for n, course in enumerate(Random(many).sample(range(many), run.of(300, 100))):
        alone.append(_seconds(few, following(kind, n % FEW, n // FEW)))
        among.append(_seconds(crowd, following(kind, course, 0)))
    few_store.close()
    crowd_store.close()
    return _figure(f"{many:,} courses against {FEW}, {kind.title}", alone, among)


def _seconds(bench: Bench, event: Timed) -> float:
    # By the processor: one write to a shared disk varies by more than what is looked for here.
    began = time.process_time()
    bench.submit((event,))
    return time.process_time() - began


def _figure(what: str, one: Sequence[float], other: Sequence[float]) -> Figure:
    # The lower quartile: what disturbs a step only ever makes it longer.
    usual, grown = quantiles(one)[0], quantiles(other)[0]
    ratio = grown / usual
    return Figure(
        what=what,
        floor=f"{usual * 1e6:,.0f} µs",
        measured=f"{grown * 1e6:,.0f} µs",
        ratio=f"{ratio:.2f}",
        wanted=f"within {MOST} times",
        reached=ratio <= MOST,
    )


def _crowd(run: Run, kind: Kind, many: int) -> tuple[Bench, SqlStore]:
    """A file with so many courses."""
    store = opened(run.folder / f"crowd-{kind.workflow}-{many}.db")
    return crowded(store, kind, many), store


def crowded(store: SqlStore, kind: Kind, many: int) -> Bench:
    """A store with so many courses, all of them copies of one that was decided.

    A copy has the row, what waits, the readings and the last record: what a step reads or touches.
    """
    bench = Bench(store)
    for event in _seed(kind, SEED, 0):
        bench.submit((event,))
    with store.engine.begin() as connection:
        for table in (courses, records, readings, timers, visits):
            connection.execute(text(_copying(table)), {"many": many, "seed": SEED})
        if connection.dialect.name == "postgresql":  # its autovacuum does so within a minute
            connection.execute(text("ANALYZE"))
    return bench


def following(kind: Kind, number: int, more: int) -> Timed:
    """The next event of a copy, after so many more."""
    return _seed(kind, f"copy-{number}", more + 1)[-1]


def _seed(kind: Kind, course: str, more: int) -> list[Timed]:
    """A course up to the event that it repeats, and some more of those."""
    events = timed(kind.long(course, 60))
    repeated = events[-1][0]["event"]
    first = 1 + max(i for i, (body, _) in enumerate(events) if body["event"] != repeated)
    return events[: first + 2 + more]


def _copying(table: Table) -> str:
    """SQL that copies the rows of a course under so many names."""
    named = {
        name: f"replace({_quoted(name)}, :seed, 'copy-' || n)"
        for name in ("course", "patient", "row")
    }
    columns = [column.name for column in table.columns]
    last = (
        f" AND seq = (SELECT seq FROM {courses} WHERE course = :seed)" if table is records else ""
    )
    return (
        f"INSERT INTO {table} ({', '.join(_quoted(column) for column in columns)})"
        " WITH RECURSIVE numbers(n) AS"
        " (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :many)"
        f" SELECT {', '.join(named.get(column, _quoted(column)) for column in columns)}"
        f" FROM {table}, numbers WHERE course = :seed{last if table is records else ''}"
    )


def _quoted(column: str) -> str:
    return f'"{column}"'

"""PostgreSQL: one writer, and eight processes that write at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from time import perf_counter

from benchmarks import floor
from benchmarks.courses import KINDS, LARGE, SMALL, Kind, large
from benchmarks.engines import Bench
from benchmarks.measure import Figure, Run, in_turns, rate
from benchmarks.writing import endless_events, endless_steps, floor_steps
from engine.store import migrate
from engine.store.sql import open_store
from tests.postgres import find_binaries, fresh_database, own_server

WORKERS = 8
WHOLE = len(large("c"))
"""As many steps as a long course has, so that a turn has something of all of it."""
LEAST_ALONE = {SMALL: 1.2, LARGE: 0.6}
LEAST_AT_ONCE = {SMALL: 0.9, LARGE: 0.45}


def figures(run: Run) -> Iterator[Figure]:
    """What writers do on a server of our own, which keeps what it acknowledges."""
    with own_server(find_binaries(), fsync=True) as server, fresh_database(server) as url:
        store = open_store(url)
        migrate.upgrade(store.engine)
        store.close()
        floor.on_postgres(url, make=True).close()
        written = {kind.workflow: floor_steps(kind) for kind in KINDS}
        writer = Writer(url, "alone", written)
        yield from (alone(run, kind, writer) for kind in KINDS)
        with _crew(url, written) as crew:
            yield from (at_once(run, kind, crew) for kind in KINDS)


Written = dict[str, list[floor.Step]]
"""By workflow, what the engine writes for one course."""


class Writer:
    """One process's connections: the engine's and the floor's, each with courses of its own."""

    def __init__(self, url: str, name: str, written: Written) -> None:
        self._bench = Bench(open_store(url))
        self._floor = floor.on_postgres(url)
        self._events = {k.workflow: endless_events(k, f"{name}-{k.workflow}") for k in KINDS}
        self._steps = {w: endless_steps(steps, f"{name}-{w}") for w, steps in written.items()}

    def prepared(self, side: str, workflow: str, count: int) -> Callable[[], None]:
        """So many steps of the engine or of the floor, ready to be done."""
        if side == "engine":
            events = list(islice(self._events[workflow], count))
            return lambda: self._bench.submit(events)
        steps = list(islice(self._steps[workflow], count))
        return lambda: self._floor.write(self._bench.tenant, steps)


def alone(run: Run, kind: Kind, writer: Writer) -> Figure:
    """One process, one event after the other."""
    count = run.of(WHOLE, 50)

    def turn(side: str) -> float:
        return rate(count, writer.prepared(side, kind.workflow, count))

    pair = in_turns(lambda: turn("floor"), lambda: turn("engine"), run.of(6, 2))
    return pair.judged_by_ratio(f"PostgreSQL, serial, {kind.title}", LEAST_ALONE[kind.workflow])


def at_once(run: Run, kind: Kind, crew: Crew) -> Figure:
    """Eight processes, each with courses of its own."""
    count = run.of(WHOLE, 30)

    def turn(side: str) -> float:
        return crew.rate(side, kind.workflow, count)

    pair = in_turns(lambda: turn("floor"), lambda: turn("engine"), run.of(5, 2))
    return pair.judged_by_ratio(
        f"PostgreSQL, {WORKERS} processes, {kind.title}", LEAST_AT_ONCE[kind.workflow]
    )


class Crew:
    """Processes that wait, are told what to do, and begin at the same moment."""

    def __init__(self, pipes: Sequence[Connection], start: Barrier) -> None:
        self._pipes, self._start = pipes, start

    def rate(self, side: str, workflow: str, count: int) -> float:
        """How many steps a second all of them do together, until the last one is done."""
        for pipe in self._pipes:
            pipe.send((side, workflow, count))
        self._start.wait()
        began = perf_counter()
        for pipe in self._pipes:
            pipe.recv()
        return count * len(self._pipes) / (perf_counter() - began)


@contextmanager
def _crew(url: str, written: Written) -> Iterator[Crew]:
    # Forked from a process that has imported everything and opened nothing.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    start = context.Barrier(WORKERS + 1)
    pipes, processes = list[Connection](), []
    for n in range(WORKERS):
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_work, args=(url, f"w{n}", written, theirs, start), daemon=True
        )
        process.start()
        pipes.append(ours)
        processes.append(process)
    try:
        yield Crew(pipes, start)
    finally:
        for pipe in pipes:
            pipe.send(None)
        for process in processes:
            process.join()


def _work(url: str, name: str, written: Written, pipe: Connection, start: Barrier) -> None:
    writer = Writer(url, name, written)
    while (asked := pipe.recv()) is not None:
        work = writer.prepared(*asked)
        start.wait()
        work()
        pipe.send("done")

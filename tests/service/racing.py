"""Workers that start at the same moment, as threads of one process and as processes."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from queue import Queue
from typing import Any, Protocol

from sqlalchemy import text

from engine.core.definition import Timer, Transition, Variable, Workflow
from engine.core.expression import Constant, Now, choose, hours
from engine.store.sql import SqlStore, open_store
from tests.core.tiny import n_of, tiny
from tests.service.bench import Bench
from tests.tenant import HandClock

since, n = Variable(name="since", kind="instant"), n_of("n")
RINGS = 3

BELL: Workflow = tiny(
    variables=[since, n],
    updates={"noted": {"since": Now()}},
    ways=[
        Transition(
            name="rang",
            event="rang",
            sources=("running",),
            updates={"since": Now(), "n": n + 1},
            messages=("rang",),
        )
    ],
    timers=[
        Timer(
            name="bell",
            event="rang",
            due=choose(n < RINGS, since + hours(1), Constant(None)),
            places=("running",),
        )
    ],
)
"""Once something is noted it rings every hour, `RINGS` times in all."""


class Start(Protocol):
    """A barrier, of threads or of processes."""

    def wait(self) -> int: ...

    def abort(self) -> None: ...


class Results(Protocol):
    """A queue, of threads or of processes."""

    def put(self, item: Any, /) -> None: ...

    def get(self, block: bool = True, timeout: float | None = None) -> Any: ...


@dataclass(frozen=True, slots=True)
class Worker:
    """Ticks until nothing is due; with `notes`, it also sends a report to each of the courses."""

    url: str
    tenant: str
    name: str
    now: datetime
    limit: int = 7
    notes: tuple[str, ...] = ()

    def __call__(self, start: Start, results: Results) -> None:
        store = open_store(self.url)
        bench = Bench(store, self.tenant, clock=HandClock(self.now))
        try:
            start.wait()
            fired = 0
            for course in self.notes:
                fired += bench.service.tick(limit=1)
                bench.service.submit(bench.body(course, "told", role="chief", id=self.name))
            while came := bench.service.tick(limit=self.limit):
                fired += came
            results.put(fired)
        except BaseException as error:  # noqa: BLE001  # whatever it is, the test tells
            results.put(repr(error))
            start.abort()
        finally:
            store.close()


Race = Callable[[Sequence[Worker]], list[Any]]


def threads(workers: Sequence[Worker]) -> list[Any]:
    """How many timers each thread let fire, or what went wrong with it."""
    queue: Queue[Any] = Queue()
    start = threading.Barrier(len(workers), timeout=60)
    return _ended([threading.Thread(target=one, args=(start, queue)) for one in workers], queue)


def processes(workers: Sequence[Worker]) -> list[Any]:
    """How many timers each process let fire, or what went wrong with it."""
    context = multiprocessing.get_context("spawn")
    start, queue = context.Barrier(len(workers), timeout=60), context.Queue()
    return _ended([context.Process(target=one, args=(start, queue)) for one in workers], queue)


def _ended(running: Sequence[Any], queue: Results) -> list[Any]:
    for one in running:
        one.start()
    found = [queue.get(timeout=120) for _ in running]
    for one in running:
        one.join()
    return found


def until_it_waits(store: SqlStore) -> None:
    """Until another connection waits for a lock; SQLite cannot be asked, so a moment must do."""
    if store.engine.dialect.name == "sqlite":
        time.sleep(0.3)
        return
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with store.engine.connect() as connection:
            if connection.scalar(waiting):
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")

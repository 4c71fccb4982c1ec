"""Courses looked at by several processes, in their order, with flat memory.

- Each process makes its own worker, with a connection of its own: nothing that is open is shared.
- Few batches are under way at once, so that answers do not pile up before a slow reader of them.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol, TypeVar

_T_co = TypeVar("_T_co", covariant=True)
_T = TypeVar("_T")

BATCH = 8
"""How many courses a process is given at once."""
AHEAD = 3
"""How many batches there are for each process."""


class Worker(Protocol[_T_co]):
    """Answers of one course after the other."""

    def of(self, course: str) -> _T_co:
        """The answer of a course."""

    def close(self) -> None:
        """Let connections go."""


def spread(make: Callable[[], Worker[_T]], courses: Iterable[str], processes: int) -> Iterator[_T]:
    """The answers of a worker that `make` makes, course by course in their order.

    With one process it is made here. `make` can be sent to another one.
    """
    if processes <= 1:
        worker = make()
        try:
            yield from map(worker.of, courses)
        finally:
            worker.close()
        return
    # They take long to import, and who looks at a few courses needs none.
    from concurrent.futures import Future, ProcessPoolExecutor  # noqa: PLC0415  # see above
    from multiprocessing import get_context  # noqa: PLC0415  # see above

    # A process that is forked from one with threads may inherit a lock that nobody will release.
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_settle, initargs=(make,)
    ) as pool:
        batches = _batches(courses)
        waiting: deque[Future[list[_T]]] = deque(
            pool.submit(_answered_here, batch) for batch in islice(batches, processes * AHEAD)
        )
        while waiting:
            answers = waiting.popleft().result()
            waiting.extend(pool.submit(_answered_here, batch) for batch in islice(batches, 1))
            yield from answers


_HERE: list[Worker[Any]] = []
"""The worker of a process that does nothing else."""


def _settle(make: Callable[[], Worker[Any]]) -> None:
    # Whoever stops this means the process that asks: that one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _HERE[:] = [make()]


def _answered_here(courses: Sequence[str]) -> list[Any]:
    return [_HERE[0].of(course) for course in courses]


def _batches(courses: Iterable[str]) -> Iterator[list[str]]:
    left = iter(courses)
    while batch := list(islice(left, BATCH)):
        yield batch

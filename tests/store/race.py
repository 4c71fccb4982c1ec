"""Writers of another process, who start at the same moment."""

from __future__ import annotations

import json
import multiprocessing
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Queue
from typing import Any, Protocol

from engine.errors import Conflict
from engine.ports import Write
from engine.store.sql import open_store
from tests.store.writing import Clinic, definition

ROUNDS = 15


class Start(Protocol):
    """A barrier, of threads or of processes."""

    def wait(self) -> int: ...

    def abort(self) -> None: ...


class Results(Protocol):
    """A queue, of threads or of processes."""

    def put(self, item: Any, /) -> None: ...

    def get(self, block: bool = True, timeout: float | None = None) -> Any: ...


Run = Callable[[Clinic, str, Start], Sequence[str]]
"""What one writer does, as (tenant, its name, the start): how each of its rounds ended."""


@dataclass(frozen=True, slots=True)
class Task:
    """A writer as it is handed to a process."""

    run: Run
    url: str
    tenant: str
    name: str

    def __call__(self, start: Start, results: Results) -> None:
        store = open_store(self.url)
        try:
            results.put((self.name, list(self.run(Clinic(store, self.tenant), self.name, start))))
        except BaseException as error:  # noqa: BLE001  # whatever it is, the test tells
            results.put((self.name, [repr(error)]))
            start.abort()
        finally:
            store.close()


def threads(run: Run, url: str, tenant: str) -> dict[str, list[str]]:
    """How two threads of one process fared against each other."""
    queue: Queue[Any] = Queue()
    start = threading.Barrier(2, timeout=60)
    running = [
        threading.Thread(target=Task(run, url, tenant, name), args=(start, queue))
        for name in ("one", "other")
    ]
    return _finished(running, queue)


def processes(run: Run, url: str, tenant: str) -> dict[str, list[str]]:
    """How two processes fared against each other."""
    context = multiprocessing.get_context("spawn")
    start, queue = context.Barrier(2, timeout=60), context.Queue()
    running = [
        context.Process(target=Task(run, url, tenant, name), args=(start, queue))
        for name in ("one", "other")
    ]
    return _finished(running, queue)


def _finished(running: Sequence[Any], queue: Results) -> dict[str, list[str]]:
    for one in running:
        one.start()
    found = dict(queue.get(timeout=120) for _ in running)
    for one in running:
        one.join()
    return found


# --- what they race for -------------------------------------------------------------------------


def one_version(clinic: Clinic, name: str, start: Start) -> Sequence[str]:
    """Both decide on the same version of a course."""
    return [
        _round(clinic, start, clinic.decision("C-1", n, event_id=f"{name}-{n}"))
        for n in range(2, ROUNDS + 2)
    ]


def one_patient(clinic: Clinic, name: str, start: Start) -> Sequence[str]:
    """Both enrol the same patient."""
    return [
        _round(clinic, start, clinic.decision(f"{name}-{n}", patient=f"P-{n}"))
        for n in range(ROUNDS)
    ]


def one_name(clinic: Clinic, name: str, start: Start) -> Sequence[str]:
    """Both begin a course of the same name."""
    return [
        _round(clinic, start, clinic.decision(f"N-{n}", event_id=name, patient=f"{name}-{n}"))
        for n in range(ROUNDS)
    ]


def one_reopening(clinic: Clinic, name: str, start: Start) -> Sequence[str]:
    """Each has a closed course of the same patient, and both reopen theirs."""
    ends = []
    for n in range(ROUNDS):
        course = {"course": f"R-{name}-{n}", "patient": f"R-{n}"}
        start.wait()
        with clinic.writing() as tx:  # one after the other, for an open one would be in the way
            tx.append(clinic.decision(**course, seq=1, open=False))
        ends.append(_round(clinic, start, clinic.decision(**course, seq=2, open=True)))
    return ends


def one_event(clinic: Clinic, name: str, start: Start) -> Sequence[str]:
    """Both send the same event, and again when they lose."""
    ends = []
    for n in range(ROUNDS):
        start.wait()
        end = _sent(clinic, f"event-{n}")
        ends.append(_sent(clinic, f"event-{n}") if end == "retriable" else end)
    return ends


def no_increment_lost(clinic: Clinic, name: str, start: Start) -> Sequence[str]:
    """Both move a course as often as they can."""
    start.wait()
    return [_sent(clinic, f"{name}-{n}") for n in range(ROUNDS * 2)]


def one_definition(clinic: Clinic, name: str, start: Start) -> Sequence[str]:
    """Both store the same definition."""
    for n in range(ROUNDS):
        start.wait()
        with clinic.writing() as tx:
            tx.define(definition(f"workflow-{n}"))
    return ["won"] * ROUNDS


def _round(clinic: Clinic, start: Start, write: Write) -> str:
    start.wait()
    try:
        with clinic.writing() as tx:
            tx.append(write)
    except Conflict as lost:
        return "retriable" if lost.retriable else "final"
    return "won"


def _sent(clinic: Clinic, event_id: str) -> str:
    try:
        with clinic.writing() as tx:
            head = tx.head("C-1", event_id)
            assert head is not None
            if head.known is not None:
                return "known"
            seq = json.loads(head.row)["seq"]
            tx.append(clinic.decision("C-1", seq + 1, event_id=event_id))
    except Conflict as lost:
        return "retriable" if lost.retriable else "final"
    return "won"

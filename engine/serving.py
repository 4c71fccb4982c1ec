"""The HTTP service put together: its office, a worker beside it, and how they end."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from engine import packages
from engine.bootstrap import Services, SystemClock, engine_version, request_name
from engine.web.app import create_app
from engine.web.health import Readiness
from engine.web.limits import Rates
from engine.web.loopback import LoopbackGate
from engine.web.office import Gate, Office
from engine.web.operation import Operation
from engine.web.server import AT_ONCE, Server
from engine.worker import Worker

log = structlog.get_logger("regimen")

STUCK = 60.0
"""Seconds without a finished round after which a worker is taken to be stuck."""


def open_office(services: Services) -> Office:
    """An office that is open to whoever sits at this machine, and to nobody else."""
    return _office(services, LoopbackGate(services.settings.tenant))


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """How a service ended: by which signal, and whether everything in hand was finished."""

    signal: str | None
    finished: bool


def serve(
    services: Services,
    office: Office,
    listener: socket.socket,
    *,
    interval: float | None,
    up: Callable[[], None],
) -> Served:
    """Serve until a signal comes; then what was accepted is finished, within the grace.

    With an `interval` a worker looks at the timers again after so many seconds.
    The connections to the database are left open: others may wait for them.
    """
    worker = None if interval is None else Worker(services.jobs, interval=interval)
    bounds = services.settings.traffic
    readiness = Readiness(lambda: _needs(services, worker))
    operation = Operation(bounds=bounds, readiness=readiness, name=request_name)
    app = create_app(office, version=engine_version(), operation=operation)
    told = _Told(worker, readiness)
    server = Server(app, grace=bounds.grace, up=up, told=told.now)
    if worker is not None:
        worker.start()
    try:
        server.serve_on(listener)
    finally:
        readiness.close()
        told.now()
    ends = max(told.at + bounds.grace, time.monotonic() + 1)
    finished = worker is None or worker.ended(ends - time.monotonic())
    finished = _idle(ends) and finished
    return Served(signal=server.signal.name if server.signal else None, finished=finished)


def leave_at_once() -> None:
    """End the process though a thread still works: Python would wait for it for ever."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(AT_ONCE)


class _Told:
    """Passes on, once, that it is time to stop; in a handler of signals, so that it only notes."""

    def __init__(self, worker: Worker | None, readiness: Readiness) -> None:
        self._worker = worker
        self._readiness = readiness
        self.at = 0.0

    def now(self) -> None:
        self.at = self.at or time.monotonic()
        self._readiness.leaving = True
        if self._worker is not None:
            self._worker.tell()


def _office(services: Services, gate: Gate) -> Office:
    settings = services.settings
    return Office(
        services=services.of,
        workflows=packages.workflows_of(settings.workflows),
        gate=gate,
        now=SystemClock().now,
        rates=Rates(settings.traffic.rate),
    )


def _needs(services: Services, worker: Worker | None) -> Mapping[str, bool]:
    """What a process needs to answer requests, and whether it has it."""
    sound = services.operation.soundness()
    needs = {"database": sound.database, "migrations": sound.migrations, "guards": sound.guards}
    # While the database is away the worker waits for it, as it should.
    if worker is not None:
        needs["worker"] = not sound.database or worker.idle() < STUCK
    return needs


def _idle(ends: float) -> bool:
    """Whether no thread answers any more a request that nobody waits for."""
    threads = [one for one in threading.enumerate() if one.name.startswith("AnyIO worker")]
    for one in threads:
        one.join(max(ends - time.monotonic(), 0))
    return not any(one.is_alive() for one in threads)

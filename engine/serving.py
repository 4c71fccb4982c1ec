"""The HTTP service put together: its office, a worker beside it, and how they end."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from typing import Protocol

from starlette.types import ASGIApp

from engine import packages
from engine.bootstrap import (
    SystemClock,
    access,
    calendars,
    canaries,
    engine_version,
    feed,
    guard_reports,
    ledger,
    privacy,
    request_name,
    reviews,
    sites,
    told,
    verifications,
    webhooks,
    worklists,
)
from engine.core.definition import Workflow
from engine.errors import InvalidInput, StoreUnavailable
from engine.logs import log
from engine.settings import Settings
from engine.tenants import Services
from engine.watching import Watch
from engine.web.app import create_app
from engine.web.gate import BearerGate
from engine.web.health import Readiness
from engine.web.limits import Rates
from engine.web.loopback import LoopbackGate
from engine.web.metrics import Metrics, Waits
from engine.web.office import Exchange, Gate, Office
from engine.web.operation import Operation
from engine.web.server import AT_ONCE, Server
from engine.web.streams import Streams
from engine.worker import Worker

STUCK = 60.0
"""Seconds without a finished round after which a worker is taken to be stuck."""


class Premises:
    """What one process serves with: the use cases, and who looks on. Close them at the end.

    Raises StoreUnavailable when the database cannot be used or is not migrated.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics(backlog=self._backlog, now=SystemClock().now)
        self.traces = None if settings.traffic.traces is None else _traces(settings.traffic.traces)
        try:
            self.services = Services(settings, watch=_Lookers(self.metrics, self.traces))
        except BaseException:
            self._close_traces()
            raise
        try:
            self.access = access(settings, self.services.store)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the connections go, and send what is left to send."""
        self.services.close()
        self._close_traces()

    def settle(self) -> None:
        """Write what was only counted; a database that is away keeps nobody from ending."""
        try:
            self.access.log.flush()
        except StoreUnavailable as error:
            log.warning("access_log_not_settled", why=error.why)

    def _backlog(self, now: datetime) -> Waits:
        return self.services.operation.backlog(now)

    def _close_traces(self) -> None:
        if self.traces is not None:
            self.traces.close()


def open_office(premises: Premises) -> Office:
    """An office that is open to whoever sits at this machine, and to nobody else."""
    roles = {role for one in _workflows(premises) for role in one.roles}
    return _office(premises, LoopbackGate(premises.settings.tenant, roles))


def guarded_office(premises: Premises) -> Office:
    """An office that asks everybody for a token."""
    return _office(premises, BearerGate(premises.access.gate))


def is_new(premises: Premises) -> bool:
    """Whether nobody could come in: no token was made, and no identity provider is named."""
    tokens = premises.access.tokens.list(premises.settings.tenant, limit=1)
    return not tokens and premises.settings.oidc is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """How a service ended: by which signal, and whether everything in hand was finished."""

    signal: str | None
    finished: bool


def serve(
    premises: Premises,
    office: Office,
    listener: socket.socket,
    *,
    interval: float | None,
    up: Callable[[], None],
) -> Served:
    """Serve until a signal comes; then what was accepted is finished, within the grace.

    With an `interval` a worker looks at the timers again after so many seconds, others at
    what is to be sent, at what is to be sealed, and at which definitions are to be exercised.
    The connections to the database are left open: others may wait for them.
    """
    services = premises.services
    worker = None if interval is None else Worker(services.jobs, interval=interval)
    # Apart, so that an endpoint that does not answer keeps no timer waiting.
    postman = None if interval is None else Worker(services.deliveries, interval=interval)
    sealer = None if interval is None else Worker(services.sealing, interval=interval)
    examiner = None if interval is None else Worker(services.exercise, interval=interval)
    workers = [one for one in (worker, postman, sealer, examiner) if one is not None]
    bounds = services.settings.traffic
    readiness = Readiness(lambda: _needs(services, worker))
    operation = Operation(
        bounds=bounds,
        readiness=readiness,
        metrics=premises.metrics,
        around=None if premises.traces is None else premises.traces.around,
        name=request_name,
    )
    app = create_app(office, version=engine_version(), operation=operation)
    told = _Told(workers, readiness, office.streams)
    server = Server(app, grace=bounds.grace, up=up, told=told.now)
    for one in workers:
        one.start()
    try:
        server.serve_on(listener)
    finally:
        readiness.close()
        told.now()
    ends = max(told.at + bounds.grace, time.monotonic() + 1)
    finished = all(one.ended(ends - time.monotonic()) for one in workers)
    finished = _idle(ends) and finished
    premises.settle()
    return Served(signal=server.signal.name if server.signal else None, finished=finished)


def leave_at_once() -> None:
    """End the process though a thread still works: Python would wait for it for ever."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(AT_ONCE)


class Traces(Watch, Protocol):
    """Spans of requests and use cases; what makes them comes with an extra."""

    def around(self, app: ASGIApp) -> ASGIApp: ...
    def close(self) -> None: ...


class _Told:
    """Passes on, once, that it is time to stop; in a handler of signals, so that it only notes."""

    def __init__(self, workers: Sequence[Worker], readiness: Readiness, streams: Streams) -> None:
        self._workers = workers
        self._readiness = readiness
        self._streams = streams
        self.at = 0.0

    def now(self) -> None:
        self.at = self.at or time.monotonic()
        self._readiness.leaving = True
        self._streams.ending = True
        for one in self._workers:
            one.tell()


class _Lookers:
    """Passes on to each of those who look on."""

    def __init__(self, metrics: Metrics, traces: Watch | None) -> None:
        self._metrics = metrics
        self._traces = traces

    def doing(self, use_case: str) -> AbstractContextManager[object]:
        return (self._traces or self._metrics).doing(use_case)

    def decided(self, verdict: str) -> None:
        self._metrics.decided(verdict)


def _traces(url: str) -> Traces:
    if find_spec("opentelemetry.exporter.otlp.proto.http") is None:
        raise InvalidInput("REGIMEN_TRACES", "regimen-engine[telemetry], which is not installed")
    from engine.web import traces  # noqa: PLC0415  # an extra brings its library

    return traces.Traces(traces.sending_to(url, engine_version()))


def _office(premises: Premises, gate: Gate) -> Office:
    settings, services = premises.settings, premises.services
    shared = calendars(settings, services.store, services.of)
    return Office(
        services=premises.services.of,
        sites=lambda tenant: sites(premises.services.of(tenant)),
        worklists=lambda tenant: worklists(premises.services.of(tenant)),
        reviews=lambda tenant: reviews(premises.services.of(tenant)),
        workflows=_workflows(premises),
        gate=gate,
        now=SystemClock().now,
        access=premises.access,
        ledgers=lambda tenant: ledger(settings, services.of(tenant)),
        canaries=lambda tenant: canaries(settings, services.of(tenant)),
        guards=lambda tenant: guard_reports(settings, services.of(tenant)),
        verifications=lambda tenant: verifications(settings, services.of(tenant)),
        feeds=lambda tenant: feed(services.of(tenant)),
        webhooks=lambda tenant: webhooks(settings, services.of(tenant)),
        calendars=shared,
        privacy=lambda tenant: privacy(services.of(tenant)),
        exchange=Exchange(places=shared.store.places, told=told(services.store)),
        rates=Rates(settings.traffic.rate, strangers=settings.traffic.strangers),
    )


def _workflows(premises: Premises) -> tuple[Workflow, ...]:
    return packages.workflows_of(premises.settings.workflows)


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

"""Figures for Prometheus: how many, how fast, and how much waits. No course is in them.

Counters are those of this process; what waits is asked of the database, for every tenant together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from engine.errors import StoreUnavailable
from engine.permission import Action
from engine.web.callers import Desk, Need

router = APIRouter(include_in_schema=False)

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
Reader = Annotated[Desk, Depends(Need(Action.READ_METRICS))]


class Waits(Protocol):
    """How much waits in the database."""

    @property
    def timers_overdue(self) -> int: ...
    @property
    def overdue_since(self) -> datetime | None: ...
    @property
    def messages_waiting(self) -> int: ...
    @property
    def deliveries_waiting(self) -> int: ...
    @property
    def dead_letters(self) -> int: ...
    @property
    def canaries_unsound(self) -> int: ...
    @property
    def canary_at(self) -> datetime | None: ...
    @property
    def canaries_stopped(self) -> int: ...
    @property
    def guard_alarms(self) -> int: ...
    @property
    def guards_at(self) -> datetime | None: ...


class Metrics:
    """Counts requests and decisions, and asks what waits when it is read."""

    def __init__(
        self,
        *,
        backlog: Callable[[datetime], Waits],
        now: Callable[[], datetime],
    ) -> None:
        self._registry = CollectorRegistry()
        self._backlog = backlog
        self._now = now
        self._requests = Counter(
            "regimen_http_requests", "Requests that were answered.",
            ("method", "route", "status"), registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "regimen_http_request_seconds", "How long an answer took.",
            ("method", "route"), buckets=SECONDS, registry=self._registry,
        )  # fmt: skip
        self._decisions = Counter(
            "regimen_decisions", "Decisions that were recorded, those on timers included.",
            ("verdict",), registry=self._registry,
        )  # fmt: skip
        self._unscrubbed = Counter(
            "regimen_erasures_unscrubbed", "Erasures after which bytes may be left in the files.",
            registry=self._registry,
        )  # fmt: skip
        self._registry.register(self)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def doing(self, use_case: str) -> AbstractContextManager[object]:  # noqa: ARG002  # not counted
        return nullcontext()

    def decided(self, verdict: str) -> None:
        """A decision was recorded."""
        self._decisions.labels(verdict).inc()

    def unscrubbed(self) -> None:
        """An erasure left bytes that only writing the file anew gets rid of."""
        self._unscrubbed.inc()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What waits; without a database only that it does not answer."""
        now = self._now()
        try:
            found = self._backlog(now)
        except StoreUnavailable:
            yield GaugeMetricFamily("regimen_database_up", "1 when it answers.", 0)
            return
        lag = 0.0 if found.overdue_since is None else (now - found.overdue_since).total_seconds()
        yield GaugeMetricFamily("regimen_database_up", "1 when it answers.", 1)
        yield GaugeMetricFamily(
            "regimen_timers_overdue", "Timers that did not come back yet.", found.timers_overdue
        )
        yield GaugeMetricFamily(
            "regimen_timers_lag_seconds", "How long the first of them is overdue.", max(lag, 0)
        )
        yield GaugeMetricFamily(
            "regimen_messages_waiting", "Messages without a place in the feed yet.",
            found.messages_waiting,
        )  # fmt: skip
        yield GaugeMetricFamily(
            "regimen_deliveries_waiting", "Webhooks to be sent.", found.deliveries_waiting
        )
        yield GaugeMetricFamily(
            "regimen_dead_letters", "Webhooks that were given up.", found.dead_letters
        )
        yield GaugeMetricFamily(
            "regimen_canaries_unsound",
            "Definitions that did not act as expected when last exercised.",
            found.canaries_unsound,
        )
        yield GaugeMetricFamily(
            "regimen_canaries_stopped",
            "Definitions of open courses that were not exercised for more than a week.",
            found.canaries_stopped,
        )
        yield GaugeMetricFamily(
            "regimen_guards_silent", "Rules that have stopped firing, when last counted.",
            found.guard_alarms,
        )  # fmt: skip
        if found.guards_at is not None:
            yield GaugeMetricFamily(
                "regimen_guards_age_seconds",
                "How long ago guards were counted, of the tenant where it is longest.",
                max((now - found.guards_at).total_seconds(), 0),
            )
        if found.canary_at is not None:
            yield GaugeMetricFamily(
                "regimen_canary_age_seconds",
                "How long ago any definition was exercised.",
                max((now - found.canary_at).total_seconds(), 0),
            )

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing: else the database would be asked when this is made."""
        return iter(())

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)


@router.get("/metrics")
def metrics(request: Request, desk: Reader) -> Response:  # noqa: ARG001  # who may read it
    """The figures of this process."""
    found: Metrics = request.app.state.operation.metrics
    return Response(found.text(), media_type=CONTENT_TYPE_LATEST)

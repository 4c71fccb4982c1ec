"""The engine as a host would have it: a service on a store, with a clock that follows the events.

Log lines are filtered out, for the floor writes none either.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import count

import structlog

from benchmarks.courses import BEGIN, Body
from engine.core.encoding import instant_from
from engine.core.record import Record
from engine.errors import RegimenError
from engine.ports import Store
from engine.registry import Registry
from engine.service import Service
from engine.store.memory import MemoryStore
from engine.submission import Setting
from engine.zones import Zones
from workflows import ALL

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


class Following:
    """A clock that is set to the time of each event."""

    def __init__(self) -> None:
        self.at = BEGIN

    def now(self) -> datetime:
        return self.at


Timed = tuple[Body, datetime]


def timed(bodies: Iterable[Body]) -> list[Timed]:
    """The events with their times, so that reading them is no part of what is measured."""
    return [(body, instant_from(body["at"])) for body in bodies]


class Bench:
    """One tenant's service on a store, with both workflows installed."""

    def __init__(self, store: Store, tenant: str = "bench") -> None:
        self.store, self.tenant = store, tenant
        self.clock = Following()
        self.registry = Registry()
        with store.transaction(tenant) as tx:
            self.registry.install(ALL, tx)
        salts = count()
        self.service = Service(
            store,
            Setting(
                tenant=tenant,
                registry=self.registry,
                clock=self.clock,
                calendars=Zones(),
                salt=lambda: f"{next(salts):032x}",
                version="bench",
            ),
        )

    def submit(self, events: Iterable[Timed]) -> None:
        """One transaction each."""
        submit, clock = self.service.submit, self.clock
        for body, at in events:
            clock.at = at
            submit(body)

    def submit_many(self, batches: Iterable[Sequence[Timed]]) -> None:
        """Each batch in one transaction. Raises what is wrong with one of its events."""
        for batch in batches:
            self.clock.at = max(at for _, at in batch)
            for answer in self.service.submit_many([body for body, _ in batch]):
                if isinstance(answer, RegimenError):
                    raise answer


def recorded(bodies: Iterable[Body]) -> list[Record]:
    """The records of one course, decided in memory."""
    bench = Bench(MemoryStore())
    events = timed(bodies)
    bench.submit(events)
    return bench.service.records(events[0][0]["course"])

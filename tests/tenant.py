"""What test houses stand on: a tenant's service on a store, and a clock that the test sets."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.bootstrap import SystemClock
from engine.core.definition import Workflow
from engine.ports import Clock, Store
from engine.registry import Registry
from engine.service import Service
from engine.submission import Setting
from engine.zones import Zones

VERSION = "test"
"""The engine that the records of such a service name."""


@dataclass
class HandClock:
    """Shows what it is set to; unlike time, it can be set back."""

    time: datetime

    def now(self) -> datetime:
        return self.time

    def advance(self, **span: float) -> None:
        self.time += timedelta(**span)


def tenant_service(
    store: Store,
    tenant: str,
    *workflows: Workflow,
    registry: Registry | None = None,
    clock: Clock | None = None,
) -> Service:
    """A tenant's service, with workflows of which courses may begin; its salts are counted."""
    known, salts = registry or Registry(), itertools.count(1)
    if workflows:
        with store.transaction(tenant) as tx:
            known.install(workflows, tx)
    setting = Setting(
        tenant=tenant,
        registry=known,
        clock=clock or SystemClock(),
        calendars=Zones(),
        salt=lambda: f"{next(salts):032x}",
        version=VERSION,
    )
    return Service(store, setting)

"""The service in this process, on each database; callers are whom the test says."""

from __future__ import annotations

import itertools
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from engine import bootstrap
from engine.access_log import AccessLog
from engine.calendars import SharedCalendars
from engine.client import Client
from engine.clinic import Sites
from engine.core.definition import Workflow
from engine.feed import Feed
from engine.registry import Registry
from engine.store import migrate
from engine.store.access import SqlAccess
from engine.store.calendars import SqlCalendars
from engine.store.deliveries import SqlDeliveries
from engine.store.feed import SqlFeed
from engine.store.sites import SqlSites
from engine.store.sql import SqlStore, open_store
from engine.store.told import SqlTold
from engine.store.webhooks import SqlWebhooks
from engine.store.worklist import SqlLists
from engine.web.app import create_app
from engine.web.limits import Rates
from engine.web.loopback import LoopbackGate
from engine.web.office import Exchange, Office
from engine.webhooks.addresses import Guard
from engine.webhooks.endpoints import Webhooks
from engine.webhooks.sender import HttpSender
from engine.worklist import Worklists
from engine.zones import Zones
from tests.postgres import Server, fresh_database
from tests.tenant import HandClock, tenant_service
from workflows import instrument_calibration

NOW = datetime(2026, 3, 2, 16, tzinfo=UTC)
OFFERED = (instrument_calibration.WORKFLOW,)
numbers = itertools.count(1)


@dataclass
class House:
    """A service with everything that it stands on, and a client of it."""

    store: SqlStore
    tenant: str
    clock: HandClock = field(default_factory=lambda: HandClock(NOW))
    offered: tuple[Workflow, ...] = OFFERED

    def __post_init__(self) -> None:
        self.access_log = AccessLog(
            SqlAccess(self.store),
            clock=self.clock,
            identity=lambda: f"row-{next(numbers)}",
            tenant=self.tenant,
        )
        self.service = tenant_service(self.store, self.tenant, *self.offered, clock=self.clock)
        self.registry = self.service.setting.registry
        self.feed = Feed(store=SqlFeed(self.store), tenant=self.tenant, clock=self.clock)
        guard = Guard(allowed=(ip_network("127.0.0.0/8"),))
        self.sender = HttpSender(guard, seconds=10)
        self.webhooks = Webhooks(
            store=SqlWebhooks(self.store),
            deliveries=SqlDeliveries(self.store),
            feed=self.feed,
            clock=self.clock,
            guard=guard,
            sender=self.sender,
            chance=secrets.token_bytes,
        )
        self.office = Office(
            services=lambda _: self.service,
            sites=lambda _: bootstrap.sites(self.service),
            worklists=lambda _: bootstrap.worklists(self.service),
            reviews=lambda _: bootstrap.reviews(self.service),
            feeds=lambda _: self.feed,
            webhooks=lambda _: self.webhooks,
            workflows=self.offered,
            gate=LoopbackGate(self.tenant),
            now=self.clock.now,
            rates=Rates(10**6),
            calendars=calendars_of(self.store, self.access_log, self.clock),
            exchange=exchange_of(self.store),
            privacy=lambda _: bootstrap.privacy(self.service),
        )
        self.app: FastAPI = create_app(self.office, version="test")
        self.client = TestClient(
            self.app, client=("127.0.0.1", 50000), raise_server_exceptions=False
        )
        self.ids = itertools.count(1)

    def caller(self, **more: Any) -> Client:
        """The Python client of this service; each of its calls is answered in this process."""
        return Client("http://testserver", transport=self.client._transport, **more)

    def event(self, name: str, *, at: datetime | None = None, **more: Any) -> dict[str, Any]:
        """The body of an event of the instrument, without its course."""
        return {
            "format": 1,
            "id": f"e{next(self.ids)}",
            "event": name,
            "at": (at or self.clock.now()).isoformat(),
            "actor": {"id": "somebody", "role": "technician"},
            **more,
        }

    def enrolled(self, course: str = "I-1", **more: Any) -> str:
        """A course of the instrument."""
        body = self.event(
            "course.enrolled",
            course=course,
            workflow="instrument_calibration",
            patient=f"of {course}".replace(" ", "-"),
            site="north",
            zone="America/Los_Angeles",
        )
        answer = self.client.post("/v1/courses", json=body | more)
        assert answer.status_code == 201, answer.text
        return course


def sites_of(store: SqlStore, tenant: str, clock: HandClock) -> Sites:
    """The opening days of a tenant's sites."""
    return Sites(store=SqlSites(store), tenant=tenant, clock=clock, calendars=Zones())


def worklists_of(store: SqlStore, tenant: str, clock: HandClock) -> Worklists:
    """A tenant's worklists."""
    return Worklists(
        lists=SqlLists(store), tenant=tenant, clock=clock, calendars=Zones(), registry=Registry()
    )


def calendars_of(store: SqlStore, log: AccessLog, clock: HandClock) -> SharedCalendars:
    """Shared calendars as the service makes them."""
    return SharedCalendars(
        store=SqlCalendars(store),
        denials=log,
        clock=clock,
        lists=lambda tenant: worklists_of(store, tenant, clock),
        sites=lambda tenant: sites_of(store, tenant, clock),
        random=lambda size: sha256(b"%d" % next(numbers)).digest()[:size],
    )


def exchange_of(store: SqlStore) -> Exchange:
    """What FHIR rests on."""
    return Exchange(places=SqlCalendars(store).places, told=SqlTold(store))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy."""
    path = tmp_path_factory.mktemp("template") / "courses.db"
    store = open_store(f"sqlite:///{path}")
    migrate.upgrade(store.engine)
    store.close()
    return path


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SqlStore]:
    """A migrated database of this module's own, of each kind."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("web") / "courses.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        store = open_store(f"sqlite:///{path}")
        yield store
        store.close()
        return
    server: Server = request.getfixturevalue("postgres_server")
    with fresh_database(server) as url:
        store = open_store(url)
        migrate.upgrade(store.engine)
        yield store
        store.close()


@pytest.fixture
def house(database: SqlStore) -> House:
    """A tenant of the module's database, and the service on it."""
    return House(database, f"clinic-{next(numbers)}")

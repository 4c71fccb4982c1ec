"""The service behind its real gate, with two tenants, and every route that it has."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import ip_network
from typing import Any

import httpx2
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from sqlalchemy import text
from starlette.testclient import TestClient

from engine import bootstrap
from engine.access import Access, Gate, Identifies, Tokens, operator
from engine.access_log import AccessLog
from engine.bootstrap import feed, webhooks
from engine.log_entry import Entry, Logged
from engine.permission import Action, Role
from engine.service import Service
from engine.settings import Settings
from engine.store.access import SqlAccess
from engine.store.operation import SqlOperation
from engine.store.sql import SqlStore
from engine.store.tables import metadata
from engine.web.app import create_app
from engine.web.callers import Need
from engine.web.gate import BearerGate
from engine.web.limits import Rates
from engine.web.metrics import Metrics
from engine.web.office import Office
from engine.web.operation import Operation
from engine.web.streams import Streams
from tests.tenant import HandClock, tenant_service
from tests.web.conftest import NOW, calendars_of, exchange_of
from workflows import ALL

COURSE, PATIENT = "HOME-COURSE", "HOME-PATIENT"
"""What nobody else may see."""
ACTOR = {"id": "somebody", "role": "clinician"}

OPEN = {
    *("/v1/openapi.json", "/docs", "/v1/problems", "/v1/problems/{name}"),
    *("/health/live", "/health/ready"),
    *("/", "/sign-in", "/sign-out", "/assets/{digest}/{name}"),
    "/v1/calendars/{key}.ics",  # whoever has the secret, which is part of the path
}
"""The routes that anybody may ask: they tell nothing of anybody."""


HERE = replace(Settings(), webhook_allow=(ip_network("127.0.0.0/8"),))
HOOKS = "http://127.0.0.1:9/hooks"
"""Where nobody listens."""


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path, and what its caller needs; `None` for one without a permission."""

    method: str
    path: str
    action: Action | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def routes(app: FastAPI) -> list[Route]:
    """Every route of an application, however it was added."""
    found = []
    for context in iter_route_contexts(app.routes):
        route = context._effective_route
        needs = {need.action for need in _needs(getattr(route, "dependant", None))}
        assert len(needs) <= 1, f"{context.path} needs {needs}"
        action = next(iter(needs), None)
        methods = (getattr(route, "methods", None) or {"GET"}) - {"HEAD"}
        found += [Route(method, context.path or "?", action) for method in sorted(methods)]
    return found


def _needs(dependant: Dependant | None) -> Iterator[Need]:
    for one in () if dependant is None else dependant.dependencies:
        if isinstance(one.call, Need):
            yield one.call
        yield from _needs(one)


@dataclass
class Doors:
    """A tenant, another one, and a client for each token."""

    store: SqlStore
    tenant: str
    provider: Identifies | None = None
    clock: HandClock = field(default_factory=lambda: HandClock(NOW))
    victim: str = ""
    endpoint: str = ""
    calendar: str = ""
    began: datetime | None = None

    def __post_init__(self) -> None:
        self.other = f"{self.tenant}-other"
        self.services = {name: self._service(name) for name in (self.tenant, self.other)}
        kept = SqlAccess(self.store)
        ids = itertools.count(1)
        self.log = AccessLog(
            kept, clock=self.clock, identity=lambda: f"{next(ids):08}", tenant=self.tenant
        )
        tokens = Tokens(kept, self.log, clock=self.clock, random=secrets.token_bytes)
        gate = Gate(tokens, self.log, provider=self.provider)
        self.access = Access(tokens=tokens, log=self.log, gate=gate)
        self.calendars = calendars_of(self.store, self.log, self.clock)
        office = Office(
            services=self.services.__getitem__,
            sites=lambda tenant: bootstrap.sites(self.services[tenant]),
            worklists=lambda tenant: bootstrap.worklists(self.services[tenant]),
            reviews=lambda tenant: bootstrap.reviews(self.services[tenant]),
            feeds=lambda tenant: feed(self.services[tenant]),
            webhooks=lambda tenant: webhooks(HERE, self.services[tenant]),
            streams=Streams(looks=1, seconds=0),
            workflows=ALL,
            gate=BearerGate(gate),
            now=self.clock.now,
            access=self.access,
            rates=Rates(10**6, strangers=10**6),  # what is tried here is all tried at once
            calendars=self.calendars,
            exchange=exchange_of(self.store),
            privacy=lambda tenant: bootstrap.privacy(self.services[tenant]),
        )
        metrics = Metrics(backlog=SqlOperation(self.store).backlog, now=self.clock.now)
        operation = Operation(metrics=metrics)
        self.app = create_app(office, version="test", operation=operation)
        self.routes = routes(self.app)
        self.client = TestClient(self.app, raise_server_exceptions=False)
        self.numbers = itertools.count(1)

    def token(self, *roles: Role, tenant: str | None = None, **choices: Any) -> str:
        """The text of a new token; a service's may claim every role of the workflows."""
        acting = sorted({role for one in ALL for role in one.roles})
        if Role.SERVICE in roles:
            choices.setdefault("actor_roles", acting)
        who = operator(tenant or self.tenant)
        return self.access.tokens.create(who, name="test", roles=roles, **choices).text

    def shared(self) -> str:
        """The id of a new calendar of the north site."""
        asked = {"scope": "site", "subject": "north"}
        return self.calendars.share(operator(self.tenant), asked).shared.id

    def ask(
        self, token: str | None, method: str, path: str, body: Any = None, **more: Any
    ) -> httpx2.Response:
        """The answer to a request with a token."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        headers |= more.pop("headers", {})
        sent = {"json": {} if body is None else body} if method in ("POST", "PUT", "PATCH") else {}
        return self.client.request(method, path, headers=headers, **sent, **more)

    def event(self, name: str, **more: Any) -> dict[str, Any]:
        """The body of an event."""
        at = self.clock.now().isoformat()
        own = {"format": 1, "id": f"e{next(self.numbers)}", "event": name, "at": at}
        return {**own, "actor": ACTOR, **more}

    def enrolment(self, course: str, **more: Any) -> dict[str, Any]:
        place = {"patient": PATIENT, "site": "north", "zone": "America/Los_Angeles"}
        more = {"workflow": "intralesional_il2", **place, **more}
        return self.event("course.enrolled", course=course, **more)

    def denials(self) -> list[Entry]:
        found = self.log.entries(self.tenant, since=self.began, limit=10_000)
        return [entry for entry in found if entry.action is Logged.DENIED]

    def stored(self, *, without: tuple[str, ...] = ()) -> Mapping[str, list[str]]:
        """Every row that the tenant has."""
        left = [t for t in metadata.sorted_tables if t.name not in without]
        with self.store.engine.begin() as connection:
            return {
                table.name: sorted(
                    str(tuple(row))
                    for row in connection.execute(
                        text(f"SELECT * FROM {table.name} WHERE tenant = :t"), {"t": self.tenant}
                    )
                )
                for table in left
            }

    def _service(self, tenant: str) -> Service:
        return tenant_service(self.store, tenant, *ALL, clock=self.clock)

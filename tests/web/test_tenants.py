"""Two tenants of one service: what one has stored is no definition for the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from engine.access import operator
from engine.errors import UnknownWorkflow
from engine.permission import Role
from engine.serving import Premises, guarded_office
from engine.settings import Settings
from engine.store.sql import SqlStore
from engine.web.app import create_app
from tests.web.conftest import numbers
from workflows import instrument_calibration

PRIVATE = replace(instrument_calibration.WORKFLOW, name="private_method", version="7")
ENROLMENT = {
    "format": 1, "id": "e1", "course": "C-1", "event": "course.enrolled",
    "at": "2026-03-02T08:00:00-08:00", "actor": {"id": "m-1", "role": "metrologist"},
    "patient": "P-1", "site": "north", "zone": "America/Los_Angeles",
}  # fmt: skip


class World:
    """A service as it is served, with a workflow that only the one tenant has."""

    def __init__(self, url: str) -> None:
        self.one, self.other = (f"{name}-{next(numbers)}" for name in ("one", "other"))
        self.premises = Premises(Settings(database_url=url, tenant=self.one))
        services = self.premises.services
        self.registry = services.of(self.one).setting.registry
        with services.store.transaction(self.one) as tx:
            (self.digest,) = self.registry.install([PRIVATE], tx)
        self.client = TestClient(create_app(guarded_office(self.premises), version="test"))

    def ask(self, tenant: str, method: str, path: str, body: Any = None) -> Any:
        who = operator(tenant)
        token = self.premises.access.tokens.create(
            who, name="backend", roles=[Role.SERVICE], actor_roles=["metrologist"]
        )
        sent = {} if body is None else {"json": body}
        headers = {"Authorization": f"Bearer {token.text}"}
        return self.client.request(method, path, headers=headers, **sent)


@pytest.fixture
def world(database: SqlStore) -> Iterator[World]:
    world = World(database.engine.url.render_as_string(hide_password=False))
    yield world
    world.premises.close()


@pytest.fixture(params=["name", "label", "digest"])
def named(request: pytest.FixtureRequest, world: World) -> str:
    names = {"name": PRIVATE.name, "label": PRIVATE.label, "digest": world.digest}
    return names[request.param]


def test_a_tenant_sees_and_uses_what_it_has(world: World, named: str):
    assert world.ask(world.one, "GET", f"/v1/workflows/{named}").status_code == 200
    began = world.ask(world.one, "POST", "/v1/courses", {**ENROLMENT, "workflow": named})

    assert began.status_code == 201, began.text


def test_another_tenant_neither_sees_it_nor_begins_a_course_of_it(world: World, named: str):
    """Also once it is compiled in this process."""
    test_a_tenant_sees_and_uses_what_it_has(world, named)
    listed = world.ask(world.other, "GET", "/v1/workflows").json()["workflows"]
    shown = world.ask(world.other, "GET", f"/v1/workflows/{named}")
    schema = world.ask(world.other, "GET", f"/v1/workflows/{named}/events/measurement_recorded")
    began = world.ask(world.other, "POST", "/v1/courses", {**ENROLMENT, "workflow": named})

    assert PRIVATE.name not in [one["name"] for one in listed]
    assert (shown.status_code, schema.status_code) == (404, 404)
    assert (began.status_code, began.json()["type"]) == (422, "/v1/problems/unknown-workflow")
    assert PRIVATE.title not in shown.text + schema.text + began.text
    assert world.ask(world.other, "GET", "/v1/courses/C-1").status_code == 404


def test_each_tenant_has_a_registry_of_its_own(world: World):
    other = world.premises.services.of(world.other)

    assert other.setting.registry is not world.registry
    with (
        world.premises.services.store.transaction(world.other, write=False) as tx,
        pytest.raises(UnknownWorkflow),
    ):
        other.setting.registry.machine(world.digest, tx)


def test_a_registry_that_a_host_lends_to_another_tenant_shows_it_nothing(world: World):
    """What was compiled for the one must be stored for the other, too."""
    with world.premises.services.store.transaction(world.one, write=False) as tx:
        world.registry.machine(world.digest, tx)
    with (
        world.premises.services.store.transaction(world.other, write=False) as tx,
        pytest.raises(UnknownWorkflow),
    ):
        world.registry.machine(world.digest, tx)

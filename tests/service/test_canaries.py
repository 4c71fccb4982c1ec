"""Canary courses day by day: which definitions are exercised when, and what is kept of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.canaries import LOOK, Canaries
from engine.core.definition import Workflow
from engine.core.expression import all_of
from engine.ports import Definition
from engine.registry import Registry, stored_form
from engine.store.canaries import SqlCanaries
from engine.store.operation import SqlOperation
from engine.store.sql import SqlStore
from tests.canary.test_flight import GAUGES, altered
from tests.tenant import tenant_service

DAY = timedelta(hours=24)
BROKEN = altered(GAUGES, "deviation_above_limit", lambda one: all_of(one.condition, ~one.condition))


@dataclass
class Clock:
    at: datetime = datetime(2026, 3, 2, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@dataclass
class Works:
    """A tenant, its canaries and its time."""

    store: SqlStore
    tenant: str
    every: timedelta | None = DAY

    def __post_init__(self) -> None:
        self.clock, self.registry = Clock(), Registry()
        self.service = tenant_service(
            self.store, self.tenant, registry=self.registry, clock=self.clock
        )
        self.kept = SqlCanaries(self.store)
        self.canaries = Canaries(self.service, self.kept, every=self.every)

    def install(self, workflow: Workflow = GAUGES) -> str:
        with self.store.transaction(self.tenant) as tx:
            (digest,) = self.registry.install([workflow], tx)
        return digest

    def define(self, definition: Definition) -> None:
        with self.store.transaction(self.tenant) as tx:
            tx.define(definition)

    def begin(self, workflow: str, course: str = "G-1") -> None:
        self.service.submit(
            {
                "format": 1, "id": "e1", "course": course, "event": "course.enrolled",
                "at": self.clock.now().isoformat(), "actor": {"id": "a", "role": "metrologist"},
                "workflow": workflow, "patient": course, "site": "north", "zone": "UTC",
            }
        )  # fmt: skip

    def due(self) -> list[tuple[str, bool]]:
        return [(one.digest, one.sound) for one in self.canaries.due(lambda: False)]


@pytest.fixture
def works(store: SqlStore, tenant: str) -> Works:
    return Works(store, tenant)


def test_a_definition_is_exercised_once_in_a_period(works: Works):
    digest = works.install()

    assert works.due() == [(digest, True)]
    works.clock.at += DAY - timedelta(minutes=1)
    assert works.due() == []
    works.clock.at += LOOK
    assert works.due() == [(digest, True)]


def test_another_worker_sees_what_was_exercised_already(works: Works):
    works.install()
    works.due()
    other = Canaries(works.service, works.kept, every=DAY)

    assert list(other.due(lambda: False)) == []


def test_who_is_told_to_stop_exercises_nothing_more(works: Works):
    works.install()

    assert list(works.canaries.due(lambda: True)) == []


def test_without_a_period_nothing_is_exercised_by_itself(store: SqlStore, tenant: str):
    works = Works(store, tenant, every=None)
    works.install()

    assert works.due() == []


def test_what_came_of_it_is_kept_with_each_rule(works: Works):
    digest = works.install()
    works.due()
    (found,) = works.canaries.last()

    assert (found.digest, found.workflow, found.sound, found.at) == (
        digest, "instrument_calibration@1", True, works.clock.now(),
    )  # fmt: skip
    rules = [one for one in found.json()["results"] if one["what"] == "rule"]
    assert [(one["guard"], one["outcome"]) for one in rules] == [
        ("deviation_above_limit", "as-expected")
    ]


def test_a_definition_that_no_name_stands_for_is_exercised_while_a_course_follows_it(works: Works):
    old = stored_form(replace(GAUGES, version="0"))
    works.define(old)

    assert works.due() == []
    works.begin(old.digest)
    works.clock.at += LOOK
    assert works.due() == [(old.digest, True)]


def test_a_broken_definition_in_the_database_is_counted_until_another_one_is_in_use(works: Works):
    broken = stored_form(BROKEN)
    works.define(broken)
    works.begin(broken.digest)
    operation = SqlOperation(works.store)
    before = operation.backlog(works.clock.now()).canaries_unsound

    assert works.due() == [(broken.digest, False)]
    assert operation.backlog(works.clock.now()).canaries_unsound == before + 1
    assert operation.backlog(works.clock.now()).canary_at is not None
    assert operation.backlog(works.clock.now() + timedelta(days=30)).canaries_unsound <= before


def test_a_definition_that_this_engine_cannot_read_is_no_silence(works: Works):
    found = stored_form(GAUGES)
    said = json.loads(found.semantic) | {"semantics": 99}
    unread = replace(found, semantic=json.dumps(said).encode())

    flown = works.canaries.fly(unread)
    assert not flown.sound
    assert "cannot read it" in str(flown.flight["why"])

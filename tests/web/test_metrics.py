"""Figures for Prometheus: what is in them, and what is not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from engine.counted import Report
from engine.errors import StoreUnavailable
from engine.service import Service
from engine.store.guard_reports import SqlGuardReports
from engine.store.operation import Backlog, SqlOperation
from engine.web.app import create_app
from engine.web.metrics import Metrics
from engine.web.operation import Operation
from tests.web.conftest import NOW, House


@dataclass
class Watched:
    """A house whose use cases and requests are counted."""

    house: House

    def __post_init__(self) -> None:
        self.backlog = SqlOperation(self.house.store).backlog
        self.metrics = Metrics(backlog=self._backlog, now=self.house.clock.now)
        setting = replace(self.house.service.setting, watch=self.metrics)
        service = Service(self.house.store, setting)
        office = replace(self.house.office, services=lambda _: service)
        app = create_app(office, version="test", operation=Operation(metrics=self.metrics))
        self.client = TestClient(app, client=("127.0.0.1", 50000))
        self.house.client = self.client
        self.service = service

    def _backlog(self, now: datetime) -> Backlog:
        return self.backlog(now)

    def figures(self) -> dict[tuple[str, ...], float]:
        families = text_string_to_metric_families(self.client.get("/metrics").text)
        return {
            (one.name, *(value for _, value in sorted(one.labels.items()))): one.value
            for family in families
            for one in family.samples
        }


@pytest.fixture
def watched(house: House) -> Watched:
    return Watched(house)


def test_requests_are_counted_by_the_template_of_their_route(watched: Watched):
    watched.house.enrolled("I-9")
    watched.client.get("/v1/courses/I-9")
    watched.client.get("/v1/courses/I-9?patient=Smith")
    watched.client.get("/v1/courses/nobody")
    found = watched.figures()

    assert found["regimen_http_requests_total", "POST", "/v1/courses", "201"] == 1
    assert found["regimen_http_requests_total", "GET", "/v1/courses/{course}", "200"] == 1
    assert found["regimen_http_requests_total", "GET", "/v1/courses/{course}", "404"] == 1
    assert found["regimen_http_requests_total", "GET", "/v1/courses/{course}", "422"] == 1
    assert found["regimen_http_request_seconds_count", "GET", "/v1/courses/{course}"] == 3
    text = watched.client.get("/metrics").text
    assert "I-9" not in text
    assert "Smith" not in text


def test_decisions_are_counted_by_their_verdict_wherever_they_come_from(watched: Watched):
    watched.house.enrolled("I-1")
    actor = {"id": "m", "role": "metrologist"}
    event = watched.house.event("release_instrument", course="I-1", actor=actor)
    watched.client.post("/v1/courses/I-1/events", json=event, headers={"If-Match": "*"})
    before = watched.figures()
    watched.client.post("/v1/courses/I-1/events", json=event, headers={"If-Match": "*"})
    watched.client.post("/v1/courses/I-1/events/dry-run", json=event)
    again = watched.figures()

    assert before["regimen_decisions_total", "accepted"] == 1
    assert before["regimen_decisions_total", "refused"] == 1
    for verdict in ("accepted", "refused"):
        key = "regimen_decisions_total", verdict
        assert again[key] == before[key]


def test_what_waits_is_asked_of_the_database(watched: Watched):
    before = watched.figures()
    watched.house.enrolled("I-1")
    watched.backlog = lambda now: Backlog(
        timers_overdue=3, overdue_since=now - timedelta(minutes=2), messages_waiting=4,
        deliveries_waiting=5, dead_letters=6,
    )  # fmt: skip
    found = watched.figures()

    assert before["regimen_database_up",] == 1
    assert before["regimen_dead_letters",] == 0
    assert found["regimen_timers_overdue",] == 3
    assert found["regimen_timers_lag_seconds",] == 120
    assert found["regimen_messages_waiting",] == 4
    assert found["regimen_deliveries_waiting",] == 5
    assert found["regimen_dead_letters",] == 6


def test_a_database_that_is_away_is_a_figure_too(watched: Watched):
    def away(now: datetime) -> Backlog:
        raise StoreUnavailable("it went away")

    watched.backlog = away
    found = watched.figures()

    assert found["regimen_database_up",] == 0
    assert ("regimen_timers_overdue",) not in found


def test_whoever_may_not_read_the_figures_does_not(watched: Watched):
    app = watched.client.app
    stranger = TestClient(app, client=("192.0.2.1", 50000))

    assert stranger.get("/metrics").status_code == 401


def test_a_house_that_counts_nothing_has_no_figures(house: House):
    assert house.client.get("/metrics").status_code == 404
    assert house.clock.now() == NOW


def test_a_rule_that_stopped_firing_and_a_canary_that_stopped_are_figures(watched: Watched):
    before = watched.figures()
    watched.house.enrolled("I-1")  # nobody exercised its definition yet
    enrolled = watched.figures()
    SqlGuardReports(watched.house.store).keep(
        watched.house.tenant, Report(at=NOW - timedelta(hours=2), alarms=3, document={})
    )
    found = watched.figures()

    stopped = ("regimen_canaries_stopped",)
    assert enrolled[stopped] >= before[stopped]
    assert found[stopped] >= 1
    assert found["regimen_guards_silent",] == before["regimen_guards_silent",] + 3
    assert found["regimen_guards_age_seconds",] == 7200


def test_the_report_of_a_tenant_is_its_newest(watched: Watched):
    kept = SqlGuardReports(watched.house.store)
    for alarms in (1, 0):
        kept.keep(watched.house.tenant, Report(at=NOW, alarms=alarms, document={"n": alarms}))

    assert kept.last(watched.house.tenant) == Report(at=NOW, alarms=0, document={"n": 0})
    assert kept.last("nobody") is None

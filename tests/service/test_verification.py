"""The whole log verified: what is written down of it, by whom, and what a page reads from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from engine import bootstrap
from engine.access import operator
from engine.log_entry import Logged
from engine.service import Service
from engine.settings import Settings
from engine.simulation import simulate
from engine.store.sql import SqlStore
from engine.verification import Verifications
from tests.tenant import tenant_service
from workflows import ALL, SIMULATIONS


@pytest.fixture(scope="module")
def service(store: SqlStore) -> Service:
    service = tenant_service(store, "verified", *ALL)
    gauge = SIMULATIONS["instrument_calibration"]
    list(simulate(service, gauge, courses=3, seed=1, start=date(2024, 1, 1)))
    return service


def verifications(service: Service, every: timedelta | None = None) -> Verifications:
    settings = replace(Settings(), tenant=service.tenant, verify=every)
    return bootstrap.verifications(settings, service)


def test_what_came_of_it_is_what_is_read_again(service: Service):
    known, who = verifications(service), operator(service.tenant, "quality-2")
    records = sum(line.seq for line in service.courses())
    found = known.verify(who)
    last = known.last()

    assert found is not None
    assert (found.whole, found.courses, found.records) == (True, 3, records)
    assert last is not None
    assert (last.by, last.found) == ("quality-2", found)


def test_a_verification_of_one_course_is_not_taken_for_the_whole(service: Service):
    known, who = verifications(service), operator(service.tenant, "quality-3")
    known.verify(who)
    before = known.last()
    entries = bootstrap.access_entries(replace(Settings(), tenant=service.tenant), service.store)
    entries.note(who, Logged.VERIFIED, {"what": "verify", "course": "S-1"})
    entries.note(who, Logged.VERIFIED, {"what": "verify", "courses": 3})

    assert known.last() == before


def test_the_first_bad_record_is_written_down(service: Service, store: SqlStore):
    known = verifications(service)
    course = sorted(line.course for line in service.courses())[1]
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            'UPDATE regimen_courses SET "row" = replace("row", \'"round":1\', \'"round":9\')'
            f" WHERE course = '{course}' AND tenant = '{service.tenant}'"
        )
    found = known.verify(operator(service.tenant, "worker"))
    last = known.last()

    assert found is not None
    assert last is not None
    assert (last.found.whole, last.found.wrong, last.found.course) == (False, 1, course)
    assert last.found.seq is not None


def test_a_worker_verifies_when_nobody_did_for_so_long_and_not_when_it_is_to_stop(
    service: Service,
):
    who = bootstrap.worker_of(service.tenant)
    verifications(service).verify(who)

    assert verifications(service, timedelta(hours=24)).due(who, lambda: False) is None
    assert verifications(service, None).due(who, lambda: False) is None
    assert verifications(service, timedelta()).due(who, lambda: True) is None
    assert verifications(service, timedelta()).due(who, lambda: False) is not None

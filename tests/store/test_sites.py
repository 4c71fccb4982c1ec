"""Site calendars as they are kept, on each database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from engine.access import operator
from engine.access_log import AccessLog
from engine.clinic import Sites
from engine.errors import InvalidInput
from engine.log_entry import Entry, Logged
from engine.store.access import SqlAccess
from engine.store.sites import SqlSites
from engine.store.sql import SqlStore
from engine.zones import Zones
from tests.tenant import HandClock

WORKDAYS = {"format": 1, "zone": "Europe/Vienna", "open": ["monday", "friday"]}


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime(2026, 3, 2, 9, tzinfo=UTC))


@pytest.fixture
def sites(database: SqlStore, tenant: str, clock: HandClock) -> Sites:
    return Sites(store=SqlSites(database), tenant=tenant, clock=clock, calendars=Zones())


def test_a_calendar_is_kept_and_replaced(sites: Sites, clock: HandClock) -> None:
    first = sites.put("north", WORKDAYS)
    clock.advance(hours=1)
    second = sites.put("north", WORKDAYS | {"open": ["friday", "monday", "sunday"]})

    assert first.changed_at is not None
    assert second.changed_at == first.changed_at + timedelta(hours=1)
    assert sites.get("north") == second
    assert [site.site for site in sites.all()] == ["north"]


def test_a_site_that_nobody_told_of_is_open_every_day_and_says_so(sites: Sites) -> None:
    sites.put("north", WORKDAYS)

    assert sites.get("south").json() == {
        "site": "south",
        "calendar": None,
        "open_every_day": True,
        "changed_at": None,
    }


def test_a_calendar_is_of_one_tenant(sites: Sites, database: SqlStore) -> None:
    sites.put("north", WORKDAYS)
    other = Sites(
        store=SqlSites(database), tenant="another", clock=sites.clock, calendars=sites.calendars
    )

    assert (other.get("north").clinic, other.all()) == (None, [])


def test_many_sites_are_listed_by_name(sites: Sites) -> None:
    names = [f"site-{n:04}" for n in range(30)]
    for name in reversed(names):
        sites.put(name, WORKDAYS)

    assert [site.site for site in sites.all()] == names


@pytest.mark.parametrize("name", ["", "a b", "x" * 65])
def test_a_name_that_no_site_can_have_is_refused(sites: Sites, name: str) -> None:
    with pytest.raises(InvalidInput, match="site: expected a name"):
        sites.put(name, WORKDAYS)


def test_a_calendar_and_its_row_of_the_access_log_are_written_together_or_not_at_all(
    sites: Sites, database: SqlStore, tenant: str
) -> None:
    kept = SqlAccess(database)
    log = AccessLog(kept, clock=sites.clock, identity=lambda: "same", tenant=tenant)

    def told() -> Entry:
        return log.entry(operator(tenant), Logged.SITE_CHANGED, {"site": "north"})

    first = sites.put("north", WORKDAYS, told=told)
    with pytest.raises(DBAPIError):  # the log takes no id twice
        sites.put("north", WORKDAYS | {"open": ["sunday"]}, told=told)

    assert sites.get("north") == first
    assert len(log.entries(tenant)) == 1

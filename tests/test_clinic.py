"""Site calendars: what may be said of a site, and on which days it is open."""

from __future__ import annotations

import sys
from datetime import date
from typing import Any

import pytest

from engine.clinic import ALWAYS_OPEN, Clinic, clinic_from
from engine.errors import InvalidInput
from engine.zones import Zones

NORTH: dict[str, Any] = {
    "format": 1,
    "zone": "America/Los_Angeles",
    "open": ["monday", "tuesday", "wednesday", "thursday", "friday"],
    "holidays": {"country": "US", "subdivision": "CA"},
    "extra_holidays": [{"date": "2026-12-24", "name": "Christmas Eve"}],
    "open_anyway": ["2026-11-27", "2026-11-28"],
    "closures": [{"from": "2026-08-03", "to": "2026-08-07", "reason": "renovation"}],
}


def clinic(**changed: Any) -> Clinic:
    sent = {name: value for name, value in (NORTH | changed).items() if value is not None}
    return clinic_from(sent, Zones())


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-03-06", None),
        ("2026-03-07", "closed-weekday saturday"),
        ("2026-07-03", "holiday Independence Day (observed)"),  # the 4th is a Saturday
        ("2026-12-24", "holiday Christmas Eve"),
        ("2026-12-25", "holiday Christmas Day"),
        ("2027-01-01", "holiday New Year's Day"),
        ("2026-11-27", None),  # the day after Thanksgiving, and open anyway
        ("2026-11-28", None),  # a Saturday
        ("2026-08-02", "closed-weekday sunday"),
        ("2026-08-03", "closure renovation"),
        ("2026-08-07", "closure renovation"),
        ("2026-08-10", None),
        ("2028-02-29", None),
    ],
)
def test_a_site_is_closed_on_some_days_and_says_why(day: str, expected: str | None) -> None:
    found = clinic().against(date.fromisoformat(day))

    assert (None if found is None else f"{found.why} {found.name}") == expected


def test_holidays_are_those_of_the_country_and_of_its_part() -> None:
    """Cesar Chavez Day is a holiday of California."""
    day = date(2026, 3, 31)
    elsewhere = clinic(holidays={"country": "US"})

    assert clinic().against(day) is not None
    assert elsewhere.against(day) is None
    assert clinic(holidays={"country": "AT"}).against(date(2026, 10, 26)) is not None
    assert clinic(holidays=None).against(date(2026, 12, 25)) is None


def test_a_closure_closes_a_day_that_is_open_anyway() -> None:
    closures = [{"from": "2026-11-27", "to": "2026-11-27", "reason": "no power"}]

    assert clinic(closures=closures).against(date(2026, 11, 27)) is not None


def test_a_site_without_a_calendar_is_open_every_day() -> None:
    assert ALWAYS_OPEN.against(date(2026, 12, 25)) is None


def test_a_calendar_is_written_as_it_was_read() -> None:
    assert clinic().json() == NORTH
    assert clinic_from(clinic().json(), Zones()) == clinic()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"format": 2}, "format"),
        ({"format": True}, "format"),
        ({"zone": None}, "zone"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"open": []}, "open"),
        ({"open": "monday"}, "open"),
        ({"open": ["monday", "montag"]}, "open[1]"),
        ({"open": ["monday", "monday"]}, "open[1]"),
        ({"open": [["monday"]]}, "open[0]"),
        ({"holidays": {"country": "XX"}}, "holidays.country"),
        ({"holidays": {}}, "holidays.country"),
        ({"holidays": {"country": "US", "subdivision": "ZZ"}}, "holidays.subdivision"),
        ({"holidays": {"country": "US", "state": "CA"}}, "holidays.state"),
        ({"extra_holidays": [{"date": "2026-02-29", "name": "x"}]}, "extra_holidays[0].date"),
        ({"extra_holidays": [{"date": "2026-02-28", "name": ""}]}, "extra_holidays[0].name"),
        ({"extra_holidays": [{"date": "2026-02-28", "name": "a\nb"}]}, "extra_holidays[0].name"),
        ({"extra_holidays": [{"date": "2026-02-28"}]}, "extra_holidays[0].name"),
        (
            {"extra_holidays": [{"date": "2026-02-28", "name": n} for n in "ab"]},
            "extra_holidays[1].date",
        ),
        ({"open_anyway": [20261127]}, "open_anyway[0]"),
        (
            {"closures": [{"from": "2026-08-03", "to": "2026-08-02", "reason": "x"}]},
            "closures[0].to",
        ),
        ({"closures": [{"from": "2026-08-03", "to": "2026-08-03"}]}, "closures[0].reason"),
        ({"closures": [{}] * 201}, "closures"),
        ({"hours": {}}, "hours"),
    ],
)
def test_a_member_that_cannot_be_read_is_named(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        clinic(**changed)

    assert caught.value.field == field


def test_a_calendar_is_an_object() -> None:
    with pytest.raises(InvalidInput):
        clinic_from([NORTH], Zones())


def test_without_the_package_of_holidays_a_country_is_refused_and_the_rest_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)
    from engine import clinic as module  # noqa: PLC0415  # beside the change

    module._countries.cache_clear()

    with pytest.raises(InvalidInput, match="regimen-engine\\[web\\]"):
        clinic()
    assert clinic(holidays=None).against(date(2026, 3, 6)) is None

"""Civil time at a site: gaps, repetitions, and zones that do not exist."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from engine.errors import InvalidInput
from engine.zones import Zones

LOS_ANGELES = Zones().of("America/Los_Angeles")


def test_the_date_is_that_of_the_wall() -> None:
    assert LOS_ANGELES.civil_date(datetime(2026, 3, 3, 7, 59, tzinfo=UTC)) == date(2026, 3, 2)
    assert LOS_ANGELES.civil_date(datetime(2026, 3, 3, 8, 0, tzinfo=UTC)) == date(2026, 3, 3)


@pytest.mark.parametrize(
    ("zone", "on", "time", "instant"),
    [
        ("America/Los_Angeles", date(2026, 3, 7), "23:59", "2026-03-08T07:59:00+00:00"),
        ("America/Los_Angeles", date(2026, 3, 8), "23:59", "2026-03-09T06:59:00+00:00"),
        ("America/Los_Angeles", date(2026, 3, 8), "02:30", "2026-03-08T10:30:00+00:00"),
        ("America/Los_Angeles", date(2026, 11, 1), "01:30", "2026-11-01T08:30:00+00:00"),
        ("Asia/Beirut", date(2026, 3, 29), "00:00", "2026-03-28T22:00:00+00:00"),
        ("Asia/Kolkata", date(2026, 3, 29), "00:00", "2026-03-28T18:30:00+00:00"),
    ],
    ids=["winter", "summer", "skipped", "twice", "skipped-midnight", "half-hour"],
)
def test_a_time_of_the_wall_is_one_instant(zone: str, on: date, time: str, instant: str) -> None:
    assert Zones().of(zone).instant(on, time).isoformat() == instant


@pytest.mark.parametrize(
    "zone", ["America/Los_Angelos", "America", "../../etc/passwd", "", "UTC+1"]
)
def test_a_zone_that_does_not_exist_is_malformed(zone: str) -> None:
    with pytest.raises(InvalidInput, match="zone"):
        Zones().of(zone)

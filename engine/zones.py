"""Civil time at a site, from the zone data of this machine.

Answers are noted in records and reused, so that tomorrow's zone data changes no history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from engine.core.view import Calendar
from engine.errors import InvalidInput


class Zones:
    """Calendars by IANA zone: what the service asks of the world as `Calendars`."""

    def of(self, zone: str) -> Calendar:
        """The calendar of a zone. Raises InvalidInput for a zone that does not exist."""
        return _calendar(zone)


@dataclass(frozen=True, slots=True)
class ZoneCalendar:
    """The wall clock of one zone.

    A wall-clock time that a clock change skips is the instant at which the clocks jump, or as long
    after it as the time lies in the gap; one that comes twice is the first of the two.
    """

    zone: ZoneInfo

    def civil_date(self, instant: datetime) -> date:
        """The date on the wall at an instant."""
        return instant.astimezone(self.zone).date()

    def instant(self, on: date, time: str) -> datetime:
        """The instant at which the wall shows a date and a time (`HH:MM`)."""
        hour, minute = map(int, time.split(":"))
        wall = datetime(on.year, on.month, on.day, hour, minute, tzinfo=self.zone)
        return wall.astimezone(UTC)


@cache
def _calendar(zone: str) -> ZoneCalendar:
    try:
        return ZoneCalendar(ZoneInfo(zone))
    except (OSError, ValueError, LookupError):
        # A name that is no zone may be a folder of the zone data, leave it, or hold no data.
        raise InvalidInput("zone", 'an IANA time zone such as "America/Los_Angeles"') from None

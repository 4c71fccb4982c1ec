"""Civil time as it was resolved once, and is reused.

Zone data changes: a date that was resolved to an instant yesterday may resolve to another tomorrow.
A record therefore keeps every answer that its decision asked for, and replay asks the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from engine.core.encoding import date_from, instant_from, instant_text
from engine.core.view import Calendar


@dataclass(slots=True)
class Noting:
    """A calendar that notes what it was asked, for the record."""

    calendar: Calendar
    dates: dict[datetime, date] = field(default_factory=dict)
    instants: dict[tuple[date, str], datetime] = field(default_factory=dict)

    def civil_date(self, instant: datetime) -> date:
        """The date on the site's wall at an instant."""
        known = self.dates.get(instant)
        if known is None:
            known = self.dates[instant] = self.calendar.civil_date(instant)
        return known

    def instant(self, on: date, time: str) -> datetime:
        """The instant at which the site's wall shows a date and time."""
        known = self.instants.get((on, time))
        if known is None:
            known = self.instants[on, time] = self.calendar.instant(on, time)
        return known

    def noted(self) -> dict[str, str]:
        """Every answer given, as the record keeps it."""
        return {
            **{instant_text(at): on.isoformat() for at, on in self.dates.items()},
            **{
                f"{on.isoformat()}T{time}": instant_text(at)
                for (on, time), at in self.instants.items()
            },
        }


class Held:
    """A calendar that first looks at the civil times that the course already holds.

    `used` are those that were asked for, held before or new: what the course holds from now on.
    """

    __slots__ = ("_calendar", "_held", "used")

    def __init__(self, calendar: Calendar, held: Mapping[str, str]) -> None:
        self._calendar = calendar
        self._held = held
        self.used: dict[str, str] = {}

    def civil_date(self, instant: datetime) -> date:
        """The date on the site's wall at an instant."""
        return self._calendar.civil_date(instant)

    def instant(self, on: date, time: str) -> datetime:
        """The instant of a wall-clock time, as it was resolved first."""
        key = f"{on.isoformat()}T{time}"
        known = self.used.get(key) or self._held.get(key)
        if known is not None:
            self.used[key] = known
            return instant_from(known)
        found = self._calendar.instant(on, time)
        self.used[key] = instant_text(found)
        return found


class Recorded:
    """The answers that a record keeps. A question that was not asked then has no answer now."""

    __slots__ = ("_noted",)

    def __init__(self, noted: Mapping[str, Any]) -> None:
        self._noted = noted

    def civil_date(self, instant: datetime) -> date:
        """The date that was on the site's wall. Raises KeyError for what was not asked."""
        return date_from(self._noted[instant_text(instant)])

    def instant(self, on: date, time: str) -> datetime:
        """The instant that was found then. Raises KeyError for what was not asked."""
        return instant_from(self._noted[f"{on.isoformat()}T{time}"])


class Completed:
    """The answers that a record keeps; what it was not asked is asked of another calendar.

    A decision that is weighed with other values may look at a day that nobody looked at then.
    """

    __slots__ = ("_otherwise", "_recorded")

    def __init__(self, noted: Mapping[str, Any], otherwise: Calendar) -> None:
        self._recorded = Recorded(noted)
        self._otherwise = otherwise

    def civil_date(self, instant: datetime) -> date:
        """The date that was on the site's wall."""
        try:
            return self._recorded.civil_date(instant)
        except KeyError:
            return self._otherwise.civil_date(instant)

    def instant(self, on: date, time: str) -> datetime:
        """The instant of a wall-clock time, as it was found then."""
        try:
            return self._recorded.instant(on, time)
        except KeyError:
            return self._otherwise.instant(on, time)

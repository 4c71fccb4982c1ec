"""What is known when a guard is weighed: readings, variables, the event's data, civil time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from engine.core.quick import quick

ENTERED_IN_ERROR = "entered-in-error"


@quick
@dataclass(frozen=True, slots=True)
class Reading:
    """One value of an input, in the unit that the input declares.

    `at` is when it was taken, `on` the civil date of that at the site (both `None` when a
    retrospective course does not say), `seq` the record that brought it. `over` is the length of
    an interval reading. `flaw` says why the value cannot be used: `impossible`,
    `entered-in-error` or `not-published`. `corrects` is the record that first brought what this
    one replaces, however often it was corrected since.
    """

    input: str
    value: Any
    at: datetime | None
    on: date | None
    seq: int
    over: timedelta | None = None
    flaw: str | None = None
    corrects: int | None = None

    @property
    def origin(self) -> int:
        """The record that first brought this reading, right or wrong."""
        return self.seq if self.corrects is None else self.corrects


class Calendar(Protocol):
    """Civil time at the site. What it answers is recorded and reused, since zone data changes."""

    def civil_date(self, instant: datetime, /) -> date:
        """The date on the site's wall at an instant."""

    def instant(self, on: date, time: str, /) -> datetime:
        """The instant at which the site's wall shows a date and time (`HH:MM`)."""


class Seen(Protocol):
    """The readings of a course as guards see them; a mapping will do."""

    def get(self, name: str, default: Sequence[Reading] = (), /) -> Sequence[Reading]:
        """The readings of an input, oldest first."""


class Latest(dict[str, Reading | None]):
    """The newest reading of each input that was asked for: most guards look at no other."""

    __slots__ = ("_readings",)

    def __init__(self, readings: Seen) -> None:
        super().__init__()
        self._readings = readings

    def __missing__(self, name: str) -> Reading | None:
        readings = self._readings.get(name)
        found = self[name] = readings[-1] if readings else None
        return found


@dataclass(slots=True)
class View:
    """What is known when a guard is weighed: nothing later than `now`, corrections applied.

    `last` is the latest time that the course knows of; `revised` names the inputs of which the
    event changes what lay before their latest reading.
    """

    now: datetime | None
    today: date | None
    variables: Mapping[str, Any]
    readings: Seen
    data: Mapping[str, Any]
    calendar: Calendar
    round: int = 1
    late: bool = False
    retrospective: bool = False
    questions: Collection[str] = ()
    last: datetime | None = None
    revised: Collection[str] = ()
    latest: Latest = field(init=False)

    def __post_init__(self) -> None:
        self.latest = Latest(self.readings)


class _NoCalendar:
    def civil_date(self, _: datetime, /) -> date:
        raise LookupError("a constant asks for no civil time")

    def instant(self, _: date, __: str, /) -> datetime:
        raise LookupError("a constant asks for no civil time")


class _NoReadings:
    def get(self, _: str, default: Sequence[Reading] = (), /) -> Sequence[Reading]:
        return default


NOTHING = View(None, None, {}, _NoReadings(), {}, _NoCalendar())
"""A view in which nothing is known: enough to weigh a constant."""

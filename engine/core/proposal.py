"""Which day of a due window to propose. The engine proposes and never books.

- The target day where the clinic is open, else the next open day after it, else the last one
  before it; never a day outside the window, none that is over, none below the minimum gap.
- Where no day is left, the answer is every day of the window with what speaks against it.
- A day is judged and no hour: a minimum gap that ends on the proposed day says from when on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from engine.core.snapshot import Window
from engine.core.view import Calendar


class Why(StrEnum):
    """What speaks against a day. Shown: never rename a value."""

    PAST = "past"
    BELOW_MINIMUM_GAP = "below-minimum-gap"
    CLOSED_WEEKDAY = "closed-weekday"
    HOLIDAY = "holiday"
    CLOSURE = "closure"


@dataclass(frozen=True, slots=True)
class Against:
    """What speaks against a day. `name` is that of the weekday or holiday, or why it is closed."""

    on: date
    why: Why
    name: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The day to propose.

    `not_before` is the instant from which on, where the minimum gap ends on that day. `instead_of`
    says what speaks against the target, where another day had to be taken.
    """

    on: date
    not_before: datetime | None = None
    instead_of: Against | None = None


@dataclass(frozen=True, slots=True)
class NoCompliantDay:
    """No day of the window can be proposed: each of them, in order, with what speaks against it."""

    days: tuple[Against, ...]


class OpeningDays(Protocol):
    """When a clinic is open."""

    def against(self, day: date, /) -> Against | None:
        """Why it is closed on a day; `None` when it is open."""


def propose(
    window: Window, clinic: OpeningDays, calendar: Calendar, *, as_of: datetime
) -> Proposal | NoCompliantDay:
    """The day of the window that is best proposed, as seen at an instant.

    Days are civil dates of `calendar`, which is the course's; the day of `as_of` may be proposed.
    """
    today = calendar.civil_date(as_of)
    gap = None if window.not_before is None else calendar.civil_date(window.not_before)
    found: dict[date, Against] = {}
    for day in _best_first(window):
        against = _against(day, today, gap) or clinic.against(day)
        if against is None:
            return Proposal(
                on=day,
                not_before=window.not_before if day == gap else None,
                instead_of=found.get(window.target),
            )
        found[day] = against
    return NoCompliantDay(tuple(found[day] for day in sorted(found)))


def _best_first(window: Window) -> Iterator[date]:
    """The days of a window: its target, those after it, then those before it, nearest first."""
    day = max(window.target, window.earliest)
    while day <= window.latest:
        yield day
        day += _DAY
    day = min(window.target, window.latest + _DAY) - _DAY
    while day >= window.earliest:
        yield day
        day -= _DAY


def _against(day: date, today: date, gap: date | None) -> Against | None:
    if day < today:
        return Against(day, Why.PAST)
    if gap is not None and day < gap:
        return Against(day, Why.BELOW_MINIMUM_GAP)
    return None


_DAY = timedelta(days=1)

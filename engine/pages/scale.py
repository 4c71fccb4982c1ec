"""Where things stand in a picture: instants on a time axis with folds, values on an axis of theirs.

Pure arithmetic: what is asked twice has one answer, and what lies outside stands at the edge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from engine.pages.svg import length
from engine.telling.axis import Axis

STEPS = (1, 2, 7, 14, 28, 91, 182, 364, 728, 1820)
"""Days between two ticks: whole days, then whole weeks."""
HOURS = (1, 2, 3, 6, 12)
FOLDS = 0.3
"""The share of the width that silences may take at the most, however long they were."""
GRAIN = 16
"""Columns of the axis to one unit of the picture, so that nothing is rounded that shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A labelled place of the time axis; a `major` one begins a year or a day.

    A `leftward` one has its label before it, since the picture ends there.
    """

    x: float
    label: str
    major: bool = False
    leftward: bool = False

    @property
    def start(self) -> float:
        """Where its label begins."""
        return self.x - self.wide if self.leftward else self.x

    @property
    def end(self) -> float:
        """Where its label ends."""
        return self.start + self.wide

    @property
    def wide(self) -> float:
        """How wide its label is about: bold letters are wider."""
        return length(self.label, 11.5 if self.major else 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeScale:
    """Instants on `width` units from `left` on; long silences are folded, and told in `folds`."""

    axis: Axis
    left: float
    width: float
    zone: ZoneInfo

    @classmethod
    def over(
        cls, instants: Iterable[datetime], *, left: float, width: float, zone: ZoneInfo
    ) -> TimeScale:
        """The scale of some instants, with a little room at both ends."""
        marks = sorted(set(instants))
        room = max((marks[-1] - marks[0]) / 200, timedelta(hours=2))
        ends = [marks[0] - room, *marks, marks[-1] + room]
        return cls(
            axis=Axis.over(ends, width=round(width * GRAIN) + 1, for_folds=FOLDS),
            left=left,
            width=width,
            zone=zone,
        )

    def x(self, at: datetime) -> float:
        """Where an instant stands."""
        return self.left + self.axis.column(at) / GRAIN

    def at_edge(self, x: float) -> bool:
        """Whether a label that begins here would leave the picture."""
        return x > self.left + self.width - 30

    @property
    def first(self) -> datetime:
        return self.axis.marks[0]

    @property
    def last(self) -> datetime:
        return self.axis.marks[-1]

    @property
    def folds(self) -> tuple[tuple[float, float, timedelta], ...]:
        """The stretches that are drawn shorter than they were, and how long each lasted."""
        return tuple(
            (self.x(start), self.x(end), end - start)
            for (start, end), folded in zip(
                pairwise(self.axis.marks), self.axis.folded, strict=True
            )
            if folded
        )

    def ticks(self, apart: float = 74) -> list[Tick]:
        """Midnights at the site, or whole hours where few days are shown, `apart` at the least."""
        chosen = next(
            (ticks for step in self._steps() if self._fits(ticks := list(step), apart)), []
        )
        found: list[Tick] = []
        year = None
        for at, label in chosen:
            x, local = self.x(at), at.astimezone(self.zone)
            major = local.year != year
            tick = Tick(x=x, label=label(local, major), major=major, leftward=self.at_edge(x))
            # Within a fold many days share a place: one of them is named. The next one says the
            # year where that is another than the last one that is named.
            if found and (
                x - found[-1].x < apart or tick.start < found[-1].start + found[-1].wide + 6
            ):
                continue
            year = local.year
            found.append(tick)
        return found

    def _steps(self) -> Iterator[Iterator[tuple[datetime, _Label]]]:
        if self.last - self.first < timedelta(days=3):
            for hours in HOURS:
                yield self._hours(hours)
        for days in STEPS:
            yield self._days(days)

    def _fits(self, ticks: Sequence[tuple[datetime, object]], apart: float) -> bool:
        """Whether there is room for nearly all of them, outside of what is folded."""
        folds = self.folds
        places = [self.x(at) for at, _ in ticks]
        free = [x for x in places if not any(start < x < end for start, end, _ in folds)]
        narrow = sum(later - earlier < apart for earlier, later in pairwise(free))
        return bool(free) and narrow <= len(free) // 5

    def _days(self, step: int) -> Iterator[tuple[datetime, _Label]]:
        day = self.first.astimezone(self.zone).date() + timedelta(days=1)
        if step >= 7:  # weeks begin on Mondays
            day += timedelta(days=-day.weekday() % 7)
        while (at := self._midnight(day)) <= self.last:
            yield at, _day_label
            day += timedelta(days=step)

    def _hours(self, step: int) -> Iterator[tuple[datetime, _Label]]:
        at = self._midnight(self.first.astimezone(self.zone).date())
        while at <= self.last:
            if at >= self.first:
                yield at, _hour_label
            at += timedelta(hours=step)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=self.zone)


class _Label:
    """How a tick is labelled, given whether its year was not named yet."""

    def __init__(self, form: str, first: str) -> None:
        self._form, self._first = form, first

    def __call__(self, local: datetime, major: bool) -> str:  # noqa: FBT001  # said by its tick
        return local.strftime(self._first if major else self._form)


_day_label = _Label("%d %b", "%d %b %Y")
_hour_label = _Label("%H:%M", "%d %b %H:%M")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueScale:
    """Values from `low` at the bottom to `high` at the top of a stretch of a picture."""

    low: Decimal
    high: Decimal
    top: float
    height: float

    @classmethod
    def over(
        cls, values: Iterable[Decimal], limits: Iterable[Decimal], *, top: float, height: float
    ) -> ValueScale:
        """The scale of values, with those limits that do not press them into a corner."""
        own = list(values)
        low, high = min(own), max(own)
        span = high - low or abs(high) / 5 or Decimal(1)
        for limit in sorted(limits, key=lambda one: min(abs(one - low), abs(one - high))):
            widened = max(high, limit) - min(low, limit)
            if widened <= 4 * span:
                low, high = min(low, limit), max(high, limit)
        room = (high - low or span) / 10
        floor = Decimal(0) if low >= 0 else low - room
        return cls(low=max(low - room, floor), high=high + room, top=top, height=height)

    @classmethod
    def from_zero(cls, values: Iterable[Decimal], *, top: float, height: float) -> ValueScale:
        """The scale of amounts, which begin at nothing."""
        most = max([*values, Decimal(0)]) or Decimal(1)
        return cls(low=Decimal(0), high=most * Decimal("1.12"), top=top, height=height)

    def y(self, value: Decimal) -> float:
        """Where a value stands; what lies outside, at the edge."""
        share = (value - self.low) / (self.high - self.low)
        return self.top + self.height * (1 - float(min(max(share, Decimal(0)), Decimal(1))))

    def shows(self, value: Decimal) -> bool:
        """Whether a value lies within."""
        return self.low <= value <= self.high

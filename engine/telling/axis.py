"""A time axis: instants to columns, with long silences folded.

Four weeks of visits and a year of waiting share a screen only when the waiting is shortened.
Where it is, the axis says so.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

FOLD = "≈"
LINE = "─"
TICK = "┬"
BETWEEN_TICKS = 13
USUAL = 0.9
"""Nine in ten silences are usual; what lasts `LONG` times as long as those is folded."""
LONG = 4
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Instants on `width` columns. `folded` are the stretches that were shortened."""

    width: int
    marks: tuple[datetime, ...]
    places: tuple[float, ...]
    folded: tuple[bool, ...]
    longest: timedelta

    @classmethod
    def over(
        cls, instants: Iterable[datetime], *, width: int, for_folds: float | None = None
    ) -> Axis:
        """An axis from the first to the last instant, folding unusually long silences.

        `for_folds` is the share of the width that they may take together at the most.
        """
        marks = tuple(sorted(set(instants)))
        gaps = [later - earlier for earlier, later in pairwise(marks)]
        longest = _longest(gaps)
        lengths = [min(gap, longest) / DAY for gap in gaps]
        if for_folds is not None:
            folds = sum(n for n, gap in zip(lengths, gaps, strict=True) if gap > longest)
            room = (sum(lengths) - folds) * for_folds / (1 - for_folds)
            shrunk = min(1.0, room / folds) if folds else 1.0
            lengths = [
                n * shrunk if gap > longest else n for n, gap in zip(lengths, gaps, strict=True)
            ]
        places = [0.0]
        for length in lengths:
            places.append(places[-1] + length)
        whole = places[-1] or 1.0
        return cls(
            width=width,
            marks=marks,
            places=tuple(place / whole * (width - 1) for place in places),
            folded=tuple(gap > longest for gap in gaps),
            longest=longest,
        )

    def column(self, at: datetime) -> int:
        """The column of an instant; what lies outside stands at the edge."""
        n = bisect_right(self.marks, at) - 1
        if n < 0:
            return 0
        if n >= len(self.marks) - 1:
            return round(self.places[-1])
        share = (at - self.marks[n]) / (self.marks[n + 1] - self.marks[n])
        return round(self.places[n] + share * (self.places[n + 1] - self.places[n]))

    def instant(self, column: int) -> datetime:
        """The instant of a column."""
        n = min(max(bisect_right(self.places, column) - 1, 0), len(self.marks) - 1)
        if n == len(self.marks) - 1:
            return self.marks[n]
        length = self.places[n + 1] - self.places[n]
        return self.marks[n] + (column - self.places[n]) / length * (
            self.marks[n + 1] - self.marks[n]
        )

    def line(self) -> str:
        """The axis itself, with its ticks and folds."""
        drawn = [LINE] * self.width
        for n, folded in enumerate(self.folded):
            if folded:
                start, end = round(self.places[n]) + 1, round(self.places[n + 1])
                drawn[start:end] = [FOLD] * (end - start)
        for column in self.ticks():
            drawn[column] = TICK
        return "".join(drawn)

    def ticks(self) -> list[int]:
        """The columns that get a label; the last column is one of them."""
        last = self.width - 1
        return [*range(0, last - 2 * BETWEEN_TICKS + 3, BETWEEN_TICKS), last]


def _longest(gaps: Sequence[timedelta]) -> timedelta:
    """The longest silence that is drawn in its full length."""
    usual = sorted(gap for gap in gaps if gap > timedelta())
    if not usual:
        return DAY
    return max(DAY, LONG * usual[int(USUAL * (len(usual) - 1))])

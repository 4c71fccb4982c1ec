"""Two things timed in turns, and what a line of the table is made of.

The machine is shared and its disk is noisy: whatever is compared is measured in turns, within the
same seconds, and of each the best turn is taken, which was disturbed least.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run: a folder on the disk that is measured, and whether it must be short."""

    folder: Path
    quick: bool

    def of(self, full: int, quick: int) -> int:
        """The number that suits the run."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table, in words; `reached` whether what is wanted was measured."""

    what: str
    floor: str = ""
    measured: str
    ratio: str = ""
    wanted: str
    reached: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rates measured in turns, each the best of its turns."""

    floor: float
    measured: float

    @property
    def ratio(self) -> float:
        return self.measured / self.floor

    def judged_by_ratio(self, what: str, least: float) -> Figure:
        return self._figure(what, f"{least:g} of the floor", reached=self.ratio >= least)

    def judged_by_rate(self, what: str, least: int) -> Figure:
        return self._figure(what, per_second(least), reached=self.measured >= least)

    def _figure(self, what: str, wanted: str, *, reached: bool) -> Figure:
        return Figure(
            what=what,
            floor=per_second(self.floor),
            measured=per_second(self.measured),
            ratio=f"{self.ratio:.2f}",
            wanted=wanted,
            reached=reached,
        )


def in_turns(floor: Callable[[], float], measured: Callable[[], float], turns: int) -> Pair:
    """Both rates in turns, after one turn each that does not count."""
    floor(), measured()
    both = [(floor(), measured()) for _ in range(turns)]
    return Pair(max(f for f, _ in both), max(m for _, m in both))


def rate(
    count: int, work: Callable[[], object], clock: Callable[[], float] = time.perf_counter
) -> float:
    """How many a second, when `work` does `count` of them."""
    began = clock()
    work()
    return count / (clock() - began)


def rate_of_one_core(count: int, work: Callable[[], object]) -> float:
    """The same by the time that this process was given: for work that waits for nothing."""
    return rate(count, work, time.process_time)


def per_second(value: float) -> str:
    """A rate in words."""
    return f"{value:,.0f}/s"

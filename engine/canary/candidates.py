"""The values that are worth trying for a leaf: at and beside every threshold that it may meet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from engine.canary.given import NOW
from engine.core import expression as tree
from engine.core.definition import Parameter
from engine.core.expression import Expression
from engine.core.kind import Type, constant
from engine.core.quantity import UnitError, convert

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AGO = (timedelta(), HOUR, 2 * HOUR, 7 * HOUR, 13 * HOUR, DAY, 2 * DAY, 8 * DAY, 40 * DAY)
"""How long ago things may have been, beside what a condition itself says of time."""
MOST_AGO = timedelta(days=150)
AHEAD = (HOUR, 2 * DAY)
"""How far ahead something may lie: of a late entry the course knows what came after it."""


class Candidates:
    """Values for the leaves of one condition, by what stands in it."""

    def __init__(self, condition: Expression, parameters: Sequence[Parameter]) -> None:
        settings = {parameter.name: parameter.value for parameter in parameters}
        self._written: list[tuple[Type, Any]] = []
        codes: dict[str, None] = {}
        for node in tree.walk(condition):
            match node:
                case tree.Constant(value):
                    self._written.append(constant(value))
                case tree.Setting(name) if name in settings:
                    self._written.append(constant(settings[name]))
                case tree.OneOf(_, named):
                    codes |= dict.fromkeys(named)
                case _:
                    pass
        codes |= {value: None for kind, value in self._written if kind.kind == "code"}
        self._codes = tuple(codes)

    def of(self, kind: Type, low: Decimal | None = None, high: Decimal | None = None) -> list[Any]:
        """Values of a kind, the likeliest first."""
        match kind.kind:
            case "yesno":
                return [True, False]
            case "code":
                allowed = kind.codes
                named = [c for c in self._codes if allowed is None or c in allowed]
                return [*named, *sorted((allowed or frozenset()) - set(named))]
            case "quantity" | "number":
                return list(self._numbers(kind, low, high))
            case "instant":
                return [*(NOW - ago for ago in self.ago()), *(NOW + ahead for ahead in AHEAD)]
            case "date":
                return list(self._dates())
            case _:
                return []

    def ago(self) -> list[timedelta]:
        """How long ago something may have been: just before, at and after each length of time."""
        found = dict.fromkeys(AGO)
        for kind, value in self._written:
            if kind.kind == "elapsed":
                found |= dict.fromkeys((value, value + HOUR, value - timedelta(minutes=1)))
        return [one for one in found if timedelta() <= one <= MOST_AGO]

    def _numbers(self, kind: Type, low: Decimal | None, high: Decimal | None) -> Iterator[Decimal]:
        written = list(self._same_unit(kind))
        steps = (Decimal(0), Decimal(1), Decimal(-1), Decimal("0.1"), Decimal("-0.1"))
        found = [number + step for number in written for step in steps]
        if low is not None and high is not None:
            found += [(low + high) / 2, low + (high - low) / 4]
        found += [low or Decimal(0), high or Decimal(100), *map(Decimal, (0, 1, 2, 3, 10))]
        seen: set[Decimal] = set()
        for number in found:
            fits = (low is None or number >= low) and (high is None or number <= high)
            if fits and number not in seen:
                seen.add(number)
                yield number

    def _same_unit(self, kind: Type) -> Iterable[Decimal]:
        for other, value in self._written:
            if other.kind != kind.kind:
                continue
            if other.unit == kind.unit:
                yield value
            elif other.unit is not None and kind.unit is not None:
                try:
                    yield convert(value, other.unit, kind.unit)
                except UnitError:
                    continue

    def _dates(self) -> Iterator[date]:
        lengths = dict.fromkeys((0, 1, 2, 3, 7, 14, 30, -1, -7))
        for kind, value in self._written:
            if kind.kind == "span":
                lengths |= dict.fromkeys((value.days, value.days + 1, value.days - 1))
            elif kind.kind == "number":
                lengths |= dict.fromkeys((int(value), int(value) + 1))
        for days in lengths:
            if abs(days) < 400:
                yield NOW.date() - timedelta(days=days)

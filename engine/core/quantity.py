"""An exact decimal with a unit: no unit, no number.

- Decimals come from text or whole numbers, never from a float: 0.1 would already be another value.
- Units are a subset of UCUM, case sensitive. What is not in it is an error, never a guess.
- Conversion is exact (fractions) and rounded once, in `CONTEXT`. Nothing reads the thread's
  decimal context, which a host may have changed.
- `==` compares what is written, so 1 L and 1000 mL differ; `<=` and `>=` compare what is meant.

>>> q("30000", "/mm3").to("10*3/uL")
Quantity(value=Decimal('30'), unit='10*3/uL')
>>> print(q("100.4", "[degF]").to("Cel"))
38 Cel
>>> q(7, "M[IU]") >= q("7000000", "[IU]")
True
"""

from __future__ import annotations

import re
import reprlib
from collections import Counter
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

_TRAPS = [InvalidOperation, DivisionByZero, Overflow]
# Every argument is given, because the defaults come from a context that a host can change.
# Precision and range are those of IEEE 754 decimal128.
CONTEXT = Context(34, ROUND_HALF_EVEN, -6143, 6144, capitals=1, clamp=0, flags=[], traps=_TRAPS)

# Base dimensions with their exponents, sorted by name; empty for plain numbers.
Dimension: TypeAlias = tuple[tuple[str, int], ...]


class UnitError(ValueError):
    """A unit that cannot be read, or that does not convert to the one that was asked for."""

    def __init__(self, unit: str, problem: str) -> None:
        super().__init__(unit, problem)
        self.unit = unit
        self.problem = problem

    def __str__(self) -> str:
        return f"unit {reprlib.repr(self.unit)}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A finite decimal and its unit; the unit is looked up when it is first used."""

    value: Decimal
    unit: str

    def __post_init__(self) -> None:
        value: object = self.value
        if not (isinstance(value, Decimal) and value.is_finite()):
            raise ValueError(f"expected a finite Decimal, not {value!r}")

    def to(self, unit: str) -> Quantity:
        """The same amount in another unit, rounded once."""
        return Quantity(convert(self.value, self.unit, unit), unit)

    def __str__(self) -> str:
        number = decimal_text(self.value)
        return number if self.unit == "1" else f"{number} {self.unit}"

    def __lt__(self, other: object) -> bool:
        return self._order(other) < 0 if isinstance(other, Quantity) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self._order(other) <= 0 if isinstance(other, Quantity) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self._order(other) > 0 if isinstance(other, Quantity) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self._order(other) >= 0 if isinstance(other, Quantity) else NotImplemented

    def _order(self, other: Quantity) -> int:
        slope, shift = _ratio(self.unit, other.unit)
        if self.unit == other.unit:
            return (self.value > other.value) - (self.value < other.value)
        left, right = Fraction(self.value) * slope + shift, Fraction(other.value)
        return (left > right) - (left < right)


def q(value: str | int, unit: str) -> Quantity:
    """The short form for workflows, both halves checked."""
    dimension(unit)
    return Quantity(decimal_from(value), unit)


def decimal_from(text: object) -> Decimal:
    """Only a plain decimal string or a whole number is a number here.

    >>> decimal_from("3.10"), decimal_from(7)
    (Decimal('3.10'), Decimal('7'))
    >>> decimal_from(3.1)
    Traceback (most recent call last):
    ValueError: expected a decimal string such as "3.1" (at most 30 digits), not float 3.1
    """
    if isinstance(text, str) and len(text) <= _LONGEST and (found := _written(text)) is not None:
        return found
    kind, shown = type(text).__name__, ""
    if not isinstance(text, int) or isinstance(text, bool):
        shown = f" {reprlib.repr(text)}"
    elif abs(text) < 10**30:
        return Decimal(int(text))
    raise ValueError(
        f'expected a decimal string such as "3.1" (at most 30 digits), not {kind}{shown}'
    )


def decimal_text(value: Decimal) -> str:
    """One text per value, never with an exponent, so that equal decimals are stored alike.

    >>> [decimal_text(Decimal(text)) for text in ("3.10", "30", "3E+1", "-0.0")]
    ['3.1', '30', '30', '0']
    """
    if not value.is_finite():
        raise ValueError(f"expected a finite Decimal, not {value!r}")
    text = format(value, "f") if value else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text


def dimension(unit: str) -> Dimension:
    """What the unit measures: units of one dimension convert into each other.

    >>> dimension("10*3/uL") == dimension("/mm3")
    True
    >>> dimension("IU")
    Traceback (most recent call last):
    engine.core.quantity.UnitError: unit 'IU': 'IU' is not a known unit; in UCUM write '[IU]'
    """
    return _scale(unit).dimension


def convertible(a: str, b: str) -> bool:
    """Whether an amount in one unit can be told in the other."""
    return dimension(a) == dimension(b)


def convert(value: Decimal, source: str, target: str) -> Decimal:
    """The number in the target unit: exact, then rounded once."""
    slope, shift = _ratio(source, target)
    if source == target:
        return value
    exact = Fraction(value) * slope + shift
    return CONTEXT.divide(Decimal(exact.numerator), Decimal(exact.denominator))


@dataclass(frozen=True, slots=True)
class _Scale:
    """How a unit reaches base units: `(value + offset) * factor`."""

    factor: Fraction
    dimension: Dimension
    offset: Fraction = Fraction(0)


_DECIMAL = re.compile(r"-?(?!(?:\.?[0-9]){31})[0-9]+(?:\.[0-9]+)?")
_LONGEST = 32  # thirty digits, a sign and a point: whatever is longer is not even looked at
# An operator, then a symbol with its exponent, an annotation in braces, or both.
_SYMBOL = r"10[*^]|1(?![0-9+-])|%|(?:[A-Za-z]|\[[A-Za-z]+\])+"
_TERM = re.compile(rf"([./]?)(?:({_SYMBOL})([+-]?[0-9]{{1,2}})?)?(\{{[!-z|~]*\}})?")

_POWERS = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "c": -2, "d": -1, "k": 3, "M": 6, "G": 9}
_ONE = Fraction(1)
_LENGTH, _MONTH, _TEMPERATURE, _TIME = "length", "month", "temperature", "time"
_PRESSURE = ((_LENGTH, -1), ("mass", 1), (_TIME, -2))
_METRIC = {
    "g": _Scale(_ONE, (("mass", 1),)),
    "m": _Scale(_ONE, ((_LENGTH, 1),)),
    "s": _Scale(_ONE, ((_TIME, 1),)),
    "L": _Scale(Fraction(1, 1000), ((_LENGTH, 3),)),
    "l": _Scale(Fraction(1, 1000), ((_LENGTH, 3),)),
    "Pa": _Scale(Fraction(1000), _PRESSURE),
    "m[Hg]": _Scale(Fraction(133_322_000), _PRESSURE),
    "mol": _Scale(_ONE, (("substance", 1),)),
    # UCUM equates eq with mol, but the charge decides: 1 mmol of calcium is 2 meq.
    "eq": _Scale(_ONE, (("equivalents", 1),)),
    # Enzyme activity stays apart from umol/min, and biological activity from any mass.
    "U": _Scale(_ONE, (("enzyme activity", 1),)),
    "[IU]": _Scale(_ONE, (("biological activity", 1),)),
}
_PLAIN = {
    "1": _Scale(_ONE, ()),
    "10*": _Scale(Fraction(10), ()),
    "%": _Scale(Fraction(1, 100), ()),
    "min": _Scale(Fraction(60), ((_TIME, 1),)),
    "h": _Scale(Fraction(3600), ((_TIME, 1),)),
    "d": _Scale(Fraction(86_400), ((_TIME, 1),)),
    "wk": _Scale(Fraction(604_800), ((_TIME, 1),)),
    # UCUM's mean month of 30.4375 days is no calendar's month: months are not days here.
    "mo": _Scale(_ONE, ((_MONTH, 1),)),
    "a": _Scale(Fraction(12), ((_MONTH, 1),)),
}
# These stand alone: twice 20 Cel means nothing, and "K/uL" on a laboratory slip means thousands.
_TEMPERATURES = {
    "K": _Scale(_ONE, ((_TEMPERATURE, 1),)),
    "Cel": _Scale(_ONE, ((_TEMPERATURE, 1),), Fraction("273.15")),
    "[degF]": _Scale(Fraction(5, 9), ((_TEMPERATURE, 1),), Fraction("459.67")),
}
_MISTAKES = {
    "IU": "[IU]", "MIU": "M[IU]", "mIU": "m[IU]", "mcg": "ug", "mcL": "uL", "cc": "mL",
    "mEq": "meq", "mmHg": "mm[Hg]", "K/uL": "10*3/uL", "bpm": "/min", "C": "Cel", "degC": "Cel",
    "F": "[degF]", "degF": "[degF]", "sec": "s", "hr": "h", "hrs": "h", "day": "d", "days": "d",
    "week": "wk", "month": "mo", "year": "a",
}  # fmt: skip


@lru_cache(maxsize=4096)  # what is measured is measured again
def _written(text: str) -> Decimal | None:
    """The number that a text is, if it is one."""
    if not _DECIMAL.fullmatch(text):
        return None
    return CONTEXT.plus(Decimal(text))  # plus: there is one zero, without a sign


@lru_cache(maxsize=1024)
def _ratio(source: str, target: str) -> tuple[Fraction, Fraction]:
    a, b = _scale(source), _scale(target)
    if a.dimension != b.dimension:
        raise UnitError(source, f"does not convert to {target!r}")
    slope = a.factor / b.factor
    return slope, a.offset * slope - b.offset


@lru_cache(maxsize=1024)
def _scale(unit: str) -> _Scale:
    terms = _terms(unit)
    if len(terms) == 1 and terms[0][1] == 1 and terms[0][0] in _TEMPERATURES:
        return _TEMPERATURES[terms[0][0]]
    factor, exponents = _ONE, Counter[str]()
    for symbol, power in terms:
        atom = _atom(unit, symbol)
        factor *= atom.factor**power
        for base, exponent in atom.dimension:
            exponents[base] += exponent * power
    return _Scale(factor, tuple(sorted(item for item in exponents.items() if item[1])))


def _terms(unit: str) -> list[tuple[str, int]]:
    text: object = unit  # from a border it may be anything
    if not (isinstance(text, str) and 0 < len(text) <= 80):
        raise UnitError(unit, 'expected a UCUM unit such as "mg/dL", or "1" for a plain number')
    terms, place = list[tuple[str, int]](), 0
    while found := _TERM.match(unit, place):
        operator, symbol, power, note = found.groups()
        if not (symbol or note) or (operator != "/" and bool(operator) != bool(place)):
            break
        symbol = "10*" if symbol == "10^" else symbol or "1"
        terms.append((symbol, int(power or 1) * (-1 if operator == "/" else 1)))
        place = found.end()
        if place == len(unit):
            return terms
    raise _unreadable(unit, f"cannot be read at {unit[place:]!r}, expected UCUM such as 'mg/dL'")


def _atom(unit: str, symbol: str) -> _Scale:
    if symbol in _TEMPERATURES:
        raise _unreadable(unit, f"{symbol!r} is a temperature and must stand alone")
    if known := _PLAIN.get(symbol) or _METRIC.get(symbol):
        return known
    if symbol[0] in _POWERS and (metric := _METRIC.get(symbol[1:])):
        return _Scale(metric.factor * Fraction(10) ** _POWERS[symbol[0]], metric.dimension)
    raise _unreadable(unit, f"{symbol!r} is not a known unit")


def _unreadable(unit: str, problem: str) -> UnitError:
    # Spaces and degree signs go, both micro signs become u, then each word is looked up.
    meant = unit.translate({0x20: None, 0xB0: None, 0xB5: "u", 0x3BC: "u"})
    meant = _MISTAKES.get(meant) or re.sub(
        r"\[\w+\]|[A-Za-z]+", lambda word: _MISTAKES.get(word[0], word[0]), meant
    )
    try:
        _scale(meant if meant != unit else "")
    except UnitError:
        return UnitError(unit, problem)
    return UnitError(unit, f"{problem}; in UCUM write {meant!r}")

"""What a tree can give at all, from what the workflow declares.

Physical ranges of inputs, bounds of fields and codes come from the declarations. A parameter stands
for whatever a site may set it to, or for its value where that is `fixed`. Every answer may be too
wide and is never too narrow: two parts of a tree are taken to be independent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any, Self

from engine.core import expression as tree
from engine.core.definition import Field, Parameter, Workflow
from engine.core.expression import Expression, Value
from engine.core.kind import BROKEN, Type, constant
from engine.core.names import event_of
from engine.core.quantity import CONTEXT, UnitError, convert
from engine.core.weighing import Code


@dataclass(frozen=True, slots=True)
class Interval:
    """Numbers between two ends, each closed unless said to be open; `None` is without end."""

    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False
    high_open: bool = False

    @property
    def empty(self) -> bool:
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    @property
    def point(self) -> Decimal | None:
        """The only number, where there is only one."""
        return self.low if self.low is not None and self.low == self.high else None

    def meet(self, other: Interval) -> Interval:
        """The numbers that lie in both."""
        low, low_open = _inner(self.low, self.low_open, other.low, other.low_open, max)
        high, high_open = _inner(self.high, self.high_open, other.high, other.high_open, min)
        return Interval(low, high, low_open, high_open)

    def hull(self, other: Interval) -> Interval:
        """The least interval that holds both."""
        return Interval(_either(min, self.low, other.low), _either(max, self.high, other.high))

    def related(self, op: str) -> Interval:
        """The numbers that stand to some number of this interval as `op` says."""
        match op:
            case "<" | "<=":
                return Interval(high=self.high, high_open=op == "<" or self.high_open)
            case ">" | ">=":
                return Interval(low=self.low, low_open=op == ">" or self.low_open)
            case "==":
                return self
            case _:
                return EVERYTHING

    def converted(self, source: Type, target: Type) -> Interval:
        """The same amounts told in another unit."""
        if source.unit is None or target.unit is None or source.unit == target.unit:
            return self
        low, high = (
            None if end is None else convert(end, source.unit, target.unit)
            for end in (self.low, self.high)
        )
        return Interval(low, high, self.low_open, self.high_open)


EVERYTHING = Interval()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """What the leaves of a tree can hold: inputs, the fields of one event, parameters."""

    inputs: Mapping[str, Interval]
    fields: Mapping[str, Interval]
    members: Mapping[tuple[str, str], Interval]
    parameters: Mapping[str, Parameter]
    fixed: bool

    @classmethod
    def of(cls, workflow: Workflow, event: str | None, *, fixed: bool) -> Self:
        """As the workflow declares them."""
        inputs = {i.name: Interval(i.low, i.high) for i in workflow.inputs}
        sent = event_of(workflow, event)
        fields = sent.fields if sent is not None else ()
        return cls(
            inputs=inputs,
            fields={f.name: _of_field(f, inputs) for f in fields},
            members={(f.name, m.name): Interval(m.low, m.high) for f in fields for m in f.members},
            parameters={p.name: p for p in workflow.parameters},
            fixed=fixed,
        )

    def is_set(self, parameter: str) -> bool:
        """Whether the parameter stands for one value only."""
        return self.fixed or not self.parameters[parameter].site

    def numbers(self, code: Code, narrowed: Mapping[Expression, Interval]) -> Interval:
        """The numbers that a tree can give, in its own unit; `narrowed` says more of some parts."""
        if inner := wrapped(code):
            return self.numbers(inner, narrowed).converted(inner.type, code.type)
        found = self._numbers(code, lambda part: self.numbers(part, narrowed))
        return found.meet(narrowed.get(code.node, EVERYTHING))

    def codes(self, code: Code) -> frozenset[str] | None:
        """The codes that a tree can give; `None` where it may be any."""
        if inner := wrapped(code):
            return self.codes(inner)
        match code.node:
            case tree.Constant(str() as value):
                return frozenset((value,))
            case tree.Setting(name) if self.is_set(name):
                return frozenset((str(self.parameters[name].value),))
            case tree.Choose() | tree.Pick():
                found = [self.codes(part) for part in code.parts[1:] if part.type.kind == "code"]
                known = [codes for codes in found if codes is not None]
                return frozenset().union(*known) if len(known) == len(found) else None
        return code.type.codes

    def _numbers(self, code: Code, of: Callable[[Code], Interval]) -> Interval:
        if code.type == BROKEN:
            return EVERYTHING
        match code.node:
            case tree.Constant(value):
                return _point(value)
            case tree.Setting(name):
                return self._parameter(name, code.type)
            case tree.Latest(name):
                return self.inputs.get(name, EVERYTHING)
            case tree.Sent(name):
                return self.fields.get(name, EVERYTHING)
            case tree.SumOf(name, member):
                low = self.members.get((name, member), EVERYTHING).low
                return Interval(Decimal(0)) if low is not None and low >= 0 else EVERYTHING
            case tree.Sum(name):
                low = self.inputs.get(name, EVERYTHING).low
                return Interval(Decimal(0)) if low is not None and low >= 0 else EVERYTHING
            case tree.Round():
                return Interval(Decimal(1))
            case tree.Count():
                return Interval(Decimal(0))
            case tree.Arithmetic(op, _, _):
                left, right = code.parts
                return _arithmetic(op, of(left), of(right).converted(right.type, left.type))
            case tree.Extreme(op, _):
                ends = [of(part).converted(part.type, code.type) for part in code.parts]
                return _extreme(op, ends)
            case tree.Choose() | tree.Pick():
                parts = [part for part in code.parts[1:] if part.type.kind == code.type.kind]
                return _hull(of(part).converted(part.type, code.type) for part in parts)
        return EVERYTHING

    def _parameter(self, name: str, kind: Type) -> Interval:
        declared = self.parameters[name]
        if self.is_set(name):
            return _point(declared.value)
        try:
            low, high = (_bound(bound, kind) for bound in (declared.low, declared.high))
        except (TypeError, UnitError):  # what is wrong with a bound is said of the declaration
            return EVERYTHING
        return Interval(low.low, high.high)


def wrapped(code: Code) -> Code | None:
    """The code inside one that only tells the same tree in another unit."""
    return code.parts[0] if len(code.parts) == 1 and code.parts[0].node is code.node else None


def ordered(kind: Type) -> bool:
    """Whether values of this type are looked at as numbers here."""
    return kind.kind in ("number", "quantity", "date", "elapsed")


def _of_field(field: Field, inputs: Mapping[str, Interval]) -> Interval:
    bound = EVERYTHING if field.input is None else inputs.get(field.input, EVERYTHING)
    return bound.meet(Interval(field.low, field.high))


def _point(value: Any) -> Interval:  # noqa: ANN401  # whatever a constant may hold
    kind, held = constant(value)
    match held:
        case Decimal():
            number = held
        case timedelta():
            number = Decimal(held // timedelta(microseconds=1))
        case date() if kind.kind == "date":
            number = Decimal(held.toordinal())
        case _:
            return EVERYTHING
    return Interval(number, number)


def _bound(value: Value, kind: Type) -> Interval:
    own, _ = constant(value)
    return _point(value).converted(own, kind) if own.kind == kind.kind else EVERYTHING


def _inner(
    a: Decimal | None, a_open: bool, b: Decimal | None, b_open: bool,  # noqa: FBT001  # two ends
    pick: Callable[[Decimal, Decimal], Decimal],
) -> tuple[Decimal | None, bool]:  # fmt: skip
    if a is None or b is None:
        return (b, b_open) if a is None else (a, a_open)
    if a == b:
        return a, a_open or b_open
    return (a, a_open) if pick(a, b) == a else (b, b_open)


def _arithmetic(op: str, left: Interval, right: Interval) -> Interval:
    if op == "-":
        right = Interval(_negated(right.high), _negated(right.low))
    if op in "+-":
        return Interval(
            _either(CONTEXT.add, left.low, right.low), _either(CONTEXT.add, left.high, right.high)
        )
    if right.low is not None and right.low == right.high:
        left, right = right, left
    if left.low is not None and left.low == left.high:
        ends = [_either(CONTEXT.multiply, left.low, end) for end in (right.low, right.high)]
        first, last = ends if left.low >= 0 else reversed(ends)
        return Interval(first, last)
    corners = [
        _either(CONTEXT.multiply, a, b)
        for a in (left.low, left.high)
        for b in (right.low, right.high)
    ]
    known = [corner for corner in corners if corner is not None]
    return Interval(min(known), max(known)) if len(known) == len(corners) else EVERYTHING


def _either(
    step: Callable[[Decimal, Decimal], Decimal], a: Decimal | None, b: Decimal | None
) -> Decimal | None:
    """The step of two ends; an end that is missing on either side stays missing."""
    return None if a is None or b is None else step(a, b)


def _negated(end: Decimal | None) -> Decimal | None:
    return None if end is None else CONTEXT.minus(end)


def _extreme(op: str, parts: list[Interval]) -> Interval:
    lows = [part.low for part in parts if part.low is not None]
    highs = [part.high for part in parts if part.high is not None]
    if op == "min":
        low = min(lows) if len(lows) == len(parts) else None
        return Interval(low, min(highs, default=None))
    high = max(highs) if len(highs) == len(parts) else None
    return Interval(max(lows, default=None), high)


def _hull(parts: Iterable[Interval]) -> Interval:
    found = list(parts)
    return reduce(Interval.hull, found) if found else EVERYTHING

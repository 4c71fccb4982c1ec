"""Steps on values: comparison, sum, difference, product, civil spans."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from engine.core import quantity
from engine.core.expression import Span
from engine.core.kind import DATE, ELAPSED, INSTANT, NUMBER, SPAN, Type
from engine.core.quantity import CONTEXT

Step = Callable[[Any, Any], Any]

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
ORDERED = {"number", "quantity", "date", "instant", "elapsed"}


def add_span(start: date, span: Span) -> date:
    """A date moved by whole months, clamped to the month's end, then by whole days."""
    month = start.month - 1 + span.months
    year, month = start.year + month // 12, month % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(start.day, last)) + timedelta(days=span.days)


def arithmetic(op: str, left: Type, right: Type) -> tuple[Type, Step] | None:
    """The type and the step of an arithmetic node, or `None` where it makes no sense."""
    sides = (left.kind, right.kind)
    add, subtract, multiply = CONTEXT.add, CONTEXT.subtract, CONTEXT.multiply
    if op in "+-" and sides in (("number", "number"), ("quantity", "quantity")):
        step = add if op == "+" else subtract
        if left.unit == right.unit:
            return left, step
        if (
            left.unit is None
            or right.unit is None
            or not quantity.convertible(left.unit, right.unit)
        ):
            return None
        source, target = right.unit, left.unit
        return left, lambda a, b: step(a, quantity.convert(b, source, target))
    table: dict[tuple[str, str, str], tuple[Type, Step]] = {
        ("*", "number", "number"): (NUMBER, multiply),
        ("*", "quantity", "number"): (left, multiply),
        ("*", "span", "number"): (SPAN, lambda a, b: Span(a.months * int(b), a.days * int(b))),
        ("*", "elapsed", "number"): (ELAPSED, lambda a, b: a * int(b)),
        ("+", "date", "span"): (DATE, add_span),
        ("-", "date", "span"): (DATE, lambda a, b: add_span(a, Span(-b.months, -b.days))),
        ("-", "date", "date"): (NUMBER, lambda a, b: Decimal((a - b).days)),
        ("+", "instant", "elapsed"): (INSTANT, operator.add),
        ("-", "instant", "elapsed"): (INSTANT, operator.sub),
        ("-", "instant", "instant"): (ELAPSED, operator.sub),
        ("+", "elapsed", "elapsed"): (ELAPSED, operator.add),
    }
    return table.get((op, *sides))

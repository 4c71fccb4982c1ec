"""What values there are: the types of trees, and the names that a tree may use."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from engine.core.expression import Span, Value
from engine.core.quantity import Quantity


@dataclass(frozen=True, slots=True)
class Type:
    """What a tree gives: its kind, the unit of a quantity, the codes of a coded value."""

    kind: str
    unit: str | None = None
    codes: frozenset[str] | None = None

    def __str__(self) -> str:
        return f"{self.kind} in {self.unit}" if self.unit else self.kind


YES_NO = Type("yesno")
NUMBER = Type("number")
DATE = Type("date")
INSTANT = Type("instant")
ELAPSED = Type("elapsed")
SPAN = Type("span")
LIST = Type("list")
UNSET = Type("unset")
BROKEN = Type("broken")


@dataclass(frozen=True, slots=True, kw_only=True)
class InputType:
    """What a guard needs to know of an input."""

    type: Type
    max_age: timedelta | None
    interval: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The names that a tree may use, and what they hold. `members` are those of list fields."""

    inputs: Mapping[str, InputType] = field(default_factory=dict)
    variables: Mapping[str, Type] = field(default_factory=dict)
    parameters: Mapping[str, tuple[Type, Any]] = field(default_factory=dict)
    fields: Mapping[str, Type] = field(default_factory=dict)
    members: Mapping[str, Mapping[str, Type]] = field(default_factory=dict)
    rules: Collection[str] = ()
    semantics: int = 1


def constant(value: Value) -> tuple[Type, Any]:
    """The type of a written value, and the value as guards see it."""
    match value:
        case None:
            return UNSET, None
        case bool():
            return YES_NO, value
        case Quantity():
            return Type("quantity", value.unit), value.value
        case Decimal():
            return NUMBER, value
        case timedelta():
            return ELAPSED, value
        case Span():
            return SPAN, value
        case date():
            return DATE, value
        case str():
            return Type("code"), value
    raise TypeError(f"no constant can be a {type(value).__name__}")

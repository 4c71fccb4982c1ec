"""How a value object is stored: member by member, each under a key spelled by hand.

- A key is never renamed. When an attribute is, its member keeps the key and names the `attribute`.
- A member that holds its default is left out. The default is part of what is stored, so it is
  spelled here and not taken from the class: that one may change, what was stored may not.
- Reading refuses what it does not know, and says where it lies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final, NamedTuple, TypeVar

from engine.core.encoding import Json, date_from, decode_value
from engine.core.expression import Span, Value
from engine.core.quantity import Quantity, decimal_text

REQUIRED: Final = object()
"""The default of a member that must be there."""


class Codec(NamedTuple):
    """The two ways between a Python value and its JSON. The text is the place, for errors."""

    write: Callable[[Any, str], Json]
    read: Callable[[Json, str], Any]


@dataclass(frozen=True, slots=True)
class Member:
    """One attribute of a value object, and how it is stored."""

    key: str
    codec: Codec
    default: Any = REQUIRED
    attribute: str = ""

    @property
    def name(self) -> str:
        """The attribute: the key, unless it was renamed since."""
        return self.attribute or self.key


def written(members: Sequence[Member], value: object, place: str) -> dict[str, Json]:
    """The members of a value that differ from their defaults."""
    made = {}
    for member in members:
        part = getattr(value, member.name)
        if member.default is REQUIRED or part != member.default:
            made[member.key] = member.codec.write(part, at(place, member.key))
    return made


def taken(members: Sequence[Member], data: Json, place: str) -> dict[str, Any]:
    """The attributes of a value that were written, every one of them. Raises ValueError."""
    known = {member.key for member in members}
    for key in members_of(data, place):
        if key not in known:
            expected = ", ".join(sorted(known)) or "none"
            raise ValueError(f"{at(place, key)}: unknown member, expected {expected}")
    made = {}
    for member in members:
        if member.key in data:
            made[member.name] = member.codec.read(data[member.key], at(place, member.key))
        elif member.default is REQUIRED:
            raise ValueError(f"{at(place, member.key)}: missing")
        else:
            made[member.name] = member.default
    return made


def at(place: str, key: str) -> str:
    """The place of a member."""
    return f"{place}.{key}" if place else key


def members_of(data: Json, place: str) -> Mapping[str, Json]:
    """The object that must be there."""
    found: Mapping[str, Json] = _found(data, dict, place)
    return found


def items_of(data: Json, place: str) -> Sequence[Json]:
    """The list that must be there."""
    found: Sequence[Json] = _found(data, list, place)
    return found


def exactly(kind: type) -> Codec:
    """Stored as it is, and of this type on both ways."""
    return Codec(
        lambda value, place: _given(value, kind, place),
        lambda data, place: _found(data, kind, place),
    )


_E = TypeVar("_E", bound=Enum)


def choice(kind: type[_E]) -> Codec:
    """A member of an enumeration, by its value."""

    def read(data: Json, place: str) -> _E:
        for member in kind:
            if member.value == data:
                return member
        raise ValueError(f"{place}: expected one of {', '.join(str(m.value) for m in kind)}")

    return Codec(lambda value, place: _given(value, kind, place).value, read)


def word(*words: str) -> Codec:
    """One of a few fixed texts."""

    def check(value: Json, place: str) -> str:
        if value not in words:
            raise ValueError(f"{place}: expected one of {', '.join(words)}")
        return str(value)

    return Codec(check, check)


def several(codec: Codec) -> Codec:
    """A tuple, in its order."""
    return Codec(
        lambda value, place: [
            codec.write(item, f"{place}[{n}]") for n, item in enumerate(_given(value, tuple, place))
        ],
        lambda data, place: tuple(
            codec.read(item, f"{place}[{n}]") for n, item in enumerate(items_of(data, place))
        ),
    )


def named(codec: Codec) -> Codec:
    """A mapping from names, which has no order."""

    def write(value: Json, place: str) -> dict[str, Json]:
        if not isinstance(value, Mapping):
            raise TypeError(f"{place}: expected a mapping, found {type(value).__name__}")
        return {
            _given(name, str, place): codec.write(part, at(place, name))
            for name, part in value.items()
        }

    return Codec(
        write,
        lambda data, place: {
            name: codec.read(part, at(place, name))
            for name, part in members_of(data, place).items()
        },
    )


def group(made: type, *members: Member) -> Codec:
    """A value object inside another."""
    return Codec(
        lambda value, place: written(members, _given(value, made, place), place),
        lambda data, place: made(**taken(members, data, place)),
    )


def _given(value: Json, kind: type, place: str) -> Json:
    # Exactly, because a bool is an int and a datetime is a date.
    if type(value) is not kind:
        raise TypeError(_unlike(value, kind, place))
    return value


def _found(data: Json, kind: type, place: str) -> Json:
    if type(data) is not kind:
        raise ValueError(_unlike(data, kind, place))
    return data


def _unlike(value: object, kind: type, place: str) -> str:
    return f"{place or 'value'}: expected {kind.__name__}, found {type(value).__name__}"


def _read_decimal(data: Json, place: str) -> Decimal:
    _found(data, str, place)
    try:
        return Decimal(decode_value("number", data))
    except ValueError as exc:
        raise ValueError(f"{place}: {exc}") from None


def _read_date(data: Json, place: str) -> date:
    try:
        return date_from(data)
    except ValueError as exc:
        raise ValueError(f"{place}: {exc}") from None


def _write_elapsed(value: timedelta, place: str) -> Json:
    _given(value, timedelta, place)
    # In whole numbers: total_seconds() is a float.
    made = {"seconds": value.days * 86_400 + value.seconds}
    return made | {"microseconds": value.microseconds} if value.microseconds else made


def _read_elapsed(data: Json, place: str) -> timedelta:
    try:
        return timedelta(**taken(_ELAPSED, data, place))
    except OverflowError:
        raise ValueError(f"{place}: too long") from None


def _write_value(value: Value, place: str) -> Json:
    match value:
        case None:
            return None
        case bool():
            return {"yesno": value}
        case str():
            return {"code": str(value)}
        case Decimal():
            return {"number": decimal_text(value)}
        case Quantity(amount, unit):
            return {"quantity": [decimal_text(amount), unit]}
        case timedelta():
            return _write_elapsed(value, place)
        case Span():
            return written(_SPAN, value, place) or {"days": 0}
        case date() if not isinstance(value, datetime):
            return {"date": value.isoformat()}
    raise TypeError(f"{place or 'value'}: no constant can be a {type(value).__name__}")


def _read_value(data: Json, place: str) -> Value:
    if data is None:
        return None
    match members_of(data, place):
        case {"yesno": bool(value), **rest} if not rest:
            return value
        case {"code": str(value), **rest} if not rest:
            return value
        case {"number": value, **rest} if not rest:
            return _read_decimal(value, at(place, "number"))
        case {"quantity": [amount, str(unit)], **rest} if not rest:
            return Quantity(_read_decimal(amount, f"{at(place, 'quantity')}[0]"), unit)
        case {"date": value, **rest} if not rest:
            return _read_date(value, at(place, "date"))
        case {"seconds": _}:
            return _read_elapsed(data, place)
        case {"months": _} | {"days": _}:
            return Span(**taken(_SPAN, data, place))
    raise ValueError(f"{place or 'value'}: no value is written like this")


TEXT = exactly(str)
FLAG = exactly(bool)
NUMBER = exactly(int)
DECIMAL = Codec(
    lambda value, place: decimal_text(_given(value, Decimal, place)),
    _read_decimal,
)
ELAPSED = Codec(_write_elapsed, _read_elapsed)
VALUE = Codec(_write_value, _read_value)

_ELAPSED = (Member("seconds", NUMBER), Member("microseconds", NUMBER, 0))
_SPAN = (Member("months", NUMBER, 0), Member("days", NUMBER, 0))

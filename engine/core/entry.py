"""What one member of an event's data looks like when sent, and what it becomes.

- Numbers come as decimal strings, units as UCUM, times with their zone; nothing is guessed.
- A reading outside the physical range of its input is kept and marked, since what was measured is a
  fact; any other field outside its bounds is malformed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.core.definition import Field, Input, Variable
from engine.core.quantity import UnitError, convert, decimal_from, decimal_text
from engine.core.quick import quick
from engine.core.wire import (
    EXACT,
    LIST_LIMIT,
    NOT_PUBLISHED,
    civil_day,
    free_text,
    instant,
    instant_or_gap,
    json_kind,
    members,
    require_not_published,
    shown,
    truth_value,
)
from engine.errors import InvalidInput

IMPOSSIBLE = "impossible"


@quick
@dataclass(frozen=True, slots=True)
class Taken:
    """A value as typed, when it was taken, over how long, and why it cannot be used."""

    value: Any
    at: datetime | None
    over: timedelta | None = None
    flaw: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A declared field, made ready for reading. `input` names what its readings are of."""

    name: str
    kind: str
    unit: str | None
    codes: tuple[str, ...]
    low: Decimal | None
    high: Decimal | None
    input: str | None
    interval: bool
    required: bool
    members: Mapping[str, Entry]
    known: frozenset[str]

    def read(self, raw: object, place: str, at: datetime | None) -> Taken:
        """The typed value of anything but a text or a list; `at` is when the event happened."""
        taken_at, over, unit, where = at, None, None, place
        if isinstance(raw, dict):
            raw = members(raw, place, self.known, ("value",))
            if "at" in raw:
                taken_at = instant_or_gap(raw["at"], f"{place}.at")
                if taken_at is not None and at is not None and taken_at > at:
                    raise InvalidInput(f"{place}.at", "an instant that is not after the event's at")
            if raw["value"] is None:
                require_not_published(raw, place)
                return Taken(None, taken_at, None, NOT_PUBLISHED)
            if "reason" in raw:
                raise InvalidInput(f"{place}.reason", "no reason beside a value")
            if self.interval:
                over = _length(raw, f"{place}.over")
            unit, where, raw = raw.get("unit"), f"{place}.value", raw["value"]
        elif self.interval or self.kind == "quantity":
            example = f'"value": "3.1", "unit": "{self.unit}"' if self.unit else '"value": …'
            example += ', "over": {"value": "1", "unit": "h"}' if self.interval else ""
            raise InvalidInput(place, f"an object such as {{{example}}}", found=json_kind(raw))
        value = _READ[self.kind](self, raw, where)
        if self.kind == "quantity" and unit != (of := self.unit or "1"):
            value = _converted(value, unit, of, f"{place}.unit")
        if (self.low is not None and value < self.low) or (
            self.high is not None and value > self.high
        ):
            if self.input is None:
                raise InvalidInput(where, f"a value {self.bounds()}")
            return Taken(value, taken_at, over, IMPOSSIBLE)
        return Taken(value, taken_at, over)

    def items(
        self, raw: object, place: str, *, sealed: bool
    ) -> tuple[list[dict[str, Any]], list[str]]:
        """The typed items of a list field, and the places of the free texts in it."""
        if not isinstance(raw, list) or len(raw) > LIST_LIMIT:
            raise InvalidInput(
                place,
                f"an array of at most {LIST_LIMIT} objects",
                found=None if isinstance(raw, list) else json_kind(raw),
            )
        items, texts = [], []
        for number, sent in enumerate(raw):
            item, found = read_all(self.members, sent, f"{place}.{number}", None, sealed=sealed)
            items.append({name: usable(taken) for name, taken in item.items()})
            texts += found
        return items, texts

    def bounds(self) -> str:
        """What lies within them, in words; empty where there are none."""
        unit = f" {self.unit}" if self.unit and self.unit != "1" else ""
        low = f"from {decimal_text(self.low)}{unit}" if self.low is not None else ""
        high = f"up to {decimal_text(self.high)}{unit}" if self.high is not None else ""
        return f"{low} {high}".strip()


def entry(declared: Field | Variable, inputs: Mapping[str, Input]) -> Entry:
    """A field or variable made ready for reading; a bound one takes what its input says."""
    of, field = None, declared if isinstance(declared, Field) else None
    if field is not None and field.input is not None:
        of = inputs[field.input]
    source = declared if of is None else of
    known = {"value", "reason"}
    if of is not None:
        known |= {"at", "over"} if of.interval else {"at"}
    if source.kind == "quantity":
        known.add("unit")
    lows = [x.low for x in (field, of) if x is not None and x.low is not None]
    highs = [x.high for x in (field, of) if x is not None and x.high is not None]
    return Entry(
        name=declared.name, kind=source.kind, unit=source.unit, codes=tuple(source.codes),
        low=max(lows, default=None), high=min(highs, default=None),
        input=of.name if of is not None else None, interval=of is not None and of.interval,
        required=field is not None and field.required,
        members={m.name: entry(m, {}) for m in (field.members if field is not None else ())},
        known=frozenset(known),
    )  # fmt: skip


def input_entry(declared: Input) -> Entry:
    """A reading of an input by itself, as a correction brings it."""
    return entry(Field(name=declared.name, input=declared.name), {declared.name: declared})


def read_all(
    entries: Mapping[str, Entry], raw: object, place: str, at: datetime | None, *, sealed: bool
) -> tuple[dict[str, Taken], list[str]]:
    """Every member of an object as its entry reads it, and the places of the free texts in it."""
    taken: dict[str, Taken] = {}
    texts: list[str] = []
    sent_members = members(raw, place, entries.keys())
    for name, sent in sent_members.items():
        known, where = entries[name], f"{place}.{name}"
        if known.kind == "text":
            free_text(sent, where, sealed=sealed)
            texts.append(where)
        elif known.kind == "list":
            items, found = known.items(sent, where, sealed=sealed)
            taken[name] = Taken(items, at)
            texts += found
        else:
            taken[name] = known.read(sent, where, at)
    for known in entries.values():
        if known.required and known.name not in sent_members:
            raise InvalidInput(f"{place}.{known.name}", f"a {known.kind}, but it is absent")
    return taken, texts


def usable(taken: Taken) -> Any:  # noqa: ANN401  # a value of any kind
    """What a guard may see of a value: nothing of one that cannot be used."""
    return taken.value if taken.flaw is None else None


_LONGEST = timedelta(days=366)


def _decimal(_: Entry, raw: object, place: str) -> Decimal:
    if not isinstance(raw, str):
        raise InvalidInput(place, 'a decimal string such as "3.1"', found=json_kind(raw))
    try:
        return decimal_from(raw)
    except ValueError:
        raise InvalidInput(place, 'a decimal string such as "3.1" (at most 30 digits)') from None


def _number(of: Entry, raw: object, place: str) -> Decimal:
    if isinstance(raw, int) and not isinstance(raw, bool) and -EXACT < raw < EXACT:
        return Decimal(raw)
    if not isinstance(raw, str):
        raise InvalidInput(
            place, 'a decimal string such as "3.1", or a whole number', found=json_kind(raw)
        )
    return _decimal(of, raw, place)


def _converted(value: Decimal, unit: object, to: str, place: str) -> Decimal:
    if unit == to:
        return value
    try:
        if isinstance(unit, str):
            found = convert(value, unit, to)
            # Units may multiply a number beyond all use; 40 digits hold whatever is measured.
            if abs(found.adjusted()) <= 40:
                return found
    except UnitError:
        pass
    expected = f"{to!r}, or a UCUM unit that converts to it"
    found_word = None if unit is None else shown(unit)
    raise InvalidInput(place, expected, found=found_word)


def _length(raw: dict[str, Any], place: str) -> timedelta:
    if "over" not in raw:
        raise InvalidInput(place, 'how long it was measured, such as {"value": "1", "unit": "h"}')
    sent = members(raw["over"], place, ("value", "unit"), ("value", "unit"))
    value = _decimal(_ANY, sent["value"], f"{place}.value")
    length = _converted(value, sent["unit"], "us", f"{place}.unit")
    if not 0 < length <= _LONGEST / timedelta(microseconds=1) or length != int(length):
        raise InvalidInput(f"{place}.value", "whole microseconds, above zero and at most 366 days")
    return timedelta(microseconds=int(length))


def _date(_: Entry, raw: object, place: str) -> date:
    return civil_day(raw, place)


def _code(of: Entry, raw: object, place: str) -> str:
    if not isinstance(raw, str) or raw not in of.codes:
        raise InvalidInput(place, f"one of {', '.join(of.codes)}", found=shown(raw))
    return raw


_READ: Mapping[str, Callable[[Entry, object, str], Any]] = {
    "quantity": _decimal,
    "number": _number,
    "yesno": lambda _, raw, place: truth_value(raw, place),
    "code": _code,
    "date": _date,
    "instant": lambda _, raw, place: instant(raw, place),
}
_ANY = entry(Field(name="over", kind="quantity", unit="us"), {})

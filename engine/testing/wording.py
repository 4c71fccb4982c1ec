"""How a story writes values and times, and what they become in an event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from engine.core.definition import Field, Input
from engine.core.encoding import Json, instant_text
from engine.core.quantity import Quantity, decimal_text

When: TypeAlias = datetime | date | str
"""A time as a story tells it: of the site's wall, unless it has a zone."""


def value_json(of: Field | Input, value: Any, zone: ZoneInfo) -> Json:  # noqa: ANN401  # any value
    """A value as its field or input takes it. A mapping stands as it is."""
    if value is None:
        return {"value": None, "reason": "not-published"}
    if isinstance(value, Mapping | bool):
        return value
    if isinstance(of, Field) and of.kind == "list":
        members = {member.name: member for member in of.members}
        return [
            {name: value_json(members[name], part, zone) for name, part in item.items()}
            for item in value
        ]
    if of.kind == "quantity":
        return _quantity(value)
    if of.kind == "number":
        return value if isinstance(value, int) else str(value)
    if isinstance(value, datetime):
        return instant_text(value if value.tzinfo else value.replace(tzinfo=zone))
    return value.isoformat() if isinstance(value, date) else value


def override_json(named: str | Iterable[str] | Mapping[str, Json], code: str | None) -> Json:
    """An override of guards by name. A mapping stands as it is."""
    if isinstance(named, Mapping):
        return dict(named)
    guards = [named] if isinstance(named, str) else list(named)
    return {"code": code or "", "guards": guards, "text": "Told in a story."}


def instant(when: When, zone: ZoneInfo, today: date) -> datetime:
    """The instant of a time as told; a bare time of day is that of `today`."""
    if isinstance(when, str):
        when = datetime.fromisoformat(f"{today.isoformat()} {when}" if len(when) <= 5 else when)
    if not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day, tzinfo=zone)
    return (when if when.tzinfo is not None else when.replace(tzinfo=zone)).astimezone(UTC)


def _quantity(value: str | Quantity) -> Json:
    if isinstance(value, Quantity):
        return {"value": decimal_text(value.value), "unit": value.unit}
    amount, _, length = value.partition(" over ")
    number, _, unit = amount.partition(" ")
    sent: dict[str, Json] = {"value": number, "unit": unit or "1"}
    return {**sent, "over": _quantity(length)} if length else sent

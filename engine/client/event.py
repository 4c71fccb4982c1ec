"""What is sent: events, and the first one of a course."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Actor:
    """Who sends an event, by a pseudonym, in which role of the workflow."""

    id: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that is asked for or that happened, at a time with its zone.

    Decimals, days and times in `data` are sent as texts; quantities are `{"value", "unit"}`. `id`
    is the idempotency key. Without one, each call makes its own: choose it where the same event may
    be sent by two calls, after a restart for example.
    """

    event: str
    at: datetime | str | Mapping[str, str]
    actor: Actor
    data: Mapping[str, Any] | None = field(default=None, repr=False)
    reason: Mapping[str, str] | None = field(default=None, repr=False)
    override: Mapping[str, Any] | None = field(default=None, repr=False)
    id: str | None = None

    def body(self) -> dict[str, Any]:
        """The JSON that is sent. Raises ValueError for a time without its zone."""
        return _body(
            id=self.id,
            event=self.event,
            at=self.at,
            actor=self.actor,
            data=self.data,
            reason=self.reason,
            override=self.override,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """The first event of a course. `event` is `course.adopted` for one that began elsewhere.

    `patient` is a pseudonym, `zone` the IANA zone of the site, `workflow` a name, `name@version` or
    digest.
    """

    workflow: str
    patient: str
    site: str
    zone: str
    at: datetime | str | Mapping[str, str]
    actor: Actor
    event: str = "course.enrolled"
    data: Mapping[str, Any] | None = field(default=None, repr=False)
    retrospective: bool = False
    id: str | None = None

    def body(self) -> dict[str, Any]:
        """The JSON that is sent. Raises ValueError for a time without its zone."""
        return _body(
            id=self.id,
            event=self.event,
            at=self.at,
            actor=self.actor,
            workflow=self.workflow,
            patient=self.patient,
            site=self.site,
            zone=self.zone,
            data=self.data,
            retrospective=self.retrospective or None,
        )


def _body(*, actor: Actor, **members: object) -> dict[str, Any]:
    given = {name: _json(value) for name, value in members.items() if value is not None}
    return {"format": FORMAT, "actor": {"id": actor.id, "role": actor.role}, **given}


def _json(value: Any) -> Any:  # noqa: ANN401  # JSON
    match value:
        case Mapping():
            return {str(name): _json(one) for name, one in value.items()}
        case list() | tuple():
            return [_json(one) for one in value]
        case Decimal():
            return format(value, "f")
        case datetime() if value.utcoffset() is None:
            raise ValueError("a time without its zone says nothing")
        case date():  # and what is more than a day, an instant
            return value.isoformat()
        case _:
            return value

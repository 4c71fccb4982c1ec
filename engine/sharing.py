"""A shared calendar as it is stored, and what a store tells of the visits that one shows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from engine.core.encoding import Json, instant_text
from engine.log_entry import Entry


class Scope(StrEnum):
    """What a calendar is about. Stored: never rename a value."""

    SITE = "site"
    ROLE = "role"
    COURSE = "course"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A calendar as it is stored: everything but its secret."""

    id: str
    tenant: str
    sha256: str
    scope: Scope
    subject: str
    sites: tuple[str, ...] | None
    created_at: datetime
    created_by: str
    revoked_at: datetime | None = None

    def json(self) -> dict[str, Json]:
        """The calendar as it is listed."""
        return {
            "id": self.id,
            "scope": self.scope.value,
            "subject": self.subject,
            "sites": None if self.sites is None else list(self.sites),
            "created_at": instant_text(self.created_at),
            "created_by": self.created_by,
            "revoked_at": None if self.revoked_at is None else instant_text(self.revoked_at),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """A booking and where it is; `seq` is the record that last told of it, at `told`."""

    course: str
    zone: str
    waits: str | None
    name: str
    number: int | None
    start: datetime
    minutes: int | None
    status: str
    seq: int
    told: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Whose a course is, where it is treated, what it waits for, and its row."""

    patient: str
    site: str
    zone: str
    waits: str | None
    row: str


class CalendarStore(Protocol):
    """Where calendars are; each change is written with its row of the access log, or not at all."""

    def calendar(self, calendar: str) -> Shared | None:
        """The calendar of an id, whichever tenant's it is."""

    def calendars(
        self, tenant: str, *, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Shared]:
        """Calendars in the order in which they were made, after one."""

    def share(self, shared: Shared, entry: Entry) -> None:
        """Store a new calendar."""

    def revoke(self, tenant: str, calendar: str, *, at: datetime, entry: Entry) -> bool:
        """Revoke a calendar; whether it was there and not revoked before."""

    def booked(
        self, tenant: str, *, since: date, sites: Collection[str] | None, course: str | None
    ) -> Sequence[Booked]:
        """The bookings from a day on, over or not, in time; of one course, or of sites."""

    def places(self, tenant: str, courses: Sequence[str]) -> Mapping[str, Place]:
        """Where courses are."""

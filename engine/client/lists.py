"""Visits with their proposals and bookings, worklists, holds, and when a site is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from engine.client.call import Call, Part, get, members, one, part, path, query
from engine.client.documents import OpenFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class DueWindow:
    """When a visit may be; days are those of the course's zone."""

    number: int
    earliest: date
    target: date
    latest: date
    not_before: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visit and its window; `due` says where the day lies in it: `now`, `overdue`, ..."""

    name: str
    number: int | None
    window: DueWindow | None
    due: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """What speaks against a day, such as a `holiday` and its name."""

    on: date
    why: str
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A day to propose. Where there is none, `no_compliant_day` has each day of the window."""

    on: date | None
    not_before: datetime | None
    instead_of: Against | None
    no_compliant_day: tuple[Against, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """A booking as it was last told; `on` is its civil day at the site."""

    booking: str
    visit: str
    number: int | None
    start: datetime
    on: date
    minutes: int | None
    status: str
    changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedBooking(Booked):
    """A booking with what speaks against it."""

    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LackingInput:
    """An input that a rule waits for, and why it could not be used."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """A rule that could not be weighed, and what it waits for."""

    rule: str
    inputs: tuple[LackingInput, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A signature that a record waits for: `by` one person, or, where it is `None`, by another."""

    meaning: str
    by: str | None
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsignedRecord:
    """A record that waits for signatures, since when, and by when its event wants them."""

    record: int
    event: str
    since: datetime
    until: datetime | None
    signatures: tuple[Owed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of a list, as of a day at its site: a course, or a visit or booking of it.

    `why` says in words why it is there, `days` are the clinic days that it belongs to, and
    `open_every_day` that its site has no calendar.
    """

    kind: str
    course: str
    site: str
    state: str
    as_of: date
    days: tuple[date, ...]
    visit: Visit | None
    proposal: Proposal | None
    open_every_day: bool
    bookings: tuple[Booked, ...]
    conflicts: tuple[str, ...]
    missing: tuple[Lacking, ...]
    findings: tuple[OpenFinding, ...] = ()
    unsigned: tuple[UnsignedRecord, ...] = ()
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Worklist:
    """A worklist and how many items it has: with `more`, at least so many."""

    kind: str
    title: str
    count: int
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """What was arranged of one visit of a series, or of all: `deferred`, `omitted`, `ceased`."""

    visit: str
    how: str
    number: int | None
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseVisits:
    """The due visits of a course, all that was ever booked, and what was arranged."""

    course: str
    site: str
    state: str
    waits: str | None
    visits: tuple[Item, ...]
    bookings: tuple[JudgedBooking, ...]
    arranged: tuple[Arranged, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site and its calendar, as it is written; without one it is open every day."""

    site: str
    calendar: Mapping[str, Any] | None
    open_every_day: bool
    changed_at: datetime | None


def worklists(
    *,
    site: str | tuple[str, ...] | None = None,
    workflow: str | None = None,
    day: date | None = None,
    as_of: date | None = None,
    soon_days: int | None = None,
) -> Call[tuple[Worklist, ...]]:
    """Every worklist with how many items it has."""
    asked = query(site=site, workflow=workflow, day=day, as_of=as_of, soon_days=soon_days)
    return get("/v1/worklists", members(Worklist, "worklists"), asked)


def worklist(
    kind: str,
    *,
    site: str | tuple[str, ...] | None = None,
    workflow: str | None = None,
    day: date | None = None,
    as_of: date | None = None,
    soon_days: int | None = None,
    page: int = 50,
    cursor: str | None = None,
) -> Call[Part[Item]]:
    """The items of a worklist, such as `due_now`. `as_of` is a day, else today at each site.

    `day`: only what is booked for that day, or proposed on it where nothing is booked.
    """
    asked = query(site=site, workflow=workflow, day=day, as_of=as_of, soon_days=soon_days)
    return _items(path("/v1/worklists/{kind}", kind=kind), asked, page, cursor)


def visits(
    *,
    site: str | tuple[str, ...] | None = None,
    workflow: str | None = None,
    day: date | None = None,
    as_of: date | None = None,
    soon_days: int | None = None,
    page: int = 50,
    cursor: str | None = None,
) -> Call[Part[Item]]:
    """Every visit whose window has opened or opens soon, the earliest first."""
    asked = query(site=site, workflow=workflow, day=day, as_of=as_of, soon_days=soon_days)
    return _items("/v1/visits", asked, page, cursor)


def visits_of(course: str, *, as_of: date | None = None) -> Call[CourseVisits]:
    """The due visits of a course with their proposals, and all that was ever booked."""
    where = path("/v1/courses/{course}/visits", course=course)
    return get(where, one(CourseVisits), query(as_of=as_of))


def holds(
    *,
    site: str | tuple[str, ...] | None = None,
    workflow: str | None = None,
    as_of: date | None = None,
    page: int = 50,
    cursor: str | None = None,
) -> Call[Part[Item]]:
    """Every course that is on hold, with the visit that reviews it."""
    return _items("/v1/holds", query(site=site, workflow=workflow, as_of=as_of), page, cursor)


def site(site: str) -> Call[Site]:
    """When a site is open."""
    return get(path("/v1/sites/{site}/calendar", site=site), one(Site))


def set_calendar(site: str, calendar: Mapping[str, Any]) -> Call[Site]:
    """Set when a site is open, in place of what was set before."""
    where = path("/v1/sites/{site}/calendar", site=site)
    return Call(method="PUT", path=where, answer=one(Site), body=calendar)


def _items(
    where: str, asked: tuple[tuple[str, str], ...], page: int, cursor: str | None
) -> Call[Part[Item]]:
    return get(
        where,
        part(Item, "items", lambda place: _items(where, asked, page, place)),
        (*asked, *query(limit=page, cursor=cursor)),
    )

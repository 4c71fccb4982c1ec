"""Worklists in the database: each follows an index, and none reads a course that it does not show.

- Lists of visits follow `ix_visits_earliest` or `ix_visits_target`, which hold all of a visit; the
  course of what is shown is looked up by its key.
- Lists of bookings follow the courses of which something speaks against a booking, lists of
  courses those that wait: partial indexes, which hold few, and say at which site.
- A page begins behind the last row of the page before it: its place in the index, not a count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Date,
    Integer,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    case,
    false,
    func,
    not_,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.types import TypeEngine

from engine.core.definition import Waits
from engine.core.scheduling import LIVE
from engine.core.snapshot import Booking, Window
from engine.listing import SEVERAL, SPEAKS, Booked, Candidate, Listing, Wanted
from engine.ports import Definition
from engine.store.queries import DEFINITION
from engine.store.sites import OF_SITES
from engine.store.sql import SqlStore
from engine.store.tables import bookings, courses, records, visits


class SqlLists:
    """Lists of a store of our own."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    @contextmanager
    def reading(self, tenant: str) -> Iterator[SqlReader]:
        with self._store.connection(write=False) as connection:
            yield SqlReader(connection, tenant)


class SqlReader:
    """One moment of one tenant."""

    def __init__(self, connection: Connection, tenant: str) -> None:
        self._connection = connection
        self._tenant = tenant

    @property
    def tenant(self) -> str:
        return self._tenant

    def candidates(self, wanted: Wanted) -> Sequence[Candidate]:
        if wanted.sites is not None and not wanted.sites:
            return []
        statement, order = listed(
            wanted.listing,
            after=wanted.after is not None,
            at_sites=wanted.sites is not None,
            of_one=wanted.workflow is not None,
            on_a_day=wanted.day is not None,
        )
        asked = self._asked(wanted, order)
        return [_candidate(row, order) for row in self._connection.execute(statement, asked)]

    def course(self, course: str, sites: frozenset[str] | None) -> Candidate | None:
        found = self._connection.execute(_COURSE, {"tenant": self._tenant, "course": course})
        row = found.first()
        if row is None or (sites is not None and row.site not in sites):
            return None
        return _candidate(row, ("course",))

    def windows(self, named: Sequence[str]) -> Mapping[str, Mapping[str, Window]]:
        asked = {"tenant": self._tenant, "courses": list(named)}
        found: dict[str, dict[str, Window]] = {course: {} for course in named}
        for course, name, *window in self._connection.execute(_WINDOWS, asked):
            found[course][name] = Window(*window)
        return found

    def bookings(
        self, named: Sequence[str], *, live: bool = True
    ) -> Mapping[str, Sequence[Booked]]:
        asked = {"tenant": self._tenant, "courses": list(named)}
        found: dict[str, list[Booked]] = {course: [] for course in named}
        for course, name, on, *rest in self._connection.execute(_BOOKED[live], asked):
            found[course].append(Booked(name=name, on=on, booking=Booking(*rest)))
        return found

    def calendars(self, named: Sequence[str]) -> Mapping[str, str]:
        asked = {"tenant": self._tenant, "sites": list(named)}
        return {row.site: row.calendar for row in self._connection.execute(OF_SITES, asked)}

    def recorded(self, places: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], datetime]:
        asked = {"tenant": self._tenant, "places": list(places)}
        return {
            (r.course, r.seq): r.recorded_at for r in self._connection.execute(_RECORDED, asked)
        }

    def definition(self, digest: str) -> Definition | None:
        asked = {"tenant": self._tenant, "digest": digest}
        found = self._connection.execute(DEFINITION, asked).mappings().first()
        return None if found is None else Definition(**found)

    def _asked(self, wanted: Wanted, order: tuple[str, ...]) -> dict[str, Any]:
        """The parameters; those that a statement does not name are left out by it."""
        asked: dict[str, Any] = {"tenant": self._tenant, "limit": wanted.limit}
        asked |= {name: getattr(wanted, name) for name in _DAYS.get(wanted.listing, ())}
        if wanted.sites is not None:
            asked["sites"] = sorted(wanted.sites)
        if wanted.workflow is not None:
            asked["workflow"] = wanted.workflow
        if wanted.day is not None:
            asked["day"] = wanted.day
        if wanted.after is not None:
            # Of the place of an item of a course, what the list follows comes first.
            asked |= {
                f"after_{name}": value for name, value in zip(order, wanted.after, strict=False)
            }
        return asked


@cache
def listed(
    listing: Listing, *, after: bool, at_sites: bool, of_one: bool, on_a_day: bool
) -> tuple[Select[*tuple[Any, ...]], tuple[str, ...]]:
    """The statement of a list, and the columns of its order; with `of_one` of one workflow."""
    made, order, site = _statement(listing)
    names = tuple(column.name for column in order)
    if after:
        place = [bindparam(f"after_{name}", type_=_TYPES.get(name, Text())) for name in names]
        here, there = tuple_(*order), tuple_(*place)
        made = made.where(here >= there if listing in SEVERAL else here > there)
    if at_sites:
        # Hidden from planners, who would go through all courses of a site for the few wanted.
        made = made.where(func.coalesce(site, "").in_(_SITES))
    if of_one:
        # Likewise; PostgreSQL takes a CASE for half of all, and any equation for one in 200.
        made = made.where(
            case((courses.c.workflow == bindparam("workflow"), true()), else_=false())
        )
    if on_a_day:
        made = made.where(_on_the_day(listing))
    return made.order_by(*order).limit(bindparam("limit")), names


def _statement(
    listing: Listing,
) -> tuple[Select[*tuple[Any, ...]], tuple[Column[Any], ...], Column[Any]]:
    """The statement without its page, the order that it follows, and the column of the site."""
    if listing in _COURSES:
        shown = _WHOLE_COURSES if listing in _NEED_ROWS else _OF_COURSES
        first = [courses.c[name] for name in _FIRST_BY.get(listing, ())]
        return shown.where(_COURSES[listing]), (*first, courses.c.course), courses.c.site
    late = listing in (Listing.OVERDUE, Listing.MISSED)
    day = visits.c.target if late else visits.c.earliest
    order = (day, visits.c.course, visits.c.name)
    return _OF_VISITS.where(_VISITS[listing]), order, visits.c.site


def _on_the_day(listing: Listing) -> ColumnElement[bool]:
    """What may be shown of a clinic day: whatever is booked for it, or may be proposed on it."""
    booked = select(bookings.c.name).where(bookings.c.on_date == _DAY, bookings.c.status.in_(LIVE))
    if listing in SEVERAL:  # a review that is past is on no day but that of its booking
        return booked.where(_of(bookings, courses)).exists()
    if listing in _COURSES:
        # Of what waits, only a hold has a visit, which is not looked at here.
        return true() if listing is Listing.HOLDS else false()
    may_be = and_(visits.c.earliest <= _DAY, visits.c.latest >= _DAY)
    return or_(may_be, booked.where(_of(bookings, visits)).exists())


def _candidate(row: Any, order: tuple[str, ...]) -> Candidate:  # noqa: ANN401  # a row of any list
    found = row._mapping  # noqa: SLF001  # its public name for a mapping
    due = "earliest" in found
    return Candidate(
        **{name: found[name] for name in ("course", "site", "zone", "state", "open", "waits")},
        key=tuple(found[name] for name in order),
        visit=found["name"] if due else None,
        window=Window(*(found[name] for name in _WINDOW_NAMES)) if due else None,
        row=found.get("row"),
    )


def _says(word: str) -> ColumnElement[bool]:
    """Whether a word is among a course's conflicts.

    Not by LIKE: PostgreSQL would think that nearly none has it, and sort them all for a page.
    """
    conflicts = courses.c.conflicts
    return func.length(func.replace(conflicts, word, "")) < func.length(conflicts)


def _of(table: Table, other: Table) -> ColumnElement[bool]:
    """Rows of the same course."""
    return and_(table.c.tenant == other.c.tenant, table.c.course == other.c.course)


_TENANT: ColumnElement[str] = bindparam("tenant")
_FIRST, _LAST, _UNTIL, _DAY = (
    bindparam(name, type_=Date()) for name in ("first", "last", "until", "day")
)
_SITES: BindParameter[Any] = bindparam("sites", expanding=True)
_TYPES: Mapping[str, TypeEngine[Any]] = {
    "earliest": Date(),
    "target": Date(),
    "findings": Integer(),
    "unsigned": Integer(),
}

_REST = [courses.c[name] for name in ("zone", "state", "open", "waits")]
_WINDOW_NAMES = ("number", "earliest", "target", "latest", "not_before")
_WINDOW = [visits.c[name] for name in _WINDOW_NAMES]
_FACTS = [bookings.c[name] for name in ("visit", "number", "start", "minutes", "status", "changes")]

_OF_VISITS = (
    select(visits.c.course, visits.c.site, *_REST, visits.c.name, *_WINDOW)
    .join_from(visits, courses, _of(courses, visits))
    .where(visits.c.tenant == _TENANT)
)
_OF_COURSES = select(
    courses.c.course,
    courses.c.site,
    courses.c.conflicts,
    courses.c.findings,
    courses.c.unsigned,
    *_REST,
).where(courses.c.tenant == _TENANT)
_WHOLE_COURSES = _OF_COURSES.add_columns(courses.c.row)

_BOOKED_FOR_IT = select(bookings.c.name).where(
    _of(bookings, visits),
    bookings.c.visit == visits.c.name,
    bookings.c.status.in_(LIVE),
    or_(bookings.c.number.is_(None), bookings.c.number == visits.c.number),
)
_VISITS: Mapping[Listing, ColumnElement[bool]] = {
    Listing.DUE_NOW: and_(visits.c.earliest <= _LAST, visits.c.target >= _FIRST),
    Listing.DUE_SOON: and_(visits.c.earliest > _FIRST, visits.c.earliest <= _UNTIL),
    Listing.OVERDUE: and_(visits.c.target < _LAST, visits.c.latest >= _FIRST),
    Listing.MISSED: and_(visits.c.target < _LAST, visits.c.latest < _LAST),
    Listing.UNBOOKED: and_(
        visits.c.earliest <= _UNTIL, visits.c.latest >= _FIRST, not_(_BOOKED_FOR_IT.exists())
    ),
    Listing.VISITS: visits.c.earliest <= _UNTIL,
}
# A value, since PostgreSQL would turn an EXISTS into a join with every visit that is past.
_FIRST_TO_CLOSE = select(func.min(visits.c.latest)).where(_of(visits, courses)).scalar_subquery()
_COURSES: Mapping[Listing, ColumnElement[bool]] = {
    **{
        listing: and_(
            courses.c.conflicts > "",
            or_(*(_says(word) for word in words)),
        )
        for listing, words in SPEAKS.items()
    },
    Listing.WAITING_FOR_DATA: and_(courses.c.open, courses.c.questions > 0),
    Listing.WAITING_FOR_DECISION: courses.c.waits == Waits.DECISION.value,
    Listing.HOLD_PAST_REVIEW: and_(courses.c.waits == Waits.HOLD.value, _FIRST_TO_CLOSE < _LAST),
    Listing.HOLDS: courses.c.waits == Waits.HOLD.value,
    Listing.OPEN_FINDINGS: courses.c.findings > 0,
    Listing.UNSIGNED: courses.c.unsigned > 0,
}
_FIRST_BY: Mapping[Listing, tuple[str, ...]] = {
    **dict.fromkeys(SPEAKS, ("conflicts",)),
    Listing.OPEN_FINDINGS: ("findings",),
    Listing.UNSIGNED: ("unsigned",),
}
"""By what a list of courses is ordered before their names: as its index is, and no other."""
_NEED_ROWS = frozenset({*SPEAKS, Listing.WAITING_FOR_DATA, Listing.OPEN_FINDINGS, Listing.UNSIGNED})
_DAYS: Mapping[Listing, tuple[str, ...]] = {
    Listing.DUE_NOW: ("first", "last"),
    Listing.DUE_SOON: ("first", "until"),
    Listing.OVERDUE: ("first", "last"),
    Listing.MISSED: ("last",),
    Listing.UNBOOKED: ("first", "until"),
    Listing.VISITS: ("until",),
    Listing.HOLD_PAST_REVIEW: ("last",),
}
"""The days that each statement names."""

_RECORDED = select(records.c.course, records.c.seq, records.c.recorded_at).where(
    records.c.tenant == _TENANT,
    tuple_(records.c.course, records.c.seq).in_(bindparam("places", expanding=True)),
)
_COURSE = _WHOLE_COURSES.where(courses.c.course == bindparam("course"))
_WINDOWS = (
    select(visits.c.course, visits.c.name, *_WINDOW)
    .where(visits.c.tenant == _TENANT, visits.c.course.in_(bindparam("courses", expanding=True)))
    .order_by(visits.c.course, visits.c.name)
)
_ALL_BOOKED = (
    select(bookings.c.course, bookings.c.name, bookings.c.on_date, *_FACTS)
    .where(
        bookings.c.tenant == _TENANT, bookings.c.course.in_(bindparam("courses", expanding=True))
    )
    .order_by(bookings.c.course, bookings.c.start, bookings.c.name)
)
_BOOKED = {False: _ALL_BOOKED, True: _ALL_BOOKED.where(bookings.c.status.in_(LIVE))}

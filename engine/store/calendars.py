"""Shared calendars in the database, and what they show of bookings and courses."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, and_, insert, or_, select, update

from engine.core.encoding import canonical
from engine.log_entry import Entry
from engine.sharing import Booked, Place, Scope, Shared
from engine.store.access import append
from engine.store.sql import SqlStore
from engine.store.tables import bookings, calendar_feeds, courses, records

AT_ONCE = 500
"""How many courses are asked for in one statement."""


class SqlCalendars:
    """Shared calendars of a store's database, each transaction its own."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def calendar(self, calendar: str) -> Shared | None:
        asked = select(calendar_feeds).where(calendar_feeds.c.id == calendar)
        with self._store.connection(write=False) as connection:
            found = connection.execute(asked).first()
        return None if found is None else _shared(found)

    def calendars(
        self, tenant: str, *, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Shared]:
        made, name = calendar_feeds.c.created_at, calendar_feeds.c.id
        asked = select(calendar_feeds).where(calendar_feeds.c.tenant == tenant)
        if after is not None:
            at, known = after
            asked = asked.where(or_(made > at, and_(made == at, name > known)))
        with self._store.connection(write=False) as connection:
            return [
                _shared(row) for row in connection.execute(asked.order_by(made, name).limit(limit))
            ]

    def share(self, shared: Shared, entry: Entry) -> None:
        values = {
            "id": shared.id,
            "tenant": shared.tenant,
            "sha256": shared.sha256,
            "scope": shared.scope.value,
            "subject": shared.subject,
            "sites": None if shared.sites is None else canonical(list(shared.sites)).decode(),
            "created_at": shared.created_at,
            "created_by": shared.created_by,
        }
        with self._store.connection() as connection:
            connection.execute(insert(calendar_feeds), values)
            append(connection, [entry])

    def revoke(self, tenant: str, calendar: str, *, at: datetime, entry: Entry) -> bool:
        standing = and_(
            calendar_feeds.c.tenant == tenant,
            calendar_feeds.c.id == calendar,
            calendar_feeds.c.revoked_at.is_(None),
        )
        with self._store.connection() as connection:
            change = update(calendar_feeds).where(standing).values(revoked_at=at)
            if connection.execute(change).rowcount == 0:
                return False
            append(connection, [entry])
            return True

    def booked(
        self, tenant: str, *, since: date, sites: Collection[str] | None, course: str | None
    ) -> Sequence[Booked]:
        asked = _BOOKED.where(bookings.c.tenant == tenant, bookings.c.on_date >= since)
        if course is not None:
            asked = asked.where(bookings.c.course == course)
        if sites is not None:
            asked = asked.where(courses.c.site.in_(sorted(sites)))
        with self._store.connection(write=False) as connection:
            return [Booked(**row) for row in connection.execute(asked).mappings()]

    def places(self, tenant: str, courses: Sequence[str]) -> Mapping[str, Place]:
        found: dict[str, Place] = {}
        with self._store.connection(write=False) as connection:
            for first in range(0, len(courses), AT_ONCE):
                asked = _places(tenant, courses[first : first + AT_ONCE])
                for course, *place in connection.execute(asked):
                    found[course] = Place(**dict(zip(_PLACE, place, strict=True)))
        return found


_PLACE = ("patient", "site", "zone", "waits", "row")


def _places(tenant: str, named: Sequence[str]) -> Select[*tuple[Any, ...]]:
    columns = [courses.c[name] for name in ("course", *_PLACE)]
    return select(*columns).where(courses.c.tenant == tenant, courses.c.course.in_(named))


_BOOKED = (
    select(
        bookings.c.course,
        courses.c.zone,
        courses.c.waits,
        bookings.c.name,
        bookings.c.number,
        bookings.c.start,
        bookings.c.minutes,
        bookings.c.status,
        bookings.c.seq,
        records.c.recorded_at.label("told"),
    )
    .join_from(
        bookings,
        courses,
        and_(courses.c.tenant == bookings.c.tenant, courses.c.course == bookings.c.course),
    )
    .join(
        records,
        and_(
            records.c.tenant == bookings.c.tenant,
            records.c.course == bookings.c.course,
            records.c.seq == bookings.c.seq,
        ),
    )
    .order_by(bookings.c.start, bookings.c.course, bookings.c.name)
)


def _shared(row: Row[Any]) -> Shared:
    return Shared(
        id=row.id,
        tenant=row.tenant,
        sha256=row.sha256,
        scope=Scope(row.scope),
        subject=row.subject,
        sites=None if row.sites is None else tuple(json.loads(row.sites)),
        created_at=row.created_at,
        created_by=row.created_by,
        revoked_at=row.revoked_at,
    )

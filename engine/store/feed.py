"""The feed: messages of the outbox in one order, so that nobody who reads on misses any.

- A message's position is given in a transaction of its own, after the one that wrote it. Those
  transactions stand in line, one a tenant, so that positions become visible in their order and
  without a gap. Whoever writes messages never waits for the line.
- A transaction that commits late gets a later position. Within a course the order is that of its
  records: each was written on the one before it, and was visible no earlier.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, insert, literal, select, tuple_, update

from engine.messages import Changed, Entry, Page
from engine.store.sql import SqlStore
from engine.store.tables import Instant, courses, feed, messages
from engine.store.writes import bound


class SqlFeed:
    """The feeds of a store's tenants."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def sequence(self, tenant: str, at: datetime, limit: int) -> int:
        """Give the oldest messages that wait their positions; how many did."""
        asked = {"its_tenant": tenant}
        with self._store.connection(write=False) as connection:
            if connection.execute(_WAITS, asked).first() is None:
                return 0
        with self._store.connection(line=tenant) as connection:
            before = connection.scalar(_HEAD, asked)
            connection.execute(_PLACE, {**asked, "before": before, "limit": limit})
            return connection.execute(_TAKEN, {**asked, "before": before, "at": at}).rowcount

    def head(self, tenant: str) -> int:
        """The last position, or 0."""
        with self._store.connection(write=False) as connection:
            return connection.scalar(_HEAD, {"its_tenant": tenant}) or 0

    def page(self, tenant: str, after: int, limit: int, sites: Sequence[str] | None = None) -> Page:
        """Entries after a position, of courses of the sites (`None`: all)."""
        asked = {"its_tenant": tenant, "after": after, "limit": limit + 1}
        with self._store.connection(write=False) as connection:
            found = connection.execute(_at(_ENTRIES, sites), asked).mappings().all()
            entries = [Entry(**row) for row in found[:limit]]
            if len(found) > limit:
                return Page(entries=entries, through=entries[-1].position, more=True)
            head = connection.scalar(_HEAD, {"its_tenant": tenant}) or 0
            return Page(entries=entries, through=max(after, head), more=False)

    def changed_since(
        self, tenant: str, after: int, limit: int, sites: Sequence[str] | None = None
    ) -> Sequence[Changed]:
        """Courses that something was said of after a position, by what was said of each last."""
        asked = {"its_tenant": tenant, "after": after, "limit": limit}
        with self._store.connection(write=False) as connection:
            found = connection.execute(_at(_CHANGED, sites), asked)
            return [Changed(**row) for row in found.mappings()]


_OF_TENANT = feed.c.tenant == bindparam("its_tenant")
_WAITING = (messages.c.tenant == bindparam("its_tenant"), messages.c.delivered_at.is_(None))
_ORDER = (messages.c.recorded_at, messages.c.course, messages.c.seq, messages.c.n)
_WAITS = select(literal(1)).where(*_WAITING).limit(1)
_HEAD = select(func.coalesce(func.max(feed.c.position), 0)).where(_OF_TENANT)

_oldest = (
    select(messages.c.kind, *_ORDER)
    .where(*_WAITING)
    .order_by(*_ORDER)
    .limit(bindparam("limit"))
    .subquery()
)
_NAMES = ("course", "seq", "n", "kind", "recorded_at")
_number = func.row_number().over(order_by=tuple(_oldest.c[c.name] for c in _ORDER))
_PLACE = insert(feed).from_select(
    ["tenant", "position", *_NAMES],
    select(
        bound(feed.c.tenant, "its_"),
        bindparam("before", type_=feed.c.position.type) + _number,
        *(_oldest.c[name] for name in _NAMES),
    ),
)
_TAKEN = (
    update(messages)
    .where(
        *_WAITING,
        tuple_(messages.c.course, messages.c.seq, messages.c.n).in_(
            select(feed.c.course, feed.c.seq, feed.c.n).where(
                _OF_TENANT, feed.c.position > bindparam("before")
            )
        ),
    )
    .values(delivered_at=bindparam("at", type_=Instant))
)

_AFTER = (_OF_TENANT, feed.c.position > bindparam("after"))
_ENTRIES = (
    select(feed.c.position, *(feed.c[name] for name in _NAMES))
    .where(*_AFTER)
    .order_by(feed.c.position)
    .limit(bindparam("limit"))
)
_last = func.max(feed.c.position).label("position")
_CHANGED = (
    select(feed.c.course, _last)
    .where(*_AFTER)
    .group_by(feed.c.course)
    .order_by(_last)
    .limit(bindparam("limit"))
)


def _at(query: Select[Any], sites: Sequence[str] | None) -> Select[Any]:
    """The query, of courses of some sites only."""
    if sites is None:
        return query
    its = (courses.c.tenant == feed.c.tenant) & (courses.c.course == feed.c.course)
    return query.join_from(feed, courses, its).where(courses.c.site.in_(sites))

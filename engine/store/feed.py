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

from sqlalchemy import Select, bindparam, func, insert, literal, select, update

from engine.messages import Changed, Entry, Page
from engine.store.sql import SqlStore
from engine.store.tables import Instant, courses, feed, messages


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
            before: int = connection.scalar(_HEAD, asked) or 0
            oldest = connection.execute(_OLDEST, {**asked, "limit": limit}).all()
            if oldest:
                keys = [dict(zip(_KEY, (tenant, *one[:3]), strict=True)) for one in oldest]
                rows = [dict(zip(_NAMES, one, strict=True)) for one in oldest]
                numbered = enumerate(rows, before + 1)
                connection.execute(
                    insert(feed), [{"tenant": tenant, "position": n, **row} for n, row in numbered]
                )
                connection.execute(_TAKEN, [{**key, "at": at} for key in keys])
            return len(oldest)

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
# Ordered, so that no database thinks of reading more than one row of the index of what waits.
_WAITS = select(literal(1)).where(*_WAITING).order_by(messages.c.recorded_at).limit(1)
_HEAD = select(func.coalesce(func.max(feed.c.position), 0)).where(_OF_TENANT)

_NAMES = ("course", "seq", "n", "kind", "recorded_at")
_KEY = ("its_tenant", "its_course", "its_seq", "its_n")
_OLDEST = (
    select(*(messages.c[name] for name in _NAMES))
    .where(*_WAITING)
    .order_by(*_ORDER)
    .limit(bindparam("limit"))
)
# Row by row: where nobody has counted the rows yet, PostgreSQL joins sets of them one by one.
_TAKEN = (
    update(messages)
    .where(*(messages.c[name.removeprefix("its_")] == bindparam(name) for name in _KEY))
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

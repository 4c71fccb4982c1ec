"""What an erasure leaves in a database, as far as it can be looked at, and how that is got rid of.

A row that was changed stays readable for a while in the bytes of every database: on SQLite in the
write-ahead log, on PostgreSQL as a dead row, in its write-ahead log and on its standbys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, func, or_, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from engine.core.event import SIGNED
from engine.errors import StoreUnavailable
from engine.store.sql import SqlStore
from engine.store.tables import (
    access_log,
    bookings,
    calendar_feeds,
    courses,
    deliveries,
    messages,
    readings,
    records,
    texts,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubbed:
    """Whether the bytes of what was erased are gone from the files that the database writes to.

    `why` says what kept it from being so.
    """

    done: bool
    why: str = ""


class SqlCustody:
    """The bytes of one database, whichever tenant's."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.kind: str = store.engine.dialect.name

    def scrub(self, *, rewrite: bool = False) -> Scrubbed:
        """Get rid of the bytes of what was erased; with `rewrite` by writing all anew.

        To be called after the erasure was committed. Raises StoreUnavailable.
        """
        try:
            with self._store.own.connect() as connection:
                if self.kind == "sqlite":
                    return _scrub_sqlite(connection, rewrite=rewrite)
                return _scrub_postgresql(connection, rewrite=rewrite)
        except (DBAPIError, PoolTimeout) as error:
            trouble = self._store.dialect.trouble(error) if isinstance(error, DBAPIError) else None
            if trouble is None:
                raise
            raise StoreUnavailable(trouble.why) from error

    def counts(self, tenant: str, course: str) -> Mapping[str, int]:
        """How much of a course lies in which table, beside its texts."""
        asked = {"its_tenant": tenant, "its_course": course}
        with self._store.connection(write=False) as connection:
            found = {name: connection.scalar(query, asked) or 0 for name, query in _COUNTS.items()}
            said = course.replace("_", f"{_ESCAPE}_")
            asked["alone"] = f'%"course":"{said}"%'
            asked["among"] = f'%"courses":[%"{said}"%]%'
            found["access_log"] = connection.scalar(_LOGGED, asked) or 0
            found["exports"] = connection.scalar(_EXPORTS, asked) or 0
        return found

    def traces(self) -> Mapping[str, int | str | None]:
        """What the database says of its own bytes."""
        with self._store.connection(write=False) as connection:
            if self.kind == "sqlite":
                return _sqlite(connection)
            row = connection.execute(_POSTGRESQL).one()
            return dict(row._mapping)  # noqa: SLF001  # its public name in SQLAlchemy


def _scrub_sqlite(connection: Connection, *, rewrite: bool) -> Scrubbed:
    if rewrite:
        connection.exec_driver_sql("VACUUM")
    busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    if busy:
        why = "the write-ahead log is still read by others: try again"
        return Scrubbed(done=False, why=why)
    if not rewrite:
        # What was overwritten is gone, but not what balancing the trees left behind on a page.
        why = "the file was not written anew: copies may lie on pages from which rows were moved"
        return Scrubbed(done=False, why=why)
    return Scrubbed(done=True)


def _scrub_postgresql(connection: Connection, *, rewrite: bool) -> Scrubbed:
    if not connection.scalar(_OURS):
        why = "only the owner of the tables may vacuum them: autovacuum does it in its time"
        return Scrubbed(done=False, why=why)
    connection.exec_driver_sql(f"VACUUM {'FULL ' if rewrite else ''}{texts.name}")
    if not rewrite:
        why = "the dead row is free to be overwritten; VACUUM FULL writes the table anew at once"
        return Scrubbed(done=False, why=why)
    return Scrubbed(done=True)


def _sqlite(connection: Connection) -> Mapping[str, int | str | None]:
    def asked(pragma: str) -> int:
        return int(connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one())

    name = connection.engine.url.database or ""
    ahead = Path(f"{name}-wal")
    return {
        "free_pages": asked("freelist_count"),
        "overwrites": asked("secure_delete"),
        "ahead_bytes": ahead.stat().st_size if ahead.exists() else 0,
    }


_TENANT: ColumnElement[str] = bindparam("its_tenant")
_COURSE: ColumnElement[str] = bindparam("its_course")


def _of(table: Table) -> Select[int]:
    """How many rows of a table are a course's."""
    of_course = (table.c.tenant == _TENANT, table.c.course == _COURSE)
    return select(func.count()).select_from(table).where(*of_course)


_COUNTS: Mapping[str, Select[int]] = {
    "records": _of(records),
    "signatures": _of(records).where(records.c.event == SIGNED),
    "readings": _of(readings),
    "bookings": _of(bookings),
    "messages": _of(messages),
    "deliveries": _of(deliveries),
    "texts": _of(texts).where(texts.c.text.is_not(None)),
    "erased": _of(texts).where(texts.c.text.is_(None)),
    "calendars": select(func.count())
    .select_from(calendar_feeds)
    .where(calendar_feeds.c.tenant == _TENANT, calendar_feeds.c.scope == "course")
    .where(calendar_feeds.c.subject == _COURSE),
    "same_patient": select(func.count())
    .select_from(courses)
    .where(courses.c.tenant == _TENANT, courses.c.course != _COURSE)
    .where(
        courses.c.patient
        == select(courses.c.patient)
        .where(courses.c.tenant == _TENANT, courses.c.course == _COURSE)
        .scalar_subquery()
    ),
}
_ENTRIES = select(func.count()).select_from(access_log).where(access_log.c.tenant == _TENANT)
_ABOUT = access_log.c.about
_ESCAPE = "/"  # no character of a course's name
_NAMED = or_(
    _ABOUT.like(bindparam("alone"), escape=_ESCAPE),
    _ABOUT.like(bindparam("among"), escape=_ESCAPE),
)
_LOGGED = _ENTRIES.where(_NAMED)
# One of the whole tenant, or of what changed since a day, names no course and may hold any.
_WIDE = or_(_ABOUT.like('%"tenant":true%'), _ABOUT.like('%"since":"%'))
_EXPORTS = _ENTRIES.where(access_log.c.action == "exported", or_(_NAMED, _WIDE))
_OURS = text(
    "SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class "
    "WHERE oid = 'regimen_texts'::regclass"
)
_POSTGRESQL = text(
    "SELECT s.n_dead_tup AS dead_rows, "
    "greatest(s.last_vacuum, s.last_autovacuum)::text AS last_vacuum, "
    "(SELECT count(*) FROM pg_stat_replication) AS standbys, "
    "(SELECT count(*) FROM pg_replication_slots) AS slots, "
    "current_setting('archive_mode') AS archive_mode "
    "FROM pg_stat_user_tables s WHERE s.relid = 'regimen_texts'::regclass"
)

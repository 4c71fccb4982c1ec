"""What whoever operates the engine asks of the database: is it sound, and how much waits in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Table, and_, exists, func, not_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from engine.store import append_only, schema
from engine.store.sql import SqlStore
from engine.store.tables import (
    canaries,
    courses,
    definitions,
    deliveries,
    guard_reports,
    messages,
    timers,
)

OF_LATE = timedelta(days=8)
"""How long a flight speaks of a definition: one that is in use is exercised again before."""

MOST = 10_000
"""Beyond this nothing is counted on: that it is too much is known by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundness:
    """Whether a database answers, has the tables of this code, and keeps its history."""

    database: bool = False
    migrations: bool = False
    guards: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits, each number up to `MOST`.

    `overdue_since` is when the earliest timer that did not come back yet was due. Of the canary
    courses of the last days, `canaries_unsound` is how many definitions did not act as expected
    when they were exercised last, and `canary_at` when any was; `canaries_stopped` of how many that
    open courses follow nothing was exercised in that time. `guard_alarms` is how many rules have
    stopped firing when that was last counted, the longest ago at `guards_at`.
    """

    timers_overdue: int = 0
    overdue_since: datetime | None = None
    messages_waiting: int = 0
    deliveries_waiting: int = 0
    dead_letters: int = 0
    canaries_unsound: int = 0
    canary_at: datetime | None = None
    canaries_stopped: int = 0
    guard_alarms: int = 0
    guards_at: datetime | None = None


class SqlOperation:
    """Questions about a whole database, whichever tenant's it is."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def soundness(self) -> Soundness:
        """Whether all is well; a database that does not answer is none that is."""
        try:
            with self._store.reading.begin() as connection:
                current = schema.is_current(connection)
                guarded = current and not append_only.missing(connection)
                return Soundness(database=True, migrations=current, guards=guarded)
        except (DBAPIError, PoolTimeout):
            return Soundness()

    def tenants(self) -> Sequence[str]:
        """Those that ever had a workflow, and so may have courses. Raises StoreUnavailable."""
        statement = select(definitions.c.tenant).distinct().order_by(definitions.c.tenant)
        with self._store.connection(write=False) as connection:
            return list(connection.scalars(statement))

    def backlog(self, now: datetime) -> Backlog:
        """What waits at an instant. Raises StoreUnavailable."""
        with self._store.connection(write=False) as connection:
            return _backlog(connection, now)


def _backlog(connection: Connection, now: datetime) -> Backlog:
    overdue = timers.c.due <= now
    return Backlog(
        timers_overdue=_count(connection, timers, overdue),
        overdue_since=connection.scalar(select(func.min(timers.c.due)).where(overdue)),
        messages_waiting=_count(connection, messages, messages.c.delivered_at.is_(None)),
        deliveries_waiting=_count(
            connection,
            deliveries,
            deliveries.c.delivered_at.is_(None) & deliveries.c.dead_at.is_(None),
        ),
        dead_letters=_count(connection, deliveries, deliveries.c.dead_at.is_not(None)),
        canaries_unsound=_unsound(connection, now),
        canary_at=connection.scalar(select(func.max(canaries.c.at))),
        canaries_stopped=_stopped(connection, now),
        guard_alarms=connection.scalar(select(func.sum(guard_reports.c.alarms))) or 0,
        guards_at=connection.scalar(select(func.min(guard_reports.c.at))),
    )


def _unsound(connection: Connection, now: datetime) -> int:
    """How many definitions did not act as expected when last exercised, of late."""
    newest = (
        select(canaries.c.tenant, canaries.c.digest, func.max(canaries.c.at).label("at"))
        .where(canaries.c.at >= now - OF_LATE)
        .group_by(canaries.c.tenant, canaries.c.digest)
        .subquery()
    )
    same = and_(*(newest.c[name] == canaries.c[name] for name in ("tenant", "digest", "at")))
    found = select(func.count()).select_from(canaries).join(newest, same)
    return connection.scalar(found.where(not_(canaries.c.sound))) or 0


def _stopped(connection: Connection, now: datetime) -> int:
    """Of how many definitions that open courses follow no canary flew of late."""
    used = select(courses.c.tenant, courses.c.digest).where(courses.c.open).distinct().subquery()
    flew = exists().where(
        canaries.c.tenant == used.c.tenant,
        canaries.c.digest == used.c.digest,
        canaries.c.at >= now - OF_LATE,
    )
    return connection.scalar(select(func.count()).select_from(used).where(not_(flew))) or 0


def _count(connection: Connection, table: Table, which: ColumnElement[bool]) -> int:
    some = select(table.c.tenant).where(which).limit(MOST).subquery()
    return connection.scalar(select(func.count()).select_from(some)) or 0

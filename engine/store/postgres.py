"""PostgreSQL through psycopg: many writers, who meet at the row of a course.

What costs time here are round trips, so that everything a decision writes is one statement: which
is a transaction by itself, where nothing else is written with it. Connections therefore commit each
statement by themselves, and a transaction of several begins by being told to.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from engine.errors import StoreUnavailable
from engine.ports import Write
from engine.store import step
from engine.store.channel import Channel
from engine.store.dialect import BEGINNING, Dialect
from engine.store.tables import ONE_OPEN, courses, definitions, records
from engine.store.trouble import MIGRATE, Kind, Trouble
from engine.store.writes import writes

WAITED = "regimen_waited"
"""What the pool notes of a connection that was used before."""


def open_engine(url: URL, **options: Any) -> Engine:  # noqa: ANN401  # SQLAlchemy's
    """An engine for the server. Raises StoreUnavailable when psycopg is not installed."""
    try:
        psycopg = url.set(drivername="postgresql+psycopg")
        engine = create_engine(
            psycopg, hide_parameters=True, isolation_level="AUTOCOMMIT", **options
        )
    except ModuleNotFoundError as error:
        raise StoreUnavailable("its driver is missing: install regimen-engine[postgres]") from error

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:  # noqa: ANN401  # a driver's connection
        # An instant near year 1 or 9999 has no local time in some zones, and none is read then.
        connection.execute("SET timezone TO 'UTC'")
        connection.commit()

    @event.listens_for(engine, "checkout")
    def taken(connection: Any, record: ConnectionPoolEntry, _: object) -> None:  # noqa: ANN401  # a driver's connection
        if record.info.get(WAITED) and gone(connection):
            raise InvalidatePoolError
        record.info[WAITED] = True

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        beginning = connection.get_execution_options().get(BEGINNING, POSTGRESQL.writing)
        if beginning:
            connection.exec_driver_sql(beginning)

    return engine


def gone(connection: Any) -> bool:  # noqa: ANN401  # a driver's connection
    """Whether the server is known to have closed a connection that waited in the pool.

    Nothing is sent, as `pool_pre_ping` would with every event: what came meanwhile is looked at. A
    loss that nobody told us of shows only when something is sent.
    """
    try:
        # First what the server said at the end, then that it ended.
        connection.pgconn.consume_input()
        connection.pgconn.consume_input()
    except connection.Error:
        return True
    return bool(connection.closed)


def append(channel: Channel, tenant: str, write: Write) -> bool:
    """In one round trip."""
    statement, asked = step.filled(tenant, write)
    moved: int = channel.rows(statement, asked)[0][0]
    return moved == 1


def trouble(error: DBAPIError) -> Trouble | None:
    """What an error of this database means."""
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        # The server was not reached, or it went away: there is no answer that has a code.
        lost = error.connection_invalidated or type(error.orig).__name__ == "OperationalError"
        said = " ".join(str(error.orig).split())
        return Trouble(Kind.UNAVAILABLE, f"{said}: {_LOST}") if lost else None
    if state in _RACES:
        return Trouble(Kind.RACE, Kind.RACE.value)
    if state == _LOCK_NOT_AVAILABLE:
        return Trouble(Kind.LOCKED, "the course stayed locked: see what holds it, then try again")
    diagnosis = getattr(error.orig, "diag", None)
    said = getattr(diagnosis, "message_primary", None) or ""
    if state == _UNDEFINED_TABLE and '"regimen_' in said:
        return Trouble(Kind.UNAVAILABLE, f"its tables are not there: {MIGRATE}")
    kind = _CONSTRAINTS.get(getattr(diagnosis, "constraint_name", None) or "")
    if kind is not None:
        return Trouble(kind, kind.value)
    for start, advice in _UNUSABLE.items():
        if state.startswith(start):
            return Trouble(Kind.UNAVAILABLE, f"{said}: {advice}")
    return None


_RACES = ("40001", "40P01")
"""Serialization failure and deadlock."""

_LOCK_NOT_AVAILABLE = "55P03"
_UNDEFINED_TABLE = "42P01"
_CONSTRAINTS = {
    f"pk_{records.name}": Kind.TAKEN,
    f"uq_{records.name}_event_id": Kind.TAKEN,
    f"pk_{courses.name}": Kind.TAKEN,
    ONE_OPEN: Kind.TAKEN,  # in a race; else it was found before anything was written
    f"fk_{courses.name}_{definitions.name.removeprefix('regimen_')}": Kind.UNDEFINED,
}
"""Our named constraints that a writer may run into; every other violation is a fault of ours."""

_LOST = (
    "see that the server runs, can be reached and lets us in; whatever was not answered may be "
    "sent again"
)
_UNUSABLE = {
    "08": "see that the server can be reached",
    "42501": "connect as a role that may do this",
    "25006": "name the server that may write, not its standby",
    "53100": "free some space on the server's disk",
    "53": "let the server have more, or ask less of it at once",
    "57P": "wait until the server is there again",
    "58": "look after the server's disk",
}

_LINE = (
    text("SET LOCAL lock_timeout = '10s'"),
    text(
        "SELECT pg_advisory_xact_lock("
        "hashtextextended('regimen_feed ' || CAST(:tenant AS text), 0))"
    ),
)
"""Two tenants whose names have one hash wait for each other, and that is all."""

_CHAINING = (
    text(
        "SELECT pg_advisory_xact_lock("
        "hashtextextended('regimen_access_log ' || CAST(:tenant AS text), 0))"
    ),
)
"""Whoever stands in the line of the feed as well took that lock first, so that nobody deadlocks."""

_WRITES = writes(insert)
POSTGRESQL = Dialect(
    writing="BEGIN",
    reading="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    # Whatever the server's default: what is read after the wait must be what is there by then.
    standing="BEGIN ISOLATION LEVEL READ COMMITTED",
    line=_LINE,
    chaining=_CHAINING,
    lone=True,
    writes=_WRITES,
    append=append,
    trouble=trouble,
    insert=insert,
)

"""SQLite: one writer at a time, in a file.

- A write takes the lock when its transaction begins: found later, it could not be waited for.
- Writers of one store take turns (see `turns`); those of others, and a host's, meet at the file.
- What was acknowledged survives a power failure (`synchronous=FULL`).
- pysqlite3, when it is installed, brings a newer SQLite than many a Python has; but one file must
  not be open with both in one process (see `drivers`).
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from engine.ports import Write
from engine.store import parameters, unwritable
from engine.store.channel import Channel
from engine.store.dialect import BEGINNING, TURNS, Dialect
from engine.store.drivers import count, driver
from engine.store.trouble import MIGRATE, Kind, Trouble
from engine.store.turns import Turns
from engine.store.writes import writes

STATEMENTS = 1024
"""Statements that a connection keeps ready: more than there are. Where they do not all fit, the
driver gives up those that came last, and each step after that is parsed and planned anew.
"""
IMMUTABLE = "regimen_immutable"
"""What the pool notes where a connection takes the file for one that nobody writes: how it was."""

SECONDS_TO_WAIT = 10
"""How long a writer waits for the writer before it."""


def open_engine(
    url: URL,
    *,
    wait: float = SECONDS_TO_WAIT,
    module: ModuleType | None = None,
    **options: Any,  # noqa: ANN401  # SQLAlchemy's
) -> Engine:
    """An engine for the file, with the settings that this store needs."""
    engine = create_engine(
        url,
        module=module or driver(),
        hide_parameters=True,
        connect_args={"cached_statements": STATEMENTS, **options.pop("connect_args", {})},
        **options,
    )
    count(engine)
    engine.update_execution_options(**{TURNS: Turns(wait)})
    file = unwritable.file_of(url)
    if file is not None:
        _read_where_unwritable(engine, file)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: ConnectionPoolEntry) -> None:  # noqa: ANN401  # a driver's connection
        connection.isolation_level = None  # the driver would begin too late, and not for reads
        run = connection.execute
        run(f"PRAGMA busy_timeout={int(wait * 1000)}")
        # Asked first: to set it takes a lock, and a file that may not be written has it already.
        if IMMUTABLE not in record.info and run("PRAGMA journal_mode").fetchone()[0] != "wal":
            run("PRAGMA journal_mode=WAL")
        run("PRAGMA synchronous=FULL")
        run("PRAGMA foreign_keys=ON")
        # What is erased is overwritten, and not only forgotten.
        run("PRAGMA secure_delete=ON")
        # So that what REPLACE deletes is seen by the guards of the tables.
        run("PRAGMA recursive_triggers=ON")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        beginning = connection.get_execution_options().get(BEGINNING, SQLITE.writing)
        if beginning:
            connection.exec_driver_sql(beginning)

    return engine


def _read_where_unwritable(engine: Engine, file: Path) -> None:
    """Open a file as one that nobody writes, where it can be read in no other way."""

    @event.listens_for(engine, "do_connect")
    def connecting(
        _: object, record: ConnectionPoolEntry, names: list[Any], options: dict[str, Any]
    ) -> None:
        look = unwritable.immutable(file)
        if look is not None:
            record.info[IMMUTABLE] = look
            names[0], options["uri"] = unwritable.as_uri(file), True

    @event.listens_for(engine, "checkout")
    def taken(_: object, record: ConnectionPoolEntry, __: object) -> None:
        look = record.info.get(IMMUTABLE)
        if look is not None and unwritable.immutable(file) != look:
            raise DisconnectionError


def may_corrupt(version: tuple[int, ...]) -> bool:
    """Whether a SQLite of that version may damage a WAL file when two connections reset it at once.

    Fixed in 3.51.3. Ask with `driver().sqlite_version_info`; the extra `sqlite` brings a newer one.
    """
    return (3, 7, 0) <= version <= (3, 51, 2)


def append(channel: Channel, tenant: str, write: Write) -> bool:
    """Statement by statement: there is no network between us and the file."""
    if write.before_seq == 0:
        moved = channel.send(_WRITES.open, parameters.course(tenant, write))
    else:
        moved = channel.send(_WRITES.move, parameters.move(tenant, write))
    if moved == 0:
        return False
    channel.send(_WRITES.record, parameters.record(tenant, write))
    channel.send_all(_WRITES.readings, parameters.readings(tenant, write))
    channel.send_all(_WRITES.messages, parameters.messages(tenant, write))
    channel.send_all(_WRITES.texts, parameters.texts(tenant, write))
    channel.send_all(_WRITES.erase, parameters.erased(tenant, write))
    if write.reviews:
        channel.send_all(_WRITES.queue, parameters.reviews(tenant, write))
    if write.timers:
        armed, disarmed = parameters.timers(tenant, write)
        channel.send_all(_WRITES.arm, armed)
        channel.send_all(_WRITES.disarm, disarmed)
    if write.visits:
        due, gone = parameters.visits(tenant, write)
        channel.send_all(_WRITES.schedule, due)
        channel.send_all(_WRITES.unschedule, gone)
    if write.booking is not None:
        channel.send_all(_WRITES.book, parameters.bookings(tenant, write))
    return True


def trouble(error: DBAPIError) -> Trouble | None:
    """What an error of this database means."""
    said = str(error.orig)
    code = getattr(error.orig, "sqlite_errorcode", 0)
    if code == _BUSY_SNAPSHOT:
        return Trouble(Kind.RACE, "the transaction read before another one wrote")
    if code & 0xFF in (_BUSY, _LOCKED) or "database is locked" in said:
        return Trouble(
            Kind.LOCKED, "another process keeps the file locked: see that it ends, then try again"
        )
    if code & 0xFF in _UNUSABLE:
        return Trouble(Kind.UNAVAILABLE, f"{said}: {_UNUSABLE[code & 0xFF]}")
    if said.startswith("no such table: regimen_"):
        return Trouble(Kind.UNAVAILABLE, f"its tables are not there: {MIGRATE}")
    for start, kind in _CONSTRAINTS.items():
        if said.startswith(start):
            return Trouble(kind, kind.value)
    return None


_WRITES = writes(insert)
_BUSY, _LOCKED, _BUSY_SNAPSHOT = 5, 6, 517
_UNUSABLE = {
    8: "make the file and its folder writable",
    10: "see that the disk is sound and has room, its quota too",
    13: "free some space",
    14: "make its folder, and see that it can be written",
    26: "name another file",
}
_CONSTRAINTS = {
    "UNIQUE constraint failed: regimen_records.": Kind.TAKEN,
    "UNIQUE constraint failed: regimen_courses.": Kind.TAKEN,
    "regimen_records is append-only": Kind.TAKEN,
    # No name is given; of what a step writes, only a course names another row.
    "FOREIGN KEY constraint failed": Kind.UNDEFINED,
}

SQLITE = Dialect(
    writing="BEGIN IMMEDIATE",
    reading="BEGIN",
    standing="BEGIN IMMEDIATE",
    line=(),
    chaining=(),
    lone=False,
    writes=_WRITES,
    append=append,
    trouble=trouble,
    insert=insert,
)

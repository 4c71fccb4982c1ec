"""Whether a database is set up as it should be: looked at through one connection, as who we are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, text

from engine.errors import StoreUnavailable
from engine.store import append_only, schema, sqlite
from engine.store.roles import APPLICATION
from engine.store.tables import records


class How(StrEnum):
    """How well it is: `advice` is no fault, yet somebody should know."""

    WELL = "well"
    ADVICE = "advice"
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was looked at, how it is, and what to do about it."""

    what: str
    how: How
    why: str


def examined(connection: Connection) -> Iterator[Found]:
    """Everything about a database that answers. Nothing is written."""
    try:
        schema.require_current(connection)
    except StoreUnavailable as wrong:
        yield Found(what="migrations", how=How.FAULT, why=wrong.why)
        return
    yield Found(what="migrations", how=How.WELL, why=f"at {schema.REVISIONS[-1]}")
    yield _guards(connection)
    if connection.dialect.name == "sqlite":
        yield from _sqlite(connection)
    else:
        yield from _rights(connection)
        yield from _durability(connection)


def _guards(connection: Connection) -> Found:
    missing = append_only.missing(connection)
    if missing:
        why = f"gone or switched off: {', '.join(missing)}. See who did it, then restore a backup"
        return Found(what="guards of the history", how=How.FAULT, why=why)
    return Found(what="guards of the history", how=How.WELL, why="all in place")


def _sqlite(connection: Connection) -> Iterator[Found]:
    version: str = connection.scalar(text("SELECT sqlite_version()")) or "0"
    if sqlite.may_corrupt(tuple(map(int, version.split(".")))):
        why = f"{version} can damage its file under several writers: install regimen-engine[sqlite]"
        yield Found(what="SQLite", how=How.ADVICE, why=why)
    else:
        yield Found(what="SQLite", how=How.WELL, why=version)
    mode = connection.scalar(text("PRAGMA journal_mode"))
    if mode != "wal":
        yield Found(what="journal", how=How.FAULT, why=f"{mode}, not wal: is it a network disk?")


def _rights(connection: Connection) -> Iterator[Found]:
    """Whether the role may do what the application does, and no more."""
    lacking = [
        f"{right} on {table}"
        for table, rights in APPLICATION.items()
        for right in _BETWEEN_RIGHTS.split(rights)
        if not _may(connection, table, right)
    ]
    if lacking:
        why = f"it lacks {', '.join(lacking)}: run `regimen migrate --app-role` as the owner"
        yield Found(what="role", how=How.FAULT, why=why)
        return
    is_superuser = connection.scalar(
        text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    )
    if is_superuser or any(_may(connection, records.name, right) for right in _CRIMES):
        why = (
            "it could change the history: let `regimen migrate --app-role ROLE` give another role "
            "its rights, and connect as one that has it"
        )
        yield Found(what="role", how=How.ADVICE, why=why)
    else:
        yield Found(what="role", how=How.WELL, why="appends, and changes no history")


_BETWEEN_RIGHTS = re.compile(r", (?![^(]*\))")
_CRIMES = ("UPDATE", "DELETE", "TRUNCATE")


def _may(connection: Connection, table: str, right: str) -> bool:
    """Whether the role has a right, such as SELECT or UPDATE (salt, text)."""
    word, _, columns = right.partition(" (")
    if not columns:
        asked = text("SELECT has_table_privilege(:table, :right)")
        return bool(connection.scalar(asked, {"table": table, "right": word}))
    asked = text("SELECT has_column_privilege(:table, :column, :right)")
    return all(
        connection.scalar(asked, {"table": table, "column": column.strip(), "right": word})
        for column in columns.rstrip(")").split(",")
    )


def _durability(connection: Connection) -> Iterator[Found]:
    """Whether the server keeps what it acknowledges."""
    asked = text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names)")
    rows = connection.execute(asked, {"names": list(_KEEPING)})
    settings = {row.name: row.setting for row in rows}
    loose = [name for name in ("fsync", "full_page_writes") if settings.get(name) == "off"]
    if settings["synchronous_commit"] == "off":
        loose.append("synchronous_commit")
    if loose:
        why = f"{', '.join(loose)} off: what was acknowledged may be lost. Switch it on"
        yield Found(what="durability", how=How.FAULT, why=why)
        return
    standby = settings["synchronous_standby_names"]
    if standby and settings["synchronous_commit"] == "local":
        why = "synchronous_commit is local: the standby is not waited for"
        yield Found(what="durability", how=How.FAULT, why=why)
    elif not standby:
        why = "one server has it all: see docs/production.md for a synchronous standby"
        yield Found(what="durability", how=How.ADVICE, why=why)
    else:
        yield Found(what="durability", how=How.WELL, why="commits wait for a standby")


_KEEPING = (
    "fsync",
    "full_page_writes",
    "synchronous_commit",
    "synchronous_standby_names",
)

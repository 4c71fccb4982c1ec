"""Three roles on PostgreSQL: the owner migrates, the application appends, the auditor reads.

The auditor reads views, in a schema of their own, that have the names of the tables and everything
in them but free text. With `?options=-csearch_path%3Dregimen_audit` in the database URL every
command that only reads works for the auditor too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Connection, text

from engine.errors import InvalidInput
from engine.store.tables import VERSION_TABLE, metadata

AUDIT = "regimen_audit"
"""The schema of the auditor's views."""

APPLICATION: Mapping[str, str] = {
    "regimen_definitions": "SELECT, INSERT",
    "regimen_prose": "SELECT, INSERT",
    "regimen_records": "SELECT, INSERT",
    "regimen_readings": "SELECT, INSERT",
    "regimen_texts": "SELECT, INSERT, UPDATE (salt, text)",
    # Deleting a course would leave its records without a row.
    "regimen_courses": "SELECT, INSERT, UPDATE",
    "regimen_timers": "SELECT, INSERT, UPDATE, DELETE",
    "regimen_visits": "SELECT, INSERT, UPDATE, DELETE",
    "regimen_bookings": "SELECT, INSERT, UPDATE",
    "regimen_messages": "SELECT, INSERT, UPDATE, DELETE",
    "regimen_sites": "SELECT, INSERT, UPDATE",
    "regimen_feed": "SELECT, INSERT",
    "regimen_endpoints": "SELECT, INSERT, UPDATE, DELETE",
    "regimen_deliveries": "SELECT, INSERT, UPDATE, DELETE",
    "regimen_tokens": "SELECT, INSERT, UPDATE",
    "regimen_calendar_feeds": "SELECT, INSERT, UPDATE",
    "regimen_access_log": "SELECT, INSERT",
    "regimen_reviews": "SELECT, INSERT, UPDATE",
    "regimen_canaries": "SELECT, INSERT",
    "regimen_guard_reports": "SELECT, INSERT, DELETE",
    "regimen_leaves": "SELECT, INSERT",
    "regimen_nodes": "SELECT, INSERT",
    "regimen_checkpoints": "SELECT, INSERT",
    "regimen_cosignatures": "SELECT, INSERT",
    "regimen_sealing": "SELECT, INSERT, UPDATE",
    VERSION_TABLE: "SELECT",
}
"""What the application may do with each table."""


def grant_roles(
    connection: Connection, *, app: str | None = None, auditor: str | None = None
) -> None:
    """Give the application's and the auditor's role their rights; the caller commits.

    To be called by the owner, again after each migration. A role that does not exist is made, and
    cannot log in: grant it to those who can. Making one takes CREATEROLE, and the auditor's views
    take CREATE on the database. Rights that were granted by others are left as they are.
    """
    if connection.dialect.name != "postgresql":
        raise InvalidInput(
            "roles",
            "a PostgreSQL database; whoever may write a SQLite file may do anything with it",
        )
    schema = connection.scalar(text("SELECT current_schema()"))
    if app is not None:
        role = _role(connection, app)
        _run(connection, f"GRANT USAGE ON SCHEMA {_quoted(connection, schema)} TO {role}")
        for table, rights in APPLICATION.items():
            _run(connection, f"REVOKE ALL ON {table} FROM {role}")
            _run(connection, f"GRANT {rights} ON {table} TO {role}")
    if auditor is not None:
        role = _role(connection, auditor)
        _run(connection, f"CREATE SCHEMA IF NOT EXISTS {AUDIT}")
        _run(connection, f"GRANT USAGE ON SCHEMA {AUDIT} TO {role}")
        for name, columns in _views().items():
            source = f"{_quoted(connection, schema)}.{name}"
            view = f"CREATE OR REPLACE VIEW {AUDIT}.{name} AS SELECT {columns} FROM {source}"  # noqa: S608  # names of ours
            _run(connection, view)
            _run(connection, f"GRANT SELECT ON {AUDIT}.{name} TO {role}")


_HIDDEN = {
    "regimen_texts": ("salt", "text"),
    "regimen_endpoints": ("secrets",),
    "regimen_tokens": ("sha256",),
    "regimen_calendar_feeds": ("sha256",),
}
"""What the auditor does not see: free text, and what a secret could be guessed from."""


def _views() -> Mapping[str, str]:
    """The columns of each view."""
    return {table.name: ", ".join(map(_seen, table.c)) for table in metadata.sorted_tables} | {
        VERSION_TABLE: "version_num"
    }


def _seen(column: Column[Any]) -> str:
    hidden = column.name in _HIDDEN.get(column.table.name, ())
    return f'NULL::text AS "{column.name}"' if hidden else f'"{column.name}"'


def _role(connection: Connection, name: str) -> str:
    quoted = _quoted(connection, name)
    known = connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name})
    if known is None:
        _run(connection, f"CREATE ROLE {quoted} NOLOGIN")
    return quoted


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)


def _run(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement.replace("%", "%%"))

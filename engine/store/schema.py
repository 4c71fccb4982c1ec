"""Whether a database has the tables that this code needs; Alembic is not needed to ask."""

from __future__ import annotations

from sqlalchemy import ColumnClause, Connection, column, inspect, select, table

from engine.errors import StoreUnavailable
from engine.store.tables import VERSION_TABLE
from engine.store.trouble import MIGRATE

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010")
"""Every migration, oldest first; this code works with the last."""


def current(connection: Connection) -> str | None:
    """The migration that a database is at; `None` when it has none of our tables."""
    # Asked first, for a failing statement would end a host's PostgreSQL transaction.
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    version: ColumnClause[str] = column("version_num")
    found: str | None = connection.scalar(select(version).select_from(table(VERSION_TABLE)))
    return found


def is_current(connection: Connection) -> bool:
    """Whether the database has exactly the tables of this code."""
    return current(connection) == REVISIONS[-1]


def require_current(connection: Connection) -> None:
    """Raises StoreUnavailable, saying what to do, unless `is_current`."""
    found = current(connection)
    if found is None:
        raise StoreUnavailable(f"it has no tables of this engine: {MIGRATE}")
    if found not in REVISIONS:
        raise StoreUnavailable(
            f"it was migrated to {found} by a newer engine, and this one knows {REVISIONS[-1]}: "
            "install the newer engine"
        )
    if found != REVISIONS[-1]:
        raise StoreUnavailable(f"it is at migration {found}, before {REVISIONS[-1]}: {MIGRATE}")

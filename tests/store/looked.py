"""How much a database looks at, as it counts it itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event

from engine.store.sql import SqlStore

STEPS_OF_A_ROW = 10
"""How many instructions SQLite needs at least to look at one row."""

_READ = """
    SELECT coalesce(sum(pg_stat_get_xact_tuples_returned(oid)), 0)::bigint
    FROM pg_class WHERE relkind IN ('r', 'i') AND relname LIKE %s
"""


class Looked:
    """Rows of a table and entries of its indexes; on SQLite, no fewer than it looked at."""

    def __init__(self) -> None:
        self.rows = 0

    def step(self) -> int:
        self.rows += 1
        return 0


@contextmanager
def looking(store: SqlStore, table: str) -> Iterator[Looked]:
    """Counts what is looked at of a table in transactions that commit meanwhile."""
    found = Looked()
    sqlite = store.engine.dialect.name == "sqlite"
    listeners = _stepping(found) if sqlite else _counting(found, f"%{table}%")
    for name, listener in listeners.items():
        event.listen(store.engine, name, listener)
    try:
        yield found
    finally:
        for name, listener in listeners.items():
            event.remove(store.engine, name, listener)


def _stepping(found: Looked) -> dict[str, Callable[[Connection], None]]:
    def begun(connection: Connection) -> None:
        _driver(connection).set_progress_handler(found.step, STEPS_OF_A_ROW)

    def ends(connection: Connection) -> None:
        _driver(connection).set_progress_handler(None, 0)

    return {"begin": begun, "commit": ends, "rollback": ends}


def _counting(found: Looked, like: str) -> dict[str, Callable[[Connection], None]]:
    def read(connection: Connection) -> int:
        with _driver(connection).cursor() as cursor:
            return int(cursor.execute(_READ, [like]).fetchone()[0])

    def begun(connection: Connection) -> None:
        # The server adds them up over several transactions.
        found.rows -= read(connection)

    def ends(connection: Connection) -> None:
        found.rows += read(connection)

    return {"begin": begun, "commit": ends}


def _driver(connection: Connection) -> Any:  # a driver's connection
    return connection.connection.driver_connection

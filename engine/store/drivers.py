"""Which SQLite has a file open; two of them in one process would damage it.

Python may have two: its own, and pysqlite3's. Their locks are the process's, so that neither sees
the other's: both would write at once. https://www.sqlite.org/howtocorrupt.html (2.2.1) has more.
"""

from __future__ import annotations

import importlib
import importlib.util
import threading
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, event

from engine.errors import InvalidInput

_opened: Counter[tuple[str, str]] = Counter()
_counting = threading.Lock()


def driver() -> ModuleType:
    """pysqlite3 when it is installed, for it brings a newer SQLite; else what Python has."""
    if importlib.util.find_spec("pysqlite3") is not None:
        return importlib.import_module("pysqlite3.dbapi2")
    return importlib.import_module("sqlite3")


def count(engine: Engine) -> None:
    """From now on, know of every connection of an engine of ours."""
    place = _place(engine.url.database, engine.dialect.dbapi)
    if place is not None:
        event.listen(engine, "connect", lambda *_: _add(place, 1))
        event.listen(engine, "close", lambda *_: _add(place, -1))


def require_same(connection: Connection) -> None:
    """Raises InvalidInput when a host opens with one SQLite what we have open with another."""
    place = _place(connection.engine.url.database, connection.dialect.dbapi)
    if place is None or not _opened:
        return
    path, mine = place
    if any(number for (file, other), number in _opened.items() if file == path and other != mine):
        raise InvalidInput(
            "connection",
            "the same SQLite that the store has the file open with: make your engine with "
            "create_engine(url, module=engine.store.drivers.driver()), or open the store with "
            "open_store(url, module=sqlite3)",
            found="two in one process, which would damage the file",
        )


def _place(database: str | None, dbapi: Any) -> tuple[str, str] | None:  # noqa: ANN401  # a module
    if not database or database == ":memory:":
        return None
    name = "pysqlite3" if getattr(dbapi, "__name__", "").startswith("pysqlite3") else "sqlite3"
    path = database.removeprefix("file:").partition("?")[0]
    return str(Path(path).resolve()), name


def _add(place: tuple[str, str], number: int) -> None:
    with _counting:
        _opened[place] += number
        if not _opened[place]:
            del _opened[place]

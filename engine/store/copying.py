"""A copy of a SQLite database while others write to it, by SQLite's own backup."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from engine.errors import InvalidInput, StoreUnavailable
from engine.store.drivers import driver

PATIENCE = 10
"""Seconds to wait for whoever keeps the file locked."""


def copy(url: str, to: Path) -> int:
    """Copy the database of a URL to a new file, of one moment and whole; how many bytes it has.

    Nothing is overwritten, and a copy that was not finished does not have its name. Raises
    InvalidInput for another kind of database or a file that is there, and StoreUnavailable.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise InvalidInput("--db", "a SQLite file; a PostgreSQL database is saved by pg_dump")
    if to.exists():
        raise InvalidInput("FILE", "a file that is not there yet", found=str(to))
    half = to.with_name(f"{to.name}.unfinished")
    half.unlink(missing_ok=True)
    sqlite3 = driver()
    source = Path(parsed.database or "").absolute().as_uri()
    try:
        with (
            closing(sqlite3.connect(f"{source}?mode=rw", uri=True, timeout=PATIENCE)) as database,
            closing(sqlite3.connect(half)) as made,
        ):
            database.backup(made)  # in one step: what is written meanwhile is not in it
            # By itself, without a log beside it, so that the file is the whole copy.
            made.execute("PRAGMA journal_mode=DELETE")
        _keep(half)
        half.rename(to)
        _keep(to.parent)
    except (sqlite3.Error, OSError) as error:
        half.unlink(missing_ok=True)
        raise StoreUnavailable(f"{error}: see that there is room for the copy") from error
    return to.stat().st_size


def _keep(path: Path) -> None:
    """Let the disk have it before anybody relies on it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""A SQLite file in a folder where we may make no file: it can be read all the same, with care.

SQLite keeps two files beside one in WAL mode while it is open, and makes them where they are not.
Where it may not, the file alone can still be read as `immutable`: without a lock, and without a
look at what lies beside it. So it must hold everything, and nobody may be writing to it. That is so
where nothing lies beside it; whoever writes later is seen by the next transaction, not by the one
that is under way.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import URL

from engine.errors import StoreUnavailable

Look: TypeAlias = tuple[int, int, int]
"""How a file is: which one, when it was written and how long it is."""

_BESIDE = ("-wal", "-shm", "-journal")


def file_of(url: URL) -> Path | None:
    """The file of a URL; `None` for one in memory, and where the URL says how it is opened."""
    name = url.database
    if not name or name == ":memory:" or url.query.get("uri"):
        return None
    return Path(name)


def immutable(file: Path) -> Look | None:
    """How a file is that can only be read as one that nobody writes; `None` where that is not so.

    Raises StoreUnavailable for a folder, for a file in one that lets us see nothing, and where
    decisions lie beside the file that cannot be read from here.
    """
    try:
        # What lies beside it lies beside the file that a link names.
        return _immutable(file.resolve())
    except PermissionError as error:
        raise StoreUnavailable(
            f"{file} may not be looked at: see that its folder lets you in"
        ) from error


def _immutable(file: Path) -> Look | None:
    if file.is_dir():
        raise StoreUnavailable(f"{file} is a folder: name a file")
    if not file.exists() or os.access(file.parent, os.W_OK):
        return None
    ahead, shared, journal = (file.with_name(file.name + tail) for tail in _BESIDE)
    if ahead.exists() and shared.exists():
        return None
    for one in (ahead, journal):
        if one.exists() and one.stat().st_size:
            raise StoreUnavailable(
                f"{one} holds what is not in {file.name} yet, and its folder may not be written: "
                "make it writable, or copy both files to a folder that is"
            )
    found = file.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def as_uri(file: Path) -> str:
    """The name by which SQLite opens a file that nobody writes."""
    return f"{file.resolve().as_uri()}?immutable=1"

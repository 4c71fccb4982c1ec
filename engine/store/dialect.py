"""Where the databases differ, as values: no other module asks which one it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from engine.ports import Write
from engine.store.trouble import Trouble
from engine.store.writes import Writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One database.

    `reading` are the execution options of a transaction that reads: it sees one moment and holds
    nobody up. `append` stores a decision and says whether it did: not when the course had moved.
    `trouble` gives the meaning of an error, if it has one.
    """

    reading: Mapping[str, Any]
    writes: Writes
    append: Callable[[Connection, str, Write], bool]
    trouble: Callable[[DBAPIError], Trouble | None]

"""Where the databases differ, as values: no other module asks which one it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import TextClause
from sqlalchemy.exc import DBAPIError

from engine.ports import Write
from engine.store.channel import Channel
from engine.store.trouble import Trouble
from engine.store.writes import Dialectal, Writes

BEGINNING = "regimen_beginning"
"""The execution option that says how SQLAlchemy begins: what is sent, or nothing; else to write."""

TURNS = "regimen_turns"
"""The execution option of an engine whose writers take turns: its `Turns`, or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One database.

    `writing` begins a transaction that writes, `reading` one that sees one moment and holds nobody
    up, and `standing` one of those that stand in line: it then sends `line` with its tenant, so
    that one at a time goes on; nothing where every writer is alone anyhow. `chaining` is sent
    before something is put behind the last entry of a tenant's access log, for the same reason.
    `lone` says that a transaction which most often writes once may begin with nothing: each
    statement is one of its own, until there is a second one that writes. It is false where a writer
    has to lock before it reads.
    `append` stores a decision and says whether it did: not when the course had moved. `trouble`
    gives the meaning of an error, if it has one. `insert` knows what to do about a row that is
    there already.
    """

    writing: str
    reading: str
    standing: str
    line: Sequence[TextClause]
    chaining: Sequence[TextClause]
    lone: bool
    writes: Writes
    append: Callable[[Channel, str, Write], bool]
    trouble: Callable[[DBAPIError], Trouble | None]
    insert: Dialectal

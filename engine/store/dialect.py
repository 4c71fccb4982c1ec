"""Where the databases differ, as values: no other module asks which one it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.exc import DBAPIError

from engine.ports import Write
from engine.store.channel import Channel
from engine.store.trouble import Trouble
from engine.store.writes import Dialectal, Writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One database.

    `alone` are the execution options of a transaction that most often writes once: each statement
    is one of its own, until there is a second one that writes. It is `None` where a writer has to
    lock before it reads.
    `line` is what a transaction that `standing` began sends, with its tenant, so that one at a time
    of them goes on; nothing where every writer is alone anyhow.
    `reading` are the execution options of a transaction that reads: it sees one moment and holds
    nobody up. `append` stores a decision and says whether it did: not when the course had moved.
    `trouble` gives the meaning of an error, if it has one. `insert` knows what to do about a row
    that is there already.
    """

    reading: Mapping[str, Any]
    alone: Mapping[str, Any] | None
    standing: Mapping[str, Any]
    line: Sequence[TextClause]
    writes: Writes
    append: Callable[[Channel, str, Write], bool]
    trouble: Callable[[DBAPIError], Trouble | None]
    insert: Dialectal

"""What keeps the history from being changed, and what does not.

Triggers, made by the migrations, refuse every change of a row of `records`, `readings`,
`definitions`, `prose`, `access_log`, `leaves`, `nodes`, `checkpoints` and `cosignatures`. Of a row
of `texts` the text and its salt may be erased together, and nothing else. On SQLite that includes
what REPLACE would delete in passing, also by the hidden key of a row; on PostgreSQL it includes
TRUNCATE, and sessions that say they are a replica.

What remains possible, and is found by other means or not at all:

- Whoever owns the tables (on PostgreSQL the owner's role and a superuser, on SQLite everybody who
  may write the file) can drop a trigger or a table. `missing` tells that a trigger is gone, and
  verification tells that a record is not what was hashed. A chain that was computed anew from the
  change on agrees with itself: only a checkpoint held elsewhere tells that.
- On PostgreSQL keep the three roles apart (`roles`), so that the application owns nothing.
- Whoever may append can append what never happened.
- A tail that was cut off leaves a chain that agrees; the course's row still tells, unless it was
  set back too.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from engine.store.tables import (
    access_log,
    checkpoints,
    cosignatures,
    definitions,
    leaves,
    nodes,
    prose,
    readings,
    records,
    texts,
)

GUARDED = (
    *(definitions, prose, records, readings, texts, access_log),
    *(leaves, nodes, checkpoints, cosignatures),
)

_SQLITE = {
    definitions: ("update", "delete", "insert_digest", "insert_rowid"),
    prose: ("update", "delete", "insert_digest", "insert_rowid"),
    records: ("update", "delete", "insert_seq", "insert_event_id", "insert_rowid"),
    readings: ("update", "delete", "insert_seq"),
    texts: ("update", "delete", "insert_path"),
    access_log: ("update", "delete", "insert_id", "insert_position", "insert_rowid"),
    leaves: ("update", "delete", "insert_place", "insert_seq"),
    nodes: ("update", "delete", "insert_place"),
    checkpoints: ("update", "delete", "insert_number"),
    cosignatures: ("update", "delete", "insert_key"),
}
_POSTGRESQL = dict.fromkeys(GUARDED, ("rows", "truncate"))

_FOUND = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    # Enabled "always": any other setting lets some session pass.
    "postgresql": (
        "SELECT tgname FROM pg_trigger "
        "WHERE tgenabled = 'A' AND pg_table_is_visible(tgrelid) AND NOT tgisinternal"
    ),
}


def missing(connection: Connection) -> tuple[str, ...]:
    """The names of the guards that should be there and are not, or were switched off."""
    kind = connection.dialect.name
    expected = _SQLITE if kind == "sqlite" else _POSTGRESQL
    found = set(connection.scalars(text(_FOUND[kind])))
    names = (f"{table.name}_guard_{one}" for table, guards in expected.items() for one in guards)
    return tuple(name for name in names if name not in found)

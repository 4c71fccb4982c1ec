"""The tables. What was hashed is kept as bytes; what is only a copy is kept as text.

- `records`, `readings`, `definitions`, `prose`, `access_log`, and of the ledger `leaves`, `nodes`,
  `checkpoints` and `cosignatures` only grow; see `append_only`.
- Constraints are named here and in the migration alike: errors are translated by these names.
"""

from __future__ import annotations

from engine.store.tables.access import access_log, calendar_feeds, tokens
from engine.store.tables.base import PREFIX, VERSION_TABLE, Instant, Name, metadata
from engine.store.tables.courses import (
    ONE_OPEN,
    courses,
    definitions,
    prose,
    readings,
    records,
    texts,
)
from engine.store.tables.ledger import checkpoints, cosignatures, leaves, nodes, sealing
from engine.store.tables.outbox import deliveries, endpoints, feed, messages
from engine.store.tables.review import canaries, guard_reports, reviews
from engine.store.tables.scheduling import bookings, sites, timers, visits

__all__ = [
    "ONE_OPEN",
    "PREFIX",
    "VERSION_TABLE",
    "Instant",
    "Name",
    "access_log",
    "bookings",
    "calendar_feeds",
    "canaries",
    "checkpoints",
    "cosignatures",
    "courses",
    "definitions",
    "deliveries",
    "endpoints",
    "feed",
    "guard_reports",
    "leaves",
    "messages",
    "metadata",
    "nodes",
    "prose",
    "readings",
    "records",
    "reviews",
    "sealing",
    "sites",
    "texts",
    "timers",
    "tokens",
    "visits",
]

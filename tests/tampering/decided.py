"""For each table, what `verify` holds it against; what is held against nothing has a reason.

A table or a column that is added without a decision fails `test_copies`. The table of docs/audit.md
is this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Table

from engine.store import tables as t


@dataclass(frozen=True)
class Decision:
    """What a table is, in words; by what it is held, and what of it is not, with the reason.

    `rows` is why a row that is gone, or one too many, is not found; `None` where it is.
    """

    what: str
    held_by: str
    apart: Mapping[str, str] = field(default_factory=dict)
    rows: str | None = None


def settings(table: Table, what: str, why: str) -> Decision:
    return Decision(what, "nothing", {column.name: why for column in table.c}, why)


COPY = "the records, column by column"
HERE = "what came of it is not read by any decision"
WHO = "who changed it is in the access log"
AGAIN = "lost, it is found again from the leaves"
WHEN = "when that was is only noted"

OTHERS = "a witness's line is of use to whoever holds it against a key"

UNDER_WAY = (
    *("tenant", "endpoint", "attempts", "next_at", "claimed_until", "answered"),
    *("delivered_at", "dead_at"),
)

DECISIONS: Mapping[Table, Decision] = {
    t.records: Decision("the log", "its hashes, the ledger"),
    t.courses: Decision("a copy", COPY),
    t.timers: Decision("a copy", COPY),
    t.visits: Decision("a copy", COPY),
    t.bookings: Decision("a copy", COPY),
    t.reviews: Decision("a copy", COPY),
    t.readings: Decision("a copy that only grows", COPY),
    t.messages: Decision("a copy, and whether it was told", COPY, {"delivered_at": WHEN}),
    t.texts: Decision("erasable", "the digests in the records, and the records of erasures"),
    t.definitions: Decision("a source", "its digest, which records name"),
    t.prose: Decision("a source", "its digest, which records name"),
    t.feed: Decision("a copy in an order of its own", "the messages; its numbers have no gap"),
    t.deliveries: Decision(
        "work that is under way",
        "the feed: whose message it is",
        dict.fromkeys(UNDER_WAY, "how far it has come; the feed tells it again to whoever asks"),
        rows="what was delivered is deleted after a while; the feed has all of it",
    ),
    t.canaries: Decision(
        "reports of exercises", "themselves, and the definitions",
        {"tenant": "it can be exercised again at any time", "at": WHEN},
        rows="it can be exercised again at any time",
    ),
    t.tokens: Decision(
        "a source", "the access log: created with which roles and sites, revoked or not",
        {
            "name": "a name for people",
            "sha256": "a secret; who changes it is let in by no other roles than before",
            "created_at": WHEN, "expires_at": "the access log does not tell it", "revoked_at": WHEN,
        },
    ),
    t.access_log: Decision("a source", "its own chain; a head that you noted shows an end cut off"),
    t.guard_reports: settings(
        t.guard_reports, "a count", "it is counted again from the records at any time"
    ),
    t.calendar_feeds: settings(t.calendar_feeds, "settings", WHO),
    t.sites: settings(t.sites, "settings", WHO),
    t.endpoints: settings(t.endpoints, "settings", WHO),
    t.leaves: Decision("the ledger", "the records, and a checkpoint that you keep"),
    t.nodes: Decision("the ledger", "the leaves"),
    t.checkpoints: Decision("the ledger", "the leaves, and their signatures", {"at": WHEN}),
    t.cosignatures: Decision(
        "the ledger",
        "their form; the rest by whoever has the witness's key",
        {"tenant": OTHERS, "number": OTHERS, "at": WHEN},
        rows=OTHERS,
    ),
    t.sealing: Decision(
        "how far the ledger has come", "the leaves and the feed",
        {"tenant": AGAIN, "swept_course": AGAIN, "swept_seq": AGAIN}, rows=AGAIN,
    ),
}  # fmt: skip

ELSEWHERE = (t.records, t.leaves, t.nodes, t.checkpoints)
"""Tables whose crimes are those of `crimes`."""

"""What is said to others, and how far they have heard it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from engine.store.tables.base import PREFIX, Instant, Name, metadata

messages = Table(
    f"{PREFIX}messages",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("course", Name, nullable=False),
    Column("seq", Integer, nullable=False, doc="The record that says it."),
    Column("n", Integer, nullable=False, doc="Which of the record's messages, from 1."),
    Column("kind", Name, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("delivered_at", Instant, doc="Unset while it waits."),
    PrimaryKeyConstraint("tenant", "course", "seq", "n", name=f"pk_{PREFIX}messages"),
    sqlite_with_rowid=False,
)
Index(
    f"ix_{PREFIX}messages_waiting",
    messages.c.tenant,
    messages.c.recorded_at,
    postgresql_where=messages.c.delivered_at.is_(None),
    sqlite_where=messages.c.delivered_at.is_(None),
)

feed = Table(
    f"{PREFIX}feed",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("position", BigInteger, nullable=False, doc="From 1, without a gap, in commit order."),
    Column("course", Name, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("kind", Name, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant", "position", name=f"pk_{PREFIX}feed"),
    UniqueConstraint("tenant", "course", "seq", "n", name=f"uq_{PREFIX}feed_message"),
)

endpoints = Table(
    f"{PREFIX}endpoints",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("id", Name, nullable=False),
    Column("url", Text, nullable=False),
    Column("kinds", Text, nullable=False, doc="A JSON array; empty for every kind."),
    Column("secrets", Text, nullable=False, doc="A JSON array: each secret, and until when."),
    Column("position", BigInteger, nullable=False, doc="Up to where of the feed it was queued."),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("disabled_why", Name),
    PrimaryKeyConstraint("tenant", "id", name=f"pk_{PREFIX}endpoints"),
)

deliveries = Table(
    f"{PREFIX}deliveries",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("endpoint", Name, nullable=False),
    Column("position", BigInteger, nullable=False, doc="Of the feed."),
    Column("course", Name, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant, doc="Set for one of a course's, the first that is open: it is due."),
    Column("claimed_until", Instant, doc="Until when one worker has it in hand."),
    Column("answered", Name, doc="The last status, or why there was none."),
    Column("delivered_at", Instant),
    Column("dead_at", Instant, doc="When it was given up."),
    # Not in the order of endpoints: no database is to look for the first of a course in this one.
    PrimaryKeyConstraint("tenant", "position", "endpoint", name=f"pk_{PREFIX}deliveries"),
    ForeignKeyConstraint(
        ["tenant", "endpoint"],
        [endpoints.c.tenant, endpoints.c.id],
        name=f"fk_{PREFIX}deliveries_endpoints",
    ),
)
_due = deliveries.c.next_at.is_not(None)
_open = deliveries.c.delivered_at.is_(None) & deliveries.c.dead_at.is_(None)
Index(
    f"ix_{PREFIX}deliveries_open",
    *(deliveries.c[name] for name in ("tenant", "endpoint", "course", "position")),
    postgresql_where=_open,
    sqlite_where=_open,
)
Index(
    f"ix_{PREFIX}deliveries_due",
    *(deliveries.c[name] for name in ("tenant", "endpoint", "next_at", "position")),
    postgresql_where=_due,
    sqlite_where=_due,
)
Index(
    f"uq_{PREFIX}deliveries_due",  # so that no delivery of a course overtakes another
    *(deliveries.c[name] for name in ("tenant", "course", "endpoint")),
    unique=True,
    postgresql_where=_due,
    sqlite_where=_due,
)
Index(
    f"ix_{PREFIX}deliveries_delivered",
    *(deliveries.c[name] for name in ("tenant", "delivered_at")),
    postgresql_where=deliveries.c.delivered_at.is_not(None),
    sqlite_where=deliveries.c.delivered_at.is_not(None),
)
Index(
    f"ix_{PREFIX}deliveries_dead",
    *(deliveries.c[name] for name in ("tenant", "endpoint", "dead_at")),
    postgresql_where=deliveries.c.dead_at.is_not(None),
    sqlite_where=deliveries.c.dead_at.is_not(None),
)

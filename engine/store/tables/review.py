"""What is to be looked at by somebody else, what came of canary courses, what guards did."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, text

from engine.store.tables.base import PREFIX, Instant, Name, metadata

reviews = Table(
    f"{PREFIX}reviews",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("course", Name, nullable=False),
    Column("seq", Integer, nullable=False, doc="The record that is to be looked at."),
    Column("queue", Name, nullable=False, doc="Why."),
    Column("site", Name, nullable=False, doc="The course's, which never changes."),
    Column("recorded_at", Instant, nullable=False, doc="The record's."),
    Column("open", Boolean, nullable=False, doc="Nobody has signed it off yet, or for good."),
    Column("outcome", Name, doc="Of the last sign-off."),
    Column("reviewed_by", Integer, doc="The record that signed it off last."),
    Column("reviewers", Text, nullable=False, doc="The actors of all, apart by spaces."),
    PrimaryKeyConstraint("tenant", "course", "seq", "queue", name=f"pk_{PREFIX}reviews"),
    sqlite_with_rowid=False,
)
"""A cache, as the row is: which records are in which queue of those that review."""
Index(
    f"ix_{PREFIX}reviews_open",
    *(reviews.c[name] for name in ("tenant", "queue", "recorded_at", "course", "seq", "site")),
    postgresql_where=reviews.c.open,
    sqlite_where=text("open = 1"),  # as it is asked: else SQLite does not see that it is this one
)

canaries = Table(
    f"{PREFIX}canaries",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("digest", Name, nullable=False, doc="Of the definition that was exercised."),
    Column("at", Instant, nullable=False),
    Column("workflow", Name, nullable=False),
    Column("sound", Boolean, nullable=False, doc="Everything acted as expected."),
    Column("flight", Text, nullable=False, doc="What came of each rule, as JSON."),
    PrimaryKeyConstraint("tenant", "digest", "at", name=f"pk_{PREFIX}canaries"),
    sqlite_with_rowid=False,
)

guard_reports = Table(
    f"{PREFIX}guard_reports",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("at", Instant, nullable=False, doc="When it was counted."),
    Column("alarms", Integer, nullable=False, doc="How many rules have stopped firing."),
    Column("document", Text, nullable=False, doc="What each guard came to, as JSON."),
    PrimaryKeyConstraint("tenant", name=f"pk_{PREFIX}guard_reports"),
    sqlite_with_rowid=False,
)
"""The newest count of each tenant: a cache, which can be counted again."""

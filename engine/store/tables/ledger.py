"""The tree of all records of a tenant, and what was signed of it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from engine.store.tables.base import PREFIX, Instant, Name, metadata

leaves = Table(
    f"{PREFIX}leaves",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("place", BigInteger, nullable=False, doc="From 0, without a gap, in commit order."),
    Column("course", Name, nullable=False),
    Column("seq", Integer, nullable=False, doc="The record that it seals."),
    Column("salt", LargeBinary, nullable=False, doc="Keeps the hash from being guessed."),
    Column("hash", LargeBinary, nullable=False, doc="Of salt and record, as the tree has it."),
    PrimaryKeyConstraint("tenant", "place", name=f"pk_{PREFIX}leaves"),
    UniqueConstraint("tenant", "course", "seq", name=f"uq_{PREFIX}leaves_seq"),
    sqlite_with_rowid=False,
)

FIRST = leaves.c.seq == text("1")
"""Which leaf a course begins with; spelled out, as an index wants it that holds only those."""

Index(
    f"ix_{PREFIX}leaves_first",
    leaves.c.tenant,
    leaves.c.place,
    leaves.c.course,
    postgresql_where=FIRST,
    sqlite_where=FIRST,
)

nodes = Table(
    f"{PREFIX}nodes",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("level", Integer, nullable=False, doc="How often it halves down to a leaf."),
    Column("place", BigInteger, nullable=False, doc="Which of its level, from 0."),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("tenant", "level", "place", name=f"pk_{PREFIX}nodes"),
    sqlite_with_rowid=False,
)

checkpoints = Table(
    f"{PREFIX}checkpoints",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("number", Integer, nullable=False, doc="From 1, without a gap."),
    Column("at", Instant, nullable=False),
    Column("origin", Text, nullable=False, doc="Whose tree it is, as the note says."),
    Column("size", BigInteger, nullable=False, doc="How many leaves the tree had."),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False, doc="The note as it was signed."),
    Column(
        "signers", Text, nullable=False, doc="A JSON array: the verifier keys of who signed it."
    ),
    PrimaryKeyConstraint("tenant", "number", name=f"pk_{PREFIX}checkpoints"),
    sqlite_with_rowid=False,
)

cosignatures = Table(
    f"{PREFIX}cosignatures",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("number", Integer, nullable=False, doc="Of the checkpoint."),
    Column("key", Text, nullable=False, doc="The verifier key of the witness."),
    Column("line", Text, nullable=False, doc="What the witness added to the note."),
    Column("at", Instant, nullable=False, doc="When it was added here."),
    PrimaryKeyConstraint("tenant", "number", "key", name=f"pk_{PREFIX}cosignatures"),
    sqlite_with_rowid=False,
)

sealing = Table(
    f"{PREFIX}sealing",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("size", BigInteger, nullable=False, doc="How many leaves there are."),
    Column("position", BigInteger, nullable=False, doc="Up to where of the feed all is sealed."),
    Column("swept_course", Name, doc="Up to where what was there before is; unset once all is."),
    Column("swept_seq", Integer, nullable=False),
    PrimaryKeyConstraint("tenant", name=f"pk_{PREFIX}sealing"),
    sqlite_with_rowid=False,
)
"""How far a tenant's tree has grown; what is lost of it is found again from the leaves."""

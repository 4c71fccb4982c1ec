"""The ledger: the leaves and nodes of a tenant's tree, its checkpoints, and who signed them too."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")

GUARDED = {
    "leaves": (("tenant", "place"), ("tenant", "course", "seq")),
    "nodes": (("tenant", "level", "place"),),
    "checkpoints": (("tenant", "number"),),
    "cosignatures": (("tenant", "number", "key"),),
}
"""What only grows, with its keys: a REPLACE would go by any of them."""


def upgrade() -> None:
    op.create_table(
        "regimen_leaves",
        _column("tenant"),
        _column("place", sa.BigInteger()),
        _column("course"),
        _column("seq", sa.Integer()),
        *(_column(n, sa.LargeBinary()) for n in ("salt", "hash")),
        sa.PrimaryKeyConstraint("tenant", "place", name="pk_regimen_leaves"),
        sa.UniqueConstraint("tenant", "course", "seq", name="uq_regimen_leaves_seq"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "regimen_nodes",
        _column("tenant"),
        _column("level", sa.Integer()),
        _column("place", sa.BigInteger()),
        _column("hash", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("tenant", "level", "place", name="pk_regimen_nodes"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "regimen_checkpoints",
        _column("tenant"),
        _column("number", sa.Integer()),
        _column("at", INSTANT),
        _column("origin", sa.Text()),
        _column("size", sa.BigInteger()),
        _column("root", sa.LargeBinary()),
        *(_column(n, sa.Text()) for n in ("note", "signers")),
        sa.PrimaryKeyConstraint("tenant", "number", name="pk_regimen_checkpoints"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "regimen_cosignatures",
        _column("tenant"),
        _column("number", sa.Integer()),
        *(_column(n, sa.Text()) for n in ("key", "line")),
        _column("at", INSTANT),
        sa.PrimaryKeyConstraint("tenant", "number", "key", name="pk_regimen_cosignatures"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "regimen_sealing",
        _column("tenant"),
        *(_column(n, sa.BigInteger()) for n in ("size", "position")),
        _column("swept_course", null=True),
        _column("swept_seq", sa.Integer()),
        sa.PrimaryKeyConstraint("tenant", name="pk_regimen_sealing"),
        sqlite_with_rowid=False,
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name, keys in GUARDED.items():
        table = f"regimen_{name}"
        for statement in _sqlite_guards(table, keys) if sqlite else _postgresql_guards(table):
            op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # the auditor's views, if there are any
        op.execute("DROP SCHEMA IF EXISTS regimen_audit CASCADE")
    for name in ("sealing", *reversed(GUARDED)):
        op.drop_table(f"regimen_{name}")


def _column(name: str, kind: Any = NAME, *, null: bool = False) -> sa.Column[Any]:  # noqa: ANN401  # a type
    return sa.Column(name, kind, nullable=null)


def _sqlite_guards(table: str, keys: tuple[tuple[str, ...], ...]) -> list[str]:
    made = [_sqlite(table, "update", "UPDATE"), _sqlite(table, "delete", "DELETE")]
    for columns in keys:
        same = " AND ".join(f"{column} = NEW.{column}" for column in columns)
        made.append(_sqlite(table, f"insert_{columns[-1]}", "INSERT", same))
    return made


def _sqlite(table: str, name: str, event: str, same: str = "") -> str:
    there = f"EXISTS (SELECT 1 FROM {table} WHERE {same})" if same else "1"  # noqa: S608  # names from above
    return (
        f"CREATE TRIGGER {table}_guard_{name} BEFORE {event} ON {table} WHEN {there} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _postgresql_guards(table: str) -> list[str]:
    made = []
    for name, what in (
        ("rows", "BEFORE UPDATE OR DELETE ON {} FOR EACH ROW"),
        ("truncate", "BEFORE TRUNCATE ON {} FOR EACH STATEMENT"),
    ):
        trigger = f"{table}_guard_{name}"
        made.append(
            f"CREATE TRIGGER {trigger} {what.format(table)} EXECUTE FUNCTION regimen_only_grows()"
        )
        made.append(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")
    return made

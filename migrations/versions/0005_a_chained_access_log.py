"""The access log is chained: each entry names the hash of the one before it.

What was written before stays as it is, without a position; the first entry of the chain names the
hash of all of it. On SQLite the way back makes the table anew, and so its guards.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

LOG = "regimen_access_log"
KEY = ("tenant", "at", "id")
PLACE = ("tenant", "position")
ADDED = ("position", "prev_hash", "hash")


def upgrade() -> None:
    with op.batch_alter_table(LOG) as batch:
        batch.add_column(sa.Column("position", sa.BigInteger()))
        batch.add_column(sa.Column("prev_hash", NAME))
        batch.add_column(sa.Column("hash", NAME))
    op.create_index(f"uq_{LOG}_position", LOG, PLACE, unique=True)
    _guard(("insert_position", "INSERT", PLACE))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # the auditor's views, if there are any
        op.execute("DROP SCHEMA IF EXISTS regimen_audit CASCADE")
    op.drop_index(f"uq_{LOG}_position", LOG)
    with op.batch_alter_table(LOG) as batch:
        for name in reversed(ADDED):
            batch.drop_column(name)
    _guard(*_GUARDS)


_GUARDS = (
    ("update", "UPDATE", ()),
    ("delete", "DELETE", ()),
    ("insert_id", "INSERT", KEY),
    ("insert_rowid", "INSERT", ("rowid",)),
)


def _guard(*guards: tuple[str, str, tuple[str, ...]]) -> None:
    """Triggers of SQLite; those of PostgreSQL are about whole rows."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for name, event, key in guards:
        same = " AND ".join(f"{column} = NEW.{column}" for column in key)
        there = f"EXISTS (SELECT 1 FROM {LOG} WHERE {same})" if key else "1"  # noqa: S608  # names from above
        op.execute(
            f"CREATE TRIGGER {LOG}_guard_{name} BEFORE {event} ON {LOG} WHEN {there} "
            f"BEGIN SELECT RAISE(ABORT, '{LOG} is append-only'); END"
        )

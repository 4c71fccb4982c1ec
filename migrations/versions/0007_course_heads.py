"""Where courses begin among the leaves: a checkpoint says how far each of them had come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BEGINS = sa.text("seq = 1")


def upgrade() -> None:
    op.create_index(
        "ix_regimen_leaves_first",
        "regimen_leaves",
        ("tenant", "place", "course"),
        postgresql_where=BEGINS,
        sqlite_where=BEGINS,
    )


def downgrade() -> None:
    op.drop_index("ix_regimen_leaves_first", "regimen_leaves")

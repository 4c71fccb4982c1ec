"""What guards did of late, the newest count of each tenant; the last verification found fast."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    op.create_table(
        "regimen_guard_reports",
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("alarms", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_regimen_guard_reports"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_regimen_access_log_action", "regimen_access_log", ("tenant", "action", "at")
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # the auditor's views, if there are any
        op.execute("DROP SCHEMA IF EXISTS regimen_audit CASCADE")
    op.drop_index("ix_regimen_access_log_action", "regimen_access_log")
    op.drop_table("regimen_guard_reports")

"""How many open findings a course has, kept with it so that a worklist can follow an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEX = "ix_regimen_courses_findings"


def upgrade() -> None:
    # Named by itself: SQLite adds it to the table as it is, and copies no course.
    column = sa.Column("findings", sa.Integer(), nullable=False, server_default="0")
    op.add_column("regimen_courses", column)
    op.create_index(
        INDEX,
        "regimen_courses",
        ["tenant", "findings", "course", "site"],
        postgresql_where=sa.text("findings > 0"),
        sqlite_where=sa.text("findings > 0"),
    )


def downgrade() -> None:
    op.drop_index(INDEX, "regimen_courses")
    with op.batch_alter_table("regimen_courses") as batch:
        batch.drop_column("findings")

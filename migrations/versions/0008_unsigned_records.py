"""How many records of a course wait for a signature, so that a worklist can follow an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INDEX = "ix_regimen_courses_unsigned"

COUNTED = {
    "sqlite": (
        "UPDATE regimen_courses "
        "SET unsigned = (SELECT count(*) FROM json_each(row, '$.unsigned')) "
        "WHERE json_extract(row, '$.unsigned') IS NOT NULL"
    ),
    "postgresql": (
        "UPDATE regimen_courses "
        "SET unsigned = (SELECT count(*) FROM jsonb_object_keys(row::jsonb -> 'unsigned')) "
        "WHERE row::jsonb ? 'unsigned'"
    ),
}
"""What each row says already, counted."""


def upgrade() -> None:
    # Named by itself: SQLite adds it to the table as it is, and copies no course.
    column = sa.Column("unsigned", sa.Integer(), nullable=False, server_default="0")
    op.add_column("regimen_courses", column)
    op.execute(COUNTED[op.get_bind().dialect.name])
    op.create_index(
        INDEX,
        "regimen_courses",
        ["tenant", "unsigned", "course", "site"],
        postgresql_where=sa.text("unsigned > 0"),
        sqlite_where=sa.text("unsigned > 0"),
    )


def downgrade() -> None:
    op.drop_index(INDEX, "regimen_courses")
    with op.batch_alter_table("regimen_courses") as batch:
        batch.drop_column("unsigned")

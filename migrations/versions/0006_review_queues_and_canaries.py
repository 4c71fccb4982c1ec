"""Which records are to be looked at, kept with each record; and what came of canary courses.

What was recorded before is put into its queues here; nobody can have signed any of it off.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
OPEN = ("tenant", "queue", "recorded_at", "course", "seq", "site")


def upgrade() -> None:
    op.create_table(
        "regimen_reviews",
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("course", NAME, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("queue", NAME, nullable=False),
        sa.Column("site", NAME, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("outcome", NAME),
        sa.Column("reviewed_by", sa.Integer()),
        sa.Column("reviewers", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "course", "seq", "queue", name="pk_regimen_reviews"),
        sqlite_with_rowid=False,
    )
    kind = op.get_bind().dialect.name
    for queue, condition in CAUSES[kind].items():
        op.execute(ADDED.format(queue=queue, condition=condition, open=TRUE[kind]))
    op.create_index(
        "ix_regimen_reviews_open",
        "regimen_reviews",
        OPEN,
        postgresql_where=sa.text("open"),
        sqlite_where=sa.text("open = 1"),
    )
    op.create_table(
        "regimen_canaries",
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("digest", NAME, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("workflow", NAME, nullable=False),
        sa.Column("sound", sa.Boolean(), nullable=False),
        sa.Column("flight", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "digest", "at", name="pk_regimen_canaries"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # the auditor's views, if there are any
        op.execute("DROP SCHEMA IF EXISTS regimen_audit CASCADE")
    op.drop_table("regimen_canaries")
    op.drop_table("regimen_reviews")


ADDED = """
INSERT INTO regimen_reviews (
    tenant, course, seq, queue, site, recorded_at, open, outcome, reviewed_by, reviewers
)
SELECT r.tenant, r.course, r.seq, '{queue}', c.site, r.recorded_at, {open}, NULL, NULL, ''
FROM regimen_records r
JOIN regimen_courses c ON c.tenant = r.tenant AND c.course = r.course
WHERE {condition}
"""
TRUE = {"sqlite": "1", "postgresql": "true"}

_OWN = "r.event LIKE 'course.%'"
_SQLITE_BODY = "CAST(r.body AS TEXT)"
_POSTGRESQL_BODY = "convert_from(r.body, 'UTF8')::jsonb"
CAUSES = {
    "sqlite": {
        "deviation": "r.verdict = 'deviation'",
        "refusal": "r.verdict = 'refused'",
        "override": (
            f"EXISTS (SELECT 1 FROM json_each({_SQLITE_BODY}, '$.decision.weighed') w "  # noqa: S608  # ours
            "WHERE json_extract(w.value, '$.passed'))"
        ),
        "late-entry": (
            f"NOT {_OWN} AND json_extract({_SQLITE_BODY}, '$.event.actor.role') <> 'engine' AND ("
            f"json_extract({_SQLITE_BODY}, '$.decision.late') OR ("
            "NOT coalesce(json_extract(c.row, '$.retrospective'), 0) AND r.at IS NOT NULL "
            # To the microsecond: the days are counted without the fraction of the second.
            "AND r.recorded_at > strftime('%Y-%m-%dT%H:%M:%S', substr(r.at, 1, 19), '+1 day') "
            "|| substr(r.at, 20)))"
        ),
        "open-finding": (
            "EXISTS (SELECT 1 FROM json_each(c.row, '$.open_findings') f "
            "WHERE CAST(f.key AS INTEGER) = r.seq)"
        ),
    },
    "postgresql": {
        "deviation": "r.verdict = 'deviation'",
        "refusal": "r.verdict = 'refused'",
        "override": (
            f"jsonb_path_exists({_POSTGRESQL_BODY}, '$.decision.weighed[*] ? (@.passed == true)')"
        ),
        "late-entry": (
            f"NOT {_OWN} AND {_POSTGRESQL_BODY} #>> '{{event,actor,role}}' <> 'engine' AND ("
            f"({_POSTGRESQL_BODY} #> '{{decision,late}}') = 'true'::jsonb OR ("
            "NOT coalesce((c.row::jsonb ->> 'retrospective')::boolean, false) "
            "AND r.at IS NOT NULL AND r.recorded_at - r.at > interval '24 hours'))"
        ),
        "open-finding": "(c.row::jsonb -> 'open_findings') ? r.seq::text",
    },
}
"""What a record has to say to be in each queue."""

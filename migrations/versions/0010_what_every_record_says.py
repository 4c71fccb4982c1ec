"""Copies that engines before 0002 did not keep: a message of every record, and open questions.

Every record is told of in the feed, refusals too; what was recorded before that is told of now, as
if late. Courses count the questions that their rows name.
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TOLD = {"sqlite": "CAST('{}' AS BLOB)", "postgresql": "convert_to('{}', 'UTF8')"}
"""A body that says nothing: which record it is says all."""

SAID = """
INSERT INTO regimen_messages (tenant, course, seq, n, kind, body, recorded_at)
SELECT r.tenant, r.course, r.seq,
    1 + coalesce((SELECT max(m.n) FROM regimen_messages m
        WHERE m.tenant = r.tenant AND m.course = r.course AND m.seq = r.seq), 0),
    CASE r.verdict WHEN 'refused' THEN 'course.refused' ELSE 'course.changed' END,
    {body}, r.recorded_at
FROM regimen_records r
WHERE NOT EXISTS (SELECT 1 FROM regimen_messages m
    WHERE m.tenant = r.tenant AND m.course = r.course AND m.seq = r.seq
    AND m.kind IN ('course.changed', 'course.refused', 'course.reviewed'))
"""

COUNTED = {
    "sqlite": (
        "UPDATE regimen_courses "
        "SET questions = (SELECT count(*) FROM json_each(row, '$.questions')) "
        "WHERE questions <> (SELECT count(*) FROM json_each(row, '$.questions'))"
    ),
    "postgresql": (
        "UPDATE regimen_courses SET questions = q.named FROM ("
        "SELECT c.tenant, c.course, (SELECT count(*) FROM "
        "jsonb_object_keys(coalesce(c.row::jsonb -> 'questions', '{}'::jsonb))) AS named "
        "FROM regimen_courses c) q WHERE q.tenant = regimen_courses.tenant "
        "AND q.course = regimen_courses.course AND q.named <> regimen_courses.questions"
    ),
}
"""What each row says already, counted."""


def upgrade() -> None:
    kind = op.get_bind().dialect.name
    op.execute(SAID.format(body=TOLD[kind]))
    op.execute(COUNTED[kind])


def downgrade() -> None:
    """Nothing: what was added is what the older engine would have to say today as well."""

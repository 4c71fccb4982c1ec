"""Courses, their records, and what guards the records.

Later migrations take care: on SQLite a table that is made anew loses its triggers.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")

GUARDED = {
    "regimen_definitions": [("tenant", "digest")],
    "regimen_prose": [("tenant", "digest")],
    "regimen_records": [("tenant", "course", "seq"), ("tenant", "course", "event_id")],
    "regimen_readings": [("tenant", "course", "input", "placed", "seq")],
}
TEXTS = "regimen_texts"
TEXTS_KEY = ("tenant", "course", "seq", "path")
CLUSTERED = {"regimen_readings", TEXTS}
TABLES = (
    *("texts", "messages", "visits", "timers", "readings"),
    *("records", "courses", "prose", "definitions"),
)


def upgrade() -> None:
    _definitions()
    _courses()
    _records()
    _caches()
    _messages_and_texts()
    if op.get_bind().dialect.name == "sqlite":
        for statement in _sqlite_guards():
            op.execute(statement)
    else:
        for statement in _postgresql_guards():
            op.execute(statement)


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:  # the auditor's views, if somebody asked for them
        op.execute("DROP SCHEMA IF EXISTS regimen_audit CASCADE")
    for name in TABLES:
        op.drop_table(f"regimen_{name}")
    if postgresql:
        op.execute("DROP FUNCTION regimen_only_grows()")
        op.execute("DROP FUNCTION regimen_only_erases()")


def _column(name: str, kind: Any = NAME, *, null: bool = False) -> sa.Column[Any]:  # noqa: ANN401  # a type
    return sa.Column(name, kind, nullable=null)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_regimen_{table}")


def _definitions() -> None:
    op.create_table(
        "regimen_definitions",
        _column("tenant"),
        _column("digest"),
        _column("name"),
        _column("version"),
        _column("semantic", sa.LargeBinary()),
        _column("prose_digest"),
        _key("definitions", "tenant", "digest"),
    )
    op.create_table(
        "regimen_prose",
        _column("tenant"),
        _column("digest"),
        _column("prose", sa.LargeBinary()),
        _key("prose", "tenant", "digest"),
    )


def _courses() -> None:
    op.create_table(
        "regimen_courses",
        *(_column(n) for n in ("tenant", "course", "workflow", "digest", "patient")),
        *(_column(n) for n in ("site", "zone", "state", "stage")),
        _column("seq", sa.Integer()),
        _column("revision", sa.Integer()),
        _column("open", sa.Boolean()),
        _column("row", sa.Text()),
        _key("courses", "tenant", "course"),
        sa.ForeignKeyConstraint(
            ["tenant", "digest"],
            ["regimen_definitions.tenant", "regimen_definitions.digest"],
            name="fk_regimen_courses_definitions",
        ),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(
        "uq_regimen_courses_open",
        "regimen_courses",
        ["tenant", "patient", "workflow"],
        unique=True,
        postgresql_where=sa.column("open", sa.Boolean()),
        sqlite_where=sa.column("open", sa.Boolean()),
    )


def _records() -> None:
    op.create_table(
        "regimen_records",
        _column("tenant"),
        _column("course"),
        _column("seq", sa.Integer()),
        *(_column(n) for n in ("event_id", "event", "verdict")),
        _column("at", INSTANT, null=True),
        _column("recorded_at", INSTANT),
        _column("prev_hash"),
        _column("hash"),
        _column("body", sa.LargeBinary()),
        _key("records", "tenant", "course", "seq"),
        sa.UniqueConstraint("tenant", "course", "event_id", name="uq_regimen_records_event_id"),
    )
    op.create_table(
        "regimen_readings",
        *(_column(n) for n in ("tenant", "course", "input")),
        _column("placed", INSTANT),
        _column("seq", sa.Integer()),
        _column("at", INSTANT, null=True),
        _column("on_date", sa.Date(), null=True),
        _column("value", sa.Text()),
        _column("over_microseconds", sa.BigInteger(), null=True),
        _column("flaw", null=True),
        _column("corrects", sa.Integer(), null=True),
        _key("readings", "tenant", "course", "input", "placed", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_regimen_readings_corrects",
        "regimen_readings",
        ["tenant", "course", "input", "corrects"],
        postgresql_where=sa.text("corrects IS NOT NULL"),
        sqlite_where=sa.text("corrects IS NOT NULL"),
    )


def _caches() -> None:
    op.create_table(
        "regimen_timers",
        *(_column(n) for n in ("tenant", "course", "name")),
        _column("due", INSTANT),
        _column("seq", sa.Integer()),
        _key("timers", "tenant", "course", "name"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_regimen_timers_due", "regimen_timers", ["tenant", "due"])
    op.create_table(
        "regimen_visits",
        *(_column(n) for n in ("tenant", "course", "name")),
        _column("number", sa.Integer()),
        *(_column(n, sa.Date()) for n in ("earliest", "target", "latest")),
        _key("visits", "tenant", "course", "name"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_regimen_visits_earliest", "regimen_visits", ["tenant", "earliest"])


def _messages_and_texts() -> None:
    op.create_table(
        "regimen_messages",
        _column("tenant"),
        _column("course"),
        _column("seq", sa.Integer()),
        _column("n", sa.Integer()),
        _column("kind"),
        _column("body", sa.LargeBinary()),
        _column("recorded_at", INSTANT),
        _column("delivered_at", INSTANT, null=True),
        _key("messages", "tenant", "course", "seq", "n"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_regimen_messages_waiting",
        "regimen_messages",
        ["tenant", "recorded_at"],
        postgresql_where=sa.text("delivered_at IS NULL"),
        sqlite_where=sa.text("delivered_at IS NULL"),
    )
    op.create_table(
        "regimen_texts",
        _column("tenant"),
        _column("course"),
        _column("seq", sa.Integer()),
        _column("path"),
        _column("salt", sa.Text(), null=True),
        _column("text", sa.Text(), null=True),
        _column("sha256"),
        _key("texts", *TEXTS_KEY),
        sa.CheckConstraint("(text IS NULL) = (salt IS NULL)", name="ck_regimen_texts_erased"),
        sqlite_with_rowid=False,
    )


def _sqlite_guards() -> list[str]:
    made = []
    for table, keys in GUARDED.items():
        made += [_sqlite(table, "update", "UPDATE"), _sqlite(table, "delete", "DELETE")]
        for columns in keys:
            name = f"insert_{columns[-1]}"
            made.append(_sqlite(table, name, "INSERT", _there(table, columns)))
        if table not in CLUSTERED:  # the hidden key can be replaced by, too
            made.append(_sqlite(table, "insert_rowid", "INSERT", _there(table, ("rowid",))))
    kept = " AND ".join(f"NEW.{column} IS OLD.{column}" for column in (*TEXTS_KEY, "sha256"))
    erasing = f"NOT (NEW.text IS NULL AND NEW.salt IS NULL AND {kept})"
    return [
        *made,
        _sqlite(TEXTS, "update", "UPDATE", erasing, "may only be erased"),
        _sqlite(TEXTS, "delete", "DELETE", "1", "may only be erased"),
        _sqlite(TEXTS, "insert_path", "INSERT", _there(TEXTS, TEXTS_KEY), "may only be erased"),
    ]


def _there(table: str, columns: tuple[str, ...]) -> str:
    same = " AND ".join(f"{column} = NEW.{column}" for column in columns)
    return f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608  # names from above


def _sqlite(
    table: str, name: str, event: str, when: str = "1", says: str = "is append-only"
) -> str:
    return (
        f"CREATE TRIGGER {table}_guard_{name} BEFORE {event} ON {table} WHEN {when} "
        f"BEGIN SELECT RAISE(ABORT, '{table} {says}'); END"
    )


def _postgresql_guards() -> list[str]:
    kept = " AND ".join(
        f"NEW.{column} IS NOT DISTINCT FROM OLD.{column}" for column in (*TEXTS_KEY, "sha256")
    )
    made = [
        """
        CREATE FUNCTION regimen_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
        END $$
        """,
        f"""
        CREATE FUNCTION regimen_only_erases() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                IF NEW.text IS NULL AND NEW.salt IS NULL AND {kept} THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION '% may only be erased', TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation';
        END $$
        """,
    ]
    for table in (*GUARDED, TEXTS):
        function = "regimen_only_erases" if table == TEXTS else "regimen_only_grows"
        for name, event in (
            ("rows", f"UPDATE OR DELETE ON {table} FOR EACH ROW"),
            ("truncate", f"TRUNCATE ON {table} FOR EACH STATEMENT"),
        ):
            made += [
                f"CREATE TRIGGER {table}_guard_{name} BEFORE {event} EXECUTE FUNCTION {function}()",
                # Else a session that says it is a replica goes unseen.
                f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_guard_{name}",
            ]
    return made

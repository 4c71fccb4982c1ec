"""What the backend of a scheduling system needs: bookings, sites, the feed, webhooks, access.

On SQLite the tables that get another column are made anew; none of them has guards.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")

SITE_OF_VISITS = """
UPDATE regimen_visits SET site = (
    SELECT c.site FROM regimen_courses c
    WHERE c.tenant = regimen_visits.tenant AND c.course = regimen_visits.course
)
"""
ALL_OF_A_VISIT = ("latest", "site", "number", "not_before")

LOG = "regimen_access_log"
LOG_KEY = ("tenant", "at", "id")
TABLES = (
    *("access_log", "calendar_feeds", "tokens", "deliveries", "endpoints"),
    *("feed", "sites", "bookings"),
)


def upgrade() -> None:
    with op.batch_alter_table("regimen_courses") as batch:
        batch.add_column(_column("waits", null=True))
        batch.add_column(sa.Column("questions", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(_column("conflicts", null=True))
    for name, columns, where in (
        ("waits", ["tenant", "waits", "course", "site"], "waits IS NOT NULL"),
        ("questions", ["tenant", "open", "course", "site"], "open{} AND questions > 0"),
        ("conflicts", ["tenant", "conflicts", "course", "site"], "conflicts IS NOT NULL"),
    ):
        op.create_index(
            f"ix_regimen_courses_{name}",
            "regimen_courses",
            columns,
            postgresql_where=sa.text(where.format("")),
            sqlite_where=sa.text(where.format(" = 1")),
        )
    op.create_index("ix_regimen_courses_site", "regimen_courses", ["tenant", "site", "course"])
    with op.batch_alter_table("regimen_visits", table_kwargs={"sqlite_with_rowid": False}) as batch:
        batch.add_column(_column("not_before", INSTANT, null=True))
        batch.add_column(_column("site", null=True))
    op.execute(SITE_OF_VISITS)
    with op.batch_alter_table("regimen_visits", table_kwargs={"sqlite_with_rowid": False}) as batch:
        batch.alter_column("site", existing_type=NAME, nullable=False)
    op.drop_index("ix_regimen_visits_earliest", "regimen_visits")
    for first, then in (("earliest", "target"), ("target", "earliest")):
        columns = ["tenant", first, "course", "name", then, *ALL_OF_A_VISIT]
        op.create_index(f"ix_regimen_visits_{first}", "regimen_visits", columns)
    _scheduling()
    _webhooks()
    _access()
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _sqlite_guards() if sqlite else _postgresql_guards():
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # the auditor's views, if there are any
        op.execute("DROP SCHEMA IF EXISTS regimen_audit CASCADE")
    for name in TABLES:
        op.drop_table(f"regimen_{name}")
    for name in ("target", "earliest"):
        op.drop_index(f"ix_regimen_visits_{name}", "regimen_visits")
    op.create_index("ix_regimen_visits_earliest", "regimen_visits", ["tenant", "earliest"])
    with op.batch_alter_table("regimen_visits", table_kwargs={"sqlite_with_rowid": False}) as batch:
        batch.drop_column("site")
        batch.drop_column("not_before")
    for name in ("site", "conflicts", "questions", "waits"):
        op.drop_index(f"ix_regimen_courses_{name}", "regimen_courses")
    with op.batch_alter_table("regimen_courses") as batch:
        batch.drop_column("conflicts")
        batch.drop_column("questions")
        batch.drop_column("waits")


def _column(name: str, kind: Any = NAME, *, null: bool = False) -> sa.Column[Any]:  # noqa: ANN401  # a type
    return sa.Column(name, kind, nullable=null)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_regimen_{table}")


def _scheduling() -> None:
    op.create_table(
        "regimen_bookings",
        *(_column(n) for n in ("tenant", "course", "name", "visit")),
        _column("number", sa.Integer(), null=True),
        _column("start", INSTANT),
        _column("on_date", sa.Date()),
        _column("minutes", sa.Integer(), null=True),
        _column("status"),
        _column("changes", sa.Integer()),
        _column("seq", sa.Integer()),
        _key("bookings", "tenant", "course", "name"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_regimen_bookings_day", "regimen_bookings", ["tenant", "on_date"])
    op.create_table(
        "regimen_sites",
        *(_column(n) for n in ("tenant", "site")),
        _column("calendar", sa.Text()),
        _column("changed_at", INSTANT),
        _key("sites", "tenant", "site"),
    )


def _webhooks() -> None:
    op.create_table(
        "regimen_feed",
        _column("tenant"),
        _column("position", sa.BigInteger()),
        _column("course"),
        *(_column(n, sa.Integer()) for n in ("seq", "n")),
        _column("kind"),
        _column("recorded_at", INSTANT),
        _key("feed", "tenant", "position"),
        sa.UniqueConstraint("tenant", "course", "seq", "n", name="uq_regimen_feed_message"),
    )
    op.create_table(
        "regimen_endpoints",
        *(_column(n) for n in ("tenant", "id")),
        *(_column(n, sa.Text()) for n in ("url", "kinds", "secrets")),
        _column("position", sa.BigInteger()),
        _column("created_at", INSTANT),
        _column("disabled_at", INSTANT, null=True),
        _column("disabled_why", null=True),
        _key("endpoints", "tenant", "id"),
    )
    op.create_table(
        "regimen_deliveries",
        *(_column(n) for n in ("tenant", "endpoint")),
        _column("position", sa.BigInteger()),
        _column("course"),
        _column("attempts", sa.Integer()),
        *(_column(n, INSTANT, null=True) for n in ("next_at", "claimed_until")),
        _column("answered", null=True),
        *(_column(n, INSTANT, null=True) for n in ("delivered_at", "dead_at")),
        _key("deliveries", "tenant", "position", "endpoint"),
        sa.ForeignKeyConstraint(
            ["tenant", "endpoint"],
            ["regimen_endpoints.tenant", "regimen_endpoints.id"],
            name="fk_regimen_deliveries_endpoints",
        ),
    )
    open_ = "delivered_at IS NULL AND dead_at IS NULL"
    for name, columns, where in (
        ("ix_regimen_deliveries_open", ("endpoint", "course", "position"), open_),
        ("ix_regimen_deliveries_due", ("endpoint", "next_at", "position"), "next_at IS NOT NULL"),
        ("uq_regimen_deliveries_due", ("course", "endpoint"), "next_at IS NOT NULL"),
        ("ix_regimen_deliveries_delivered", ("delivered_at",), "delivered_at IS NOT NULL"),
        ("ix_regimen_deliveries_dead", ("endpoint", "dead_at"), "dead_at IS NOT NULL"),
    ):
        op.create_index(
            name,
            "regimen_deliveries",
            ["tenant", *columns],
            unique=name.startswith("uq_"),
            postgresql_where=sa.text(where),
            sqlite_where=sa.text(where),
        )


def _access() -> None:
    op.create_table(
        "regimen_tokens",
        *(_column(n) for n in ("id", "tenant", "name", "sha256")),
        *(_column(n, sa.Text()) for n in ("roles", "actor_roles")),
        _column("sites", sa.Text(), null=True),
        _column("created_at", INSTANT),
        _column("created_by"),
        _column("expires_at", INSTANT),
        _column("revoked_at", INSTANT, null=True),
        _column("revoked_by", null=True),
        _key("tokens", "id"),
    )
    op.create_index("ix_regimen_tokens_tenant", "regimen_tokens", ["tenant", "created_at"])
    op.create_table(
        "regimen_calendar_feeds",
        *(_column(n) for n in ("id", "tenant", "sha256", "scope", "subject")),
        _column("sites", sa.Text(), null=True),
        _column("created_at", INSTANT),
        _column("created_by"),
        _column("revoked_at", INSTANT, null=True),
        _key("calendar_feeds", "id"),
    )
    op.create_table(
        LOG,
        _column("tenant"),
        _column("at", INSTANT),
        *(_column(n) for n in ("id", "actor", "action", "outcome")),
        _column("about", sa.Text()),
        _key("access_log", *LOG_KEY),
    )
    op.create_index(f"ix_{LOG}_actor", LOG, ["tenant", "actor", "action", "at"])


def _sqlite_guards() -> list[str]:
    same = " AND ".join(f"{column} = NEW.{column}" for column in LOG_KEY)
    return [
        _sqlite("update", "UPDATE"),
        _sqlite("delete", "DELETE"),
        _sqlite("insert_id", "INSERT", same),
        _sqlite("insert_rowid", "INSERT", "rowid = NEW.rowid"),
    ]


def _sqlite(name: str, event: str, same: str = "") -> str:
    there = f"EXISTS (SELECT 1 FROM {LOG} WHERE {same})" if same else "1"  # noqa: S608  # names from above
    return (
        f"CREATE TRIGGER {LOG}_guard_{name} BEFORE {event} ON {LOG} WHEN {there} "
        f"BEGIN SELECT RAISE(ABORT, '{LOG} is append-only'); END"
    )


def _postgresql_guards() -> list[str]:
    made = []
    for name, what in (
        ("rows", "BEFORE UPDATE OR DELETE ON {} FOR EACH ROW"),
        ("truncate", "BEFORE TRUNCATE ON {} FOR EACH STATEMENT"),
    ):
        trigger = f"{LOG}_guard_{name}"
        made.append(
            f"CREATE TRIGGER {trigger} {what.format(LOG)} EXECUTE FUNCTION regimen_only_grows()"
        )
        made.append(f"ALTER TABLE {LOG} ENABLE ALWAYS TRIGGER {trigger}")
    return made

"""Three roles on PostgreSQL, and what the crimes of each come to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from engine.core.sealing import SealedText
from engine.core.view import Reading
from engine.store import append_only
from engine.store.roles import AUDIT, grant_roles
from engine.store.sql import SqlStore, open_store
from tests.store.writing import NOON, Clinic

HISTORY = ("records", "readings", "definitions", "prose", "texts")


@pytest.fixture
def owned(migrated_postgres_url: str) -> Iterator[SqlStore]:
    """The module's database, as its owner, with the roles given."""
    store = open_store(migrated_postgres_url)
    with store.engine.begin() as connection:
        grant_roles(connection, app="regimen_app", auditor="regimen_auditor")
    yield store
    store.close()


def attempt(owned: SqlStore, role: str, statement: str) -> object:
    with owned.engine.begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {role}"))
        result = connection.execute(text(statement))
        return result.scalar() if result.returns_rows else None


@pytest.mark.parametrize("replica", [False, True], ids=["origin", "replica"])
@pytest.mark.parametrize("crime", ["TRUNCATE regimen_{} CASCADE", "DELETE FROM regimen_{}"])
@pytest.mark.parametrize("table", HISTORY)
def test_not_even_a_superuser_empties_a_table_without_dropping_its_guard(
    owned: SqlStore, table: str, crime: str, replica: bool
):
    Clinic(owned, f"{table} {crime} {replica}").begun(
        readings=[Reading("pulse", "80", NOON, NOON.date(), 1)],
        texts=[SealedText(path="p", salt="s", text="t", sha256="5e")],
    )
    with owned.engine.connect() as connection:
        if replica:  # a session that applies what another server has checked
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        with pytest.raises(IntegrityError, match="append-only|may only be erased"):
            connection.execute(text(crime.format(table)))


@pytest.mark.parametrize(
    "crime",
    [
        *(f"UPDATE regimen_{table} SET tenant = 'other'" for table in HISTORY),
        *(f"DELETE FROM regimen_{table}" for table in HISTORY),
        *(f"TRUNCATE regimen_{table}" for table in HISTORY),
        "DELETE FROM regimen_courses",
        "ALTER TABLE regimen_records DISABLE TRIGGER ALL",
        "DROP TRIGGER regimen_records_guard_rows ON regimen_records",
        "DROP TABLE regimen_records CASCADE",
        "SET session_replication_role = replica",
        "CREATE RULE quiet AS ON INSERT TO regimen_records DO INSTEAD NOTHING",
        "UPDATE regimen_alembic_version SET version_num = '0'",
        f"SELECT count(*) FROM {AUDIT}.regimen_records",
    ],
)
def test_the_application_has_no_right_to_any_crime(owned: SqlStore, crime: str):
    with pytest.raises(DBAPIError, match="permission denied|must be owner"):
        attempt(owned, "regimen_app", crime)


def test_the_application_can_do_its_work(owned: SqlStore, tenant: str):
    url = make_url(owned.engine.url).update_query_dict({"options": "-crole=regimen_app"})
    store = open_store(url.render_as_string(hide_password=False))
    clinic = Clinic(store, tenant)
    clinic.begun(
        readings=[Reading("pulse", "80", NOON, NOON.date(), 1)],
        texts=[SealedText(path="p", salt="s", text="t", sha256="5e")],
    )
    clinic.stored(clinic.decision(seq=2))
    with clinic.writing() as tx:
        head = tx.head("C-1", "C-1-2")
        assert head is not None
        assert head.known is not None
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE regimen_texts SET text = NULL, salt = NULL"))
    store.close()


def test_the_auditor_reads_everything_but_free_text_and_can_change_nothing(
    owned: SqlStore, tenant: str
):
    clinic = Clinic(owned, tenant)
    first = clinic.begun(texts=[SealedText(path="p", salt="s", text="t", sha256="5e")])
    url = make_url(owned.engine.url).update_query_dict(
        {"options": f"-crole=regimen_auditor -csearch_path={AUDIT}"}
    )
    auditor = open_store(url.render_as_string(hide_password=False))

    with auditor.transaction(tenant, write=False) as tx:
        assert list(tx.records("C-1")) == [first.record]
        assert tx.row("C-1") == first.row
        assert tx.texts("C-1", 1) == {"p": ("", None)}
        assert len(tx.definitions()) == 1
    auditor.close()


@pytest.mark.parametrize(
    "crime",
    [
        "SELECT text FROM regimen_texts",
        "SELECT 1 FROM regimen_records",
        f"UPDATE {AUDIT}.regimen_records SET verdict = 'refused'",
        f"DELETE FROM {AUDIT}.regimen_courses",
        f"INSERT INTO {AUDIT}.regimen_prose VALUES ('t', 'd', '')",
        f"CREATE VIEW {AUDIT}.other AS SELECT 1",
    ],
)
def test_the_auditor_has_no_right_to_any_crime(owned: SqlStore, crime: str):
    with pytest.raises(DBAPIError, match="permission denied"):
        attempt(owned, "regimen_auditor", crime)


def test_the_owner_can_switch_the_guards_off_and_that_is_told(owned: SqlStore):
    """Why the application must not own the tables."""
    with owned.engine.connect() as connection:
        connection.execute(text("ALTER TABLE regimen_records DISABLE TRIGGER ALL"))
        connection.execute(text("UPDATE regimen_records SET verdict = 'refused'"))
        missing = append_only.missing(connection)
        connection.rollback()

    assert missing == ("regimen_records_guard_rows", "regimen_records_guard_truncate")


def test_a_guard_that_only_fires_in_some_sessions_counts_as_missing(owned: SqlStore):
    with owned.engine.connect() as connection:
        connection.execute(
            text("ALTER TABLE regimen_prose ENABLE REPLICA TRIGGER regimen_prose_guard_rows")
        )
        missing = append_only.missing(connection)
        connection.rollback()

    assert missing == ("regimen_prose_guard_rows",)


def test_roles_are_given_again_without_harm_and_taken_back_where_they_were_too_wide(
    owned: SqlStore,
):
    with owned.engine.begin() as connection:
        connection.execute(text("GRANT DELETE ON regimen_courses TO regimen_app"))
        grant_roles(connection, app="regimen_app", auditor="regimen_auditor")

    with pytest.raises(DBAPIError, match="permission denied"):
        attempt(owned, "regimen_app", "DELETE FROM regimen_courses")

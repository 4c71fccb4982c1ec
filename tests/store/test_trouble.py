"""What is said of a database that cannot be used, and what is passed on as it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import DBAPIError

from engine.errors import Conflict, InvalidInput, StoreUnavailable
from engine.store import migrate
from engine.store.sql import SqlStore, open_store
from tests.store.writing import Clinic, definition


def begin(store: SqlStore, tenant: str = "clinic", course: str = "C-1") -> None:
    Clinic(store, tenant).begun(course)


@pytest.fixture
def opened() -> Iterator[list[SqlStore]]:
    """Stores to close at the end."""
    stores: list[SqlStore] = []
    yield stores
    for store in stores:
        store.close()


# --- URLs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["courses.db", "", "mysql://localhost/courses"])
def test_a_url_of_no_known_database_says_what_was_expected(url: str):
    with pytest.raises(InvalidInput, match="sqlite"):
        open_store(url)


@pytest.mark.parametrize("kind", ["sqlite:///courses.db", "postgresql://localhost/courses"])
@pytest.mark.parametrize("option", ["isolation_level", "hide_parameters"])
def test_an_option_that_is_the_stores_own_is_named(kind: str, option: str):
    with pytest.raises(InvalidInput, match=f"^{option}: expected no such option, since") as raised:
        open_store(kind, **{option: "SERIALIZABLE"})
    assert raised.value.field == option


def test_a_missing_driver_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(StoreUnavailable, match=r"install regimen-engine\[postgres\]"):
        open_store("postgresql://localhost/courses")


# --- SQLite -------------------------------------------------------------------------------------


def test_a_file_in_a_folder_that_does_not_exist(tmp_path: Path, opened: list[SqlStore]):
    opened.append(open_store(f"sqlite:///{tmp_path}/nowhere/courses.db"))

    with pytest.raises(StoreUnavailable, match="unable to open.*make its folder"):
        begin(opened[0])


def test_a_file_that_is_no_database(tmp_path: Path, opened: list[SqlStore]):
    (tmp_path / "courses.db").write_text("Dear colleague, " * 100)
    opened.append(open_store(f"sqlite:///{tmp_path}/courses.db"))

    with pytest.raises(StoreUnavailable, match="not a database.*name another file"):
        begin(opened[0])


def test_a_file_that_may_only_be_read(sqlite_url: str, tenant: str, opened: list[SqlStore]):
    opened.append(open_store(sqlite_url))
    begin(opened[0], tenant)
    path = make_url(sqlite_url).database
    opened.append(open_store(f"sqlite:///file:{path}?mode=ro&uri=true"))

    with opened[1].transaction(tenant, write=False) as tx:
        assert len(tx.courses()) == 1
    with pytest.raises(StoreUnavailable, match="readonly.*writable"):
        begin(opened[1], tenant, "C-2")


def test_a_full_disk(sqlite_url: str, tenant: str, opened: list[SqlStore]):
    opened.append(open_store(sqlite_url))
    clinic = Clinic(opened[0], tenant)
    clinic.begun()
    full = open_store(sqlite_url, pool_size=1, max_overflow=0)
    opened.append(full)
    event.listen(full.engine, "connect", lambda c, _: c.execute("PRAGMA max_page_count=1"))

    with pytest.raises(StoreUnavailable, match="full: free some space"):
        Clinic(full, tenant).stored(clinic.decision(seq=2, padding=100_000))

    with clinic.reading() as tx:
        assert len(list(tx.records("C-1"))) == 1


def test_a_file_that_stays_locked(sqlite_url: str, tenant: str, opened: list[SqlStore]):
    opened += [open_store(sqlite_url), open_store(sqlite_url, wait=0.05)]
    begin(opened[0], tenant)

    with (
        opened[0].transaction(tenant),
        pytest.raises(StoreUnavailable, match="keeps the file locked"),
    ):
        begin(opened[1], tenant, "C-2")


def test_more_transactions_at_once_than_connections(
    database_url: str, tenant: str, opened: list[SqlStore]
):
    store = open_store(database_url, pool_size=1, max_overflow=0, pool_timeout=0.05)
    opened.append(store)

    with (
        store.transaction(tenant, write=False),
        pytest.raises(StoreUnavailable, match="every connection is in use"),
    ):
        store.transaction(tenant, write=False).__enter__()


# --- PostgreSQL ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"query": {"host": "/nowhere"}}, "nowhere"),
        ({"database": "nowhere"}, 'database "nowhere" does not exist'),
        ({"username": "nobody_here"}, 'role "nobody_here" does not exist'),
    ],
)
def test_a_server_that_does_not_let_us_in(
    migrated_postgres_url: str, opened: list[SqlStore], change: dict[str, str], said: str
):
    url = make_url(migrated_postgres_url).set(**change)
    opened.append(open_store(url.render_as_string(hide_password=False)))

    with pytest.raises(StoreUnavailable, match=said):
        begin(opened[0])


def test_a_connection_that_is_lost_fails_once_and_the_next_is_new(
    migrated_postgres_url: str, tenant: str, opened: list[SqlStore]
):
    store = open_store(migrated_postgres_url)
    opened.append(store)
    clinic = Clinic(store, tenant)
    clinic.begun()

    with pytest.raises(StoreUnavailable):
        lose_the_connection(clinic)

    clinic.stored(clinic.decision(seq=2))


def lose_the_connection(clinic: Clinic) -> None:
    assert isinstance(clinic.store, SqlStore)
    with clinic.writing() as tx:
        assert tx.row("C-1") is not None
        with clinic.store.engine.connect() as other:
            other.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        tx.append(clinic.decision(seq=2))


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("53100", "free some space on the server's disk"),
        ("53200", "let the server have more"),
        ("53300", "let the server have more"),
        ("57P01", "wait until the server is there again"),
        ("57P03", "wait until the server is there again"),
        ("08006", "see that the server can be reached"),
        ("58030", "look after the server's disk"),
        ("25006", "not its standby"),
        ("42501", "as a role that may do this"),
        ("55P03", "stayed locked"),
    ],
)
def test_what_a_server_says_in_its_distress_comes_with_what_to_do(
    faulty: SqlStore, state: str, said: str
):
    with pytest.raises(StoreUnavailable, match=said):
        begin(faulty, state)


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_a_race_that_the_server_ended_is_a_conflict(faulty: SqlStore, state: str):
    with pytest.raises(Conflict) as raised:
        begin(faulty, state)
    assert raised.value.retriable
    assert raised.value.course == "C-1"


@pytest.mark.parametrize("state", ["40001", "22012"])
def test_what_the_server_gave_up_is_not_acknowledged_though_its_error_was_passed_over(
    faulty: SqlStore, state: str
):
    """Asked to commit such a transaction, the server rolls it back and says nothing."""
    clinic = Clinic(faulty, state)
    block = clinic.writing()
    tx = block.__enter__()
    tx.define(definition(state))
    with suppress(Conflict, DBAPIError):
        tx.append(clinic.decision(workflow=definition(state)))

    with pytest.raises((Conflict, DBAPIError)):
        block.__exit__(None, None, None)
    with clinic.reading() as tx:
        assert tx.definition(definition(state).digest) is None


@pytest.mark.parametrize("state", ["22012", "57014", "23514", "XX000"])
def test_every_other_error_is_passed_on_and_shows_nothing_that_was_sent(
    faulty: SqlStore, state: str
):
    with pytest.raises(DBAPIError) as raised:
        begin(faulty, state)
    assert raised.value.orig.sqlstate == state
    assert "patient of" not in str(raised.value)


@pytest.fixture(scope="module")
def faulty(migrated_postgres_url: str) -> Iterator[SqlStore]:
    """A server on which a tenant with the name of an error gets it for every record."""
    store = open_store(migrated_postgres_url)
    with store.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "RAISE EXCEPTION 'in distress' USING ERRCODE = NEW.tenant; END $$"
            )
        )
        connection.execute(
            text(
                "CREATE TRIGGER fail BEFORE INSERT ON regimen_records FOR EACH ROW "
                "WHEN (NEW.tenant ~ '^[0-9A-Z]{5}$') EXECUTE FUNCTION fail()"
            )
        )
    yield store
    store.close()


# --- both ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_tables_that_vanished_under_us_say_what_to_do(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, opened: list[SqlStore]
):
    sqlite = f"sqlite:///{tmp_path}/courses.db"
    store = open_store(sqlite if kind == "sqlite" else request.getfixturevalue("postgres_url"))
    opened.append(store)
    migrate.upgrade(store.engine)
    begin(store)
    migrate.downgrade(store.engine)

    with pytest.raises(StoreUnavailable, match="its tables are not there: run `regimen migrate`"):
        begin(store)

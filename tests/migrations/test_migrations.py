"""Up, down and up again, on both databases, and always what the code expects."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, inspect, text

from engine.core.snapshot import Window
from engine.errors import StoreUnavailable
from engine.store import append_only, migrate
from engine.store.schema import REVISIONS
from engine.store.sql import SqlStore, open_store
from engine.store.tables import VERSION_TABLE, metadata
from tests.service.bench import INSTRUMENT, Bench

TABLES = {*metadata.tables, VERSION_TABLE}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'courses.db'}"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    opened = open_store(url)
    yield opened
    opened.close()


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def differences(connection: Connection) -> list[object]:
    """What Alembic would change to make the database equal to `metadata`."""
    context = MigrationContext.configure(
        connection,
        opts={
            "version_table": VERSION_TABLE,
            "compare_type": True,
            "compare_server_default": True,
            "include_name": lambda name, kind, _: kind != "table" or name in metadata.tables,
        },
    )
    return list(compare_metadata(context, metadata))


def test_up_down_and_up_again_gives_the_tables_of_the_code_with_their_guards(store: SqlStore):
    for _ in range(2):
        migrate.upgrade(store.engine)
        with store.engine.begin() as connection:
            assert tables(connection) == TABLES
            assert differences(connection) == []
            assert append_only.missing(connection) == ()
            assert migrate.is_current(connection)

        migrate.downgrade(store.engine)
        with store.engine.begin() as connection:
            assert tables(connection) == {VERSION_TABLE}
            assert len(append_only.missing(connection)) >= 10
            assert migrate.current(connection) is None


CATALOGUE = {
    "sqlite": "SELECT sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL",
    "postgresql": """
        SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL
        SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL
        SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, collation_name)
        FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL
        SELECT concat_ws(' ', relname, reloptions) FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    """,
}


def catalogue(connection: Connection) -> list[str]:
    """What the database says that it has, without Alembic's own table."""
    found = connection.scalars(text(CATALOGUE[connection.dialect.name]))
    plain = (" ".join(line.replace('"', "").replace("(", " ( ").split()) for line in found)
    return sorted(line for line in plain if VERSION_TABLE not in line)


def test_the_database_says_the_same_of_migrated_tables_as_of_those_of_the_code(store: SqlStore):
    """Alembic compares no partial index, no collation and no storage."""
    with store.engine.begin() as connection:
        metadata.create_all(connection)
        expected = catalogue(connection)
        metadata.drop_all(connection)
    migrate.upgrade(store.engine)

    with store.engine.begin() as connection:
        assert catalogue(connection) == expected


def test_a_downgrade_leaves_no_function_and_no_schema_behind(store: SqlStore):
    migrate.upgrade(store.engine)
    migrate.downgrade(store.engine)

    with store.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            left = "SELECT count(*) FROM pg_proc WHERE proname LIKE 'regimen%'"
        else:
            left = "SELECT count(*) FROM sqlite_master WHERE sql LIKE '%guard%'"
        assert connection.scalar(text(left)) == 0


def test_migrating_what_is_current_changes_nothing(store: SqlStore):
    migrate.upgrade(store.engine)
    migrate.upgrade(store.engine)

    with store.engine.begin() as connection:
        assert migrate.current(connection) == REVISIONS[-1]


def test_the_code_names_every_migration_in_order():
    scripts = ScriptDirectory(str(migrate.scripts()))
    found = [script.revision for script in scripts.walk_revisions()]

    assert tuple(reversed(found)) == REVISIONS


def test_two_who_migrate_at_once_both_succeed(url: str):
    failures: list[BaseException] = []
    start = threading.Barrier(2)

    def run() -> None:
        store = open_store(url)
        try:
            start.wait()
            migrate.upgrade(store.engine)
        except BaseException as error:  # noqa: BLE001  # whatever it is, the test tells
            failures.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


def test_a_database_without_tables_says_what_to_do(store: SqlStore):
    with pytest.raises(StoreUnavailable, match="run `regimen migrate`"):
        store.transaction("clinic").__enter__()


def test_courses_from_before_are_kept_and_go_on(store: SqlStore):
    migrate.upgrade(store.engine, "0001")
    with store.engine.begin() as connection:
        for table, row in BEFORE.items():
            names = ", ".join(row)
            values = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)
    migrate.upgrade(store.engine)

    with store.transaction("clinic") as tx:
        (line,) = tx.courses()
        assert (line.course, line.seq, line.waits, line.questions) == ("C-1", 1, None, 0)
        (visit,) = tx.visits(date(2026, 3, 3))
        assert visit.window == Window(1, *(date(2026, 3, day) for day in (3, 4, 5)))


def test_what_an_older_engine_did_not_keep_beside_records_is_filled_and_no_fault(store: SqlStore):
    migrate.upgrade(store.engine)
    bench = Bench(store, "clinic")
    bench.install(INSTRUMENT)
    bench.in_service("gauge")
    bench.enrolled("other")
    impossible = {"deviation": {"value": "100000", "unit": "um"}}
    bench.service.submit(bench.measurement("gauge", impossible))
    assert bench.service.submit(bench.release("other")).verdict == "refused"
    copied = kept_beside(store)
    assert ("gauge", 1) in copied
    migrate.downgrade(store.engine, "0009")
    with store.engine.begin() as connection:
        connection.execute(text("DELETE FROM regimen_messages WHERE kind LIKE 'course.%'"))
        connection.execute(text("UPDATE regimen_courses SET questions = 0"))

    migrate.upgrade(store.engine)

    assert kept_beside(store) == copied
    assert [bench.auditor.verify(name) for name in ("gauge", "other")] == [None, None]


def kept_beside(store: SqlStore) -> list[tuple[object, ...]]:
    columns = "course, seq, n, kind, body, recorded_at, delivered_at"
    asked = (
        f"SELECT {columns} FROM regimen_messages ORDER BY course, seq, n",
        "SELECT course, questions FROM regimen_courses ORDER BY course",
    )
    with store.engine.begin() as connection:
        return [tuple(row) for query in asked for row in connection.execute(text(query))]


DAYS = {"earliest": "2026-03-03", "target": "2026-03-04", "latest": "2026-03-05"}
STOOD = {"seq": 1, "revision": 1, "open": True, "row": "{}", "state": "s", "stage": "s"}
PLACE = {"patient": "P-1", "site": "north", "zone": "UTC", "workflow": "n", "digest": "d"}
DEFINED = {"name": "n", "version": "1", "semantic": b"{}", "prose_digest": "p"}
BEFORE = {
    "regimen_definitions": {"tenant": "clinic", "digest": "d", **DEFINED},
    "regimen_courses": {"tenant": "clinic", "course": "C-1", **PLACE, **STOOD},
    "regimen_visits": {"tenant": "clinic", "course": "C-1", "name": "v", "number": 1, **DAYS},
}


def test_a_database_of_a_newer_engine_says_what_to_do(store: SqlStore):
    migrate.upgrade(store.engine)
    with store.engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))

    with pytest.raises(StoreUnavailable, match="9999 by a newer engine.*install"):
        store.transaction("clinic").__enter__()


def test_a_database_at_an_older_migration_says_what_to_do(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
):
    migrate.upgrade(store.engine)
    monkeypatch.setattr("engine.store.schema.REVISIONS", (*REVISIONS, "9999"))

    told = f"at migration {REVISIONS[-1]}.*run `regimen migrate`"
    with pytest.raises(StoreUnavailable, match=told):
        store.transaction("clinic").__enter__()


def test_once_it_is_migrated_the_same_store_works(store: SqlStore):
    with pytest.raises(StoreUnavailable):
        store.transaction("clinic").__enter__()
    migrate.upgrade(store.engine)

    with store.transaction("clinic") as tx:
        assert tx.courses() == []


def test_a_hosts_tables_and_version_are_left_alone(url: str):
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('host')"))
        connection.execute(text("CREATE TABLE appointments (id INTEGER)"))
        migrate.upgrade(connection)
        assert connection.in_transaction()
    with engine.begin() as connection:
        migrate.downgrade(connection)

    with engine.begin() as connection:
        assert tables(connection) == {"alembic_version", "appointments", VERSION_TABLE}
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "host"
    engine.dispose()


def test_on_a_hosts_connection_the_host_commits(store: SqlStore):
    with store.engine.connect() as connection:
        migrate.upgrade(connection)
        assert migrate.is_current(connection)
        connection.rollback()

    with store.engine.begin() as connection:
        assert tables(connection) == set()


def test_every_name_in_the_database_begins_with_the_prefix(store: SqlStore):
    migrate.upgrade(store.engine)
    found = MetaData()
    with store.engine.begin() as connection:
        found.reflect(connection)

    for table in found.tables.values():
        assert table.name.startswith("regimen_")
        for index in table.indexes:
            assert f"_{table.name}" in str(index.name)

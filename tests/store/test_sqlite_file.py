"""What whoever may write a SQLite file can and cannot do to the history in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.core.history import verify
from engine.errors import InvalidInput
from engine.store import append_only, migrate
from engine.store.drivers import driver
from engine.store.roles import grant_roles
from engine.store.sql import open_store
from tests.store.writing import TENANT, Clinic


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a course."""
    path = tmp_path / "courses.db"
    store = open_store(f"sqlite:///{path}")
    migrate.upgrade(store.engine)
    Clinic(store, TENANT).begun()
    store.close()
    return path


@pytest.fixture
def other(file: Path) -> Iterator[Any]:
    """Another program, with none of our settings; in this process it must be of one SQLite."""
    connection = driver().connect(file)
    yield connection
    connection.close()


@pytest.mark.parametrize(
    "crime",
    [
        "UPDATE regimen_records SET verdict = 'refused'",
        "DELETE FROM regimen_records",
        "INSERT OR REPLACE INTO regimen_records SELECT * FROM regimen_records",
        "UPDATE OR REPLACE regimen_records SET seq = seq",
        "PRAGMA recursive_triggers=OFF; REPLACE INTO regimen_prose SELECT * FROM regimen_prose",
        "PRAGMA foreign_keys=OFF; DELETE FROM regimen_definitions",
    ],
)
def test_another_program_that_opens_the_file_meets_the_same_guards(other: Any, crime: str):
    with pytest.raises(driver().IntegrityError, match="append-only"):
        other.executescript(crime)


def test_who_drops_a_trigger_in_the_file_can_change_records_and_is_told_by_verification(
    file: Path, other: Any
):
    other.execute("DROP TRIGGER regimen_records_guard_update")
    other.execute("UPDATE regimen_records SET verdict = 'refused'")
    other.commit()

    store = open_store(f"sqlite:///{file}")
    with store.transaction(TENANT, write=False) as tx:
        fault = verify(tx.records("C-1"), course="C-1", tenant=TENANT)
    with store.engine.begin() as connection:
        missing = append_only.missing(connection)
    store.close()

    assert fault is not None
    assert fault.kind == "column"
    assert missing == ("regimen_records_guard_update",)


def test_who_drops_a_table_of_the_file_drops_the_history_with_it(file: Path, other: Any):
    """No guard is left to say so, only the absence of every one of them."""
    other.execute("DROP TABLE regimen_records")

    store = open_store(f"sqlite:///{file}")
    with store.engine.begin() as connection:
        missing = append_only.missing(connection)
    store.close()
    assert len(missing) == 5
    assert all(name.startswith("regimen_records_") for name in missing)


def test_a_sqlite_file_has_no_roles_to_give(file: Path):
    store = open_store(f"sqlite:///{file}")
    with store.engine.begin() as connection, pytest.raises(InvalidInput, match="PostgreSQL"):
        grant_roles(connection, app="regimen_app")
    store.close()

"""What whoever may write a SQLite file can and cannot do to the history in it."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.core.history import verify
from engine.errors import InvalidInput, StoreUnavailable
from engine.settings import database_url
from engine.store import append_only, migrate
from engine.store.drivers import driver
from engine.store.roles import grant_roles
from engine.store.sql import SqlStore, open_store
from tests import somebody
from tests.somebody import as_somebody
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


# --- where nothing may be written ---------------------------------------------------------------


@pytest.fixture
def unprivileged() -> Iterator[None]:
    with as_somebody():
        yield


@pytest.fixture
def library() -> Iterator[Path]:
    with somebody.library() as folder:
        yield folder


@pytest.fixture(params=["pysqlite3", "sqlite3"])
def module(request: pytest.FixtureRequest) -> Any:
    return driver() if request.param == "pysqlite3" else sqlite3


@pytest.fixture
def shelved(file: Path, library: Path) -> Path:
    """The file with a course, where it may only be read."""
    path = library / "courses 100%.db"
    shutil.copy(file, path)
    path.chmod(0o444)
    library.chmod(0o555)
    return path


def opened(path: Path, module: Any = None) -> SqlStore:
    return open_store(database_url("--db", str(path)), module=module)


def courses_in(store: SqlStore) -> list[str]:
    with store.transaction(TENANT, write=False) as tx:
        return [line.course for line in tx.courses()]


def test_a_file_in_a_folder_that_may_not_be_written_can_be_read(
    shelved: Path, unprivileged: None, module: Any
):
    store = opened(shelved, module)

    assert courses_in(store) == ["C-1"]
    with pytest.raises(StoreUnavailable, match="readonly.*writable"):
        Clinic(store, TENANT).begun("C-2")
    assert [path.name for path in shelved.parent.iterdir()] == [shelved.name]
    store.close()


def test_a_link_to_it_can_be_read_too(shelved: Path, unprivileged: None, library: Path):
    with tempfile.TemporaryDirectory(dir="/tmp") as elsewhere:
        link = Path(elsewhere) / "link.db"
        link.symlink_to(shelved)
        store = opened(link)

        assert courses_in(store) == ["C-1"]
        store.close()


@pytest.mark.parametrize("tail", ["-wal", "-journal"])
def test_what_lies_beside_it_is_not_passed_over(file: Path, library: Path, tail: str):
    """Read alone, the file would lack what was decided last."""
    path = library / "courses.db"
    shutil.copy(file, path)
    (library / f"courses.db{tail}").write_bytes(b"something")
    library.chmod(0o555)

    with as_somebody(), pytest.raises(StoreUnavailable, match=f"courses.db{tail} holds.*copy both"):
        courses_in(opened(path))


WRITER = """
import sys
from engine.store.sql import open_store
from tests import somebody
from tests.somebody import as_somebody
from tests.store.writing import TENANT, Clinic

store = open_store(sys.argv[1])
Clinic(store, TENANT).begun("C-2")
print("written", flush=True)
sys.stdin.read()
"""


def test_while_somebody_else_writes_there_it_is_read_with_what_they_wrote(
    file: Path, library: Path
):
    path = library / "courses.db"
    shutil.copy(file, path)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, f"sqlite:///{path}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        library.chmod(0o555)

        with as_somebody():
            store = opened(path)
            assert courses_in(store) == ["C-1", "C-2"]
            store.close()


def test_what_was_written_since_is_seen_by_the_next_transaction(shelved: Path):
    with as_somebody():
        store = opened(shelved)
        assert courses_in(store) == ["C-1"]
    shelved.parent.chmod(0o755)
    shelved.chmod(0o644)
    owner = opened(shelved)
    Clinic(owner, TENANT).begun("C-2")
    owner.close()
    shelved.parent.chmod(0o555)

    with as_somebody():
        assert courses_in(store) == ["C-1", "C-2"]
    store.close()


@pytest.mark.parametrize("mode", [0o700, 0o000])
def test_a_folder_that_lets_nobody_in_is_named(file: Path, library: Path, mode: int):
    (library / "closed").mkdir(mode=mode)
    path = library / "closed" / "courses.db"
    shutil.copy(file, path)

    with (
        as_somebody(),
        pytest.raises(StoreUnavailable, match="closed/courses.db may not"),
    ):
        courses_in(opened(path))


@pytest.mark.parametrize("write", [True, False])
def test_a_folder_is_no_database(tmp_path: Path, write: bool):
    store = opened(tmp_path)

    with pytest.raises(StoreUnavailable, match="is a folder: name a file"):
        store.transaction(TENANT, write=write).__enter__()

"""Stores to test: one database per module, one tenant per test."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store import migrate
from engine.store.memory import MemoryStore
from engine.store.sql import SqlStore, open_store
from tests.postgres import Server, fresh_database
from tests.store.writing import Clinic

pytest.register_assert_rewrite("tests.store.course_contract", "tests.store.content_contract")

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy."""
    path = tmp_path_factory.mktemp("template") / "courses.db"
    store = open_store(f"sqlite:///{path}")
    migrate.upgrade(store.engine)
    store.close()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Server) -> Iterator[str]:
    """A migrated database to copy."""
    with fresh_database(postgres_server) as url:
        store = open_store(url)
        migrate.upgrade(store.engine)
        store.close()
        yield url


@pytest.fixture(scope="module")
def sqlite_url(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated file of this module's own."""
    path = tmp_path_factory.mktemp("sqlite") / "courses.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="module")
def migrated_postgres_url(postgres_server: Server, postgres_template: str) -> Iterator[str]:
    """A migrated database of this module's own."""
    with fresh_database(postgres_server, postgres_template) as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this module's own, of each kind."""
    return _url(request)


@pytest.fixture(scope="module", params=["sqlite", "plain sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[SqlStore]:
    """A store of each kind; the plain one has the SQLite of Python, as without the extra."""
    plain = {"module": sqlite3} if request.param == "plain sqlite" else {}
    store = open_store(_url(request), **plain)
    yield store
    store.close()


@pytest.fixture(scope="module")
def memory() -> MemoryStore:
    return MemoryStore(wait=0.2)


@pytest.fixture
def tenant() -> str:
    return f"clinic-{next(numbers)}"


@pytest.fixture
def clinic(database: SqlStore, tenant: str) -> Clinic:
    """A tenant of the module's database."""
    return Clinic(database, tenant)


def _url(request: pytest.FixtureRequest) -> str:
    name = "migrated_postgres_url" if request.param == "postgresql" else "sqlite_url"
    url: str = request.getfixturevalue(name)
    return url

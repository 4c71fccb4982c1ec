"""The contract, on every store."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from engine.store import sqlite
from engine.store.memory import MemoryStore
from engine.store.sql import SqlStore
from tests.store.contract import StoreContract
from tests.store.writing import Clinic


class TestMemory(StoreContract):
    @pytest.fixture
    def clinic(self, memory: MemoryStore, tenant: str) -> Clinic:
        return Clinic(memory, tenant)


class TestSql(StoreContract):
    """On SQLite and on PostgreSQL."""

    @pytest.fixture
    def clinic(self, database: SqlStore, tenant: str) -> Clinic:
        return Clinic(database, tenant)


class TestThePlainSqliteOfPython(StoreContract):
    """Where the extra is not installed."""

    @pytest.fixture(scope="class")
    def plain(
        self, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[SqlStore]:
        path = tmp_path_factory.mktemp("plain") / "courses.db"
        shutil.copy(sqlite_template, path)
        store = SqlStore(sqlite.open_engine(make_url(f"sqlite:///{path}"), module=sqlite3))
        yield store
        store.close()

    @pytest.fixture
    def clinic(self, plain: SqlStore, tenant: str) -> Clinic:
        return Clinic(plain, tenant)

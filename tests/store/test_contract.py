"""The contract, on every store."""

from __future__ import annotations

import pytest

from engine.store.memory import MemoryStore
from engine.store.sql import SqlStore
from tests.store.contract import StoreContract
from tests.store.writing import Clinic


class TestMemory(StoreContract):
    @pytest.fixture
    def clinic(self, memory: MemoryStore, tenant: str) -> Clinic:
        return Clinic(memory, tenant)


class TestSql(StoreContract):
    """On SQLite, with either driver, and on PostgreSQL."""

    @pytest.fixture
    def clinic(self, database: SqlStore, tenant: str) -> Clinic:
        return Clinic(database, tenant)

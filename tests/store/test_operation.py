"""What an operator asks of a database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from engine.core.snapshot import Armed
from engine.errors import StoreUnavailable
from engine.ports import Outgoing
from engine.store.operation import SqlOperation
from engine.store.sql import SqlStore, open_store
from tests.store.writing import NOON, Clinic


@pytest.fixture
def operation(database: SqlStore) -> SqlOperation:
    return SqlOperation(database)


def test_a_migrated_database_is_sound(operation: SqlOperation):
    found = operation.soundness()

    assert (found.database, found.migrations, found.guards) == (True, True, True)


def test_a_database_without_tables_answers_and_is_not_sound(postgres_url: str):
    store = open_store(postgres_url)
    found = SqlOperation(store).soundness()

    assert (found.database, found.migrations, found.guards) == (True, False, False)
    with pytest.raises(StoreUnavailable, match="regimen migrate"):
        SqlOperation(store).tenants()
    store.close()


def test_a_server_that_is_not_there_is_not_sound():
    store = open_store("postgresql://nobody@/nothing?host=/nowhere&connect_timeout=2")
    found = SqlOperation(store).soundness()
    store.close()

    assert not found.database


def test_what_waits_is_counted_and_since_when(operation: SqlOperation, clinic: Clinic):
    before = operation.backlog(NOON)
    due = NOON - timedelta(hours=1)
    later = NOON + timedelta(hours=1)
    clinic.begun(
        timers={"late": Armed(due, 1), "not yet": Armed(later, 1)},
        messages=[Outgoing(kind="course.changed", body=b"{}")],
    )
    after = operation.backlog(NOON)

    assert after.timers_overdue == before.timers_overdue + 1
    assert after.overdue_since is not None
    assert after.overdue_since <= due
    assert after.messages_waiting == before.messages_waiting + 1
    assert (after.deliveries_waiting, after.dead_letters) == (0, 0)
    assert clinic.tenant in operation.tenants()


def test_a_guard_that_is_gone_is_missed(database_url: str):
    store = open_store(database_url)
    with store.engine.begin() as connection:
        where = "" if connection.dialect.name == "sqlite" else " ON regimen_records"
        guard = "update" if connection.dialect.name == "sqlite" else "rows"
        connection.execute(text(f"DROP TRIGGER regimen_records_guard_{guard}{where}"))
    found = SqlOperation(store).soundness()
    store.close()

    assert (found.database, found.migrations, found.guards) == (True, True, False)

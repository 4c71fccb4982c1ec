"""A host's own Connection, Session and async session: joined, and never begun or ended."""

from __future__ import annotations

import asyncio
import importlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from engine.errors import Conflict, InvalidInput, StoreUnavailable, UnknownWorkflow
from engine.store.drivers import driver
from engine.store.sql import HostStore, open_store
from tests.store.writing import Clinic, definition

OURS = re.compile(
    r"\s*(BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|PRAGMA|SET|START)\b", re.IGNORECASE
)
"""What would take the transaction out of the host's hands."""


def made(url: str, **connect_args: Any) -> Engine:
    """An engine as a host makes it; on SQLite with the SQLite that the store uses too."""
    one = {"module": driver()} if url.startswith("sqlite") else {}
    return create_engine(url, poolclass=NullPool, connect_args=connect_args, **one)


@pytest.fixture(scope="module")
def host(database_url: str) -> Iterator[Engine]:
    """A host's engine, with a table of the host's own."""
    engine = made(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE appointments (tenant TEXT, name TEXT)"))
    yield engine
    engine.dispose()


@pytest.fixture
def outside(database_url: str, tenant: str) -> Iterator[Clinic]:
    """The same tenant, as another process sees it."""
    store = open_store(database_url)
    yield Clinic(store, tenant)
    store.close()


def appoint(bind: Connection | Session, tenant: str) -> None:
    bind.execute(text("INSERT INTO appointments VALUES (:tenant, 'n')"), {"tenant": tenant})


def appointments(host: Engine, tenant: str) -> int:
    with host.connect() as connection:
        found = connection.execute(
            text("SELECT count(*) FROM appointments WHERE tenant = :tenant"), {"tenant": tenant}
        )
        return int(found.scalar_one())


def names(clinic: Clinic) -> list[str]:
    with clinic.reading() as tx:
        return [line.course for line in tx.courses()]


# --- one transaction ----------------------------------------------------------------------------


def test_on_a_connection_the_hosts_commit_keeps_both(host: Engine, outside: Clinic):
    with host.connect() as connection:
        appoint(connection, outside.tenant)
        Clinic(HostStore(connection), outside.tenant).begun()
        assert names(outside) == []
        connection.commit()

    assert names(outside) == ["C-1"]
    assert appointments(host, outside.tenant) == 1


def test_on_a_connection_the_hosts_rollback_leaves_neither(host: Engine, outside: Clinic):
    with host.connect() as connection:
        appoint(connection, outside.tenant)
        Clinic(HostStore(connection), outside.tenant).begun()
        connection.rollback()

    assert names(outside) == []
    assert appointments(host, outside.tenant) == 0


def test_on_a_session_the_host_commits_or_rolls_back(host: Engine, outside: Clinic):
    with Session(host) as session:
        mine = Clinic(HostStore(session), outside.tenant)
        appoint(session, outside.tenant)
        mine.begun("C-1")
        session.commit()
        appoint(session, outside.tenant)
        mine.begun("C-2")
        session.rollback()

    assert names(outside) == ["C-1"]
    assert appointments(host, outside.tenant) == 1


def test_an_error_in_the_block_leaves_the_transaction_to_the_host(host: Engine, outside: Clinic):
    with host.connect() as connection:
        store = HostStore(connection)
        appoint(connection, outside.tenant)
        with pytest.raises(ZeroDivisionError), store.transaction(outside.tenant):
            raise ZeroDivisionError
        assert connection.in_transaction()
        connection.commit()

    assert appointments(host, outside.tenant) == 1


def test_on_an_async_session_the_host_commits_or_rolls_back(
    database_url: str, host: Engine, tenant: str
):
    asynchronous = make_url(database_url)
    plain = {}
    if asynchronous.get_backend_name() == "sqlite":
        asynchronous = asynchronous.set(drivername="sqlite+aiosqlite")
        plain = {"module": importlib.import_module("sqlite3")}  # aiosqlite knows no other
    store = open_store(database_url, **plain)
    outside = Clinic(store, tenant)

    async def run() -> None:
        engine = create_async_engine(asynchronous, poolclass=NullPool)
        async with AsyncSession(engine) as session:

            def begin(inside: Session, course: str) -> None:
                appoint(inside, tenant)
                Clinic(HostStore(inside), tenant).begun(course)

            await session.run_sync(begin, "C-1")
            await session.commit()
            await session.run_sync(begin, "C-2")
            await session.rollback()
            with pytest.raises(Conflict, match="exists already"):
                await session.run_sync(begin, "C-1")
            await session.rollback()
        await engine.dispose()

    asyncio.run(run())

    assert names(outside) == ["C-1"]
    store.close()
    assert appointments(host, tenant) == 1


def test_nothing_that_begins_or_ends_a_transaction_is_sent(host: Engine, outside: Clinic):
    sent: list[str] = []
    ended: list[str] = []

    with host.connect() as connection:
        connection.begin()
        event.listen(connection, "before_cursor_execute", lambda *sends: sent.append(sends[2]))
        for name in ("begin", "commit", "rollback", "savepoint"):
            event.listen(connection, name, lambda *_, name=name: ended.append(name))
        mine = Clinic(HostStore(connection), outside.tenant)
        first = mine.begun()
        for write in (first, mine.decision("C-2", patient=first.patient)):
            with pytest.raises(Conflict), mine.writing() as tx:
                tx.append(write)
        with mine.reading() as tx:
            assert tx.head("C-1", "e") is not None
            assert len(list(tx.records("C-1"))) == 1

        assert sent
        assert [statement for statement in sent if OURS.match(statement)] == []
        assert ended == []


def test_what_a_session_has_pending_is_not_sent_for_it(host: Engine, outside: Clinic):
    with Session(host) as session:
        flushed: list[Any] = []
        event.listen(session, "before_flush", lambda *_: flushed.append(_))
        Clinic(HostStore(session), outside.tenant).begun()
        session.rollback()

    assert flushed == []


# --- conflicts ----------------------------------------------------------------------------------


def test_a_conflict_that_we_find_leaves_the_transaction_alive(host: Engine, outside: Clinic):
    first = outside.begun("C-1", event_id="one")
    with host.connect() as connection:
        mine = Clinic(HostStore(connection), outside.tenant)
        lost = [
            mine.decision("C-1"),
            mine.decision("C-1", 2, event_id="one"),
            mine.decision("C-2", patient=first.patient),
        ]
        with mine.writing() as tx:
            for write in lost:
                with pytest.raises(Conflict):
                    tx.append(write)
            with pytest.raises(UnknownWorkflow):
                tx.append(mine.decision("C-3", workflow=definition("unheard of")))
        appoint(connection, outside.tenant)
        connection.commit()

    assert appointments(host, outside.tenant) == 1


def test_a_host_whose_view_is_older_than_the_course_conflicts_and_may_try_again(
    host: Engine, outside: Clinic
):
    """SQLITE_BUSY_SNAPSHOT, or a serialization failure."""
    outside.begun()
    with one_view(host) as connection:
        mine = Clinic(HostStore(connection), outside.tenant)
        with mine.reading() as tx:
            assert tx.row("C-1") is not None
        outside.stored(outside.decision(seq=2))

        with pytest.raises(Conflict) as raised:
            decide(mine)

        assert raised.value.retriable
        connection.rollback()


def decide(clinic: Clinic) -> None:
    with clinic.writing() as tx:
        tx.head("C-1", "f")
        tx.append(clinic.decision(seq=2, event_id="f"))


def one_view(host: Engine) -> Connection:
    """A transaction that has begun and sees one moment."""
    if host.dialect.name == "postgresql":
        return host.connect().execution_options(isolation_level="REPEATABLE READ")
    connection = host.connect()
    connection.exec_driver_sql("BEGIN")
    return connection


def test_a_host_that_meets_a_lock_conflicts_and_may_try_again(
    database_url: str, host: Engine, outside: Clinic
):
    outside.begun()
    sqlite = host.dialect.name == "sqlite"
    impatient = {"timeout": 0.05} if sqlite else {"options": "-clock_timeout=50ms"}
    with made(database_url, **impatient).connect() as connection, outside.writing() as other:
        other.head("C-1", "e")
        mine = Clinic(HostStore(connection), outside.tenant)

        with pytest.raises(Conflict) as raised:
            decide(mine)

        assert raised.value.retriable
        connection.rollback()


def test_of_two_hosts_that_wait_for_each_other_one_conflicts(
    migrated_postgres_url: str, tenant: str
):
    """A deadlock; on SQLite there is one lock, so that nobody has another's."""
    engine = made(migrated_postgres_url, options="-cdeadlock_timeout=50ms")
    store = open_store(migrated_postgres_url)
    clinic = Clinic(store, tenant)
    clinic.begun("C-1")
    clinic.begun("C-2")

    def cross(first: str, second: str) -> Conflict | None:
        with engine.connect() as connection, HostStore(connection).transaction(tenant) as tx:
            tx.head(first, "e")
            barrier.wait()
            try:
                tx.head(second, "e")
            except Conflict as lost:
                return lost
        return None

    barrier = Barrier(2, timeout=30)
    with ThreadPoolExecutor(2) as pool:
        ends = [pool.submit(cross, "C-1", "C-2"), pool.submit(cross, "C-2", "C-1")]
        lost = [end.result() for end in ends if end.result() is not None]
    engine.dispose()
    store.close()

    assert [conflict.retriable for conflict in lost] == [True]


# --- what cannot be used ------------------------------------------------------------------------


def test_a_host_without_our_tables_is_told_what_to_do(postgres_url: str):
    for url in ("sqlite://", postgres_url):
        with made(url).connect() as connection:
            clinic = Clinic(HostStore(connection), "clinic")
            with pytest.raises(StoreUnavailable, match="run `regimen migrate`"):
                names(clinic)


def test_a_host_with_another_sqlite_on_a_file_that_is_open_is_refused(sqlite_url: str, tenant: str):
    """Their locks do not see each other, so that both would write at once."""
    ours, other = driver(), importlib.import_module("sqlite3")
    store = open_store(sqlite_url, module=ours)
    Clinic(store, tenant).begun()
    with create_engine(sqlite_url, module=other).connect() as connection:
        host = HostStore(connection)
        with pytest.raises(InvalidInput, match="the same SQLite"):
            host.transaction(tenant).__enter__()

        store.close()
        with host.transaction(tenant) as tx:
            assert len(tx.courses()) == 1


def test_an_error_of_the_hosts_own_making_is_passed_on_as_it_is(host: Engine, outside: Clinic):
    with host.connect() as connection:
        mine = Clinic(HostStore(connection), outside.tenant)
        with pytest.raises(DBAPIError, match="unheard_of"), mine.writing():
            connection.execute(text("SELECT * FROM unheard_of"))


def test_a_host_on_another_database_is_told_which_ones_there_are():
    engine = create_engine("sqlite://")
    engine.dialect.name = "mysql"
    with engine.connect() as connection, pytest.raises(InvalidInput, match="sqlite or postgresql"):
        HostStore(connection).transaction("clinic").__enter__()


def test_a_host_that_translates_schemas_is_told_to_use_the_search_path(host: Engine):
    connection = host.connect().execution_options(schema_translate_map={None: "other"})
    with connection, pytest.raises(InvalidInput, match="search path"):
        HostStore(connection).transaction("clinic").__enter__()

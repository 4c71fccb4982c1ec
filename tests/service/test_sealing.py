"""Sealing is stopped anywhere and done by many at once: nothing is there twice, nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from engine.inspection import inspected
from engine.store.checkpoints import SqlCheckpoints
from engine.store.ledger import SqlLedger
from engine.store.sql import SqlStore, open_store
from engine.store.tables import leaves, nodes, records
from engine.store.tree import Found, StoredTree
from tests.service.bench import GOOD, INSTRUMENT, Bench
from tests.service.test_ledger import ledger, rows, sealed_records


class Stopped(Exception):
    """The process is gone."""


def whole(bench: Bench) -> None:
    """The tree has a leaf for each record, and everything in it adds up."""
    assert isinstance(bench.store, SqlStore)
    store = bench.store
    found = inspected(SqlLedger(store), SqlCheckpoints(store), bench.tenant)
    assert (found.flaws, found.unsealed) == ((), 0)
    assert sorted(sealed_records(bench)) == [(r[1], r[2]) for r in rows(bench, records)]


@contextmanager
def stopped_at(store: SqlStore, statement: int) -> Iterator[list[str]]:
    """The process ends before a statement, whichever it is; `sent` are those before."""
    sent: list[str] = []

    def before(_: Any, __: Any, text: str, *___: Any) -> None:
        if len(sent) == statement:
            raise Stopped
        sent.append(text)

    event.listen(store.engine, "before_cursor_execute", before)
    try:
        yield sent
    finally:
        event.remove(store.engine, "before_cursor_execute", before)


def test_whichever_statement_is_the_last_one_sealing_goes_on_from_there(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.ledger.AT_ONCE", 10)
    bench.in_service("C-1")
    for _ in range(30):
        bench.service.submit(bench.measurement("C-1"))
    assert isinstance(bench.store, SqlStore)
    book, stops = ledger(bench), 0
    while True:
        with stopped_at(bench.store, stops) as sent:
            try:
                book.seal()
            except Stopped:
                pass
            else:
                break
        # Each round begins anew, and comes further by one statement at least.
        assert [place for (place,) in rows(bench, leaves, "place")] == list(
            range(len(rows(bench, leaves)))
        )
        stops += 1

    assert stops > 10
    assert len(sent) <= stops
    whole(bench)


def test_however_many_seal_while_others_write_each_record_has_one_leaf(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.ledger.AT_ONCE", 7)
    bench.in_service("C-1", "C-2")
    ends = threading.Event()
    trouble: list[BaseException] = []

    def seal() -> None:
        book = ledger(bench)
        try:
            while not ends.is_set():
                book.seal()
        except BaseException as wrong:
            trouble.append(wrong)
            raise

    sealers = [threading.Thread(target=seal) for _ in range(3)]
    for one in sealers:
        one.start()
    for n in range(60):
        bench.service.submit(bench.measurement(f"C-{n % 2 + 1}"))
    ends.set()
    for one in sealers:
        one.join(60)
    ledger(bench).seal()

    assert trouble == []
    assert len(rows(bench, leaves)) == 66
    whole(bench)


def test_what_is_sealed_while_the_ledger_is_looked_at_is_no_flaw(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    """A log that is written to day and night is looked at all the same."""
    bench.in_service("C-1")
    book = ledger(bench)
    book.checkpoint()
    looking = StoredTree.with_records

    def meanwhile(tree: StoredTree, after: int, limit: int) -> list[Found]:
        found = looking(tree, after, limit)
        if not found:
            bench.service.submit(bench.measurement("C-1"))
            book.checkpoint()
        return found

    monkeypatch.setattr(StoredTree, "with_records", meanwhile)
    assert isinstance(bench.store, SqlStore)
    seen = inspected(SqlLedger(bench.store), SqlCheckpoints(bench.store), bench.tenant)

    assert (seen.size, seen.flaws) == (3, ())
    assert book.size() == 4


def test_who_prepared_leaves_for_another_size_adds_none(bench: Bench):
    bench.in_service("C-1")
    assert isinstance(bench.store, SqlStore)
    store = SqlLedger(bench.store)
    late = store.next(bench.tenant, 100)
    ledger(bench).seal()
    before = rows(bench, leaves)

    assert not store.append(bench.tenant, late, [], [])
    assert rows(bench, leaves) == before
    assert rows(bench, nodes) == []


def test_no_writer_waits_for_who_seals(migrated_postgres_url: str, tenant: str):
    """On PostgreSQL: while a transaction that seals is open, records are written all the same."""
    store = open_store(migrated_postgres_url)
    try:
        bench = Bench(store, tenant)
        bench.install(INSTRUMENT)
        bench.in_service("C-1")
        book = ledger(bench)
        book.seal()
        sealer = SqlLedger(store)
        bench.service.submit(bench.measurement("C-1"))
        book._feed.sequence()
        batch = sealer.next(tenant, 100)
        began = time.monotonic()
        with store.connection() as connection:
            connection.exec_driver_sql(
                f"UPDATE regimen_sealing SET position = position WHERE tenant = '{tenant}'"
            )
            answer = bench.service.submit(bench.measurement("C-1", GOOD))

        assert answer.verdict == "accepted"
        assert time.monotonic() - began < 8  # the wait for a lock is given up after ten
        assert len(batch.records) == 1
    finally:
        store.close()

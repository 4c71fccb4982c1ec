"""A server that restarts takes every pooled connection with it: at most one event is told so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from sqlalchemy import text

from engine.errors import StoreUnavailable
from engine.store import postgres
from engine.store.sql import SqlStore, open_store
from tests.service.bench import Bench

POOLED = 4

END_ALL = text(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def store(migrated_postgres_url: str) -> Iterator[SqlStore]:
    store = open_store(migrated_postgres_url, pool_size=POOLED)
    yield store
    store.close()


def fill_the_pool(bench: Bench) -> None:
    with ExitStack() as held:
        for _ in range(POOLED):
            held.enter_context(bench.store.transaction(bench.tenant, write=False))


def end_every_connection(url: str) -> None:
    other = open_store(url)
    with other.engine.connect() as connection:
        connection.execute(END_ALL)
    other.close()


def test_what_a_restart_closed_is_replaced_before_anything_is_sent(
    bench: Bench, migrated_postgres_url: str
):
    bench.in_service("gauge")
    fill_the_pool(bench)

    end_every_connection(migrated_postgres_url)

    for _ in range(POOLED):
        bench.service.submit(bench.measurement("gauge"))
    assert bench.proved("gauge")


def test_a_loss_that_shows_only_on_sending_fails_once_for_the_whole_pool(
    bench: Bench, migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch
):
    """As when a network goes away without a word."""
    monkeypatch.setattr(postgres, "gone", lambda _: False)
    bench.in_service("gauge")
    fill_the_pool(bench)
    end_every_connection(migrated_postgres_url)
    sent = [bench.measurement("gauge") for _ in range(POOLED + 1)]
    failed = 0

    for body in sent:
        try:
            bench.service.submit(body)
        except StoreUnavailable:
            failed += 1
            bench.service.submit(body)

    assert failed == 1
    assert bench.proved("gauge")


def test_after_a_loss_every_statement_of_the_transaction_says_so(
    bench: Bench, migrated_postgres_url: str
):
    block = bench.store.transaction(bench.tenant)
    tx = block.__enter__()
    end_every_connection(migrated_postgres_url)

    for ask in (lambda: tx.row("gauge"), lambda: tx.row("gauge"), tx.courses):
        with pytest.raises(StoreUnavailable, match="is there again"):
            ask()
    with pytest.raises(StoreUnavailable, match="is there again"):
        block.__exit__(None, None, None)


@pytest.mark.parametrize("alone", [False, True])
def test_nothing_is_acknowledged_when_a_loss_was_passed_over(
    bench: Bench, migrated_postgres_url: str, alone: bool
):
    block = bench.store.transaction(bench.tenant, alone=alone)
    tx = block.__enter__()
    end_every_connection(migrated_postgres_url)

    with suppress(StoreUnavailable):
        tx.row("gauge")

    with pytest.raises(StoreUnavailable):
        block.__exit__(None, None, None)


def test_a_server_that_dies_hides_no_error_of_the_block(bench: Bench, migrated_postgres_url: str):
    def work() -> None:
        with bench.store.transaction(bench.tenant) as tx:
            tx.row("gauge")
            end_every_connection(migrated_postgres_url)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()

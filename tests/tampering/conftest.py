"""A world of its own for each kind of database: its tables are opened for good."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from engine.store import migrate
from engine.store.sql import open_store
from tests.postgres import Server, fresh_database
from tests.service.bench import INSTRUMENT, Bench
from tests.tampering.world import World


@pytest.fixture(autouse=True, scope="session")
def _quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    if request.param == "sqlite":
        yield from _opened(f"sqlite:///{tmp_path_factory.mktemp('tampering')}/courses.db")
        return
    server: Server = request.getfixturevalue("postgres_server")
    with fresh_database(server) as url:
        yield from _opened(url)


def _opened(url: str) -> Iterator[World]:
    store = open_store(url)
    migrate.upgrade(store.engine)
    bench = Bench(store, "clinic")
    bench.install(INSTRUMENT)
    yield World(bench, store)
    store.close()

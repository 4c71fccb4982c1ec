"""A world of its own for each kind of database: its tables are opened for good."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import pytest

from engine.store import migrate
from engine.store.sql import open_store
from tests.postgres import Server, fresh_database
from tests.service.bench import INSTRUMENT, Bench
from tests.tampering.house import House
from tests.tampering.world import World


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    yield from _somewhere(request, tmp_path_factory, World)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    yield from _somewhere(request, tmp_path_factory, House)


W = TypeVar("W", bound=World)


def _somewhere(
    request: pytest.FixtureRequest, paths: pytest.TempPathFactory, kind: type[W]
) -> Iterator[W]:
    if request.param == "sqlite":
        yield from _opened(f"sqlite:///{paths.mktemp('tampering')}/courses.db", kind)
        return
    server: Server = request.getfixturevalue("postgres_server")
    with fresh_database(server) as url:
        yield from _opened(url, kind)


def _opened(url: str, kind: type[W]) -> Iterator[W]:
    store = open_store(url)
    migrate.upgrade(store.engine)
    bench = Bench(store, "clinic")
    bench.install(INSTRUMENT)
    yield kind(bench, store)
    store.close()

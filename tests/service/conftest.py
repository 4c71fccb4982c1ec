"""Services to test: one database of each kind for a module, one tenant for a test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from engine.store import migrate
from engine.store.sql import SqlStore, open_store
from tests.postgres import Server, fresh_database
from tests.service.bench import INSTRUMENT, Bench

numbers = itertools.count(1)


@pytest.fixture(scope="module")
def sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated file of this module's own."""
    return _migrated(f"sqlite:///{tmp_path_factory.mktemp('sqlite')}/courses.db")


@pytest.fixture(scope="module")
def migrated_postgres_url(postgres_server: Server) -> Iterator[str]:
    """A migrated database of this module's own."""
    with fresh_database(postgres_server) as url:
        yield _migrated(url)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this module's own, of each kind."""
    name = "migrated_postgres_url" if request.param == "postgresql" else "sqlite_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture(scope="module")
def store(database_url: str) -> Iterator[SqlStore]:
    store = open_store(database_url)
    yield store
    store.close()


@pytest.fixture
def tenant() -> str:
    return f"works-{next(numbers)}"


@pytest.fixture
def bench(store: SqlStore, tenant: str) -> Bench:
    """A tenant that knows the workflow of instruments."""
    bench = Bench(store, tenant)
    bench.install(INSTRUMENT)
    return bench


def _migrated(url: str) -> str:
    store = open_store(url)
    migrate.upgrade(store.engine)
    store.close()
    return url

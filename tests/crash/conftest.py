"""Databases that keep what they acknowledged, and the file of events that is sent to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from engine import bootstrap
from engine.answer import Answer
from engine.service import Service
from engine.settings import Settings
from engine.store.sql import SqlStore, open_store
from tests.crash import journal
from tests.crash.witness import Rows, contents
from tests.postgres import Server, fresh_database, running_server


@dataclass(frozen=True, slots=True)
class Journal:
    """The file, how many events it has, and what is there once all of them are applied."""

    file: Path
    events: int
    full: Rows


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    place = tmp_path_factory.mktemp("journal")
    bodies = journal.write(place / "journal.jsonl")
    url = f"sqlite:///{place}/full.db"
    migrated(url)
    with serving(url) as service, opened(url) as store:
        assert all(isinstance(answer, Answer) for answer in service.submit_many(bodies))
        return Journal(place / "journal.jsonl", len(bodies), contents(store))


@pytest.fixture(scope="module")
def durable_server() -> Iterator[Server]:
    with running_server(fsync=True) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def durable_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database of this test's own."""
    if request.param == "sqlite":
        yield migrated(f"sqlite:///{tmp_path}/courses.db")
        return
    with fresh_database(request.getfixturevalue("durable_server")) as url:
        yield migrated(url)


def migrated(url: str) -> str:
    bootstrap.migrate(replace(Settings(), database_url=url))
    return url


@contextmanager
def serving(url: str) -> Iterator[Service]:
    """The use cases on the database, as an installation has them."""
    service = bootstrap.service(replace(Settings(), database_url=url))
    try:
        yield service
    finally:
        assert isinstance(service.store, SqlStore)
        service.store.close()


@contextmanager
def opened(url: str) -> Iterator[SqlStore]:
    """The database, as whoever comes next finds it."""
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()

"""The parts as they are chosen for an installation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest
import structlog

from engine import bootstrap
from engine.bootstrap import SystemClock
from engine.core.blueprint import workflow_digest
from engine.core.encoding import parse
from engine.errors import StoreUnavailable, UnknownWorkflow
from engine.service import Service
from engine.settings import Settings
from engine.store import installation
from engine.store.sql import SqlStore, open_store
from tests.cli.conftest import GAUGES
from workflows import ALL
from workflows.instrument_calibration import WORKFLOW


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    chosen = Settings(database_url=f"sqlite:///{tmp_path / 'courses.db'}")
    bootstrap.migrate(chosen)
    return chosen


def test_the_packaged_workflows_are_stored_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    closed(bootstrap.service(settings))
    checked: list[str] = []
    monkeypatch.setattr("engine.registry.ensure", lambda w: checked.append(w.label))
    service = bootstrap.service(settings)

    assert checked == []
    with service.store.transaction(settings.tenant, write=False) as tx:
        stored = {definition.digest for definition in tx.definitions()}
    closed(service)
    assert stored == {workflow_digest(workflow) for workflow in ALL}


def test_a_name_stands_for_the_last_version_that_is_offered(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    second = replace(WORKFLOW, version="2")
    monkeypatch.setattr("workflows.ALL", (WORKFLOW, second))
    service = bootstrap.service(settings)
    registry = service.setting.registry
    closed(service)

    assert registry.digest(WORKFLOW.name, "north") == workflow_digest(second)
    assert registry.digest(WORKFLOW.label, "north") == workflow_digest(WORKFLOW)


def test_a_service_that_only_asks_stores_nothing(settings: Settings):
    service = bootstrap.service(settings, enrolling=False)

    with service.store.transaction(settings.tenant, write=False) as tx:
        assert list(tx.definitions()) == []
    with pytest.raises(UnknownWorkflow):
        service.setting.registry.digest(WORKFLOW.name, "north")
    closed(service)


def test_a_course_goes_on_when_its_python_file_is_gone(settings: Settings):
    service = bootstrap.service(settings)
    first, _, measured, *_ = map(parse, Path(GAUGES).read_text().splitlines())
    service.submit(first)
    closed(service)
    without = bootstrap.service(Settings(database_url=settings.database_url, workflows=("tests",)),
                                enrolling=False)  # fmt: skip

    assert without.submit(measured).verdict == "accepted"
    closed(without)


def test_tables_that_are_not_there_are_not_made_in_passing(tmp_path: Path):
    with pytest.raises(StoreUnavailable, match="regimen migrate"):
        bootstrap.service(Settings(database_url=f"sqlite:///{tmp_path / 'courses.db'}"))


def test_a_file_is_missing_until_something_is_in_it(tmp_path: Path):
    file = tmp_path / "courses.db"
    settings = Settings(database_url=f"sqlite:///{file}")

    assert installation.missing_file(settings.database_url) == file
    file.touch()
    assert installation.missing_file(settings.database_url) == file
    bootstrap.migrate(settings)
    assert installation.missing_file(settings.database_url) is None
    assert installation.missing_file("postgresql://host/db") is None


def test_a_migration_says_where_it_began_and_ended(settings: Settings):
    again = bootstrap.migrate(settings)

    assert not again.changed
    assert again.before == again.after is not None


def test_an_old_sqlite_is_warned_of_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    bootstrap._warned.cache_clear()
    store = open_store(f"sqlite:///{tmp_path / 'courses.db'}")
    assert isinstance(store, SqlStore)
    monkeypatch.setattr("engine.store.sqlite.may_corrupt", lambda _: True)
    with structlog.testing.capture_logs() as lines:
        bootstrap.warn_of_old_sqlite(store)
        bootstrap.warn_of_old_sqlite(store)
    store.close()
    bootstrap._warned.cache_clear()

    (line,) = lines
    assert line["event"] == "sqlite_may_corrupt_its_file"
    assert "regimen-engine[sqlite]" in line["advice"]


def test_the_clock_tells_utc_and_goes_on():
    clock = SystemClock()
    first, second = clock.now(), clock.now()

    assert first.tzinfo is UTC
    assert timedelta(0) <= second - first < timedelta(minutes=1)


def test_no_two_salts_are_alike():
    salts = {bootstrap.salt() for _ in range(100)}

    assert len(salts) == 100
    assert all(len(salt) == 32 for salt in salts)


def closed(service: Service) -> None:
    """Let the connections go: an open one is a warning, and a warning is an error."""
    service.store.close()

"""Copies that are made while a writer writes: whole, proved, and guarded like the original."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, select

from engine import bootstrap
from engine.audit import Auditor
from engine.errors import InvalidInput, StoreUnavailable
from engine.settings import Settings
from engine.store import append_only
from engine.store.copying import copy
from engine.store.sql import SqlStore, open_store
from engine.store.tables import records
from engine.tenants import Services
from tests.postgres import Server, find_binaries, fresh_database

COURSES = 40
BEFORE = 5


def events(course: str) -> Iterator[dict[str, Any]]:
    """The events of one instrument, as many as anybody wants."""
    common = {"format": 1, "course": course, "actor": {"id": "m", "role": "metrologist"}}
    yield common | {
        "id": "e0", "event": "course.enrolled", "at": "2009-03-02T09:00:00Z",
        "workflow": "instrument_calibration", "patient": f"of-{course}", "site": "north",
        "zone": "Europe/Vienna", "retrospective": True,
    }  # fmt: skip
    for n in range(1, 100):
        yield common | {
            "id": f"e{n}", "event": "measurement_recorded",
            "at": f"2009-03-02T09:{n % 60:02}:00Z" if n < 60 else f"2009-03-02T10:{n - 60:02}:00Z",
            "data": {"deviation": {"value": str(n % 4), "unit": "um"}},
        }  # fmt: skip


@contextmanager
def writing(url: str) -> Iterator[Callable[[], set[tuple[str, str]]]]:
    """Somebody who writes for as long as the block lasts, and tells what was acknowledged."""
    bootstrap.migrate(Settings(database_url=url))
    services = Services(Settings(database_url=url))
    service = services.of("default")
    acknowledged: list[tuple[str, str]] = []
    started, stop = threading.Event(), threading.Event()

    def write() -> None:
        for number in range(COURSES):
            for event in events(f"C-{number}"):
                if stop.is_set():
                    return
                answer = service.submit(event)
                acknowledged.append((answer.course, answer.event_id))
                if len(acknowledged) == BEFORE:
                    started.set()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert started.wait(60)
        yield lambda: set(acknowledged)
    finally:
        stop.set()
        thread.join()
        services.close()


def proved(url: str, least: set[tuple[str, str]]) -> int:
    """How many records a copy holds: all those at least, whole, and guarded."""
    store = open_store(url)
    try:
        with store.reading.begin() as connection:
            asked = select(records.c.course, records.c.event_id)
            held = {(row.course, row.event_id) for row in connection.execute(asked)}
            assert append_only.missing(connection) == ()
        assert least <= held
        _verify(store)
        return len(held)
    finally:
        store.close()


def _verify(store: SqlStore) -> None:
    service = bootstrap.service(Settings(database_url=str(_url(store))), enrolling=False)
    try:
        auditor = Auditor(store=store, registry=service.setting.registry, tenant=service.tenant)
        for line in service.courses():
            assert auditor.verify(line.course) is None
            assert list(auditor.decide_again(line.course)) == []
    finally:
        assert isinstance(service.store, SqlStore)
        service.store.close()


def _url(store: SqlStore) -> str:
    return store.engine.url.render_as_string(hide_password=False)


def test_a_file_is_copied_while_somebody_writes(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/courses.db"
    with writing(url) as acknowledged:
        before = acknowledged()
        size = copy(url, tmp_path / "copy.db")

    assert size == (tmp_path / "copy.db").stat().st_size
    assert not list(tmp_path.glob("copy.db-*"))
    assert proved(f"sqlite:///{tmp_path}/copy.db", before) >= len(before) >= BEFORE


def test_a_copy_goes_on_where_the_original_was(tmp_path: Path):
    """The sender sends everything again; what the copy has is answered, the rest is recorded."""
    url, restored = f"sqlite:///{tmp_path}/courses.db", f"sqlite:///{tmp_path}/copy.db"
    with writing(url) as acknowledged:
        copy(url, tmp_path / "copy.db")
    everything = acknowledged()
    services = Services(Settings(database_url=restored))
    for course in sorted({course for course, _ in everything}):
        for event in events(course):
            if (course, event["id"]) in everything:
                services.of("default").submit(event)
    services.close()

    assert proved(restored, everything) == len(everything)


def test_nothing_is_overwritten_by_a_copy(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/courses.db"
    bootstrap.migrate(Settings(database_url=url))
    (tmp_path / "copy.db").write_text("something else")

    with pytest.raises(InvalidInput, match="not there yet"):
        copy(url, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "something else"


def test_a_copy_that_cannot_be_finished_leaves_nothing(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/courses.db"
    bootstrap.migrate(Settings(database_url=url))

    with pytest.raises(StoreUnavailable):
        copy(url, tmp_path / "nowhere" / "copy.db")
    with pytest.raises(StoreUnavailable):
        copy(f"sqlite:///{tmp_path}/none.db", tmp_path / "copy.db")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["courses.db"]


def test_a_server_is_saved_by_its_own_tools(tmp_path: Path):
    with pytest.raises(InvalidInput, match="pg_dump"):
        copy("postgresql://host/courses", tmp_path / "copy.db")


def test_a_database_is_dumped_while_somebody_writes_and_restored(
    postgres_server: Server, tmp_path: Path
):
    with fresh_database(postgres_server) as url, fresh_database(postgres_server) as restored:
        with writing(url) as acknowledged:
            before = acknowledged()
            _tool("pg_dump", "--format=custom", f"--file={tmp_path}/dump", url=url)
        _tool("pg_restore", "--no-owner", "--exit-on-error", "--dbname={}", f"{tmp_path}/dump",
              url=restored)  # fmt: skip

        assert proved(restored, before) >= len(before) >= BEFORE


def _tool(name: str, *arguments: str, url: str) -> None:
    """Run one of PostgreSQL's own tools against a database."""
    uri = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    given = [one.format(uri) for one in arguments]
    if not any("{}" in one for one in arguments):
        given.append(f"--dbname={uri}")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    done = subprocess.run(
        [find_binaries() / name, *given], env=kept, capture_output=True, text=True, check=False,
        timeout=timedelta(minutes=2).total_seconds(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

"""SQLite's settings, and that no step's cost grows with what is stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Executable, event
from sqlalchemy.dialects.sqlite import insert

from engine.errors import StoreUnavailable
from engine.store import migrate, queries
from engine.store.drivers import driver
from engine.store.sql import SqlStore, open_store
from engine.store.sqlite import STATEMENTS, may_corrupt
from engine.store.tables import metadata
from engine.store.writes import writes
from tests.store.writing import NOON, Clinic

WRITES = writes(insert)


@pytest.fixture(scope="module")
def store(sqlite_url: str) -> Iterator[SqlStore]:
    opened = open_store(sqlite_url)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),  # FULL: what was acknowledged survives a power failure
        ("foreign_keys", 1),
        ("recursive_triggers", 1),
        ("busy_timeout", 10_000),
    ],
)
def test_every_connection_has_its_settings(store: SqlStore, setting: str, expected: object):
    with store.engine.connect() as one, store.own.connect() as other:
        for connection in (one, other):
            assert connection.exec_driver_sql(f"PRAGMA {setting}").scalar() == expected


def test_a_connection_keeps_more_statements_ready_than_the_store_has(sqlite_url: str):
    asked: dict[str, object] = {}
    opened = open_store(sqlite_url)
    event.listen(opened.engine, "do_connect", lambda _d, _r, _names, how: asked.update(how))
    with opened.engine.connect():
        opened.close()

    assert asked["cached_statements"] == STATEMENTS > 512


def test_a_writer_has_the_lock_from_the_beginning(store: SqlStore, sqlite_url: str):
    impatient = open_store(sqlite_url, wait=0)
    with store.transaction("clinic"), pytest.raises(StoreUnavailable, match="locked"):
        impatient.transaction("clinic").__enter__()
    impatient.close()


def test_readers_hold_nobody_up(store: SqlStore, sqlite_url: str, tenant: str):
    impatient = open_store(sqlite_url, wait=0)
    Clinic(store, tenant).begun("C-1")
    with store.transaction(tenant, write=False) as tx:
        assert tx.row("C-1") is not None
        Clinic(impatient, tenant).begun("C-2")
        assert len(tx.courses()) == 1
    impatient.close()


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 4), False),
    ],
)
def test_the_versions_that_may_damage_a_file_are_known(version: tuple[int, ...], expected: bool):
    assert may_corrupt(version) is expected


def test_the_extra_brings_a_version_that_does_not(store: SqlStore):
    assert not may_corrupt(driver().sqlite_version_info)
    assert store.engine.dialect.dbapi is driver()


def test_without_the_extra_the_sqlite_of_python_is_taken(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    assert driver() is sqlite3


def test_a_new_file_can_be_made_where_its_name_has_odd_characters(tmp_path: Path):
    store = open_store(f"sqlite:///{tmp_path}/Zürich 100%.db")
    migrate.upgrade(store.engine)
    Clinic(store, "clinic").begun()
    store.close()

    assert (tmp_path / "Zürich 100%.db").stat().st_size > 0


# --- flat cost ----------------------------------------------------------------------------------

PLACE = {"tenant": "t", "course": "c"}
ITS = {f"its_{name}": "x" for name in ("tenant", "course", "patient", "workflow", "open")}
PLANNED: dict[str, tuple[Executable, dict[str, Any]]] = {
    "head": (queries.HEAD, {**PLACE, "event_id": "e"}),
    "row": (queries.ROW, PLACE),
    "readings": (
        queries.readings_of(2),
        {**PLACE, "input_0": "a", "since_0": NOON, "input_1": "b", "since_1": NOON},
    ),
    "move": (
        WRITES.move,
        {
            **ITS,
            **{c.name: "x" for c in metadata.tables["regimen_courses"].c if c.name not in PLACE},
            "its_open": True,
            "open": True,
            "seq": 2,
            "revision": 2,
            "before_seq": 1,
            "event_id": "e",
        },
    ),
    "records": (queries.RECORDS, {**PLACE, "after": 0, "limit": 9}),
    "record": (queries.RECORD, {**PLACE, "seq": 1}),
    "texts": (queries.TEXTS, {**PLACE, "seq": 1}),
    "courses": (queries.COURSES, {"tenant": "t", "after": "", "limit": 9}),
    "timers that are due": (queries.DUE_TIMERS, {"tenant": "t", "now": NOON, "limit": 9}),
    "visits that are due": (
        queries.due_visits(at_one_site=False),
        {"tenant": "t", "until": NOON.date()},
    ),
    "messages that wait": (queries.WAITING, {"tenant": "t", "limit": 9}),
    "caches of a course": (queries.TIMERS, PLACE),
    "a timer that goes": (WRITES.disarm, {**PLACE, "name": "n"}),
    "a visit that goes": (WRITES.unschedule, {**PLACE, "name": "n"}),
    "definition": (queries.DEFINITION, {"tenant": "t", "digest": "d"}),
}


@pytest.mark.parametrize(("statement", "asked"), PLANNED.values(), ids=PLANNED)
def test_nothing_is_searched_from_end_to_end(
    store: SqlStore, statement: Executable, asked: dict[str, Any]
):
    with store.engine.connect() as connection:
        plan = explained(connection, statement, asked)

    assert plan
    assert [step for step in plan if "SCAN" in step and "CONSTANT ROW" not in step] == []


def test_readings_are_found_by_their_time_and_not_by_their_course_alone(store: SqlStore):
    statement, asked = PLANNED["readings"]
    with store.engine.connect() as connection:
        plan = " ".join(explained(connection, statement, asked))

    prefix = "tenant=? AND course=? AND input=?"
    assert plan.count(f"{prefix} AND placed>?") == 2
    assert plan.count(f"{prefix} AND corrects=?") == 2


def explained(connection: Connection, statement: Executable, asked: dict[str, Any]) -> list[str]:
    """SQLite's plan for a statement."""
    compiled = statement.compile(dialect=connection.dialect, column_keys=list(asked))  # type: ignore[attr-defined]  # whatever can be executed can be compiled
    values = compiled.construct_params(asked)
    processors = compiled._bind_processors
    bound = tuple(
        processors[name](values[name]) if name in processors else values[name]
        for name in compiled.positiontup
    )
    found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", bound)
    return [row.detail for row in found]

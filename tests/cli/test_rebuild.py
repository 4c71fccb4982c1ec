"""What `rebuild` writes anew at a terminal, and what it leaves, with the reason."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest

from tests.cli.conftest import Regimen
from tests.cli.test_bundle_commands import checkpoint

LEFT = "left as it is: it may be the last trace of records that are gone, which a backup may have"


def tamper(*statements: str) -> None:
    """By whoever owns the file, who takes the triggers away first."""
    with closing(sqlite3.connect("regimen.db")) as database, database:
        named = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for (name,) in database.execute(named).fetchall():
            database.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            database.execute(statement)


def rows(query: str) -> Sequence[tuple[Any, ...]]:
    with closing(sqlite3.connect("regimen.db")) as database:
        return database.execute(query).fetchall()


EVERYTHING = "regimen_courses, regimen_timers, regimen_visits, regimen_messages"


def test_what_is_not_as_the_records_say_is_written_anew_and_verifies_again(gauges: Regimen):
    before = {
        table: rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4")
        for table in ("regimen_courses", "regimen_timers", "regimen_visits")
    }
    assert before["regimen_timers"]
    assert before["regimen_visits"]
    tamper(
        "UPDATE regimen_courses SET site = 'elsewhere'",
        "DELETE FROM regimen_timers",
        "UPDATE regimen_visits SET earliest = '2031-01-01'",
        "DELETE FROM regimen_messages WHERE seq = 1 AND course = 'gauge-2'",
    )
    assert gauges("verify").code == 1
    answer = gauges("rebuild", "--json")

    assert answer.code == 0
    by_name = {one["course"]: one for one in answer.json()["courses"]}
    assert by_name["gauge-2"] == {
        "course": "gauge-2", "rebuilt": EVERYTHING.split(", "), "wrong": [], "left": None,
    }  # fmt: skip
    assert gauges("verify").code == 0
    for table, found in before.items():
        assert rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4") == found


def test_only_the_named_course_is_written_anew(gauges: Regimen):
    tamper("UPDATE regimen_courses SET site = 'elsewhere'")
    ran = gauges("rebuild", "gauge-1")

    assert (ran.code, ran.out.splitlines()) == (
        0,
        [
            "gauge-1: regimen_courses written anew",
            "1 course, 0 as their records say, 1 written anew.",
        ],
    )
    assert rows("SELECT course FROM regimen_courses WHERE site = 'elsewhere'") == [("gauge-2",)]


def test_what_is_about_to_be_written_anew_is_in_the_access_log_and_nothing_else(gauges: Regimen):
    assert gauges("rebuild").code == 0
    assert gauges("access-log", "--json").json()["entries"] == []

    tamper(
        "UPDATE regimen_courses SET site = 'elsewhere' WHERE course = 'gauge-1'",
        "DELETE FROM regimen_records WHERE course = 'gauge-2'",
    )
    assert gauges("rebuild").code == 1
    (entry,) = gauges("access-log", "--json").json()["entries"]
    assert (entry["action"], entry["about"]) == (
        "rebuilt",
        {"course": "gauge-1", "seq": 5, "kind": "row"},
    )


def test_nothing_is_written_where_the_ledger_is_not_whole(gauges: Regimen):
    checkpoint("held")
    tamper(
        "UPDATE regimen_courses SET site = 'elsewhere'",
        "UPDATE regimen_leaves SET hash = zeroblob(32) WHERE place = 2",
    )
    ran = gauges("rebuild")

    assert ran.code == 1
    assert "ledger: leaf 2, course gauge-1, record 3: edited: " in ran.out
    assert "written anew" not in ran.out
    assert len(rows("SELECT 1 FROM regimen_courses WHERE site = 'elsewhere'")) == 2
    answer = gauges("rebuild", "--json").json()
    assert (answer["ok"], answer["courses"]) == (False, [])
    assert any(flaw.startswith("leaf 2, ") for flaw in answer["ledger"])


def test_nothing_is_written_where_a_checkpoint_of_elsewhere_says_other_than_the_ledger(
    gauges: Regimen,
):
    checkpoint("held")
    tamper(
        "UPDATE regimen_courses SET site = 'elsewhere'",
        *(f"DELETE FROM regimen_{name}" for name in ("leaves", "nodes", "checkpoints", "sealing")),
    )
    ran = gauges("rebuild", "--checkpoint", "held")

    assert ran.code == 1
    assert "ledger: leaves 0 to 5: truncated" in ran.out
    assert len(rows("SELECT 1 FROM regimen_courses WHERE site = 'elsewhere'")) == 2


def test_a_course_whose_records_are_not_whole_is_named_and_the_others_are_written(gauges: Regimen):
    tamper(
        "UPDATE regimen_courses SET site = 'elsewhere'",
        "UPDATE regimen_records SET verdict = 'refused' WHERE course = 'gauge-1' AND seq = 3",
    )
    ran = gauges("rebuild")

    assert ran.code == 1
    assert "gauge-1: record 3: column: " in ran.out
    assert "gauge-2: regimen_courses written anew" in ran.out
    assert "2 courses, 0 as their records say, 1 written anew." in ran.out
    assert rows("SELECT course FROM regimen_courses WHERE site = 'elsewhere'") == [("gauge-1",)]


def test_a_reading_that_is_not_as_recorded_stays_and_is_named(gauges: Regimen):
    tamper(
        "UPDATE regimen_courses SET site = 'elsewhere' WHERE course = 'gauge-1'",
        "DELETE FROM regimen_readings WHERE course = 'gauge-1' AND input = 'deviation'",
    )
    ran = gauges("rebuild")

    assert ran.code == 1
    assert "gauge-1: regimen_courses written anew" in ran.out
    assert "gauge-1: record 5: row: regimen_readings" in ran.out
    assert LEFT not in ran.out


def test_a_row_whose_records_are_all_gone_is_left_with_the_reason(gauges: Regimen):
    """It is no fact; but of records that were not sealed yet nothing else may tell."""
    tamper("DELETE FROM regimen_records WHERE course = 'gauge-2'")
    ran = gauges("rebuild")

    assert ran.code == 1
    assert "gauge-2: record 1: gap: every record of the course is gone" in ran.out
    assert f"gauge-2: {LEFT}" in ran.out
    assert "2 courses, 1 as their records say, 0 written anew." in ran.out
    assert rows("SELECT 1 FROM regimen_courses WHERE course = 'gauge-2'")
    assert rows("SELECT 1 FROM regimen_timers WHERE course = 'gauge-2'")


@pytest.mark.parametrize("named", [False, True], ids=["everything", "by its name"])
def test_what_is_kept_of_a_course_that_is_not_there_is_left_with_the_reason(
    gauges: Regimen, named: bool
):
    tamper(
        "DELETE FROM regimen_records WHERE course = 'gauge-2'",
        "DELETE FROM regimen_courses WHERE course = 'gauge-2'",
    )
    options = ("gauge-2",) if named else ()
    ran = gauges("rebuild", *options)

    assert ran.code == 1
    assert "gauge-2: regimen_timers (course gauge-2): no course has it" in ran.out
    assert f"gauge-2: {LEFT}" in ran.out
    assert f"{0 if named else 1} course{'s' if named else ''}" in ran.out.splitlines()[-1]
    assert rows("SELECT 1 FROM regimen_timers WHERE course = 'gauge-2'")
    (left,) = gauges("rebuild", *options, "--json").json()["courses"]
    assert (left["course"], left["rebuilt"], left["left"]) == ("gauge-2", [], LEFT)


def test_a_course_that_nothing_is_kept_of_is_bad_input(gauges: Regimen):
    ran = gauges("rebuild", "gauge-9")

    assert ran.code == 2
    assert "course 'gauge-9' does not exist" in ran.err

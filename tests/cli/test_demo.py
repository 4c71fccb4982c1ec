"""`regimen demo`: what it shows is what happened, and what it prints can be typed."""

from __future__ import annotations

import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Regimen


def test_the_demo_shows_a_course_and_proves_all_of_them(regimen: Regimen):
    ran = regimen("demo")
    out = " ".join(ran.out.split())

    assert ran.code == 0
    for shown in (
        "not a medical device", "CONSTRUCTED to show what the engine does", "PUBLISHED",
        "DEMO-constructed over time", "A refusal, with its reasons", "code contraindicated",
        "moved the course", "D: discontinue IL-2", "every hash and link right",
        "every decision alike",
    ):  # fmt: skip
        assert shown in out
    assert "✗ verify" not in out


def test_the_demo_has_a_database_of_its_own(regimen: Regimen, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("REGIMEN_DATABASE_URL", "sqlite:///precious.db")

    assert regimen("demo").code == 0
    assert [path.name for path in Path().glob("*.db")] == ["regimen-demo.db"]


def test_the_demo_can_be_run_again(regimen: Regimen):
    first, again = regimen("demo", "--json").json(), regimen("demo", "--json").json()

    assert first == again
    assert again["proved"] is True


def test_a_database_that_is_named_is_added_to_and_not_emptied(regimen: Regimen):
    assert regimen("demo", "--db", "mine.db").code == 0
    with closing(sqlite3.connect("mine.db")) as connection:
        (before,) = connection.execute("SELECT count(*) FROM regimen_records").fetchone()
    again = regimen("--db", "mine.db", "demo")
    with closing(sqlite3.connect("mine.db")) as connection:
        (after,) = connection.execute("SELECT count(*) FROM regimen_records").fetchone()

    assert again.code == 0
    assert before == after


def test_a_file_of_that_name_that_is_no_database_is_left_alone(regimen: Regimen):
    Path("regimen-demo.db").write_text("my notes")
    ran = regimen("demo")

    assert ran.code == 2
    assert "--db names another" in ran.err
    assert Path("regimen-demo.db").read_text() == "my notes"


def test_the_commands_that_it_prints_work_as_printed(regimen: Regimen):
    done = regimen("demo", "--json").json()

    codes = [regimen(*shlex.split(step)[1:]).code for step in done["next"]]
    assert codes == [1 if " why-not " in step else 0 for step in done["next"]]
    assert Path("DEMO-constructed.json").exists()


def test_every_shipped_course_is_there_with_its_label(regimen: Regimen):
    shown = {one["course"]: one for one in regimen("demo", "--json").json()["courses"]}

    assert list(shown) == [
        "GAR-X", "GAR-Y", "GAR-Z", "SHI-constructed", "DEH-constructed", "DEMO-constructed",
    ]  # fmt: skip
    for name, one in shown.items():
        assert one["label"].startswith("PUBLISHED" if name.startswith("GAR") else "CONSTRUCTED")
        assert (one["wrong"], one["fault"], one["differences"]) == ([], None, [])


def test_a_package_without_courses_has_nothing_to_demonstrate(
    regimen: Regimen, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("REGIMEN_WORKFLOWS", "workflows.instrument_calibration")
    ran = regimen("demo")

    assert ran.code == 2

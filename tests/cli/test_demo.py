"""`regimen demo`: what it shows is what happened, and what it prints can be typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.core.encoding import Json
from tests.cli.conftest import Ran, Regimen

DATABASE = "regimen-demo.db"
COURSES = ("GAR-X", "GAR-Y", "GAR-Z", "SHI-constructed", "DEH-constructed", "DEMO-constructed")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A demo that was run twice in one folder: first for a program, then for a person."""

    folder: Path
    document: Json
    page: Ran

    @property
    def text(self) -> str:
        """The page without its line breaks."""
        return " ".join(self.page.out.split())


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("COLUMNS", "100")
        patch.setenv("REGIMEN_DATABASE_URL", "sqlite:///precious.db")
        regimen = Regimen()
        document = regimen("demo", "--json").json()
        yield Shown(folder=folder, document=document, page=regimen("demo"))


def test_the_demo_shows_a_course_and_proves_all_of_them(shown: Shown):
    assert shown.page.code == 0
    for said in (
        "not a medical device", "CONSTRUCTED to show what the engine does", "PUBLISHED",
        "DEMO-constructed over time", "A refusal, with its reasons", "code contraindicated",
        "moved the course", "D: discontinue IL-2", "✓ verify", "✓ replay: ",
        "✓ replay --re-decide", "every decision alike",
    ):  # fmt: skip
        assert said in shown.text


def test_the_demo_has_a_database_of_its_own(shown: Shown):
    assert shown.document["database"] == DATABASE
    assert [path.name for path in shown.folder.glob("*.db")] == [DATABASE]


def test_the_demo_can_be_run_again(shown: Shown):
    records = sum(one["records"] for one in shown.document["courses"])

    assert f"{records} records in 6 chains" in shown.text


def test_every_shipped_course_is_there_with_its_label(shown: Shown):
    told = {one["course"]: one for one in shown.document["courses"]}

    assert tuple(told) == COURSES
    for name, one in told.items():
        assert one["label"].startswith("PUBLISHED" if name.startswith("GAR") else "CONSTRUCTED")
        assert (one["wrong"], one["fault"], one["differences"]) == ([], None, [])


def test_the_page_keeps_to_a_hundred_columns_but_for_commands(shown: Shown):
    page, _, steps = shown.page.out.partition("Where to go next")

    assert max(map(len, page.splitlines())) <= 100
    assert all(step in steps for step in shown.document["next"])


def test_the_commands_that_it_prints_work_as_printed(
    shown: Shown, regimen: Regimen, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(shown.folder)
    codes = {step: regimen(*shlex.split(step)[1:]).code for step in shown.document["next"]}

    assert codes == {step: 1 if " why-not " in step else 0 for step in codes}
    assert (shown.folder / "DEMO-constructed.json").exists()


def test_a_database_that_is_named_is_added_to_and_not_emptied(
    shown: Shown, regimen: Regimen, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(shown.folder)
    before = regimen("--db", DATABASE, "verify", "--json").json()
    again = regimen("--db", DATABASE, "demo")

    assert again.code == 0
    assert "Made the database" not in again.err
    assert regimen("--db", DATABASE, "verify", "--json").json() == before


def test_a_file_of_that_name_that_is_no_database_is_left_alone(regimen: Regimen):
    Path(DATABASE).write_text("my notes")
    ran = regimen("demo")

    assert ran.code == 2
    assert "--db names another" in ran.err
    assert Path(DATABASE).read_text() == "my notes"


def test_a_package_without_courses_has_nothing_to_demonstrate(
    regimen: Regimen, monkeypatch: pytest.MonkeyPatch
):
    module = Path("plain_gauges.py")
    module.write_text("from workflows import ALL\n")
    monkeypatch.syspath_prepend(str(Path.cwd()))
    monkeypatch.setenv("REGIMEN_WORKFLOWS", "plain_gauges")
    ran = regimen("demo")

    assert ran.code == 2
    assert "packages that ship courses" in ran.err


@pytest.fixture
def shipped(shown: Shown, regimen: Regimen, monkeypatch: pytest.MonkeyPatch) -> Regimen:
    """The command in the folder of the demo, a terminal of a hundred columns."""
    monkeypatch.chdir(shown.folder)
    monkeypatch.setenv("REGIMEN_DATABASE_URL", f"sqlite:///{DATABASE}")
    monkeypatch.setenv("COLUMNS", "100")
    return regimen


def test_each_course_fits_a_screen_of_a_hundred_by_forty(shipped: Regimen):
    for course in COURSES:
        ran = shipped("show", course)
        assert ran.code == 0
        assert len(ran.out.splitlines()) <= 40, ran.out


def test_it_can_be_asked_why_not_without_the_reason_that_the_request_requires(shipped: Regimen):
    ran = shipped("why-not", "DEMO-constructed", "revoke_discontinuation")

    assert ran.code == 1
    assert "Would be refused" in ran.out


def test_doses_given_and_their_total_are_on_the_screen(shipped: Regimen):
    out = " ".join(shipped("show", "DEMO-constructed").out.split())

    assert "Doses given after the test dose 3" in out
    assert "IL-2 given in all 43 million international units" in out


def test_what_was_not_published_is_shown_as_not_known(shipped: Regimen):
    out = " ".join(shipped("show", "GAR-Z").out.split())

    assert "IL-2 given in all not known" in out
    assert "last event not published" in out


def test_a_course_without_times_is_drawn_by_its_records(shipped: Regimen):
    out = shipped("timeline", "GAR-Z").out
    told = shipped("timeline", "GAR-Z", "--json").json()

    assert "No times were published: the axis counts records." in out
    assert "round 2 begins" in out
    assert told["dated"] is False
    assert {stay["start"] for stay in told["states"]} == {None}


def test_a_year_of_waiting_is_folded_and_said_to_be(shipped: Regimen):
    assert "folded: nothing but timers" in shipped("timeline", "SHI-constructed").out


@pytest.mark.parametrize(
    "option",
    [("--role", "wizard"), ("--override", "NOPE", "--code", "urgent")],
    ids=["role", "guard"],
)
def test_what_depends_on_no_data_is_looked_at_without_data(
    shipped: Regimen, option: tuple[str, ...]
):
    ran = shipped("why-not", "DEMO-constructed", "stage_recorded", *option)

    assert ran.code == 2
    assert option[1] in ran.err

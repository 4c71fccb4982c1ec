"""Definitions at a terminal: those that are offered, and those that a database holds."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType

import pytest

from engine.core.blueprint import workflow_digest
from engine.core.definition import Workflow
from tests.cli.conftest import Regimen
from workflows.instrument_calibration import WORKFLOW

NAME = "instrument_calibration"


def test_what_is_offered_is_listed_with_its_digest(regimen: Regimen):
    listed = regimen("workflow", "list", "--json").json()["workflows"]
    (found,) = [one for one in listed if one["name"] == NAME]

    assert found["digest"] == workflow_digest(WORKFLOW)
    assert (found["version"], found["published"]) == ("1", "yes")
    assert f"{NAME}@1" in regimen("workflow", "list").out


def test_what_the_database_holds_is_listed_too(gauges: Regimen):
    listed = gauges("workflow", "list", "--stored", "--json").json()["workflows"]

    assert workflow_digest(WORKFLOW) in [one["digest"] for one in listed]
    assert f"{NAME}@1" in gauges("workflow", "list", "--stored").out


@pytest.mark.parametrize("name", [NAME, f"{NAME}@1"])
def test_a_definition_is_shown_by_name_and_by_label(regimen: Regimen, name: str):
    ran = regimen("workflow", "show", name)

    assert ran.code == 0
    for part in ("In service", "deviation ≤ deviation_limit", "Recalibration overdue", "1 day",
                 "room_near_reference (soft)", "23:59 on due_on + 7 calendar days"):  # fmt: skip
        assert part in ran.out


def test_a_stored_definition_is_shown_by_its_digest(gauges: Regimen):
    answer = gauges("workflow", "show", workflow_digest(WORKFLOW), "--json").json()

    assert answer["digest"] == workflow_digest(WORKFLOW)
    assert answer["semantic"]["name"] == NAME


@pytest.mark.parametrize("name", ["instrument", f"{NAME}@9", "sha256:00"])
def test_a_definition_that_is_not_there_is_bad_input(gauges: Regimen, name: str):
    ran = gauges("workflow", "show", name)

    assert ran.code == 2
    assert "workflow: expected a known workflow" in ran.err


def test_a_sound_definition_is_well_formed(regimen: Regimen):
    ran = regimen("workflow", "check", NAME)

    assert (ran.code, ran.out) == (0, f"{NAME}@1: well formed\n")


def test_every_problem_is_told_with_its_place(regimen: Regimen, offered: ModuleType):
    offered.ALL = (_broken(),)
    ran = regimen("workflow", "check", "--json")
    (found,) = ran.json()["workflows"]

    assert ran.code == 1
    assert found["workflow"] == "broken@1"
    assert any("nowhere" in problem for problem in found["problems"])
    assert "broken@1: " in regimen("workflow", "check", "broken").out


def test_a_workflow_that_is_not_well_formed_is_not_installed(regimen: Regimen, offered: ModuleType):
    offered.ALL = (_broken(),)
    ran = regimen("apply", "-", stdin="{}")

    assert ran.code == 2
    assert "broken@1: " in ran.err


def test_a_published_definition_that_changed_is_a_problem(
    regimen: Regimen, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("workflows.ALL", (replace(WORKFLOW, roles=("metrologist", "technician")),))

    assert "published under another digest" in regimen("workflow", "check").out
    listed = regimen("workflow", "list", "--json").json()["workflows"]
    assert listed[0]["published"] == "as another"


def test_the_schema_of_an_event_is_printed(regimen: Regimen):
    schema = regimen("workflow", "schema", NAME, "measurement_recorded").json()

    assert schema["properties"]["event"] == {"const": "measurement_recorded"}


def test_without_an_event_the_schemas_of_all_that_may_be_sent(regimen: Regimen):
    schemas = regimen("workflow", "schema", NAME).json()

    assert {"release_instrument", "course.corrected"} <= set(schemas)
    assert {"course.enrolled", "course.adopted"} <= set(schemas)
    assert "recalibration_missed" not in schemas


def test_the_schema_of_no_event_lists_the_events(regimen: Regimen):
    ran = regimen("workflow", "schema", NAME, "exploded")

    assert ran.code == 2
    assert "release_instrument" in ran.err


@pytest.mark.parametrize(("form", "start"), [("mermaid", "flowchart TB"), ("dot", "digraph ")])
def test_a_diagram_is_drawn_in_either_language(regimen: Regimen, form: str, start: str):
    ran = regimen("workflow", "diagram", NAME, "--format", form)

    assert ran.code == 0
    assert ran.out.startswith(start)
    answer = regimen("workflow", "diagram", NAME, "--format", form, "--json").json()
    assert answer == {"format": form, "text": ran.out}


def test_a_diagram_shows_where_a_course_is(gauges: Regimen):
    ran = gauges("workflow", "diagram", "--course", "gauge-1")

    assert "class state_in_service current" in ran.out
    assert "==>" in ran.out


def test_a_diagram_needs_a_workflow_or_a_course(regimen: Regimen):
    ran = regimen("workflow", "diagram")

    assert ran.code == 2
    assert "--course" in ran.err


def test_the_protocol_sheet_is_markdown_to_be_signed(regimen: Regimen):
    ran = regimen("workflow", "sheet", NAME)
    answer = regimen("workflow", "sheet", NAME, "--json").json()

    assert "| Guard |" in ran.out
    assert "Signature" in ran.out
    assert [row["guard"] for row in answer["guards"]] == [guard.name for guard in WORKFLOW.guards]


@pytest.mark.parametrize(
    ("packages", "message"),
    [
        ("no_such_package", "packages that can be imported"),
        ("json", "packages with a tuple ALL of workflows"),
        ("a b", "names of packages with commas between"),
    ],
)
def test_a_package_that_offers_no_workflows_is_named(
    regimen: Regimen, monkeypatch: pytest.MonkeyPatch, packages: str, message: str
):
    monkeypatch.setenv("REGIMEN_WORKFLOWS", packages)
    ran = regimen("workflow", "list")

    assert ran.code == 2
    assert f"REGIMEN_WORKFLOWS: expected {message}" in ran.err


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch, regimen: Regimen) -> ModuleType:
    """A package of workflows of this test's own; its `ALL` is to be set."""
    module = ModuleType("offered_by_a_test")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setenv("REGIMEN_WORKFLOWS", module.__name__)
    return module


def _broken() -> Workflow:
    first, *rest = WORKFLOW.transitions
    return replace(WORKFLOW, name="broken", transitions=(replace(first, target="nowhere"), *rest))

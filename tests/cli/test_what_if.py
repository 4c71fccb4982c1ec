"""`regimen what-if` and `regimen workflow diff` as a person runs them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Regimen

GAUGES = ("--workflow", "instrument_calibration")
LIMIT = "deviation_limit=3"


@pytest.fixture
def told(regimen: Regimen) -> Regimen:
    """Six instruments, and the command."""
    regimen("simulate", *GAUGES, "--courses=6", "--seed=3", "--until=2025-03-01")
    return regimen


def amended(regimen: Regimen, **parameters: str) -> str:
    """A file of the definition with the version 2 and other limits."""
    said = regimen("workflow", "show", "instrument_calibration", "--json").json()
    said["semantic"]["version"] = "2"
    for declared in said["semantic"]["parameters"]:
        if declared["name"] in parameters:
            declared["value"] = {"quantity": [parameters[declared["name"]], "um"]}
    for name in ("version", "digest", "prose_digest"):
        del said[name]
    Path("amended.json").write_text(json.dumps(said))
    return "amended.json"


def test_a_set_parameter_is_told_with_its_unit_and_its_flips_are_counted(told: Regimen) -> None:
    answer = told("what-if", "--set", LIMIT, "--json").json()

    assert answer["policy"] == "follow-recorded"
    assert answer["parameters"] == [
        {"parameter": "deviation_limit", "before": "5 um", "after": "3 um"}
    ]
    assert answer["courses"] == 6
    assert answer["judged"] == answer["records"] > 100
    above = next(g for g in answer["guards"] if g["guard"] == "deviation_above_limit")
    assert above["use"] == "rule"
    assert above["flips"][0]["recorded"] == "no"
    assert above["flips"][0]["again"] == "yes"
    assert sum(pair["times"] for pair in answer["decisions"]) == answer["decisions_flipped"] > 0
    assert len(answer["by_course"]) == answer["diverged"]
    first = answer["by_course"][0]
    assert first["divergences"][0]["seq"] == first["first"]


def test_the_same_is_asked_with_a_definition_in_a_file(told: Regimen) -> None:
    by_file = told("what-if", "--definition", amended(told, deviation_limit="3"), "--json").json()
    by_name = told("what-if", "--set", LIMIT, "--json").json()

    assert by_file["definition"].startswith("sha256:")
    for member in ("decisions", "guards", "diverged", "by_course"):
        assert by_file[member] == by_name[member]


def test_the_policy_is_told_and_decides_how_far_a_course_is_judged(told: Regimen) -> None:
    answers = {
        policy: told("what-if", "--set", LIMIT, "--policy", policy, "--json").json()
        for policy in ("stop", "follow-recorded", "follow-new")
    }

    assert [answer["policy"] for answer in answers.values()] == list(answers)
    assert answers["stop"]["judged"] < answers["follow-recorded"]["judged"]
    assert answers["follow-new"]["not_judged"]["records"]["other-way"] > 0
    firsts = [{c["course"]: c["first"] for c in a["by_course"]} for a in answers.values()]
    assert firsts[0] == firsts[1] == firsts[2]


def test_a_person_reads_what_each_policy_means_and_the_first_difference(told: Regimen) -> None:
    ran = told("what-if", "--set", LIMIT, "--policy", "follow-new")

    assert ran.code == 0
    assert "Policy follow-new: the course that the amended definition would have made" in ran.out
    assert "deviation_limit: 5 um → 3 um" in ran.out
    assert "The deviation is above the limit" in ran.out
    assert "they belong to the way that was recorded" in ran.out


def test_of_many_courses_a_person_reads_the_first_and_how_many_more_there_are(
    regimen: Regimen,
) -> None:
    regimen("simulate", *GAUGES, "--courses=18", "--seed=3", "--until=2025-03-01")
    ran = regimen("what-if", "--set", "deviation_limit=1")
    found = regimen("what-if", "--set", "deviation_limit=1", "--json").json()["by_course"]
    _, _, listed = ran.out.partition("The first difference of each course\n")

    assert len(found) > 15
    assert [line.split()[0] for line in listed.splitlines()[:15]] == [
        one["course"] for one in found[:15]
    ]
    assert f"and {len(found) - 15} more: --json" in listed


def test_courses_that_a_parameter_does_not_concern_are_told_apart(told: Regimen) -> None:
    assert told("demo", "--db", "regimen.db").code == 0
    ran = told("what-if", "--set", LIMIT)

    assert ran.code == 0
    assert "6 courses, " in ran.out
    assert "Not asked: 6 courses of intralesional_il2, which it does not concern." in ran.out


def test_help_explains_each_policy(regimen: Regimen) -> None:
    said = " ".join(regimen("what-if", "--help").out.split())

    for policy in ("stop:", "follow-recorded:", "follow-new:"):
        assert policy in said


def test_one_course_is_asked_and_another_number_of_processes_answers_alike(told: Regimen) -> None:
    assert "1 course, " in told("what-if", "GAUGE-3-00001", "--set", LIMIT).out
    one = told("what-if", "GAUGE-3-00001", "--set", LIMIT, "--json").json()
    every = [
        told("what-if", "--set", LIMIT, "--processes", number, "--json").json()
        for number in ("1", "2")
    ]

    assert one["courses"] == 1
    assert every[0] == every[1]
    assert one["by_course"][0] in every[0]["by_course"]


def test_an_exported_course_is_asked_without_a_database(told: Regimen) -> None:
    told("export", "GAUGE-3-00001", "--out", "course.json")
    here = told("what-if", "GAUGE-3-00001", "--set", LIMIT, "--json").json()
    Path("regimen.db").unlink()

    there = told("what-if", "course.json", "--set", LIMIT, "--json")

    assert there.code == 0
    assert there.json()["by_course"] == here["by_course"]


def test_an_exported_course_is_asked_through_a_pipe(told: Regimen) -> None:
    bundle = told("export", "GAUGE-3-00001").out
    here = told("what-if", "GAUGE-3-00001", "--set", LIMIT, "--json").json()
    Path("regimen.db").unlink()

    there = told("what-if", "-", "--set", LIMIT, "--json", stdin=bundle)
    cut = told("what-if", "-", "--set", LIMIT, stdin=bundle[:3000])

    assert there.code == 0
    assert there.json()["by_course"] == here["by_course"]
    assert cut.code == 1
    assert "-: " in cut.out


def test_every_course_of_a_file_is_asked(told: Regimen) -> None:
    told("export", "--out", "all.jsonl")
    here = told("what-if", "--set", LIMIT, "--json").json()

    there = told("what-if", "all.jsonl", "--set", LIMIT, "--json").json()

    assert (there["courses"], there["by_course"]) == (here["courses"], here["by_course"])


def test_a_file_of_many_courses_that_was_changed_is_told_and_not_asked(told: Regimen) -> None:
    told("export", "--out", "all.jsonl")
    whole = Path("all.jsonl").read_text()
    Path("all.jsonl").write_text(whole.replace("accepted", "refused!", 1))

    ran = told("what-if", "all.jsonl", "--set", LIMIT, "--json")

    assert ran.code == 1
    assert ran.json()["courses"] == 0
    first, last = ran.json()["unreadable"]
    assert "record 1: content" in first["what"]
    assert last["course"] == "all.jsonl"


def test_a_file_that_was_changed_is_told_and_not_asked(told: Regimen) -> None:
    told("export", "GAUGE-3-00001", "--format", "1", "--out", "course.json")
    said: dict[str, Any] = json.loads(Path("course.json").read_text())
    said["records"][1]["body"] = said["records"][1]["body"].replace("accepted", "refused!")
    Path("course.json").write_text(json.dumps(said))

    ran = told("what-if", "course.json", "--set", LIMIT, "--json")

    assert ran.code == 1
    assert ran.json()["courses"] == 0
    assert "record 2: content" in ran.json()["unreadable"][0]["what"]


def test_courses_can_go_to_a_file_line_by_line(told: Regimen) -> None:
    answer = told("what-if", "--set", LIMIT, "--out", "courses.jsonl", "--json").json()

    lines = [json.loads(line) for line in Path("courses.jsonl").read_text().splitlines()]
    assert "by_course" not in answer
    assert len(lines) == answer["diverged"]
    assert all(line["divergences"] for line in lines)


def test_courses_of_another_workflow_are_counted_and_not_asked(told: Regimen) -> None:
    told("simulate", "--courses=1")

    answer = told("what-if", "--set", LIMIT, "--json").json()

    assert answer["of_another_workflow"] == {"intralesional_il2": 1}
    assert answer["courses"] == 6


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--set", "deviation=3"), "parameter: expected one of deviation_limit"),
        (("--set", "deviation_limit=500"), "deviation_limit: expected at least 1 um and at most"),
        (("--set", "deviation_limit=3 kg"), "deviation_limit: expected a number in um"),
        (("--set", "deviation_limit"), "--set: expected NAME=VALUE"),
        ((), "--set or --definition: expected"),
        (("--definition", "gauges@7"), "workflow: expected a known workflow"),
        (("--definition", "nothing.json"), "nothing.json: expected a file that can be read"),
        (("--set", LIMIT, "NOBODY"), "course 'NOBODY' does not exist"),
    ],
    ids=["name", "range", "unit", "form", "nothing", "definition", "file", "course"],
)
def test_what_cannot_be_asked_is_refused_by_name(
    told: Regimen, options: tuple[str, ...], said: str
) -> None:
    ran = told("what-if", *options)

    assert ran.code == 2
    assert said in ran.err


def test_a_definition_that_was_edited_must_not_claim_its_old_digest(told: Regimen) -> None:
    file = Path(amended(told, deviation_limit="3"))
    said = json.loads(file.read_text())
    file.write_text(json.dumps(said | {"digest": "sha256:0"}))

    ran = told("what-if", "--definition", str(file))

    assert ran.code == 2
    assert "digest: expected sha256:" in ran.err


# --- diff ----------------------------------------------------------------------------------------


def test_a_diff_tells_what_decides_apart_from_prose_and_asks_the_running_courses(
    told: Regimen,
) -> None:
    file = amended(told, deviation_limit="3")

    answer = told(
        "workflow", "diff", "instrument_calibration", file,
        "--at=2025-03-01T08:00:00Z", "--list", "--json",
    ).json()  # fmt: skip

    assert (answer["before"]["label"], answer["after"]["label"]) == (
        "instrument_calibration@1", "instrument_calibration@2",
    )  # fmt: skip
    assert {(c["section"], c["name"]) for c in answer["semantic"]} == {
        ("parameters", "deviation_limit"),
        ("guards", "deviation_above_limit"),
        ("guards", "deviation_within_limit"),
    }
    assert answer["prose"] == []
    running = answer["running"]
    assert running["asked"] > 0
    assert len(running["courses"]) == (running["decide_otherwise"] + running["only_wait_otherwise"])


def test_a_diff_is_read_by_a_person(told: Regimen) -> None:
    ran = told("workflow", "diff", "instrument_calibration", amended(told, deviation_limit="3"))

    assert ran.code == 0
    assert "What can change a decision" in ran.out
    assert "Largest permitted deviation from the gauge block (deviation_limit)" in ran.out
    assert "value: 5 um → 3 um" in ran.out
    assert "running courses would decide otherwise at" in ran.out


def test_a_diff_tells_another_order_and_titles_apart(told: Regimen) -> None:
    file = Path(amended(told))
    said = json.loads(file.read_text())
    said["semantic"]["transitions"].reverse()
    said["prose"]["states"]["withdrawn"]["title"] = "Put away"
    file.write_text(json.dumps(said))
    ran = told("workflow", "diff", "instrument_calibration", str(file), "--no-courses")
    _, decides, titles = re.split("What can change a decision.*|Titles and citations only", ran.out)

    assert ran.code == 0
    assert [line.strip() for line in decides.splitlines() if line] == [
        "Transitions",
        "~ in another order",
    ]
    assert "title: Withdrawn, awaiting adjustment → Put away" in titles
    assert "running courses" not in ran.out


LATER = """
from dataclasses import replace
from workflows.instrument_calibration import WORKFLOW
ALL = (replace(WORKFLOW, version="2"),)
"""


def test_a_version_that_is_offered_no_more_is_found_where_it_is_stored(
    told: Regimen, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("gauges_later.py").write_text(LATER)
    monkeypatch.setenv("REGIMEN_WORKFLOWS", "gauges_later")
    labels = ("instrument_calibration@1", "instrument_calibration@2")
    ran = told("workflow", "diff", *labels, "--json")
    neither = told("workflow", "diff", "instrument_calibration@7", labels[1])

    assert tuple(ran.json()[side]["label"] for side in ("before", "after")) == labels
    assert ran.json()["running"]["asked"] > 0
    assert neither.code == 2
    assert (
        "expected a known workflow (instrument_calibration@1, instrument_calibration@2, "
        "intralesional_il2@2), offered here or stored in the database, "
        "found 'instrument_calibration@7'"
    ) in neither.err


def test_one_course_is_told_of_as_one(regimen: Regimen) -> None:
    regimen("simulate", *GAUGES, "--courses=1", "--seed=3", "--until=2025-03-01")
    file = amended(regimen, deviation_limit="3")
    ran = regimen("workflow", "diff", "instrument_calibration", file)
    other = regimen("workflow", "diff", file, "instrument_calibration")

    assert "0 of 1 running course would decide otherwise at" in ran.out
    assert "0 of 0 running courses would decide otherwise at" in other.out
    assert "1 is pinned to another definition and was not asked." in other.out


def test_a_diff_needs_no_database(regimen: Regimen) -> None:
    ran = regimen("workflow", "diff", "instrument_calibration", "instrument_calibration")

    assert ran.code == 0
    assert "They say the same." in ran.out
    assert "No running course was asked" in ran.err
    assert not Path("regimen.db").exists()

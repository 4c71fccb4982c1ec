"""A course replayed at a terminal, step by step, in four senses, and its readings on both axes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Regimen

NURSE = {"id": "technician-1", "role": "technician"}
BODIES = (
    {"id": "e1", "event": "course.enrolled", "at": "2024-02-01T09:00:00+01:00",
     "workflow": "instrument_calibration", "patient": "caliper-7", "site": "hall-2",
     "zone": "Europe/Zurich", "retrospective": True},
    {"id": "e2", "event": "measurement_recorded", "at": "2024-02-01T09:20:00+01:00",
     "data": {"deviation": {"value": "30", "unit": "um"},
              "room_temperature": {"value": "20", "unit": "Cel"}}},
    {"id": "e3", "event": "release_instrument", "at": "2024-02-01T09:30:00+01:00",
     "actor": {"id": "metrologist-1", "role": "metrologist"}},
    {"id": "e4", "event": "course.corrected", "at": "2024-02-01T10:00:00+01:00",
     "reason": {"code": "typing-error"},
     "data": {"record": 2, "input": "deviation", "value": {"value": "3", "unit": "um"}}},
)  # fmt: skip
"""A release that is refused for a deviation which was ten times too large as typed."""


@pytest.fixture
def bench(regimen: Regimen, tmp_path: Path) -> Regimen:
    file = tmp_path / "bench.jsonl"
    made = [{"format": 1, "course": "bench-1", "actor": NURSE, **body} for body in BODIES]
    file.write_text("\n".join(map(json.dumps, made)))
    assert regimen("apply", str(file)).code == 0
    return regimen


def test_a_step_shows_what_was_known_and_decided_and_what_is_believed_of_it_now(bench: Regimen):
    ran = bench("replay", "bench-1", "--step", "3")

    assert ran.code == 0
    assert "bench-1, step 3 of" in ran.out
    assert "Refused" in ran.out
    assert "corrected by 4" in ran.out
    assert "As now believed it would have been accepted" in ran.out
    assert "Weighed again: alike" in ran.out


def test_each_sense_has_its_own_readings_and_outcome(bench: Regimen):
    def shown(sense: str) -> tuple[str, int, int | None, str]:
        found = bench("replay", "bench-1", "--step", "3", "--sense", sense, "--json").json()
        (one,) = [r for r in found["readings"] if r["input"] == "deviation"]
        return one["value"], one["record"], one["corrected_by"], found["outcome"]["verdict"]

    assert shown("recorded") == ("30", 2, 4, "refused")
    assert shown("known") == ("30", 2, None, "refused")
    assert shown("believed") == ("3", 4, None, "accepted")
    assert shown("again") == ("30", 2, 4, "refused")


def test_the_step_at_an_instant_is_the_last_that_was_known_then(bench: Regimen):
    found = bench("replay", "bench-1", "--at", "2024-02-01T09:35:00+01:00", "--json").json()

    assert (found["step"], found["sense"]) == (3, "known")


def test_a_date_is_the_start_of_its_day_in_utc(bench: Regimen):
    found = bench("replay", "bench-1", "--at", "2024-02-02", "--json").json()
    same = bench("replay", "bench-1", "--at", "2024-02-02T00:00:00Z", "--json").json()
    before = bench("replay", "bench-1", "--at", "2024-02-01")

    assert found == same
    assert before.code == 2
    assert "an instant from" in before.err


def test_all_steps_are_listed_and_those_that_would_be_others_are_marked(bench: Regimen):
    found = bench("replay", "bench-1", "--sense", "believed", "--json").json()
    ran = bench("replay", "bench-1", "--sense", "believed")

    assert [step["step"] for step in found["steps"] if step["differs"]] == [3]
    assert "recorded: refused" in ran.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bench-1", "--step", "99"), "a record of the course"),
        (("bench-1", "--at", "yesterday"), "--at"),
        (("bench-1", "--at", "2001-01-01T00:00:00Z"), "an instant from"),
        (("bench-1", "--step", "1", "--at", "2024-02-01T09:35:00+01:00"), "--step"),
        (("--step", "1"), "one course"),
        (("bench-1", "--step", "1", "--re-decide"), "one course"),
        (("bench-2", "--step", "1"), "does not exist"),
    ],
)
def test_what_cannot_be_replayed_is_said(bench: Regimen, arguments: tuple[str, ...], said: str):
    ran = bench("replay", *arguments)

    assert ran.code == 2
    assert said in ran.err


def test_readings_are_listed_on_both_axes(bench: Regimen):
    now = bench("readings", "bench-1", "--input", "deviation", "--json").json()["readings"]
    early = bench("readings", "bench-1", "--happened-by", "2024-02-01T09:10:00+01:00", "--json")

    assert [(r["value"], r["unit"], r["record"], r["first"]) for r in now] == [("3", "um", 4, 2)]
    assert early.json()["readings"] == []
    assert "corrects 2" in bench("readings", "bench-1").out
    assert (
        "No reading." in bench("readings", "bench-1", "--recorded-by", "2001-01-01T00:00:00Z").out
    )


@pytest.mark.parametrize("option", [("--input", "deviaton"), ("--recorded-by", "then")])
def test_an_axis_or_an_input_that_is_none_is_named(bench: Regimen, option: tuple[str, str]):
    ran = bench("readings", "bench-1", *option)

    assert ran.code == 2
    assert option[0] in ran.err


def test_a_course_is_shown_as_it_was_known_on_both_axes(bench: Regimen):
    happened = bench("show", "bench-1", "--happened-by", "2024-02-01T09:25:00+01:00", "--json")
    both = bench("show", "bench-1", "--recorded-by", "2100-01-01T00:00:00Z", "--json")
    neither = bench("show", "bench-1", "--at", "2100-01-01T00:00:00Z",
                    "--recorded-by", "2100-01-01T00:00:00Z")  # fmt: skip

    assert happened.json()["seq"] == 2
    assert both.json()["seq"] >= 4
    assert neither.code == 2


def test_findings_are_listed_with_what_would_differ_and_what_became_of_them(bench: Regimen):
    ran = bench("findings", "bench-1")
    (one,) = bench("findings", "bench-1", "--json").json()["findings"]

    assert "3 release_instrument: refused → accepted" in ran.out
    assert (one["finding"], one["correction"], one["record"], one["status"]) == (5, 4, 2, "open")
    assert bench("reconsider", "bench-1", "--json").json()["courses"] == [
        {"course": "bench-1", "weighed": 0}
    ]
    assert bench("findings", "bench-9").code == 2


def test_what_later_records_say_is_marked_in_the_log_the_timeline_and_the_overview(bench: Regimen):
    log, timeline = bench("log", "bench-1").out, bench("timeline", "bench-1").out
    (_, second, third, *_) = bench("log", "bench-1", "--json").json()["records"]
    shown = bench("show", "bench-1")

    assert "would differ with correction 4" in log
    assert "would differ 3" in log
    assert second["marks"] == {"corrected_by": {"deviation": 4}}
    assert third["marks"] == {"differs_by": [4]}
    assert "open finding 5: would differ: 3" in timeline
    assert "finding 5: record 3 would have been decided otherwise" in shown.out
    assert bench("show", "bench-1", "--json").json()["open_findings"][0]["decisions"] == [3]


def test_a_file_is_replayed_step_by_step_as_the_database_is(bench: Regimen):
    assert bench("export", "bench-1", "--out", "b.jsonl").code == 0
    for more in (("--step", "3"), ("--sense", "believed"), ("--step", "3", "--sense", "known")):
        told = bench("replay", "b.jsonl", *more)
        unknown = "it has no checkpoint: who made it cannot be told."
        asked = "it was asked for some courses by name: whether there are others is not told."
        of_the_file = f"b.jsonl: {asked}\nb.jsonl: {unknown}\n"
        assert (told.code, told.out) == (0, bench("replay", "bench-1", *more).out + of_the_file)
        same = bench("replay", "bench-1", *more, "--json").json()
        found = bench("replay", "b.jsonl", *more, "--json").json()
        assert found == {
            **same,
            "source": "b.jsonl",
            "keys": "none",
            "asked": {"courses": ["bench-1"]},
            "cannot_find": [unknown],
        }

    Path("regimen.db").rename("elsewhere.db")
    assert "step 3 of" in bench("replay", "b.jsonl", "--step", "3").out
    assert not Path("regimen.db").exists()


def test_of_a_file_with_several_courses_one_is_named_behind_it(bench: Regimen):
    again = [{**body, "course": "bench-2", "patient": "of-2"} if "workflow" in body else body
             for body in BODIES]  # fmt: skip
    made = [{"format": 1, "actor": NURSE, **body, "course": "bench-2"} for body in again]
    Path("more.jsonl").write_text("\n".join(map(json.dumps, made)))
    assert bench("apply", "more.jsonl").code == 0
    assert bench("export", "--out", "all.jsonl").code == 0

    ran = bench("replay", "all.jsonl", "--step", "3")
    assert ran.code == 2
    assert "bench-1, bench-2" in ran.err
    assert "bench-2, step 3 of" in bench("replay", "all.jsonl", "bench-2", "--step", "3").out
    assert bench("replay", "all.jsonl", "bench-3", "--step", "3").code == 2


def test_nothing_is_shown_of_a_file_that_was_changed(bench: Regimen):
    assert bench("export", "bench-1", "--out", "b.jsonl").code == 0
    Path("b.jsonl").write_text(Path("b.jsonl").read_text().replace("refused", "accepted", 1))
    ran = bench("replay", "b.jsonl", "--step", "3")

    assert ran.code == 1
    assert "step 3" not in ran.out
    assert "digest of the lines before it" in ran.out


def test_what_a_course_remembers_otherwise_than_is_believed_is_told_with_its_findings(
    bench: Regimen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("REGIMEN_WORKFLOWS", "tests.pages.hostile")
    begun, measured, _, corrected = (
        {"format": 1, "course": "bench-2", "actor": NURSE, **body, "id": f"r-{body['id']}"}
        for body in BODIES
    )
    file = tmp_path / "remembered.jsonl"
    made = [{**begun, "workflow": "signed_calibration"}, measured, corrected]
    file.write_text("\n".join(map(json.dumps, made)))
    assert bench("apply", str(file)).code == 0

    told, found = bench("findings", "bench-2"), bench("findings", "bench-2", "--json").json()
    shown = bench("show", "bench-2", "--all").out
    (variable,) = bench("show", "bench-2", "--json").json()["variables"]

    assert "remembers otherwise than is believed now: largest deviation" in told.out
    assert found["believed_variables"] == {"largest_deviation": "3"}
    assert "30 µm believed now: 3 µm" in shown
    assert (variable["value"], variable["believed"]) == ("30", "3 µm")
    assert bench("findings", "bench-1", "--json").json()["believed_variables"] == {}


def test_the_signs_of_what_would_have_acted_are_explained_where_there_are_any(
    bench: Regimen, tmp_path: Path
):
    begun, measured, released, _ = BODIES
    begun = {**begun, "patient": "caliper-8"}
    wrong = {**measured, "data": {**measured["data"], "deviation": {"value": "3", "unit": "um"}}}
    again = {**wrong, "id": "e5", "at": "2024-02-01T09:40:00+01:00"}
    corrected = {**BODIES[3], "data": {**BODIES[3]["data"], "record": 4,
                                       "value": {"value": "30", "unit": "um"}}}  # fmt: skip
    file = tmp_path / "signs.jsonl"
    told = [{"format": 1, "course": "bench-3", "actor": NURSE, **body, "id": f"s-{body['id']}"}
            for body in (begun, wrong, released, again, corrected)]  # fmt: skip
    file.write_text("\n".join(map(json.dumps, told)))
    assert bench("apply", str(file)).code == 0

    with_signs = bench("findings", "bench-3").out
    without = bench("findings", "bench-1").out

    assert "+ deviation_above_limit" in with_signs
    assert "+ a rule that would have acted, − one that would not" in with_signs  # noqa: RUF001
    assert "would have acted" not in without

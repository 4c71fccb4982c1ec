"""Events from files: each line on its own, once, and told about."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from engine.errors import Conflict
from engine.service import Service
from tests.cli.conftest import FLAWED, GAUGES, Regimen


def test_events_are_applied_and_counted(regimen: Regimen):
    ran = regimen("apply", GAUGES)

    assert ran.code == 0
    assert "6 events: 4 applied, 1 refused, 1 deviation." in ran.out
    assert "Made the database regimen.db." in ran.err


def test_a_refused_request_is_told_with_its_line_and_what_is_missing(regimen: Regimen):
    ran = regimen("apply", GAUGES)

    (told,) = [line for line in ran.out.splitlines() if ": refused: " in line]
    assert told.startswith(f"{GAUGES}:2: refused: gauge-1 release_instrument")
    assert "guard undecided" in told
    assert "missing deviation, room_temperature" in told


def test_a_file_that_was_applied_before_changes_nothing_and_says_so(gauges: Regimen):
    before = gauges("verify", "--json").json()
    ran = gauges("apply", GAUGES)

    assert ran.code == 0
    assert "6 events: 0 applied, 6 already there." in ran.out
    assert "Nothing changed" in ran.out
    assert gauges("verify", "--json").json() == before


def test_a_refusal_fails_only_a_strict_run_whenever_it_was_made(regimen: Regimen):
    assert regimen("apply", "--strict", GAUGES).code == 1
    assert regimen("apply", GAUGES).code == 0
    assert regimen("apply", "--strict", GAUGES).code == 1


def test_malformed_lines_are_told_by_number_and_field_and_the_others_applied(gauges: Regimen):
    ran = gauges("apply", FLAWED)

    assert ran.code == 2
    told = {int(line.split(":")[1]): line for line in ran.err.splitlines()}
    assert told[2].startswith(f"{FLAWED}:2: not JSON: ")
    assert told[2].endswith(" at column 26")
    assert "data.deviation.unit: expected 'um'" in told[3]
    assert "data.deviation.value: floats are not exact" in told[5]
    assert "course 'gauge-3' does not exist" in told[6]
    assert "event id 'e7' was used for another body" in told[7]
    assert sorted(told) == [2, 3, 5, 6, 7]
    assert "7 events: 2 applied, 3 malformed, 1 not taken, 1 conflicting." in ran.out


def test_the_json_answer_names_every_problem(gauges: Regimen):
    ran = gauges("apply", "--json", FLAWED)
    answer = ran.json()

    assert ran.code == 2
    counts = ("applied", "malformed", "not_taken", "conflicting")
    assert [answer[name] for name in counts] == [2, 3, 1, 1]
    (elsewhere,) = [p for p in answer["problems"] if p["line"] == 6]
    assert (elsewhere["kind"], elsewhere["error"]) == ("not taken", "NotFound")
    (unit,) = [p for p in answer["problems"] if p["line"] == 3]
    assert unit["field"] == "data.deviation.unit"
    assert unit["expected"].startswith("'um'")
    assert unit["error"] == "InvalidInput"


def test_what_may_not_be_sent_is_not_taken_and_says_by_whom_it_may(gauges: Regimen):
    sent = _measured() | {"event": "release_instrument", "data": {}}
    ran = gauges("apply", "-", stdin=json.dumps(sent))

    assert ran.code == 2
    assert "'technician' may not send 'release_instrument'; permitted: metrologist" in ran.err
    assert "1 event: 0 applied, 1 not taken." in ran.out


@pytest.mark.parametrize(
    ("revision", "message"),
    [(1, "has moved on since it was read"), (99, "has not come that far (expected revision 99")],
)
def test_an_expected_revision_is_behind_the_course_or_ahead_of_it(
    regimen: Regimen, revision: int, message: str
):
    first, _, measured, released, *_ = map(json.loads, Path(GAUGES).read_text().splitlines())
    asked = released | {"expected_revision": revision}
    lines = "\n".join(map(json.dumps, (first, measured, asked)))
    ran = regimen("apply", "-", stdin=lines)

    assert ran.code == 2
    assert message in ran.err


def test_of_many_events_the_closest_are_suggested(regimen: Regimen):
    enrolled = _enrolled_for_il2()
    wrong = enrolled | {"id": "e2", "event": "labs_recordd"}
    for name in ("workflow", "patient", "site", "zone", "retrospective"):
        del wrong[name]
    ran = regimen("apply", "-", stdin=f"{json.dumps(enrolled)}\n{json.dumps(wrong)}")

    assert "such as labs_recorded, " in ran.err
    assert "found 'labs_recordd'; `regimen workflow show WORKFLOW` lists the events" in ran.err
    assert len(ran.err.splitlines()[-1]) < 300


def test_of_many_variables_the_closest_are_suggested(regimen: Regimen):
    data = {"state": "escalation", "variables": {"next_slot": 3}}
    adopted = _enrolled_for_il2() | {"event": "course.adopted", "data": data}
    ran = regimen("apply", "-", stdin=json.dumps(adopted))

    assert "data.variables.next_slot: expected no such member, only: the " in ran.err
    assert " of the schema, such as " in ran.err


def test_a_value_that_is_physically_impossible_is_taken_with_a_warning(regimen: Regimen):
    first = Path(GAUGES).read_text().splitlines()[0]
    wrong = json.dumps(_measured(deviation="-3"))
    ran = regimen("apply", "-", stdin=f"{first}\n{wrong}")

    assert ran.code == 0
    assert "2 events: 2 applied." in ran.out
    assert (
        "stdin:2: accepted: gauge-1 measurement_recorded; deviation -3 um is outside what is "
        "possible (" in ran.out
    )
    assert "will not be used" in ran.out
    assert "impossible, not used (" in regimen("log", "gauge-1").out
    assert "-3 µm impossible, not used (" in regimen("show", "gauge-1").out


def test_a_value_that_is_physically_impossible_is_named_as_data_too(regimen: Regimen):
    first = Path(GAUGES).read_text().splitlines()[0]
    wrong = json.dumps(_measured(deviation="-3"))
    (told,) = regimen("apply", "--json", "-", stdin=f"{first}\n{wrong}").json()["unusable"]

    assert (told["line"], told["input"], told["value"]) == (2, "deviation", "-3 um")


def test_events_come_from_a_pipe_too(regimen: Regimen):
    ran = regimen("apply", "-", stdin=Path(GAUGES).read_bytes())

    assert ran.code == 0
    assert "stdin:2: refused" in ran.out


@pytest.mark.parametrize(
    "line",
    [b"[1]", b'"x"', b"\xff", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"{}{}", b'{"format": 1}',
     b'{"a": "' + b"x" * 2_000_000 + b'"}', b"[" * 5000],
    ids=["list", "text", "not-utf-8", "nan", "doubled", "two", "no-course", "endless", "deep"],
)  # fmt: skip
def test_no_line_whatever_it_holds_stops_the_next(regimen: Regimen, line: bytes):
    ran = regimen("apply", "-", stdin=line + b"\n" + Path(GAUGES).read_bytes())

    assert ran.code == 2
    assert ran.err.splitlines()[-1].startswith("stdin:1: ")
    assert "7 events: 4 applied, 1 refused, 1 deviation, 1 malformed." in ran.out


def test_blank_lines_and_the_mark_of_utf_8_are_no_events(regimen: Regimen):
    good = Path(GAUGES).read_bytes()

    assert regimen("apply", "-", stdin=b"\xef\xbb\xbf" + good + b"\n  \n").code == 0


def test_a_file_without_events_is_no_mistake(regimen: Regimen):
    ran = regimen("apply", "-", stdin="\n")

    assert (ran.code, ran.out) == (0, "0 events: 0 applied.\n")


@pytest.mark.parametrize("file", ["nowhere.jsonl", "."])
def test_nothing_is_applied_when_one_of_the_files_is_none(regimen: Regimen, file: str):
    ran = regimen("apply", GAUGES, file)

    assert ran.code == 2
    assert "expected a file of JSON Lines, or - for stdin" in ran.err
    assert not Path("regimen.db").exists()


def test_a_patient_with_an_open_course_keeps_no_other_line_from_being_applied(regimen: Regimen):
    ran = regimen("apply", "-", stdin=_with_a_second_course())

    assert ran.code == 2
    assert "the patient has an open course of this workflow" in ran.err
    assert "7 events: 4 applied, 1 refused, 1 deviation, 1 conflicting." in ran.out


def test_postgresql_applies_the_same_lines_alike(regimen: Regimen, postgres_url: str):
    assert regimen("--db", postgres_url, "migrate").code == 0
    ran = regimen("apply", "--db", postgres_url, "-", stdin=_with_a_second_course())

    assert ran.code == 2
    assert "7 events: 4 applied, 1 refused, 1 deviation, 1 conflicting." in ran.out
    assert regimen("verify", "--db", postgres_url).code == 0


def test_a_batch_whose_race_is_lost_is_applied_one_by_one(
    regimen: Regimen, monkeypatch: pytest.MonkeyPatch
):
    def lost(*_: object):
        raise Conflict("gauge-1", retriable=True)

    monkeypatch.setattr(Service, "submit_many", lost)
    ran = regimen("apply", GAUGES)

    assert ran.code == 0
    assert "6 events: 4 applied, 1 refused, 1 deviation." in ran.out


def test_whoever_interrupts_is_told_what_stands(regimen: Regimen):
    lines = _many(60)
    applying = subprocess.Popen(
        [sys.executable, "-c", "from engine.cli import main; main()", "apply", "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        preexec_fn=heeds_interrupts,  # noqa: PLW1509  # no thread of the test holds a lock here
    )  # fmt: skip
    assert applying.stdin is not None
    applying.stdin.write(lines.encode())
    applying.stdin.flush()
    deadline = time.monotonic() + 60
    while "50 records" not in regimen("verify").out:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    applying.send_signal(signal.SIGINT)
    _, err = applying.communicate(timeout=60)

    assert applying.returncode == 130
    assert b"50 events: 50 applied. These stand" in err
    assert "60 events: 10 applied, 50 already there." in regimen("apply", "-", stdin=lines).out


def heeds_interrupts() -> None:
    """Tests that run in the background of a shell inherit that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _measured(deviation: str = "3") -> dict[str, Any]:
    """One measurement of the first gauge."""
    measured: dict[str, Any] = json.loads(Path(GAUGES).read_text().splitlines()[2])
    measured["data"]["deviation"]["value"] = deviation
    return measured | {"id": "m1"}


def _enrolled_for_il2() -> dict[str, Any]:
    enrolled: dict[str, Any] = json.loads(Path(GAUGES).read_text().splitlines()[0])
    actor = {"id": "nurse-1", "role": "nurse"}
    return enrolled | {"course": "C-1", "workflow": "intralesional_il2", "actor": actor}


def _many(number: int) -> str:
    """A gauge that is measured again and again."""
    first, _, measured, *_ = map(json.loads, Path(GAUGES).read_text().splitlines())
    again = [measured | {"id": f"m{n}"} for n in range(number - 1)]
    return "".join(json.dumps(line) + "\n" for line in [first, *again])


def _with_a_second_course() -> str:
    """The gauges, and after the first a course of another name for the same one."""
    first, *rest = Path(GAUGES).read_text().splitlines()
    second = json.dumps(json.loads(first) | {"course": "gauge-1-again"})
    return "\n".join([first, second, *rest])

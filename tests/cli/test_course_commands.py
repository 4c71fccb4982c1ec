"""One course, looked at: the screen, the log, the timeline and what would be refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.cli.app import app
from engine.core.encoding import Json
from tests.cli.conftest import DATA, Regimen

BENCH = str(DATA / "bench.jsonl")


@pytest.fixture
def bench(regimen: Regimen) -> Regimen:
    """The command in a folder whose database holds one gauge with everything unusual in its log."""
    assert regimen("apply", BENCH).code == 0
    return regimen


# --- show -----------------------------------------------------------------------------------------


def test_a_course_fits_one_screen(bench: Regimen, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "100")
    ran = bench("show", "bench-1")

    assert ran.code == 0
    assert len(ran.out.splitlines()) < 40


def test_the_screen_tells_state_overrides_rules_variables_and_readings(bench: Regimen):
    out = bench("show", "bench-1").out

    assert "Withdrawn, awaiting adjustment" in out
    assert "retrospective" in out
    assert "reference temperature (no): expansion-corrected, metrologist" in out
    assert "Withdraw from service: The deviation is above the limit (moved the course)" in out
    assert "When the next calibration is due 2025-02-01" in out
    assert "Largest absolute deviation from the gauge block 7.5 µm too old" in out


def test_what_could_come_next_is_told_with_what_is_in_its_way(regimen: Regimen):
    lines = Path(BENCH).read_text("utf-8").splitlines()
    assert regimen("apply", "-", stdin="\n".join(lines[:3])).code == 0
    out = regimen("show", "bench-1", "--at", "2024-02-01T09:25:00+01:00").out

    assert "✗ release_instrument: not met: The room is within one degree" in out
    assert "Reports of what happened are always taken (2 kinds)." in out


def test_a_course_is_shown_as_it_was_known_then(bench: Regimen):
    then = ("--at", "2024-02-10T00:00:00+01:00")
    out, told = (
        bench("show", "bench-1", *then).out,
        bench("show", "bench-1", *then, "--json").json(),
    )
    now = bench("show", "bench-1", "--json").json()

    assert "As it was known at 2024-02-10 00:00, by the times of its events; " in out
    assert "In service" in out
    assert (told["state"], now["state"]) == ("in_service", "withdrawn")
    assert told["later_records"] == now["seq"] - told["seq"] > 0
    assert now["later_records"] == 0
    assert bench("show", "bench-1", "--at", "2024-01-01T00:00:00Z").code == 2


def test_a_damaged_course_is_not_shown_as_it_was(bench: Regimen):
    with closing(sqlite3.connect("regimen.db")) as connection:
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for (name,) in connection.execute(triggers).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("DELETE FROM regimen_records WHERE seq = 3")
        connection.commit()
    ran = bench("show", "bench-1", "--at", "2030-01-01T00:00:00Z")

    assert ran.code == 1
    assert "its records do not add up: `verify` says why" in ran.err


def test_a_course_that_is_told_as_it_goes_is_shown_as_it_was_recorded(gauges: Regimen):
    adopted = gauges("log", "gauge-2", "--json").json()["records"][0]
    ran = gauges("show", "gauge-2", "--at", adopted["at"])

    assert ran.code == 2
    assert f"--at: expected an instant from {adopted['recorded_at']} on" in ran.err
    shown = gauges("show", "gauge-2", "--at", adopted["recorded_at"]).out
    assert "as recorded; none later." in shown


def test_a_stale_reading_is_told_with_its_age_and_its_limit(on_bench: Regimen):
    at = ("--at", "2024-02-03T09:20:00+01:00")
    out = " ".join(on_bench("why-not", "bench-1", "release_instrument", *at).out.split())
    told = on_bench("why-not", "bench-1", "release_instrument", *at, "--json").json()
    lacks = [lack for way in told["ways"] for one in way["kept_by"] for lack in one["missing"]]

    assert "48 hours old, may be at most 2 hours (record 3): too old; measurement_recorded" in out
    assert {(lack["age"], lack["max_age"]) for lack in lacks} == {
        ("48 hours", "24 hours"), ("48 hours", "2 hours"),
    }  # fmt: skip
    assert "too old (" in on_bench("show", "bench-1").out


def test_the_screen_as_data_holds_everything(bench: Regimen):
    told = bench("show", "bench-1", "--json").json()

    assert (told["state"], told["stage"], told["round"]) == ("withdrawn", "withdrawal", 1)
    assert told["retrospective"] is True
    assert told["overrides"] == [
        {
            "record": 5,
            "event": "release_instrument",
            "at": "2024-02-01T09:40:00+01:00",
            "guard": "room_near_reference",
            "title": "The room is within one degree of the reference temperature",
            "verdict": "no",
            "code": "expansion-corrected",
            "role": "metrologist",
        }
    ]
    assert [rule["rule"] for rule in told["last_rules"]] == ["deviation_above_limit"]
    assert {option["event"] for option in told["next"]} == {
        "returned_to_bench", "instrument_scrapped",
    }  # fmt: skip


def test_a_course_that_is_not_there_is_bad_input(bench: Regimen):
    for command in ("show", "log", "timeline"):
        ran = bench(command, "bench-2")
        assert ran.code == 2
        assert "course 'bench-2' does not exist" in ran.err


# --- log ------------------------------------------------------------------------------------------


def test_the_log_marks_what_is_unusual(bench: Regimen):
    out = bench("log", "bench-1").out

    assert "guard-undecided: deviation_within_limit, room_near_reference" in out
    assert "override of room_near_reference (no): expansion-corrected" in out
    assert "late entry" in out
    assert "corrects record 3; reason: typing-error" in out
    assert "moved by deviation_above_limit" in out
    assert "deviation" in out.splitlines()[-2]


def test_a_corrected_value_stays_readable_and_names_its_correction(bench: Regimen):
    assert "deviation 3 µm corrected by 7" in bench("log", "bench-1").out


def test_a_corrected_value_is_struck_out_in_a_terminal(
    bench: Regimen, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    out = bench("log", "bench-1").out

    assert "\x1b[2;9m3 µm\x1b[0m" in out


def test_a_correction_of_a_correction_strikes_the_one_that_stood(bench: Regimen):
    again = Path(BENCH).read_text("utf-8").splitlines()[6]
    again = again.replace('"e7"', '"e10"').replace('"3.5"', '"3.25"')
    assert bench("apply", "-", stdin=again).code == 0
    records = bench("log", "bench-1", "--json").json()["records"]

    corrected = {r["seq"]: r["corrected_by"] for r in records if r["corrected_by"]}
    assert corrected == {3: {"deviation": 7}, 7: {"deviation": 11}}
    assert records[10]["corrects"] == 7


def test_findings_are_told_with_value_record_threshold_citation_and_provenance(bench: Regimen):
    out = " ".join(bench("log", "bench-1", "--findings").out.split())

    assert "Temperature beside the instrument is 23 °C (record 3, 2024-02-01 09:20)" in out
    assert "must be at most 21 °C" in out
    assert "LOCAL DECISION: Works procedure, 3.2: Measure at 20 degrees Celsius" in out
    assert "Recall the parts measured since the last check within the limit." in out


def test_free_texts_are_shown_only_when_asked_for(bench: Regimen):
    assert "Corrected for three degrees." not in bench("log", "bench-1").out
    assert "“Corrected for three degrees.”" in bench("log", "bench-1", "--texts").out
    told = bench("log", "bench-1", "--texts", "--json").json()["records"]

    assert told[4]["texts"] == {"override.text": "Corrected for three degrees."}


def test_the_log_can_begin_after_a_record(bench: Regimen):
    told = bench("log", "bench-1", "--after", "7", "--json").json()

    assert [record["seq"] for record in told["records"]] == [8, 9, 10]


# --- timeline -------------------------------------------------------------------------------------


def test_the_timeline_draws_states_events_and_what_to_notice(bench: Regimen):
    out = bench("timeline", "bench-1").out

    assert "2024-02-01" in out.splitlines()[0]
    for label in ("On the calibration bench", "In service", "✗ requests refused", "◆ overrides",
                  "! deviations", "▶ moved by a rule"):  # fmt: skip
        assert label in out
    assert "The deviation is above the limit → Withdrawn, awaiting adjustment  record 9" in out
    assert "record 3 is corrected  record 7" in out


def test_the_timeline_keeps_to_the_width_of_the_terminal(
    bench: Regimen, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    out = bench("timeline", "bench-1").out

    assert max(map(len, out.splitlines())) <= 80


def test_the_timeline_as_data_gives_the_stays_with_their_times(bench: Regimen):
    told = bench("timeline", "bench-1", "--json").json()

    assert [(stay["state"], stay["start"], stay["end"]) for stay in told["states"]] == [
        ("on_bench", "2024-02-01T08:00:00Z", "2024-02-01T08:40:00Z"),
        ("in_service", "2024-02-01T08:40:00Z", "2024-03-01T08:00:00Z"),
        ("withdrawn", "2024-03-01T08:00:00Z", "2024-03-02T08:00:00Z"),
    ]


def test_a_timeline_of_one_time_does_not_say_that_there_was_none(gauges: Regimen):
    out = gauges("timeline", "gauge-2").out

    assert "All has one time: the axis counts records." in out


def test_the_timeline_can_be_cut_to_some_days(bench: Regimen):
    told = bench("timeline", "bench-1", "--since", "2024-03-01", "--json").json()

    assert [moment["seq"] for moment in told["moments"]] == [9, 10]
    assert bench("timeline", "bench-1", "--since", "2030-01-01").code == 2
    assert bench("timeline", "bench-1", "--until", "tomorrow").code == 2


# --- why-not --------------------------------------------------------------------------------------


def test_what_would_be_accepted_exits_with_yes(bench: Regimen):
    ran = bench("why-not", "bench-1", "returned_to_bench")

    assert ran.code == 0
    assert "Would be accepted" in ran.out
    assert "→ On the calibration bench" in ran.out


def test_what_a_state_does_not_foresee_names_the_states_that_do(bench: Regimen):
    ran = bench("why-not", "bench-1", "release_instrument")

    assert ran.code == 1
    assert "it is in: on_bench." in ran.out


@pytest.fixture
def on_bench(regimen: Regimen) -> Regimen:
    """A gauge on the bench, measured in a warm room."""
    lines = Path(BENCH).read_text("utf-8").splitlines()
    assert regimen("apply", "-", stdin="\n".join(lines[:3])).code == 0
    return regimen


AT = ("--at", "2024-02-01T09:25:00+01:00")


def test_a_refusal_says_what_is_needed_and_who_may_override_it(on_bench: Regimen):
    ran = on_bench("why-not", "bench-1", "release_instrument", *AT)

    assert ran.code == 1
    assert "Temperature beside the instrument is 23 °C" in ran.out
    assert "must be at most 21 °C" in ran.out
    assert "May be overridden by metrologist, with one of: expansion-corrected" in ran.out


def test_what_is_unknown_names_what_is_missing_and_what_would_bring_it(on_bench: Regimen):
    ran = on_bench("why-not", "bench-1", "release_instrument", "--at", "2024-02-03T09:00:00+01:00")

    assert ran.code == 1
    assert "Undecided" in ran.out
    assert "too old; measurement_recorded would bring it" in ran.out
    assert "No override passes it." in ran.out


def test_an_override_can_be_tried(on_bench: Regimen):
    tried = ("why-not", "bench-1", "release_instrument", *AT, "--override", "room_near_reference")

    assert on_bench(*tried, "--code", "expansion-corrected").code == 0
    assert on_bench(*tried, "--code", "no-such-code").code == 1


def test_trying_writes_nothing(on_bench: Regimen):
    before = on_bench("verify", "--json").json()
    on_bench("why-not", "bench-1", "release_instrument", *AT)

    assert on_bench("verify", "--json").json() == before


def test_without_its_data_an_event_is_weighed_as_far_as_it_goes(on_bench: Regimen):
    told = on_bench("why-not", "bench-1", "measurement_recorded", "--json").json()

    assert told["would_be_accepted"] is True
    assert on_bench("why-not", "bench-1", "measurement_recorded", "--data", "{}").code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no_such_event"], "event: expected one of instrument_scrapped, measurement_recorded"),
        (["measurement_recorded", "--data", "[1]"], "--data: expected a JSON object"),
        (["measurement_recorded", "--data", "{"], "--data: expected a JSON object"),
        (["release_instrument", "--role", "technician"], "'technician' may not send"),
        (["release_instrument", "--at", "yesterday"], "--at: expected an instant"),
    ],
)
def test_what_cannot_be_tried_is_bad_input(on_bench: Regimen, arguments: list[str], message: str):
    ran = on_bench("why-not", "bench-1", *arguments)

    assert ran.code == 2
    assert message in ran.err


def test_an_answer_as_data_joins_the_decision_with_the_definition(on_bench: Regimen):
    told = on_bench("why-not", "bench-1", "release_instrument", *AT, "--json").json()
    ((way,),) = ([way["kept_by"] for way in told["ways"]],)
    (kept,) = way

    assert kept["guard"] == "room_near_reference"
    assert kept["soft"] is True
    assert kept["citation"]["provenance"] == "local"
    assert _of(kept["comparisons"]) == [("room_temperature", "<=", "23 Cel", "21 Cel", 3)]


def _of(comparisons: list[Json]) -> list[tuple[Json, ...]]:
    names = ("what", "op", "value", "threshold", "record")
    return [tuple(one[name] for name in names) for one in comparisons]


def test_every_command_that_answers_takes_json():
    taking = {
        command.name or (command.callback.__name__ if command.callback else "")
        for command in app.registered_commands
        if command.callback is not None and "as_json" in command.callback.__signature__.parameters
    }

    assert {"show", "log", "timeline", "why-not", "demo"} <= taking

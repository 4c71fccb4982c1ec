"""Counts and alarms of guards, from the shell."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Regimen

RULE = "deviation_above_limit"
BEGUN = datetime(2026, 1, 5, 9, tzinfo=UTC)


def told(number: int, deviation: str | None) -> list[dict[str, object]]:
    """A gauge that is released and measured in service, once, unless it never is."""
    name, begun = f"g-{number}", BEGUN + timedelta(hours=number)
    same = {"format": 1, "course": name, "actor": {"id": "ada", "role": "metrologist"}}

    def measured(minutes: int, value: str) -> dict[str, object]:
        data = {
            "deviation": {"value": value, "unit": "um"},
            "room_temperature": {"value": "20", "unit": "Cel"},
        }
        at = (begun + timedelta(minutes=minutes)).isoformat()
        return {
            **same,
            "id": f"m{minutes}",
            "event": "measurement_recorded",
            "at": at,
            "data": data,
        }

    enrolled = {
        **same,
        "id": "e",
        "event": "course.enrolled",
        "at": begun.isoformat(),
        "workflow": "instrument_calibration@1",
        "patient": name,
        "site": "north",
        "zone": "Europe/Vienna",
        "retrospective": True,
    }
    released = {
        **same,
        "id": "r",
        "event": "release_instrument",
        "at": (begun + timedelta(minutes=2)).isoformat(),
        "data": {},
    }
    found = [enrolled, measured(1, "1"), released]
    return found if deviation is None else [*found, measured(3, deviation)]


@pytest.fixture
def measured(regimen: Regimen) -> Regimen:
    """Gauges of which every other one was withdrawn."""
    bodies = [body for n in range(24) for body in told(n, "90" if n % 2 else "1")]
    Path("events.jsonl").write_text("\n".join(map(json.dumps, bodies)))
    ran = regimen("apply", "events.jsonl", "--strict")
    assert ran.code == 0, ran
    return regimen


def test_each_guard_is_counted_by_definition_and_site(measured: Regimen):
    found = {one["guard"]: one for one in measured("guards", "--json").json()["guards"]}

    assert (found[RULE]["use"], found[RULE]["site"]) == ("rule", "north")
    assert (found[RULE]["yes"], found[RULE]["fired_in"], found[RULE]["courses"]) == (12, 12, 24)
    assert found["deviation_within_limit"]["use"] == "requirement"


def lines(out: str) -> list[list[str]]:
    """What a person reads, line by line, word by word."""
    return [line.split() for line in out.splitlines()]


def test_a_person_reads_how_often_each_guard_held_and_in_how_many_courses(measured: Regimen):
    ran = measured("guards", "--site", "north", "--workflow", "instrument_calibration")

    rules, requirements = ("Rules", "Site", "Fired"), ("Requirements", "Site", "Yes")
    assert [tuple(one[:3]) for one in lines(ran.out) if one[0] in ("Rules", "Requirements")] == [
        rules,
        requirements,
    ]
    # Every other one of 24 gauges was once above the limit.
    (rule,) = [one for one in lines(ran.out) if one[0] == RULE]
    assert (rule[1:3], rule[-3:]) == (["north", "12"], ["12", "of", "24"])


@pytest.mark.parametrize("other", [("--site", "south"), ("--workflow", "intralesional_il2")])
def test_of_another_site_or_workflow_no_guard_was_weighed(
    measured: Regimen, other: tuple[str, ...]
):
    ran = measured("guards", *other)

    assert (ran.code, ran.out) == (0, "No guard was weighed.\n")


def test_a_period_leaves_out_what_was_recorded_outside_it(measured: Regimen):
    later = measured("guards", "--since", "2126-01-01T00:00:00Z", "--json").json()

    assert later["guards"] == []


def test_a_date_is_the_start_of_its_day_in_utc(measured: Regimen):
    today = datetime.now(UTC).date()
    day, instant = f"{today}", f"{today}T00:00:00Z"

    def told_of(*options: str) -> object:
        return measured("guards", *options, "--json").json()

    assert told_of("--since", day) == told_of("--since", instant)
    assert told_of("--until", day) == told_of("--until", instant)
    assert told_of("--alarms", "--since", day) == told_of("--alarms", "--since", instant)


def test_without_later_records_there_is_too_little_to_tell_and_no_alarm(measured: Regimen):
    ran = measured("guards", "--alarms", "--since", "2126-01-01T00:00:00Z")

    assert ran.code == 0
    assert "too little data" in ran.out
    assert "of 1 there is too little to tell" in " ".join(ran.out.split())


def test_a_rule_that_stopped_firing_is_an_alarm(measured: Regimen):
    since = datetime.now(UTC).isoformat()
    later = [body for n in range(30, 54) for body in told(n, "1")]
    Path("later.jsonl").write_text("\n".join(map(json.dumps, later)))
    assert measured("apply", "later.jsonl", "--strict").code == 0
    ran = measured("guards", "--alarms", "--since", since, "--json")
    told_of = ran.json()
    read = measured("guards", "--alarms", "--since", since)

    assert ran.code == 1
    assert told_of["alarms"] == 1
    assert told_of["rules"][0]["rule"] == RULE
    assert told_of["rules"][0]["before"] == {"courses": 24, "fired": 12, "undecided": 0}
    assert told_of["rules"][0]["after"] == {"courses": 24, "fired": 0, "undecided": 0}
    (alarm,) = [one for one in lines(read.out) if one[0] == "!"]
    assert read.code == 1
    assert alarm[1:8] == [RULE, "12", "of", "24", "0", "of", "24"]
    assert "1 rule stopped firing, 0 fire as before" in read.out


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--since", "yesterday"), "--since: expected a date such as"),
        (("--alarms", "--level", "2"), "--level: expected a number between 0 and 1"),
        (("--alarms", "--level", "1/0"), "--level: expected a number between 0 and 1"),
        (("--alarms", "--level", "rare"), "--level: expected a number between 0 and 1"),
    ],
)
def test_what_cannot_be_asked_is_named(gauges: Regimen, asked: tuple[str, ...], said: str):
    ran = gauges("guards", *asked)

    assert ran.code == 2
    assert said in ran.err

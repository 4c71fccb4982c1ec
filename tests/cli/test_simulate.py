"""Plausible courses from the command line, and what is said of them."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Regimen

GAUGES = ("--workflow", "instrument_calibration")


def test_a_simulation_answers_with_what_became_of_its_courses(regimen: Regimen):
    answer = regimen("simulate", *GAUGES, "--courses=5", "--seed=3", "--json").json()

    assert answer["workflow"] == "instrument_calibration@1"
    assert (answer["courses"], answer["begun"], answer["seed"]) == (5, 5, 3)
    assert sum(answer["final_stages"].values()) == sum(answer["final_states"].values()) == 5
    assert sum(answer["verdicts"].values()) == answer["records"] > 50
    assert set(answer["refused_by"]) <= {"room_near_reference", "deviation_within_limit"}
    assert answer["rules_fired"].keys() <= {"deviation_above_limit"}


def test_the_same_seed_gives_the_same_log(regimen: Regimen):
    answers = [
        regimen("--db", f"{name}.db", "simulate", *GAUGES, "--courses=2", "--json").json()
        for name in ("one", "other")
    ]
    heads = [
        [
            course["head"]
            for course in regimen("--db", f"{name}.db", "verify", "--json").json()["courses"]
        ]
        for name in ("one", "other")
    ]

    assert answers[0].pop("next") != answers[1].pop("next")  # they name their databases
    assert answers[0] == answers[1]
    assert heads[0] == heads[1]


def test_what_comes_next_can_be_typed(regimen: Regimen):
    answer = regimen("simulate", *GAUGES, "--courses=1", "--db=my own.db", "--json").json()

    assert "regimen --db 'my own.db' verify" in answer["next"]
    assert regimen("--db=my own.db", "verify").code == 0
    assert regimen("--db=my own.db", "replay", "--re-decide").code == 0


def test_a_person_gets_tables_and_hints(regimen: Regimen):
    ran = regimen("simulate", *GAUGES, "--courses=3")

    assert ran.code == 0
    assert "3 simulated courses of Calibration of a measuring instrument" in ran.out
    assert "The room is within one degree of the reference temperature" in ran.out
    assert "regimen verify" in ran.out
    assert "Made the database" in ran.err


def test_courses_that_are_left_half_way_have_visits_that_are_due(regimen: Regimen):
    answer = regimen("simulate", *GAUGES, "--courses=4", "--until=2024-12-20", "--json").json()
    due = regimen("due", "--as-of=2024-12-20", "--soon=60", "--json").json()

    assert "regimen due --as-of 2024-12-20" in answer["next"]
    assert "in_service" in answer["final_states"]
    assert due["visits"]


def test_a_seed_that_was_used_is_refused_and_nothing_is_added(regimen: Regimen):
    regimen("simulate", *GAUGES, "--courses=2")
    again = regimen("simulate", *GAUGES, "--courses=3")

    assert again.code == 2
    assert "--seed: expected one whose courses are not in this database yet" in again.err
    assert "GAUGE-1-00001" in again.err
    assert len(regimen("verify", "--json").json()["courses"]) == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--start", "yesterday"), "--start: expected a date such as 2026-03-02"),
        (("--until", "2024-13-01"), "--until: expected a date such as 2026-03-02"),
        (("--workflow", "baking"), "a known workflow (instrument_calibration, intralesional_il2)"),
    ],
)
def test_what_cannot_be_simulated_is_said_before_anything_is_made(
    regimen: Regimen, wrong: tuple[str, str], said: str
):
    ran = regimen("simulate", *wrong)

    assert ran.code == 2
    assert said in ran.err
    assert "Made the database" not in ran.err

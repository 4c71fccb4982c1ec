"""Every state can be reached and left, and every timer, visit and update fits its place."""

from __future__ import annotations

from engine.core.definition import (
    ANYWHERE,
    State,
    Transition,
    Variable,
)
from engine.core.expression import Constant, Now, Today, choose, days
from engine.core.quantity import q
from tests.core.crane import (
    amended,
    checked_on,
    extended,
    lifts,
    load,
    said,
    wind,
)


def test_a_state_that_cannot_be_reached_is_found() -> None:
    broken = extended(
        states=(State(name="flying", stage="work"),),
        transitions=(
            Transition(name="land", event="scrapped", sources=("flying",), target="idle"),
        ),
    )

    assert said(broken) == ["state flying: cannot be reached"]


def test_a_state_that_a_rule_reaches_is_reached() -> None:
    reached = amended(
        "actions", "stop", extended(states=(State(name="safe", stage="end", closed=True),)),
        targets={"work": "stopped", "lifting": "safe"},
    )  # fmt: skip

    assert said(reached) == []


def test_an_open_state_without_a_way_out_is_a_dead_end() -> None:
    assert said(amended("states", "retired", closed=False)) == [
        "state retired: a dead end: open, but nothing leads out of it"
    ]


def test_a_closed_state_is_left_only_by_a_reopening() -> None:
    broken = extended(transitions=(
        Transition(name="revive", event="checked", sources=("retired",), target="idle"),
    ))  # fmt: skip

    assert said(broken) == ["transition revive: leaves retired, closed, without reopening"]
    assert said(amended("transitions", "revive", broken, reopens=True)) == []


def test_a_rule_never_leaves_a_closed_state() -> None:
    broken = amended("actions", "stop", amended("rules", "gale", places=(ANYWHERE,)),
                     targets={"work": "stopped", ANYWHERE: "stopped"})  # fmt: skip

    assert said(broken) == ["rule gale: leaves retired, closed, without reopening"]


def test_a_reopening_starts_from_a_closed_state() -> None:
    assert said(amended("transitions", "lower", reopens=True)) == [
        "transition lower: reopens, but starts from no closed state"
    ]


def test_a_request_has_no_deviation() -> None:
    assert said(amended("transitions", "start", deviation=True)) == [
        "transition start: a deviation, but a request that is not granted is refused"
    ]


def test_a_transition_below_one_without_requirements_is_never_tried() -> None:
    broken = extended(transitions=(
        Transition(name="drop", event="lowered", sources=("lifting",), target="stopped",
                   priority=-1),
    ))  # fmt: skip

    assert said(broken) == ["transition drop: never tried, since nothing keeps lower closed"]


def test_a_timers_event_is_declared() -> None:
    broken = amended("timers", "check", event="bell")

    assert said(broken) == ["event check_missed: no timer sends it",
                            "timer check: unknown event 'bell'"]  # fmt: skip


def test_a_timers_event_is_declared_as_a_timers() -> None:
    broken = amended("events", "check_missed", timer=False, roles=("chief",))

    assert said(broken) == ["timer check: event 'check_missed' is not declared as a timer's"]


def test_a_timers_event_is_taken_wherever_the_timer_runs() -> None:
    assert said(amended("timers", "check", places=("work", "stopped"))) == [
        "timer check: no transition takes 'check_missed' in stopped"
    ]


def test_a_timer_is_due_at_an_instant_and_a_visit_on_dates() -> None:
    broken = amended("timers", "check", due=checked_on + days(1))
    broken = amended("visits", "check", broken, number=Today(), latest=Now())

    assert said(broken) == [
        "timer check: due: unit or type mismatch: instant with date in checked_on + 1 calendar day",
        "visit check: number: unit or type mismatch: number with date in date of the event",
        "visit check: latest: unit or type mismatch: date with instant in time of the event",
    ]


def test_an_update_fits_its_variable() -> None:
    mass = Variable(name="mass", kind="quantity", unit="kg")
    kept = extended(variables=(mass,))

    def updated(value: object) -> list[str]:
        updates = {"lifts": lifts + 1, "mass": value}
        return [s for s in said(amended("transitions", "start", kept, updates=updates))
                if s.startswith("transition")]  # fmt: skip

    assert updated(load.tree()) == []
    assert updated(Constant(q("1", "g"))) == []
    assert updated(Constant(None)) == []
    assert updated(Constant(q("1", "s"))) == [
        "transition start: update of mass: unit mismatch: s is not kg in 1 s"
    ]
    assert updated(Today()) == [
        (
            "transition start: update of mass: "
            "unit or type mismatch: quantity in kg with date in date of the event"
        )
    ]


def test_an_update_gives_only_codes_that_the_variable_has() -> None:
    kept = extended(variables=(Variable(name="last_wind", kind="code", codes=("calm", "gale")),))
    broken = amended("transitions", "start", kept,
                     updates={"lifts": lifts + 1, "last_wind": wind.tree()})  # fmt: skip

    assert [s for s in said(broken) if s.startswith("transition")] == [
        "transition start: update of last_wind: codes that do not fit: breeze in wind"
    ]


def test_an_update_that_chooses_a_code_chooses_among_those_of_the_variable() -> None:
    kept = extended(variables=(Variable(name="last_wind", kind="code", codes=("calm", "gale")),))

    def chosen(otherwise: str) -> list[str]:
        choice = choose(lifts > 1, Constant("calm"), Constant(otherwise))
        broken = amended(
            "transitions", "start", kept, updates={"lifts": lifts + 1, "last_wind": choice}
        )
        return [s for s in said(broken) if s.startswith("transition")]

    assert chosen("gale") == []
    assert chosen("storm") == [
        "transition start: update of last_wind: codes that the variable does not have: storm"
    ]

"""Every name that is used is declared, and whatever is declared is used."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from engine.core.definition import (
    Action,
    Advice,
    Event,
    Guard,
    Input,
    Kind,
    Parameter,
    Requirement,
    Rule,
    Transition,
    Variable,
)
from engine.core.expression import Constant, hours
from tests.core.crane import (
    CITE,
    amended,
    extended,
    lifts,
    said,
)


def test_a_transition_names_what_is_declared() -> None:
    broken = extended(transitions=(
        Transition(name="fly", event="took_off", sources=("sky",), target="moon",
                   requires=(Requirement(guard="winged"),), updates={"height": Constant(None)},
                   advice=("wave",)),
    ))  # fmt: skip

    assert said(broken) == [
        "transition fly: unknown event 'took_off'",
        "transition fly: unknown state or stage 'sky'",
        "transition fly: unknown state 'moon'",
        "transition fly: unknown guard 'winged'",
        "transition fly: unknown variable 'height'",
        "transition fly: unknown advice 'wave'",
    ]


def test_a_rule_names_what_is_declared() -> None:
    broken = extended(rules=(
        Rule(guard="storm", action="pray", places=("sky",), events=("thunder",),
             updates={"fear": Constant(None)}, advice=("hide",)),
    ))  # fmt: skip

    assert said(broken) == [
        "rule storm: unknown guard 'storm'",
        "rule storm: unknown action 'pray'",
        "rule storm: unknown state or stage 'sky'",
        "rule storm: unknown event 'thunder'",
        "rule storm: unknown variable 'fear'",
        "rule storm: unknown advice 'hide'",
    ]


def test_an_action_names_states_that_are_declared() -> None:
    broken = amended("actions", "stop", targets={"work": "stopped", "sky": "moon"})

    assert said(broken) == [
        "action stop: unknown state or stage 'sky'",
        "action stop: unknown state 'moon'",
    ]


def test_timers_and_visits_name_places_that_are_declared() -> None:
    broken = amended("visits", "check", amended("timers", "check", places=()), places=("sky",))

    assert said(broken) == [
        "timer check: in no state at all",
        "visit check: unknown state or stage 'sky'",
    ]


def test_what_nothing_uses_is_a_problem() -> None:
    broken = extended(
        guards=(Guard(name="idle_guard", condition=lifts > 1, title="Idle", cite=CITE),),
        inputs=(Input(name="noise", kind="yesno"),),
        variables=(Variable(name="colour", kind="yesno"),),
        parameters=(Parameter(name="knob", value=Decimal(1)),),
        advice=(Advice(name="smile", text="Smile."),),
        actions=(Action(name="cheer", rank=9),),
    )

    assert said(broken) == [
        "input noise: no event brings it",
        "variable colour: never read",
        "variable colour: never written",
        "parameter knob: never read: setting it changes nothing",
        "guard idle_guard: neither a requirement nor a rule uses it",
        "action cheer: no rule asks for it",
        "advice smile: never delivered",
    ]


def test_a_request_that_no_transition_grants_is_a_problem_and_a_report_is_not() -> None:
    asked = Event(name="paint", kind=Kind.REQUEST, roles=("chief",), max_age=hours(1))
    told = Event(name="painted", kind=Kind.REPORT, roles=("chief",))

    assert said(extended(events=(asked, told))) == [
        "event paint: a request that no transition ever grants"
    ]


def test_a_rule_does_something() -> None:
    broken = amended("actions", "stop", amended("rules", "gale", advice=()),
                     targets={"rest": "idle"})  # fmt: skip
    broken = replace(broken, advice=())

    assert said(broken) == ["rule gale: does nothing: no target, advice, update or message"]
    assert said(amended("actions", "stop", broken, message="crane.stopped")) == []

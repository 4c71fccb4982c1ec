"""Constructed courses find what acts and what does not, from a stored definition alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.canary.flight import flown, flown_like
from engine.canary.result import Flight, Outcome, Result, What
from engine.core import expression as tree
from engine.core.definition import Field, Guard, Input, Kind, Parameter, Workflow
from engine.core.expression import Constant, Operand, Truth, all_of, lift
from engine.registry import stored_form
from engine.zones import Zones
from tests.core.crane import CRANE
from workflows import ALL

IL2 = next(one for one in ALL if one.label == "intralesional_il2@2")
GAUGES = next(one for one in ALL if one.name == "instrument_calibration")
STOPS = {rule.guard for rule in IL2.rules if rule.action in ("discontinue", "hold")}


def flight(workflow: Workflow) -> Flight:
    return flown(stored_form(workflow), Zones(), "test")


def like(workflow: Workflow, other: Workflow) -> Flight:
    return flown_like(stored_form(workflow), stored_form(other), Zones(), "test")


def of(found: Flight, guard: str, what: What = What.RULE) -> Result:
    return next(one for one in found.of(what) if one.guard == guard)


def altered(workflow: Workflow, guard: str, change: Callable[[Guard], Operand]) -> Workflow:
    """The workflow with another condition behind a guard."""
    return replace(
        workflow,
        guards=tuple(
            replace(one, condition=change(one).tree()) if one.name == guard else one
            for one in workflow.guards
        ),
    )


@pytest.fixture(scope="module")
def il2() -> Flight:
    return flight(IL2)


def test_every_stop_and_hold_rule_of_the_protocol_is_brought_to_move_a_course(il2: Flight):
    acted = {one.guard: one.outcome for one in il2.of(What.RULE)}

    assert len(STOPS) == 9
    assert acted.keys() >= STOPS
    assert set(acted.values()) == {Outcome.AS_EXPECTED}


def test_every_requirement_of_the_protocol_is_brought_to_refuse_or_is_switched_off(il2: Flight):
    off = {one.guard for one in il2.of(What.REQUIREMENT) if one.outcome is Outcome.SWITCHED_OFF}

    assert il2.wrong() == ()
    assert off == {"labs_of_the_day", "unresolved_hold_discontinues"}


@pytest.mark.parametrize("workflow", ALL, ids=lambda workflow: workflow.label)
def test_every_published_workflow_is_sound(workflow: Workflow):
    assert flight(workflow).sound


def test_a_workflow_of_another_trade_is_exercised_too():
    found = flight(CRANE)

    assert found.of(What.RULE) or found.of(What.REQUIREMENT)
    assert found.wrong() == ()


def test_the_same_definition_gives_the_same_flight(il2: Flight):
    assert flight(IL2) == il2


@pytest.mark.parametrize("guard", sorted(STOPS))
def test_a_stop_rule_whose_guard_can_never_be_yes_is_found(guard: str):
    """Each is altered so that it contradicts itself; its requirements and others stay sound."""
    broken = altered(IL2, guard, lambda one: all_of(one.condition, ~one.condition))
    found = of(flight(broken), guard)

    assert not found.sound
    assert found.outcome in (Outcome.IMPOSSIBLE, Outcome.OUT_OF_REACH)


def test_a_rule_that_asks_for_what_nothing_brings_is_found_and_it_is_named():
    unseen = Input(name="unseen", kind="yesno", title="Brought by nothing")
    broken = altered(
        replace(GAUGES, inputs=(*GAUGES.inputs, unseen)),
        "deviation_above_limit",
        lambda one: all_of(one.condition, unseen),
    )
    found = of(flight(broken), "deviation_above_limit")

    assert (found.outcome, found.sound) == (Outcome.OUT_OF_REACH, False)
    assert found.why == "no report brings unseen"


def test_a_rule_that_looks_only_where_its_action_moves_nothing_is_found():
    place = next(
        s.name
        for s in GAUGES.states
        if not any(s.name in a.targets or s.stage in a.targets for a in GAUGES.actions)
    )
    found = of(
        flight(replace(GAUGES, rules=(replace(GAUGES.rules[0], places=(place,)),))),
        GAUGES.rules[0].guard,
    )

    assert found.outcome is Outcome.IMPOSSIBLE
    assert found.why == "in no state does it look and move the course"


def test_a_rule_that_a_parameter_switches_off_is_shown_and_is_no_alarm():
    switch = Parameter(name="watched", value=False, title="Whether it is watched")
    off = altered(
        replace(GAUGES, parameters=(*GAUGES.parameters, switch)),
        "deviation_above_limit",
        lambda one: all_of(switch, one.condition),
    )
    found = flight(off)

    assert found.sound
    assert of(found, "deviation_above_limit").outcome is Outcome.SWITCHED_OFF


def test_a_requirement_that_is_always_yes_is_found():
    guard = next(r.guard for t in GAUGES.transitions for r in t.requires)
    found = of(
        flight(altered(GAUGES, guard, lambda _: Constant(value=True))), guard, What.REQUIREMENT
    )

    assert not found.sound


def test_a_moved_threshold_is_found_by_the_courses_of_the_definition_that_it_should_be_like():
    higher = replace(
        IL2,
        parameters=tuple(
            replace(p, value=replace(p.value, value=Decimal(30)))
            if p.name == "creatinine_limit"
            else p
            for p in IL2.parameters
        ),
    )

    assert of(flight(higher), "N05_creatinine_above_3").sound
    compared = like(higher, IL2)
    assert [one.guard for one in compared.wrong()] == ["N05_creatinine_above_3"]
    assert "intralesional_il2@2: it weighed no" in (compared.wrong()[0].why or "")


def test_a_rule_that_is_gone_is_found_by_the_courses_of_the_definition_that_it_should_be_like():
    without = replace(
        IL2, rules=tuple(r for r in IL2.rules if r.guard != "E02_neurotoxicity_reported")
    )

    assert [one.guard for one in like(without, IL2).wrong()] == ["E02_neurotoxicity_reported"]


def test_an_action_that_lost_its_targets_is_found_by_the_courses_of_what_it_should_be_like():
    tame = replace(
        IL2,
        actions=tuple(replace(a, targets={}) if a.name == "hold" else a for a in IL2.actions),
    )

    assert [one.guard for one in like(tame, IL2).wrong()] == ["E03_cardiac_enzymes_elevated"]


def test_a_window_over_several_readings_is_filled():
    threshold = lift(1_000)
    sustained = tree.Sustained(
        "pulse", ">", threshold, lift(3), Constant(timedelta(hours=6)), timedelta(days=2),
        Truth.NO, Truth.NO, apart=timedelta(hours=1),
    )  # fmt: skip
    pulse = Input(name="pulse", kind="number", low=Decimal(0), high=Decimal(5_000))
    reports = [e for e in GAUGES.events if e.kind is Kind.REPORT and not e.timer]
    watched = replace(
        GAUGES,
        inputs=(*GAUGES.inputs, pulse),
        events=tuple(
            replace(e, fields=(*e.fields, Field(name="pulse", input="pulse")))
            if e in reports
            else e
            for e in GAUGES.events
        ),
    )
    guard = GAUGES.rules[0].guard
    found = of(flight(altered(watched, guard, lambda _: sustained)), guard)

    assert found.outcome is Outcome.AS_EXPECTED

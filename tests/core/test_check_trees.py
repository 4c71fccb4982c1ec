"""Guards use names that exist, units that fit, windows that can be full, and can go either way."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.core.definition import Field, Guard, Input, Parameter, Requirement, Transition, Workflow
from engine.core.expression import (
    CivilInstant,
    Constant,
    Count,
    Expression,
    Latest,
    Now,
    OpenQuestion,
    Remembered,
    Round,
    Sent,
    Setting,
    Sustained,
    Today,
    Total,
    Truth,
    choose,
    greatest,
    hours,
    least,
    pick,
)
from engine.core.phrase import text
from engine.core.quantity import Quantity, q
from tests.core.crane import (
    CITE,
    CRANE,
    amended,
    extended,
    lifts,
    limit,
    load,
    said,
    sending,
    watching,
    wind,
)


def said_as(value: object) -> str:
    return text(value) if isinstance(value, Expression) else str(value)


YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN


def heard(condition: Expression, **rule: object) -> list[str]:
    """What is said of a guard with this condition, without its place."""
    problems = said(watching(condition, **rule))
    assert all(problem.startswith("guard watched: ") for problem in problems)
    return [problem.removeprefix("guard watched: ") for problem in problems]


def a_run(threshold: str = "100", **changes: Any) -> Sustained:
    """Loads above a threshold, twice in two hours unless said otherwise."""
    run = Sustained(
        input="load",
        op=">",
        threshold=Constant(q(threshold, "kg")),
        count=Constant(Decimal(2)),
        span=Constant(hours(2)),
        horizon=hours(24),
        zero=UNKNOWN,
        few=UNKNOWN,
    )
    return replace(run, **changes)


# --- names and types ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        (Latest("tilt") > 1, "unknown input 'tilt'"),
        (Remembered("mood") > 1, "unknown variable 'mood'"),
        (Setting("cap") > 1, "unknown parameter 'cap'"),
        (OpenQuestion("storm"), "unknown rule 'storm'"),
        (load > q("1", "s"), "unit mismatch: s is not kg in load > 1 s"),
        (load > 1, "unit or type mismatch: quantity in kg with number in load > 1"),
        (wind.is_("storm"), "'storm' is no code of wind is storm"),
        (load + 1 > limit, "unit or type mismatch: quantity in kg + number in load + 1"),
        (load + load, "a guard must be a yes or no, not quantity in kg: load + load"),
        (load > Quantity(Decimal(1), "lbs"), "unit 'lbs': 'lbs' is not a known unit"),
        (CivilInstant(Today(), "24:00") < Now(), "'24:00' is no time of day such as '23:59'"),
    ],
    ids=said_as,
)
def test_a_guard_uses_names_that_exist_and_units_that_fit(
    condition: Expression, problem: str
) -> None:
    assert heard(condition) == [problem]


def test_a_guard_reads_the_fields_of_the_events_at_which_it_is_weighed() -> None:
    item = Field(name="fragile", kind="yesno")

    def watched(*events: str) -> list[str]:
        return said(watching(Sent("fragile").is_(other=True), sending(item), events=events))

    assert watched("weighed") == []
    assert watched("weighed", "lowered") == [
        "guard watched: unknown field 'fragile' of the event, at lowered"
    ]
    assert watched() == ["guard watched: unknown field 'fragile' of the event"]


def test_a_guard_never_reads_a_free_text() -> None:
    noted = watching(Sent("note").known(), sending(Field(name="note", kind="text")),
                     events=("weighed",))  # fmt: skip

    assert said(noted) == ["guard watched: unknown field 'note' of the event"]


def test_a_broken_declaration_is_blamed_and_the_guards_that_use_it_are_not() -> None:
    assert said(amended("inputs", "load", unit="lbs")) == [
        "input load: unit 'lbs': 'lbs' is not a known unit"
    ]


# --- windows --------------------------------------------------------------------------------


def test_a_window_declares_how_far_back_it_looks() -> None:
    assert heard(a_run(horizon=hours(0))) == ["window over 'load' without a horizon"]
    assert heard(load.between(Now() - hours(2), horizon=hours(0)) > limit) == [
        "window over 'load' without a horizon"
    ]
    assert heard(Count("load", Constant(Decimal(2)), hours(0), NO) > 1) == [
        "window over 'load' without a horizon"
    ]


def test_a_window_looks_back_at_least_as_far_as_it_spans() -> None:
    assert heard(a_run(horizon=hours(2))) == []
    assert heard(a_run(horizon=hours(1))) == [
        "window over 'load': its horizon of 1 hour is shorter than its span of 2 hours"
    ]
    assert heard(Count("load", Constant(Decimal(8)), hours(24 * 7), NO) > 1) == [
        "window over 'load': its horizon of 7 days is shorter than its span of 8 days"
    ]


def test_a_total_looks_back_at_least_as_far_as_it_spans() -> None:
    flow = Input(name="flow", kind="quantity", unit="mL", low=Decimal(0), high=Decimal(99),
                 interval=True)  # fmt: skip
    total = Total("flow", "<", Constant(q("80", "mL")), Constant(hours(8)), hours(6), UNKNOWN,
                  UNKNOWN)  # fmt: skip
    sent = sending(Field(name="flow", input="flow"), inputs=(flow,))

    assert said(watching(total, sent)) == [
        (
            "guard watched: window over 'flow': its horizon of 6 hours is shorter than its span of "
            "8 hours"
        )
    ]
    assert said(watching(replace(total, horizon=hours(8)), sent)) == []


def test_a_window_looks_back_as_far_as_a_site_may_let_it_span() -> None:
    def spanning(**bounds: object) -> list[str]:
        span = Parameter(name="span", value=hours(2), **bounds)  # type: ignore[arg-type]  # bounds
        return said(watching(a_run(span=span.tree()), extended(parameters=(span,))))

    assert spanning(high=hours(24)) == []
    assert spanning() == []
    assert spanning(high=hours(25)) == [
        (
            "guard watched: window over 'load': its horizon of 24 hours is shorter than "
            "its span of 25 hours"
        )
    ]


# --- never yes, never no --------------------------------------------------------------------

LEVEL = Parameter(name="level", value=Decimal(3), low=Decimal(2), high=Decimal(5))
FIXED = Parameter(name="fixed", value=Decimal(3), site=False)
SWITCH = Parameter(name="switch", value=False)
OFF = Parameter(name="off", value=False, site=False)
DEPTH = Field(name="depth", kind="number", low=Decimal(0), high=Decimal(9))

NEVER_YES = (
    load > q("500", "kg"),
    load >= q("501000", "g"),
    load + load > q("1000", "kg"),
    load * 2 < q("0", "kg"),
    (load < q("5", "kg")) & (load > q("10", "kg")),
    (load < q("5", "kg")) & ~(load <= q("5", "kg")),
    wind.is_("calm") & wind.one_of("breeze", "gale"),
    wind.is_("calm") & wind.is_not("calm"),
    wind.one_of("calm") & ~wind.known(),
    (load > limit) & ~load.known(),
    (load > limit) & (limit >= load),
    greatest(load, limit) > q("500", "kg"),
    a_run("500"),
    Round() < 1,
    LEVEL > 5,
    FIXED > 3,
    OFF.is_(other=True),
    Sent("depth") > 9,
    Count("load", Constant(Decimal(2)), hours(48), NO) < 0,
    choose(wind.is_("calm"), load, q("0", "kg")) > q("500", "kg"),
    pick(Round(), load, limit) > q("500", "kg"),
    (a_run() | (Round() < 1)) & ~a_run(),
    OpenQuestion("gale") & ~OpenQuestion("gale"),
)
EITHER = (
    load >= q("500", "kg"),
    load > limit,
    load > least(load, limit),
    load.known(),
    ~(load > limit),
    wind.is_not("calm"),
    (load > q("5", "kg")) & (load < q("10", "kg")),
    LEVEL > 4,
    SWITCH.is_(other=True),
    a_run("500", op=">="),
    a_run("500", zero=YES),
    Sent("depth") >= 9,
    lifts > 1,
    lifts - lifts > 1000,
    Count("load", Constant(Decimal(2)), hours(48), NO) > 2,
    Now() - load.taken_at > hours(2),
    Today() - load.taken_on > 1,
    (a_run() | (Round() > 1)) & ~a_run(),
    OpenQuestion("gale"),
)


def weighed_everywhere(condition: Expression) -> list[str]:
    """What is said of the guard, whatever is said of the parameters that it leaves alone."""
    base = sending(DEPTH, parameters=(LEVEL, FIXED, SWITCH, OFF))
    problems = said(watching(condition, base, events=("weighed",)))
    return [problem for problem in problems if problem.startswith("guard")]


@pytest.mark.parametrize("condition", NEVER_YES, ids=said_as)
def test_a_guard_that_nothing_can_ever_meet_is_found(condition: Expression) -> None:
    assert weighed_everywhere(condition) == [
        "guard watched: can never be yes on the declared ranges"
    ]
    assert weighed_everywhere(~condition) == [
        "guard watched: can never be no on the declared ranges"
    ]


@pytest.mark.parametrize("condition", EITHER, ids=said_as)
def test_a_guard_that_can_go_either_way_is_left_alone(condition: Expression) -> None:
    assert weighed_everywhere(condition) == []


# --- transitions that compete ---------------------------------------------------------------


def competing(
    one: Expression,
    other: Expression,
    base: Workflow = CRANE,
    *,
    soft: bool = False,
    priority: int = 0,
) -> list[str]:
    """What is said of two transitions for one event from one state, each with a requirement."""
    override = {"soft": True, "roles": ("chief",), "codes": ("urgent",)} if soft else {}
    guards = (
        Guard(name="one", condition=one, title="One", cite=CITE),
        Guard(name="other", condition=other, title="Other", cite=CITE),
    )
    return said(extended(base, guards=guards, transitions=(
        Transition(name="left", event="checked", sources=("lifting",), target="idle",
                   requires=(Requirement(guard="one", **override),), priority=priority),
        Transition(name="right", event="checked", sources=("lifting",), target="stopped",
                   requires=(Requirement(guard="other"),), priority=0),
    )))  # type: ignore[arg-type]  # an override's parts  # fmt: skip


CLASH = [
    "transition left: can open together with right, at the same priority 0 for 'checked' in lifting"
]
RUN = a_run()
WINDY = wind.is_("gale") & (load > limit)


def test_two_transitions_that_can_open_together_are_found() -> None:
    both = extended(transitions=(
        Transition(name="again", event="lowered", sources=("work",), target="stopped"),
    ))  # fmt: skip

    assert said(both) == [
        (
            "transition lower: can open together with again, at the same priority 0 "
            "for 'lowered' in lifting"
        )
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (load <= limit, load > limit),
        (load < q("10", "kg"), load >= q("10000", "g")),
        (wind.is_("calm"), wind.is_not("calm")),
        (wind.is_("calm"), wind.one_of("breeze", "gale")),
        (RUN, ~RUN),
        (WINDY, ~WINDY),
        (lifts < 3, lifts.is_(3)),
        (load.known(), ~load.known()),
        (load > limit, ~load.known()),
        (Today() - load.taken_on > 3, Today() - load.taken_on <= 3),
    ],
    ids=said_as,
)
def test_requirements_that_exclude_each_other_keep_transitions_apart(
    one: Expression, other: Expression
) -> None:
    assert competing(one, other) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (load <= limit, load >= limit),
        (wind.is_("calm"), wind.one_of("calm", "gale")),
        (load > limit, wind.is_("gale")),
        (RUN, ~a_run("200")),
        (WINDY, wind.is_("gale")),
    ],
    ids=said_as,
)
def test_requirements_that_can_both_be_yes_do_not(one: Expression, other: Expression) -> None:
    assert competing(one, other) == CLASH


def test_a_soft_requirement_keeps_nothing_apart_since_it_can_be_overridden() -> None:
    assert competing(load <= limit, load > limit, soft=True) == CLASH


def test_a_priority_keeps_transitions_apart() -> None:
    assert competing(load <= limit, load >= limit, priority=1) == []


def test_parameters_keep_transitions_apart_by_the_values_that_they_have() -> None:
    def apart(limit_of_low: Quantity) -> list[str]:
        low = Parameter(name="low", value=limit_of_low)
        return competing(load < low, load > limit, extended(parameters=(low,)))

    assert apart(q("50", "kg")) == []
    assert apart(q("150", "kg")) == CLASH

"""Each declaration says what it holds, who sends it and what keeps it within bounds."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.core.definition import (
    Action,
    Event,
    Field,
    Input,
    Kind,
    Requirement,
    Rule,
    State,
    Transition,
)
from engine.core.expression import hours
from engine.core.quantity import q
from tests.core.crane import (
    CRANE,
    amended,
    extended,
    lifts,
    said,
    sending,
)


def test_a_version_of_the_semantics_must_be_known() -> None:
    assert said(replace(CRANE, semantics=3)) == ["workflow: semantics 3 are not known, only 1 to 2"]


def test_nothing_is_declared_twice() -> None:
    once = extended(roles=("chief",), states=(State(name="idle", stage="work"),))

    assert said(once) == ["state idle: declared twice", "role chief: declared twice"]


def test_an_event_has_each_field_once() -> None:
    assert said(sending(Field(name="load", kind="yesno"))) == [
        "event weighed, field load: declared twice"
    ]


def test_a_rule_is_named_by_its_guard_and_so_there_is_one_for_each() -> None:
    twice = extended(rules=(Rule(guard="gale", action="stop", places=("idle",)),))

    assert said(twice) == ["rule gale: declared twice"]


def test_a_requirement_is_asked_once_by_a_transition() -> None:
    twice = (Requirement(guard="within_limit"), Requirement(guard="within_limit"))
    broken = extended(transitions=(
        Transition(name="again", event="lift", sources=("stopped",), requires=twice),
    ))  # fmt: skip

    assert said(broken) == ["transition again, requirement within_limit: declared twice"]


def test_two_actions_of_one_rank_have_no_precedence() -> None:
    broken = amended("rules", "gale", extended(actions=(Action(name="slow", rank=1),)),
                     action="slow", advice=("leave",))  # fmt: skip

    assert "action slow: rank 1 is that of another action" in said(broken)
    assert "action stop: rank 1 is that of another action" in said(broken)


def test_a_state_is_not_named_like_a_stage_of_several() -> None:
    broken = amended("states", "stopped", stage="idle")

    assert said(broken) == ["state idle: named like a stage with other states in it"]


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ({"kind": "colour"}, "kind 'colour' is none of quantity, number, code, yesno, date"),
        ({"kind": "quantity", "low": Decimal(0), "high": Decimal(1)}, "a quantity without a unit"),
        ({"kind": "quantity", "unit": "kg"}, "a quantity without its physical range"),
        (
            {"kind": "quantity", "unit": "kg", "low": Decimal(2), "high": Decimal(1)},
            "the range ends below its beginning",
        ),
        ({"kind": "yesno", "unit": "kg"}, "a unit, but no quantity"),
        ({"kind": "code"}, "a coded value without codes"),
        ({"kind": "code", "codes": ("a", "a")}, "code 'a' is declared twice"),
        ({"kind": "yesno", "codes": ("a",)}, "codes, but no coded value"),
        ({"kind": "yesno", "high": Decimal(1)}, "a range, but no number"),
        ({"kind": "yesno", "interval": True}, "measured over an interval, but no number"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_input_says_what_it_holds(source: dict[str, object], problem: str) -> None:
    field = Field(name="more", input="more")
    broken = sending(field, inputs=(Input(name="more", **source),))  # type: ignore[arg-type]  # parametrized

    assert said(broken) == [f"input more: {problem}"]


def test_a_unit_that_cannot_be_read_is_named_with_the_right_spelling() -> None:
    broken = sending(
        Field(name="more", input="more"),
        inputs=(Input(name="more", kind="quantity", unit="mmHg", low=Decimal(0), high=Decimal(9)),),
    )

    assert said(broken) == [
        "input more: unit 'mmHg': 'mmHg' is not a known unit; in UCUM write 'mm[Hg]'"
    ]


def test_the_initial_value_of_a_variable_is_one_that_it_can_hold() -> None:
    assert said(amended("variables", "lifts", initial=q("1", "kg"))) == [
        "variable lifts: initial value: unit or type mismatch: number with quantity in kg in 1 kg"
    ]


def test_a_parameter_lies_within_its_own_bounds() -> None:
    assert said(amended("parameters", "limit", value=q("201", "kg"))) == [
        "parameter limit: 201 kg is above its own bound 200 kg"
    ]
    assert said(amended("parameters", "limit", value=q("9", "kg"))) == [
        "parameter limit: 9 kg is below its own bound 10 kg"
    ]


def test_the_bounds_of_a_parameter_are_of_its_type() -> None:
    assert said(amended("parameters", "limit", low=q("1", "s"))) == [
        "parameter limit: low: s does not convert to kg"
    ]
    assert said(amended("parameters", "limit", high=Decimal(5))) == [
        "parameter limit: high: number, but the value is a quantity"
    ]


def test_a_float_is_no_parameter() -> None:
    broken = amended("parameters", "limit", value=0.1, low=None, high=None)

    assert said(broken) == ["parameter limit: value: no constant can be a float"]


def test_names_that_begin_with_course_belong_to_the_engine() -> None:
    event = Event(name="course.closed", kind=Kind.REPORT, roles=("chief",))

    assert said(extended(events=(event,))) == [
        "event course.closed: names that begin with 'course.' belong to the engine"
    ]


def test_every_event_is_sent_by_a_role_that_is_declared() -> None:
    assert said(amended("events", "scrapped", roles=())) == ["event scrapped: no role may send it"]
    assert said(amended("events", "scrapped", roles=("owner",))) == [
        "event scrapped: unknown role 'owner'"
    ]


def test_a_request_says_how_old_its_time_may_be_and_a_report_does_not() -> None:
    assert said(amended("events", "lift", max_age=None)) == [
        "event lift: a request does not say how old its time may be"
    ]
    assert said(amended("events", "lowered", max_age=hours(1))) == [
        "event lowered: a report is never too old"
    ]


def test_a_request_changes_nothing_before_it_is_granted() -> None:
    assert said(amended("events", "lift", updates={"lifts": lifts + 1})) == [
        "event lift: updates belong to a request's transitions, since it may be refused"
    ]


def test_a_reason_that_is_required_has_codes() -> None:
    assert said(amended("events", "scrapped", reason_required=True)) == [
        "event scrapped: a reason is required, but there is no code for one"
    ]


def test_a_timers_event_is_a_report_of_the_engine_without_data() -> None:
    broken = amended("events", "check_missed", roles=("chief",),
                     fields=(Field(name="late", kind="yesno"),))  # fmt: skip

    assert said(broken) == [
        "event check_missed: only the role 'engine' sends a timer's event",
        "event check_missed: a timer sends neither data nor a reason",
    ]


def test_a_field_brings_an_input_that_is_declared() -> None:
    assert said(sending(Field(name="tilt", input="tilt"))) == [
        "event weighed, field tilt: unknown input 'tilt'"
    ]


def test_an_event_brings_an_input_once() -> None:
    assert said(sending(Field(name="again", input="load"))) == [
        "event weighed: two fields bring the input 'load'"
    ]


def test_a_field_that_brings_an_input_takes_its_kind_unit_and_codes() -> None:
    broken = amended("events", "weighed", fields=(
        Field(name="load", input="load", unit="g"),
        Field(name="wind", input="wind", codes=("calm",)),
    ))  # fmt: skip

    assert said(broken) == [
        "event weighed, field load: takes kind and unit of the input, which is quantity in kg",
        "event weighed, field wind: takes the codes of the input",
    ]


def test_a_list_has_members_and_nothing_else_has() -> None:
    member = Field(name="mass", kind="quantity", unit="kg")

    assert said(sending(Field(name="items", kind="list"))) == [
        "event weighed, field items: a list without members"
    ]
    assert said(sending(Field(name="item", kind="yesno", members=(member,)))) == [
        "event weighed, field item: members, but no list"
    ]
    assert said(sending(Field(name="items", kind="list", members=(member,)))) == []


def test_a_member_of_a_list_brings_no_reading() -> None:
    items = Field(name="items", kind="list", members=(Field(name="load", input="load"),))

    assert said(sending(items)) == [
        "event weighed, field items, member load: a member is a single value, and brings no reading"
    ]


def test_a_soft_requirement_says_who_may_override_it_and_why() -> None:
    start = CRANE.transitions[0]
    broken = amended("transitions", "start", requires=(
        start.requires[0], Requirement(guard="calm", soft=True),
    ))  # fmt: skip

    assert said(broken) == [
        "transition start, requirement calm: soft, but no role may override it",
        "transition start, requirement calm: soft, but there is no code for an override",
    ]


def test_a_hard_requirement_names_nobody_who_could_override_it() -> None:
    broken = amended("transitions", "start", requires=(
        Requirement(guard="within_limit", codes=("urgent",)),
        Requirement(guard="calm", soft=True, roles=("owner",), codes=("urgent",)),
    ))  # fmt: skip

    assert said(broken) == [
        (
            "transition start, requirement within_limit: roles or codes for an override, "
            "but it is not soft"
        ),
        "transition start, requirement calm: unknown role 'owner'",
    ]

"""Whatever a guard weighs to on readings within their ranges, the check called possible."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.check.possibility import possible
from engine.core.check.ranges import Ranges
from engine.core.definition import Field, Input, Parameter, Workflow
from engine.core.expression import (
    Choose,
    Constant,
    Expression,
    OpenQuestion,
    Pick,
    Round,
    Sent,
    Sustained,
    Today,
    Truth,
    all_of,
    any_of,
    choose,
    greatest,
    hours,
    least,
)
from engine.core.guard import compile_guard
from engine.core.names import schema_of
from engine.core.quantity import q
from engine.core.view import NOTHING, Reading, View
from engine.core.weighing import Code
from tests.core.crane import lifts, limit, load, sending, wind

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TODAY = date(2026, 3, 2)
WET = Input(name="wet", kind="yesno")
CAP = Parameter(name="cap", value=Decimal(3), low=Decimal(2), high=Decimal(5))
SLOW = Parameter(name="slow", value=True)
DEPTH = Field(name="depth", kind="number", low=Decimal(0), high=Decimal(4))
WORKFLOW: Workflow = sending(DEPTH, inputs=(WET,), parameters=(CAP, SLOW))
SCHEMA = schema_of(WORKFLOW, "weighed")

MASSES = st.sampled_from(("0", "1", "50", "100", "500", "501")).map(lambda n: Constant(q(n, "kg")))
COUNTS = st.integers(-1, 6).map(lambda n: Constant(Decimal(n)))
SIGNS = st.sampled_from(("<", "<=", ">", ">=", "is_", "is_not"))


def masses() -> st.SearchStrategy[Expression]:
    leaves = st.sampled_from((load.tree(), limit.tree())) | MASSES
    return st.recursive(
        leaves,
        lambda below: st.one_of(
            st.builds(lambda a, b: a + b, below, below),
            st.builds(lambda a, b: a - b, below, below),
            st.builds(lambda a, n: a * n, below, COUNTS),
            st.builds(least, below, below),
            st.builds(greatest, below, below),
            st.builds(lambda a, b: choose(wind.is_("calm"), a, b), below, below),
            st.builds(lambda a, b: Pick(Round(), (a, b)), below, below),
        ),
        max_leaves=3,
    )


def numbers() -> st.SearchStrategy[Expression]:
    leaves = (lifts.tree(), CAP.tree(), Sent("depth"), Round(), Today() - load.taken_on)
    return st.sampled_from(leaves) | COUNTS


def compared(sides: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    named = {"<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}
    return st.builds(lambda a, sign, b: getattr(a, named.get(sign, sign))(b), sides, SIGNS, sides)


def conditions() -> st.SearchStrategy[Expression]:
    codes = st.lists(st.sampled_from(wind.codes), min_size=1, max_size=2, unique=True)
    run = Sustained("load", ">", Constant(q("100", "kg")), Constant(Decimal(1)),
                    Constant(hours(0)), hours(9), Truth.NO, Truth.UNKNOWN)  # fmt: skip
    atoms = st.one_of(
        compared(masses()),
        compared(numbers()),
        codes.map(lambda c: wind.one_of(*c)),
        codes.map(lambda c: wind.is_(c[0])),
        codes.map(lambda c: wind.is_not(c[0])),
        st.sampled_from((
            load.known(), wind.known(), lifts.known(), WET.tree(), WET.is_(other=False),
            SLOW.tree(), OpenQuestion("gale"), run,
        )),
    )  # fmt: skip
    return st.recursive(
        atoms,
        lambda below: st.one_of(
            below.map(lambda a: ~a),
            st.lists(below, min_size=2, max_size=3).map(lambda items: all_of(*items)),
            st.lists(below, min_size=2, max_size=3).map(lambda items: any_of(*items)),
            st.builds(Choose, below, below, below),
        ),
        max_leaves=5,
    )


@st.composite
def views(draw: st.DrawFn) -> View:
    def reading(name: str, values: st.SearchStrategy[Any]) -> list[Reading]:
        if not draw(st.booleans()):
            return []
        return [Reading(name, draw(values), NOW - timedelta(minutes=5), TODAY, 1)]

    return View(
        now=NOW,
        today=TODAY,
        variables={"lifts": draw(st.none() | st.integers(-1, 6).map(Decimal))},
        readings={
            "load": reading("load", st.sampled_from([*map(Decimal, (0, 1, 50, 100, 499, 500))])),
            "wind": reading("wind", st.sampled_from(wind.codes)),
            "wet": reading("wet", st.booleans()),
        },
        data={"depth": Decimal(draw(st.integers(0, 4)))} if draw(st.booleans()) else {},
        calendar=NOTHING.calendar,
        round=draw(st.integers(1, 3)),
        questions=draw(st.sampled_from(((), ("gale",)))),
    )


def compiled(condition: Expression) -> Code:
    problems: list[str] = []
    code = compile_guard(condition, SCHEMA, problems)
    assert problems == []
    return code


@settings(max_examples=400)
@given(st.lists(conditions(), min_size=1, max_size=2), views())
def test_what_guards_weigh_to_together_was_possible(
    conditions: list[Expression], view: View
) -> None:
    codes = [compiled(condition) for condition in conditions]
    answers = [(code, answer) for code in codes if (answer := code.run(view)) is not None]

    for fixed in (True, False):
        assert possible(Ranges.of(WORKFLOW, "weighed", fixed=fixed), answers)

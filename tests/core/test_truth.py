"""Three answers: the tables of Kleene's logic, and what makes a value unknown."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.expression import (
    Constant,
    Expression,
    Truth,
    all_of,
    any_of,
    choose,
    days,
    greatest,
    least,
    months,
    pick,
)
from engine.core.finding import missing
from engine.core.guard import compile_guard, compile_tree
from engine.core.names import schema_of
from engine.core.view import Reading, View
from engine.core.weighing import Code
from engine.zones import Zones
from tests.core.tiny import colour, level, n_of, tiny, yes_no

Y, N, U = Truth.YES, Truth.NO, Truth.UNKNOWN
NOW = datetime(2026, 3, 2, 17, tzinfo=UTC)

a, b, c = (yes_no(name) for name in "abc")
count = n_of("count")
SCHEMA = schema_of(tiny(variables=(a, b, c, count)))
VALUES = {Y: True, N: False, U: None}


def compiled(node: Expression) -> Code:
    problems: list[str] = []
    code = compile_guard(node, SCHEMA, problems)
    assert problems == []
    return code


def view(readings: dict[str, list[Reading]] | None = None, **variables: Any) -> View:
    return View(
        now=NOW,
        today=date(2026, 3, 2),
        variables=variables,
        readings=readings or {},
        data={},
        calendar=Zones().of("America/Los_Angeles"),
    )


def read(value: Any, ago: timedelta = timedelta(0), flaw: str | None = None) -> Reading:
    return Reading("level", value, NOW - ago, date(2026, 3, 2), 1, None, flaw)


# --- Kleene -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [
        (Y, Y, Y, Y),
        (Y, N, N, Y),
        (Y, U, U, Y),
        (N, Y, N, Y),
        (N, N, N, N),
        (N, U, N, U),
        (U, Y, U, Y),
        (U, N, N, U),
        (U, U, U, U),
    ],
    ids=str,
)
def test_and_and_or_follow_the_tables(
    left: Truth, right: Truth, both: Truth, either: Truth
) -> None:
    known = view(a=VALUES[left], b=VALUES[right])

    assert compiled(a & b).weigh(known) is both
    assert compiled(a | b).weigh(known) is either


@pytest.mark.parametrize(
    ("before", "after"), [(Y, N), (N, Y), (U, U)], ids=["yes", "no", "unknown"]
)
def test_not_of_unknown_is_unknown(before: Truth, after: Truth) -> None:
    assert compiled(~a).weigh(view(a=VALUES[before])) is after


@given(st.permutations([a, b, c]))
def test_order_does_not_matter(order: list[Any]) -> None:
    for x, y, z in product((True, False, None), repeat=3):
        known = view(a=x, b=y, c=z)
        assert compiled(all_of(*order)).weigh(known) is compiled(a & b & c).weigh(known)
        assert compiled(any_of(*order)).weigh(known) is compiled(a | b | c).weigh(known)


def test_de_morgan_holds_with_three_answers() -> None:
    for x, y in product((True, False, None), repeat=2):
        known = view(a=x, b=y)
        assert compiled(~(a & b)).weigh(known) is compiled(~a | ~b).weigh(known)
        assert compiled(~(a | b)).weigh(known) is compiled(~a & ~b).weigh(known)


def test_more_knowledge_never_turns_an_answer_around() -> None:
    """What is yes or no with something unknown stays so, whatever the unknown turns out to be."""
    nodes = [a & b, a | b, ~(a & b) | c, (a | b) & ~c, choose(a, b, c).is_(Constant(value=True))]
    for node, (x, y, z) in product(nodes, product((True, False, None), repeat=3)):
        answer = compiled(node).weigh(view(a=x, b=y, c=z))
        if answer is U:
            continue
        for filled in product(*((v,) if v is not None else (True, False) for v in (x, y, z))):
            known = view(**dict(zip("abc", filled, strict=True)))
            assert compiled(node).weigh(known) is answer


def test_a_guard_has_no_truth_of_its_own() -> None:
    with pytest.raises(TypeError, match="use &"):
        bool(level > 3)


# --- comparisons ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("node", "below", "at", "above"),
    [
        (level < 50, Y, N, N),
        (level <= 50, Y, Y, N),
        (level > 50, N, N, Y),
        (level >= 50, N, Y, Y),
        (level.is_(50), N, Y, N),
        (level.is_not(50), Y, N, Y),
    ],
    ids=["<", "<=", ">", ">=", "is", "is-not"],
)
def test_a_comparison_below_at_and_above(
    node: Expression, below: Truth, at: Truth, above: Truth
) -> None:
    answers = [
        compiled(node).weigh(view({"level": [read(Decimal(value))]}))
        for value in ("49.999", "50.0", "50.001")
    ]

    assert answers == [below, at, above]
    assert compiled(node).weigh(view()) is U
    assert compiled(~node).weigh(view()) is U


@pytest.mark.parametrize(
    ("readings", "why"),
    [
        ([], "missing"),
        ([read(Decimal(60), timedelta(hours=1, microseconds=1))], "stale"),
        ([read(Decimal(400), flaw="impossible")], "impossible"),
        ([read(None, flaw="entered-in-error")], "entered-in-error"),
        ([read(None, flaw="not-published")], "not-published"),
        ([Reading("level", Decimal(60), None, None, 1)], "undated"),
    ],
    ids=["missing", "stale", "impossible", "in-error", "not-published", "undated"],
)
def test_what_cannot_be_used_is_unknown_and_named_with_its_reason(
    readings: list[Reading], why: str
) -> None:
    known = view({"level": readings} if readings else None)
    code = compiled(level > 50)

    assert code.weigh(known) is U
    assert [str(m) for m in missing(code, known)] == [f"level ({why})"]


def test_a_reading_is_good_up_to_its_age_and_not_longer() -> None:
    code = compiled(level > 50)

    assert code.weigh(view({"level": [read(Decimal(60), timedelta(hours=1))]})) is Y
    longer = timedelta(hours=1, microseconds=1)
    assert code.weigh(view({"level": [read(Decimal(60), longer)]})) is U


def test_only_what_an_answer_waits_for_is_named() -> None:
    code = compiled(a & (level > 50) & (count > 1))
    known = view(a=True, count=Decimal(5))

    assert [str(m) for m in missing(code, known)] == ["level (missing)"]


def test_known_is_never_unknown() -> None:
    assert compiled(level.known()).weigh(view()) is N
    assert compiled(level.known()).weigh(view({"level": [read(Decimal(0))]})) is Y
    assert compiled(count.known()).weigh(view()) is N


def test_membership_of_what_is_not_there_is_unknown() -> None:
    code = compiled(colour.one_of("red", "blue"))
    reading = Reading("colour", "green", NOW, date(2026, 3, 2), 1)

    assert code.weigh(view()) is U
    assert code.weigh(view({"colour": [reading]})) is N


# --- values -----------------------------------------------------------------------------------


def value(node: Expression, known: View) -> Any:
    problems: list[str] = []
    code = compile_tree(node, SCHEMA, problems)
    assert problems == []
    return code.run(known)


@pytest.mark.parametrize(
    "node",
    [
        count + 1,
        count - level,
        least(count, 3),
        greatest(3, count),
        choose(a, Constant(Decimal(1)), Constant(Decimal(2))),
        pick(count, Constant(Decimal(7))),
        choose(~a, count, level),
    ],
    ids=["plus", "minus", "least", "greatest", "choose", "pick", "choose-not"],
)
def test_arithmetic_on_what_is_unknown_is_unknown(node: Expression) -> None:
    assert value(node, view()) is None


def test_a_choice_needs_only_the_branch_that_it_takes() -> None:
    assert value(choose(a, Constant(Decimal(1)), count), view(a=True)) == 1
    assert value(choose(a, Constant(Decimal(1)), count), view(a=False)) is None


@pytest.mark.parametrize(("index", "item"), [(1, 7), (2, 8), (0, None), (3, None)])
def test_the_entry_of_a_list_outside_it_is_unknown(index: int, item: int | None) -> None:
    node = pick(count, Constant(Decimal(7)), Constant(Decimal(8)))

    assert value(node, view(count=Decimal(index))) == item


@pytest.mark.parametrize(
    ("start", "span", "end"),
    [
        (date(2026, 1, 31), months(1), date(2026, 2, 28)),
        (date(2024, 1, 31), months(1), date(2024, 2, 29)),
        (date(2026, 4, 20), months(12), date(2027, 4, 20)),
        (date(2026, 3, 30), days(21), date(2026, 4, 20)),
        (date(2026, 12, 31), months(2), date(2027, 2, 28)),
    ],
    ids=["end-of-month", "leap-year", "twelve-months", "days", "over-new-year"],
)
def test_calendar_spans_clamp_to_the_end_of_the_month(start: date, span: Any, end: date) -> None:
    assert value(Constant(start) + Constant(span), view()) == end


def test_twelve_times_a_month_is_a_year_and_not_twelve_clamped_steps() -> None:
    assert value(Constant(date(2024, 1, 31)) + Constant(months(1)) * 13, view()) == date(
        2025, 2, 28
    )

"""Every tree is stored and read again; what is stored today is read for ever."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from engine.core import expression as tree
from engine.core.definition import Field, Input, Parameter, Variable
from engine.core.encoding import canonical, parse
from engine.core.expression import (
    Arithmetic,
    CivilInstant,
    Compare,
    Constant,
    Count,
    Expression,
    Late,
    Latest,
    LatestDay,
    Now,
    OpenQuestion,
    Retrospective,
    Revised,
    Round,
    Span,
    Sum,
    SumOf,
    Sustained,
    Today,
    Total,
    Truth,
    choose,
    days,
    greatest,
    hours,
    least,
    months,
    pick,
    walk,
)
from engine.core.notation import BARE, NODES, OPERATIONS, expression_from, expression_json
from engine.core.quantity import q
from tests.definitions import SIGNS, TREES, hints, node_classes, sample

platelets = Input(name="platelets", kind="quantity", unit="10*3/uL")
rhythm = Input(name="rhythm", kind="code", codes=("sinus", "svt"))
slots = Variable(name="slots", kind="number")
lowest = Parameter(name="lowest", value=q(30, "10*3/uL"))
dose = Field(name="dose", kind="quantity", unit="mg")

# What has been stored: a row may be added, none may be changed.
STORED: list[tuple[Expression, Any]] = [
    (Constant(None), {"const": None}),
    (Constant(True), {"const": {"yesno": True}}),
    (Constant("sinus"), {"const": {"code": "sinus"}}),
    (Constant(Decimal("3.10")), {"const": {"number": "3.1"}}),
    (Constant(q("30", "10*3/uL")), {"const": {"quantity": ["30", "10*3/uL"]}}),
    (Constant(date(2009, 3, 2)), {"const": {"date": "2009-03-02"}}),
    (Constant(hours(48)), {"const": {"seconds": 172800}}),
    (Constant(timedelta(microseconds=-1)), {"const": {"seconds": -1, "microseconds": 999999}}),
    (Constant(days(3)), {"const": {"days": 3}}),
    (Constant(months(1)), {"const": {"months": 1}}),
    (Constant(Span(1, -3)), {"const": {"months": 1, "days": -3}}),
    (Constant(Span()), {"const": {"days": 0}}),
    (platelets.tree(), {"input": "platelets"}),
    (platelets.within(hours(6)), {"input": "platelets", "max_age": {"seconds": 21600}}),
    (
        Latest("platelets", None, Today(), Now(), hours(1)),
        {
            "input": "platelets",
            "since": {"today": True},
            "until": {"now": True},
            "horizon": {"seconds": 3600},
        },
    ),
    (platelets.taken_at, {"taken_at": "platelets"}),
    (platelets.taken_on, {"taken_on": "platelets"}),
    (slots.tree(), {"variable": "slots"}),
    (lowest.tree(), {"parameter": "lowest"}),
    (dose.tree(), {"field": "dose"}),
    (SumOf("lesions", "dose"), {"sum_of": "lesions", "member": "dose"}),
    (Now(), {"now": True}),
    (Today(), {"today": True}),
    (Round(), {"round": True}),
    (Late(), {"late": True}),
    (Retrospective(), {"retrospective": True}),
    (OpenQuestion("N05"), {"open_question": "N05"}),
    (LatestDay(), {"latest_day": True}),
    (Revised("doses"), {"revised": "doses"}),
    (
        Sum("doses", hours(240), Truth.NO, Today()),
        {"sum": "doses", "horizon": {"seconds": 864000}, "zero": "no", "since": {"today": True}},
    ),
    (CivilInstant(Today(), "23:59"), {"civil_time": "23:59", "on": {"today": True}}),
    (
        slots + 1 - slots,
        {
            "op": "-",
            "of": [
                {"op": "+", "of": [{"variable": "slots"}, {"const": {"number": "1"}}]},
                {"variable": "slots"},
            ],
        },
    ),
    (
        slots + Round() + 1,
        {"op": "+", "of": [{"variable": "slots"}, {"round": True}, {"const": {"number": "1"}}]},
    ),
    (
        slots - (Round() - slots),
        {
            "op": "-",
            "of": [
                {"variable": "slots"},
                {"op": "-", "of": [{"round": True}, {"variable": "slots"}]},
            ],
        },
    ),
    (slots * 2, {"op": "*", "of": [{"variable": "slots"}, {"const": {"number": "2"}}]}),
    (least(slots, Round()), {"op": "min", "of": [{"variable": "slots"}, {"round": True}]}),
    (greatest(slots), {"op": "max", "of": [{"variable": "slots"}]}),
    (
        pick(Round(), slots, 1),
        {"pick": {"round": True}, "from": [{"variable": "slots"}, {"const": {"number": "1"}}]},
    ),
    (
        choose(Late(), slots, None),
        {"if": {"late": True}, "then": {"variable": "slots"}, "else": {"const": None}},
    ),
    (platelets < lowest, {"op": "<", "of": [{"input": "platelets"}, {"parameter": "lowest"}]}),
    (
        rhythm.is_("svt"),
        {"op": "==", "of": [{"input": "rhythm"}, {"const": {"code": "svt"}}]},
    ),
    (rhythm.one_of("svt", "sinus"), {"one_of": ["svt", "sinus"], "item": {"input": "rhythm"}}),
    (dose.known(), {"known": {"field": "dose"}}),
    (
        Late() & Retrospective() & Now(),
        {"all": [{"late": True}, {"retrospective": True}, {"now": True}]},
    ),
    (Late() | Retrospective(), {"any": [{"late": True}, {"retrospective": True}]}),
    (~Late(), {"not": {"late": True}}),
    (
        Sustained(
            "rhythm", "==", Constant("svt"), Constant(Decimal(2)), Constant(days(3)), hours(96),
            Truth.NO, Truth.UNKNOWN, Today(), hours(1),
        ),
        {
            "sustained": "rhythm",
            "is": "==",
            "threshold": {"const": {"code": "svt"}},
            "count": {"const": {"number": "2"}},
            "span": {"const": {"days": 3}},
            "horizon": {"seconds": 345600},
            "zero": "no",
            "few": "unknown",
            "since": {"today": True},
            "apart": {"seconds": 3600},
        },
    ),
    (
        Total(
            "urine", "<", Constant(q(80, "mL")), Constant(hours(8)), hours(24),
            Truth.NO, Truth.UNKNOWN,
        ),
        {
            "total": "urine",
            "is": "<",
            "threshold": {"const": {"quantity": ["80", "mL"]}},
            "span": {"const": {"seconds": 28800}},
            "horizon": {"seconds": 86400},
            "zero": "no",
            "few": "unknown",
        },
    ),
    (
        Count("doses", Constant(Decimal(7)), hours(240), Truth.UNKNOWN, Today()),
        {
            "count_of": "doses",
            "days": {"const": {"number": "7"}},
            "horizon": {"seconds": 864000},
            "zero": "unknown",
            "since": {"today": True},
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("node", "stored"), STORED, ids=range(len(STORED)))
def test_what_was_stored_is_read_for_ever(node: Expression, stored: Any) -> None:
    assert expression_json(node) == stored
    assert expression_from(stored) == node


@given(TREES)
def test_any_tree_is_read_as_it_was_written(node: Expression) -> None:
    written = expression_json(node)
    read = expression_from(parse(canonical([written]))[0])

    assert read == node
    assert [type(part) for part in walk(read)] == [type(part) for part in walk(node)]
    assert expression_json(read) == written


@pytest.mark.parametrize("kind", node_classes(), ids=lambda kind: kind.__name__)
def test_every_node_of_the_vocabulary_is_known_with_every_member(kind: type[Expression]) -> None:
    """A new node or a new member is met here before it is met in a store."""
    own = {each.name for each in fields(kind)}  # type: ignore[arg-type]  # every node is a dataclass
    if kind in OPERATIONS:
        assert own in ({"op", "left", "right"}, {"op", "items"})
        assert OPERATIONS[kind] == SIGNS[kind.__name__]
    elif kind in BARE.values():
        assert not own
    else:
        assert {member.name for member in NODES[kind]} == own

    for n in (1, 2):
        node = sample(kind, n)
        assert expression_from(expression_json(node)) == node
    assert expression_json(sample(kind, 1)) != expression_json(sample(kind, 2)) or not own
    assert any(type(part) is kind for stored, _ in STORED for part in walk(stored))


def test_a_key_that_tells_a_node_means_nothing_else() -> None:
    tags = ["op", *BARE, *(members[0].key for members in NODES.values())]
    others = [member.key for members in NODES.values() for member in members[1:]] + ["of"]

    assert len(tags) == len(set(tags))
    assert not set(tags) & set(others)


@pytest.mark.parametrize("kind", [k for k in node_classes() if hints(k)], ids=lambda k: k.__name__)
def test_every_member_of_a_node_is_part_of_what_is_stored(kind: type[Expression]) -> None:
    first, second = sample(kind, 1), sample(kind, 2)
    for name in hints(kind):
        given = {each: getattr(first, each) for each in hints(kind)}
        mixed = kind(**{**given, name: getattr(second, name)})
        assert expression_json(mixed) != expression_json(first), name


def test_a_long_sum_does_not_nest() -> None:
    node: Expression = slots.tree()
    for _ in range(500):
        node = node + 1

    assert len(expression_json(node)["of"]) == 501
    assert canonical(expression_json(expression_from(parse(canonical(expression_json(node)))))) == (
        canonical(expression_json(node))
    )


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ({"all": [{"now": True}, {"inputs": "a"}]}, r"^all\[1\]: no node is written like this"),
        (
            {"input": "a", "maximum": 1},
            r"^maximum: unknown member, expected horizon, input, max_age",
        ),
        ({"not": {"known": {"input": "a", "until": {}}}}, r"^not\.known\.until: no node"),
        ({"input": "a", "variable": "b"}, "^value: no node"),
        ({}, "^value: no node is written like this, found nothing"),
        ([], "^value: expected dict, found list"),
        (None, "^value: expected dict"),
        ({"input": 1}, "^input: expected str, found int"),
        ({"input": "a", "max_age": 3}, "^max_age: expected dict, found int"),
        (
            {"input": "a", "max_age": {"seconds": True}},
            r"^max_age\.seconds: expected int, found bool",
        ),
        ({"input": "a", "max_age": {"seconds": 2**53 - 1}}, "^max_age: too long"),
        ({"now": False}, "^now: expected true"),
        ({"now": True, "of": []}, "^now: expected true and no other member"),
        ({"sum_of": "a"}, "^member: missing"),
        ({"op": "~", "of": []}, "^op: expected one of <"),
        ({"op": [], "of": []}, "^op: expected one of <"),
        ({"op": "<", "of": [{"now": True}]}, "^of: '<' does not take 1"),
        ({"op": "<", "of": [{"now": True}] * 3}, "^of: '<' does not take 3"),
        ({"op": "+", "of": []}, r"^of: '\+' does not take 0"),
        ({"op": "+"}, "^of: missing"),
        ({"op": "+", "of": {}}, "^of: expected list"),
        ({"const": {"number": 3}}, r"^const\.number: expected str, found int"),
        ({"const": {"number": "3e1"}}, r"^const\.number: expected a decimal"),
        ({"const": {"quantity": ["3"]}}, "^const: no value is written like this"),
        ({"const": {"quantity": ["x", "mg"]}}, r"^const\.quantity\[0\]: expected a decimal"),
        ({"const": {"yesno": 1}}, "^const: no value is written like this"),
        ({"const": {"code": "a", "yesno": True}}, "^const: no value is written like this"),
        ({"const": {"date": "20090302"}}, r"^const\.date: expected a date"),
        ({"const": {"days": 1, "weeks": 1}}, r"^const\.weeks: unknown member"),
        ({"const": {}}, "^const: no value is written like this"),
        (
            {"count_of": "a", "days": {"now": True}, "horizon": {"seconds": 1}, "zero": "maybe"},
            "^zero: expected one of yes, no, unknown",
        ),
    ],
    ids=range(31),
)
def test_what_is_not_known_is_refused_with_its_place(stored: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        expression_from(stored)


def test_what_cannot_be_read_again_is_not_written() -> None:
    class Odd(Expression):
        pass

    with pytest.raises(TypeError, match=r"^not: Odd is no node"):
        expression_json(tree.Not(Odd()))
    with pytest.raises(ValueError, match=r"^op: Compare has no '\+'"):
        expression_json(Compare("+", Now(), Now()))
    with pytest.raises(ValueError, match=r"^known\.op: Arithmetic has no '/'"):
        expression_json(tree.Known(Arithmetic("/", Now(), Now())))
    with pytest.raises(TypeError, match="^const: no constant can be a float"):
        expression_json(Constant(1.5))  # type: ignore[arg-type]  # what is refused
    with pytest.raises(TypeError, match="^const: no constant can be a datetime"):
        expression_json(Constant(datetime(2009, 3, 2, tzinfo=UTC)))
    with pytest.raises(TypeError, match="^const: no constant can be a int"):
        expression_json(Constant(3))  # type: ignore[arg-type]  # what is refused

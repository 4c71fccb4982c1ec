"""Expression trees as JSON, for ever: a stored guard is read long after the code that wrote it.

Every node is an object that one key tells: `{"input": "platelets"}`, `{"not": …}`. Operators have
their sign and their operands: `{"op": "<", "of": [{"input": "platelets"}, {"const": …}]}`. A chain
`a + b + c` is one operation of three operands, so that a long sum does not nest deeply.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core import expression as tree
from engine.core.encoding import Json
from engine.core.expression import Expression, Truth
from engine.core.shape import (
    ELAPSED,
    TEXT,
    VALUE,
    Codec,
    Member,
    at,
    choice,
    members_of,
    several,
    taken,
    word,
    written,
)


def expression_json(node: Expression, place: str = "") -> Json:
    """The tree as JSON. Raises TypeError for a node that is not in the vocabulary."""
    match node:
        case tree.Compare() | tree.Extreme() | tree.Arithmetic():
            return _operation(node, place)
    for tag, kind in BARE.items():
        if type(node) is kind:
            return {tag: True}
    members = NODES.get(type(node))
    if members is None:
        raise TypeError(f"{place or 'value'}: {type(node).__name__} is no node of an expression")
    return written(members, node, place)


def expression_from(data: Json, place: str = "") -> Expression:
    """The tree that was written. Raises ValueError naming the place of what it does not know."""
    tags = [key for key in members_of(data, place) if key in _TAGS]
    if len(tags) != 1:
        found = ", ".join(map(repr, data)) or "nothing"
        raise ValueError(f"{place or 'value'}: no node is written like this, found {found}")
    if tags[0] == "op":
        return _operation_from(data, place)
    if (bare := BARE.get(tags[0])) is not None:
        if data != {tags[0]: True}:
            raise ValueError(f"{at(place, tags[0])}: expected true and no other member")
        return bare()
    kind = _TAGS[tags[0]]
    return kind(**taken(NODES[kind], data, place))


EXPRESSION = Codec(expression_json, expression_from)
_EXPRESSIONS = several(EXPRESSION)
_COMPARISON = word("<", "<=", ">", ">=", "==", "!=")
_TRUTH = choice(Truth)
_SINCE = Member("since", EXPRESSION, None)

OPERATIONS: Mapping[type[Expression], tuple[str, ...]] = {
    tree.Compare: ("<", "<=", ">", ">=", "==", "!="),
    tree.Arithmetic: ("+", "-", "*"),
    tree.Extreme: ("min", "max"),
}
"""Whose sign is whose. Stored: never rename a sign."""

BARE: Mapping[str, type[Expression]] = {
    "now": tree.Now,
    "today": tree.Today,
    "latest_day": tree.LatestDay,
    "round": tree.Round,
    "late": tree.Late,
    "retrospective": tree.Retrospective,
}
"""Nodes without members. Stored: never rename a key."""

NODES: Mapping[type[Expression], tuple[Member, ...]] = {
    tree.Constant: (Member("const", VALUE, attribute="value"),),
    tree.Latest: (
        Member("input", TEXT),
        Member("max_age", ELAPSED, None),
        _SINCE,
        Member("until", EXPRESSION, None),
        Member("horizon", ELAPSED, None),
    ),
    tree.TakenAt: (Member("taken_at", TEXT, attribute="input"),),
    tree.TakenOn: (Member("taken_on", TEXT, attribute="input"),),
    tree.Remembered: (Member("variable", TEXT),),
    tree.Setting: (Member("parameter", TEXT),),
    tree.Sent: (Member("field", TEXT),),
    tree.SumOf: (Member("sum_of", TEXT, attribute="field"), Member("member", TEXT)),
    tree.OpenQuestion: (Member("open_question", TEXT, attribute="rule"),),
    tree.Revised: (Member("revised", TEXT, attribute="input"),),
    tree.CivilInstant: (Member("civil_time", TEXT, attribute="time"), Member("on", EXPRESSION)),
    tree.Pick: (
        Member("pick", EXPRESSION, attribute="index"),
        Member("from", _EXPRESSIONS, attribute="items"),
    ),
    tree.Choose: (
        Member("if", EXPRESSION, attribute="condition"),
        Member("then", EXPRESSION),
        Member("else", EXPRESSION, attribute="otherwise"),
    ),
    tree.OneOf: (Member("one_of", several(TEXT), attribute="codes"), Member("item", EXPRESSION)),
    tree.Known: (Member("known", EXPRESSION, attribute="item"),),
    tree.AllOf: (Member("all", _EXPRESSIONS, attribute="items"),),
    tree.AnyOf: (Member("any", _EXPRESSIONS, attribute="items"),),
    tree.Not: (Member("not", EXPRESSION, attribute="item"),),
    tree.Sustained: (
        Member("sustained", TEXT, attribute="input"),
        Member("is", _COMPARISON, attribute="op"),
        Member("threshold", EXPRESSION),
        Member("count", EXPRESSION),
        Member("span", EXPRESSION),
        Member("horizon", ELAPSED),
        Member("zero", _TRUTH),
        Member("few", _TRUTH),
        _SINCE,
        Member("apart", ELAPSED, tree.hours(0)),
    ),
    tree.Total: (
        Member("total", TEXT, attribute="input"),
        Member("is", _COMPARISON, attribute="op"),
        Member("threshold", EXPRESSION),
        Member("span", EXPRESSION),
        Member("horizon", ELAPSED),
        Member("zero", _TRUTH),
        Member("few", _TRUTH),
        _SINCE,
    ),
    tree.Count: (
        Member("count_of", TEXT, attribute="input"),
        Member("days", EXPRESSION),
        Member("horizon", ELAPSED),
        Member("zero", _TRUTH),
        _SINCE,
    ),
    tree.Sum: (
        Member("sum", TEXT, attribute="input"),
        Member("horizon", ELAPSED),
        Member("zero", _TRUTH),
        _SINCE,
    ),
}
"""The first member tells the node by its key. Stored: never rename a key."""

_TAGS: Mapping[str, type[Expression]] = {
    "op": Expression,
    **BARE,
    **{members[0].key: kind for kind, members in NODES.items()},
}
_OPERATION = (
    Member("op", word(*(sign for signs in OPERATIONS.values() for sign in signs))),
    Member("of", _EXPRESSIONS, attribute="items"),
)


def _operation(node: tree.Compare | tree.Extreme | tree.Arithmetic, place: str) -> Json:
    if node.op not in OPERATIONS[type(node)]:
        raise ValueError(f"{at(place, 'op')}: {type(node).__name__} has no {node.op!r}")
    if isinstance(node, tree.Extreme):
        return written(_OPERATION, node, place)
    operands = _chain(node) if isinstance(node, tree.Arithmetic) else (node.left, node.right)
    return {"op": node.op, "of": _EXPRESSIONS.write(operands, at(place, "of"))}


def _chain(node: tree.Arithmetic) -> tuple[Expression, ...]:
    # a - b - c is (a - b) - c: only what leans to the left is one chain.
    first, others = node.left, [node.right]
    while isinstance(first, tree.Arithmetic) and first.op == node.op:
        others.append(first.right)
        first = first.left
    return (first, *reversed(others))


def _operation_from(data: Json, place: str) -> Expression:
    found = taken(_OPERATION, data, place)
    op: str = found["op"]
    items: tuple[Expression, ...] = found["items"]
    if op in OPERATIONS[tree.Extreme]:
        return tree.Extreme(op, items)
    if len(items) < 2 or (len(items) > 2 and op in OPERATIONS[tree.Compare]):
        raise ValueError(f"{at(place, 'of')}: {op!r} does not take {len(items)}")
    if op in OPERATIONS[tree.Compare]:
        return tree.Compare(op, *items)
    node = items[0]
    for item in items[1:]:
        node = tree.Arithmetic(op, node, item)
    return node

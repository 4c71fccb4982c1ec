"""Whether several trees can have certain answers at once.

- *No* is said only when it is certain. *Yes* may be wrong: two windows over one input, say, are
  taken to be independent, and a search that grows too long ends with a yes.
- An answer says more than itself: a comparison that is yes or no has both its sides known.
- Alternatives are tried depth first, each on a copy of the facts gathered so far.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.core import expression as tree
from engine.core.check.ranges import Interval, Ranges, ordered, wrapped
from engine.core.expression import Expression, Truth
from engine.core.kind import UNSET
from engine.core.weighing import Code

Wanted = tuple[Code, bool]
"""A compiled tree and the answer that it is asked to give."""


def possible(ranges: Ranges, wanted: Iterable[Wanted]) -> bool:
    """Whether all the trees can have their answers at once; no only when that is certain."""
    return _Search(ranges).run(list(wanted), [], _Facts())


_PATIENCE = 5_000  # steps of a search before it gives up and says "perhaps"
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_RELATIONS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "==": "=", "!=": "<>"}
_ALWAYS_KNOWN = (
    tree.Constant,
    tree.Setting,
    tree.Round,
    tree.Late,
    tree.Revised,
    tree.Retrospective,
    tree.OpenQuestion,
    tree.Known,
)
_KNOWN_BY_PARTS = (tree.Arithmetic, tree.Extreme, tree.CivilInstant)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What must hold of the parts of the trees for the answers chosen so far."""

    numbers: dict[Expression, Interval] = field(default_factory=dict)
    codes: dict[Expression, frozenset[str]] = field(default_factory=dict)
    excluded: dict[Expression, frozenset[str]] = field(default_factory=dict)
    answers: dict[Expression, bool] = field(default_factory=dict)
    known: dict[Expression, bool] = field(default_factory=dict)
    relations: dict[tuple[Expression, Expression], frozenset[str]] = field(default_factory=dict)

    def branch(self) -> _Facts:
        """A copy on which another alternative is tried."""
        return _Facts(
            dict(self.numbers),
            dict(self.codes),
            dict(self.excluded),
            dict(self.answers),
            dict(self.known),
            dict(self.relations),
        )


class _Search:
    def __init__(self, ranges: Ranges) -> None:
        self.ranges = ranges
        self.patience = _PATIENCE

    def run(self, todo: list[Wanted], choices: list[list[list[Wanted]]], facts: _Facts) -> bool:
        """Whether the facts can be met; what allows only one way is settled before any choice."""
        comparisons: list[Wanted] = []
        while todo:
            self.patience -= 1
            if self.patience < 0:
                return True
            code, answer = todo.pop()
            ways = _ways(code, answer=answer)
            if ways is None:
                if not self.add(code, facts, answer=answer):
                    return False
                comparisons.append((code, answer))
            elif len(ways) == 1:
                todo += ways[0]
            else:
                choices = [*choices, ways]
        # A second look: what was learnt of one side later narrows the other.
        if not all(self.add(code, facts, answer=answer) for code, answer in comparisons):
            return False
        if not choices:
            return True
        first, *rest = choices
        return any(self.run(list(way), rest, facts.branch()) for way in first)

    def add(self, code: Code, facts: _Facts, *, answer: bool) -> bool:
        """Note one answer; false when it contradicts what was noted before."""
        match code.node:
            case tree.Compare(op, _, _):
                return self._compare(op if answer else _OPPOSITE[op], code, facts)
            case tree.OneOf(_, codes):
                item = code.parts[0]
                return _known(item, facts) and self._codes(
                    item, frozenset(codes), facts, within=answer
                )
            case tree.Known():
                return _known(code.parts[0], facts) if answer else _unknown(code.parts[0], facts)
            case tree.Setting(name) if self.ranges.is_set(name):
                return self.ranges.parameters[name].value is answer
            case tree.Sustained() as node if not self._run(node, code, answer=answer):
                return False
        return _known(code, facts) and _agrees(facts.answers, code.node, answer=answer)

    def _compare(self, op: str, code: Code, facts: _Facts) -> bool:
        left, right = code.parts
        if not (_known(left, facts) and _known(right, facts) and _related(op, left, right, facts)):
            return False
        if ordered(left.type) and left.type.kind == right.type.kind:
            return self._numbers(op, left, right, facts)
        if left.type.kind == right.type.kind == "code" and op in ("==", "!="):
            for side, other in ((left, right), (right, left)):
                codes = self.ranges.codes(other)
                # Only a single code on the other side excludes it on this one.
                if codes is None or (op == "!=" and len(codes) != 1):
                    continue
                if not self._codes(side, codes, facts, within=op == "=="):
                    return False
        return True

    def _numbers(self, op: str, left: Code, right: Code, facts: _Facts) -> bool:
        for side, other, said in ((left, right, op), (right, left, _MIRRORED[op])):
            reach = self.ranges.numbers(other, facts.numbers).converted(other.type, side.type)
            own = self.ranges.numbers(side, facts.numbers).meet(reach.related(said))
            if own.empty or (said == "!=" and own.point is not None and own == reach):
                return False
            facts.numbers[side.node] = own
        return True

    def _codes(self, code: Code, codes: frozenset[str], facts: _Facts, *, within: bool) -> bool:
        node = code.node
        if within:
            held = facts.codes.get(node, self.ranges.codes(code))
            facts.codes[node] = codes if held is None else held & codes
        else:
            facts.excluded[node] = facts.excluded.get(node, frozenset()) | codes
        left = facts.codes.get(node, self.ranges.codes(code))
        return left is None or bool(left - facts.excluded.get(node, frozenset()))

    def _run(self, node: tree.Sustained, code: Code, *, answer: bool) -> bool:
        """Whether any readings at all could give a sustained run this answer."""
        if (Truth.YES if answer else Truth.NO) in (node.zero, node.few):
            return True
        threshold = self.ranges.numbers(code.parts[0], {})
        readings = self.ranges.inputs.get(node.input, Interval())
        op = node.op if answer else _OPPOSITE[node.op]
        return not readings.meet(threshold.related(op)).empty


def _ways(code: Code, *, answer: bool) -> list[list[Wanted]] | None:
    """The alternative sets of answers that give this answer; `None` where the node is an atom."""
    if inner := wrapped(code):
        return [[(inner, answer)]]
    match code.node:
        case tree.AllOf() | tree.AnyOf():
            if isinstance(code.node, tree.AllOf) is answer:
                return [[(part, answer) for part in code.parts]]
            return [[(part, answer)] for part in code.parts]
        case tree.Not():
            return [[(code.parts[0], not answer)]]
        case tree.Choose():
            condition, then, otherwise = code.parts
            return [
                [(condition, holds), (part, answer)]
                for holds, part in ((True, then), (False, otherwise))
                if part.type != UNSET
            ]
        case tree.Constant(bool() as value):
            return [[]] if value is answer else []
        case tree.Compare("==" | "!=" as op, _, tree.Constant(bool() as value)):
            return [[(code.parts[0], (op == "==") is (value is answer))]]
    return None


def _related(op: str, left: Code, right: Code, facts: _Facts) -> bool:
    """Three relations are left between any two sides; every comparison rules some of them out."""
    if left.node == right.node and left.type == right.type:
        return "=" in _RELATIONS[op]
    for key, said in (((left.node, right.node), op), ((right.node, left.node), _MIRRORED[op])):
        left_over = facts.relations.get(key, frozenset("<=>")) & frozenset(_RELATIONS[said])
        facts.relations[key] = left_over
        if not left_over:
            return False
    return True


def _known(code: Code, facts: _Facts) -> bool:
    if not _agrees(facts.known, code.node, answer=True):
        return False
    if isinstance(code.node, _KNOWN_BY_PARTS) or wrapped(code):
        return all(_known(part, facts) for part in code.parts)
    return True


def _unknown(code: Code, facts: _Facts) -> bool:
    return not isinstance(code.node, _ALWAYS_KNOWN) and _agrees(
        facts.known, code.node, answer=False
    )


def _agrees(said: dict[Expression, bool], node: Expression, *, answer: bool) -> bool:
    return said.setdefault(node, answer) is answer

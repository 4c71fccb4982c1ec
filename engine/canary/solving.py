"""What would give a condition the answer that is wanted, found in the compiled condition itself.

The search follows the tree: of *and* every part is made true, one after the other, of *or* any one.
At a comparison values are tried for whatever it looks at and nobody has settled yet. What is found
weighs to the wanted answer in a view of its own; whether a course can be brought there is for who
tells it to find out, so there is more than one finding. A search that grows too long ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from engine.canary.candidates import Candidates
from engine.canary.given import (
    FACT,
    FIELD,
    INPUT,
    LATE,
    QUESTION,
    RETROSPECTIVE,
    REVISED,
    ROUND,
    VARIABLE,
    Given,
    Leaf,
    Taken,
)
from engine.core import expression as tree
from engine.core.arithmetic import COMPARE
from engine.core.definition import Event, Input, Workflow
from engine.core.expression import Expression
from engine.core.names import event_of, field_type
from engine.core.view import Calendar
from engine.core.weighing import Code

PATIENCE = 30_000
"""How often a condition is weighed in one search."""
COMBINATIONS = 1_500
"""How many values are tried together at one comparison."""
KEPT = 12
"""How many ways of answering one comparison are followed further."""
ABSENT: Any = None


class Search:
    """Looks for what gives a condition an answer, at an event or at any."""

    def __init__(
        self,
        workflow: Workflow,
        code: Code,
        calendar: Calendar,
        *,
        event: str | None = None,
    ) -> None:
        self._code = code
        self._calendar = calendar
        self._inputs = {one.name: one for one in workflow.inputs}
        self._variables = {one.name: one for one in workflow.variables}
        self._event: Event | None = event_of(workflow, event)
        self._fields = {f.name: f for f in self._event.fields} if self._event is not None else {}
        self._try = Candidates(code.node, workflow.parameters)
        self._blank = dict.fromkeys(self._variables)
        self._patience = PATIENCE

    def found(self, *, wanted: bool, given: Given | None = None) -> Iterator[Given]:
        """What gives the answer, one way after the other, each once."""
        seen: list[Given] = []
        for one in self._solve(self._code, wanted, given or Given()):
            if self._weigh(self._code, one) is wanted and one not in seen:
                seen.append(one)
                yield one

    def reached(self, code: Code, given: Given) -> Iterator[tuple[Given, Any]]:
        """What makes a value known beside what is given already, and the value."""
        for one in self._known((code,), given):
            yield one, self._weigh(code, one)

    @property
    def exhausted(self) -> bool:
        """Whether the search was ended before it was through."""
        return self._patience <= 0

    # --- the tree ------------------------------------------------------------------------------

    def _solve(self, code: Code, wanted: bool, given: Given) -> Iterator[Given]:  # noqa: FBT001  # an answer
        if self._patience <= 0:
            return
        if len(code.parts) == 1 and code.parts[0].node == code.node:
            yield from self._solve(code.parts[0], wanted, given)
            return
        match code.node:
            case tree.AllOf() | tree.AnyOf():
                if isinstance(code.node, tree.AllOf) is wanted:
                    parts = sorted(code.parts, key=_turn)
                    yield from self._each(parts, wanted, given)
                else:
                    for part in self._nearest(code.parts, wanted, given):
                        yield from self._solve(part, wanted, given)
            case tree.Not():
                yield from self._solve(code.parts[0], not wanted, given)
            case tree.Choose():
                condition, then, otherwise = code.parts
                for holds, part in ((True, then), (False, otherwise)):
                    for one in self._solve(condition, holds, given):
                        yield from self._solve(part, wanted, one)
            case tree.Compare("==" | "!=" as op, _, tree.Constant(bool() as value)):
                answer = (op == "==") is (value is wanted)
                yield from self._solve(code.parts[0], answer, given)
            case _:
                yield from self._answered(code, wanted, given)

    def _answered(self, code: Code, wanted: bool, given: Given) -> Iterator[Given]:  # noqa: FBT001
        """What has no conditions below it."""
        match code.node:
            case tree.Sustained() as node:
                yield from self._run(node, code, wanted, given)
            case tree.Total() as node:
                yield from self._total(node, code, wanted, given)
            case tree.Constant(bool() as value):
                if value is wanted:
                    yield given
            case _:
                yield from self._atom(code, wanted, given)

    def _each(self, parts: Sequence[Code], wanted: bool, given: Given) -> Iterator[Given]:  # noqa: FBT001
        """Every part in turn: what one settles binds those behind it."""
        if not parts:
            yield given
            return
        first, *rest = parts
        for one in self._solve(first, wanted, given):
            yield from self._each(rest, wanted, one)

    def _nearest(self, parts: Sequence[Code], wanted: bool, given: Given) -> list[Code]:  # noqa: FBT001
        """Parts that give the answer already come first."""
        return sorted(parts, key=lambda part: self._weigh(part, given) is not wanted)

    def _weigh(self, code: Code, given: Given) -> Any:  # noqa: ANN401  # a datum
        self._patience -= 1
        return code.run(given.view(self._calendar, self._blank))

    # --- comparisons ----------------------------------------------------------------------------

    def _atom(self, code: Code, wanted: bool, given: Given) -> Iterator[Given]:  # noqa: FBT001
        """Values for what a comparison looks at, so that it gives the answer."""
        free = [leaf for leaf in self._leaves(code.node) if leaf not in given.settled]
        if not free:
            if self._weigh(code, given) is wanted:
                yield given
            return
        counted = _counted(code.node)
        choices = [
            list(self._values(leaf, many=leaf[0] == INPUT and leaf[1] in counted)) for leaf in free
        ]
        found = 0
        for values in islice(_combined(choices), COMBINATIONS):
            if self._patience <= 0 or found >= KEPT:
                return
            one = given
            for leaf, value in zip(free, values, strict=True):
                one = one.with_leaf(leaf, value)
            if self._weigh(code, one) is wanted:
                found += 1
                yield one

    def _values(self, leaf: Leaf, *, many: bool = False) -> Iterator[Any]:
        kind, name = leaf
        match kind:
            case "variable":
                declared = self._variables[name]
                yield from self._try.of(declared.type)
                yield ABSENT
            case "field":
                field = self._fields[name]
                yield from self._try.of(field_type(field, self._inputs), field.low, field.high)
                yield ABSENT
            case "input":
                yield from self._readings(name, many=many)
                yield ABSENT
            case _ if name == ROUND:
                yield from (1, 2, 3)
            case _:
                yield from (False, True)

    def _readings(self, name: str, *, many: bool = False) -> Iterator[tuple[Taken, ...]]:
        """One reading, of now and of earlier times; of what is counted, several too."""
        declared = self._inputs[name]
        values = self._try.of(declared.type, declared.low, declared.high)
        over = timedelta(hours=1) if declared.interval else None
        yield from ((Taken(value, timedelta(), over),) for value in values[:1])
        for beyond in _beyond(declared):
            yield (Taken(beyond, timedelta(), over, flawed=True),)
        if many:
            yield ABSENT
            for value in values[:2]:
                for number, first, gap in _SEVERAL:
                    yield tuple(Taken(value, first + gap * n, over) for n in range(number))
        for value in values[1:]:
            yield (Taken(value, timedelta(), over),)
        for ago in self._try.ago():
            for value in values if ago else ():
                yield (Taken(value, ago, over),)

    def _leaves(self, node: Expression) -> list[Leaf]:
        found: dict[Leaf, None] = {}
        for part in tree.walk(node):
            match part:
                case tree.Remembered(name):
                    found[VARIABLE, name] = None
                case tree.Sent(name):
                    found[FIELD, name] = None
                case (
                    tree.Latest(input=name)
                    | tree.TakenAt(input=name)
                    | tree.TakenOn(input=name)
                    | tree.Count(input=name)
                    | tree.Sum(input=name)
                ):
                    found[INPUT, name] = None
                case tree.Revised(input=name):
                    found[FACT, f"{REVISED}{name}"] = None
                case tree.OpenQuestion(rule=name):
                    found[FACT, f"{QUESTION}{name}"] = None
                case tree.Late():
                    found[FACT, LATE] = None
                case tree.Retrospective():
                    found[FACT, RETROSPECTIVE] = None
                case tree.Round():
                    found[FACT, ROUND] = None
                case _:
                    pass
        return list(found)

    # --- windows ---------------------------------------------------------------------------------

    def _run(self, node: tree.Sustained, code: Code, wanted: bool, given: Given) -> Iterator[Given]:  # noqa: FBT001
        """A run that is long enough, or one reading that ends every run."""
        threshold, count, span, *since = code.parts
        for one in self._bounds((threshold, count, span), since, given):
            limit, needed, length = (self._weigh(part, one) for part in (threshold, count, span))
            values = self._beside(node.input, node.op, limit, holds=wanted)
            if not wanted or (INPUT, node.input) in one.settled:
                ways: list[tuple[Taken, ...]] = [(Taken(value),) for value in values]
            else:
                number = max(int(needed), 2 if length or node.apart else 1)
                gap = max(length / (number - 1) if number > 1 else timedelta(), node.apart)
                ways = [tuple(Taken(v, gap * n) for n in range(number)) for v in values]
            yield from self._given(node.input, ways, code, wanted, one)

    def _total(self, node: tree.Total, code: Code, wanted: bool, given: Given) -> Iterator[Given]:  # noqa: FBT001
        """Readings that cover the span completely, hour by hour or all at once."""
        threshold, span, *since = code.parts
        for one in self._bounds((threshold, span), since, given):
            limit, length = self._weigh(threshold, one), self._weigh(span, one)
            hours = max(int(length / timedelta(hours=1)), 1)
            ways: list[tuple[Taken, ...]] = []
            for total in self._beside(node.input, node.op, limit, holds=wanted):
                ways.append((Taken(total, timedelta(), length),))
                share = (total / hours).quantize(Decimal("0.001"))
                each = timedelta(hours=1)
                ways.append(tuple(Taken(share, each * n, each) for n in range(hours)))
            yield from self._given(node.input, ways, code, wanted, one)

    def _bounds(
        self, needed: Sequence[Code], since: Sequence[Code], given: Given
    ) -> Iterator[Given]:
        """What makes the bounds of a window known, and long enough ago for what is looked at."""
        for one in islice(self._known(needed, given), KEPT):
            if not since:
                yield one
                continue
            yield from islice(self._known(since, one), 40)

    def _known(self, codes: Sequence[Code], given: Given) -> Iterator[Given]:
        if not codes:
            yield given
            return
        first, *rest = codes
        free = [leaf for leaf in self._leaves(first.node) if leaf not in given.settled]
        choices = [[v for v in self._values(leaf) if v is not ABSENT] for leaf in free]
        for values in islice(_combined(choices), COMBINATIONS):
            if self._patience <= 0:
                return
            one = given
            for leaf, value in zip(free, values, strict=True):
                one = one.with_leaf(leaf, value)
            if self._weigh(first, one) is not None:
                yield from self._known(rest, one)

    def _given(
        self,
        name: str,
        ways: Sequence[tuple[Taken, ...]],
        code: Code,
        wanted: bool,  # noqa: FBT001  # an answer
        given: Given,
    ) -> Iterator[Given]:
        if (INPUT, name) in given.settled:
            if self._weigh(code, given) is wanted:
                yield given
            return
        for way in ways:
            if self._patience <= 0:
                return
            one = given.with_leaf((INPUT, name), way)
            if self._weigh(code, one) is wanted:
                yield one

    def _beside(self, name: str, op: str, limit: Decimal, *, holds: bool) -> list[Decimal]:
        """Values next to a limit that are on its one side or on the other."""
        declared = self._inputs[name]
        numbers = [limit, *(limit + step for step in _STEPS)]
        numbers += self._try.of(declared.type, declared.low, declared.high)
        low, high = declared.low, declared.high
        fitting = [
            number
            for number in dict.fromkeys(numbers)
            if (low is None or number >= low) and (high is None or number <= high)
        ]
        return [number for number in fitting if COMPARE[op](number, limit) is holds][:KEPT]


def _combined(choices: Sequence[Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
    """One of each, the likeliest of all first: never long at one value of one of them.

    >>> list(_combined(["ab", "xy"]))
    [('a', 'x'), ('a', 'y'), ('b', 'x'), ('b', 'y')]
    """
    for far in range(sum(len(some) - 1 for some in choices) + 1):
        yield from _so_far(choices, far)


def _so_far(choices: Sequence[Sequence[Any]], far: int) -> Iterator[tuple[Any, ...]]:
    if not choices:
        if not far:
            yield ()
        return
    first, *rest = choices
    for place, value in enumerate(first[: far + 1]):
        for others in _so_far(rest, far - place):
            yield (value, *others)


def _turn(part: Code) -> tuple[bool, bool]:
    """What asks for several readings comes first; what only has to be known is so by then."""
    return not _asks_many(part.node), isinstance(part.node, tree.Known)


def _asks_many(node: Expression) -> bool:
    """Whether it can be so only by several readings: they have to be there before all else."""
    match node:
        case tree.Sustained() | tree.Total():
            return True
        case tree.AllOf(items):
            return any(map(_asks_many, items))
        case _:
            return False


def _counted(node: Expression) -> frozenset[str]:
    """The inputs whose readings are counted or summed up."""
    parts = (part for part in tree.walk(node) if isinstance(part, tree.Count | tree.Sum))
    return frozenset(part.input for part in parts)


def _beyond(declared: Input) -> Iterator[Decimal]:
    """A value that is physically impossible, where the input has bounds."""
    if declared.kind in ("quantity", "number"):
        if declared.high is not None:
            yield declared.high + 1
        elif declared.low is not None:
            yield declared.low - 1


_SEVERAL = tuple(
    (number, first, gap)
    for number in (2, 3, 5)
    for gap in (timedelta(hours=12), timedelta(days=1))
    for first in (gap, timedelta())
)
"""How many readings, since when, and how far apart."""

_STEPS = tuple(map(Decimal, ("-1", "1", "-0.1", "0.1", "-10", "10")))

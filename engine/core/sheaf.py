"""Many guards weighed in one pass: Python that is written from their compiled trees.

After each event every rule of a state is weighed, and most of them look at the same few things. The
closures of `guard` weigh each rule by itself; here they become one function, in which whatever
several of them share is weighed once, when it is first asked for. The answers are the same, and
nothing is weighed that the closures would not weigh: a record notes the same civil times.

The rules of this room:

- It is written from trees that were typed and compiled before, never from a text of a definition:
  names, constants and codes are handed over as values, and stand in the source as `k1`, `k2`.
- Unknown is `None` and never a truth: each form asks for it before anything else.
- A node that has no form here is called as the closure that it is, and explanations always come
  from the closures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from engine.core import expression as tree
from engine.core.arithmetic import arithmetic
from engine.core.kind import UNSET
from engine.core.view import NOTHING, View
from engine.core.weighing import Answer, Code

Weigh = Callable[[View], Sequence[Answer]]

DEEPEST = 30
"""How many forms lie in each other at most: Python reads no source without end."""


WORTH = 25
"""How often the same guards are weighed before writing them pays: it takes some milliseconds."""


class Sheaf:
    """Guards that are weighed together, at first by their closures; safe to share."""

    __slots__ = ("_codes", "_times", "_weigh")

    def __init__(self, codes: Sequence[Code]) -> None:
        self._codes = codes
        self._times = 0
        self._weigh: Weigh | None = None

    def answers(self, view: View) -> Sequence[Answer]:
        """The answers of the guards in a view, in their order."""
        if self._weigh is not None:
            return self._weigh(view)
        self._times += 1
        if self._times > WORTH:
            self._weigh = bound(self._codes)
        return [code.run(view) for code in self._codes]


def bound(codes: Sequence[Code]) -> Weigh:
    """A function that gives the answers of these guards in a view, in their order."""
    writer = _Writer()
    for code in codes:
        writer.count(code)
    answers = [writer.said(code) for code in codes]
    return writer.function(answers)


class _Writer:
    """Writes forms; `known` is what the names in them stand for."""

    def __init__(self) -> None:
        self.uses: Counter[Any] = Counter()
        self.known: dict[str, Any] = {"U": _UNASKED}
        self.shared: dict[Any, int] = {}
        self.functions: list[str] = []
        self.names = 0
        self.depth = 0

    def count(self, code: Code) -> None:
        """How often each tree is asked for, when what is shared asks for its own parts once."""
        self.uses[_key(code)] += 1
        if self.uses[_key(code)] == 1:
            for part in code.parts:
                self.count(part)

    def function(self, answers: Sequence[str]) -> Weigh:
        fresh = f"m = [U] * {len(self.shared)}"
        whole = f"def weigh(view):\n {fresh}\n return ({''.join(f'{one}, ' for one in answers)})"
        source = compile("\n".join((*self.functions, whole)), f"<{__name__}>", "exec")
        exec(source, self.known)  # noqa: S102  # see the rules of this room
        weigh: Weigh = self.known["weigh"]
        return weigh

    def said(self, code: Code) -> str:
        """What a tree gives. One that is shared is a function, called where it was not yet."""
        key = _key(code)
        if self.uses[key] < 2 or _small(code):
            return self.form(code)
        number = self.shared.get(key)
        if number is None:
            number = self.shared[key] = len(self.shared)
            depth, self.depth = self.depth, 0
            form = self.form(code)
            self.depth = depth
            self.functions.append(f"def s{number}(view, m):\n r = m[{number}] = {form}\n return r")
        return f"(s{number}(view, m) if m[{number}] is U else m[{number}])"

    def form(self, code: Code) -> str:
        self.depth += 1
        form = self.inner(code) if self.depth <= DEEPEST else None
        self.depth -= 1
        return form or f"{self.value(code.run)}(view)"

    def inner(self, code: Code) -> str | None:
        """The form of a node; `None` where there is none."""
        match code.node:
            case tree.Remembered(variable=name):
                return f"view.variables.get({self.value(name)})"
            case tree.Sent(field=name):
                return f"view.data.get({self.value(name)})"
            case tree.TakenAt(input=name):
                return self.unless_unknown(f"view.latest[{self.value(name)}]", "{x}.at")
            case tree.Not():
                return self.unless_unknown(self.said(code.parts[0]), "not {x}")
            case tree.Known():
                return f"({self.said(code.parts[0])} is not None)"
            case tree.OneOf(codes=codes):
                within = self.value(frozenset(codes))
                return self.unless_unknown(self.said(code.parts[0]), f"{{x}} in {within}")
            case tree.AllOf():
                return self.joined(code.parts, "False", "True")
            case tree.AnyOf():
                return self.joined(code.parts, "True", "False")
            case tree.CivilInstant(time=time):
                then = f"view.calendar.instant({{x}}, {self.value(time)})"
                return self.unless_unknown(self.said(code.parts[0]), then)
            case tree.Arithmetic(op=op):
                return self.sum(op, *code.parts)
            case tree.Choose():
                return self.choice(*code.parts)
            case tree.Compare(op=op):
                return self.comparison(op, *code.parts)
        return None

    def joined(self, parts: Sequence[Code], deciding: str, otherwise: str) -> str | None:
        if not parts:
            return None
        names = [self.name() for _ in parts]
        tried = zip(names, map(self.said, parts), strict=True)
        decided = " or ".join(f"({x} := {said}) is {deciding}" for x, said in tried)
        unknown = " or ".join(f"{x} is None" for x in names)
        return f"({deciding} if {decided} else None if {unknown} else {otherwise})"

    def choice(self, condition: Code, then: Code, otherwise: Code) -> str | None:
        if UNSET not in (then.type, otherwise.type) and not _alike(then, otherwise):
            return None
        first, second = self.said(then), self.said(otherwise)
        return self.unless_unknown(self.said(condition), f"{first} if {{x}} else {second}")

    def comparison(self, op: str, left: Code, right: Code) -> str | None:
        if not _alike(left, right):
            return None
        if isinstance(right.node, tree.Constant | tree.Setting):
            limit = right.run(NOTHING)
            if limit is None:
                return None
            return self.unless_unknown(self.said(left), f"{{x}} {op} {self.value(limit)}")
        return self.unless_either_unknown(left, right, f"{{x}} {op} {{y}}")

    def sum(self, op: str, left: Code, right: Code) -> str | None:
        known = arithmetic(op, left.type, right.type)
        if known is None:
            return None
        return self.unless_either_unknown(left, right, f"{self.value(known[1])}({{x}}, {{y}})")

    def unless_unknown(self, form: str, then: str) -> str:
        x = self.name()
        return f"(None if ({x} := {form}) is None else {then.replace('{x}', x)})"

    def unless_either_unknown(self, left: Code, right: Code, then: str) -> str:
        x, y = self.name(), self.name()
        unknown = f"({x} := {self.said(left)}) is None or ({y} := {self.said(right)}) is None"
        return f"(None if {unknown} else {then.format(x=x, y=y)})"

    def value(self, value: Any) -> str:  # noqa: ANN401  # a name, a constant, a closure
        name = self.name("k")
        self.known[name] = value
        return name

    def name(self, letter: str = "x") -> str:
        self.names += 1
        return f"{letter}{self.names}"


def _key(code: Code) -> Any:  # noqa: ANN401  # whatever can be looked up
    """Of trees that give the same. The type too, for to Python yes and the number 1 are equal."""
    return code.node, code.type


def _small(code: Code) -> bool:
    """Whether a tree is weighed as soon as looked up."""
    return not any(part.parts for part in code.parts)


def _alike(left: Code, right: Code) -> bool:
    """Whether neither side has to be converted to the other's unit."""
    return None in (left.type.unit, right.type.unit) or left.type.unit == right.type.unit


_UNASKED = object()

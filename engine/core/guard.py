"""Weighing: a tree against what is known, to yes, no or unknown.

- A tree is typed and compiled once per definition to closures; wrong units, unknown names and
  comparisons that make no sense are problems found then, never answers given later.
- Inside, unknown is `None` and never a boolean: no operator turns it into yes or no.
- Quantities are compared in the unit that the input declares; conversion happens at the border
  (readings) and at compile time (constants), never while weighing.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from engine.core import expression as tree
from engine.core import leaf, quantity, window
from engine.core.arithmetic import COMPARE, ORDERED, arithmetic
from engine.core.expression import Expression
from engine.core.kind import (
    BROKEN,
    DATE,
    ELAPSED,
    INSTANT,
    NUMBER,
    UNSET,
    YES_NO,
    Schema,
    Type,
    constant,
)
from engine.core.phrase import text
from engine.core.view import NOTHING, View
from engine.core.weighing import Code, Datum, Run


def compile_tree(node: Expression, schema: Schema, problems: list[str]) -> Code:
    """Type and compile a tree; what is wrong with it is appended to `problems`."""
    return _Compiler(schema, problems).code(node)


def compile_guard(node: Expression, schema: Schema, problems: list[str]) -> Code:
    """As `compile_tree`, for a tree that must weigh to yes, no or unknown."""
    code = compile_tree(node, schema, problems)
    if code.type not in (YES_NO, BROKEN):
        problems.append(f"a guard must be a yes or no, not {code.type}: {text(node)}")
    return code


def compile_value(node: Expression, kind: Type, schema: Schema, problems: list[str]) -> Code:
    """As `compile_tree`, for a value that is stored as `kind`, in its unit; unset is accepted."""
    compiler = _Compiler(schema, problems)
    code = compiler.code(node)
    if code.type == UNSET:
        return code
    if kind.codes is not None and code.type.codes is not None and not code.type.codes <= kind.codes:
        extra = ", ".join(sorted(code.type.codes - kind.codes))
        problems.append(f"codes that do not fit: {extra} in {text(node)}")
    compiler.fitting(node, kind, node)
    return Code(node, kind, compiler.aligned(node, kind, code), (code,))


class _Compiler:
    """One method per node; each returns a `Code` and notes problems instead of raising."""

    def __init__(self, schema: Schema, problems: list[str]) -> None:
        self.schema = schema
        self.problems = problems

    def code(self, node: Expression) -> Code:
        method = getattr(self, f"_{type(node).__name__.strip('_').lower()}")
        made: Code = method(node)
        return made

    def _broken(self, node: Expression, problem: str) -> Code:
        self.problems.append(problem)
        return Code(node, BROKEN, lambda _: None)

    # --- leaves ---------------------------------------------------------------------------

    def _constant(self, node: tree.Constant) -> Code:
        kind, value = constant(node.value)
        return Code(node, kind, lambda _: value)

    def _latest(self, node: tree.Latest) -> Code:
        known = self.schema.inputs.get(node.input)
        if known is None:
            return self._broken(node, f"unknown input {node.input!r}")
        name, max_age = node.input, node.max_age if node.max_age is not None else known.max_age
        if node.since is not None or node.until is not None:
            if node.horizon is None:
                return self._broken(node, f"window over {name!r} without a horizon")
            since = self._bound(node.since)
            until = self._bound(node.until)
            parts = tuple(p for p in (since, until) if p is not None)
            return Code(node, known.type, window.between(node, known.max_age, since, until), parts)

        return Code(node, known.type, leaf.latest(name, max_age))

    def _takenat(self, node: tree.TakenAt) -> Code:
        if node.input not in self.schema.inputs:
            return self._broken(node, f"unknown input {node.input!r}")
        return Code(node, INSTANT, leaf.taken_at(node.input))

    def _takenon(self, node: tree.TakenOn) -> Code:
        if node.input not in self.schema.inputs:
            return self._broken(node, f"unknown input {node.input!r}")
        return Code(node, DATE, leaf.taken_on(node.input))

    def _remembered(self, node: tree.Remembered) -> Code:
        if node.variable not in self.schema.variables:
            return self._broken(node, f"unknown variable {node.variable!r}")
        name = node.variable
        return Code(node, self.schema.variables[name], lambda view: view.variables.get(name))

    def _setting(self, node: tree.Setting) -> Code:
        if node.parameter not in self.schema.parameters:
            return self._broken(node, f"unknown parameter {node.parameter!r}")
        kind, value = self.schema.parameters[node.parameter]
        return Code(node, kind, lambda _: value)

    def _sent(self, node: tree.Sent) -> Code:
        if node.field not in self.schema.fields:
            return self._broken(node, f"unknown field {node.field!r} of the event")
        name = node.field
        return Code(node, self.schema.fields[name], lambda view: view.data.get(name))

    def _sumof(self, node: tree.SumOf) -> Code:
        members = self.schema.members.get(node.field)
        if members is None or node.member not in members:
            return self._broken(node, f"unknown list member {node.field}.{node.member}")
        kind = members[node.member]
        if kind.kind not in ("number", "quantity"):
            return self._broken(node, f"{node.field}.{node.member} cannot be summed")

        return Code(node, kind, leaf.sum_of(node.field, node.member))

    def _now(self, node: tree.Now) -> Code:
        return Code(node, INSTANT, lambda view: view.now)

    def _today(self, node: tree.Today) -> Code:
        return Code(node, DATE, lambda view: view.today)

    def _latestday(self, node: tree.LatestDay) -> Code:
        return Code(node, DATE, leaf.latest_day)

    def _round(self, node: tree.Round) -> Code:
        return Code(node, NUMBER, lambda view: Decimal(view.round))

    def _late(self, node: tree.Late) -> Code:
        return Code(node, YES_NO, lambda view: view.late)

    def _revised(self, node: tree.Revised) -> Code:
        if node.input not in self.schema.inputs:
            return self._broken(node, f"unknown input {node.input!r}")
        return Code(node, YES_NO, lambda view: node.input in view.revised)

    def _retrospective(self, node: tree.Retrospective) -> Code:
        return Code(node, YES_NO, lambda view: view.retrospective)

    def _openquestion(self, node: tree.OpenQuestion) -> Code:
        if node.rule not in self.schema.rules:
            return self._broken(node, f"unknown rule {node.rule!r}")
        return Code(node, YES_NO, lambda view: node.rule in view.questions)

    # --- values ---------------------------------------------------------------------------

    def _civilinstant(self, node: tree.CivilInstant) -> Code:
        on = self.code(node.on)
        if on.type not in (DATE, BROKEN):
            return self._broken(node, f"a civil time needs a date, not {on.type}")

        def run(view: View) -> Datum:
            day = on.run(view)
            return None if day is None else view.calendar.instant(day, node.time)

        return Code(node, INSTANT, run, (on,))

    def _arithmetic(self, node: tree.Arithmetic) -> Code:
        left, right = self.code(node.left), self.code(node.right)
        if BROKEN in (left.type, right.type):
            return Code(node, BROKEN, lambda _: None)
        found = arithmetic(node.op, left.type, right.type)
        if found is None:
            return self._broken(
                node,
                f"unit or type mismatch: {left.type} {node.op} {right.type} in {text(node)}",
            )
        kind, step = found
        first, second = left.run, right.run

        def run(view: View) -> Datum:
            a = first(view)
            if a is None:
                return None
            b = second(view)
            return None if b is None else step(a, b)

        return Code(node, kind, run, (left, right))

    def _extreme(self, node: tree.Extreme) -> Code:
        parts = tuple(self.code(item) for item in node.items)
        kind = parts[0].type if parts else BROKEN
        choose_one: Callable[[list[Datum]], Datum] = min if node.op == "min" else max
        runs = [self.aligned(node, kind, part) for part in parts]
        if kind.kind not in ORDERED:
            return self._broken(node, f"no order among {kind}: {text(node)}")

        def run(view: View) -> Datum:
            values = [r(view) for r in runs]
            return None if None in values else choose_one(values)

        return Code(node, kind, run, parts)

    def _pick(self, node: tree.Pick) -> Code:
        index, parts = self.code(node.index), tuple(self.code(item) for item in node.items)
        if index.type not in (NUMBER, BROKEN):
            return self._broken(node, f"a position is a number, not {index.type}")
        kind = parts[0].type if parts else BROKEN
        runs = [self.aligned(node, kind, part) for part in parts]

        def run(view: View) -> Datum:
            at = index.run(view)
            if at is None or at != int(at) or not 1 <= at <= len(runs):
                return None
            return runs[int(at) - 1](view)

        return Code(node, kind, run, (index, *parts))

    def _choose(self, node: tree.Choose) -> Code:
        condition, then, otherwise = map(self.code, (node.condition, node.then, node.otherwise))
        self._yes_no(condition)
        kind = then.type if then.type != UNSET else otherwise.type
        first = then.run
        second = (
            otherwise.run
            if UNSET in (then.type, otherwise.type)
            else self.aligned(node, kind, otherwise)
        )

        weigh = condition.run

        def run(view: View) -> Datum:
            answer = weigh(view)
            if answer is None:
                return None
            return first(view) if answer else second(view)

        return Code(node, kind, run, (condition, then, otherwise))

    # --- yes, no, unknown -------------------------------------------------------------------

    def _compare(self, node: tree.Compare) -> Code:
        left, right = self.code(node.left), self.code(node.right)
        if BROKEN in (left.type, right.type):
            return Code(node, YES_NO, lambda _: None, (left, right))
        self.fitting(node, left.type, node.right)
        self.fitting(node, right.type, node.left)
        first, second = left.run, self.aligned(node, left.type, right)
        if node.op not in ("==", "!=") and left.type.kind not in ORDERED:
            self.problems.append(f"no order among {left.type}: {text(node)}")
        step = COMPARE[node.op]
        # A written limit is the same in every view; most comparisons have one.
        limit = second(NOTHING) if isinstance(node.right, tree.Constant | tree.Setting) else None

        def against_limit(view: View) -> bool | None:
            a = first(view)
            return None if a is None else step(a, limit)

        def run(view: View) -> bool | None:
            a = first(view)
            if a is None:
                return None
            b = second(view)
            return None if b is None else step(a, b)

        return Code(node, YES_NO, run if limit is None else against_limit, (left, right))

    def _oneof(self, node: tree.OneOf) -> Code:
        item = self.code(node.item)
        if item.type.kind not in ("code", "broken"):
            self.problems.append(f"membership needs a code, not {item.type}: {text(node)}")
        for value in node.codes:
            self.fitting(node, item.type, tree.Constant(value))
        codes, look = frozenset(node.codes), item.run

        def run(view: View) -> bool | None:
            value = look(view)
            return None if value is None else value in codes

        return Code(node, YES_NO, run, (item,))

    def _known(self, node: tree.Known) -> Code:
        item = self.code(node.item)
        look = item.run
        return Code(node, YES_NO, lambda view: look(view) is not None, (item,))

    def _allof(self, node: tree.AllOf) -> Code:
        parts = tuple(self._yes_no(self.code(item)) for item in node.items)
        runs = [part.run for part in parts]

        def run(view: View) -> bool | None:
            unknown = False
            for weigh in runs:
                answer = weigh(view)
                if answer is False:
                    return False
                if answer is None:
                    unknown = True
            return None if unknown else True

        return Code(node, YES_NO, run, parts)

    def _anyof(self, node: tree.AnyOf) -> Code:
        parts = tuple(self._yes_no(self.code(item)) for item in node.items)
        runs = [part.run for part in parts]

        def run(view: View) -> bool | None:
            unknown = False
            for weigh in runs:
                answer = weigh(view)
                if answer is True:
                    return True
                if answer is None:
                    unknown = True
            return None if unknown else False

        return Code(node, YES_NO, run, parts)

    def _not(self, node: tree.Not) -> Code:
        item = self._yes_no(self.code(node.item))
        weigh = item.run

        def run(view: View) -> bool | None:
            answer = weigh(view)
            return None if answer is None else not answer

        return Code(node, YES_NO, run, (item,))

    # --- windows --------------------------------------------------------------------------

    def _sustained(self, node: tree.Sustained) -> Code:
        found = self._window(node)
        if found is None:
            return Code(node, YES_NO, lambda _: None)
        threshold, since = found
        count, span = self.code(node.count), self.code(node.span)
        if count.type not in (NUMBER, BROKEN) or span.type not in (ELAPSED, BROKEN):
            return self._broken(node, f"a run needs a number and an elapsed time: {text(node)}")
        parts = (threshold, count, span) + ((since,) if since else ())
        return Code(node, YES_NO, window.sustained(node, threshold, count, span, since), parts)

    def _total(self, node: tree.Total) -> Code:
        found = self._window(node)
        if found is None:
            return Code(node, YES_NO, lambda _: None)
        threshold, since = found
        span = self.code(node.span)
        if span.type not in (ELAPSED, BROKEN):
            return self._broken(node, f"a total needs an elapsed time: {text(node)}")
        if not self.schema.inputs[node.input].interval:
            return self._broken(node, f"{node.input!r} is no interval input: it cannot be totalled")
        parts = (threshold, span) + ((since,) if since else ())
        return Code(node, YES_NO, window.total(node, threshold, span, since), parts)

    def _count(self, node: tree.Count) -> Code:
        if node.input not in self.schema.inputs:
            return self._broken(node, f"unknown input {node.input!r}")
        length, since = self.code(node.days), self._bound(node.since)
        parts = (length,) + ((since,) if since else ())
        taken = self.schema.semantics >= 2
        return Code(node, NUMBER, window.count(node, length, since, unusable=taken), parts)

    def _sum(self, node: tree.Sum) -> Code:
        known = self.schema.inputs.get(node.input)
        if known is None:
            return self._broken(node, f"unknown input {node.input!r}")
        if known.type.kind not in ("number", "quantity"):
            return self._broken(node, f"{node.input!r} cannot be summed")
        since = self._bound(node.since)
        parts = (since,) if since else ()
        return Code(node, known.type, window.summed(node, since), parts)

    # --- shared by the above ----------------------------------------------------------------

    def _window(self, node: tree.Sustained | tree.Total) -> tuple[Code, Code | None] | None:
        known = self.schema.inputs.get(node.input)
        if known is None:
            self.problems.append(f"unknown input {node.input!r}")
            return None
        if not node.horizon:
            self.problems.append(f"window over {node.input!r} without a horizon")
            return None
        threshold = self.code(node.threshold)
        run = self.aligned(node, known.type, threshold)
        return Code(node.threshold, known.type, run, (threshold,)), self._bound(node.since)

    def _bound(self, node: Expression | None) -> Code | None:
        if node is None:
            return None
        code = self.code(node)
        if code.type not in (INSTANT, BROKEN):
            self.problems.append(f"a window is bounded by an instant, not {code.type}")
        return code

    def _yes_no(self, code: Code) -> Code:
        if code.type not in (YES_NO, BROKEN):
            self.problems.append(f"not a yes or no: {text(code.node)} is {code.type}")
        return code

    def fitting(self, node: Expression, kind: Type, other: Expression) -> None:
        """A code that the other side can never hold is a typing error, not a no."""
        if kind.codes is None or not isinstance(other, tree.Constant):
            return
        if isinstance(other.value, str) and other.value not in kind.codes:
            self.problems.append(f"{other.value!r} is no code of {text(node)}")

    def aligned(self, node: Expression, kind: Type, code: Code) -> Run:
        """The other side's run, in this side's unit; a mismatch is a problem."""
        if BROKEN in (kind, code.type):
            return code.run
        if kind.kind != code.type.kind:
            self.problems.append(f"unit or type mismatch: {kind} with {code.type} in {text(node)}")
            return code.run
        if kind.unit is None or code.type.unit is None or kind.unit == code.type.unit:
            return code.run
        source, target = code.type.unit, kind.unit
        if not quantity.convertible(source, target):
            self.problems.append(f"unit mismatch: {source} is not {target} in {text(node)}")
            return code.run
        if isinstance(code.node, tree.Constant | tree.Setting):
            fixed = quantity.convert(code.run(NOTHING), source, target)
            return lambda _: fixed

        def run(view: View) -> Datum:
            value = code.run(view)
            return None if value is None else quantity.convert(value, source, target)

        return run

"""Weighing: a tree against what is known, to yes, no or unknown.

- A tree is typed and compiled once per definition to closures; wrong units, unknown names and
  comparisons that make no sense are problems found then, never answers given later.
- Inside, unknown is `None` and never a boolean: no operator turns it into yes or no.
- Quantities are compared in the unit that the input declares; conversion happens at the border
  (readings) and at compile time (constants), never while weighing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from engine.core import expression as tree
from engine.core import quantity
from engine.core.expression import Expression, Span, Truth
from engine.core.quantity import CONTEXT, Quantity


@dataclass(frozen=True, slots=True)
class Type:
    """What a tree gives: its kind, the unit of a quantity, the codes of a coded value."""

    kind: str
    unit: str | None = None
    codes: frozenset[str] | None = None

    def __str__(self) -> str:
        return f"{self.kind} in {self.unit}" if self.unit else self.kind


YES_NO = Type("yesno")
NUMBER = Type("number")
DATE = Type("date")
INSTANT = Type("instant")
ELAPSED = Type("elapsed")
SPAN = Type("span")
LIST = Type("list")
UNSET = Type("unset")
BROKEN = Type("broken")


@dataclass(frozen=True, slots=True, kw_only=True)
class InputType:
    """What a guard needs to know of an input."""

    type: Type
    max_age: timedelta | None
    interval: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The names that a tree may use, and what they hold. `members` are those of list fields."""

    inputs: Mapping[str, InputType] = field(default_factory=dict)
    variables: Mapping[str, Type] = field(default_factory=dict)
    parameters: Mapping[str, tuple[Type, Any]] = field(default_factory=dict)
    fields: Mapping[str, Type] = field(default_factory=dict)
    members: Mapping[str, Mapping[str, Type]] = field(default_factory=dict)
    rules: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of an input, in the unit that the input declares.

    `at` is when it was taken, `on` the civil date of that at the site (both `None` when a
    retrospective course does not say), `seq` the record that brought it. `over` is the length of
    an interval reading. `flaw` says why the value cannot be used: `impossible`,
    `entered-in-error` or `not-published`. `corrects` is the record whose reading this one replaces.
    """

    input: str
    value: Any
    at: datetime | None
    on: date | None
    seq: int
    over: timedelta | None = None
    flaw: str | None = None
    corrects: int | None = None


class Calendar(Protocol):
    """Civil time at the site. What it answers is recorded and reused, since zone data changes."""

    def civil_date(self, instant: datetime) -> date:
        """The date on the site's wall at an instant."""

    def instant(self, on: date, time: str) -> datetime:
        """The instant at which the site's wall shows a date and time (`HH:MM`)."""


class Seen(Protocol):
    """The readings of a course as guards see them; a mapping will do."""

    def get(self, name: str, default: Sequence[Reading] = (), /) -> Sequence[Reading]:
        """The readings of an input, oldest first."""


@dataclass(slots=True)
class View:
    """What is known when a guard is weighed: nothing later than `now`, corrections applied."""

    now: datetime | None
    today: date | None
    variables: Mapping[str, Any]
    readings: Seen
    data: Mapping[str, Any]
    calendar: Calendar
    round: int = 1
    late: bool = False
    retrospective: bool = False
    questions: Collection[str] = ()


Run = Callable[[View], Any]


@dataclass(frozen=True, slots=True)
class Code:
    """A compiled tree: its type, how to weigh it, and its compiled parts for the explanation."""

    node: Expression
    type: Type
    run: Run
    parts: tuple[Code, ...] = ()

    def weigh(self, view: View) -> Truth:
        """Yes, no or unknown."""
        return truth(self.run(view))


def compile_value(node: Expression, kind: Type, schema: Schema, problems: list[str]) -> Code:
    """As `compile_tree`, for a value that is stored as `kind`, in its unit; unset is accepted."""
    compiler = _Compiler(schema, problems)
    code = compiler.code(node)
    if code.type == UNSET:
        return code
    if kind.codes is not None and code.type.codes is not None and not code.type.codes <= kind.codes:
        extra = ", ".join(sorted(code.type.codes - kind.codes))
        problems.append(f"codes that do not fit: {extra} in {tree.text(node)}")
    compiler._codes(node, kind, node)
    return Code(node, kind, compiler._aligned(node, kind, code), (code,))


def truth(value: bool | None) -> Truth:
    """The word for an inner answer."""
    if value is None:
        return Truth.UNKNOWN
    return Truth.YES if value else Truth.NO


def compile_tree(node: Expression, schema: Schema, problems: list[str]) -> Code:
    """Type and compile a tree; what is wrong with it is appended to `problems`."""
    return _Compiler(schema, problems).code(node)


def compile_guard(node: Expression, schema: Schema, problems: list[str]) -> Code:
    """As `compile_tree`, for a tree that must weigh to yes, no or unknown."""
    code = compile_tree(node, schema, problems)
    if code.type not in (YES_NO, BROKEN):
        problems.append(f"a guard must be a yes or no, not {code.type}: {tree.text(node)}")
    return code


def add_span(start: date, span: Span) -> date:
    """A date moved by whole months, clamped to the month's end, then by whole days."""
    month = start.month - 1 + span.months
    year, month = start.year + month // 12, month % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(start.day, last)) + timedelta(days=span.days)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_ORDERED = {"number", "quantity", "date", "instant", "elapsed"}


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
            return Code(node, known.type, _bounded(node, known.max_age, since, until), parts)

        def run(view: View) -> Any:
            readings = view.readings.get(name)
            if not readings:
                return None
            last = readings[-1]
            if last.flaw is not None:
                return None
            if max_age is not None and (
                view.now is None or last.at is None or view.now - last.at > max_age
            ):
                return None
            return last.value

        return Code(node, known.type, run)

    def _takenat(self, node: tree.TakenAt) -> Code:
        if node.input not in self.schema.inputs:
            return self._broken(node, f"unknown input {node.input!r}")
        return Code(node, INSTANT, lambda view: _taken(view, node.input, "at"))

    def _takenon(self, node: tree.TakenOn) -> Code:
        if node.input not in self.schema.inputs:
            return self._broken(node, f"unknown input {node.input!r}")
        return Code(node, DATE, lambda view: _taken(view, node.input, "on"))

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

        def run(view: View) -> Any:
            items = view.data.get(node.field)
            if items is None:
                return None
            total = Decimal(0)
            for item in items:
                value = item.get(node.member)
                if value is None:
                    return None
                total = CONTEXT.add(total, value)
            return total

        return Code(node, kind, run)

    def _now(self, node: tree.Now) -> Code:
        return Code(node, INSTANT, lambda view: view.now)

    def _today(self, node: tree.Today) -> Code:
        return Code(node, DATE, lambda view: view.today)

    def _round(self, node: tree.Round) -> Code:
        return Code(node, NUMBER, lambda view: Decimal(view.round))

    def _late(self, node: tree.Late) -> Code:
        return Code(node, YES_NO, lambda view: view.late)

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

        def run(view: View) -> Any:
            day = on.run(view)
            return None if day is None else view.calendar.instant(day, node.time)

        return Code(node, INSTANT, run, (on,))

    def _arithmetic(self, node: tree.Arithmetic) -> Code:
        left, right = self.code(node.left), self.code(node.right)
        if BROKEN in (left.type, right.type):
            return Code(node, BROKEN, lambda _: None)
        found = _arithmetic_rule(node.op, left.type, right.type)
        if found is None:
            return self._broken(
                node,
                f"unit or type mismatch: {left.type} {node.op} {right.type} in {tree.text(node)}",
            )
        kind, step = found
        first, second = left.run, right.run

        def run(view: View) -> Any:
            a = first(view)
            if a is None:
                return None
            b = second(view)
            return None if b is None else step(a, b)

        return Code(node, kind, run, (left, right))

    def _extreme(self, node: tree.Extreme) -> Code:
        parts = tuple(self.code(item) for item in node.items)
        kind = parts[0].type if parts else BROKEN
        choose_one: Callable[[list[Any]], Any] = min if node.op == "min" else max
        runs = [self._aligned(node, kind, part) for part in parts]
        if kind.kind not in _ORDERED:
            return self._broken(node, f"no order among {kind}: {tree.text(node)}")

        def run(view: View) -> Any:
            values = [r(view) for r in runs]
            return None if None in values else choose_one(values)

        return Code(node, kind, run, parts)

    def _pick(self, node: tree.Pick) -> Code:
        index, parts = self.code(node.index), tuple(self.code(item) for item in node.items)
        if index.type not in (NUMBER, BROKEN):
            return self._broken(node, f"a position is a number, not {index.type}")
        kind = parts[0].type if parts else BROKEN
        runs = [self._aligned(node, kind, part) for part in parts]

        def run(view: View) -> Any:
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
            else self._aligned(node, kind, otherwise)
        )

        def run(view: View) -> Any:
            answer = condition.run(view)
            if answer is None:
                return None
            return first(view) if answer else second(view)

        return Code(node, kind, run, (condition, then, otherwise))

    # --- yes, no, unknown -------------------------------------------------------------------

    def _compare(self, node: tree.Compare) -> Code:
        left, right = self.code(node.left), self.code(node.right)
        if BROKEN in (left.type, right.type):
            return Code(node, YES_NO, lambda _: None, (left, right))
        self._codes(node, left.type, node.right)
        self._codes(node, right.type, node.left)
        first, second = left.run, self._aligned(node, left.type, right)
        if node.op not in ("==", "!=") and left.type.kind not in _ORDERED:
            self.problems.append(f"no order among {left.type}: {tree.text(node)}")
        step = _COMPARE[node.op]

        def run(view: View) -> bool | None:
            a = first(view)
            if a is None:
                return None
            b = second(view)
            return None if b is None else step(a, b)

        return Code(node, YES_NO, run, (left, right))

    def _oneof(self, node: tree.OneOf) -> Code:
        item = self.code(node.item)
        if item.type.kind not in ("code", "broken"):
            self.problems.append(f"membership needs a code, not {item.type}: {tree.text(node)}")
        for value in node.codes:
            self._codes(node, item.type, tree.Constant(value))
        codes = frozenset(node.codes)

        def run(view: View) -> bool | None:
            value = item.run(view)
            return None if value is None else value in codes

        return Code(node, YES_NO, run, (item,))

    def _known(self, node: tree.Known) -> Code:
        item = self.code(node.item)
        return Code(node, YES_NO, lambda view: item.run(view) is not None, (item,))

    def _all(self, node: tree.All) -> Code:
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

    def _any(self, node: tree.Any_) -> Code:
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

        def run(view: View) -> bool | None:
            answer = item.run(view)
            return None if answer is None else not answer

        return Code(node, YES_NO, run, (item,))

    # --- windows --------------------------------------------------------------------------

    def _sustained(self, node: tree.Sustained) -> Code:
        window = self._window(node)
        if window is None:
            return Code(node, YES_NO, lambda _: None)
        threshold, since = window
        count, span = self.code(node.count), self.code(node.span)
        if count.type not in (NUMBER, BROKEN) or span.type not in (ELAPSED, BROKEN):
            return self._broken(
                node, f"a run needs a number and an elapsed time: {tree.text(node)}"
            )
        step, zero, few = _COMPARE[node.op], _answer(node.zero), _answer(node.few)

        def run(view: View) -> bool | None:
            limit, needed, length = threshold.run(view), count.run(view), span.run(view)
            if None in (limit, needed, length):
                return None
            readings = window_readings(view, node.input, node.horizon, since)
            if readings is None:
                return None
            if not readings:
                return zero
            counted: list[datetime] = []
            for reading in reversed(readings):
                if not step(reading.value, limit):
                    break
                if reading.at is None:
                    return None
                if not counted or counted[-1] - reading.at >= node.apart:
                    counted.append(reading.at)
            if not counted:
                return False
            enough = len(counted) >= needed and counted[0] - counted[-1] >= length
            return True if enough else few

        parts = (threshold, count, span) + ((since,) if since else ())
        return Code(node, YES_NO, run, parts)

    def _total(self, node: tree.Total) -> Code:
        window = self._window(node)
        if window is None:
            return Code(node, YES_NO, lambda _: None)
        threshold, since = window
        span = self.code(node.span)
        if span.type not in (ELAPSED, BROKEN):
            return self._broken(node, f"a total needs an elapsed time: {tree.text(node)}")
        if not self.schema.inputs[node.input].interval:
            return self._broken(node, f"{node.input!r} is no interval input: it cannot be totalled")
        step, zero, few = _COMPARE[node.op], _answer(node.zero), _answer(node.few)

        def run(view: View) -> bool | None:
            limit, length = threshold.run(view), span.run(view)
            if limit is None or length is None:
                return None
            readings = window_readings(view, node.input, node.horizon, since)
            if readings is None:
                return None
            if not readings:
                return zero
            total = covered_total(readings, length)
            return few if total is None else step(total, limit)

        return Code(node, YES_NO, run, (threshold, span) + ((since,) if since else ()))

    def _count(self, node: tree.Count) -> Code:
        if node.input not in self.schema.inputs:
            return self._broken(node, f"unknown input {node.input!r}")
        length, since = self.code(node.days), self._bound(node.since)
        zero = None if node.zero is Truth.UNKNOWN else Decimal(0)

        def run(view: View) -> Any:
            days = length.run(view)
            if days is None or view.today is None:
                return None
            readings = window_readings(view, node.input, node.horizon, since)
            if readings is None or any(r.on is None for r in readings):
                return None
            first = view.today - timedelta(days=int(days) - 1)
            n = sum(1 for r in readings if r.on is not None and r.on >= first)
            return Decimal(n) if n else zero

        return Code(node, NUMBER, run, (length,) + ((since,) if since else ()))

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
        run = self._aligned(node, known.type, threshold)
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
            self.problems.append(f"not a yes or no: {tree.text(code.node)} is {code.type}")
        return code

    def _codes(self, node: Expression, kind: Type, other: Expression) -> None:
        """A code that the other side can never hold is a typing error, not a no."""
        if kind.codes is not None and isinstance(other, tree.Constant):
            if isinstance(other.value, str) and other.value not in kind.codes:
                self.problems.append(f"{other.value!r} is no code of {tree.text(node)}")

    def _aligned(self, node: Expression, kind: Type, code: Code) -> Run:
        """The other side's run, in this side's unit; a mismatch is a problem."""
        if BROKEN in (kind, code.type):
            return code.run
        if kind.kind != code.type.kind:
            self.problems.append(
                f"unit or type mismatch: {kind} with {code.type} in {tree.text(node)}"
            )
            return code.run
        if kind.unit is None or code.type.unit is None or kind.unit == code.type.unit:
            return code.run
        source, target = code.type.unit, kind.unit
        if not quantity.convertible(source, target):
            self.problems.append(f"unit mismatch: {source} is not {target} in {tree.text(node)}")
            return code.run
        if isinstance(code.node, tree.Constant | tree.Setting):
            fixed = quantity.convert(code.run(NOTHING), source, target)
            return lambda _: fixed

        def run(view: View) -> Any:
            value = code.run(view)
            return None if value is None else quantity.convert(value, source, target)

        return run


def constant(value: tree.Value) -> tuple[Type, Any]:
    """The type of a written value, and the value as guards see it."""
    match value:
        case None:
            return UNSET, None
        case bool():
            return YES_NO, value
        case Quantity():
            return Type("quantity", value.unit), value.value
        case Decimal():
            return NUMBER, value
        case timedelta():
            return ELAPSED, value
        case Span():
            return SPAN, value
        case date():
            return DATE, value
        case str():
            return Type("code"), value
    raise TypeError(f"no constant can be a {type(value).__name__}")


def window_readings(
    view: View, name: str, horizon: timedelta, since: Code | None
) -> list[Reading] | None:
    """The usable readings of a window, oldest first; `None` when its bounds are not known."""
    readings = view.readings.get(name, ())
    if not readings:
        return []
    if view.now is None:
        return None
    start = view.now - horizon
    if since is not None:
        bound = since.run(view)
        if bound is None:
            return None
        start = max(start, bound)
    return [r for r in readings if r.flaw is None and (r.at is None or r.at >= start)]


def covered_total(readings: Sequence[Reading], span: timedelta) -> Decimal | None:
    """The total over the span that ends with the last reading; `None` unless completely covered."""
    end = readings[-1].at
    if end is None:
        return None
    start, total = end, Decimal(0)
    for reading in reversed(readings):
        if reading.at is None or reading.over is None or reading.at < start:
            return None
        total, start = CONTEXT.add(total, reading.value), reading.at - reading.over
        if end - start >= span:
            return total
    return None


def _answer(said: Truth) -> bool | None:
    return {Truth.YES: True, Truth.NO: False, Truth.UNKNOWN: None}[said]


def _taken(view: View, name: str, which: str) -> Any:
    readings = view.readings.get(name)
    return getattr(readings[-1], which) if readings else None


def _bounded(
    node: tree.Latest, default_age: timedelta | None, since: Code | None, until: Code | None
) -> Run:
    """The latest reading between two instants. Its age counts to `until`, where there is one."""
    horizon = node.horizon or timedelta(0)
    max_age = node.max_age if node.max_age is not None else (None if since else default_age)

    def run(view: View) -> Any:
        end = view.now if until is None else until.run(view)
        start = None if since is None else since.run(view)
        if end is None or view.now is None or (since is not None and start is None):
            return None
        oldest = view.now - horizon
        for reading in reversed(view.readings.get(node.input, ())):
            if reading.at is None or reading.at > end:
                continue
            if reading.at < oldest or (start is not None and reading.at < start):
                return None
            if reading.flaw is not None or (max_age is not None and end - reading.at > max_age):
                return None
            return reading.value
        return None

    return run


def _arithmetic_rule(
    op: str, left: Type, right: Type
) -> tuple[Type, Callable[[Any, Any], Any]] | None:
    """The type and the step of an arithmetic node, or `None` where it makes no sense."""
    sides = (left.kind, right.kind)
    add, subtract, multiply = CONTEXT.add, CONTEXT.subtract, CONTEXT.multiply
    if op in "+-" and sides in (("number", "number"), ("quantity", "quantity")):
        step = add if op == "+" else subtract
        if left.unit == right.unit:
            return left, step
        if (
            left.unit is None
            or right.unit is None
            or not quantity.convertible(left.unit, right.unit)
        ):
            return None
        source, target = right.unit, left.unit
        return left, lambda a, b: step(a, quantity.convert(b, source, target))
    table: dict[tuple[str, str, str], tuple[Type, Callable[[Any, Any], Any]]] = {
        ("*", "number", "number"): (NUMBER, multiply),
        ("*", "quantity", "number"): (left, multiply),
        ("*", "span", "number"): (SPAN, lambda a, b: Span(a.months * int(b), a.days * int(b))),
        ("*", "elapsed", "number"): (ELAPSED, lambda a, b: a * int(b)),
        ("+", "date", "span"): (DATE, add_span),
        ("-", "date", "span"): (DATE, lambda a, b: add_span(a, Span(-b.months, -b.days))),
        ("-", "date", "date"): (NUMBER, lambda a, b: Decimal((a - b).days)),
        ("+", "instant", "elapsed"): (INSTANT, operator.add),
        ("-", "instant", "elapsed"): (INSTANT, operator.sub),
        ("-", "instant", "instant"): (ELAPSED, operator.sub),
        ("+", "elapsed", "elapsed"): (ELAPSED, operator.add),
    }
    return table.get((op, *sides))


class _NoCalendar:
    def civil_date(self, instant: datetime) -> date:
        raise LookupError("a constant asks for no civil time")

    def instant(self, on: date, time: str) -> datetime:
        raise LookupError("a constant asks for no civil time")


class _NoReadings:
    def get(self, _: str, default: Sequence[Reading] = (), /) -> Sequence[Reading]:
        return default


NOTHING = View(None, None, {}, _NoReadings(), {}, _NoCalendar())
"""A view in which nothing is known: enough to weigh a constant."""

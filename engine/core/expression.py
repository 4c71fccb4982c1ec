"""Expression trees: what guards and updates are made of.

- A tree is data: it is printed, stored as JSON, compared and proved, and it is never a callable.
- Trees are built with Python's operators on declared inputs, variables, parameters and fields:
  `platelets < q(30, "10*3/uL")`, `(a > 1) & ~b`. Equality is a method (`rhythm.is_("sinus")`), so
  that `==` between two trees still asks whether they are the same tree.
- A window over readings says how far back it looks, and what zero and too few readings mean.
- Elapsed time and calendar spans are different types: four calendar days across a clock change
  last 95 hours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from engine.core.quantity import Quantity
from engine.core.quick import quick


class Truth(StrEnum):
    """What a guard weighs to. Stored: never rename a value."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@quick
@dataclass(frozen=True, slots=True)
class Span:
    """A civil span: whole months, clamped to the month's end, then whole days."""

    months: int = 0
    days: int = 0

    def __str__(self) -> str:
        parts = [
            f"{n} calendar {unit}{'' if n == 1 else 's'}"
            for n, unit in ((self.months, "month"), (self.days, "day"))
            if n
        ]
        return " and ".join(parts) or "0 calendar days"


def minutes(n: int) -> timedelta:
    """An elapsed time of `n` minutes."""
    return timedelta(minutes=n)


def hours(n: int) -> timedelta:
    """An elapsed time of `n` hours; never a calendar span."""
    return timedelta(hours=n)


def days(n: int) -> Span:
    """A span of `n` calendar days; for elapsed time say `hours(24 * n)`."""
    return Span(days=n)


def months(n: int) -> Span:
    """A span of `n` calendar months, clamped to the month's end."""
    return Span(months=n)


Value = Decimal | Quantity | bool | str | date | timedelta | Span | None
"""What a constant may hold; `None` unsets a variable."""


class Operand:
    """Python's operators, building trees. Declarations and trees both are operands."""

    __slots__ = ()

    def tree(self) -> Expression:
        """The tree that stands for this operand."""
        raise NotImplementedError

    def __lt__(self, other: Liftable) -> Compare:
        return Compare("<", self.tree(), lift(other))

    def __le__(self, other: Liftable) -> Compare:
        return Compare("<=", self.tree(), lift(other))

    def __gt__(self, other: Liftable) -> Compare:
        return Compare(">", self.tree(), lift(other))

    def __ge__(self, other: Liftable) -> Compare:
        return Compare(">=", self.tree(), lift(other))

    def is_(self, other: Liftable) -> Compare:
        """Equal to."""
        return Compare("==", self.tree(), lift(other))

    def is_not(self, other: Liftable) -> Compare:
        """Known, and not equal to."""
        return Compare("!=", self.tree(), lift(other))

    def one_of(self, *codes: str) -> OneOf:
        """Member of a fixed set of codes."""
        return OneOf(self.tree(), codes)

    def known(self) -> Known:
        """Whether there is a usable value: never unknown itself."""
        return Known(self.tree())

    def __add__(self, other: Liftable) -> Arithmetic:
        return Arithmetic("+", self.tree(), lift(other))

    def __sub__(self, other: Liftable) -> Arithmetic:
        return Arithmetic("-", self.tree(), lift(other))

    def __mul__(self, other: Liftable) -> Arithmetic:
        return Arithmetic("*", self.tree(), lift(other))

    def __and__(self, other: Operand) -> AllOf:
        left, right = self.tree(), other.tree()
        return AllOf(
            (
                *(left.items if isinstance(left, AllOf) else (left,)),
                *(right.items if isinstance(right, AllOf) else (right,)),
            )
        )

    def __or__(self, other: Operand) -> AnyOf:
        left, right = self.tree(), other.tree()
        return AnyOf(
            (
                *(left.items if isinstance(left, AnyOf) else (left,)),
                *(right.items if isinstance(right, AnyOf) else (right,)),
            )
        )

    def __invert__(self) -> Not:
        return Not(self.tree())

    def __bool__(self) -> bool:
        raise TypeError(
            "a guard has no truth of its own: use &, | and ~ instead of and, or and not"
        )


class Expression(Operand):
    """A node of a tree."""

    __slots__ = ()

    def tree(self) -> Expression:
        return self


Liftable = Operand | Value | int


def lift(value: Liftable) -> Expression:
    """The tree of an operand, or a constant. Floats are refused: guards compare exact decimals."""
    if isinstance(value, Operand):
        return value.tree()
    if isinstance(value, int) and not isinstance(value, bool):
        return Constant(Decimal(value))
    if isinstance(value, float):
        raise TypeError("floats are not exact: write the number as a string, such as q('0.5', 'L')")
    return Constant(value)


@dataclass(frozen=True, slots=True)
class Constant(Expression):
    """A value written in the workflow."""

    value: Value


@dataclass(frozen=True, slots=True)
class Latest(Expression):
    """The latest reading of an input at the event's time.

    Unknown when missing, older than `max_age` (the input's own unless said otherwise) or
    physically impossible. `since` and `until` bound when it was taken; a bounded one declares how
    far back it looks (`horizon`).
    """

    input: str
    max_age: timedelta | None = None
    since: Expression | None = None
    until: Expression | None = None
    horizon: timedelta | None = None


@dataclass(frozen=True, slots=True)
class TakenAt(Expression):
    """The instant at which the latest reading of an input was taken, however old it is."""

    input: str


@dataclass(frozen=True, slots=True)
class TakenOn(Expression):
    """The civil date at the site on which the latest reading of an input was taken."""

    input: str


@dataclass(frozen=True, slots=True)
class Remembered(Expression):
    """A variable of the course; unknown while unset."""

    variable: str


@dataclass(frozen=True, slots=True)
class Setting(Expression):
    """A parameter of the workflow."""

    parameter: str


@dataclass(frozen=True, slots=True)
class Sent(Expression):
    """A field of the event's data; unknown when it was not sent."""

    field: str


@dataclass(frozen=True, slots=True)
class SumOf(Expression):
    """The sum of one member over the items of a list field; unknown when an item lacks it."""

    field: str
    member: str


@dataclass(frozen=True, slots=True)
class Now(Expression):
    """The event's own time, as asserted: never the clock."""


@dataclass(frozen=True, slots=True)
class Today(Expression):
    """The civil date of the event's own time at the site."""


@dataclass(frozen=True, slots=True)
class LatestDay(Expression):
    """The civil date at the site of the latest time known, this event's included.

    Not before the day on which what the event tells was learnt, as far as the course can say.
    """


@dataclass(frozen=True, slots=True)
class Round(Expression):
    """The number of the current round, from 1."""


@dataclass(frozen=True, slots=True)
class Late(Expression):
    """Whether the event happened before something that was recorded earlier."""


@dataclass(frozen=True, slots=True)
class Revised(Expression):
    """Whether the event changes what was on record of an input before its latest reading.

    It corrects a reading, or brings one that was taken before another: whatever was added up as
    the readings came is to be added up again.
    """

    input: str


@dataclass(frozen=True, slots=True)
class Retrospective(Expression):
    """Whether the course was enrolled after the fact, from a publication or a paper chart."""


@dataclass(frozen=True, slots=True)
class OpenQuestion(Expression):
    """Whether a rule could not be weighed when it was last in scope."""

    rule: str


@dataclass(frozen=True, slots=True)
class CivilInstant(Expression):
    """The instant of a wall-clock time (`HH:MM`) on a civil date at the site."""

    on: Expression
    time: str


@dataclass(frozen=True, slots=True)
class Arithmetic(Expression):
    """Sum, difference or product; unknown when a side is."""

    op: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Extreme(Expression):
    """The least (`min`) or greatest (`max`) of several values; unknown when one is."""

    op: str
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Pick(Expression):
    """The item at a position, counted from 1; unknown outside the list."""

    index: Expression
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Choose(Expression):
    """One value when the condition is yes, another when it is no; unknown when it is unknown."""

    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Compare(Expression):
    """One comparison; unknown when a side is."""

    op: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class OneOf(Expression):
    """Membership in a fixed set of codes."""

    item: Expression
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known(Expression):
    """Whether a value is there and usable: yes or no, never unknown."""

    item: Expression


@dataclass(frozen=True, slots=True)
class AllOf(Expression):
    """Kleene conjunction: one no decides, otherwise one unknown leaves it unknown."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AnyOf(Expression):
    """Kleene disjunction: one yes decides, otherwise one unknown leaves it unknown."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not(Expression):
    """Kleene negation: the opposite of unknown is unknown."""

    item: Expression


@dataclass(frozen=True, slots=True)
class Sustained(Expression):
    """Whether the most recent run of readings that all satisfy a comparison is long enough.

    The run ends with the latest reading and has at least `count` readings, no two consecutive
    counted ones closer than `apart`, and at least `span` from the first to the last. Only readings
    within `horizon`, and not before `since`, are looked at. `zero` is the answer without any
    reading, `few` the answer when all readings satisfy the comparison but are not enough; a latest
    reading that does not satisfy it is a no.
    """

    input: str
    op: str
    threshold: Expression
    count: Expression
    span: Expression
    horizon: timedelta
    zero: Truth
    few: Truth
    since: Expression | None = None
    apart: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Total(Expression):
    """Whether the total of interval readings over the last `span` satisfies a comparison.

    The span ends with the latest reading; the readings' intervals must cover it completely, else
    the answer is `few` (`zero` without any reading).
    """

    input: str
    op: str
    threshold: Expression
    span: Expression
    horizon: timedelta
    zero: Truth
    few: Truth
    since: Expression | None = None


@dataclass(frozen=True, slots=True)
class Count(Expression):
    """How many readings of an input lie within the last `days` civil days, today included.

    `zero` says what no reading means: `NO` counts 0, `UNKNOWN` leaves the count unknown.
    """

    input: str
    days: Expression
    horizon: timedelta
    zero: Truth
    since: Expression | None = None


@dataclass(frozen=True, slots=True)
class Sum(Expression):
    """The sum of the readings of an input within `horizon`, and not before `since`.

    Unknown when one of them cannot be used, or when nobody knows whether it lies within. `zero`
    says what no reading means: `NO` sums up to 0, `UNKNOWN` leaves the sum unknown.
    """

    input: str
    horizon: timedelta
    zero: Truth
    since: Expression | None = None


def least(*items: Liftable) -> Extreme:
    """The least of several values."""
    return Extreme("min", tuple(lift(i) for i in items))


def greatest(*items: Liftable) -> Extreme:
    """The greatest of several values."""
    return Extreme("max", tuple(lift(i) for i in items))


def all_of(*items: Operand) -> AllOf:
    """Every one of them."""
    return AllOf(tuple(i.tree() for i in items))


def any_of(*items: Operand) -> AnyOf:
    """At least one of them."""
    return AnyOf(tuple(i.tree() for i in items))


def choose(condition: Operand, then: Liftable, otherwise: Liftable) -> Choose:
    """`then` when the condition is yes, `otherwise` when it is no."""
    return Choose(condition.tree(), lift(then), lift(otherwise))


def pick(index: Operand, *items: Liftable) -> Pick:
    """The item at a position, counted from 1."""
    return Pick(index.tree(), tuple(lift(i) for i in items))


def children(node: Expression) -> Iterable[Expression]:
    """The direct parts of a node, in reading order."""
    for name in node.__dataclass_fields__:  # type: ignore[attr-defined]  # every node is a dataclass
        part = getattr(node, name)
        if isinstance(part, Expression):
            yield part
        elif isinstance(part, tuple):
            yield from (item for item in part if isinstance(item, Expression))


def walk(node: Expression) -> Iterable[Expression]:
    """The node and everything below it, depth first."""
    yield node
    for child in children(node):
        yield from walk(child)

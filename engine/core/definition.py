"""The vocabulary of `workflows/`: a protocol is data.

A workflow is an extended finite-state machine: flat states grouped into stages, typed inputs with
units, course variables, parameters, events, transitions with requirements and updates, rules,
timers, visits and citations. Nothing here is callable and nothing here decides; `check` says what
makes a workflow well formed, `machine` and `decision` read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from engine.core.expression import (
    Expression,
    Latest,
    Operand,
    Remembered,
    Sent,
    Setting,
    TakenAt,
    TakenOn,
    Value,
)
from engine.core.kind import Type

SEMANTICS = 2
"""The version of the rules by which definitions written today are read. Each is read for ever.

1. A reading entered in error is unknown for as long as it is the latest; a count leaves out what
   cannot be used.
2. A reading entered in error is as if it had never been taken; a count is of what was taken, also
   where its value cannot be used.
"""

ANYWHERE = "*"
"""Every state of the workflow, where a place is asked for."""


class Provenance(StrEnum):
    """Whence a statement comes. Stored: never rename a value."""

    PAPER = "paper"
    PUBLISHED = "published"
    INFERRED = "inferred"
    LOCAL = "local"


class Waits(StrEnum):
    """For what a state waits, beside its events. Stored: never rename a value."""

    HOLD = "hold"
    DECISION = "decision"


class Kind(StrEnum):
    """What somebody sends: leave asked for, or a fact stated. Stored: never rename a value."""

    REQUEST = "request"
    REPORT = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """The sentence or table row that a statement rests on, and how directly it does."""

    source: str
    text: str
    provenance: Provenance = Provenance.PAPER


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A state of the machine, in exactly one stage. A closed one is left only by a reopening.

    `waits` says that treatment is held there, or that somebody has to decide: worklists ask.
    """

    name: str
    stage: str
    title: str = ""
    closed: bool = False
    waits: Waits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Input(Operand):
    """An observed quantity or fact.

    `kind` is `quantity` (with a UCUM `unit`), `number`, `code` (with its `codes`), `yesno` or
    `date`. `low` and `high` bound what is physically possible, in `unit`: outside, a reading is
    recorded but cannot be used. `max_age` is how long a reading is good for; `None` means for ever.
    An `interval` input is measured over a stretch of time that ends with the reading.
    """

    name: str
    kind: str
    unit: str | None = None
    codes: tuple[str, ...] = ()
    low: Decimal | None = None
    high: Decimal | None = None
    max_age: timedelta | None = None
    interval: bool = False
    loinc: str | None = None
    title: str = ""

    def tree(self) -> Expression:
        return Latest(self.name)

    def within(self, max_age: timedelta) -> Latest:
        """The latest reading, unknown when older than `max_age` instead of the input's own."""
        return Latest(self.name, max_age=max_age)

    def between(
        self,
        since: Operand,
        until: Operand | None = None,
        *,
        horizon: timedelta,
        max_age: timedelta | None = None,
    ) -> Latest:
        """The latest reading taken between two instants; its age counts to `until`."""
        end = until.tree() if until is not None else None
        return Latest(self.name, max_age, since.tree(), end, horizon)

    @property
    def taken_at(self) -> TakenAt:
        """When the latest reading was taken."""
        return TakenAt(self.name)

    @property
    def taken_on(self) -> TakenOn:
        """On which civil date the latest reading was taken."""
        return TakenOn(self.name)

    @property
    def type(self) -> Type:
        return Type(self.kind, self.unit, frozenset(self.codes) or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable(Operand):
    """What the course remembers. `per_round` ones return to `initial` when a round opens.

    `kind` as for `Input`, or `instant`.
    """

    name: str
    kind: str
    unit: str | None = None
    codes: tuple[str, ...] = ()
    initial: Value = None
    per_round: bool = False
    title: str = ""

    def tree(self) -> Expression:
        return Remembered(self.name)

    @property
    def type(self) -> Type:
        return Type(self.kind, self.unit, frozenset(self.codes) or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter(Operand):
    """A threshold or choice that a site may set, within `low` and `high`; part of the digest."""

    name: str
    value: Value
    low: Value = None
    high: Value = None
    site: bool = True
    title: str = ""
    cite: Citation | None = None

    def tree(self) -> Expression:
        return Setting(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field(Operand):
    """One member of an event's data.

    `kind` as for `Input`, or `instant`, `text` (erasable, never seen by a guard) or `list` (of
    objects with `members`). With `input`, what is sent becomes a reading of that input and takes
    its kind, unit and codes.
    """

    name: str
    kind: str = ""
    unit: str | None = None
    codes: tuple[str, ...] = ()
    input: str | None = None
    required: bool = False
    members: tuple[Field, ...] = ()
    low: Decimal | None = None
    high: Decimal | None = None
    title: str = ""

    def tree(self) -> Expression:
        return Sent(self.name)

    @property
    def type(self) -> Type:
        return Type(self.kind, self.unit, frozenset(self.codes) or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """That an event is signed, by its actor, and what that means.

    With `second` another person signs too, in one of the `roles` (the event's, where none is
    named), and means `second_meaning`. A report is recorded and waits for it; a request is not
    granted unless it was signed beforehand. `within` is how long a request may come after its
    signatures, and a signature after its report without being late.
    """

    meaning: str
    second: bool = False
    second_meaning: str = "verified"
    roles: tuple[str, ...] = ()
    within: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What may be sent, by whom, with which data.

    `updates` hold of a report however it is judged (the facts are added first). A request's
    `max_age` is how far back its `at` may lie. `timer` marks an event that only a timer sends.
    `reason_codes` are the codes accepted in `reason.code`; `reason_required` asks for one.
    """

    name: str
    kind: Kind
    roles: tuple[str, ...]
    fields: tuple[Field, ...] = ()
    updates: Mapping[str, Expression] = field(default_factory=dict)
    max_age: timedelta | None = None
    timer: bool = False
    reason_codes: tuple[str, ...] = ()
    reason_required: bool = False
    signature: Signature | None = None
    title: str = ""
    cite: Citation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A named condition with its citation."""

    name: str
    condition: Expression
    title: str
    cite: Citation


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A guard that must be yes to open a transition.

    A soft one may be passed by an event that names it, with one of the `codes` and a text, by one
    of the `roles`; a hard one never.
    """

    guard: str
    soft: bool = False
    roles: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A text for a clinician. It carries doses, so it is part of the identity of the workflow."""

    name: str
    text: str
    cite: Citation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """The way from states to a state, opened by an event whose requirements are all yes.

    `sources` are states, stages or `ANYWHERE`; no `target` means stay. The open one of the highest
    `priority` is taken. `deviation` marks where a report goes when nothing better is open;
    `opens_round` starts the next round; only a `reopens` one leaves a closed state. `messages`
    name what is sent to the outbox, `advice` what is delivered when it is taken.
    """

    name: str
    event: str
    sources: tuple[str, ...]
    target: str | None = None
    requires: tuple[Requirement, ...] = ()
    priority: int = 0
    updates: Mapping[str, Expression] = field(default_factory=dict)
    messages: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    deviation: bool = False
    opens_round: bool = False
    reopens: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What a rule asks for. `targets` maps states, stages or `ANYWHERE` to where the course goes.

    The most specific place wins: a state before its stage before `ANYWHERE`; a place without
    target moves nothing. The lowest `rank` that has a target moves the course.
    """

    name: str
    rank: int
    targets: Mapping[str, str] = field(default_factory=dict)
    message: str | None = None
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A guard that watches, and what it asks for when it is yes.

    In scope in the states, stages or `ANYWHERE` of `places`, and only at the events of `events`
    when there are any. Its updates are applied when it begins to hold, and whenever the event
    brought what it reads.
    """

    guard: str
    action: str
    places: tuple[str, ...] = (ANYWHERE,)
    events: tuple[str, ...] = ()
    updates: Mapping[str, Expression] = field(default_factory=dict)
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """Comes back as `event` at the instant that `due` gives, while the course is in `places`.

    Derived: armed when `due` is known and differs from the instant at which it last fired,
    cancelled when the course leaves its places.
    """

    name: str
    event: str
    due: Expression
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A due window, derived while the course is in `places`: dates at the site.

    `number` says which of a series is due (a slot, a cycle); `target`, `earliest` and `latest` are
    civil dates. `not_before` is an instant, where a minimum gap is counted in hours.
    """

    name: str
    places: tuple[str, ...]
    number: Expression
    earliest: Expression
    target: Expression
    latest: Expression
    not_before: Expression | None = None
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A versioned definition. `semantics` names the rules by which it is read, for ever."""

    name: str
    version: str
    title: str
    initial: str
    states: tuple[State, ...]
    inputs: tuple[Input, ...] = ()
    variables: tuple[Variable, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    events: tuple[Event, ...] = ()
    guards: tuple[Guard, ...] = ()
    transitions: tuple[Transition, ...] = ()
    actions: tuple[Action, ...] = ()
    rules: tuple[Rule, ...] = ()
    advice: tuple[Advice, ...] = ()
    timers: tuple[Timer, ...] = ()
    visits: tuple[Visit, ...] = ()
    roles: tuple[str, ...] = ()
    not_published: str | None = None
    """The override code by which a retrospective course may pass an unknown; never a no."""
    arrangers: tuple[str, ...] = ()
    """Who may omit or cease a visit; any role where nobody is named."""
    semantics: int = SEMANTICS

    @property
    def label(self) -> str:
        """`name@version`, as published."""
        return f"{self.name}@{self.version}"

    @property
    def disposers(self) -> tuple[str, ...]:
        """Who may dispose of an open finding: those who are trusted to pass a requirement.

        Where nothing may be passed, those who may omit a visit; else every role.
        """
        trusted = {r for t in self.transitions for q in t.requires if q.soft for r in q.roles}
        return tuple(role for role in self.roles if role in trusted) or self.arrangers or self.roles

    def stages(self) -> tuple[str, ...]:
        """The stages in the order in which the states name them."""
        return tuple(dict.fromkeys(state.stage for state in self.states))

    def trees(self) -> Iterator[Expression]:
        """Every tree of the workflow: guards, updates, timers and visits."""
        yield from (guard.condition for guard in self.guards)
        for updates in (
            *(event.updates for event in self.events),
            *(transition.updates for transition in self.transitions),
            *(rule.updates for rule in self.rules),
        ):
            yield from updates.values()
        yield from (timer.due for timer in self.timers)
        for visit in self.visits:
            yield from (visit.number, visit.earliest, visit.target, visit.latest)
            if visit.not_before is not None:
                yield visit.not_before

    def expand(self, places: tuple[str, ...]) -> tuple[str, ...]:
        """The states that a tuple of states, stages and `ANYWHERE` stands for, in state order."""
        wanted = set(places)
        return tuple(s.name for s in self.states if wanted & {s.name, s.stage, ANYWHERE})

    def with_parameters(self, **values: Value | int) -> Workflow:
        """The same workflow with parameters set by a site; another digest, hence another identity.

        Raises ValueError for a name that is no parameter or that a site may not set, and for a
        value of another type, of another dimension or outside the declared bounds.
        """
        known = {p.name: p for p in self.parameters}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"parameter {name!r}: expected one of {', '.join(sorted(known))}")
            known[name] = _set(known[name], value)
        return replace(self, parameters=tuple(known[p.name] for p in self.parameters))


def _set(parameter: Parameter, value: Value | int) -> Parameter:
    if not parameter.site:
        raise ValueError(
            f"parameter {parameter.name!r}: fixed by the protocol, a site may not set it"
        )
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if type(value) is not type(parameter.value):
        raise ValueError(
            f"parameter {parameter.name!r}: expected {type(parameter.value).__name__}, "
            f"found {type(value).__name__}"
        )
    low, high = parameter.low, parameter.high
    if (low is not None and _less(value, low)) or (high is not None and _less(high, value)):
        raise ValueError(f"parameter {parameter.name!r}: expected {low} to {high}")
    return replace(parameter, value=value)


def _less(one: Any, other: Any) -> bool:  # noqa: ANN401  # values of one type, as checked before
    return bool(one < other)

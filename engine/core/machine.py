"""A workflow, compiled once per digest; the only file that imports `transitions`.

- `transitions` picks the transition; it never holds a course. One machine serves every course and
  thread: each decision triggers it with a throw-away cursor.
- Only closures made here reach it: no callbacks by name, no enter or exit callbacks, no automatic
  transitions, never queued.
- It fires the first true candidate, so the cursor answers false to every candidate after one that
  could not be weighed: an unknown stop before a true "continue" stops.
- The closure of a candidate notes what it found on the cursor; `decision` looks there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from transitions import Event as _Event
from transitions import EventData
from transitions import Machine as _Machine
from transitions import Transition as _Transition
from transitions.core import Condition as _Condition

from engine.core import expression as tree
from engine.core.definition import (
    ANYWHERE,
    Action,
    Event,
    Guard,
    Kind,
    Requirement,
    Rule,
    Timer,
    Transition,
    Visit,
    Workflow,
)
from engine.core.event import (
    ARRANGEMENTS,
    CEASED,
    CORRECTIONS,
    CUSTODY,
    DISPOSED,
    FORMALITIES,
    KEEPERS,
    OMITTED,
    REVIEWED,
    REVIEWERS,
)
from engine.core.expression import Expression
from engine.core.forms import Forms
from engine.core.guard import compile_guard, compile_value
from engine.core.kind import DATE, INSTANT, NUMBER, Schema, Type
from engine.core.names import schema_of
from engine.core.reach import carried, horizons, reads, remembered
from engine.core.sheaf import Sheaf
from engine.core.view import NOTHING
from engine.core.weighing import Code
from engine.errors import DefinitionError


@dataclass(frozen=True, slots=True)
class Need:
    """A requirement with its compiled guard."""

    requirement: Requirement
    code: Code


@dataclass(frozen=True, slots=True)
class Step:
    """A transition with its compiled requirements and updates."""

    transition: Transition
    needs: tuple[Need, ...]
    updates: tuple[tuple[str, Code], ...]


@dataclass(frozen=True, slots=True)
class Watch:
    """A rule with its compiled guard and updates, as weighed at one event.

    `reads` are the inputs and fields that its guard looks at: when the event brings one, the rule
    is delivered again.
    """

    rule: Rule
    action: Action
    code: Code
    updates: tuple[tuple[str, Code], ...]
    reads: frozenset[str]
    at_event: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    """A timer with its compiled due time."""

    timer: Timer
    due: Code


@dataclass(frozen=True, slots=True)
class Due:
    """A visit with its compiled dates."""

    visit: Visit
    number: Code
    earliest: Code
    target: Code
    latest: Code
    not_before: Code | None


@dataclass(slots=True)
class Cursor:
    """One decision's throw-away model: `transitions` moves it, `weigh` answers for it."""

    state: str
    weigh: Callable[[Step], bool | None]
    taken: Step | None = None
    halted: bool = False
    failed: list[Step] = field(default_factory=list)

    def admit(self, step: Step) -> bool:
        """Whether this candidate may be taken; after an unknown one, only a deviation may."""
        if self.halted and not step.transition.deviation:
            return False
        answer = self.weigh(step)
        if answer is True:
            self.taken = step
            return True
        self.failed.append(step)
        if answer is None:
            self.halted = True
        return False


class Machine:
    """A compiled workflow: what `decide` reads. Immutable after construction, safe to share."""

    def __init__(self, workflow: Workflow, digest: str, prose_digest: str) -> None:
        self.workflow = workflow
        self.digest = digest
        self.prose_digest = prose_digest
        self.forms = Forms(workflow)
        self.forgets_errors = workflow.semantics >= 2
        self.events: Mapping[str, Event] = {event.name: event for event in workflow.events}
        self.states = {state.name: state for state in workflow.states}
        self.variables = {variable.name: variable for variable in workflow.variables}
        self.inputs = {declared.name: declared for declared in workflow.inputs}
        self.advice = {advice.name: advice for advice in workflow.advice}
        self.guards: Mapping[str, Guard] = {guard.name: guard for guard in workflow.guards}
        self.initial_values = {
            v.name: compile_value(tree.lift(v.initial), v.type, Schema(), []).run(NOTHING)
            for v in workflow.variables
        }
        self._looks = {guard.name: reads(guard.condition) for guard in workflow.guards}
        self._problems: list[str] = []
        self._schemas: dict[str | None, Schema] = {None: schema_of(workflow)}
        self._updates = {e.name: self._compiled(e.updates, e.name) for e in workflow.events}
        self._steps = self._compile_steps()
        self._machine = self._build()
        self._watches: dict[tuple[str, str | None], tuple[Watch, ...]] = {}
        self._sheaves: dict[tuple[str, str], Sheaf] = {}
        self._bound: dict[tuple[int, ...], Sheaf] = {}
        self._event_rules: dict[str, frozenset[str]] = {}
        self._actions = {action.name: action for action in workflow.actions}
        self._targets = {
            (action.name, state.name): _most_specific(action, state.name, state.stage)
            for action in workflow.actions
            for state in workflow.states
        }
        self._rules = self._compile_rules()
        self._alarms = self._placed(Alarm(t, self._value(t.due, INSTANT)) for t in workflow.timers)
        self._visits = self._placed(
            Due(
                v,
                self._value(v.number, NUMBER),
                self._value(v.earliest, DATE),
                self._value(v.target, DATE),
                self._value(v.latest, DATE),
                None if v.not_before is None else self._value(v.not_before, INSTANT),
            )
            for v in workflow.visits
        )
        self.timers = {timer.name: timer.event for timer in workflow.timers}
        self._steady = frozenset(name for name in self.states if self._is_steady(name))
        self.horizons = horizons(workflow)
        self.carried = carried(workflow)
        if self._problems:
            raise DefinitionError(workflow.label, dict.fromkeys(self._problems))

    def run(self, event: str, cursor: Cursor) -> None:
        """Let `transitions` pick: the cursor ends in the target, with what was taken and failed."""
        self._machine.events[event].trigger(cursor)

    def asks(self, event: str) -> bool:
        """Whether an event is a request, which may be refused; else it is a report."""
        declared = self.events.get(event)
        return event in _ASKED if declared is None else declared.kind is Kind.REQUEST

    def permitted(self, event: str) -> tuple[str, ...]:
        """The roles that may send an event, be it of the workflow or the engine's own."""
        declared = self.events.get(event)
        if declared is not None:
            return declared.roles
        if event == DISPOSED:
            return self.workflow.disposers
        if event in CUSTODY:
            return KEEPERS
        if event == REVIEWED:
            return (*self.workflow.disposers, *REVIEWERS)
        wanted = self.workflow.arrangers if event in (OMITTED, CEASED) else ()
        return wanted or self.workflow.roles

    def brings(self, event: str) -> bool:
        """Whether an event may bring readings: of the engine's own, a correction does."""
        declared = self.events.get(event)
        if declared is None:
            return event in CORRECTIONS
        return any(field.input is not None for field in declared.fields)

    def accepts(self, event: str, state: str) -> bool:
        """Whether any transition leads away from, or stays in, a state at an event."""
        return (event, state) in self._steps

    def steps(self, event: str, state: str) -> tuple[Step, ...]:
        """The candidates of an event in a state, in the order in which they are tried."""
        return self._steps.get((event, state), ())

    def events_from(self, state: str) -> tuple[str, ...]:
        """The events that have a transition in a state, in the order of the definition."""
        return tuple(name for name in self.events if (name, state) in self._steps)

    def opens(self, step: Step, state: str) -> bool:
        """Whether a transition leads from a closed state to one that is not."""
        target = step.transition.target or state
        return self.states[state].closed and not self.states[target].closed

    def updates(self, event: str) -> tuple[tuple[str, Code], ...]:
        """What an event's facts change, however it is judged."""
        return self._updates.get(event, ())

    def watches(self, state: str, event: str) -> tuple[Watch, ...]:
        """The rules in scope in a state at an event, in the order of the definition."""
        known = self._watches.get((state, event))
        if known is None:
            known = tuple(
                watch
                for rule, by_event in self._rules
                if state in self.workflow.expand(rule.places)
                and (watch := by_event.get(event) or by_event.get(None)) is not None
            )
            self._watches[state, event] = known
        return known

    def sheaf(self, state: str, event: str) -> Sheaf:
        """The guards of `watches`, to be weighed together; one for all that watch the same."""
        known = self._sheaves.get((state, event))
        if known is None:
            watches = self.watches(state, event)
            same = tuple(map(id, watches))
            known = self._bound.setdefault(same, Sheaf([watch.code for watch in watches]))
            self._sheaves[state, event] = known
        return known

    def event_rules(self, state: str) -> frozenset[str]:
        """The rules of a state that look only at certain events."""
        known = self._event_rules.get(state)
        if known is None:
            known = frozenset(
                rule.guard
                for rule, _ in self._rules
                if rule.events and state in self.workflow.expand(rule.places)
            )
            self._event_rules[state] = known
        return known

    def looking_at(self, input_name: str, event: str, states: tuple[str, str]) -> tuple[str, ...]:
        """The guards weighed at an event that look at an input: of ways out, and of rules."""
        before, after = states
        names = [n.requirement.guard for s in self.steps(event, before) for n in s.needs]
        names += [watch.rule.guard for watch in self.watches(after, event)]
        return tuple(dict.fromkeys(name for name in names if input_name in self._looks[name]))

    def target(self, action: str, state: str) -> str | None:
        """Where an action moves a course in this state; `None` where it moves nothing."""
        return self._targets[action, state]

    def alarms(self, state: str) -> tuple[Alarm, ...]:
        """The timers of a state."""
        return self._alarms.get(state, ())

    def visits(self, state: str) -> tuple[Due, ...]:
        """The visits of a state."""
        return self._visits.get(state, ())

    def steady(self, state: str) -> bool:
        """Whether the timers and visits of a state follow from what the course remembers alone."""
        return state in self._steady

    def guard(self, name: str, event: str | None) -> Code:
        """A guard compiled with the fields of an event."""
        return self._guard(name, event, "why")

    # --- compiling, once ------------------------------------------------------------------

    def _schema(self, event: str | None) -> Schema:
        if event not in self._schemas:
            self._schemas[event] = schema_of(self.workflow, event)
        return self._schemas[event]

    def _guard(self, name: str, event: str | None, place: str) -> Code:
        problems: list[str] = []
        code = compile_guard(self.guards[name].condition, self._schema(event), problems)
        self._problems += [f"guard {name} ({place}): {problem}" for problem in problems]
        return code

    def _value(self, node: Expression, kind: Type) -> Code:
        return compile_value(node, kind, self._schemas[None], self._problems)

    def _compiled(
        self, updates: Mapping[str, Expression], event: str | None
    ) -> tuple[tuple[str, Code], ...]:
        return tuple(
            (
                name,
                compile_value(node, self.variables[name].type, self._schema(event), self._problems),
            )
            for name, node in updates.items()
        )

    def _compile_steps(self) -> dict[tuple[str, str], tuple[Step, ...]]:
        found: dict[tuple[str, str], list[Step]] = {}
        for transition in self.workflow.transitions:
            step = Step(
                transition,
                tuple(
                    Need(r, self._guard(r.guard, transition.event, transition.name))
                    for r in transition.requires
                ),
                self._compiled(transition.updates, transition.event),
            )
            for state in self.workflow.expand(transition.sources):
                found.setdefault((transition.event, state), []).append(step)
        return {
            place: tuple(
                sorted(steps, key=lambda s: (s.transition.deviation, -s.transition.priority))
            )
            for place, steps in found.items()
        }

    def _build(self) -> _Machine:
        machine = _Choosing(
            model=None,
            states=list(self.states),
            initial=self.workflow.initial,
            auto_transitions=False,
            send_event=True,
        )
        for (event, state), steps in self._steps.items():
            for step in steps:
                machine.add_transition(
                    event, state, step.transition.target, conditions=[_condition(step)]
                )
        return machine

    def _compile_rules(self) -> list[tuple[Rule, dict[str | None, Watch]]]:
        compiled: list[tuple[Rule, dict[str | None, Watch]]] = []
        for rule in self.workflow.rules:
            action = self._actions[rule.action]
            looks = self._looks[rule.guard]
            by_event = {
                event: Watch(
                    rule,
                    action,
                    self._guard(rule.guard, event, "rule"),
                    self._compiled(rule.updates, event),
                    looks,
                    bool(rule.events),
                )
                for event in (rule.events or (None,))
            }
            compiled.append((rule, by_event))
        return compiled

    def _is_steady(self, state: str) -> bool:
        codes = [alarm.due for alarm in self.alarms(state)]
        for due in self.visits(state):
            codes += [due.number, due.earliest, due.target, due.latest]
            codes += [] if due.not_before is None else [due.not_before]
        return all(remembered(code.node) for code in codes)

    def _placed(self, items: Iterable[Any]) -> dict[str, tuple[Any, ...]]:
        found: dict[str, tuple[Any, ...]] = {}
        for item in items:
            declared: Timer | Visit = item.timer if isinstance(item, Alarm) else item.visit
            for state in self.workflow.expand(declared.places):
                found[state] = (*found.get(state, ()), item)
        return found


_ASKED = frozenset({*ARRANGEMENTS, *FORMALITIES, DISPOSED})
"""The engine's own events that ask leave."""


class _Closure(_Condition):
    """A condition that is there to be called: the library looks up how, each time it is asked."""

    def check(self, event_data: EventData) -> bool:
        """Whether it lets the candidate be taken."""
        return callable(self.func) and self.func(event_data) is True


class _Way(_Transition):
    """A candidate that asks for no callbacks, since there are none: the library asks five times."""

    condition_cls = _Closure

    def execute(self, event_data: EventData) -> bool:
        """Whether it was admitted; then the cursor is in its target."""
        if not self._eval_conditions(event_data):
            return False
        if self.dest is not None:
            # What `set_state` does, but that it looks up by its name what the state is called.
            setattr(event_data.model, event_data.machine.model_attribute, self.dest)
        return True


class _Asked(_Event):
    """An event that no callback prepares or follows, and that nothing waits behind."""

    def trigger(self, model: object, *args: object, **kwargs: object) -> bool:
        """Whether a candidate was admitted. Raises MachineError where there is none."""
        data = EventData(None, self, self.machine, model, args, kwargs)
        data.state = self.machine.get_model_state(model)
        if self._is_valid_source(data.state):
            self._process(data)
        return data.result is True


class _Choosing(_Machine):
    transition_cls = _Way
    event_cls = _Asked


def _condition(step: Step) -> Callable[[EventData], bool]:
    def admitted(data: EventData) -> bool:
        cursor = data.model
        if not isinstance(cursor, Cursor):
            raise TypeError("a machine is triggered by a Cursor")
        return cursor.admit(step)

    return admitted


def _most_specific(action: Action, state: str, stage: str) -> str | None:
    for place in (state, stage, ANYWHERE):
        if place in action.targets:
            target = action.targets[place]
            return None if target == state else target
    return None

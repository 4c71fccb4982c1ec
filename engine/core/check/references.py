"""The names that declarations use: each must be declared, and what is declared must be used.

Names inside trees are looked up when the trees are typed, in `trees`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine.core import expression as tree
from engine.core.check.problem import Problem
from engine.core.definition import ANYWHERE, Kind, Transition, Workflow
from engine.core.expression import Expression
from engine.core.names import target_of


def referred(workflow: Workflow) -> Iterator[Problem]:
    """Unknown names, and declarations that nothing uses."""
    yield from _Names(workflow).unknown()
    yield from _unused(workflow)


class _Names:
    """The declared names by kind, and what uses a name that is not among them."""

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        states = {state.name for state in workflow.states}
        self.known: Mapping[str, set[str]] = {
            "state": states,
            "state or stage": {ANYWHERE, *states, *workflow.stages()},
            "event": {event.name for event in workflow.events},
            "guard": {guard.name for guard in workflow.guards},
            "variable": {variable.name for variable in workflow.variables},
            "advice": {advice.name for advice in workflow.advice},
            "action": {action.name for action in workflow.actions},
            "role": set(workflow.roles),
        }

    def unknown(self) -> Iterator[Problem]:
        workflow = self.workflow
        yield from self._of("workflow", "state", (workflow.initial,), "initial ")
        for event in workflow.events:
            yield from self._of(f"event {event.name}", "variable", event.updates)
        for transition in workflow.transitions:
            yield from self._transition(transition)
        for action in workflow.actions:
            place = f"action {action.name}"
            yield from self._of(place, "state or stage", action.targets)
            yield from self._of(place, "state", action.targets.values())
        for rule in workflow.rules:
            place = f"rule {rule.guard}"
            yield from self._of(place, "guard", (rule.guard,))
            yield from self._of(place, "action", (rule.action,))
            yield from self._places(place, rule.places)
            yield from self._of(place, "event", rule.events)
            yield from self._of(place, "variable", rule.updates)
            yield from self._of(place, "advice", rule.advice)
        for timer in workflow.timers:
            yield from self._of(f"timer {timer.name}", "event", (timer.event,))
            yield from self._places(f"timer {timer.name}", timer.places)
        for visit in workflow.visits:
            yield from self._places(f"visit {visit.name}", visit.places)
        yield from self._of("workflow", "role", workflow.arrangers, "arrangers ")

    def _transition(self, transition: Transition) -> Iterator[Problem]:
        place = f"transition {transition.name}"
        yield from self._of(place, "event", (transition.event,))
        yield from self._places(place, transition.sources)
        if transition.target is not None:
            yield from self._of(place, "state", (transition.target,))
        yield from self._of(place, "guard", (r.guard for r in transition.requires))
        yield from self._of(place, "variable", transition.updates)
        yield from self._of(place, "advice", transition.advice)

    def _places(self, place: str, places: tuple[str, ...]) -> Iterator[Problem]:
        if not places:
            yield Problem(place, "in no state at all")
        yield from self._of(place, "state or stage", places)

    def _of(self, place: str, kind: str, names: Iterable[str], said: str = "") -> Iterator[Problem]:
        for name in names:
            if name not in self.known[kind]:
                yield Problem(place, f"unknown {said}{kind} {name!r}")


def _unused(workflow: Workflow) -> Iterator[Problem]:
    required = {r.guard for t in workflow.transitions for r in t.requires}
    watched = {rule.guard for rule in workflow.rules}
    for guard in workflow.guards:
        if guard.name not in required | watched:
            yield Problem(f"guard {guard.name}", "neither a requirement nor a rule uses it")
    yield from _unread(workflow)
    brought = {field.input for event in workflow.events for field in event.fields}
    for source in workflow.inputs:
        if source.name not in brought:
            yield Problem(f"input {source.name}", "no event brings it")
    yield from _undelivered(workflow)
    accepted = {transition.event for transition in workflow.transitions}
    armed = {timer.event for timer in workflow.timers}
    for event in workflow.events:
        if event.kind is Kind.REQUEST and event.name not in accepted:
            yield Problem(f"event {event.name}", "a request that no transition ever grants")
        if event.timer and event.name not in armed:
            yield Problem(f"event {event.name}", "no timer sends it")


def _unread(workflow: Workflow) -> Iterator[Problem]:
    parts = {part for root in workflow.trees() for part in tree.walk(root)}
    written = {name for updates in _updates(workflow) for name in updates}
    for variable in workflow.variables:
        if tree.Remembered(variable.name) not in parts:
            yield Problem(f"variable {variable.name}", "never read")
        if variable.name not in written:
            yield Problem(f"variable {variable.name}", "never written")
    for parameter in workflow.parameters:
        if tree.Setting(parameter.name) not in parts:
            yield Problem(f"parameter {parameter.name}", "never read: setting it changes nothing")


def _updates(workflow: Workflow) -> Iterator[Mapping[str, Expression]]:
    yield from (event.updates for event in workflow.events)
    yield from (transition.updates for transition in workflow.transitions)
    yield from (rule.updates for rule in workflow.rules)


def _undelivered(workflow: Workflow) -> Iterator[Problem]:
    delivered = {name for t in workflow.transitions for name in t.advice}
    delivered |= {name for rule in workflow.rules for name in rule.advice}
    for advice in workflow.advice:
        if advice.name not in delivered:
            yield Problem(f"advice {advice.name}", "never delivered")
    asked = {rule.action for rule in workflow.rules}
    for action in workflow.actions:
        if action.name not in asked:
            yield Problem(f"action {action.name}", "no rule asks for it")
    actions = {action.name: action for action in workflow.actions}
    for rule in workflow.rules:
        asked_for = actions.get(rule.action)
        if asked_for is None or rule.advice or rule.updates or asked_for.message:
            continue
        scope = set(workflow.expand(rule.places))
        if not any(target_of(asked_for, s) for s in workflow.states if s.name in scope):
            yield Problem(
                f"rule {rule.guard}", "does nothing: no target, advice, update or message"
            )

"""The states and the ways between them: where a course can come, and where it would be stuck."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from engine.core.check.problem import Problem
from engine.core.definition import Kind, Timer, Transition, Workflow
from engine.core.names import event_of, target_of


class Way(StrEnum):
    """By what a course moves along an arrow."""

    TRANSITION = "transition"
    DEVIATION = "deviation"
    RULE = "rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """One way from a state to a state, possibly the same. `name` is a transition's or a rule's.

    `event` is what opens a transition, `action` what a rule asks for.
    """

    source: str
    target: str
    way: Way
    name: str
    event: str | None = None
    action: str | None = None
    reopens: bool = False


def arrows(workflow: Workflow) -> tuple[Arrow, ...]:
    """Every way between declared states, in the order of the definition."""
    return (*_of_transitions(workflow), *_of_rules(workflow))


def connected(workflow: Workflow) -> Iterator[Problem]:
    """The problems of the graph: states that no way reaches or leaves, ways that never open."""
    found = arrows(workflow)
    yield from _unreached(workflow, found)
    yield from _closed_left(workflow, found)
    for transition in workflow.transitions:
        yield from _transition(transition, workflow)
    yield from _never_tried(workflow)
    for timer in workflow.timers:
        yield from _timer(timer, workflow)


def _of_transitions(workflow: Workflow) -> Iterator[Arrow]:
    states = {state.name for state in workflow.states}
    for transition in workflow.transitions:
        way = Way.DEVIATION if transition.deviation else Way.TRANSITION
        for source in workflow.expand(transition.sources):
            target = transition.target or source
            if target in states:
                yield Arrow(
                    source=source,
                    target=target,
                    way=way,
                    name=transition.name,
                    event=transition.event,
                    reopens=transition.reopens,
                )


def _of_rules(workflow: Workflow) -> Iterator[Arrow]:
    states = {state.name: state for state in workflow.states}
    actions = {action.name: action for action in workflow.actions}
    for rule in workflow.rules:
        action = actions.get(rule.action)
        if action is None:
            continue
        for source in workflow.expand(rule.places):
            target = target_of(action, states[source])
            if target is not None and target in states:
                yield Arrow(
                    source=source,
                    target=target,
                    way=Way.RULE,
                    name=rule.guard,
                    action=action.name,
                )


def _unreached(workflow: Workflow, found: tuple[Arrow, ...]) -> Iterator[Problem]:
    ways: dict[str, set[str]] = {state.name: set() for state in workflow.states}
    for arrow in found:
        ways[arrow.source].add(arrow.target)
    reached, waiting = set[str](), [workflow.initial]
    while waiting:
        name = waiting.pop()
        if name not in reached and name in ways:
            reached.add(name)
            waiting += ways[name]
    for state in workflow.states:
        if state.name not in reached:
            yield Problem(f"state {state.name}", "cannot be reached")
        if not state.closed and not ways[state.name] - {state.name}:
            yield Problem(f"state {state.name}", "a dead end: open, but nothing leads out of it")


def _closed_left(workflow: Workflow, found: tuple[Arrow, ...]) -> Iterator[Problem]:
    closed = {state.name for state in workflow.states if state.closed}
    left: dict[str, list[str]] = {}
    for arrow in found:
        if arrow.source in closed and arrow.target != arrow.source and not arrow.reopens:
            kind = "rule" if arrow.way is Way.RULE else "transition"
            left.setdefault(f"{kind} {arrow.name}", []).append(arrow.source)
    for place, states in left.items():
        yield Problem(place, f"leaves {_listed(states)}, closed, without reopening")


def _transition(transition: Transition, workflow: Workflow) -> Iterator[Problem]:
    place = f"transition {transition.name}"
    event = event_of(workflow, transition.event)
    if transition.deviation and event is not None and event.kind is Kind.REQUEST:
        yield Problem(place, "a deviation, but a request that is not granted is refused")
    closed = {state.name for state in workflow.states if state.closed}
    if transition.reopens and not closed & set(workflow.expand(transition.sources)):
        yield Problem(place, "reopens, but starts from no closed state")


def _never_tried(workflow: Workflow) -> Iterator[Problem]:
    """A transition below one that asks for nothing is never reached in the states they share."""
    for lower in workflow.transitions:
        above = [
            t
            for t in workflow.transitions
            if t.event == lower.event
            and not t.requires
            and (t.deviation, -t.priority) < (lower.deviation, -lower.priority)
        ]
        covered = {name for t in above for name in workflow.expand(t.sources)}
        sources = workflow.expand(lower.sources)
        if sources and covered.issuperset(sources):
            names = ", ".join(t.name for t in above)
            yield Problem(
                f"transition {lower.name}", f"never tried, since nothing keeps {names} closed"
            )


def _timer(timer: Timer, workflow: Workflow) -> Iterator[Problem]:
    place = f"timer {timer.name}"
    event = event_of(workflow, timer.event)
    if event is None:
        return
    if not event.timer:
        yield Problem(place, f"event {event.name!r} is not declared as a timer's")
    accepting = {
        name
        for transition in workflow.transitions
        if transition.event == event.name
        for name in workflow.expand(transition.sources)
    }
    deaf = [name for name in workflow.expand(timer.places) if name not in accepting]
    if deaf:
        yield Problem(place, f"no transition takes {event.name!r} in {_listed(deaf)}")


def _listed(names: list[str]) -> str:
    return ", ".join(dict.fromkeys(names))

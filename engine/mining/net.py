"""A workflow as a Petri net: a place for each state, one token, and a move for each way.

- What opens a course puts the token where it begins: in the initial state, or wherever a course
  that is adopted stands already.
- A transition is labelled by its name; a rule that moves the course by its action and its name. A
  label occurs once for each state that it leads from, so one that is enabled is the only one.
- Departures from the protocol are no part of it: a report that a guard would have said no to is
  flagged, because nothing in the net has its label or because the token is elsewhere.
- A course is over in a closed state, and in any other it is on its way. Both may end: silent moves
  lead from every state to `end`. A log that stops in the middle is therefore no fault of the
  course. With `finished` they lead from closed states alone, and then a course that is still on its
  way does not fit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.core.check.graph import Way, arrows
from engine.core.definition import State, Workflow
from engine.core.event import ADOPTED, ENROLLED

START, END = "start", "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the token can be. `state` is unset for the two ends."""

    id: str
    title: str
    state: State | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A way of the token; a silent one has no label. `name` says what it stands for."""

    id: str
    source: str
    target: str
    name: str
    label: str | None
    way: Way | None = None

    @property
    def stays(self) -> bool:
        """Whether the token comes back to where it was."""
        return self.source == self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Net:
    """A net with one token, from `start` to `end`."""

    workflow: Workflow
    places: tuple[Place, ...]
    moves: tuple[Move, ...]


def net_of(
    workflow: Workflow, *, finished: bool = False, departures: bool = False, stays: bool = True
) -> Net:
    """The net of a workflow.

    With `finished` only a closed state is an end. `departures` adds where reports go that a guard
    would have said no to; without `stays`, what leaves the state as it is is left out.
    """
    places = (
        Place(id=START, title="start"),
        *(Place(id=place_of(s.name), title=s.title or s.name, state=s) for s in workflow.states),
        Place(id=END, title="end"),
    )
    found: list[tuple[str, str, str, str | None, Way | None]] = [
        (START, place_of(workflow.initial), ENROLLED, ENROLLED, None)
    ]
    found += [(START, place_of(s.name), ADOPTED, ADOPTED, None) for s in workflow.states]
    for arrow in arrows(workflow):
        if arrow.way is Way.DEVIATION and not departures:
            continue
        if arrow.source == arrow.target and not stays:
            continue
        label = arrow.name
        if arrow.way is Way.RULE:
            label = moved(arrow.action or "", arrow.name)
        found.append((place_of(arrow.source), place_of(arrow.target), label, label, arrow.way))
    for state in workflow.states:
        if state.closed or not finished:
            name = f"over: {state.name}" if state.closed else f"on its way: {state.name}"
            found.append((place_of(state.name), END, name, None, None))
    moves = tuple(
        Move(id=f"move.{n}", source=source, target=target, name=name, label=label, way=way)
        for n, (source, target, name, label, way) in enumerate(found, 1)
    )
    return Net(workflow=workflow, places=places, moves=moves)


def place_of(state: str) -> str:
    """The place of a state: a name that XML takes for an identity.

    >>> place_of("on_hold"), place_of("on hold")
    ('state.on_hold', 'state.on.20.hold')
    """
    return "state." + _STRANGE.sub(lambda found: f".{ord(found[0]):x}.", state)


def moved(action: str, rule: str) -> str:
    """The label of a rule that moves a course.

    >>> moved("hold", "enzymes_elevated")
    'hold: enzymes_elevated'
    """
    return f"{action}: {rule}"


_STRANGE = re.compile(r"[^A-Za-z0-9_-]")

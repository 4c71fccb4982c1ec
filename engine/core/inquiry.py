"""Questions that write nothing: what may happen next, and why something may not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from engine.core import definition
from engine.core.decision import decide
from engine.core.definition import Kind
from engine.core.encoding import Json
from engine.core.event import Actor, Event
from engine.core.expression import Truth
from engine.core.finding import explain, lacking
from engine.core.machine import Machine, Step
from engine.core.outcome import Decision, Weighed
from engine.core.sight import view_of
from engine.core.snapshot import Snapshot
from engine.core.weighing import truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One event that could be sent now, and how far its requirements are met without its data.

    `verdict` is yes when nothing is in the way, unknown when the answer depends on what is sent or
    is still missing, no when a requirement is not met. `requirements` are those that are not yes.
    `signature` is what the event asks to be signed, as `asked_json` has it: no verdict is about it.
    """

    event: str
    kind: Kind
    title: str
    transition: str
    target: str
    verdict: Truth
    requirements: tuple[Weighed, ...]
    roles: tuple[str, ...]
    signature: Json = None


def asked_json(declared: definition.Event) -> Json:
    """Which signatures an event asks for, as it is shown; `None` for none.

    A request is signed `beforehand`, a report `afterwards`. `second` is another person's.
    """
    asked = declared.signature
    if asked is None:
        return None
    other = {"meaning": asked.second_meaning, "roles": list(asked.roles or declared.roles)}
    return {
        "meaning": asked.meaning,
        "when": "beforehand" if declared.kind is Kind.REQUEST else "afterwards",
        "second": other if asked.second else None,
        "within_seconds": None if asked.within is None else int(asked.within.total_seconds()),
    }


def what_next(
    machine: Machine, snapshot: Snapshot, blank: Callable[[str], Event]
) -> tuple[Option, ...]:
    """What could be sent now: requests with the best way that is open to each, then reports.

    `blank` makes an event of a name without data, at the time for which the question is asked.
    """
    found = [
        option
        for name in machine.events_from(snapshot.state)
        if (option := _option(machine, snapshot, blank(name))) is not None
    ]
    return tuple(sorted(found, key=lambda o: (o.kind is Kind.REPORT, _RANK[o.verdict])))


def why_not(machine: Machine, snapshot: Snapshot, event: Event) -> Decision:
    """The decision that an event would get now, with its findings; nothing is written."""
    return decide(machine, snapshot, event)


def blank(machine: Machine, course: str, name: str, at: datetime) -> Event:
    """An event without data: what would be said if somebody sent it now."""
    declared = machine.events[name]
    return Event(
        id="-",
        course=course,
        name=name,
        at=at,
        actor=Actor(id="-", role=declared.roles[0]),
        data={},
        readings=(),
        reason=None,
        override=None,
        expected_revision=None,
        body={},
    )


_RANK = {Truth.YES: 0, Truth.UNKNOWN: 1, Truth.NO: 2}


def _option(machine: Machine, snapshot: Snapshot, event: Event) -> Option | None:
    declared = machine.events[event.name]
    if declared.timer:
        return None
    ways = [
        _way(step, snapshot, event)
        for step in machine.steps(event.name, snapshot.state)
        if not step.transition.deviation
    ]
    if not ways:
        return None
    step, verdict, kept_by = min(ways, key=lambda way: _RANK[way[1]])
    return Option(
        event=event.name,
        kind=declared.kind,
        title=declared.title,
        transition=step.transition.name,
        target=step.transition.target or snapshot.state,
        verdict=verdict,
        requirements=kept_by,
        roles=declared.roles,
        signature=asked_json(declared),
    )


def _way(step: Step, snapshot: Snapshot, event: Event) -> tuple[Step, Truth, tuple[Weighed, ...]]:
    view = view_of(snapshot, event)
    kept_by: list[Weighed] = []
    for need in step.needs:
        answer = need.code.run(view)
        if answer is not True:
            kept_by.append(
                Weighed(
                    guard=need.requirement.guard,
                    verdict=truth(answer),
                    findings=explain(need.code, answer, view),
                    missing=lacking(need.code, view),
                )
            )
    worst = max((w.verdict for w in kept_by), key=_RANK.__getitem__, default=Truth.YES)
    return step, worst, tuple(kept_by)

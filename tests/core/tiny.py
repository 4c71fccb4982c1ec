"""Workflows of a few lines: each test says what it is about and takes the rest from here.

There are two inputs, `level` (a number from 0 to 100, good for an hour) and `colour`; the states
`low` and `high` of the stage `running`, `halted` of the stage `stopping`, and the closed `over`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from engine.core.definition import (
    ANYWHERE,
    Action,
    Advice,
    Citation,
    Event,
    Field,
    Guard,
    Input,
    Kind,
    Provenance,
    Requirement,
    Rule,
    State,
    Timer,
    Transition,
    Variable,
    Visit,
    Workflow,
)
from engine.core.expression import Operand, hours

CITE = Citation(source="Made up", text="For this test.", provenance=Provenance.LOCAL)

level = Input(name="level", kind="number", low=Decimal(0), high=Decimal(100), max_age=hours(1))
colour = Input(name="colour", kind="code", codes=("red", "green", "blue"))

ACTIONS = (
    Action(name="halt", rank=1, targets={"running": "halted"}),
    Action(name="raise", rank=2, targets={"low": "high"}),
    Action(name="tell", rank=3, message="told"),
)
ROLES = ("worker", "chief")

rise = Event(name="rise", kind=Kind.REQUEST, roles=ROLES, max_age=hours(24),
             fields=(Field(name="amount", kind="number"),))  # fmt: skip
told = Event(
    name="told",
    kind=Kind.REPORT,
    roles=ROLES,
    fields=(Field(name="level", input="level"), Field(name="colour", input="colour")),
)
noted = Event(name="noted", kind=Kind.REPORT, roles=ROLES,
              fields=(Field(name="amount", kind="number"),))  # fmt: skip
fell = Event(name="fell", kind=Kind.REPORT, roles=ROLES)
halts = Event(name="halts", kind=Kind.REPORT, roles=ROLES)
ended = Event(name="ended", kind=Kind.REPORT, roles=ROLES)
rang = Event(name="rang", kind=Kind.REPORT, roles=("engine",), timer=True)

WAYS = {
    "rise": Transition(name="rise", event="rise", sources=("low",), target="high"),
    "told": Transition(name="told", event="told", sources=(ANYWHERE,)),
    "noted": Transition(name="noted", event="noted", sources=(ANYWHERE,)),
    "fell": Transition(name="fell", event="fell", sources=("high", "halted"), target="low"),
    "halts": Transition(name="halts", event="halts", sources=("running",), target="halted"),
    "ended": Transition(
        name="ended", event="ended", sources=("running", "stopping"), target="over"
    ),
}


def tiny(
    *,
    guards: Mapping[str, Operand] | None = None,
    ways: Iterable[Transition] = (),
    rules: Iterable[Rule] = (),
    variables: Iterable[Variable] = (),
    timers: Iterable[Timer] = (),
    visits: Iterable[Visit] = (),
    updates: Mapping[str, Mapping[str, Operand]] | None = None,
    **more: Any,
) -> Workflow:
    """A workflow with these guards, rules and variables.

    The `ways` of an event take the place of its usual one. `updates` are by event. Advice is
    declared as the rules name it.
    """
    changed = {way.event for way in ways}
    rules = tuple(rules)
    events = [rise, told, noted, fell, halts, ended, *([rang] if timers else [])]
    usual = [way for way in WAYS.values() if way.event not in changed]
    return replace(
        Workflow(
            name="tiny",
            version="1",
            title="Tiny",
            initial="low",
            states=(
                State(name="low", stage="running"),
                State(name="high", stage="running"),
                State(name="halted", stage="stopping"),
                State(name="over", stage="ending", closed=True),
            ),
            inputs=(level, colour),
            variables=tuple(variables),
            events=tuple(
                replace(
                    e, updates={n: t.tree() for n, t in (updates or {}).get(e.name, {}).items()}
                )
                for e in events
            ),
            guards=tuple(
                Guard(name=name, condition=condition.tree(), title=name, cite=CITE)
                for name, condition in (guards or {}).items()
            ),
            transitions=(*ways, *usual),
            actions=tuple(a for a in ACTIONS if any(rule.action == a.name for rule in rules)),
            rules=rules,
            advice=tuple(
                Advice(name=name, text=name)
                for name in dict.fromkeys(name for rule in rules for name in rule.advice)
            ),
            timers=tuple(timers),
            visits=tuple(visits),
            roles=ROLES,
            not_published="not-published",
        ),
        **more,
    )


def way(name: str, *requires: Requirement | str, **how: Any) -> Transition:
    """The usual way of an event, changed: other requirements, another name, target, priority."""
    usual = WAYS.get(how.pop("event", name), WAYS["noted"])
    needs = tuple(Requirement(guard=r) if isinstance(r, str) else r for r in requires)
    return replace(usual, name=name, requires=needs, **how)


def soft(guard: str, *, roles: tuple[str, ...] = ("chief",),
         codes: tuple[str, ...] = ("urgent",)) -> Requirement:  # fmt: skip
    """A requirement that the chief may pass as urgent."""
    return Requirement(guard=guard, soft=True, roles=roles, codes=codes)


def n_of(name: str, initial: int = 0, *, per_round: bool = False) -> Variable:
    """A number that the course remembers."""
    return Variable(name=name, kind="number", initial=Decimal(initial), per_round=per_round)


def yes_no(name: str) -> Variable:
    """A yes or no that the course remembers, unset at first."""
    return Variable(name=name, kind="yesno")

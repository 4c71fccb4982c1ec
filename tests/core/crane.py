"""A small workflow that is well formed, and the means to break one thing in it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from engine.core.check import check
from engine.core.definition import (
    Action,
    Advice,
    Citation,
    Event,
    Field,
    Guard,
    Input,
    Kind,
    Parameter,
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
from engine.core.expression import CivilInstant, Expression, Today, days, hours
from engine.core.quantity import q

CITE = Citation(source="House rules, 1", text="Lift no more than permitted.",
                provenance=Provenance.LOCAL)  # fmt: skip

load = Input(name="load", kind="quantity", unit="kg", low=Decimal(0), high=Decimal(500),
             max_age=hours(1))  # fmt: skip
wind = Input(name="wind", kind="code", codes=("calm", "breeze", "gale"))
limit = Parameter(name="limit", value=q("100", "kg"), low=q("10", "kg"), high=q("200", "kg"))
lifts = Variable(name="lifts", kind="number", initial=Decimal(0))
checked_on = Variable(name="checked_on", kind="date")

CRANE = Workflow(
    name="crane",
    version="1",
    title="A crane",
    initial="idle",
    states=(
        State(name="idle", stage="work"),
        State(name="lifting", stage="work"),
        State(name="stopped", stage="rest"),
        State(name="retired", stage="end", closed=True),
    ),
    inputs=(load, wind),
    variables=(lifts, checked_on),
    parameters=(limit,),
    roles=("driver", "chief"),
    events=(
        Event(name="lift", kind=Kind.REQUEST, roles=("driver",), max_age=hours(1)),
        Event(
            name="weighed",
            kind=Kind.REPORT,
            roles=("driver",),
            fields=(Field(name="load", input="load"), Field(name="wind", input="wind")),
        ),
        Event(name="lowered", kind=Kind.REPORT, roles=("driver", "chief")),
        Event(name="checked", kind=Kind.REPORT, roles=("chief",)),
        Event(name="scrapped", kind=Kind.REPORT, roles=("chief",)),
        Event(name="check_missed", kind=Kind.REPORT, roles=("engine",), timer=True),
    ),
    guards=(
        Guard(name="within_limit", condition=load <= limit, title="Within the limit", cite=CITE),
        Guard(name="calm", condition=wind.is_("calm"), title="No wind", cite=CITE),
        Guard(name="gale", condition=wind.is_("gale"), title="A gale", cite=CITE),
    ),
    transitions=(
        Transition(
            name="start",
            event="lift",
            sources=("idle",),
            target="lifting",
            requires=(
                Requirement(guard="within_limit"),
                Requirement(guard="calm", soft=True, roles=("chief",), codes=("urgent",)),
            ),
            updates={"lifts": lifts + 1},
        ),
        Transition(name="weigh", event="weighed", sources=("work",)),
        Transition(name="lower", event="lowered", sources=("lifting",), target="idle"),
        Transition(
            name="clear",
            event="checked",
            sources=("idle", "stopped"),
            target="idle",
            updates={"checked_on": Today()},
        ),
        Transition(name="expire", event="check_missed", sources=("work",), target="stopped"),
        Transition(name="scrap", event="scrapped", sources=("stopped",), target="retired"),
    ),
    actions=(Action(name="stop", rank=1, targets={"work": "stopped"}),),
    rules=(Rule(guard="gale", action="stop", places=("work",), advice=("leave",)),),
    advice=(Advice(name="leave", text="Leave the cabin.", cite=CITE),),
    timers=(
        Timer(
            name="check",
            event="check_missed",
            due=CivilInstant(checked_on + days(30), "18:00"),
            places=("work",),
        ),
    ),
    visits=(
        Visit(
            name="check",
            places=("work",),
            number=lifts.tree(),
            earliest=checked_on + days(20),
            target=checked_on + days(25),
            latest=checked_on + days(30),
        ),
    ),
)


def said(workflow: Workflow) -> list[str]:
    """Every problem, as it is printed."""
    return [str(problem) for problem in check(workflow)]


def amended(section: str, name: str, workflow: Workflow = CRANE, **changes: Any) -> Workflow:
    """The workflow with one declaration changed."""
    key = "guard" if section == "rules" else "name"
    items = tuple(
        replace(item, **changes) if getattr(item, key) == name else item
        for item in getattr(workflow, section)
    )
    return replace(workflow, **{section: items})


def extended(workflow: Workflow = CRANE, **sections: Any) -> Workflow:
    """The workflow with further declarations, one tuple a section."""
    return replace(workflow, **{
        section: getattr(workflow, section) + items for section, items in sections.items()
    })  # fmt: skip


def watching(condition: Expression, workflow: Workflow = CRANE, **rule: Any) -> Workflow:
    """The workflow with one more rule, `watched`, that weighs a condition."""
    return extended(
        workflow,
        guards=(Guard(name="watched", condition=condition, title="Watched", cite=CITE),),
        rules=(Rule(guard="watched", action="stop", places=("work",), **rule),),
    )


def sending(field: Field, **sections: Any) -> Workflow:
    """The workflow whose event `weighed` has one more field."""
    weighed = next(event for event in CRANE.events if event.name == "weighed")
    return amended("events", "weighed", extended(**sections), fields=(*weighed.fields, field))

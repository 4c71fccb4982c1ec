"""What the names in a workflow stand for: the one place where a tree's names are looked up.

A name whose declaration is broken has the type `BROKEN`, so that a tree that uses it is not blamed
for it as well; `check` blames the declaration.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from engine.core.definition import ANYWHERE, Action, Event, Field, Input, State, Workflow
from engine.core.expression import Value
from engine.core.kind import BROKEN, InputType, Schema, Type, constant
from engine.core.quantity import UnitError, dimension

INPUT_KINDS = ("quantity", "number", "code", "yesno", "date")
VARIABLE_KINDS = (*INPUT_KINDS, "instant")
FIELD_KINDS = (*VARIABLE_KINDS, "text", "list")
ENGINE_ROLE = "engine"
"""The role of the events that only a timer sends; it needs no declaration."""
ENGINE_EVENTS = "course."
"""Events whose names begin so belong to the engine, outside every definition."""

NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+")
"""A name of several words, as it stands in a condition."""


def schema_of(workflow: Workflow, event: str | None = None) -> Schema:
    """The names that a tree of the workflow may use; fields only where one event is meant.

    A field bound to an input has the input's type. Texts are left out: no guard reads them.
    """
    inputs = {i.name: i for i in workflow.inputs}
    sent = event_of(workflow, event)
    fields = [] if sent is None else [f for f in sent.fields if f.kind != "text"]
    return Schema(
        inputs={
            name: InputType(type=sound(i.type), max_age=i.max_age, interval=i.interval)
            for name, i in inputs.items()
        },
        variables={v.name: sound(v.type) for v in workflow.variables},
        parameters={p.name: _constant(p.value) for p in workflow.parameters},
        fields={f.name: field_type(f, inputs) for f in fields},
        members={
            f.name: {m.name: sound(m.type) for m in f.members if m.kind != "text"}
            for f in fields
            if f.kind == "list"
        },
        rules=frozenset(rule.guard for rule in workflow.rules),
        semantics=workflow.semantics,
    )


def field_type(field: Field, inputs: Mapping[str, Input]) -> Type:
    """What a guard sees of a field: its own type, or that of the input that it is bound to."""
    if field.input is None:
        return sound(field.type)
    return sound(inputs[field.input].type) if field.input in inputs else BROKEN


def event_of(workflow: Workflow, name: str | None) -> Event | None:
    """The event of that name, if there is one."""
    return next((event for event in workflow.events if event.name == name), None)


def target_of(action: Action, state: State) -> str | None:
    """Where an action moves a course that is in this state; `None` where it moves nothing.

    The most specific place wins: the state, then its stage, then `ANYWHERE`.
    """
    for place in (state.name, state.stage, ANYWHERE):
        if place in action.targets:
            target = action.targets[place]
            return None if target == state.name else target
    return None


def sound(declared: Type) -> Type:
    """The type as declared, or `BROKEN` where its kind or unit cannot be used."""
    if declared.kind not in FIELD_KINDS or (declared.kind == "quantity") != bool(declared.unit):
        return BROKEN
    if declared.unit is None:
        return declared
    try:
        dimension(declared.unit)
    except UnitError:
        return BROKEN
    return declared


def _constant(value: Value) -> tuple[Type, Any]:
    try:
        kind, held = constant(value)
    except TypeError:
        return BROKEN, None
    return (sound(kind) if kind.kind == "quantity" else kind), held


def titles(workflow: Workflow) -> dict[str, str]:
    """What fields, parameters, variables and inputs are called, by name, where they have titles."""
    declared = [(f.name, f.title) for event in workflow.events for f in event.fields]
    declared += [(p.name, p.title) for p in workflow.parameters]
    declared += [(v.name, v.title) for v in workflow.variables]
    declared += [(i.name, i.title) for i in workflow.inputs]
    return {name: title for name, title in declared if title}


def spoken(said: str, called: Callable[[str], str | None]) -> str:
    """A condition with its names as people say them: in quotes what they are called, else in words.

    >>> spoken("heart_rate > 130 and rhythm is atrial_flutter", {"heart_rate": "Heart rate"}.get)
    '“Heart rate” > 130 and rhythm is atrial flutter'
    """

    def word(found: re.Match[str]) -> str:
        title = called(found[0])
        return f"“{title}”" if title else found[0].replace("_", " ")

    return NAME.sub(word, said)

"""Each declaration by itself: kinds, units, ranges, codes, roles, and names declared twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta

from engine.core import expression as tree
from engine.core.check.problem import Problem
from engine.core.definition import (
    ANYWHERE,
    SEMANTICS,
    Event,
    Field,
    Input,
    Kind,
    Parameter,
    Requirement,
    Signature,
    Variable,
    Workflow,
)
from engine.core.expression import Value
from engine.core.guard import compile_value
from engine.core.kind import BROKEN, Schema, constant
from engine.core.names import (
    ENGINE_EVENTS,
    ENGINE_ROLE,
    FIELD_KINDS,
    INPUT_KINDS,
    VARIABLE_KINDS,
    sound,
)
from engine.core.phrase import value_text
from engine.core.quantity import UnitError, convertible, dimension
from engine.core.wire import NAME

_ORDERED = ("number", "quantity", "elapsed", "date")


def declared(workflow: Workflow) -> Iterator[Problem]:
    """The problems of the declarations, each looked at for itself."""
    if not 1 <= workflow.semantics <= SEMANTICS:
        known = f"only 1 to {SEMANTICS}"
        yield Problem("workflow", f"semantics {workflow.semantics} are not known, {known}")
    yield from _twice(workflow)
    yield from _places(workflow)
    for source in workflow.inputs:
        yield from _input(source)
    for variable in workflow.variables:
        yield from _variable(variable)
    for parameter in workflow.parameters:
        yield from _parameter(parameter)
    for event in workflow.events:
        yield from _event(event, workflow)
    for transition in workflow.transitions:
        for requirement in transition.requires:
            place = f"transition {transition.name}, requirement {requirement.guard}"
            yield from _requirement(place, requirement, workflow)


def _twice(workflow: Workflow) -> Iterator[Problem]:
    sections: dict[str, Iterable[str]] = {
        "state": (s.name for s in workflow.states),
        "input": (i.name for i in workflow.inputs),
        "variable": (v.name for v in workflow.variables),
        "parameter": (p.name for p in workflow.parameters),
        "event": (e.name for e in workflow.events),
        "guard": (g.name for g in workflow.guards),
        "transition": (t.name for t in workflow.transitions),
        "action": (a.name for a in workflow.actions),
        "rule": (r.guard for r in workflow.rules),
        "advice": (a.name for a in workflow.advice),
        "timer": (t.name for t in workflow.timers),
        "visit": (v.name for v in workflow.visits),
        "role": workflow.roles,
    }
    for event in workflow.events:
        sections[f"event {event.name}, field"] = (f.name for f in event.fields)
        for field in event.fields:
            sections[f"event {event.name}, field {field.name}, member"] = (
                m.name for m in field.members
            )
    for transition in workflow.transitions:
        sections[f"transition {transition.name}, requirement"] = (
            r.guard for r in transition.requires
        )
    for section, names in sections.items():
        for name in _repeated(names):
            yield Problem(f"{section} {name}", "declared twice")
    ranks = Counter(action.rank for action in workflow.actions)
    for action in workflow.actions:
        if ranks[action.rank] > 1:
            yield Problem(f"action {action.name}", f"rank {action.rank} is that of another action")


def _places(workflow: Workflow) -> Iterator[Problem]:
    sizes = Counter(state.stage for state in workflow.states)
    for state in workflow.states:
        if ANYWHERE in (state.name, state.stage):
            yield Problem(f"state {state.name}", f"{ANYWHERE!r} stands for every state")
        if sizes[state.name] > 1 or (sizes[state.name] == 1 and state.stage != state.name):
            yield Problem(f"state {state.name}", "named like a stage with other states in it")


def _input(source: Input) -> Iterator[Problem]:
    place = f"input {source.name}"
    yield from _value(place, source, INPUT_KINDS)
    yield from _range(place, source)
    if source.kind == "quantity" and None in (source.low, source.high):
        yield Problem(place, "a quantity without its physical range")
    if source.interval and source.kind not in ("quantity", "number"):
        yield Problem(place, "measured over an interval, but no number")


def _variable(variable: Variable) -> Iterator[Problem]:
    place = f"variable {variable.name}"
    yield from _value(place, variable, VARIABLE_KINDS)
    kind, problems = sound(variable.type), list[str]()
    try:
        initial = tree.lift(variable.initial)
        if kind != BROKEN:
            compile_value(initial, kind, Schema(), problems)
    except (TypeError, UnitError) as error:
        problems.append(str(error))
    for problem in problems:
        yield Problem(place, f"initial value: {problem}")


def _parameter(parameter: Parameter) -> Iterator[Problem]:
    place = f"parameter {parameter.name}"
    if parameter.value is None:
        yield Problem(place, "without a value")
        return
    bounds = {"low": parameter.low, "high": parameter.high}
    wrong = [
        f"{name}: {problem}"
        for name, value in (("value", parameter.value), *bounds.items())
        if (problem := _misfit(value, parameter.value))
    ]
    if not wrong and any(bound is not None for bound in bounds.values()):
        wrong = [*_outside(parameter)]
    yield from (Problem(place, problem) for problem in wrong)


def _misfit(value: Value, like: Value) -> str | None:
    """Why a value cannot be of the type that another one has."""
    if value is None:
        return None
    try:
        kind, wanted = constant(value)[0], constant(like)[0]
        if kind.unit is not None:
            dimension(kind.unit)
        if kind.kind != wanted.kind:
            return f"{kind.kind}, but the value is a {wanted.kind}"
        if kind.unit and wanted.unit and not convertible(kind.unit, wanted.unit):
            return f"{kind.unit} does not convert to {wanted.unit}"
    except (TypeError, UnitError) as error:
        return str(error)
    return None


def _outside(parameter: Parameter) -> Iterator[str]:
    low, value, high = parameter.low, parameter.value, parameter.high
    if constant(value)[0].kind not in _ORDERED:
        yield f"bounds, but there is no order among {constant(value)[0]}"
        return
    for least, greatest, problem in (
        (low, value, f"{value_text(value)} is below its own bound {value_text(low)}"),
        (value, high, f"{value_text(value)} is above its own bound {value_text(high)}"),
    ):
        # _misfit has seen that all are of one type, which mypy cannot see.
        if least is not None and greatest is not None and least > greatest:  # type: ignore[operator]  # see above
            yield problem


def _event(event: Event, workflow: Workflow) -> Iterator[Problem]:
    place = f"event {event.name}"
    if event.name.startswith(ENGINE_EVENTS):
        yield Problem(place, f"names that begin with {ENGINE_EVENTS!r} belong to the engine")
    if event.timer:
        yield from _timer_event(place, event)
    elif not event.roles:
        yield Problem(place, "no role may send it")
    else:
        yield from _roles(place, event.roles, workflow)
    if event.kind is Kind.REQUEST and event.max_age is None:
        yield Problem(place, "a request does not say how old its time may be")
    if event.kind is Kind.REQUEST and event.updates:
        yield Problem(place, "updates belong to a request's transitions, since it may be refused")
    if event.kind is Kind.REPORT and event.max_age is not None:
        yield Problem(place, "a report is never too old")
    if event.reason_required and not event.reason_codes:
        yield Problem(place, "a reason is required, but there is no code for one")
    if event.signature is not None:
        yield from _signature(place, event, event.signature, workflow)
    inputs = {source.name: source for source in workflow.inputs}
    for field in event.fields:
        yield from _field(f"{place}, field {field.name}", field, inputs)
    for name in _repeated(field.input for field in event.fields if field.input is not None):
        yield Problem(place, f"two fields bring the input {name!r}")


def _timer_event(place: str, event: Event) -> Iterator[Problem]:
    if event.kind is not Kind.REPORT:
        yield Problem(place, "a timer reports, it does not request")
    if event.roles != (ENGINE_ROLE,):
        yield Problem(place, f"only the role {ENGINE_ROLE!r} sends a timer's event")
    if event.fields or event.reason_required:
        yield Problem(place, "a timer sends neither data nor a reason")


def _signature(
    place: str, event: Event, asked: Signature, workflow: Workflow
) -> Iterator[Problem]:  # fmt: skip
    if event.timer:
        yield Problem(place, "nobody signs what a timer sends")
    for meaning in (asked.meaning, asked.second_meaning):
        if not NAME.fullmatch(meaning):
            yield Problem(place, f"{meaning!r} is no code for what a signature means")
    if asked.meaning == asked.second_meaning:
        yield Problem(place, "the second signature means the same as the first")
    if not asked.second and asked.roles:
        yield Problem(place, "roles for a second signature, but it asks for none")
    if asked.within is not None and asked.within <= timedelta():
        yield Problem(place, "a signature that is late at once")
    yield from _roles(place, asked.roles, workflow)


def _field(place: str, field: Field, inputs: dict[str, Input]) -> Iterator[Problem]:
    if field.input is not None:
        source = inputs.get(field.input)
        if source is None:
            yield Problem(place, f"unknown input {field.input!r}")
        elif (field.kind or source.kind, field.unit or source.unit) != (source.kind, source.unit):
            yield Problem(place, f"takes kind and unit of the input, which is {source.type}")
        elif field.codes not in ((), source.codes):
            yield Problem(place, "takes the codes of the input")
        if field.members:
            yield Problem(place, "an input has no members")
        return
    yield from _value(place, field, FIELD_KINDS)
    yield from _range(place, field)
    if field.kind == "list" and not field.members:
        yield Problem(place, "a list without members")
    if field.kind != "list" and field.members:
        yield Problem(place, "members, but no list")
    for member in field.members:
        within = f"{place}, member {member.name}"
        if member.kind == "list" or member.input is not None:
            yield Problem(within, "a member is a single value, and brings no reading")
        else:
            yield from _field(within, member, inputs)


def _requirement(place: str, requirement: Requirement, workflow: Workflow) -> Iterator[Problem]:
    if requirement.soft and not requirement.roles:
        yield Problem(place, "soft, but no role may override it")
    if requirement.soft and not requirement.codes:
        yield Problem(place, "soft, but there is no code for an override")
    if not requirement.soft and (requirement.roles or requirement.codes):
        yield Problem(place, "roles or codes for an override, but it is not soft")
    yield from _roles(place, requirement.roles, workflow)


def _roles(place: str, roles: Iterable[str], workflow: Workflow) -> Iterator[Problem]:
    for role in roles:
        if role not in workflow.roles:
            yield Problem(place, f"unknown role {role!r}")


def _value(
    place: str, declared: Input | Variable | Field, kinds: tuple[str, ...]
) -> Iterator[Problem]:
    if declared.kind not in kinds:
        yield Problem(place, f"kind {declared.kind!r} is none of {', '.join(kinds)}")
    if declared.kind == "quantity":
        if not declared.unit:
            yield Problem(place, "a quantity without a unit")
        else:
            try:
                dimension(declared.unit)
            except UnitError as error:
                yield Problem(place, str(error))
    elif declared.unit:
        yield Problem(place, "a unit, but no quantity")
    if declared.kind == "code" and not declared.codes:
        yield Problem(place, "a coded value without codes")
    if declared.kind != "code" and declared.codes:
        yield Problem(place, "codes, but no coded value")
    for code in _repeated(declared.codes):
        yield Problem(place, f"code {code!r} is declared twice")


def _range(place: str, declared: Input | Field) -> Iterator[Problem]:
    low, high = declared.low, declared.high
    if (low, high) != (None, None) and declared.kind not in ("quantity", "number"):
        yield Problem(place, "a range, but no number")
    elif low is not None and high is not None and low > high:
        yield Problem(place, "the range ends below its beginning")


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]

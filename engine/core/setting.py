"""Parameters of a workflow set from text: `platelet_limit=50`, `observe_for=8 hours`.

A number without a unit is in the unit that the parameter declares, and whoever sets it is told the
value with its unit. Every other unit converts or is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from difflib import get_close_matches

from engine.core.definition import Parameter, Workflow
from engine.core.encoding import date_from
from engine.core.expression import Span, Value
from engine.core.phrase import value_text
from engine.core.quantity import Quantity, UnitError, convert, decimal_from
from engine.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """A parameter with its value before and after, in words."""

    parameter: str
    before: str
    after: str


def with_settings(workflow: Workflow, settings: Mapping[str, str]) -> Workflow:
    """The workflow with parameters set, as a site may set them.

    Raises InvalidInput, naming the parameter, for one that is not there, for a text that is no
    value of its kind or has another unit, and for a value that a site may not set.
    """
    known = {parameter.name: parameter for parameter in workflow.parameters}
    values = {name: _value(_known(known, name), text) for name, text in settings.items()}
    try:
        return workflow.with_parameters(**values)
    except ValueError as wrong:
        name = next(name for name in values if repr(name) in str(wrong))
        expected = _allowed(known[name])
        raise InvalidInput(name, expected, found=value_text(values[name])) from None


def settings_of(before: Workflow, after: Workflow) -> tuple[Set, ...]:
    """The parameters that have another value in another form of a workflow."""
    known = {parameter.name: parameter.value for parameter in before.parameters}
    return tuple(
        Set(parameter=p.name, before=value_text(known[p.name]), after=value_text(p.value))
        for p in after.parameters
        if p.name in known and known[p.name] != p.value
    )


def no_such_parameter(name: str, known: Iterable[str]) -> InvalidInput:
    """What to say of a name that no parameter has: those that it may have meant, or all."""
    names = sorted(known)
    close = get_close_matches(name, names, n=3, cutoff=0.5)
    return InvalidInput("parameter", f"one of {', '.join(close or names)}", found=repr(name))


def _known(known: Mapping[str, Parameter], name: str) -> Parameter:
    if name not in known:
        raise no_such_parameter(name, known)
    return known[name]


def _value(parameter: Parameter, text: str) -> Value:
    """What a text says, of the kind of the parameter's own value."""
    said = text.strip()
    try:
        match parameter.value:
            case bool():
                return _YES_NO[said.lower()]
            case Quantity(unit=unit):
                return _quantity(said, unit)
            case Decimal():
                return decimal_from(said)
            case timedelta():
                return _elapsed(said)
            case Span():
                return _span(said)
            case date():
                return date_from(said)
            case _:
                return said
    except (ValueError, KeyError, TypeError, OverflowError):
        raise InvalidInput(parameter.name, _form(parameter), found=repr(text)) from None


def _quantity(said: str, unit: str) -> Quantity:
    number, _, given = said.partition(" ")
    value = decimal_from(number)
    try:
        return Quantity(convert(value, given.strip() or unit, unit), unit)
    except UnitError as wrong:
        raise ValueError(str(wrong)) from None


def _elapsed(said: str) -> timedelta:
    number, unit = _counted(said)
    return timedelta(**{unit: number})


def _span(said: str) -> Span:
    number, unit = _counted(said.replace("calendar ", ""))
    return Span(**{unit: number})


def _counted(said: str) -> tuple[int, str]:
    found = _PHRASE.fullmatch(said)
    if found is None:
        raise ValueError(said)
    return int(found[1]), found[2] + "s"


_PHRASE = re.compile(r"([0-9]{1,6}) *(minute|hour|day|month)s?")
_YES_NO = {"yes": True, "true": True, "no": False, "false": False}


def _form(parameter: Parameter) -> str:
    """What a text of this parameter looks like."""
    match parameter.value:
        case bool():
            return "yes or no"
        case Quantity(unit=unit):
            return f"a number in {unit}, or with a unit that converts to it"
        case Decimal():
            return "a number"
        case timedelta():
            return "an elapsed time such as 8 hours or 30 minutes"
        case Span():
            return "a calendar span such as 1 month or 14 days"
        case date():
            return "a date such as 2026-03-02"
        case _:
            return "a code"


def _allowed(parameter: Parameter) -> str:
    """What a site may set it to."""
    if not parameter.site:
        return f"{value_text(parameter.value)}: the protocol fixes it, and no site may set it"
    low, high = parameter.low, parameter.high
    bounds = [
        *([] if low is None else [f"at least {value_text(low)}"]),
        *([] if high is None else [f"at most {value_text(high)}"]),
    ]
    return " and ".join(bounds) or _form(parameter)

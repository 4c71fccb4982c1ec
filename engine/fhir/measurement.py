"""What an `Observation` measures: inputs of a workflow, with values as events carry them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from engine.core.definition import Input, Workflow
from engine.core.encoding import Json
from engine.core.quantity import UnitError, convertible, decimal_text
from engine.core.wire import shown
from engine.errors import InvalidInput
from engine.fhir.incoming import Resource, coded, instant_at
from engine.fhir.term import CODE, LOINC, UCUM

OBSERVATION = "Observation"
PANELS: Mapping[str, tuple[str, ...]] = {"85354-9": ("8480-6", "8462-4")}
"""Codes of what is measured in parts: blood pressure, systolic and diastolic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What an observation says: by input, the value as an event carries it, and its element."""

    at: datetime
    values: Mapping[str, Json]
    paths: Mapping[str, str]
    left_out: tuple[str, ...] = ()


def measured(body: Resource, workflow: Workflow) -> Measured:
    """What an observation says of the workflow's inputs. Raises InvalidInput."""
    parts = list(_parts(body, workflow))
    values, paths, left_out = dict[str, Json](), dict[str, str](), list[str]()
    over = any(one.interval for one, _, _ in parts)
    at, length = _effective(body, over=over)
    for one, part, path in parts:
        if part is not body and "dataAbsentReason" in part:
            left_out.append(path)
            continue
        if one.name in values:
            raise InvalidInput(f"{path}.code", f"{one.name} once")
        values[one.name] = _value(one, part, path, length)
        paths[one.name] = path
    if not values:
        raise InvalidInput(f"{OBSERVATION}.component", "at least one part with a value")
    return Measured(at=at, values=values, paths=paths, left_out=tuple(left_out))


def _parts(body: Resource, workflow: Workflow) -> Iterator[tuple[Input, Resource, str]]:
    """Each input that is measured, with the element that has its value, and its path."""
    components = body.get("component") or ()
    if not components:
        yield _input(body, OBSERVATION, workflow), body, OBSERVATION
        return
    if any(name.startswith("value") for name in body):
        raise InvalidInput(f"{OBSERVATION}.component", "none beside a value of its own")
    codes = _loinc(body, OBSERVATION)
    panels = [PANELS[code] for _, code in codes if code in PANELS]
    if not panels:
        place, code = codes[0]
        expected = f"a panel that is known: {', '.join(PANELS)}"
        raise InvalidInput(f"{OBSERVATION}.code.coding[{place}].code", expected, found=_shown(code))
    for n, part in enumerate(components):
        path = f"{OBSERVATION}.component[{n}]"
        one = _input(part, path, workflow)
        if one.loinc not in panels[0]:
            raise InvalidInput(f"{path}.code", f"a part of the panel: {', '.join(panels[0])}")
        yield one, part, path


def _loinc(part: Resource, path: str) -> list[tuple[int, str]]:
    codes = coded((part.get("code") or {}).get("coding") or (), LOINC)
    if not codes:
        raise InvalidInput(f"{path}.code.coding", f"a code of {LOINC}")
    return codes


def _input(part: Resource, path: str, workflow: Workflow) -> Input:
    """The one input that a LOINC code stands for."""
    codes = _loinc(part, path)
    known = [one for one in workflow.inputs if one.loinc is not None]
    found = {one.name: one for _, code in codes for one in known if one.loinc == code}
    if len(found) != 1:
        place, code = codes[0]
        listed = (
            ", ".join(sorted(one.loinc or "" for one in known))
            or "none: this workflow has no codes"
        )
        where = f"{path}.code.coding[{place}].code"
        shape = _shown(code)
        raise InvalidInput(where, f"the LOINC code of one input, of {listed}", found=shape)
    (one,) = found.values()
    return one


def _shown(code: str) -> str:
    """A code as an error may repeat it: what is none may be anything."""
    return repr(code) if _is_loinc(code) else "a string"


def _is_loinc(code: str) -> bool:
    number, dash, check = code.rpartition("-")
    return bool(dash) and number.isdecimal() and check.isdecimal() and len(code) <= 10


def _effective(body: Resource, *, over: bool) -> tuple[datetime, timedelta | None]:
    """When it was measured and, of an interval, how long."""
    length: timedelta | None = None
    if over:
        period = body.get("effectivePeriod") or {}
        start = instant_at(period.get("start"), f"{OBSERVATION}.effectivePeriod.start")
        at, path = (
            instant_at(period.get("end"), f"{OBSERVATION}.effectivePeriod.end"),
            "effectivePeriod.end",
        )
        length = at - start
        if length <= timedelta():
            raise InvalidInput(f"{OBSERVATION}.{path}", "an instant after the start")
    else:
        path = "effectiveInstant" if "effectiveInstant" in body else "effectiveDateTime"
        at = instant_at(body.get(path), f"{OBSERVATION}.{path}")
    if "issued" in body and instant_at(body["issued"], f"{OBSERVATION}.issued") < at:
        raise InvalidInput(
            f"{OBSERVATION}.issued", "an instant that is not before the effective time"
        )
    return at, length


def _value(one: Input, part: Resource, path: str, length: timedelta | None) -> Json:
    """The value as an event carries it."""
    if "dataAbsentReason" in part:
        raise InvalidInput(f"{path}.dataAbsentReason", "a value: what is not known is not sent")
    found: dict[str, Json] = _READ[one.kind](one, part, path)
    if one.interval and length is not None:
        microseconds = length // timedelta(microseconds=1)
        found["over"] = {"value": str(microseconds), "unit": "us"}
    return found


def _quantity(one: Input, part: Resource, path: str) -> dict[str, Json]:
    value, unit = _amount(part, path)
    to = one.unit or "1"
    if not _converts(unit, to):
        expected = f"{to!r}, or a UCUM unit that converts to it"
        raise InvalidInput(f"{path}.valueQuantity.code", expected, found=shown(unit))
    return {"value": value, "unit": unit}


def _number(_: Input, part: Resource, path: str) -> dict[str, Json]:
    if "valueInteger" in part:
        return {"value": _decimal(part["valueInteger"], f"{path}.valueInteger")}
    value, unit = _amount(part, path)
    if not _converts(unit, "1"):
        expected = "a number: 1 or an annotation such as {score}"
        raise InvalidInput(f"{path}.valueQuantity.code", expected, found=shown(unit))
    return {"value": value}


def _yes_no(_: Input, part: Resource, path: str) -> dict[str, Json]:
    if not isinstance(part.get("valueBoolean"), bool):
        raise InvalidInput(f"{path}.valueBoolean", "true or false")
    return {"value": part["valueBoolean"]}


def _code(one: Input, part: Resource, path: str) -> dict[str, Json]:
    place = f"{path}.valueCodeableConcept.coding"
    codes = coded((part.get("valueCodeableConcept") or {}).get("coding") or (), CODE)
    if len(codes) != 1:
        raise InvalidInput(place, f"one code of {CODE}: {', '.join(one.codes)}")
    ((n, code),) = codes
    if code not in one.codes:
        raise InvalidInput(f"{place}[{n}].code", f"one of {', '.join(one.codes)}")
    return {"value": code}


def _date(_: Input, part: Resource, path: str) -> dict[str, Json]:
    if not isinstance(part.get("valueDateTime"), str):
        raise InvalidInput(f"{path}.valueDateTime", "a date")
    return {"value": part["valueDateTime"]}


def _amount(part: Resource, path: str) -> tuple[str, str]:
    """A quantity's decimal and its UCUM code."""
    place = f"{path}.valueQuantity"
    quantity = part.get("valueQuantity")
    if not isinstance(quantity, Mapping):
        raise InvalidInput(place, "a quantity with its UCUM code")
    if "comparator" in quantity:
        raise InvalidInput(f"{place}.comparator", "a value that is known, not a bound")
    if quantity.get("system") != UCUM:
        raise InvalidInput(f"{place}.system", UCUM)
    if not isinstance(quantity.get("code"), str):
        raise InvalidInput(f"{place}.code", "a UCUM code")
    return _decimal(quantity.get("value"), f"{place}.value"), quantity["code"]


def _decimal(value: object, path: str) -> str:
    """A JSON number, as a decimal string; never by way of a float."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    # Written out, an exponent may be longer than any memory.
    if not isinstance(value, Decimal) or not value.is_finite() or abs(value.adjusted()) > 40:
        raise InvalidInput(path, "a decimal number of at most 30 digits")
    return decimal_text(value)


def _converts(unit: str, to: str) -> bool:
    try:
        return convertible(unit, to)
    except UnitError:
        return False


_READ: Mapping[str, Callable[[Input, Resource, str], dict[str, Json]]] = {
    "quantity": _quantity,
    "number": _number,
    "yesno": _yes_no,
    "code": _code,
    "date": _date,
}

"""What of a resource is read, as JSON Schema, for the OpenAPI document.

A resource may have any other element of FHIR: those are not read.
"""

from __future__ import annotations

from typing import Any

from engine.core.encoding import Json
from engine.fhir.booking import KIND as APPOINTMENT
from engine.fhir.booking import STATUS as BOOKED
from engine.fhir.observation import KIND as OBSERVATION
from engine.fhir.observation import STATUS as OBSERVED
from engine.fhir.term import COURSE, LOINC, NUMBER, UCUM, VISIT


def _object(required: tuple[str, ...], **members: Json) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": members,
        "required": list(required),
        "additionalProperties": False,
    }


def _one(item: Json) -> Json:
    return {"type": "array", "items": item, "minItems": 1, "maxItems": 1}


_INSTANT: Json = {
    "type": "string",
    "pattern": "^20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    "T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])$",
    "description": "An instant with its zone.",
}
_ID: Json = {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$"}
_CODE: Json = {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"}
_META = _object(("versionId", "lastUpdated"), versionId=_ID, lastUpdated=_INSTANT)
_PLAN = _one(
    _object(
        ("identifier",),
        type={"const": "CarePlan"},
        identifier=_object(
            ("system", "value"),
            system={"const": COURSE},
            value={"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,64}$"},
        ),
    )
)
_POSITIVE: Json = {"type": "integer", "minimum": 1, "maximum": 1440}


def _coded(system: str) -> Json:
    coding = _object(("system", "code"), system={"const": system}, code=_CODE)
    return _object(("coding",), coding=_one(coding))


_UNIT: Json = {"type": "string", "pattern": "^[!-~]{1,80}$"}
_QUANTITY = _object(
    ("value", "system", "code"),
    value={"type": "number", "minimum": 0, "maximum": 1000000},
    unit=_UNIT,
    system={"const": UCUM},
    code=_UNIT,
)

SHAPES: dict[str, dict[str, Any]] = {
    APPOINTMENT: _object(
        ("resourceType", "id", "meta", "status", "supportingInformation", "participant"),
        resourceType={"const": APPOINTMENT},
        id=_ID,
        meta=_META,
        extension=_one(
            _object(
                ("url", "valueInteger"),
                url={"const": NUMBER},
                valueInteger={"type": "integer", "minimum": 0, "maximum": 2147483647},
            )
        ),
        status={"enum": list(BOOKED)},
        serviceType=_one(_coded(VISIT)),
        supportingInformation=_PLAN,
        start=_INSTANT,
        end=_INSTANT,
        minutesDuration=_POSITIVE,
        participant=_one(_object(("status",), status={"enum": ["accepted", "needs-action"]})),
    ),
    OBSERVATION: _object(
        ("resourceType", "id", "meta", "status", "basedOn", "code"),
        resourceType={"const": OBSERVATION},
        id=_ID,
        meta=_META,
        status={"enum": list(OBSERVED)},
        basedOn=_PLAN,
        code=_coded(LOINC),
        effectiveDateTime=_INSTANT,
        issued=_INSTANT,
        valueQuantity=_QUANTITY,
        component={
            "type": "array",
            "minItems": 1,
            "maxItems": 4,
            "items": _object(("code",), code=_coded(LOINC), valueQuantity=_QUANTITY),
        },
    ),
}
"""The resources that come in."""

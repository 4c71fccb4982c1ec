"""The systems that codes and identifiers are of, and the smallest parts that resources share."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

from engine.core.encoding import Json

VERSION = "4.3.0"
"""R4B: as R4 for every element that is used here."""
MEDIA_TYPE = "application/fhir+json"

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"

OWN = "urn:x-regimen:"
COURSE, PATIENT, SITE, BOOKING = OWN + "course", OWN + "patient", OWN + "site", OWN + "booking"
VISIT, EVENT, ROLE, ACTOR = OWN + "visit", OWN + "event", OWN + "role", OWN + "actor"
CODE, STAGE, WORKFLOW, PROBLEM = OWN + "code", OWN + "stage", OWN + "workflow", OWN + "problem"
DUE, RECORD = OWN + "due", OWN + "record"
NUMBER = OWN + "number"
"""An extension: which of its series a visit is."""

FHIR_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


def identifier(system: str, value: str) -> Json:
    """An identifier of a system."""
    return {"system": system, "value": value}


def by_identifier(kind: str, system: str, value: str) -> Json:
    """A reference to what is known by an identifier only."""
    return {"type": kind, "identifier": identifier(system, value)}


def concept(system: str, code: str, display: str | None = None) -> Json:
    """A code of a system."""
    coding = {"system": system, "code": code}
    return {"coding": [coding if display is None else {**coding, "display": display}]}


def resource_id(*parts: str) -> str:
    """What a resource is called that has no name of its own: the same parts, the same id."""
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def numbered(number: int | None) -> Json:
    """The extension that says which of its series a visit is."""
    return [] if number is None else [{"url": NUMBER, "valueInteger": number}]


def valid(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource as FHIR writes it, checked; members that are empty are left out.

    Raises ValueError for one that FHIR does not know: a mistake of ours.
    """
    sent = {name: value for name, value in resource.items() if value not in (None, [], {})}
    model = get_fhir_model_class(sent["resourceType"]).model_validate(sent)
    found: dict[str, Any] = json.loads(model.model_dump_json())
    return found

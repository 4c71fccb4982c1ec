"""What the service does of FHIR, as a `CapabilityStatement`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from engine.core.encoding import Json
from engine.fhir.term import MEDIA_TYPE, VERSION, valid

SEARCH: Mapping[str, tuple[str, ...]] = {
    "Appointment": ("course", "site"),
    "Task": ("course", "site"),
    "AuditEvent": ("course",),
}
DOES: Mapping[str, tuple[str, ...]] = {
    "Appointment": ("search-type", "create", "update"),
    "Task": ("search-type",),
    "CarePlan": ("read",),
    "AuditEvent": ("search-type",),
    "Observation": ("create", "update"),
}
"""What may be done with each resource."""


def statement(*, version: str, on: date) -> dict[str, Any]:
    """The statement of this version of the engine."""
    return valid(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": on.isoformat(),
            "kind": "instance",
            "software": {"name": "Regimen", "version": version},
            "implementation": {"description": "Courses of treatment and their due visits"},
            "fhirVersion": VERSION,
            "format": [MEDIA_TYPE],
            "rest": [{"mode": "server", "resource": [_resource(name) for name in DOES]}],
        }
    )


def _resource(name: str) -> Json:
    found: dict[str, Json] = {
        "type": name,
        "interaction": [{"code": code} for code in DOES[name]],
        "versioning": "no-version",
    }
    if "update" in DOES[name]:
        found["updateCreate"] = True
    if name in SEARCH:
        found["searchParam"] = [{"name": one, "type": "token"} for one in SEARCH[name]]
    return found

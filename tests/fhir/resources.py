"""Resources as a scheduling system and a laboratory send them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

COURSE = "urn:x-regimen:course"
PATIENT = "urn:x-regimen:patient"
VISIT = "urn:x-regimen:visit"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"


def plan(course: str) -> dict[str, Any]:
    return {"type": "CarePlan", "identifier": {"system": COURSE, "value": course}}


def patient(name: str) -> dict[str, Any]:
    return {"type": "Patient", "identifier": {"system": PATIENT, "value": name}}


def appointment(
    status: str = "booked",
    *,
    version: int = 1,
    course: str = "I-1",
    visit: str = "recalibration",
    **more: Any,
) -> dict[str, Any]:
    """A version of an appointment; each is a minute younger than the one before."""
    made = {
        "resourceType": "Appointment",
        "id": "B-1",
        "meta": {"versionId": str(version), "lastUpdated": f"2027-01-20T09:{version:02}:00-08:00"},
        "status": status,
        "serviceType": [{"coding": [{"system": VISIT, "code": visit}]}],
        "supportingInformation": [plan(course)],
        "start": "2027-03-02T09:30:00-08:00",
        "end": "2027-03-02T10:15:00-08:00",
        "participant": [{"status": "accepted", "actor": patient(f"of-{course}")}],
    }
    return {name: value for name, value in (made | more).items() if value is not None}


def quantity(value: Any, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def loinc(code: str) -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": code}]}


def observation(
    measured: str = "2160-0", *, version: int = 1, course: str = "C-1", **more: Any
) -> dict[str, Any]:
    """A version of a measurement of creatinine."""
    made = {
        "resourceType": "Observation",
        "id": "O-1",
        "meta": {"versionId": str(version), "lastUpdated": f"2026-03-02T15:{version:02}:00Z"},
        "status": "final",
        "basedOn": [plan(course)],
        "code": loinc(measured),
        "subject": patient(f"of-{course}"),
        "effectiveDateTime": "2026-03-02T06:10:00-08:00",
        "issued": "2026-03-02T07:00:00-08:00",
        "valueQuantity": quantity(Decimal("1.1"), "mg/dL"),
    }
    return {name: value for name, value in (made | more).items() if value is not None}


def pressure(systolic: Any = 130, diastolic: Any = 80, **more: Any) -> dict[str, Any]:
    """A blood pressure, in its two parts."""
    parts = [
        {"code": loinc("8480-6"), "valueQuantity": quantity(systolic, "mm[Hg]")},
        {"code": loinc("8462-4"), "valueQuantity": quantity(diastolic, "mm[Hg]")},
    ]
    return observation("85354-9", valueQuantity=None, **{"component": parts, **more})

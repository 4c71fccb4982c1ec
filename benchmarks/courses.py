"""What is sent: the events of plausible courses, in virtual time, as JSON envelopes.

Each course is told once as a list of bodies, so that making them is no part of what is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

Json: TypeAlias = Any
Body: TypeAlias = dict[str, Json]

SMALL = "instrument_calibration"
LARGE = "intralesional_il2"

BEGIN = datetime(2026, 3, 2, 16, tzinfo=UTC)
"""A Monday morning in Los Angeles."""


@dataclass(slots=True)
class Told:
    """A course as it is told: its bodies so far, and what time it is in it."""

    course: str
    role: str
    now: datetime = BEGIN
    bodies: list[Body] = field(default_factory=list)

    def enrolled(self, workflow: str) -> None:
        self.says("course.enrolled")
        self.bodies[-1] |= {
            "workflow": workflow,
            "patient": f"P-{self.course}",
            "site": "clinic",
            "zone": "America/Los_Angeles",
        }

    def says(self, event: str, role: str | None = None, **data: Json) -> None:
        self.bodies.append(
            {
                "format": 1,
                "id": f"e{len(self.bodies) + 1}",
                "course": self.course,
                "event": event,
                "at": self.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "actor": {"id": "someone", "role": role or self.role},
                "data": data,
            }
        )

    def after(self, **span: float) -> None:
        self.now += timedelta(**span)


def small(course: str, steps: int = 33) -> list[Body]:
    """A course of one report after another, each with one threshold behind it.

    An instrument on its bench, released and measured day after day.
    """
    told = Told(course, "metrologist")
    told.enrolled(SMALL)
    told.says("measurement_recorded", deviation=_q("3", "um"), room_temperature=_q("20", "Cel"))
    told.says("release_instrument")
    for n in range(steps - 3):
        told.after(minutes=10)
        told.says("measurement_recorded", deviation=_q(f"{1 + n % 4}.{n % 10}", "um"))
    return told.bodies


def large(course: str) -> list[Body]:
    """A patient's course: baseline, test dose, eight visits, tail and the year of maintenance."""
    told = Told(course, "clinician")
    told.enrolled(LARGE)
    _baseline(told)
    told.after(days=1)
    _dose(told, "7", "order_test_dose")
    for day, amount in zip((3, 7, 10, 14, 17, 21, 24, 28), _LADDER, strict=True):
        told.now = BEGIN + timedelta(days=1 + day)
        _labs(told, platelets=str(210 - 5 * day))
        _dose(told, amount, "order_dose")
    for month in range(1, 14):
        told.after(days=30, hours=1)
        told.says("symptoms_reviewed", new_symptoms=False)
        if month <= 12:
            told.says("maintenance_cycle_reported", cycle=month, outcome="completed", nights=7)
    return told.bodies


def vital_signs(course: str, steps: int) -> list[Body]:
    """A patient's course to the test dose, then vital signs three times a day, without an end."""
    bodies = large(course)
    cut = next(n for n, body in enumerate(bodies) if body["event"] == "dose_given")
    told = Told(course, "clinician", BEGIN + timedelta(days=1, hours=1), bodies[:cut])
    while len(told.bodies) < steps:
        told.after(hours=8)
        _vital_signs(told)
    return told.bodies[:steps]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One workflow's courses.

    `tell` gives the bodies of a course of that name; `long` those of one with so many events.
    """

    title: str
    workflow: str
    tell: Callable[[str], list[Body]]
    long: Callable[[str, int], list[Body]]


KINDS = (
    Kind(title="small workflow", workflow=SMALL, tell=small, long=small),
    Kind(title="intralesional_il2", workflow=LARGE, tell=large, long=vital_signs),
)

_LADDER = ("7", "10", "10", "13", "13", "16", "16", "19")


def _q(value: str, unit: str) -> Body:
    return {"value": value, "unit": unit}


def _baseline(told: Told) -> None:
    told.says("stage_recorded", disease_stage="IIIC")
    told.says(
        "examination_recorded", physical_examination=True, lymph_nodes_examined=True, ecog="0"
    )
    told.says("pet_ct_recorded", visceral_metastasis=False)
    told.says("brain_mri_recorded", cns_metastasis=False)
    told.says("chest_x_ray_recorded", pulmonary_edema=False)
    told.says(
        "comorbidities_attested",
        medically_complicated=False,
        few_comorbidities=True,
        relatively_healthy=True,
    )
    lesions = [
        {"lesion": n, "depth": "cutaneous", "diameter": _q("6", "mm"), "site": "left calf"}
        for n in (1, 2, 3)
    ]
    told.says("lesions_listed", count=3, lesions=lesions)
    told.says("lesions_photographed", photographs=True)
    told.says("counselling_given", vitiligo=True, home_monitoring=True)
    _labs(told, platelets="240")


def _labs(told: Told, *, platelets: str) -> None:
    told.says(
        "labs_recorded",
        "laboratory",
        platelets=_q(platelets, "10*3/uL"),
        hematocrit=_q("41", "%"),
        hemoglobin=_q("13.8", "g/dL"),
        creatinine=_q("0.9", "mg/dL"),
        bilirubin=_q("0.6", "mg/dL"),
        ldh=_q("182", "U/L"),
        ldh_upper_limit=_q("240", "U/L"),
        complete_blood_count=True,
        metabolic_panel=True,
    )


def _vital_signs(told: Told) -> None:
    beat = len(told.bodies)
    told.says(
        "vital_signs_recorded",
        "nurse",
        systolic=_q(str(112 + beat % 9), "mm[Hg]"),
        diastolic=_q("70", "mm[Hg]"),
        heart_rate=_q(str(78 + beat % 13), "/min"),
        temperature=_q(f"37.{beat % 7}", "Cel"),
        setting="clinic",
    )


def _dose(told: Told, amount: str, order: str) -> None:
    """A day of treatment: the gate, the order, the injection, six hours, and the judgement."""
    split = [
        {"lesion": 1, "amount": _q(str(int(amount) - 4), "M[IU]")},
        {"lesion": 2, "amount": _q("2", "M[IU]")},
        {"lesion": 3, "amount": _q("2", "M[IU]")},
    ]
    _vital_signs(told)
    told.says("symptoms_reviewed", new_symptoms=False)
    told.says("medications_reviewed", medications=True, antihypertensive=False)
    told.says(order, amount=_q(amount, "M[IU]"), split=split)
    told.after(minutes=30)
    told.says("dose_given", amount=_q(amount, "M[IU]"), split=split, lot="A1234")
    for _ in range(5):
        told.after(hours=1)
        _vital_signs(told)
    told.says("adverse_event_reported", "nurse", term="fever", grade=1)
    told.after(hours=2)
    told.says("confirm_tolerated")

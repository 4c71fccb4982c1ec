"""What is measured on a good day, and how a reading that was typed wrongly is put right."""

from __future__ import annotations

from datetime import datetime

from engine.core.encoding import Json
from engine.scenario import Seen, Telling
from workflows.intralesional_il2.scenario import chances
from workflows.intralesional_il2.scenario.clinic import Clinic, of

CELL = "10*3/uL"
LDH_LIMIT = 240


def vital_signs(
    clinic: Clinic,
    *,
    systolic: int | None = None,
    heart_rate: int | None = None,
    temperature: float | None = None,
    at: datetime | None = None,
    **more: Json,
) -> Telling[Seen]:
    """Pressure, heart rate and temperature; normal ones unless said otherwise."""
    rng, patient = clinic.rng, clinic.patient
    fitting = heart_rate or patient.heart_rate + rng.randint(-6, 12)
    pressure = systolic or max(92, patient.systolic + rng.randint(-9, 9))
    data: dict[str, Json] = {
        "systolic": of(pressure, "mm[Hg]"),
        "diastolic": of(max(40, pressure * 6 // 10), "mm[Hg]"),
        "heart_rate": of(fitting, "/min"),
        "temperature": of(temperature or rng.randint(362, 372) / 10, "Cel"),
        "setting": "clinic",
        **more,
    }
    role = "patient" if data["setting"] == "home" else "nurse"
    mistyped = clinic.chance(chances.TYPING_ERROR)
    if mistyped:
        # A digit too many is impossible, and blocks the next dose until it is put right.
        data["heart_rate"] = of(fitting * 10, "/min")
    seen = yield from clinic.says("vital_signs_recorded", role, at=at, **data)
    if mistyped and clinic.chance(0.7):
        yield from clinic.corrects(seen.seq, "heart_rate", of(fitting, "/min"))
    return seen


def blood(
    clinic: Clinic,
    *,
    platelets: int | None = None,
    creatinine: float | None = None,
    hematocrit: float | None = None,
) -> Telling[Seen]:
    """Blood count, metabolic panel and LDH; normal ones unless said otherwise."""
    rng, patient = clinic.rng, clinic.patient
    count = platelets or max(60, patient.platelets + rng.randint(-30, 30))
    ldh = rng.randint(260, 420) if patient.raised_ldh else rng.randint(130, 225)
    mistyped = clinic.chance(chances.TYPING_ERROR)
    seen = yield from clinic.says(
        "labs_recorded",
        "laboratory",
        # A digit too few is possible, and acts as what it says until it is put right.
        platelets=of(count // 10 if mistyped else count, CELL),
        hematocrit=of(hematocrit or rng.randint(360, 450) / 10, "%"),
        hemoglobin=of(rng.randint(120, 155) / 10, "g/dL"),
        creatinine=of(creatinine or patient.creatinine + rng.randint(0, 2) / 10, "mg/dL"),
        bilirubin=of(rng.randint(3, 12) / 10, "mg/dL"),
        ldh=of(ldh, "U/L"),
        ldh_upper_limit=of(LDH_LIMIT, "U/L"),
        complete_blood_count=True,
        metabolic_panel=True,
    )
    if mistyped:
        yield from clinic.waits(minutes=30)
        yield from clinic.corrects(seen.seq, "platelets", of(count, CELL))
    return seen


def enzymes(clinic: Clinic, troponin: int) -> Telling[Seen]:
    """Cardiac enzymes with the laboratory's own limit."""
    return (
        yield from clinic.says(
            "cardiac_enzymes_recorded",
            "laboratory",
            troponin=of(troponin, "ng/L"),
            troponin_upper_limit=of(14, "ng/L"),
        )
    )


def electrocardiogram(clinic: Clinic, rhythm: str = "sinus", heart_rate: int = 80) -> Telling[Seen]:
    """The rhythm, with the rate that it was read at."""
    return (
        yield from clinic.says(
            "electrocardiogram_recorded", "nurse", rhythm=rhythm, heart_rate=of(heart_rate, "/min")
        )
    )


def symptoms(clinic: Clinic, *, new: bool = False) -> Telling[Seen]:
    """Symptoms are asked for, as before every dose."""
    return (yield from clinic.says("symptoms_reviewed", "nurse", new_symptoms=new))


def adverse_event(
    clinic: Clinic, term: str, grade: int, *, role: str = "nurse", at: datetime | None = None
) -> Telling[Seen]:
    """An adverse event, coded and graded; sometimes with words."""
    data: dict[str, Json] = {"term": term, "grade": grade}
    if clinic.chance(0.2):
        data["description"] = f"{term.replace('_', ' ').capitalize()}, as told by phone."
    return (yield from clinic.says("adverse_event_reported", role, at=at, **data))

"""The evaluation before a first injection: in some order, over days, and not always complete."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.core.encoding import Json
from engine.scenario import Seen, Telling
from workflows.intralesional_il2.scenario import chances
from workflows.intralesional_il2.scenario.clinic import Clinic, of
from workflows.intralesional_il2.scenario.measuring import blood, vital_signs


def evaluated(clinic: Clinic, *, refreshed: bool = False) -> Telling[None]:
    """Every item that is not of the day of the dose, some days apart."""
    left_out = (*_OF_THE_DAY, *(_OF_THE_FIRST_TIME if refreshed else ()))
    items = [name for name in ITEMS if name not in left_out]
    clinic.rng.shuffle(items)
    for name in items:
        if clinic.chance(chances.ITEM_FORGOTTEN):
            continue
        if clinic.chance(0.3):
            yield from clinic.days_pass(1, 4)
        yield from ITEMS[name](clinic)
    if clinic.patient.complicated and clinic.chance(0.7):
        yield from clinic.days_pass(1, 3)
        yield from clinic.says("consult_recorded", specialty="oncology", opinion="Will co-manage.")


def of_the_day(clinic: Clinic) -> Telling[None]:
    """What must be of the same day as a first injection."""
    yield from vital_signs(clinic, weight=of(clinic.rng.randint(52, 104), "kg"))
    yield from reviewed(clinic)
    yield from clinic.says("symptoms_reviewed", "nurse", new_symptoms=False)


def reviewed(clinic: Clinic) -> Telling[Seen]:
    """Medications, and what they mean before IL-2."""
    patient = clinic.patient
    seen = yield from clinic.says(
        "medications_reviewed",
        "nurse",
        medications=True,
        antihypertensive=patient.antihypertensive,
        antihypertensive_is_antiarrhythmic=patient.antiarrhythmic,
    )
    if patient.antihypertensive and clinic.chance(0.5):
        seen = yield from clinic.says("hold_antihypertensive")
        if seen.refused:
            # An antiarrhythmic is not held before cardiology was asked.
            yield from clinic.says("consult_recorded", specialty="cardiology", opinion="May hold.")
            seen = yield from clinic.says("hold_antihypertensive")
    return seen


def mended(clinic: Clinic, guard: str) -> Telling[bool]:
    """Do what a guard of the baseline asks for; whether there is anything to do."""
    item = _ASKED_BY.get(guard)
    if item is None:
        return False
    if item in _TAKES_DAYS:
        yield from clinic.days_pass(1, 9)
    yield from ITEMS[item](clinic)
    return True


def _stage(clinic: Clinic) -> Telling[Seen]:
    return (yield from clinic.says("stage_recorded", disease_stage=clinic.patient.stage))


def _examination(clinic: Clinic) -> Telling[Seen]:
    return (
        yield from clinic.says(
            "examination_recorded",
            physical_examination=True,
            lymph_nodes_examined=True,
            ecog=clinic.rng.randint(0, 2),
        )
    )


def _pet_ct(clinic: Clinic) -> Telling[Seen]:
    found = clinic.patient.distant and clinic.chance(0.5)
    return (yield from clinic.says("pet_ct_recorded", visceral_metastasis=found))


def _brain_mri(clinic: Clinic) -> Telling[Seen]:
    found = clinic.patient.distant and clinic.chance(0.5)
    return (yield from clinic.says("brain_mri_recorded", cns_metastasis=found))


def _comorbidities(clinic: Clinic) -> Telling[Seen]:
    patient = clinic.patient
    return (
        yield from clinic.says(
            "comorbidities_attested",
            medically_complicated=patient.complicated,
            few_comorbidities=patient.few_comorbidities,
            relatively_healthy=patient.relatively_healthy,
        )
    )


def _lesions(clinic: Clinic) -> Telling[Seen]:
    rng = clinic.rng
    lesions: list[Json] = [
        {
            "lesion": number,
            "depth": rng.choice(("cutaneous", "subcutaneous")),
            "diameter": of(rng.randint(2, 30), "mm"),
            "site": rng.choice(("left calf", "right calf", "left thigh", "scalp", "back")),
        }
        for number in range(1, clinic.patient.lesions + 1)
    ]
    count = clinic.patient.lesions
    return (yield from clinic.says("lesions_listed", "nurse", count=count, lesions=lesions))


def _photographs(clinic: Clinic) -> Telling[Seen]:
    return (yield from clinic.says("lesions_photographed", "nurse", photographs=True))


def _counselling(clinic: Clinic) -> Telling[Seen]:
    return (
        yield from clinic.says("counselling_given", "nurse", vitiligo=True, home_monitoring=True)
    )


def _co_management(clinic: Clinic) -> Telling[Seen]:
    return (yield from clinic.says("consult_recorded", specialty="primary_care"))


ITEMS: Mapping[str, Callable[[Clinic], Telling[Seen]]] = {
    "stage": _stage,
    "examination": _examination,
    "pet_ct": _pet_ct,
    "brain_mri": _brain_mri,
    "comorbidities": _comorbidities,
    "lesions": _lesions,
    "photographs": _photographs,
    "counselling": _counselling,
    "blood": blood,
    "vital_signs": vital_signs,
    "medications": reviewed,
    "co_management": _co_management,
}
_OF_THE_DAY = ("vital_signs", "medications", "co_management")
_OF_THE_FIRST_TIME = ("stage",)
_TAKES_DAYS = ("pet_ct", "brain_mri", "co_management")
_ASKED_BY: Mapping[str, str] = {
    "E18_physical_examination": "examination",
    "E18_lymph_nodes": "examination",
    "E18_ecog": "examination",
    "E18_vital_signs": "vital_signs",
    "E18_complete_blood_count": "blood",
    "E18_metabolic_panel": "blood",
    "E18_lactate_dehydrogenase": "blood",
    "E18_pet_ct": "pet_ct",
    "E18_brain_mri": "brain_mri",
    "E18_medications": "medications",
    "E18_photographs": "photographs",
    "E18_lesions_listed": "lesions",
    "E20_co_management_if_complicated": "co_management",
    "E27_vitiligo_counselled": "counselling",
    "stage_IIIC_or_IV_M1a": "stage",
    "no_implausible_value": "vital_signs",
}
"""Which item answers which guard; what no item answers is passed with a reason or is the end."""

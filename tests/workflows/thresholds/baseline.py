"""E18, E19, E20, E27 and 7.32, 7.33: what a first injection asks of the baseline."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from engine.testing import Part, Story, step
from tests.workflows.il2 import (
    ITEMS,
    NORMAL_BLOOD,
    at_baseline,
    baseline,
    begun,
    blood,
    in_maintenance,
    labs,
    orders_test_dose,
    until,
    vital_signs,
    waits,
)
from tests.workflows.thresholds.row import (
    advises,
    ends_in,
    fires,
    granted,
    not_fired,
    refused,
    refused_for,
    row,
    softly,
    undecided,
)

ORDER = partial(orders_test_dose, "7 M[IU]")


@cache
def _evaluated(names: tuple[str, ...]) -> Story:
    return begun().given(baseline(without=names))


def without(*names: str) -> Story:
    """The evaluation but for these items."""
    return _evaluated(names).fork()


def changed(**parts: Part) -> partial[Story]:
    """The evaluation with some items told otherwise."""
    return partial(lambda: begun().given(baseline(**parts)))


def no_blood(*names: str, **more: Any) -> Part:
    """The blood of the baseline without some of it, and with more."""

    rest = {name: value for name, value in NORMAL_BLOOD.items() if name not in names}
    return labs(**rest, **more)


def again(*names: str) -> tuple[Part, ...]:
    """Some items anew, on a later day."""
    rest = tuple(name for name in ITEMS if name not in names)
    return (baseline(without=rest),)


DAILY = ("vital_signs", "medications", "symptoms")
M1A = step("stage_recorded", disease_stage="IV_M1a")


def complicated(**more: Any) -> Part:
    return step("comorbidities_attested", medically_complicated=True, relatively_healthy=True,
                few_comorbidities=True, **more)  # fmt: skip


@cache
def _restarting() -> Story:
    story = in_maintenance().given(step("lesion_finding_reported", finding="new_cutaneous"))
    story.until("2026-05-29 09:00")
    return story.given(step("request_restart", finding="new_cutaneous"))


def restarting() -> Story:
    """29 May 2026: a restart was granted. The imaging is of 2 March, 88 days ago."""
    return _restarting().fork()


NEW = tuple(name for name in ITEMS if name not in {"stage", "imaging_body", "imaging_brain"})

ROWS = (
    row("E18", "everything is recorded", at_baseline, ORDER(), then=granted),
    row("E18", "nothing is recorded", begun, ORDER(), then=(refused_for(
        "systolic", "disease_stage", "physical_examination", "ecog", "visceral_metastasis",
        "cns_metastasis", "medications", "ldh", "photographs"))),
    # --- each item by itself, and each may be waived by itself --------------------------------
    softly("E18", "no complete physical examination",
           changed(examination=step("examination_recorded", lymph_nodes_examined=True, ecog=0)),
           ORDER, kept="E18_physical_examination"),
    softly("E18", "no examination of lymph nodes",
           changed(examination=step("examination_recorded", physical_examination=True, ecog=0)),
           ORDER, kept="E18_lymph_nodes"),
    softly("E18", "no ECOG assessment",
           changed(examination=step("examination_recorded", physical_examination=True,
                                    lymph_nodes_examined=True)),
           ORDER, kept="E18_ecog"),
    softly("E18", "no complete blood count", changed(blood=no_blood("complete_blood_count")), ORDER,
           kept="E18_complete_blood_count"),
    softly("E18", "no complete metabolic panel", changed(blood=no_blood("metabolic_panel")), ORDER,
           kept="E18_metabolic_panel"),
    softly("E18", "no LDH at stage IIIC",
           changed(blood=no_blood("ldh", "ldh_upper_limit")), ORDER,
           kept="E18_lactate_dehydrogenase"),
    softly("E18", "brain MRI contraindicated", partial(without, "imaging_brain"), ORDER,
           kept="E18_brain_mri E19_no_cns_metastasis", reasons="contraindicated"),
    softly("E18", "no PET/CT", partial(without, "imaging_body"), ORDER,
           kept="E18_pet_ct E19_no_visceral_metastasis"),
    softly("E18", "no review of medications", partial(without, "medications"), ORDER,
           kept="E18_medications"),
    softly("E18", "no photographs", partial(without, "photographs"), ORDER, kept="E18_photographs"),
    softly("E18", "no list of lesions", partial(without, "lesions"), ORDER,
           kept="E18_lesions_listed"),
    row("E18", "a list of no lesions", changed(lesions=step("lesions_listed", count=0)), ORDER(),
        then=refused),
    row("E18", "photographs were tried and not taken",
        changed(photographs=step("lesions_photographed", photographs=False)), ORDER(),
        then=refused),
    row("E18", "no vital signs at all", partial(without, "vital_signs"), ORDER(),
        then=refused_for("systolic", "heart_rate", "temperature")),
    row("E18", "a missing item is undecided, and named", partial(without, "photographs"), ORDER(),
        then=undecided("photographs")),
    # --- validity: labs 14 days, imaging 28, vital signs and medications of the day -----------
    row("E18", "labs of 14 days ago", at_baseline, until("2026-03-16 09:00"), *again(*DAILY),
        ORDER(), then=granted),
    softly("E18", "labs of 15 days ago", at_baseline, until("2026-03-17 09:00"), *again(*DAILY),
           ORDER,
           kept="E18_complete_blood_count E18_metabolic_panel E18_lactate_dehydrogenase"),
    row("E18", "imaging of 28 days ago", at_baseline, until("2026-03-30 09:00"),
        *again(*DAILY, "blood"), ORDER(), then=granted),
    softly("E18", "imaging of 29 days ago", at_baseline, until("2026-03-31 09:00"),
           *again(*DAILY, "blood"), ORDER, kept="E18_pet_ct E18_brain_mri"),
    row("E18", "vital signs of yesterday", at_baseline, until("2026-03-03 09:00"),
        *again("medications", "symptoms"), ORDER(), then=refused),
    softly("E18", "medications reviewed yesterday", at_baseline, until("2026-03-03 09:00"),
           *again("vital_signs", "symptoms"), ORDER, kept="E18_medications"),
    row("E18", "the validity of labs counts at the first test dose only", at_baseline,
        until("2026-03-16 09:00"), *again(*DAILY), ORDER(), then=granted),
    # --- at a restart: everything anew, imaging valid for 90 days -----------------------------
    row("E18", "at a restart with imaging of 88 days ago", restarting, *again(*NEW), ORDER(),
        then=granted),
    row("E18", "at a restart with imaging of 90 days ago", restarting, until("2026-05-31 09:00"),
        *again(*NEW), ORDER(), then=granted),
    softly("E18", "at a restart with imaging of 91 days ago", restarting,
           until("2026-06-01 09:00"), *again(*NEW), ORDER, kept="E18_pet_ct E18_brain_mri"),
    row("E18", "at a restart with the photographs of the first baseline", restarting,
        *again(*(name for name in NEW if name != "photographs")), ORDER(), then=refused),
    row("E18", "at a restart with the examination of the first baseline", restarting,
        *again(*(name for name in NEW if name != "examination")), ORDER(), then=refused),
    row("E18", "at a restart with the labs of the first baseline", restarting,
        *again(*(name for name in NEW if name != "blood")), ORDER(), then=refused),
    # --- stage, LDH (7.32) --------------------------------------------------------------------
    row("E18", "stage IIIC", at_baseline, ORDER(), then=granted),
    row("E18", "stage IV M1a with normal LDH", changed(stage=M1A), ORDER(), then=granted),
    *(
        row("E18", f"stage {stage}", changed(stage=step("stage_recorded", disease_stage=stage)),
            ORDER(), then=refused)
        for stage in ("IIIA", "IIIB", "IV_M1b", "IV_M1c", "other")
    ),
    row("E18", "the stage is not recorded", partial(without, "stage"), ORDER(),
        then=undecided("disease_stage")),
    row("E18", "stage IV M1a, LDH at the laboratory's limit",
        changed(stage=M1A, blood=blood(ldh="250 U/L")), ORDER(), then=granted),
    softly("E18", "stage IV M1a, LDH above the laboratory's limit",
           changed(stage=M1A, blood=blood(ldh="251 U/L")), ORDER, kept="LDH_not_raised_at_IV_M1a"),
    softly("E18", "stage IV M1a, LDH coded as elevated by a clinician",
           changed(stage=M1A, blood=blood(ldh_level="elevated")), ORDER,
           kept="LDH_not_raised_at_IV_M1a"),
    row("E18", "stage IV M1a, LDH without any limit",
        changed(stage=M1A, blood=no_blood("ldh_upper_limit")), ORDER(),
        then=undecided("ldh_upper_limit")),
    softly("E18", "stage IV M1a, coded as normal, and a day later the LDH is above the limit",
           changed(stage=M1A, blood=blood(ldh_level="normal")), waits(days=1), baseline(stage=M1A,
           blood=blood(ldh="900 U/L")), ORDER, kept="LDH_not_raised_at_IV_M1a"),
    row("E18", "stage IV M1a, LDH coded as normal, no number",
        changed(stage=M1A, blood=no_blood("ldh", "ldh_upper_limit", ldh_level="normal")),
        ORDER(), then=granted),
    row("E18", "stage IIIC, LDH above the laboratory's limit",
        changed(blood=blood(ldh="900 U/L")), ORDER(), then=granted),
    # --- E19: visceral or brain metastasis ----------------------------------------------------
    softly("E19", "a visceral metastasis",
           changed(imaging_body=step("pet_ct_recorded", visceral_metastasis=True)), ORDER,
           kept="E19_no_visceral_metastasis"),
    softly("E19", "a brain metastasis",
           changed(imaging_brain=step("brain_mri_recorded", cns_metastasis=True)), ORDER,
           kept="E19_no_cns_metastasis"),
    row("E19", "a brain metastasis asks for a consult", begun,
        step("brain_mri_recorded", cns_metastasis=True),
        then=(ends_in("baseline"), fires("E19"))),
    row("E19", "no metastasis asks for none", begun,
        step("brain_mri_recorded", cns_metastasis=False), then=not_fired("E19")),
    # --- E20: medically complicated -----------------------------------------------------------
    softly("E20", "medically complicated, nobody co-manages", changed(comorbidities=complicated()),
           ORDER, kept="E20_co_management_if_complicated"),
    row("E20", "medically complicated, an oncologist co-manages",
        changed(comorbidities=complicated()), step("consult_recorded", specialty="oncology"),
        ORDER(), then=granted),
    row("E20", "medically complicated, the primary care physician co-manages",
        changed(comorbidities=complicated()), step("consult_recorded", specialty="primary_care"),
        ORDER(), then=granted),
    row("E20", "medically complicated, cardiology was asked: that is no co-management",
        changed(comorbidities=complicated()), step("consult_recorded", specialty="cardiology"),
        ORDER(), then=refused),
    row("E20", "medically complicated asks for a consult", begun, complicated(),
        then=(fires("E20"), advises("oncologist", "primary care"))),
    row("E20", "nobody has said whether medically complicated", partial(without, "comorbidities"),
        ORDER(), then=refused_for("medically_complicated")),
    # --- E27: vitiligo ------------------------------------------------------------------------
    row("E27", "not counselled about vitiligo",
        changed(counselling=step("counselling_given", home_monitoring=True)), ORDER(),
        then=refused),
    softly("E27", "not counselled about vitiligo, with a reason",
           changed(counselling=step("counselling_given", home_monitoring=True)), ORDER,
           kept="E27_vitiligo_counselled"),
    softly("E18", "stage IIIB, with a reason",
           changed(stage=step("stage_recorded", disease_stage="IIIB")), ORDER,
           kept="stage_IIIC_or_IV_M1a"),
    row("E27", "counselled about vitiligo",
        changed(counselling=step("counselling_given", vitiligo=True)), ORDER(), then=granted),
    # --- the pressure at rest must be above a goal --------------------------------------------
    row("N09", "a pressure of 81 at rest", changed(vital_signs=vital_signs(81)), ORDER(),
        then=granted),
    row("N09", "a pressure of 80 at rest satisfies no goal: not startable",
        changed(vital_signs=vital_signs(80)), ORDER(), then=refused),
    # --- E05: an antihypertensive that is an antiarrhythmic -----------------------------------
    row("E05", "an antihypertensive is held", begun,
        step("medications_reviewed", medications=True, antihypertensive=True,
             antihypertensive_is_antiarrhythmic=False),
        step("hold_antihypertensive"), then=granted),
    softly("E05", "an antihypertensive that is an antiarrhythmic is held without cardiology", begun,
           step("medications_reviewed", medications=True, antihypertensive=True,
                antihypertensive_is_antiarrhythmic=True),
           partial(step, "hold_antihypertensive"),
           kept="E05_cardiology_before_holding_antiarrhythmic"),
    row("E05", "an antihypertensive that is an antiarrhythmic is held after cardiology", begun,
        step("medications_reviewed", medications=True, antihypertensive=True,
             antihypertensive_is_antiarrhythmic=True),
        step("consult_recorded", specialty="cardiology"), step("hold_antihypertensive"),
        then=granted),
    row("E05", "an antiarrhythmic asks for cardiology", begun,
        step("medications_reviewed", medications=True, antihypertensive=True,
             antihypertensive_is_antiarrhythmic=True),
        then=(fires("E05"), advises("cardiology"))),
)  # fmt: skip

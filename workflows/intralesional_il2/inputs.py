"""What is observed: unit, physical range and code.

- Ranges are physical possibility, not limits of treatment: a pressure of 45 or 4 platelets are real
  and must act. What lies outside is recorded, cannot be used, and blocks dosing.
- No reading expires by itself: how old a baseline item may be is asked by guards (7.33).
- LOINC codes are from public tables where they were found, and otherwise from memory: they label,
  and no guard reads them.
"""

from __future__ import annotations

from decimal import Decimal

from engine.core.definition import Input


def _quantity(
    name: str, unit: str, high: int, title: str, *, low: int = 0, loinc: str | None = None
) -> Input:
    return Input(
        name=name,
        kind="quantity",
        unit=unit,
        low=Decimal(low),
        high=Decimal(high),
        loinc=loinc,
        title=title,
    )


def _yes_no(name: str, title: str, *, loinc: str | None = None) -> Input:
    return Input(name=name, kind="yesno", title=title, loinc=loinc)


def _code(name: str, title: str, *codes: str, loinc: str | None = None) -> Input:
    return Input(name=name, kind="code", codes=codes, title=title, loinc=loinc)


systolic = _quantity("systolic", "mm[Hg]", 400, "Systolic blood pressure", loinc="8480-6")
diastolic = _quantity("diastolic", "mm[Hg]", 400, "Diastolic blood pressure", loinc="8462-4")
heart_rate = _quantity("heart_rate", "/min", 350, "Heart rate", loinc="8867-4")
temperature = _quantity("temperature", "Cel", 47, "Body temperature", low=10, loinc="8310-5")
spo2 = _quantity("spo2", "%", 100, "Oxygen saturation", loinc="59408-5")
weight = _quantity("weight", "kg", 700, "Body weight", low=1, loinc="29463-7")
rhythm = _code(
    "rhythm",
    "Heart rhythm",
    "sinus",
    "atrial_fibrillation",
    "atrial_flutter",
    "supraventricular_tachycardia",
    "other",
)

platelets = _quantity("platelets", "10*3/uL", 10_000, "Platelets", loinc="777-3")
hematocrit = _quantity("hematocrit", "%", 90, "Hematocrit", loinc="4544-3")
hemoglobin = _quantity("hemoglobin", "g/dL", 30, "Hemoglobin", loinc="718-7")
creatinine = _quantity("creatinine", "mg/dL", 100, "Creatinine, serum", loinc="2160-0")
bilirubin = _quantity("bilirubin", "mg/dL", 100, "Bilirubin, total", loinc="1975-2")
ldh = _quantity("ldh", "U/L", 100_000, "Lactate dehydrogenase", loinc="2532-0")
ldh_upper_limit = _quantity("ldh_upper_limit", "U/L", 10_000, "Upper limit of this laboratory, LDH")
ldh_level = _code("ldh_level", "LDH as judged by a clinician", "normal", "elevated")
complete_blood_count = _yes_no("complete_blood_count", "Complete blood count", loinc="58410-2")
metabolic_panel = _yes_no("metabolic_panel", "Complete metabolic panel", loinc="24323-8")

troponin = _quantity("troponin", "ng/L", 10_000_000, "Troponin", loinc="67151-1")
troponin_upper_limit = _quantity(
    "troponin_upper_limit", "ng/L", 100_000, "Upper limit of this laboratory, troponin"
)
ck_mb = _quantity("ck_mb", "ng/mL", 100_000, "CK-MB", loinc="13969-1")
ck_mb_upper_limit = _quantity(
    "ck_mb_upper_limit", "ng/mL", 10_000, "Upper limit of this laboratory, CK-MB"
)
cardiac_enzymes = _code(
    "cardiac_enzymes",
    "Cardiac enzymes as judged by a clinician",
    "normal",
    "elevated",
    "elevated_falling",
)
echocardiogram = _code(
    "echocardiogram",
    "Myocardial dysfunction on echocardiogram",
    "no_dysfunction",
    "dysfunction",
    "inconclusive",
    loinc="42148-7",
)
urine_output = Input(
    name="urine_output",
    kind="quantity",
    unit="mL",
    low=Decimal(0),
    high=Decimal(20_000),
    interval=True,
    loinc="9187-6",
    title="Urine passed in an interval",
)

disease_stage = _code(
    "disease_stage",
    "Stage of melanoma",
    "IIIA",
    "IIIB",
    "IIIC",
    "IV_M1a",
    "IV_M1b",
    "IV_M1c",
    "other",
)
physical_examination = _yes_no("physical_examination", "Complete physical examination")
lymph_nodes_examined = _yes_no("lymph_nodes_examined", "Lymph nodes examined")
ecog = Input(
    name="ecog",
    kind="number",
    low=Decimal(0),
    high=Decimal(5),
    loinc="89247-1",
    title="ECOG performance status",
)
visceral_metastasis = _yes_no(
    "visceral_metastasis", "Visceral metastasis on whole-body PET/CT", loinc="44139-4"
)
cns_metastasis = _yes_no("cns_metastasis", "Metastasis on brain MRI", loinc="24587-8")
pulmonary_edema = _yes_no("pulmonary_edema", "Pulmonary edema on chest X-ray", loinc="36643-5")
medications = _yes_no("medications", "Current medications reviewed")
photographs = _yes_no("photographs", "Lesions to be treated photographed")
il2_dose = _quantity("il2_dose", "M[IU]", 1000, "IL-2 injected at one visit, all lesions")

VITAL_SIGNS = (systolic, diastolic, heart_rate, temperature, spo2, weight, rhythm)
BLOOD = (
    platelets,
    hematocrit,
    hemoglobin,
    creatinine,
    bilirubin,
    ldh,
    ldh_upper_limit,
    ldh_level,
    complete_blood_count,
    metabolic_panel,
)
ENZYMES = (troponin, troponin_upper_limit, ck_mb, ck_mb_upper_limit, cardiac_enzymes)
INPUTS = (
    *VITAL_SIGNS,
    *BLOOD,
    *ENZYMES,
    echocardiogram,
    urine_output,
    disease_stage,
    physical_examination,
    lymph_nodes_examined,
    ecog,
    visceral_metastasis,
    cns_metastasis,
    pulmonary_edema,
    medications,
    photographs,
    il2_dose,
)

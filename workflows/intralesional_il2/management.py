"""Table 3, row by row: advice on what is reported or measured. None of it stops IL-2.

Rules on measurements hold for a day after the reading, so that a correction is seen as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from engine.core.definition import Advice, Citation, Guard, Input, Rule
from engine.core.expression import (
    Expression,
    Now,
    Operand,
    Sent,
    Sustained,
    Total,
    Truth,
    all_of,
    any_of,
    hours,
    lift,
)
from engine.core.quantity import q
from workflows.intralesional_il2 import inputs as i
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter
from workflows.intralesional_il2.conditions import FAST_NOW, HYPOTENSIVE, TOXIC, VOID, YES
from workflows.intralesional_il2.sources import (
    ADMINISTRATION,
    FEW_COMORBIDITIES,
    SEVERE,
    decision,
    paper,
    table_3,
)
from workflows.intralesional_il2.states import AFTER_FIRST_INJECTION
from workflows.intralesional_il2.toxicity import FAST_RHYTHMS

_DAY = timedelta(days=1)
_AE = ("adverse_event_reported",)


def _recent(source: Input, condition: Operand) -> Expression:
    return all_of(source.taken_at.known(), Now() - source.taken_at <= hours(24), condition)


def _reported(name: str, title: str, cite: Citation, *terms: str) -> Guard:
    return Guard(name=name, condition=Sent("term").one_of(*terms), title=title, cite=cite)


def _measured(name: str, title: str, cite: Citation, condition: Expression) -> Guard:
    return Guard(name=name, condition=condition, title=title, cite=cite)


def _urine_below(volume: str, span: int) -> Expression:
    """Less than a volume over the last hours, completely covered."""
    return Total(
        "urine_output",
        "<",
        lift(q(volume, "mL")),
        lift(hours(span)),
        _DAY,
        Truth.NO,
        Truth.NO,
        since=v.last_dose_at.tree(),
    )


_LOW_URINE = any_of(v.low_urine_seen, _urine_below("10", 1))

FEVER = table_3(
    "Fever/ chills",
    "Administer acetaminophen 325 mg- 650 mg orally every 4-6 hours with warm blankets",
)
NAUSEA = table_3(
    "Nausea",
    "Administer antiemetics, such a ondansetron 4 mg-8 mg orally every 8 hours as needed (avoid "
    "steroids)",
)
DIARRHEA = table_3(
    "Diarrhea",
    "Administer antimotility agents, such as loperamide 2 mg- 4 mg (do not exceed 16mg/day) after "
    "each episode",
)
DYSPNEA = table_3(
    "Dyspnea", "Monitor oxygen saturation and administer supplemental oxygen if sat <90%"
)
EDEMA = table_3(
    "Dyspnea",
    "If pulmonary edema is present without hypotension, administer diuretics (i.e. furosemide 80 "
    "mg intravenously every hour), morphine sulfate 1-3 mg intravenously every 5 minutes, "
    "nitroglycerin 5-200 mcg intravenously every minute, supplemental oxygen, and place patient "
    "in upright position",
)
PERIPHERAL = table_3("Peripheral edema", "Recommend compression stockings on days of treatment.")
KIDNEY = table_3(
    "Acute Kidney Injury or Oliguria",
    "If urine output does not resume after fluid resuscitation, place indwelling urinary catheter "
    "and consider intravenous dopamine at 2 mcg/kg/min.",
)
INFECTION = table_3(
    "Infection or Cutaneous Ulcerations",
    "Administer antibiotics empirically with doxycycline 100 mg or double strength Bactrim (800 mg "
    "sulfamethoxazole and 160 mg trimethoprim) twice daily",
)
CHOLESTASIS = table_3(
    "Transient Cholestasis",
    "Most often reversible upon discontinuation of IL-2 therapy and rarely clinically "
    "consequential",
)
RASH = table_3("Rash or Pruritus", "Treat symptomatically with emollients and antihistamines")
FOOTNOTE = table_3(
    "footnote",
    "Managing adverse events may require inpatient hospitalization and/or involvement of the "
    "primary care physician, based on the treating physician\u2019s comfort level and "
    "accessibility to medications.",
)
TACHYCARDIA = table_3(
    "Sinus tachycardia",
    "Evaluate for underlying etiology (i.e. fever, hypovolemia, pulmonary embolism, ischemia, "
    "pain, hypoxia, infection, anemia, medication induced) and treat accordingly.",
)
LEAK = paper(
    SEVERE,
    "This can lead to hypotension, tachycardia, and decreased urine output, which are the earliest "
    "manifestations of CLS.",
)

_REPORTED = (
    (_reported("E06_fever_chills_or_myalgia", "Fever, chills, rigors or myalgia", FEVER,
               "fever", "chills", "rigor", "myalgia", "flu_like"), "manage", ("E06_fever",)),
    (_reported("E07_nausea_or_vomiting", "Nausea or vomiting", NAUSEA, "nausea", "vomiting"),
     "manage", ("E07_nausea",)),
    (_reported("E08_diarrhea", "Diarrhea", DIARRHEA, "diarrhea"), "manage", ("E08_diarrhea",)),
    (_reported("E09_dyspnea", "Dyspnea or hypoxemia", DYSPNEA, "dyspnea", "hypoxemia"),
     "manage", ("E09_dyspnea",)),
    (_reported("E11_peripheral_edema", "Peripheral edema", PERIPHERAL, "peripheral_edema"),
     "manage", ("E11_edema",)),
    (_reported("E12_kidney_injury_or_oliguria", "Acute kidney injury or oliguria", KIDNEY,
               "acute_kidney_injury", "oliguria"), "manage", ("E12_kidney",)),
    (_reported("E13_skin_infection", "Concern of infection of the skin", INFECTION,
               "skin_infection"), "manage", ("E13_antibiotics",)),
    (_reported("E13_skin_ulcer", "Ulceration of the skin", INFECTION, "skin_ulcer"),
     "advise", ("E13_ulcer_expected",)),
    (_reported("E16_cholestasis", "Transient cholestasis", CHOLESTASIS, "cholestasis"),
     "advise", ("E16_cholestasis",)),
    (_reported("E17_rash_or_pruritus", "Rash or pruritus", RASH, "rash", "pruritus"),
     "manage", ("E17_skin",)),
    (_reported("E29_sinus_tachycardia_reported", "Sinus tachycardia, at any rate", TACHYCARDIA,
               "sinus_tachycardia"), "manage", ("N01_evaluate",)),
    (_reported("E03_myocarditis_reported", "Myocarditis reported",
               table_3("Elevated Cardiac Enzymes",
                       "Consider cardiology consult for evaluation of myocarditis"),
               "myocarditis"), "consult", ("E03_myocarditis",)),
    (_reported("E28_capillary_leak_reported", "Capillary leak reported", LEAK,
               "capillary_leak_syndrome"), "manage", ("E28_leak",)),
    (_measured("E11_severe_edema", "Severe peripheral edema",
               table_3("Peripheral edema", "If edema is severe, administer diuretics as clinically "
                       "indicated, while monitoring for hypotension."),
               all_of(Sent("term").is_("peripheral_edema"), Sent("grade") >= q(3, "1").value)),
     "manage", ("E11_diuretics",)),
    (_measured("E10_pulmonary_edema_without_hypotension", "Pulmonary edema without hypotension",
               EDEMA, all_of(Sent("term").is_("pulmonary_edema"), ~HYPOTENSIVE)),
     "manage", ("E10_edema", "E09_dyspnea")),
    (_measured("E10_pulmonary_edema_with_hypotension", "Pulmonary edema with hypotension",
               EDEMA, all_of(Sent("term").is_("pulmonary_edema"), HYPOTENSIVE)),
     "manage", ("E10_hypotensive",)),
    (_measured("E24_beyond_the_office", "An adverse event that may be beyond the office", FOOTNOTE,
               Sent("grade") > p.tolerated_grade), "advise", ("E24_inpatient",)),
)  # fmt: skip

_MEASURED = (
    (_measured("N02_fast_svt", "Supraventricular rate above 150, sustained",
               table_3("Supraventricular tachycardia (including atrial fibrillation)",
                       "If heart rate is sustained > 150 beats per minute, consider valsalva "
                       "maneuver or carotid massage or pharmacologic therapy depending on rhythm "
                       "and per cardiology consult"),
               all_of(
                   Sustained("heart_rate", ">", p.svt_limit.tree(), p.heart_rate_count.tree(),
                             p.heart_rate_span.tree(), _DAY, Truth.NO, Truth.NO),
                   i.rhythm.one_of(*FAST_RHYTHMS),
               )), "consult", ("N02_fast_svt",)),
    (_measured("N03_spo2_below_90", "Oxygen saturation below 90 %", DYSPNEA,
               _recent(i.spo2, i.spo2 < p.spo2_limit)), "manage", ("N03_oxygen",)),
    (_measured("N07_platelets_below_20", "Platelets below 20",
               table_3("Thrombocytopenia",
                       "Consider platelet transfusion if count <20,000/mm3"),
               _recent(i.platelets, i.platelets < p.transfusion_platelets)),
     "manage", ("N07_transfusion",)),
    (_measured("N06_platelets_below_30_once", "Platelets below 30: repeat before any dose",
               p.SUSTAINED_PLATELETS, _recent(i.platelets, i.platelets < p.platelet_limit)),
     "manage", ("N06_repeat",)),
    (_measured("N08_hematocrit_below_28", "Hematocrit below 28 %",
               table_3("Anemia", "Transfuse as medically indicated for hematocrit < 28%"),
               _recent(i.hematocrit, i.hematocrit < p.hematocrit_limit)),
     "manage", ("N08_transfusion",)),
    (_measured("E29_heart_rate_above_130", "Heart rate above 130", TACHYCARDIA,
               _recent(i.heart_rate, FAST_NOW)), "manage", ("N01_evaluate",)),
    (_measured("N04_two_hours_below_10", "Urine below 10 mL an hour over two hours",
               decision("7.12", "Two hours below 10 mL each: an early alert only."),
               _urine_below("20", 2)), "manage", ("E12_kidney",)),
    (_measured("E28_capillary_leak_suspected",
               "Two of hypotension, tachycardia and falling urine output", LEAK,
               any_of(
                   all_of(v.low_pressure_seen, v.fast_heart_seen),
                   all_of(v.low_pressure_seen, _LOW_URINE),
                   all_of(v.fast_heart_seen, _LOW_URINE),
               )), "manage", ("E28_leak",)),
)  # fmt: skip

# What closes the gate before a dose also ends an order that was granted before it was known.
_VOIDING = (
    "E24_beyond_the_office",
    "N06_platelets_below_30_once",
    "E29_heart_rate_above_130",
)

_ON_X_RAY = _measured(
    "E10_pulmonary_edema_on_x_ray", "Pulmonary edema on chest X-ray, without hypotension",
    EDEMA, all_of(Sent("pulmonary_edema"), ~HYPOTENSIVE),
)  # fmt: skip
_MANY = _measured(
    "E23_many_comorbidities", "Few comorbidities are denied", FEW_COMORBIDITIES,
    all_of(v.few_comorbidities.known(), ~v.few_comorbidities),
)  # fmt: skip
_VASOPRESSOR = _measured(
    "E04_vasopressor_used", "A vasopressor was needed",
    decision("7.14", "No stop rule in the paper: a clinician decides before the next dose."),
    all_of(p.review_after_vasopressor, v.vasopressor_since_dose),
)  # fmt: skip
_EMERGENCY = _measured(
    "emergency_visit_since_dose", "An emergency visit or an admission since the last dose",
    decision("7.7", "An emergency visit means that the dose was not tolerated."),
    v.emergency_since_dose.tree(),
)  # fmt: skip
_IN_EMERGENCY = _measured(
    "readings_in_emergency_since_dose", "Vital signs of an emergency department since the dose",
    _EMERGENCY.cite,
    all_of(
        Sent("setting").known(), Sent("setting").is_("emergency"), v.emergency_since_dose
    ),
)  # fmt: skip
_REVIEW: Mapping[str, Expression] = {**VOID, "review_needed": YES}


def _advice(name: str, text: str, cite: Citation) -> Advice:
    return Advice(name=name, text=text, cite=cite)


ADVICE = (
    _advice("E06_fever", "Acetaminophen 325 to 650 mg orally every 4 to 6 hours (the paper's prose "
            "allows up to 1000 mg), at most 4 g a day; warm blankets.", FEVER),
    _advice("E07_nausea", "Ondansetron 4 to 8 mg orally every 8 hours as needed, and 4 to 8 mg one "
            "hour before treatment; a histamine-2 blocker nightly (ranitidine 150 mg, or what has "
            "replaced it). Avoid steroids.", NAUSEA),
    _advice("E08_diarrhea", "Loperamide 2 to 4 mg after each episode, at most 16 mg a day.",
            DIARRHEA),
    _advice("E09_dyspnea", "Monitor oxygen saturation, oxygen below 90 %; chest X-ray for "
            "pulmonary edema.", DYSPNEA),
    _advice("E10_edema", "Furosemide 80 mg intravenously every hour, morphine 1 to 3 mg "
            "intravenously every 5 minutes, nitroglycerin 5 to 200 micrograms intravenously every "
            "minute, oxygen, upright position. Only without hypotension.", EDEMA),
    _advice("E10_hypotensive", "Pulmonary edema with hypotension: no diuretic, no morphine, no "
            "nitroglycerin. Oxygen is never withheld; upright position; avoid further fluid.",
            EDEMA),
    _advice("E11_edema", "Compression stockings on days of treatment.", PERIPHERAL),
    _advice("E11_diuretics", "Diuretics as clinically indicated, while watching for hypotension.",
            PERIPHERAL),
    _advice("E12_kidney", "Fluid boluses, 1 to 1.5 L at most. If urine does not resume: indwelling "
            "catheter, and consider dopamine 2 micrograms/kg/min intravenously.", KIDNEY),
    _advice("E13_antibiotics", "Empirically doxycycline 100 mg or double-strength trimethoprim-"
            "sulfamethoxazole (800 and 160 mg) twice daily; consider a wound culture and adjust.",
            INFECTION),
    _advice("E13_ulcer_expected", "Erosions and ulcers are expected by the end of therapy; "
            "antibiotics where infection is a concern.",
            paper(ADMINISTRATION, "By the end of therapy, erosions and ulcerations will likely "
                  "occur (Figure 3).")),
    _advice("E16_cholestasis", "Cholestasis is most often reversible when IL-2 ends, and rarely "
            "of consequence.", CHOLESTASIS),
    _advice("E17_skin", "Emollients and antihistamines. Avoid steroid or alcohol-based products.",
            RASH),
    _advice("N01_evaluate", "Look for and treat fever, hypovolemia, pulmonary embolism, ischemia, "
            "pain, hypoxia, infection, anemia and medication; record the rhythm and when causes "
            "are corrected.", TACHYCARDIA),
    _advice("N02_fast_svt", "Above 150 a minute, sustained: consider the Valsalva maneuver, "
            "carotid massage or drugs, by rhythm and per cardiology consult.",
            table_3("Supraventricular tachycardia (including atrial fibrillation)",
                    "consider valsalva maneuver or carotid massage or pharmacologic therapy")),
    _advice("N03_oxygen", "Supplemental oxygen; it is never withheld for hypotension.", DYSPNEA),
    _advice("N06_repeat", "Platelets below 30: no dose until a count of 30 or more; repeat after "
            "24 hours.", p.SUSTAINED_PLATELETS),
    _advice("N07_transfusion", "Consider platelet transfusion.",
            table_3("Thrombocytopenia", "Consider platelet transfusion if count <20,000/mm3")),
    _advice("N08_transfusion", "Transfuse as medically indicated.",
            table_3("Anemia", "Transfuse as medically indicated for hematocrit < 28%")),
    _advice("E23_cap", "Without few comorbidities stay below 22 million international units.",
            FEW_COMORBIDITIES),
    _advice("E24_inpatient", "Consider inpatient care or the primary care physician, by the "
            "physician's comfort and access to medication.", FOOTNOTE),
    _advice("E28_leak", "Suspect capillary leak: avoid excess fluid, a vasopressor if needed.",
            LEAK),
    _advice("clinician_decides", "A clinician decides before the next dose.",
            decision("7.14", "Whenever a vasopressor was used.")),
)  # fmt: skip

CHAPTER = Chapter(
    guards=(
        *(guard for guard, _, _ in (*_REPORTED, *_MEASURED)),
        _ON_X_RAY,
        _MANY,
        _VASOPRESSOR,
        _EMERGENCY,
        _IN_EMERGENCY,
    ),
    rules=(
        *(
            Rule(
                guard=guard.name,
                action=action,
                events=_AE,
                updates=VOID if guard.name in _VOIDING else {},
                advice=advice,
            )
            for guard, action, advice in _REPORTED
        ),
        *(
            Rule(
                guard=guard.name,
                action=action,
                updates=VOID if guard.name in _VOIDING else {},
                advice=advice,
            )
            for guard, action, advice in _MEASURED
        ),
        Rule(
            guard=_ON_X_RAY.name,
            action="manage",
            events=("chest_x_ray_recorded",),
            advice=("E10_edema",),
        ),
        Rule(guard=_MANY.name, action="advise", events=("order_dose",), advice=("E23_cap",)),
        Rule(
            guard=_VASOPRESSOR.name,
            action="review",
            places=AFTER_FIRST_INJECTION,
            events=("vasopressor_given",),
            updates=_REVIEW,
            advice=("clinician_decides",),
        ),
        Rule(
            guard=_EMERGENCY.name,
            action="review",
            places=AFTER_FIRST_INJECTION,
            events=("emergency_visit_reported", "admission_reported"),
            updates=_REVIEW,
            advice=("clinician_decides",),
        ),
        Rule(
            guard=_IN_EMERGENCY.name,
            action="review",
            places=AFTER_FIRST_INJECTION,
            events=("vital_signs_recorded",),
            updates={**_REVIEW, **TOXIC},
            advice=("clinician_decides",),
        ),
    ),
    advice=ADVICE,
)

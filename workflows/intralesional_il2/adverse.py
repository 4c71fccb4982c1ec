"""What went wrong: adverse events, visits to an emergency department and admissions.

A toxicity stays open until a clinician closes it, with a word that is not older than it.
"""

from __future__ import annotations

from engine.core.definition import ANYWHERE, Event, Field, Kind, Transition
from engine.core.expression import Now, Sent, all_of, any_of, choose, greatest
from engine.core.quantity import q
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter
from workflows.intralesional_il2.conditions import AFTER_LAST_DOSE, DATED, NO, TOXIC, UNSET, keep
from workflows.intralesional_il2.sources import EMERGENCY_ROOM, published, table_3
from workflows.intralesional_il2.states import CLINICIAN, OBSERVERS

TERMS = (
    "hypotension",
    "capillary_leak_syndrome",
    "sinus_tachycardia",
    "supraventricular_tachycardia",
    "atrial_fibrillation",
    "fever",
    "chills",
    "rigor",
    "myalgia",
    "flu_like",
    "nausea",
    "vomiting",
    "diarrhea",
    "dyspnea",
    "hypoxemia",
    "pulmonary_edema",
    "peripheral_edema",
    "acute_kidney_injury",
    "oliguria",
    "anemia",
    "thrombocytopenia",
    "skin_infection",
    "skin_ulcer",
    "cholestasis",
    "myocarditis",
    "confusion",
    "delirium",
    "encephalopathy",
    "other_neurotoxicity",
    "rash",
    "pruritus",
    "vitiligo",
    "injection_site_reaction",
    "other",
)
"""Terms of the common criteria for adverse events, version 5, as far as the protocol names them."""


_term, _grade = Sent("term"), Sent("grade")

EVENTS = (
    Event(
        name="adverse_event_reported",
        kind=Kind.REPORT,
        roles=OBSERVERS,
        fields=(
            Field(name="term", kind="code", codes=TERMS, required=True),
            Field(
                name="grade",
                kind="number",
                required=True,
                low=q(1, "1").value,
                high=q(5, "1").value,
                title="Grade 1 to 5",
            ),
            Field(name="description", kind="text"),
        ),
        updates={
            "worst_grade": keep(
                v.worst_grade,
                AFTER_LAST_DOSE,
                choose(
                    v.worst_grade.known(),
                    greatest(v.worst_grade, _grade),
                    # A mild one says nothing of those before it, which nobody attested.
                    choose(_grade > p.tolerated_grade, _grade, UNSET),
                ),
            ),
            **{
                name: keep(toxic, _grade > p.tolerated_grade, TOXIC[name])
                for name, toxic in (
                    ("toxicity_open", v.toxicity_open),
                    ("toxicity_at", v.toxicity_at),
                )
            },
            "low_pressure_seen": any_of(
                v.low_pressure_seen, _term.one_of("hypotension", "capillary_leak_syndrome")
            ),
            "fast_heart_seen": any_of(v.fast_heart_seen, _term.is_("sinus_tachycardia")),
            "low_urine_seen": any_of(v.low_urine_seen, _term.is_("oliguria")),
        },
        title="Adverse event, coded and graded",
        cite=published(
            "Common Terminology Criteria for Adverse Events, version 5", "Terms and grades."
        ),
    ),
    Event(
        name="toxicity_resolved",
        kind=Kind.REPORT,
        roles=(CLINICIAN,),
        updates={
            "toxicity_open": all_of(
                v.toxicity_open, v.toxicity_at.known(), DATED, Now() < v.toxicity_at
            ),
            "new_symptoms": choose(v.new_symptoms.known(), NO, UNSET),
        },
        title="A clinician closes the open toxicity",
    ),
    Event(
        name="emergency_visit_reported",
        kind=Kind.REPORT,
        roles=OBSERVERS,
        updates={
            "emergency_since_dose": any_of(v.emergency_since_dose, AFTER_LAST_DOSE),
            **TOXIC,
        },
        title="Seen in an emergency department",
        cite=EMERGENCY_ROOM,
    ),
    Event(
        name="admission_reported",
        kind=Kind.REPORT,
        roles=OBSERVERS,
        updates={
            "emergency_since_dose": any_of(v.emergency_since_dose, AFTER_LAST_DOSE),
            **TOXIC,
        },
        title="Admitted to hospital",
        cite=table_3(
            "footnote",
            "Managing adverse events may require inpatient hospitalization and/or involvement of "
            "the primary care physician",
        ),
    ),
)

CHAPTER = Chapter(
    events=EVENTS,
    transitions=tuple(Transition(name=e.name, event=e.name, sources=(ANYWHERE,)) for e in EVENTS),
)

"""What is observed of a patient: recorded in every state, whoever sends it and however late.

Facts are added before anything is weighed, so that a reading counts in the decision that it arrives
with.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.definition import (
    ANYWHERE,
    Event,
    Field,
    Guard,
    Input,
    Kind,
    Transition,
    Variable,
)
from engine.core.expression import (
    Expression,
    Late,
    Now,
    Sent,
    Today,
    all_of,
    any_of,
    choose,
    greatest,
    least,
)
from workflows.intralesional_il2 import inputs as i
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, hard
from workflows.intralesional_il2.conditions import (
    AFTER_LAST_DOSE,
    GOAL,
    LOW_TWICE,
    UNSET,
    YES,
    first,
    keep,
    sent,
    surely,
)
from workflows.intralesional_il2.sources import (
    PRESSURE_GOALS,
    SELF_MONITORING,
    decision,
    inferred,
    table_3,
)
from workflows.intralesional_il2.states import (
    CLINICIAN,
    DECIDERS,
    LABORATORY,
    OBSERVERS,
    STAFF,
    TREATED,
)


def _last(on: Variable) -> Expression:
    """The later of the date and today: what is entered late takes nothing away."""
    return choose(on.known(), greatest(on, Today()), Today())


def _reading(source: Input, *, required: bool = False) -> Field:
    return Field(name=source.name, input=source.name, required=required)


_pressure_sent = all_of(sent("systolic"), v.pressure_goal.known())
_low = Sent("systolic") <= v.pressure_goal
AT_HOME = any_of(
    all_of(sent("setting"), Sent("setting").is_("home")),
    # Where nobody says where, it is the patient's home, unless an observation in the clinic runs.
    all_of(
        ~sent("setting"),
        ~all_of(surely(v.observation_open), surely(~v.observed_at_home)),
    ),
)

_IN_EMERGENCY = all_of(sent("setting"), Sent("setting").is_("emergency"))

_fast = Sent("heart_rate") > p.heart_rate_limit
_FAST: Mapping[str, Expression] = {
    # Since the first such reading of a run; a rhythm that was read before it says nothing.
    "fast_heart_at": keep(
        v.fast_heart_at,
        sent("heart_rate"),
        choose(
            _fast,
            choose(v.fast_heart_at.known(), least(v.fast_heart_at, Now()), Now()),
            choose(Late(), v.fast_heart_at.tree(), UNSET),
        ),
    ),
    "fast_heart_seen": keep(
        v.fast_heart_seen, sent("heart_rate"), any_of(v.fast_heart_seen, _fast)
    ),
}

EVENTS = (
    Event(
        name="vital_signs_recorded",
        kind=Kind.REPORT,
        roles=OBSERVERS,
        fields=(
            *(_reading(source) for source in i.VITAL_SIGNS),
            Field(name="setting", kind="code", codes=("home", "clinic", "hospital", "emergency")),
            Field(name="symptoms", kind="yesno", title="Symptoms of a low pressure"),
        ),
        updates={
            # A reading within the first minutes is no repetition yet, and one above the goal that
            # was taken before the low one, and is entered after it, answers nothing.
            "repeat_due_at": keep(
                v.repeat_due_at,
                _pressure_sent,
                choose(
                    _low,
                    choose(
                        LOW_TWICE,
                        UNSET,
                        choose(
                            v.repeat_due_at.known(),
                            v.repeat_due_at.tree(),
                            choose(AT_HOME, Now() + p.repeat_within, UNSET),
                        ),
                    ),
                    choose(
                        all_of(v.repeat_due_at.known(), Now() + p.repeat_within < v.repeat_due_at),
                        v.repeat_due_at.tree(),
                        UNSET,
                    ),
                ),
            ),
            "emergency_since_dose": any_of(
                v.emergency_since_dose, all_of(_IN_EMERGENCY, AFTER_LAST_DOSE)
            ),
            "low_pressure_seen": keep(
                v.low_pressure_seen, _pressure_sent, any_of(v.low_pressure_seen, _low)
            ),
            **_FAST,
        },
        title="Vital signs, at home or in the clinic",
        cite=SELF_MONITORING,
    ),
    Event(
        name="electrocardiogram_recorded",
        kind=Kind.REPORT,
        roles=STAFF,
        fields=(_reading(i.rhythm, required=True), _reading(i.heart_rate)),
        updates=_FAST,
        title="Electrocardiogram",
    ),
    Event(
        name="echocardiogram_recorded",
        kind=Kind.REPORT,
        roles=STAFF,
        fields=(_reading(i.echocardiogram, required=True),),
        title="Echocardiogram",
    ),
    Event(
        name="labs_recorded",
        kind=Kind.REPORT,
        roles=(*STAFF, LABORATORY),
        fields=tuple(_reading(source) for source in i.BLOOD),
        title="Laboratory values",
    ),
    Event(
        name="cardiac_enzymes_recorded",
        kind=Kind.REPORT,
        roles=(*STAFF, LABORATORY),
        fields=tuple(_reading(source) for source in i.ENZYMES),
        updates={
            "troponin_floor": keep(
                v.troponin_floor,
                all_of(sent("troponin"), v.troponin_floor.known()),
                least(v.troponin_floor, Sent("troponin")),
            ),
            "ck_mb_floor": keep(
                v.ck_mb_floor,
                all_of(sent("ck_mb"), v.ck_mb_floor.known()),
                least(v.ck_mb_floor, Sent("ck_mb")),
            ),
            "enzymes_due_at": keep(
                v.enzymes_due_at, v.enzymes_due_at.known(), Now() + p.enzyme_interval
            ),
            "enzymes_taken_on": keep(
                v.enzymes_taken_on,
                all_of(
                    v.enzymes_taken_on.known(),
                    sent("troponin") | sent("ck_mb") | sent("cardiac_enzymes"),
                ),
                greatest(v.enzymes_taken_on, Today()),
            ),
        },
        title="Cardiac enzymes, each with the laboratory's own upper limit",
    ),
    Event(
        name="enzyme_trend_ended",
        kind=Kind.REPORT,
        roles=(CLINICIAN,),
        updates={"enzymes_due_at": UNSET, "enzymes_taken_on": UNSET},
        title="Enzymes need not be followed any more",
    ),
    Event(
        name="urine_output_recorded",
        kind=Kind.REPORT,
        roles=STAFF,
        fields=(_reading(i.urine_output, required=True),),
        title="Urine passed in an interval",
        cite=decision("7.12", "Hourly urine below 10 mL is an early alert only."),
    ),
    Event(
        name="symptoms_reviewed",
        kind=Kind.REPORT,
        roles=STAFF,
        fields=(Field(name="new_symptoms", kind="yesno"),),
        updates={
            "symptoms_reviewed_on": _last(v.symptoms_reviewed_on),
            # Of an older day than the last review it says nothing.
            "new_symptoms": choose(
                surely(Today() < v.symptoms_reviewed_on),
                v.new_symptoms.tree(),
                choose(sent("new_symptoms"), Sent("new_symptoms"), UNSET),
            ),
        },
        title="Symptoms asked for",
    ),
    Event(
        name="home_readings_attested",
        kind=Kind.REPORT,
        roles=(CLINICIAN,),
        updates={"home_readings_attested": YES},
        title="A clinician attests the readings of the last observation",
        cite=SELF_MONITORING,
    ),
    Event(
        name="tachycardia_reviewed",
        kind=Kind.REPORT,
        roles=DECIDERS,
        fields=(
            Field(
                name="cause",
                kind="code",
                codes=(
                    "fever",
                    "hypovolemia",
                    "pulmonary_embolism",
                    "ischemia",
                    "pain",
                    "hypoxia",
                    "infection",
                    "anemia",
                    "medication",
                    "none_found",
                    "other",
                ),
            ),
            Field(name="corrected", kind="yesno", required=True, title="Causes are corrected"),
        ),
        updates={
            "tachycardia_reviewed_on": _last(v.tachycardia_reviewed_on),
            # The first correction counts: to say it again must not begin the run anew.
            "causes_corrected_at": choose(
                Sent("corrected"), first(v.causes_corrected_at, Now()), UNSET
            ),
        },
        title="Causes of a tachycardia were looked for",
        cite=table_3(
            "Sinus tachycardia",
            "Evaluate for underlying etiology (i.e. fever, hypovolemia, pulmonary embolism, "
            "ischemia, pain, hypoxia, infection, anemia, medication induced) and treat "
            "accordingly.",
        ),
    ),
)

_BASELINE_ENTERED_LATE = Guard(
    name="baseline_pressure_entered_late",
    condition=all_of(
        v.first_injection_at.known(),
        ~v.pressure_goal.known(),
        sent("systolic"),
        Now().known(),
        Now() <= v.first_injection_at,
    ),
    title="The pressure before the first injection is entered after it",
    cite=inferred(
        PRESSURE_GOALS.source, "The baseline is the pressure before the first injection."
    ),
)

CHAPTER = Chapter(
    events=EVENTS,
    guards=(_BASELINE_ENTERED_LATE,),
    transitions=(
        *(Transition(name=e.name, event=e.name, sources=(ANYWHERE,)) for e in EVENTS),
        Transition(
            name="baseline_pressure_entered_late",
            event="vital_signs_recorded",
            sources=TREATED,
            priority=10,
            requires=hard(_BASELINE_ENTERED_LATE),
            updates={"pressure_goal": GOAL},
        ),
    ),
)

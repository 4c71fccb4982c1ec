"""Blood pressure against the goal of the round: at home an emergency, in the clinic managed.

The goal is frozen with the first injection of a round. A pressure at the goal violates it.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.definition import Advice, Event, Guard, Kind, Rule, Timer, Transition
from engine.core.expression import Expression, Now, Sent, all_of, hours
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter
from workflows.intralesional_il2.conditions import (
    HYPOTENSIVE,
    LOW_TWICE,
    TOXIC,
    UNSET,
    VOID,
    sent,
)
from workflows.intralesional_il2.inputs import systolic
from workflows.intralesional_il2.observations import AT_HOME
from workflows.intralesional_il2.sources import (
    ADMINISTRATION,
    EMERGENCY_ROOM,
    PRESSURE_GOALS,
    decision,
    paper,
    table_3,
)
from workflows.intralesional_il2.states import OPEN, OVER, TREATED

SIGNIFICANT = decision(
    "7.15", "At or below the goal on two readings 5 to 15 minutes apart, or on one with symptoms."
)
_VITALS = ("vital_signs_recorded",)
_WATCHED = (*TREATED, *OVER)
_LOW = all_of(sent("systolic"), Sent("systolic") <= v.pressure_goal)
_SYMPTOMS = all_of(sent("symptoms"), Sent("symptoms"))
_RECENTLY = all_of(systolic.taken_at.known(), Now().known(), Now() - systolic.taken_at <= hours(24))

HOME_SYMPTOMS = Guard(
    name="N09_low_at_home_with_symptoms",
    condition=all_of(_LOW, AT_HOME, _SYMPTOMS),
    title="Systolic pressure at or below the goal at home, with symptoms",
    cite=EMERGENCY_ROOM,
)
HOME_STILL_LOW = Guard(
    name="N09_still_low_at_home",
    condition=all_of(_LOW, AT_HOME, LOW_TWICE),
    title="Systolic pressure still at or below the goal at home after 5 minutes or more",
    cite=EMERGENCY_ROOM,
)
HOME_NOT_REPEATED = Guard(
    name="N09_low_at_home_not_repeated",
    condition=HYPOTENSIVE,
    title="A low pressure at home was not repeated within 15 minutes",
    cite=EMERGENCY_ROOM,
)
HOME_FIRST = Guard(
    name="N09_low_at_home_once",
    condition=all_of(_LOW, AT_HOME, ~_SYMPTOMS, ~LOW_TWICE),
    title="Systolic pressure at or below the goal at home, once",
    cite=SIGNIFICANT,
)
IN_CLINIC = Guard(
    name="N09_low_in_clinic",
    condition=all_of(_LOW, ~AT_HOME),
    title="Systolic pressure at or below the goal under observation",
    cite=PRESSURE_GOALS,
)
SIGNIFICANT_DROP = Guard(
    name="E04_clinically_significant_hypotension",
    condition=all_of(_LOW, _SYMPTOMS),
    title="Clinically significant hypotension: with symptoms",
    cite=SIGNIFICANT,
)
LOW_ON_RECORD = Guard(
    name="N09_latest_pressure_at_goal",
    condition=all_of(_RECENTLY, HYPOTENSIVE),
    title="The latest pressure of the last day is at or below the goal",
    cite=PRESSURE_GOALS,
)
LOW_TWICE_ON_RECORD = Guard(
    name="E04_low_twice",
    condition=all_of(_RECENTLY, HYPOTENSIVE, LOW_TWICE),
    title="Clinically significant hypotension: on two readings",
    cite=SIGNIFICANT,
)
REPORTED = Guard(
    name="E04_hypotension_reported",
    condition=Sent("term").one_of("hypotension", "capillary_leak_syndrome"),
    title="Hypotension reported",
    cite=table_3("Hypotension", "Hold antihypertensives on day of IL-2 administration."),
)
ON_ANTIHYPERTENSIVE = Guard(
    name="E04_antihypertensive_on_treatment_day",
    condition=all_of(v.antihypertensive.known(), v.antihypertensive, v.low_pressure_seen),
    title="Hypotension after a dose in a patient who takes an antihypertensive",
    cite=paper(
        ADMINISTRATION,
        "Hypotension is not uncommon and, if clinically significant, antihypertensives may be held "
        "on future treatment days (Table 3).",
    ),
)

_OPENS: Mapping[str, Expression] = {**VOID, **TOXIC}

CHAPTER = Chapter(
    events=(
        Event(
            name="repeat_pressure_overdue",
            kind=Kind.REPORT,
            roles=("engine",),
            timer=True,
            updates={"repeat_due_at": UNSET},
            title="No second pressure came in time",
            cite=SIGNIFICANT,
        ),
    ),
    guards=(
        HOME_SYMPTOMS,
        HOME_STILL_LOW,
        HOME_NOT_REPEATED,
        HOME_FIRST,
        IN_CLINIC,
        SIGNIFICANT_DROP,
        LOW_ON_RECORD,
        LOW_TWICE_ON_RECORD,
        REPORTED,
        ON_ANTIHYPERTENSIVE,
    ),
    transitions=(
        Transition(name="repeat_pressure_overdue", event="repeat_pressure_overdue", sources=OPEN),
    ),
    rules=(
        Rule(
            guard=HOME_SYMPTOMS.name,
            action="expedite",
            places=_WATCHED,
            events=_VITALS,
            updates=_OPENS,
            advice=("N09_emergency",),
        ),
        Rule(
            guard=HOME_STILL_LOW.name,
            action="expedite",
            places=_WATCHED,
            events=_VITALS,
            updates=_OPENS,
            advice=("N09_emergency",),
        ),
        Rule(
            guard=HOME_NOT_REPEATED.name,
            action="expedite",
            places=_WATCHED,
            events=("repeat_pressure_overdue",),
            updates=_OPENS,
            advice=("N09_emergency",),
        ),
        Rule(
            guard=HOME_FIRST.name,
            action="manage",
            places=_WATCHED,
            events=_VITALS,
            advice=("N09_repeat",),
        ),
        Rule(
            guard=IN_CLINIC.name,
            action="manage",
            places=_WATCHED,
            events=_VITALS,
            advice=("E04_hypotension",),
        ),
        Rule(
            guard=SIGNIFICANT_DROP.name,
            action="manage",
            places=_WATCHED,
            events=_VITALS,
            updates=_OPENS,
            advice=("E04_hypotension",),
        ),
        # Without an event, so that what is corrected or entered in another order counts as well.
        Rule(
            guard=LOW_ON_RECORD.name,
            action="manage",
            places=_WATCHED,
            updates=VOID,
            advice=("N09_at_goal",),
        ),
        Rule(
            guard=LOW_TWICE_ON_RECORD.name,
            action="manage",
            places=_WATCHED,
            updates=_OPENS,
            advice=("E04_hypotension",),
        ),
        Rule(
            guard=REPORTED.name,
            action="manage",
            events=("adverse_event_reported",),
            advice=("E04_hypotension",),
        ),
        Rule(
            guard=ON_ANTIHYPERTENSIVE.name,
            action="consult",
            places=TREATED,
            advice=("E04_antihypertensive",),
        ),
    ),
    advice=(
        Advice(
            name="N09_emergency",
            text="To the emergency room now: the systolic pressure is at or below the goal, and "
            "there are symptoms, or it stayed low, or it was not repeated.",
            cite=EMERGENCY_ROOM,
        ),
        Advice(
            name="N09_repeat",
            text="Lie down and repeat the blood pressure in 5 to 15 minutes; with symptoms, to the "
            "emergency room at once.",
            cite=SIGNIFICANT,
        ),
        Advice(
            name="N09_at_goal",
            text="The latest systolic pressure is at or below the goal: no injection on an order "
            "from before it; at home, repeat it within 15 minutes or go to the emergency room.",
            cite=PRESSURE_GOALS,
        ),
        Advice(
            name="E04_hypotension",
            text="Fluid resuscitation, 1 to 1.5 L at most, colloid preferred to crystalloid, until "
            "the systolic pressure is above the goal; phenylephrine 0.1 to 2.0 micrograms/kg/min "
            "if fluid is insufficient. Oxygen is not withheld.",
            cite=table_3(
                "Hypotension",
                "Fluid resuscitation (limit to 1-1.5L) to meet blood pressure goals (Table 2). "
                "Colloid solutions are preferred to crystalloid.",
            ),
        ),
        Advice(
            name="E04_antihypertensive",
            text="Hold antihypertensives on days of IL-2; where one is also an antiarrhythmic, "
            "confirm with cardiology first.",
            cite=table_3(
                "Hypotension",
                "Hold antihypertensives on day of IL-2 administration.  Confirm with cardiology if "
                "also being used as an antiarrhythmic.",
            ),
        ),
    ),
    timers=(
        Timer(
            name="repeat_pressure",
            event="repeat_pressure_overdue",
            due=v.repeat_due_at.tree(),
            places=_WATCHED,
        ),
    ),
)

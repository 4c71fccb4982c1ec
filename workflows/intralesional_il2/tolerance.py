"""Whether a dose was tolerated: confirmed by a clinician, and revoked by what is reported later.

The readings of the observation count however long ago they were taken. "Until the next visit" does
not bind after the last one.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.core.definition import ANYWHERE, Advice, Event, Guard, Kind, Rule, Transition
from engine.core.expression import (
    Constant,
    Expression,
    Now,
    Sent,
    all_of,
    choose,
    days,
    hours,
    least,
)
from workflows.intralesional_il2 import inputs as i
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, hard, soft
from workflows.intralesional_il2.conditions import (
    AFTER_LAST_DOSE,
    NO,
    UNSET,
    YES,
    after_last_dose,
)
from workflows.intralesional_il2.gate import HOME_READINGS, OBSERVED, ROUND_GRANTED
from workflows.intralesional_il2.injection import TESTED
from workflows.intralesional_il2.sources import (
    ADMINISTRATION,
    EMERGENCY_ROOM,
    PRESSURE_GOALS,
    decision,
    paper,
)
from workflows.intralesional_il2.states import CLINICIAN

IF_TOLERATED = paper(ADMINISTRATION, "If the patient is able to tolerate the test dose")
TOLERATED = decision(
    "7.7",
    "Within the observation, extended to the next visit: no stop or hold rule, no emergency visit, "
    "pressure back above the goal without a vasopressor, nothing above grade 2, and a clinician "
    "confirms.",
)

CONFIRM = Event(
    name="confirm_tolerated",
    kind=Kind.REQUEST,
    roles=(CLINICIAN,),
    max_age=hours(7 * 24),
    title="Confirm that the last dose was tolerated",
    cite=IF_TOLERATED,
)
NOT_TOLERATED = Event(
    name="not_tolerated_reported",
    kind=Kind.REPORT,
    roles=(CLINICIAN,),
    title="The last dose was not tolerated",
    cite=decision("7.8", "A clinician decides: repeat, lower down to 3, or stop."),
)

GRADES = Guard(
    name="E21_no_event_above_grade_2",
    condition=v.worst_grade <= p.tolerated_grade,
    title="No adverse event above grade 2 since the dose",
    cite=TOLERATED,
)
NO_EMERGENCY = Guard(
    name="E21_no_emergency_visit",
    condition=~v.emergency_since_dose,
    title="No emergency visit and no admission since the dose",
    cite=EMERGENCY_ROOM,
)
NO_VASOPRESSOR = Guard(
    name="E21_no_vasopressor",
    condition=~v.vasopressor_since_dose,
    title="No vasopressor since the dose",
    cite=TOLERATED,
)
PRESSURE_BACK = Guard(
    name="N09_pressure_above_goal_after_dose",
    condition=after_last_dose(i.systolic) > v.pressure_goal,
    title="The last pressure after the dose is above the goal",
    cite=PRESSURE_GOALS,
)
UNASSESSED = Guard(
    name="visit_not_yet_assessed",
    condition=v.visit_tolerance.is_("unassessed"),
    title="The last dose was not yet judged",
    cite=TOLERATED,
)
TEST_DOSE_AT_MOST_7 = Guard(
    name="N10_tolerated_test_dose_at_most_7",
    condition=v.last_dose <= p.test_dose,
    title="The test dose that was given is 7 million international units at most",
    cite=p.TEST_DOSE,
)
NO_VISIT_YET = Guard(
    name="no_visit_since_test_dose",
    condition=all_of(v.d0.known(), v.doses_given <= 0),
    title="No dose was given since the test dose",
    cite=TOLERATED,
)

_HELD_SINCE_DOSE = all_of(
    v.hold_since_tolerated.known(),
    v.hold_since_tolerated,
    v.enzyme_rise_at.known(),
    v.last_dose_at.known(),
    v.enzyme_rise_at >= v.last_dose_at,
)
"""A dose after which IL-2 was held is not the one to rise from (7.7, 7.9)."""

# Whoever judges a dose has looked at the symptoms that were new.
_LOOKED_AT: Mapping[str, Expression] = {"new_symptoms": choose(v.new_symptoms.known(), NO, UNSET)}
_HARD = (OBSERVED, GRADES, NO_EMERGENCY, NO_VASOPRESSOR, PRESSURE_BACK)
_SUGGESTED = least(v.last_dose + p.suggested_step, p.max_dose)

_BEGIN: Mapping[str, Expression] = {
    **_LOOKED_AT,
    "d0": v.test_dose_on.tree(),
    "window_ends_on": v.test_dose_on + Constant(days(1)) * p.induction_days,
    "planned_slots": p.planned_visits.tree(),
    # A plan that was revoked leaves no visits behind.
    "slot": Constant(Decimal(1)),
    "missed_slots": Constant(Decimal(0)),
    "lapsed_on": UNSET,
    "escalation_began_at": Now(),
    "doses_given": Constant(Decimal(0)),
    "doses_elsewhere": Constant(Decimal(0)),
    "last_tolerated_dose": v.last_dose.tree(),
    "last_tolerated_at": v.last_dose_at.tree(),
    "suggested_dose": _SUGGESTED,
    "visit_tolerance": Constant("tolerated"),
    "hold_since_tolerated": choose(_HELD_SINCE_DOSE, YES, NO),
    "phase": Constant("escalating"),
}
_NEXT: Mapping[str, Expression] = {
    **_LOOKED_AT,
    "previous_tolerated_dose": choose(
        _HELD_SINCE_DOSE, v.previous_tolerated_dose.tree(), v.last_tolerated_dose.tree()
    ),
    "last_tolerated_dose": choose(
        _HELD_SINCE_DOSE, v.last_tolerated_dose.tree(), v.last_dose.tree()
    ),
    "previous_tolerated_at": choose(
        _HELD_SINCE_DOSE, v.previous_tolerated_at.tree(), v.last_tolerated_at.tree()
    ),
    "last_tolerated_at": choose(
        _HELD_SINCE_DOSE, v.last_tolerated_at.tree(), v.last_dose_at.tree()
    ),
    "suggested_dose": choose(_HELD_SINCE_DOSE, v.last_tolerated_dose.tree(), _SUGGESTED),
    "visit_tolerance": Constant("tolerated"),
    "hold_since_tolerated": choose(_HELD_SINCE_DOSE, YES, NO),
}
_BACK = choose(
    v.visit_tolerance.is_("tolerated"),
    v.previous_tolerated_dose.tree(),
    v.last_tolerated_dose.tree(),
)
_INTOLERABLE: Mapping[str, Expression] = {
    "visit_tolerance": Constant("not_tolerated"),
    "last_tolerated_dose": _BACK,
    "last_tolerated_at": choose(
        v.visit_tolerance.is_("tolerated"),
        v.previous_tolerated_at.tree(),
        v.last_tolerated_at.tree(),
    ),
    "suggested_dose": _BACK,
}
UNTESTED: Mapping[str, Expression] = {
    "last_tolerated_dose": UNSET,
    "last_tolerated_at": UNSET,
    "previous_tolerated_dose": UNSET,
    "previous_tolerated_at": UNSET,
    "suggested_dose": UNSET,
    "d0": UNSET,
    "window_ends_on": UNSET,
    "escalation_began_at": UNSET,
    "review_needed": YES,
    "phase": Constant("testing"),
}
"""There is no tolerated test dose, hence no escalation."""

_REVOKED: Mapping[str, Expression] = {**UNTESTED, "visit_tolerance": Constant("not_tolerated")}

_SEVERE = Sent("grade") > p.tolerated_grade
REVOKED = Guard(
    name="E21_tolerance_revoked",
    condition=all_of(v.d0.known(), v.doses_given <= 0, AFTER_LAST_DOSE, _SEVERE),
    title="An adverse event above grade 2 after the test dose, before the next visit",
    cite=TOLERATED,
)
REVOKED_LATE = Guard(
    name="E21_test_dose_intolerance_found_late",
    condition=all_of(
        v.d0.known(),
        v.first_visit_at.known(),
        Now().known(),
        Now() >= v.first_injection_at,
        Now() < v.first_visit_at,
        _SEVERE,
    ),
    title="An adverse event above grade 2 after the test dose, reported after later doses",
    cite=TOLERATED,
)
VISIT_INTOLERABLE_LATE = Guard(
    name="earlier_visit_not_tolerated",
    condition=all_of(
        v.first_visit_at.known(),
        Now().known(),
        Now() >= v.first_visit_at,
        Now() < v.last_dose_at,
        _SEVERE,
    ),
    title="An adverse event above grade 2 after an earlier dose, reported after the last one",
    cite=TOLERATED,
)
VISIT_INTOLERABLE = Guard(
    name="visit_not_tolerated",
    condition=all_of(v.d0.known(), v.doses_given >= 1, AFTER_LAST_DOSE, _SEVERE),
    title="An adverse event above grade 2 after the last dose",
    cite=decision("7.9", "The next dose is the previous tolerated one."),
)

CHAPTER = Chapter(
    events=(CONFIRM, NOT_TOLERATED),
    guards=(
        GRADES,
        NO_EMERGENCY,
        NO_VASOPRESSOR,
        PRESSURE_BACK,
        UNASSESSED,
        TEST_DOSE_AT_MOST_7,
        NO_VISIT_YET,
        REVOKED,
        REVOKED_LATE,
        VISIT_INTOLERABLE,
        VISIT_INTOLERABLE_LATE,
    ),
    transitions=(
        Transition(
            name="test_dose_tolerated",
            event="confirm_tolerated",
            sources=("assessing_tolerance",),
            target="escalation",
            requires=(
                *hard(*_HARD, ROUND_GRANTED),
                *soft(HOME_READINGS, TEST_DOSE_AT_MOST_7),
            ),
            updates=_BEGIN,
            messages=("escalation.began",),
            advice=("escalation_plan",),
        ),
        Transition(
            name="test_dose_tolerated_after_review",
            event="confirm_tolerated",
            sources=("test_dose_review",),
            target="escalation",
            requires=(
                *hard(UNASSESSED, *_HARD, ROUND_GRANTED),
                *soft(HOME_READINGS, TEST_DOSE_AT_MOST_7),
            ),
            updates={**_BEGIN, "review_needed": NO},
            messages=("escalation.began",),
            advice=("escalation_plan",),
        ),
        Transition(
            name="visit_tolerated",
            event="confirm_tolerated",
            sources=("escalation", "dose_review"),
            # Missing readings are asked for once, by the gate before the next dose.
            requires=hard(TESTED, UNASSESSED, *_HARD),
            updates=_NEXT,
        ),
        Transition(
            name="test_dose_not_tolerated",
            event="not_tolerated_reported",
            sources=("observing_test_dose", "assessing_tolerance"),
            target="test_dose_review",
            priority=20,
            updates={"visit_tolerance": Constant("not_tolerated"), "review_needed": YES},
            advice=("E21_repeat_or_stop",),
        ),
        Transition(
            name="test_dose_not_tolerated_while_held",
            event="not_tolerated_reported",
            sources=("test_dose_hold",),
            priority=20,
            updates={"visit_tolerance": Constant("not_tolerated"), "review_needed": YES},
            advice=("E21_repeat_or_stop",),
        ),
        Transition(
            name="test_dose_not_tolerated_after_all",
            event="not_tolerated_reported",
            sources=("escalation", "dose_review"),
            target="test_dose_review",
            priority=20,
            requires=hard(NO_VISIT_YET),
            updates=_REVOKED,
            advice=("E21_repeat_or_stop",),
        ),
        Transition(
            name="test_dose_not_tolerated_during_hold",
            event="not_tolerated_reported",
            sources=("dose_hold",),
            target="test_dose_hold",
            priority=20,
            requires=hard(NO_VISIT_YET),
            updates=_REVOKED,
            advice=("E21_repeat_or_stop",),
        ),
        Transition(
            name="visit_not_tolerated",
            event="not_tolerated_reported",
            sources=(ANYWHERE,),
            updates=_INTOLERABLE,
            advice=("dose_after_intolerance",),
        ),
    ),
    rules=(
        Rule(
            guard=REVOKED.name,
            action="revoke",
            places=("escalation", "dose_hold", "dose_review"),
            events=("adverse_event_reported",),
            updates=_REVOKED,
            advice=("E21_repeat_or_stop",),
        ),
        Rule(
            guard=REVOKED_LATE.name,
            action="review",
            places=("dose_escalation",),
            events=("adverse_event_reported",),
            updates={"review_needed": YES},
            advice=("E21_repeat_or_stop",),
        ),
        Rule(
            guard=VISIT_INTOLERABLE_LATE.name,
            action="review",
            places=("dose_escalation",),
            events=("adverse_event_reported",),
            updates={"review_needed": YES},
            advice=("dose_after_intolerance",),
        ),
        Rule(
            guard=VISIT_INTOLERABLE.name,
            action="manage",
            places=("dose_escalation",),
            events=("adverse_event_reported",),
            updates=_INTOLERABLE,
            advice=("dose_after_intolerance",),
        ),
    ),
    advice=(
        Advice(
            name="escalation_plan",
            text="Two visits a week for four weeks from the test dose. The clinician chooses each "
            "dose; suggested are 7, 10, 13, 16, 19 and 22 million international units, never "
            "raised by itself. Doses may stack. Later rises are not an obligation.",
            cite=decision("7.6", "A rise is possible at each visit, not obligatory."),
        ),
        Advice(
            name="E21_repeat_or_stop",
            text="The test dose was not tolerated: a clinician decides whether to repeat it, lower "
            "it (down to 3 million international units), or stop.",
            cite=decision("7.8", "Review, the clinician decides; the lowest test dose is 3."),
        ),
        Advice(
            name="dose_after_intolerance",
            text="Next dose: the previous tolerated one, and no rise by itself in that week. "
            "A drastic reduction is not recommended.",
            cite=decision("7.9", "The previous tolerated dose."),
        ),
    ),
)

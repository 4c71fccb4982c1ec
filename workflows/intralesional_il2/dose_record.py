"""What an injection leaves behind: the last dose, the counts, and the marks of a new observation.

- Of which round an injection is, and whether it was a visit, is told by its own time. What is
  corrected or entered late is counted anew from the readings (`recount`).
- The marks of the dose before are kept: should the last one turn out to be none, they count again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from engine.core.expression import (
    Constant,
    Expression,
    Now,
    Today,
    all_of,
    any_of,
    choose,
    greatest,
    least,
)
from engine.core.quantity import q
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.conditions import (
    DATED,
    GOAL,
    NO,
    OBSERVATION_ENDS,
    SLOT_EARLIEST,
    TOPICALS_STOPPED,
    UNSET,
    VOID,
    YES,
    first,
    keep,
    surely,
)
from workflows.intralesional_il2.dosing import AMOUNT
from workflows.intralesional_il2.inputs import systolic

_INSTANT = Constant(timedelta(microseconds=1))
OF_ROUND = any_of(~v.round_since.known(), surely(Now() >= v.round_since))
"""Whether it was given in this round, and not in an earlier one."""

_SINCE_TOLERATED = any_of(
    surely(Now() >= v.escalation_began_at),
    # An adopted course may not say when its test dose was confirmed, a published one not even that.
    all_of(
        ~v.escalation_began_at.known(),
        choose(v.d0.known(), surely(Today() > v.d0), v.phase.is_("escalating")),
    ),
)
OF_ESCALATION = choose(DATED, surely(_SINCE_TOLERATED), surely(v.phase.is_not("testing")))
"""Whether it was given after the test dose had been confirmed as tolerated."""

# Where no date says whether the visit was due, an injection counts as one.
_SLOT_DUE = Today() >= SLOT_EARLIEST
COUNTED: Mapping[str, Expression] = {
    "doses_given": keep(v.doses_given, OF_ESCALATION, v.doses_given + 1),
    "test_doses": keep(v.test_doses, ~OF_ESCALATION, v.test_doses + 1),
}
NOT_MISSED: Mapping[str, Expression] = {
    # Entered after its visit had lapsed: it was not missed after all.
    "missed_slots": keep(
        v.missed_slots,
        all_of(OF_ESCALATION, surely(Today() <= v.lapsed_on)),
        greatest(v.missed_slots - 1, Decimal(0)),
    ),
}
INJECTED: Mapping[str, Expression] = {
    # An amount that cannot be, or was not published, leaves the totals unknown.
    "dose_total": v.dose_total + AMOUNT,
    "round_dose_total": v.round_dose_total + AMOUNT,
    "latest_injection_at": choose(
        DATED,
        choose(v.latest_injection_at.known(), greatest(v.latest_injection_at, Now()), Now()),
        v.latest_injection_at.tree(),
    ),
    "first_injection_at": first(v.first_injection_at, Now()),
    "last_dose": AMOUNT,
    "last_dose_at": Now(),
    "last_dose_on": Today(),
    "observation_open": YES,
    "observation_ends_at": choose(
        all_of(v.observation_open.known(), v.observation_open, v.observation_ends_at.known()),
        greatest(v.observation_ends_at, OBSERVATION_ENDS),
        OBSERVATION_ENDS,
    ),
    "tolerance_before": v.visit_tolerance.tree(),
    "worst_grade_before": v.worst_grade.tree(),
    "emergency_before": v.emergency_since_dose.tree(),
    "vasopressor_before": v.vasopressor_since_dose.tree(),
    "visit_tolerance": Constant("unassessed"),
    "worst_grade": Constant(q(0, "1").value),
    "emergency_since_dose": NO,
    "vasopressor_since_dose": NO,
    "low_pressure_seen": NO,
    "fast_heart_seen": NO,
    "low_urine_seen": NO,
    "home_readings_attested": UNSET,
    "observed_at_home": NO,
    "causes_corrected_at": UNSET,
    "fluid_total": Constant(q(0, "L")),
    **VOID,
}
"""Every injection begins a new observation, whose marks are its own."""

TEST: Mapping[str, Expression] = {
    **INJECTED,
    "test_dose_on": Today(),
    "test_doses": v.test_doses + 1,
    "pressure_goal": first(v.pressure_goal, GOAL),
    "goal_reading_at": first(v.goal_reading_at, systolic.taken_at),
    "topical_mode": choose(TOPICALS_STOPPED, Constant("stopped"), Constant("treatment")),
    "phase": Constant("testing"),
}
_ROUND: Mapping[str, Expression] = {
    **TEST,
    "begun_here": YES,
    "test_doses": Constant(Decimal(1)),
    "doses_given": Constant(Decimal(0)),
    "round_dose_total": AMOUNT,
    "consult_needed": NO,
    # What was reported before any injection stopped nothing.
    "stop_rules_fired": Constant(Decimal(0)),
    "stopped_by": UNSET,
    "stop_rule_open": NO,
    "enzyme_hold_open": NO,
    "il2_over_on": UNSET,
    "il2_ended_by": UNSET,
}
_NEW_ROUND: Mapping[str, Expression] = {
    "round_since": least(
        Now(),
        choose(
            v.latest_injection_at.known(),
            choose(
                v.restart_requested_at.known(),
                greatest(v.restart_requested_at, v.latest_injection_at + _INSTANT),
                v.latest_injection_at + _INSTANT,
            ),
            v.restart_requested_at.tree(),
        ),
    ),
}
FIRST: Mapping[str, Expression] = {
    # What nobody attested of a course that is adopted before IL-2: the round begins with this.
    **{
        mark.name: first(mark, mark.initial)
        for mark in v.VARIABLES
        if mark.per_round and mark.initial is not None and mark is not v.toxicity_open
    },
    **_ROUND,
}
RESTARTED: Mapping[str, Expression] = {
    **_ROUND,
    **_NEW_ROUND,
    # What led to the restart is answered by it; the next one asks anew.
    "restart_requested_at": UNSET,
    **{earlier.name: UNSET for earlier in v.STATED_EARLIER},
    "cutaneous_finding": Constant("none"),
    "distant_progression": NO,
}
VISIT: Mapping[str, Expression] = {
    **INJECTED,
    **COUNTED,
    **NOT_MISSED,
    "first_visit_at": first(v.first_visit_at, Now()),
    "slot": choose(any_of(~_SLOT_DUE.known(), _SLOT_DUE), v.slot + 1, v.slot.tree()),
}
REVIEWED: Mapping[str, Expression] = {"review_needed": YES}
UNPLANNED: Mapping[str, Expression] = {
    **TEST,
    **_NEW_ROUND,
    **REVIEWED,
    "unplanned_round": YES,
}
"""Nobody granted this round: it is observed, and leads to no escalation."""
AFTERWARDS: Mapping[str, Expression] = {**INJECTED, **COUNTED}
EARLIER: Mapping[str, Expression] = {
    "dose_total": v.dose_total + AMOUNT,
    "round_dose_total": keep(v.round_dose_total, OF_ROUND, v.round_dose_total + AMOUNT),
    "doses_given": keep(v.doses_given, all_of(OF_ROUND, OF_ESCALATION), v.doses_given + 1),
    "test_doses": keep(v.test_doses, all_of(OF_ROUND, ~OF_ESCALATION), v.test_doses + 1),
    "first_injection_at": keep(
        v.first_injection_at,
        all_of(OF_ROUND, v.first_injection_at.known()),
        least(v.first_injection_at, Now()),
    ),
    "first_visit_at": keep(
        v.first_visit_at,
        all_of(OF_ROUND, OF_ESCALATION, v.first_visit_at.known()),
        least(v.first_visit_at, Now()),
    ),
    **NOT_MISSED,
    **VOID,
}
"""An injection before the last one changes what is counted, and where the round begins."""

"""What was injected: a report that is never refused, and what the course makes of it.

- As ordered, in the state that foresees it, it is accepted. Everything else is a deviation, and the
  course goes where the patient is observed; a hold and a discontinuation stay what they are.
- The first injection after a refreshed baseline opens the next round: only then is the old
  maintenance superseded.
- An injection that is entered after a later one changes the totals and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.core.definition import ANYWHERE, Advice, Event, Field, Guard, Kind, Transition
from engine.core.expression import (
    Constant,
    Expression,
    Now,
    Retrospective,
    Today,
    all_of,
    any_of,
    choose,
    greatest,
)
from engine.core.quantity import q
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, hard
from workflows.intralesional_il2.conditions import (
    GOAL,
    IL2_OVER,
    NEWEST,
    NO,
    OBSERVATION_ENDS,
    SLOT_EARLIEST,
    TOPICALS_STOPPED,
    UNSET,
    VOID,
    YES,
    first,
)
from workflows.intralesional_il2.dosing import (
    AMOUNT,
    AS_ORDERED,
    GIVEN_AT_MOST_7,
    GIVEN_AT_MOST_22,
    SPLIT,
)
from workflows.intralesional_il2.inputs import systolic
from workflows.intralesional_il2.sources import (
    ADMINISTRATION,
    SELF_MONITORING,
    TOP_DOSE,
    decision,
    local,
    paper,
)
from workflows.intralesional_il2.states import LEFT, OVER, STAFF

DOSE_GIVEN = Event(
    name="dose_given",
    kind=Kind.REPORT,
    roles=STAFF,
    fields=(
        Field(name="amount", input="il2_dose", required=True, title="IL-2 injected in all"),
        Field(name="split", kind="list", members=SPLIT.members),
        Field(name="lot", kind="text"),
    ),
    title="IL-2 was injected",
    cite=TOP_DOSE,
)

IS_NEWEST = Guard(
    name="dose_is_the_newest",
    condition=NEWEST,
    title="No later injection is on record",
    cite=decision("7.35", "A late entry is weighed at its own time and rewrites nothing."),
)
IS_EARLIER = Guard(
    name="dose_is_earlier",
    condition=all_of(v.last_dose_at.known(), Now().known(), Now() < v.last_dose_at),
    title="A later injection is on record",
    cite=IS_NEWEST.cite,
)
AFTER_EXIT = Guard(
    name="dose_after_exit",
    condition=all_of(v.left_at.known(), Now().known(), Now() > v.left_at),
    title="Injected after the course was left",
    cite=local("Whoever received IL-2 is observed, whatever the course says."),
)
IN_ESCALATION = Guard(
    name="left_during_escalation",
    condition=v.phase.is_("escalating"),
    title="The course was left during the escalation",
    cite=AFTER_EXIT.cite,
)
BEFORE_ESCALATION = Guard(
    name="left_before_escalation",
    condition=v.phase.one_of("before_il2", "testing"),
    title="The course was left before the escalation",
    cite=AFTER_EXIT.cite,
)
IL2_WAS_OVER = Guard(
    name="il2_of_the_round_was_over",
    condition=IL2_OVER,
    title="IL-2 of the round was over",
    cite=AFTER_EXIT.cite,
)
BEFORE_IL2_WAS_OVER = Guard(
    name="dose_before_il2_was_over",
    condition=all_of(v.il2_over_on.known(), Now().known(), Today() <= v.il2_over_on),
    title="Injected before IL-2 of the round was over",
    cite=IS_NEWEST.cite,
)

TESTED = Guard(
    name="E21_test_dose_tolerated",
    condition=v.d0.known(),
    title="A test dose of this round was tolerated",
    cite=paper(ADMINISTRATION, "If the patient is able to tolerate the test dose"),
)
STOPPED = Guard(
    name="stopped_by_a_stop_rule",
    condition=v.stopped_by.known(),
    title="A stop rule discontinued IL-2 of this round",
    cite=decision("7.16", "A discontinuation holds for the round."),
)

# Where no date says whether the visit was due, an injection counts as one.
_SLOT_DUE = Today() >= SLOT_EARLIEST
# An amount that cannot be is counted once it is corrected, and meanwhile hides no other; one that
# was not published leaves the totals unknown.
_COUNTABLE = choose(
    AMOUNT.known(), AMOUNT, choose(Retrospective(), UNSET, Constant(q(0, v.MILLION)))
)
_TOTALS: Mapping[str, Expression] = {
    "dose_total": v.dose_total + _COUNTABLE,
    "round_dose_total": v.round_dose_total + _COUNTABLE,
}
_INJECTED: Mapping[str, Expression] = {
    **_TOTALS,
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

_TEST: Mapping[str, Expression] = {
    **_INJECTED,
    "test_dose_on": Today(),
    "test_doses": v.test_doses + 1,
    "pressure_goal": first(v.pressure_goal, GOAL),
    "goal_reading_at": first(v.goal_reading_at, systolic.taken_at),
    "topical_mode": choose(TOPICALS_STOPPED, Constant("stopped"), Constant("treatment")),
    "phase": Constant("testing"),
}
_FIRST: Mapping[str, Expression] = {
    **_TEST,
    "consult_needed": NO,
    # What was reported before any injection stopped nothing.
    "stop_rules_fired": Constant(Decimal(0)),
    "stopped_by": UNSET,
    "stop_rule_open": NO,
    "enzyme_hold_open": NO,
    "il2_over_on": UNSET,
    "il2_ended_by": UNSET,
}
_RESTARTED: Mapping[str, Expression] = {
    **_FIRST,
    # What led to the restart is answered by it; the next one asks anew.
    "restart_requested_at": UNSET,
    "cutaneous_finding": Constant("none"),
    "distant_progression": NO,
}
_VISIT: Mapping[str, Expression] = {
    **_INJECTED,
    "doses_given": v.doses_given + 1,
    "first_visit_at": first(v.first_visit_at, Now()),
    "slot": choose(any_of(~_SLOT_DUE.known(), _SLOT_DUE), v.slot + 1, v.slot.tree()),
    # Entered after its visit had lapsed: it was not missed after all.
    "missed_slots": choose(
        all_of(v.lapsed_on.known(), Today().known(), Today() <= v.lapsed_on),
        greatest(v.missed_slots - 1, Decimal(0)),
        v.missed_slots.tree(),
    ),
}
_REVIEWED: Mapping[str, Expression] = {"review_needed": YES}
_UNPLANNED: Mapping[str, Expression] = {**_TEST, **_REVIEWED, "unplanned_round": YES}
"""Nobody granted this round: it is observed, and leads to no escalation."""
_COUNTED: Mapping[str, Expression] = {
    "doses_given": choose(v.d0.known(), v.doses_given + 1, v.doses_given.tree())
}


def _accepted(
    name: str,
    source: str,
    target: str,
    updates: Mapping[str, Expression],
    *guards: Guard,
    opens_round: bool = False,
) -> Transition:
    return Transition(
        name=name,
        event="dose_given",
        sources=(source,),
        target=target,
        priority=20,
        requires=hard(*guards),
        updates=updates,
        opens_round=opens_round,
        messages=("observation.began",),
        advice=("N19_self_monitoring",),
    )


def _deviating(
    name: str,
    sources: tuple[str, ...],
    target: str | None,
    updates: Mapping[str, Expression],
    *guards: Guard,
    priority: int = 10,
    opens_round: bool = False,
    reopens: bool = False,
) -> Transition:
    return Transition(
        name=name,
        event="dose_given",
        sources=sources,
        target=target,
        priority=priority,
        requires=hard(*guards),
        updates=updates,
        deviation=True,
        opens_round=opens_round,
        reopens=reopens,
        messages=("dose.deviates",),
        advice=("dose_not_as_ordered",),
    )


_FORESEEN = (
    _accepted(
        "test_dose_given", "baseline", "observing_test_dose", _FIRST, AS_ORDERED, GIVEN_AT_MOST_7
    ),
    _accepted(
        "test_dose_of_new_round_given",
        "restart_baseline",
        "observing_test_dose",
        _RESTARTED,
        AS_ORDERED,
        GIVEN_AT_MOST_7,
        IS_NEWEST,
        opens_round=True,
    ),
    _accepted(
        "test_dose_repeated",
        "test_dose_review",
        "observing_test_dose",
        {**_TEST, "review_needed": NO},
        AS_ORDERED,
        GIVEN_AT_MOST_7,
        IS_NEWEST,
    ),
    _accepted(
        "visit_dose_given",
        "escalation",
        "observing_dose",
        _VISIT,
        AS_ORDERED,
        GIVEN_AT_MOST_22,
        IS_NEWEST,
    ),
)
_UNFORESEEN = (
    _deviating(
        "earlier_dose_entered",
        (ANYWHERE,),
        None,
        {**_TOTALS, **_COUNTED, "missed_slots": _VISIT["missed_slots"]},
        IS_EARLIER,
        priority=90,
    ),
    _deviating(
        "dose_before_il2_was_over",
        (*OVER, "restart"),
        None,
        {**_INJECTED, **_COUNTED, "missed_slots": _VISIT["missed_slots"]},
        BEFORE_IL2_WAS_OVER,
        priority=80,
    ),
    _deviating(
        "unordered_test_dose", ("baseline",), "observing_test_dose", {**_FIRST, **_REVIEWED}
    ),
    _deviating(
        "unordered_dose_at_restart",
        ("restart_baseline",),
        "observing_test_dose",
        {**_RESTARTED, **_REVIEWED},
        opens_round=True,
    ),
    _deviating(
        "second_test_dose",
        ("observing_test_dose", "assessing_tolerance", "test_dose_review"),
        "observing_test_dose",
        {**_TEST, **_REVIEWED},
    ),
    _deviating("dose_during_test_dose_hold", ("test_dose_hold",), None, {**_TEST, **_REVIEWED}),
    _deviating(
        "dose_off_plan",
        ("escalation", "observing_dose", "dose_review"),
        "observing_dose",
        {**_VISIT, **_REVIEWED},
    ),
    _deviating("dose_during_hold", ("dose_hold",), None, {**_VISIT, **_REVIEWED}),
    _deviating(
        "dose_after_discontinuation", ("il2_discontinued",), None, {**_INJECTED, **_COUNTED}
    ),
    _deviating(
        "dose_in_tail_after_discontinuation",
        ("tail",),
        "il2_discontinued",
        {**_INJECTED, **_COUNTED, "phase": Constant("discontinued"), "il2_over_on": Today()},
        STOPPED,
        priority=14,
    ),
    _deviating(
        "dose_in_tail",
        ("tail",),
        "observing_dose",
        {
            **_INJECTED,
            **_COUNTED,
            **_REVIEWED,
            "phase": Constant("escalating"),
            # IL-2 is not over after all: when it is, is decided anew.
            "il2_over_on": UNSET,
            "il2_ended_by": UNSET,
        },
        TESTED,
        priority=12,
    ),
    _deviating("untested_dose_in_tail", ("tail",), "observing_test_dose", {**_TEST, **_REVIEWED}),
    _deviating(
        "unplanned_dose_after_il2",
        ("maintenance", "follow_up"),
        "observing_test_dose",
        _UNPLANNED,
        opens_round=True,
    ),
    _deviating(
        "dose_after_exit_in_escalation",
        LEFT,
        "observing_dose",
        {**_VISIT, **_REVIEWED},
        AFTER_EXIT,
        IN_ESCALATION,
        priority=18,
        reopens=True,
    ),
    _deviating(
        "dose_after_exit_after_il2",
        LEFT,
        "observing_test_dose",
        _UNPLANNED,
        AFTER_EXIT,
        IL2_WAS_OVER,
        priority=16,
        opens_round=True,
        reopens=True,
    ),
    _deviating(
        "dose_after_exit",
        LEFT,
        "observing_test_dose",
        {**_TEST, **_REVIEWED},
        AFTER_EXIT,
        priority=14,
        reopens=True,
    ),
    _deviating(
        "visit_dose_before_exit",
        ("closed",),
        None,
        {**_VISIT, **_REVIEWED},
        IN_ESCALATION,
        priority=13,
    ),
    _deviating(
        "test_dose_before_exit",
        ("closed",),
        None,
        {**_TEST, **_REVIEWED},
        BEFORE_ESCALATION,
        priority=11,
    ),
    _deviating("dose_before_exit", ("closed",), None, {**_INJECTED, **_COUNTED, **_REVIEWED}),
)

CHAPTER = Chapter(
    events=(DOSE_GIVEN,),
    guards=(
        IS_NEWEST,
        IS_EARLIER,
        AFTER_EXIT,
        IN_ESCALATION,
        BEFORE_ESCALATION,
        IL2_WAS_OVER,
        BEFORE_IL2_WAS_OVER,
        STOPPED,
        TESTED,
    ),
    transitions=(*_FORESEEN, *_UNFORESEEN),
    advice=(
        Advice(
            name="N19_self_monitoring",
            text="Observe for 6 hours. Discharged home only if relatively healthy, with "
            "instructions to take temperature and blood pressure; to the emergency room if the "
            "systolic pressure falls to the goal or below. Reactions take 2 to 6 hours.",
            cite=SELF_MONITORING,
        ),
        Advice(
            name="dose_not_as_ordered",
            text="This injection was not as ordered, or not foreseen here. It is recorded as a "
            "deviation; observe for 6 hours, and a clinician reviews it before any further dose.",
            cite=local("A report is recorded, and the course goes to the safe side."),
        ),
    ),
)

"""What was injected: a report that is never refused, and what the course makes of it.

- As ordered, in the state that foresees it, it is accepted. Everything else is a deviation, and the
  course goes where the patient is observed; a hold and a discontinuation stay what they are.
- The first injection after a refreshed baseline opens the next round: only then is the old
  maintenance superseded.
- An injection that is entered after a later one changes what is counted, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.definition import ANYWHERE, Advice, Event, Field, Guard, Kind, Transition
from engine.core.expression import Constant, Expression, Now, Today, all_of
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, hard
from workflows.intralesional_il2.conditions import IL2_OVER, NEWEST, NO, UNSET
from workflows.intralesional_il2.dose_record import (
    AFTERWARDS,
    EARLIER,
    FIRST,
    NOT_MISSED,
    RESTARTED,
    REVIEWED,
    TEST,
    UNPLANNED,
    VISIT,
)
from workflows.intralesional_il2.dosing import (
    AS_ORDERED,
    GIVEN_AT_MOST_7,
    GIVEN_AT_MOST_22,
    SPLIT,
)
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
        "test_dose_given", "baseline", "observing_test_dose", FIRST, AS_ORDERED, GIVEN_AT_MOST_7
    ),
    _accepted(
        "test_dose_of_new_round_given",
        "restart_baseline",
        "observing_test_dose",
        RESTARTED,
        AS_ORDERED,
        GIVEN_AT_MOST_7,
        IS_NEWEST,
        opens_round=True,
    ),
    _accepted(
        "test_dose_repeated",
        "test_dose_review",
        "observing_test_dose",
        {**TEST, "review_needed": NO},
        AS_ORDERED,
        GIVEN_AT_MOST_7,
        IS_NEWEST,
    ),
    _accepted(
        "visit_dose_given",
        "escalation",
        "observing_dose",
        VISIT,
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
        EARLIER,
        IS_EARLIER,
        priority=90,
    ),
    _deviating(
        "dose_before_il2_was_over",
        (*OVER, "restart"),
        None,
        {**AFTERWARDS, **NOT_MISSED},
        BEFORE_IL2_WAS_OVER,
        priority=80,
    ),
    _deviating("unordered_test_dose", ("baseline",), "observing_test_dose", {**FIRST, **REVIEWED}),
    _deviating(
        "unordered_dose_at_restart",
        ("restart_baseline",),
        "observing_test_dose",
        {**RESTARTED, **REVIEWED},
        opens_round=True,
    ),
    _deviating(
        "second_test_dose",
        ("observing_test_dose", "assessing_tolerance", "test_dose_review"),
        "observing_test_dose",
        {**TEST, **REVIEWED},
    ),
    _deviating("dose_during_test_dose_hold", ("test_dose_hold",), None, {**TEST, **REVIEWED}),
    _deviating(
        "dose_off_plan",
        ("escalation", "observing_dose", "dose_review"),
        "observing_dose",
        {**VISIT, **REVIEWED},
    ),
    _deviating("dose_during_hold", ("dose_hold",), None, {**VISIT, **REVIEWED}),
    _deviating("dose_after_discontinuation", ("il2_discontinued",), None, AFTERWARDS),
    _deviating(
        "dose_in_tail_after_discontinuation",
        ("tail",),
        "il2_discontinued",
        {**AFTERWARDS, "phase": Constant("discontinued"), "il2_over_on": Today()},
        STOPPED,
        priority=14,
    ),
    _deviating(
        "dose_in_tail",
        ("tail",),
        "observing_dose",
        {
            **AFTERWARDS,
            **REVIEWED,
            "phase": Constant("escalating"),
            # IL-2 is not over after all: when it is, is decided anew.
            "il2_over_on": UNSET,
            "il2_ended_by": UNSET,
        },
        TESTED,
        priority=12,
    ),
    _deviating("untested_dose_in_tail", ("tail",), "observing_test_dose", {**TEST, **REVIEWED}),
    _deviating(
        "unplanned_dose_after_il2",
        ("maintenance", "follow_up"),
        "observing_test_dose",
        UNPLANNED,
        opens_round=True,
    ),
    _deviating(
        "dose_after_exit_in_escalation",
        LEFT,
        "observing_dose",
        {**VISIT, **REVIEWED},
        AFTER_EXIT,
        IN_ESCALATION,
        priority=18,
        reopens=True,
    ),
    _deviating(
        "dose_after_exit_after_il2",
        LEFT,
        "observing_test_dose",
        UNPLANNED,
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
        {**TEST, **REVIEWED},
        AFTER_EXIT,
        priority=14,
        reopens=True,
    ),
    _deviating(
        "visit_dose_before_exit",
        ("closed",),
        None,
        {**VISIT, **REVIEWED},
        IN_ESCALATION,
        priority=13,
    ),
    _deviating(
        "test_dose_before_exit",
        ("closed",),
        None,
        {**TEST, **REVIEWED},
        BEFORE_ESCALATION,
        priority=11,
    ),
    _deviating("dose_before_exit", ("closed",), None, {**AFTERWARDS, **REVIEWED}),
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

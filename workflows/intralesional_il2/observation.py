"""The six hours after a dose: they end by the clock, whatever state the course is in.

A hold, a review or a discontinuation does not cut them, and neither does the end of the window.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.definition import Advice, Event, Guard, Kind, Requirement, Timer, Transition
from engine.core.expression import Expression, all_of, choose, hours
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, hard
from workflows.intralesional_il2.conditions import (
    NO,
    REVIEW_WAITS,
    TOPICALS_STOPPED,
    UNSET,
    VISITS_DONE,
    YES,
    first,
    tail_after,
    topicals_end,
)
from workflows.intralesional_il2.gate import OBSERVED
from workflows.intralesional_il2.sources import (
    SELF_MONITORING,
    TOPICAL_COURSE,
    decision,
    local,
)
from workflows.intralesional_il2.states import OPEN, STAFF

TIMER_EVENT = Event(
    name="observation_over",
    kind=Kind.REPORT,
    roles=("engine",),
    timer=True,
    title="Six hours have passed since the last dose",
    cite=SELF_MONITORING,
)
COMPLETED = Event(
    name="observation_completed",
    kind=Kind.REPORT,
    roles=STAFF,
    title="The observation is over, as somebody says",
    cite=local("For a course told after the fact, where no time is known."),
)
DISCHARGE = Event(
    name="discharge_home",
    kind=Kind.REQUEST,
    roles=STAFF,
    max_age=hours(24),
    title="Discharge home after a dose, to self-monitor",
    cite=SELF_MONITORING,
)

REVIEW_NEEDED = Guard(
    name="review_is_needed",
    condition=REVIEW_WAITS,
    title="A clinician must decide before the next dose",
    cite=local("Set by an injection off the plan, a vasopressor or a tolerance revoked late."),
)
ALL_VISITS_DONE = Guard(
    name="all_planned_visits_done",
    condition=VISITS_DONE,
    title="The last planned visit is over",
    cite=decision("7.2", "Eight visits after the test dose."),
)
TOPICALS_GO_ON = Guard(
    name="topicals_not_stopped",
    condition=~TOPICALS_STOPPED,
    title="The topicals were not stopped",
    cite=decision("7.20", "Without topicals there is no tail and no maintenance."),
)
E26_HEALTHY = Guard(
    name="E26_relatively_healthy_and_instructed",
    condition=all_of(v.relatively_healthy, v.monitoring_instructed),
    title="Relatively healthy, and instructed in self-monitoring",
    cite=SELF_MONITORING,
)

_DONE: Mapping[str, Expression] = {"observation_open": NO}
# The plan ended with the last dose, even where its observation ran past midnight.
_LAST: Mapping[str, Expression] = {
    **_DONE,
    "il2_ended_by": first(v.il2_ended_by, "visits_done"),
}


def _ways(event: str, asked: tuple[Requirement, ...]) -> tuple[Transition, ...]:
    """The same ways for the clock and for what somebody says, which must be so."""

    def way(
        name: str,
        source: tuple[str, ...],
        target: str | None,
        *guards: Guard,
        priority: int,
        updates: Mapping[str, Expression] = _DONE,
        advice: tuple[str, ...] = (),
    ) -> Transition:
        return Transition(
            name=f"{event}_{name}",
            event=event,
            sources=source,
            target=target,
            priority=priority,
            requires=(*asked, *hard(*guards)),
            updates=updates,
            advice=advice,
        )

    test, visit = ("observing_test_dose",), ("observing_dose",)
    over_on = choose(v.il2_over_on.known(), v.il2_over_on.tree(), v.last_dose_on.tree())
    return (
        way("to_review_of_test_dose", test, "test_dose_review", REVIEW_NEEDED, priority=30),
        way("to_assessment", test, "assessing_tolerance", priority=10),
        way("to_review", visit, "dose_review", REVIEW_NEEDED, priority=30),
        way(
            "to_tail",
            visit,
            "tail",
            ALL_VISITS_DONE,
            TOPICALS_GO_ON,
            priority=20,
            updates={**_LAST, **tail_after(over_on)},
            advice=("tail_begins",),
        ),
        way(
            "to_follow_up",
            visit,
            "follow_up",
            ALL_VISITS_DONE,
            priority=15,
            updates={**_LAST, **topicals_end(), "il2_over_on": over_on},
        ),
        way("to_escalation", visit, "escalation", priority=10),
        way(
            "elsewhere",
            OPEN,
            None,
            priority=0,
        ),
    )


CHAPTER = Chapter(
    events=(TIMER_EVENT, COMPLETED, DISCHARGE),
    guards=(REVIEW_NEEDED, ALL_VISITS_DONE, TOPICALS_GO_ON, E26_HEALTHY),
    transitions=(
        *_ways("observation_over", ()),
        *_ways("observation_completed", hard(OBSERVED)),
        Transition(
            name="discharge_home",
            event="discharge_home",
            sources=("observing_test_dose", "observing_dose"),
            requires=hard(E26_HEALTHY),
            updates={"observed_at_home": YES},
            advice=("N19_self_monitoring",),
        ),
    ),
    advice=(
        Advice(
            name="tail_begins",
            text="IL-2 is over. Topicals go on nightly for three more weeks from the last dose "
            "given, then one week every calendar month for a year.",
            cite=TOPICAL_COURSE,
        ),
    ),
    timers=(
        Timer(
            name="observation",
            event="observation_over",
            due=choose(v.observation_open, v.observation_ends_at.tree(), UNSET),
            places=OPEN,
        ),
    ),
)

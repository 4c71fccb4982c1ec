"""The weeks of the escalation: planned visits that pass, the end of the weeks, and more of them.

- A planned visit (slot) and a dose given are counted apart: a visit that lapses is no dose, and is
  not made up.
- When the weeks are over an unresolved hold discontinues IL-2. A review does not: it stays open,
  and nothing is given, until a clinician asks for more weeks or ends IL-2.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.core.definition import Advice, Event, Field, Guard, Kind, Timer, Transition, Visit
from engine.core.expression import (
    CivilInstant,
    Constant,
    Expression,
    Sent,
    Today,
    all_of,
    choose,
    greatest,
    hours,
    least,
    pick,
)
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, hard, soft
from workflows.intralesional_il2.conditions import (
    SLOT_EARLIEST,
    SLOT_LATEST,
    SLOT_TARGET,
    TOPICALS_STOPPED,
    UNSET,
    YES,
    after_d0,
    first,
    keep,
    surely,
    tail_after,
    topicals_end,
)
from workflows.intralesional_il2.gate import NO_RISE, NOT_STOPPED
from workflows.intralesional_il2.hold import RISE_OPEN
from workflows.intralesional_il2.injection import TESTED
from workflows.intralesional_il2.observation import ALL_VISITS_DONE, TOPICALS_GO_ON
from workflows.intralesional_il2.sources import FOUR_WEEKS, decision
from workflows.intralesional_il2.states import CLINICIAN

EVENTS = (
    Event(
        name="slot_lapsed",
        kind=Kind.REPORT,
        roles=("engine",),
        timer=True,
        title="A planned visit passed without a dose",
        cite=decision("7.18", "Missed visits are skipped, not made up."),
    ),
    Event(
        name="window_over",
        kind=Kind.REPORT,
        roles=("engine",),
        timer=True,
        title="The weeks of the escalation are over",
        cite=FOUR_WEEKS,
    ),
    Event(
        name="extend_window",
        kind=Kind.REQUEST,
        roles=(CLINICIAN,),
        fields=(
            Field(
                name="weeks",
                kind="number",
                required=True,
                low=Decimal(4),
                high=Decimal(12),
                title="Weeks of the escalation in all",
            ),
        ),
        max_age=hours(7 * 24),
        title="Go on for more weeks",
        cite=decision("7.18", "Four weeks; up to six by an override."),
    ),
)

AT_MOST_6_WEEKS = Guard(
    name="at_most_6_weeks",
    condition=Sent("weeks") <= p.max_weeks,
    title="Six weeks at most",
    cite=decision("7.18", "Up to six weeks, as a published series of the group."),
)
WHOLE_WEEKS = Guard(
    name="weeks_are_whole",
    condition=pick(Sent("weeks"), *range(1, 13)).known(),
    title="The weeks asked for are whole ones",
    cite=decision("7.18", "Weeks of two visits each; a part of a week has no visits of its own."),
)
AT_MOST_4_WEEKS = Guard(
    name="at_most_4_weeks",
    condition=Sent("weeks") * Decimal(7) <= p.induction_days,
    title="Four weeks",
    cite=FOUR_WEEKS,
)
ENDS_AHEAD = Guard(
    name="extended_window_is_not_over",
    condition=after_d0(Sent("weeks") * Decimal(7)) >= Today(),
    title="The weeks asked for are not over already",
    cite=decision("7.18", "More weeks are for visits that are still to come."),
)
ENDED_BY_PLAN = Guard(
    name="il2_ended_by_plan",
    condition=v.il2_ended_by.one_of("visits_done", "window"),
    title="IL-2 ended because its visits or weeks were over",
    cite=decision("7.16", "What a stop rule or a clinician ended is not taken up again."),
)
UNRESOLVED_ENDS = Guard(
    name="unresolved_hold_discontinues",
    condition=p.discontinue_unresolved_hold.tree(),
    title="A hold that is unresolved when the weeks are over ends IL-2",
    cite=p.UNRESOLVED,
)
_WINDOW: Mapping[str, Expression] = {"il2_ended_by": first(v.il2_ended_by, "window")}
_OVER_ON = choose(v.last_dose_on.known(), v.last_dose_on.tree(), v.window_ends_on.tree())
_LATEST_SLOT = least(SLOT_LATEST, v.window_ends_on)
# A planned visit that was not made is a missed one, the last like any other.
_REST: Mapping[str, Expression] = {
    "missed_slots": keep(
        v.missed_slots,
        surely(v.slot <= v.planned_slots),
        v.missed_slots + v.planned_slots - v.slot + 1,
    ),
    "lapsed_on": keep(v.lapsed_on, surely(v.slot <= v.planned_slots), v.window_ends_on),
    "slot": keep(v.slot, surely(v.slot <= v.planned_slots), v.planned_slots + 1),
}
_EXTENDED: Mapping[str, Expression] = {
    "window_ends_on": after_d0(Sent("weeks") * Decimal(7)),
    "planned_slots": Sent("weeks") * p.visits_per_week,
}
_UNRESOLVED: Mapping[str, Expression] = {
    # The visits that are left are not asked for; that IL-2 ends early is advised on (E25).
    "missed_slots": _REST["missed_slots"],
    "lapsed_on": _REST["lapsed_on"],
    "il2_ended_by": first(v.il2_ended_by, "unresolved"),
    "il2_over_on": first(v.il2_over_on, v.window_ends_on),
    "phase": Constant("discontinued"),
}


def _in_time(on: Expression) -> Expression:
    """A date of a visit, while there is a visit left in the plan."""
    return choose(all_of(v.d0.known(), v.slot <= v.planned_slots), on, UNSET)


CHAPTER = Chapter(
    events=EVENTS,
    guards=(
        WHOLE_WEEKS,
        AT_MOST_6_WEEKS,
        AT_MOST_4_WEEKS,
        ENDS_AHEAD,
        ENDED_BY_PLAN,
        UNRESOLVED_ENDS,
    ),
    transitions=(
        Transition(
            name="slot_lapsed",
            event="slot_lapsed",
            sources=("escalation", "dose_hold", "dose_review"),
            updates={
                "slot": v.slot + 1,
                "missed_slots": v.missed_slots + 1,
                "lapsed_on": _LATEST_SLOT,
            },
            messages=("visit.missed",),
        ),
        Transition(
            name="window_over",
            event="window_over",
            sources=("escalation",),
            target="tail",
            priority=20,
            requires=hard(TOPICALS_GO_ON),
            updates={**_REST, **_WINDOW, **tail_after(v.window_ends_on)},
            advice=("tail_begins",),
        ),
        Transition(
            name="window_over_without_topicals",
            event="window_over",
            sources=("escalation",),
            target="follow_up",
            updates={
                **_REST,
                **_WINDOW,
                **topicals_end(),
                "il2_over_on": v.window_ends_on.tree(),
            },
        ),
        Transition(
            name="window_over_after_last_visit",
            event="window_over",
            sources=("dose_review",),
            target="tail",
            priority=30,
            requires=hard(ALL_VISITS_DONE, TOPICALS_GO_ON),
            # There is no next dose for which a clinician would have to decide.
            updates={"il2_ended_by": first(v.il2_ended_by, "visits_done"), **tail_after(_OVER_ON)},
            advice=("tail_begins",),
        ),
        Transition(
            name="window_over_unresolved",
            event="window_over",
            sources=("dose_hold",),
            target="il2_discontinued",
            priority=20,
            requires=hard(UNRESOLVED_ENDS),
            updates=_UNRESOLVED,
            messages=("il2.discontinue",),
            advice=("E25_not_alone",),
        ),
        Transition(
            name="window_over_unresolved_in_review",
            event="window_over",
            sources=("dose_review",),
            target="il2_discontinued",
            priority=20,
            # After an exit nobody is held any more, and the rise is open all the same.
            requires=hard(UNRESOLVED_ENDS, RISE_OPEN),
            updates=_UNRESOLVED,
            messages=("il2.discontinue",),
            advice=("E25_not_alone",),
        ),
        Transition(
            name="window_over_while_held",
            event="window_over",
            sources=("dose_hold", "dose_review"),
            updates={**_REST, "review_needed": YES},
            messages=("window.over", "review.needed"),
            advice=("window_over_in_review",),
        ),
        Transition(
            name="extend_window",
            event="extend_window",
            sources=("escalation", "observing_dose", "dose_hold", "dose_review"),
            requires=(*hard(WHOLE_WEEKS, AT_MOST_6_WEEKS, TESTED), *soft(AT_MOST_4_WEEKS)),
            updates=_EXTENDED,
        ),
        Transition(
            name="extend_window_from_tail",
            event="extend_window",
            sources=("tail",),
            target="escalation",
            requires=(
                *hard(
                    WHOLE_WEEKS,
                    AT_MOST_6_WEEKS,
                    TESTED,
                    ENDED_BY_PLAN,
                    ENDS_AHEAD,
                    NOT_STOPPED,
                    NO_RISE,
                ),
                *soft(AT_MOST_4_WEEKS),
            ),
            updates={
                **_EXTENDED,
                "il2_over_on": UNSET,
                "il2_ended_by": UNSET,
                "tail_ends_on": UNSET,
                "phase": Constant("escalating"),
                "topical_mode": choose(
                    TOPICALS_STOPPED, Constant("stopped"), Constant("treatment")
                ),
            },
        ),
    ),
    advice=(
        Advice(
            name="window_over_in_review",
            text="The weeks are over, and what a clinician has to decide is still open: nothing is "
            "given. Ask for more weeks (up to six), or end IL-2.",
            cite=decision("7.17", "Only a hold that is unresolved discontinues by itself."),
        ),
    ),
    timers=(
        Timer(
            name="slot",
            event="slot_lapsed",
            # The last visit does not lapse: the window ends with it.
            due=choose(v.slot < v.planned_slots, CivilInstant(_LATEST_SLOT, "23:59"), UNSET),
            places=("escalation", "dose_hold", "dose_review"),
        ),
        Timer(
            name="window",
            event="window_over",
            due=choose(
                v.observation_ends_at.known(),
                greatest(CivilInstant(v.window_ends_on.tree(), "23:59"), v.observation_ends_at),
                CivilInstant(v.window_ends_on.tree(), "23:59"),
            ),
            places=("escalation", "dose_hold", "dose_review"),
        ),
    ),
    visits=(
        Visit(
            name="escalation_visit",
            places=("escalation", "observing_dose"),
            number=v.slot.tree(),
            earliest=_in_time(SLOT_EARLIEST),
            target=_in_time(SLOT_TARGET),
            latest=_in_time(_LATEST_SLOT),
            title="Visit for a dose",
        ),
    ),
)

"""Between the tolerated test dose and the end of IL-2: orders, planned visits and the window.

A planned visit (slot) and a dose given are counted apart: a visit that lapses is no dose, and is
not made up. The dose is chosen by the clinician; nothing here raises it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.core.definition import (
    Advice,
    Event,
    Field,
    Guard,
    Kind,
    Rule,
    Timer,
    Transition,
    Visit,
)
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
)
from workflows.intralesional_il2 import dosing
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, hard, soft
from workflows.intralesional_il2.conditions import (
    NO,
    SLOT_EARLIEST,
    SLOT_LATEST,
    SLOT_TARGET,
    TOPICALS_STOPPED,
    UNSET,
    after_d0,
    first,
    tail_after,
    topicals_end,
)
from workflows.intralesional_il2.eligibility import PLAUSIBLE
from workflows.intralesional_il2.injection import TESTED
from workflows.intralesional_il2.observation import ALL_VISITS_DONE, TOPICALS_GO_ON
from workflows.intralesional_il2.sources import (
    FOUR_WEEKS,
    INTRODUCTION,
    STACKING,
    decision,
    paper,
)
from workflows.intralesional_il2.states import CLINICIAN, DECIDERS

EVENTS = (
    Event(
        name="order_dose",
        kind=Kind.REQUEST,
        roles=DECIDERS,
        fields=dosing.ORDERED,
        max_age=hours(24),
        title="Order the dose of a visit",
        cite=FOUR_WEEKS,
    ),
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
    Event(
        name="resume_escalation",
        kind=Kind.REQUEST,
        roles=(CLINICIAN,),
        max_age=hours(7 * 24),
        title="A clinician decides to go on with the escalation",
    ),
)

AT_MOST_6_WEEKS = Guard(
    name="at_most_6_weeks",
    condition=Sent("weeks") <= p.max_weeks,
    title="Six weeks at most",
    cite=decision("7.18", "Up to six weeks, as a published series of the group."),
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
WINDOW_OPEN = Guard(
    name="window_still_open",
    condition=Today() <= v.window_ends_on,
    title="The weeks of the escalation are not over",
    cite=FOUR_WEEKS,
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
_EXTENDED: Mapping[str, Expression] = {
    "window_ends_on": after_d0(Sent("weeks") * Decimal(7)),
    "planned_slots": Sent("weeks") * p.visits_per_week,
}


def _in_time(on: Expression) -> Expression:
    """A date of a visit, while there is a visit left in the plan."""
    return choose(all_of(v.d0.known(), v.slot <= v.planned_slots), on, UNSET)


CHAPTER = Chapter(
    events=EVENTS,
    guards=(
        *dosing.GUARDS,
        AT_MOST_6_WEEKS,
        AT_MOST_4_WEEKS,
        ENDS_AHEAD,
        ENDED_BY_PLAN,
        WINDOW_OPEN,
        UNRESOLVED_ENDS,
    ),
    transitions=(
        Transition(
            name="order_dose",
            event="order_dose",
            sources=("escalation",),
            requires=(
                *hard(*dosing.HARD_FOR_ORDER, PLAUSIBLE, TESTED),
                *soft(*dosing.SOFT_FOR_ORDER),
            ),
            updates={"ordered_dose": dosing.AMOUNT, "ordered_on": Today()},
            messages=("dose.ordered",),
            advice=("premedication",),
        ),
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
            updates={**_WINDOW, **tail_after(v.window_ends_on)},
            advice=("tail_begins",),
        ),
        Transition(
            name="window_over_without_topicals",
            event="window_over",
            sources=("escalation",),
            target="follow_up",
            updates={**_WINDOW, **topicals_end(), "il2_over_on": v.window_ends_on.tree()},
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
            sources=("dose_hold", "dose_review"),
            target="il2_discontinued",
            priority=20,
            requires=hard(UNRESOLVED_ENDS),
            updates={
                "il2_ended_by": first(v.il2_ended_by, "unresolved"),
                "il2_over_on": first(v.il2_over_on, v.window_ends_on),
                "phase": Constant("discontinued"),
            },
            messages=("il2.discontinue",),
            advice=("E25_not_alone",),
        ),
        Transition(
            name="window_over_while_held",
            event="window_over",
            sources=("dose_hold", "dose_review"),
            messages=("window.over",),
        ),
        Transition(
            name="extend_window",
            event="extend_window",
            sources=("escalation", "observing_dose", "dose_hold", "dose_review"),
            requires=(*hard(AT_MOST_6_WEEKS, TESTED), *soft(AT_MOST_4_WEEKS)),
            updates=_EXTENDED,
        ),
        Transition(
            name="extend_window_from_tail",
            event="extend_window",
            sources=("tail",),
            target="escalation",
            requires=(
                *hard(
                    AT_MOST_6_WEEKS,
                    TESTED,
                    ENDED_BY_PLAN,
                    ENDS_AHEAD,
                    dosing.NOT_STOPPED,
                    dosing.NO_RISE,
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
        Transition(
            name="resume_escalation",
            event="resume_escalation",
            sources=("dose_review",),
            target="escalation",
            requires=(*hard(TESTED, WINDOW_OPEN), *soft(dosing.NO_TOXICITY)),
            updates={"review_needed": NO, "phase": Constant("escalating")},
        ),
    ),
    rules=(
        Rule(
            guard=dosing.SPLIT_DIFFERS.name,
            action="advise",
            events=("dose_given",),
            advice=("split_differs",),
        ),
        Rule(
            guard=dosing.STACKS.name,
            action="advise",
            events=("order_dose",),
            advice=("stacking",),
        ),
        Rule(
            guard=dosing.DRASTIC.name,
            action="advise",
            events=("order_dose",),
            advice=("low_dose",),
        ),
        Rule(
            guard=dosing.ABOVE_SUGGESTED.name,
            action="advise",
            events=("order_dose",),
            advice=("above_suggested",),
        ),
        Rule(
            guard=dosing.SOONER.name,
            action="advise",
            events=("order_dose",),
            advice=("sooner",),
        ),
    ),
    advice=(
        Advice(
            name="split_differs",
            text="The amounts for the lesions do not add up to the dose given: look at the record.",
            cite=decision("7.29", "The sum of the division is the dose of the visit."),
        ),
        Advice(
            name="stacking",
            text="From the second week on doses may stack: what was tolerated in the first week "
            "(10 million units, say) may be intolerable now.",
            cite=STACKING,
        ),
        Advice(
            name="low_dose",
            text="A drastic reduction for tolerability is not recommended: a low dose may expand "
            "regulatory T cells.",
            cite=paper(
                INTRODUCTION,
                "At lower doses, IL-2 has the potential to expand regulatory T cells",
            ),
        ),
        Advice(
            name="above_suggested",
            text="More than suggested (7, 10, 13, 16, 19, 22 million international units).",
            cite=decision("7.5", "The ladder is a suggestion."),
        ),
        Advice(
            name="sooner",
            text="Less than 72 hours since the last dose: more time is suggested, since doses "
            "stack.",
            cite=decision("7.4", "72 hours suggested."),
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

"""When IL-2 is over by decision, and whether topicals go on.

After a discontinuation, tail and maintenance wait for the clinician: the paper does not recommend
imiquimod alone. The tail counts from the later of the last dose and the decision.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.definition import Advice, Event, Field, Guard, Kind, Rule, Transition
from engine.core.expression import Expression, Sent, Today, all_of, hours
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, hard
from workflows.intralesional_il2.conditions import VOID, first, tail_after, topicals_end
from workflows.intralesional_il2.observation import TOPICALS_GO_ON
from workflows.intralesional_il2.sources import NOT_ALONE, decision
from workflows.intralesional_il2.states import CLINICIAN, TREATED

ENDING_CODES = (
    "clinical-decision",
    "complete-response",
    "progression",
    "toxicity",
    "not-tolerated",
    "patient-wish",
    "other",
)
_CONTINUE = Sent("continue_topicals")
_CONTINUE_FIELD = Field(
    name="continue_topicals",
    kind="yesno",
    required=True,
    title="The clinician's decision on tail and maintenance",
)

EVENTS = (
    Event(
        name="end_il2",
        kind=Kind.REQUEST,
        roles=(CLINICIAN,),
        fields=(_CONTINUE_FIELD,),
        max_age=hours(7 * 24),
        reason_codes=ENDING_CODES,
        reason_required=True,
        title="A clinician decides that IL-2 is over",
        cite=decision("7.20", "Whether topicals go on is decided and recorded."),
    ),
    Event(
        name="confirm_topicals",
        kind=Kind.REQUEST,
        roles=(CLINICIAN,),
        fields=(_CONTINUE_FIELD,),
        max_age=hours(7 * 24),
        title="After a discontinuation: do topicals go on?",
        cite=decision("7.20", "Tail and maintenance after a discontinuation are confirmed."),
    ),
)

CONTINUES = Guard(
    name="topicals_continue",
    condition=_CONTINUE,
    title="The clinician decides that topicals go on",
    cite=decision("7.20", "Decided and recorded by the clinician."),
)
STOPS = Guard(
    name="topicals_do_not_continue",
    condition=~_CONTINUE,
    title="The clinician decides that topicals end",
    cite=CONTINUES.cite,
)
E25 = Guard(
    name="E25_topicals_without_il2",
    condition=all_of(
        _CONTINUE, v.slot.known(), ~all_of(v.planned_slots.known(), v.slot > v.planned_slots)
    ),
    title="Topicals go on although IL-2 ends early",
    cite=NOT_ALONE,
)

_ENDED: Mapping[str, Expression] = {
    "il2_ended_by": first(v.il2_ended_by, "clinician"),
    **VOID,
}

CHAPTER = Chapter(
    events=EVENTS,
    guards=(CONTINUES, STOPS, E25),
    transitions=(
        Transition(
            name="end_il2",
            event="end_il2",
            sources=TREATED,
            target="tail",
            priority=20,
            requires=hard(CONTINUES, TOPICALS_GO_ON),
            updates={**_ENDED, **tail_after(Today())},
            advice=("tail_begins",),
        ),
        Transition(
            name="end_il2_and_topicals",
            event="end_il2",
            sources=TREATED,
            target="follow_up",
            requires=hard(STOPS),
            updates={**_ENDED, **topicals_end(), "il2_over_on": Today()},
        ),
        Transition(
            name="topicals_confirmed",
            event="confirm_topicals",
            sources=("il2_discontinued",),
            target="tail",
            priority=20,
            requires=hard(CONTINUES, TOPICALS_GO_ON),
            updates=tail_after(v.il2_over_on),
            advice=("tail_begins",),
        ),
        Transition(
            name="topicals_ended",
            event="confirm_topicals",
            sources=("il2_discontinued",),
            target="follow_up",
            requires=hard(STOPS),
            updates=topicals_end(),
        ),
    ),
    rules=(
        Rule(
            guard=E25.name,
            action="advise",
            events=("end_il2", "confirm_topicals"),
            advice=("E25_not_alone",),
        ),
    ),
    advice=(
        Advice(
            name="E25_not_alone",
            text="Imiquimod alone is not recommended. When IL-2 ends early, a clinician decides "
            "whether tail and maintenance are applied; not where the skin is the reason, or "
            "while admitted.",
            cite=NOT_ALONE,
        ),
    ),
)

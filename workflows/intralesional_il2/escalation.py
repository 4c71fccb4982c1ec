"""Between the tolerated test dose and the end of IL-2: the order of a dose.

The dose is chosen by the clinician; nothing here raises it.
"""

from __future__ import annotations

from engine.core.definition import (
    Advice,
    Event,
    Guard,
    Kind,
    Rule,
    Transition,
)
from engine.core.expression import (
    Constant,
    Today,
    hours,
)
from workflows.intralesional_il2 import dosing
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, hard, soft
from workflows.intralesional_il2.conditions import (
    NO,
)
from workflows.intralesional_il2.eligibility import PLAUSIBLE
from workflows.intralesional_il2.gate import NO_TOXICITY
from workflows.intralesional_il2.injection import TESTED
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
        name="resume_escalation",
        kind=Kind.REQUEST,
        roles=(CLINICIAN,),
        max_age=hours(7 * 24),
        title="A clinician decides to go on with the escalation",
    ),
)

WINDOW_OPEN = Guard(
    name="window_still_open",
    condition=Today() <= v.window_ends_on,
    title="The weeks of the escalation are not over",
    cite=FOUR_WEEKS,
)
CHAPTER = Chapter(
    events=EVENTS,
    guards=(
        *dosing.GUARDS,
        WINDOW_OPEN,
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
            name="resume_escalation",
            event="resume_escalation",
            sources=("dose_review",),
            target="escalation",
            requires=(*hard(TESTED, WINDOW_OPEN), *soft(NO_TOXICITY)),
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
)

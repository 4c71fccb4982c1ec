"""Ordering the test dose: at the baseline, at a restart, and once more after a review."""

from __future__ import annotations

from engine.core.definition import Advice, Event, Guard, Kind, Requirement, Rule, Transition
from engine.core.expression import Today, hours
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, hard, soft
from workflows.intralesional_il2.conditions import VOID
from workflows.intralesional_il2.dosing import (
    AMOUNT,
    GAP,
    HARD_FOR_REPEAT,
    HARD_FOR_TEST_DOSE,
    ORDERED,
    SOFT_FOR_REPEAT,
    TEST_DOSE_IS_7,
)
from workflows.intralesional_il2.eligibility import PLAUSIBLE, SOFT_AT_BASELINE
from workflows.intralesional_il2.gate import (
    FAST_EXPLAINED_IF_KNOWN,
    HEART_RATE,
    NO_NEW_SYMPTOMS,
    NO_TOXICITY,
    OBSERVED,
    SYMPTOMS,
)
from workflows.intralesional_il2.sources import decision, paper
from workflows.intralesional_il2.states import ANYBODY, DECIDERS, OPEN

ORDER_TEST_DOSE = Event(
    name="order_test_dose",
    kind=Kind.REQUEST,
    roles=DECIDERS,
    fields=ORDERED,
    max_age=hours(24),
    title="Order the test dose",
    cite=p.TEST_DOSE,
)
ORDER_CANCELLED = Event(
    name="order_cancelled",
    kind=Kind.REPORT,
    roles=ANYBODY,
    title="The order that waits is cancelled",
)
TOXIC_BEFORE = Guard(
    name="stop_rule_in_an_earlier_round",
    condition=v.stop_rule_ever.tree(),
    title="A stop rule fired in an earlier round",
    cite=decision("7.16", "A discontinuation is remembered for life."),
)
CONSULTED = Guard(
    name="consulted_before_il2",
    condition=~v.consult_needed,
    title="On a finding that would stop IL-2 a consult took place",
    cite=decision("7.34", "Before the first injection a stop rule means consult."),
)
_ORDER = {"ordered_dose": AMOUNT, "ordered_on": Today()}


def _first_of_round(name: str, source: str, *more: Requirement) -> Transition:
    return Transition(
        name=name,
        event="order_test_dose",
        sources=(source,),
        requires=(
            *hard(*HARD_FOR_TEST_DOSE, PLAUSIBLE, FAST_EXPLAINED_IF_KNOWN),
            *soft(
                TEST_DOSE_IS_7,
                *SOFT_AT_BASELINE,
                CONSULTED,
                SYMPTOMS,
                NO_NEW_SYMPTOMS,
                HEART_RATE,
                NO_TOXICITY,
            ),
            *more,
        ),
        updates=_ORDER,
        messages=("dose.ordered",),
        advice=("premedication", "topicals_begin"),
    )


CHAPTER = Chapter(
    events=(ORDER_TEST_DOSE, ORDER_CANCELLED),
    guards=(TOXIC_BEFORE, CONSULTED),
    transitions=(
        _first_of_round("order_test_dose", "baseline"),
        _first_of_round(
            "order_test_dose_of_new_round", "restart_baseline", *hard(OBSERVED), *soft(GAP)
        ),
        Transition(
            name="order_another_test_dose",
            event="order_test_dose",
            sources=("test_dose_review",),
            requires=(*hard(*HARD_FOR_REPEAT, PLAUSIBLE), *soft(*SOFT_FOR_REPEAT)),
            updates=_ORDER,
            messages=("dose.ordered",),
            advice=("premedication",),
        ),
        Transition(
            name="order_cancelled",
            event="order_cancelled",
            sources=OPEN,
            updates=VOID,
        ),
    ),
    rules=(
        Rule(
            guard=TOXIC_BEFORE.name,
            action="advise",
            places=("restart",),
            events=("order_test_dose",),
            advice=("stopped_before",),
        ),
    ),
    advice=(
        Advice(
            name="premedication",
            text="Ondansetron 4 to 8 mg one hour before treatment. Antihypertensives may be held "
            "on days of treatment; an antiarrhythmic only after cardiology was consulted.",
            cite=paper(
                "Administration of IL-2 combination therapy",
                "ondansetron (4-8 mg one hour prior to treatment and every 8 hours after as "
                "needed)",
            ),
        ),
        Advice(
            name="topicals_begin",
            text="Imiquimod and a retinoid (tazarotene 0.1 %) nightly from the night of the test "
            "dose, on the lesions and 10 cm of normal-appearing skin around them.",
            cite=decision("7.19", "Topicals start on the night of the test dose."),
        ),
        Advice(
            name="stopped_before",
            text="A stop rule ended IL-2 in an earlier round: look at it before this injection.",
            cite=decision("7.16", "A discontinuation is remembered for life."),
        ),
    ),
)

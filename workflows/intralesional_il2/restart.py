"""Follow-up, and IL-2 once more for persistent, recurrent or new cutaneous metastases.

A restart refreshes the baseline while the old maintenance goes on; the next round opens with its
first injection, and only then is the old one superseded. Abandoned, the course goes back to where
it was. Distant progression alone never enables a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.core.definition import ANYWHERE, Advice, Event, Field, Guard, Kind, Rule, Transition
from engine.core.expression import (
    Constant,
    Expression,
    Now,
    Sent,
    Today,
    all_of,
    any_of,
    choose,
    hours,
)
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, hard, soft
from workflows.intralesional_il2.conditions import DATED, IL2_OVER, UNSET, VOID, YES, keep
from workflows.intralesional_il2.gate import NO_RISE
from workflows.intralesional_il2.phases import AFTER_IL2, back_by_phase, restart_given_up
from workflows.intralesional_il2.sources import RESTART, decision, paper
from workflows.intralesional_il2.states import DECIDERS, OVER, STAFF

CUTANEOUS = ("persistent", "recurrent", "new_cutaneous")
DISTANT = ("lymph_node", "visceral", "brain")
AFTER_SEVERE = decision(
    "7.16", "After neurotoxicity or myocardial dysfunction a consult comes before a restart."
)

# One that was there while IL-2 was given is injected with the others (7.28).
_AFTER_IL2 = all_of(IL2_OVER, any_of(~v.il2_over_on.known(), ~DATED, Today() >= v.il2_over_on))

EVENTS = (
    Event(
        name="lesion_finding_reported",
        kind=Kind.REPORT,
        roles=STAFF,
        fields=(
            Field(name="finding", kind="code", codes=(*CUTANEOUS, *DISTANT), required=True),
            Field(name="count", kind="number", low=Decimal(0)),
        ),
        updates={
            "cutaneous_finding": keep(
                v.cutaneous_finding,
                all_of(Sent("finding").one_of(*CUTANEOUS), _AFTER_IL2),
                choose(
                    Sent("finding").is_("persistent"),
                    Constant("persistent"),
                    choose(
                        Sent("finding").is_("recurrent"),
                        Constant("recurrent"),
                        Constant("new_cutaneous"),
                    ),
                ),
            ),
            "distant_progression": keep(
                v.distant_progression, Sent("finding").one_of(*DISTANT), YES
            ),
        },
        title="A metastasis was found or persists",
        cite=RESTART,
    ),
    Event(
        name="response_recorded",
        kind=Kind.REPORT,
        roles=STAFF,
        fields=(
            Field(
                name="response",
                kind="code",
                codes=("complete", "partial", "stable", "progressive"),
                required=True,
            ),
            Field(name="treated_lesions", kind="number", low=Decimal(0)),
            Field(name="regressed_lesions", kind="number", low=Decimal(0)),
        ),
        title="Response of the treated lesions",
    ),
    Event(
        name="biopsy_recorded",
        kind=Kind.REPORT,
        roles=STAFF,
        fields=(
            Field(name="sites", kind="number", required=True, low=Decimal(1)),
            Field(name="tumour_free", kind="number", required=True, low=Decimal(0)),
        ),
        title="Treated sites biopsied again",
    ),
    Event(
        name="follow_up_recorded",
        kind=Kind.REPORT,
        roles=STAFF,
        fields=(
            Field(name="alive", kind="yesno"),
            Field(name="cutaneous_recurrence", kind="yesno"),
            Field(name="months_since_first_dose", kind="number", low=Decimal(0)),
        ),
        title="Follow-up visit",
    ),
)
REQUEST = Event(
    name="request_restart",
    kind=Kind.REQUEST,
    roles=DECIDERS,
    fields=(Field(name="finding", kind="code", codes=CUTANEOUS, required=True),),
    max_age=hours(7 * 24),
    title="Prepare another round of IL-2",
    cite=RESTART,
)
ABANDONED = Event(
    name="restart_abandoned",
    kind=Kind.REPORT,
    roles=STAFF,
    updates=restart_given_up(YES),
    title="The restart is abandoned",
    cite=decision("7.26", "An abandoned restart returns to the old schedule."),
)

E22_LESION = Guard(
    name="E22_cutaneous_metastasis_found",
    condition=v.cutaneous_finding.is_(Sent("finding")),
    title="The cutaneous metastasis that is the reason is on record",
    cite=RESTART,
)
E22_TAIL_OVER = Guard(
    name="E22_tail_is_over",
    condition=v.phase.one_of("maintenance", "follow_up"),
    title="The three weeks after IL-2 are over",
    cite=decision("7.27", "A restart is possible from the end of the tail on; no limit in number."),
)
E22_TWELVE_WEEKS = Guard(
    name="E22_twelve_weeks_since_test_dose",
    condition=Today() - v.d0 >= p.restart_days,
    title="Twelve weeks since the test dose",
    cite=decision("7.27", "A complete response takes one to three months from the first dose."),
)
E22_NO_STOP = Guard(
    name="E22_no_stop_rule_open",
    condition=~v.stop_rule_open,
    title="No stop rule fired since the last restart",
    cite=decision("7.16", "After a discontinuation only by an override with a reason."),
)
E22_CONSULTED = Guard(
    name="E22_consult_after_severe_toxicity",
    condition=~v.consult_needed,
    title="After neurotoxicity or myocardial dysfunction a consult took place",
    cite=AFTER_SEVERE,
)
E19_DISTANT = Guard(
    name="E19_no_distant_progression",
    condition=~v.distant_progression,
    title="No lymph-node, visceral or brain metastasis was found",
    cite=paper(
        "Baseline Evaluation",
        "Imaging is necessary to screen for visceral and CNS metastases, which would lessen the "
        "enthusiasm for therapy with intralesional IL-2.",
    ),
)
E22_FOUND = Guard(
    name="E22_restart_possible",
    condition=Sent("finding").one_of(*CUTANEOUS),
    title="A cutaneous metastasis after IL-2",
    cite=RESTART,
)
E19_FOUND = Guard(
    name="E19_distant_progression_found",
    condition=Sent("finding").one_of(*DISTANT),
    title="A lymph-node, visceral or brain metastasis",
    cite=E19_DISTANT.cite,
)

_ASKED_ANEW: Mapping[str, Expression] = {
    **{stated.name: UNSET for stated in v.STATED_AT_BASELINE},
    **{
        earlier.name: stated.tree()
        for earlier, stated in zip(v.STATED_EARLIER, v.STATED_AT_BASELINE, strict=True)
    },
    "restart_requested_at": Now(),
    **VOID,
}

CHAPTER = Chapter(
    events=(*EVENTS, REQUEST, ABANDONED),
    guards=(
        E22_LESION,
        E22_TAIL_OVER,
        E22_TWELVE_WEEKS,
        E22_NO_STOP,
        E22_CONSULTED,
        E19_DISTANT,
        E22_FOUND,
        E19_FOUND,
    ),
    transitions=(
        *(Transition(name=e.name, event=e.name, sources=(ANYWHERE,)) for e in EVENTS),
        Transition(
            name="request_restart",
            event="request_restart",
            sources=OVER,
            target="restart_baseline",
            requires=(
                *hard(E22_LESION),
                *soft(
                    E22_TAIL_OVER,
                    E22_TWELVE_WEEKS,
                    E22_NO_STOP,
                    E22_CONSULTED,
                    NO_RISE,
                    E19_DISTANT,
                ),
            ),
            updates=_ASKED_ANEW,
            messages=("restart.prepared",),
            advice=("restart_plan",),
        ),
        *back_by_phase(
            "restart_abandoned",
            ("restart_baseline",),
            updates=VOID,
            phases=AFTER_IL2,
        ),
    ),
    rules=(
        Rule(
            guard=E22_FOUND.name,
            action="advise",
            places=OVER,
            events=("lesion_finding_reported",),
            advice=("restart_possible",),
        ),
        Rule(
            guard=E19_FOUND.name,
            action="consult",
            events=("lesion_finding_reported",),
            advice=("E19_imaging",),
        ),
    ),
    advice=(
        Advice(
            name="restart_possible",
            text="A persistent, recurrent or new cutaneous metastasis: IL-2 may be restarted, from "
            "the end of the tail on. Before 12 weeks from the test dose a lesion may still "
            "respond. New lesions during the escalation are injected within the dose of the visit.",
            cite=decision("7.28", "New lesions during the escalation need no restart."),
        ),
        Advice(
            name="restart_plan",
            text="Refresh the baseline (examination, blood, vital signs, medications, photographs; "
            "imaging if older than 90 days), then a new test dose of 7 million international units "
            "and the same rules. The present schedule goes on until that dose is given.",
            cite=decision("7.26", "A full new round with a new test dose."),
        ),
        Advice(
            name="E19_imaging",
            text="Visceral or brain metastases lessen the enthusiasm for intralesional IL-2: "
            "consult before an injection.",
            cite=E19_DISTANT.cite,
        ),
        Advice(
            name="E20_co_manage",
            text="Ask an oncologist or the primary care physician to co-manage before IL-2 starts.",
            cite=paper(
                "Management of severe IL-2 toxicities",
                "it is reasonable to request additional support from an oncologist or primary care "
                "physician",
            ),
        ),
        Advice(
            name="E05_cardiology",
            text="An antihypertensive is also an antiarrhythmic: cardiology before it is held, "
            "since IL-2 may trigger atrial fibrillation.",
            cite=paper(
                "Administration of IL-2 combination therapy",
                "a cardiology consultation should be obtained",
            ),
        ),
    ),
)

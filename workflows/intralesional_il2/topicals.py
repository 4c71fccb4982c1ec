"""Imiquimod and retinoid: what they are applied for, how many nights a week, and under what.

They are variables of the course and no states, since toxicity acts on IL-2 only. What is done to
them is reported by whoever cares for the skin; the protocol advises.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.core.definition import (
    ANYWHERE,
    Advice,
    Event,
    Field,
    Guard,
    Kind,
    Rule,
    Transition,
)
from engine.core.expression import Constant, Expression, Sent, all_of, any_of, choose
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, hard
from workflows.intralesional_il2.conditions import NO, YES, sent, topicals_end
from workflows.intralesional_il2.management import INFECTION
from workflows.intralesional_il2.sources import (
    ADMINISTRATION,
    decision,
    local,
    paper,
)
from workflows.intralesional_il2.states import CLINICIAN, OBSERVERS, OPEN, STAFF

_REACTION = ("topical_reaction_reported",)
FREQUENCY = paper(
    ADMINISTRATION,
    "If these become unacceptably large or intolerable, the frequency of the topical regimen may "
    "be reduced.  As much as possible, however, treatment per the protocol should be maintained.",
)
OCCLUSION = paper(
    ADMINISTRATION,
    "If the inflammatory response is not intense, the topical regimen can be applied under telfa "
    "bandage occlusion.",
)
STEPS = decision("7.25", "7, then 5, then 3 nights a week, then pause; restored when tolerated.")

LESS: Expression = choose(
    v.topical_nights > p.topical_nights_less,
    p.topical_nights_less,
    choose(
        v.topical_nights > p.topical_nights_least,
        p.topical_nights_least,
        Constant(Decimal(0)),
    ),
)
MORE: Expression = choose(
    v.topical_nights < p.topical_nights_least,
    p.topical_nights_least,
    choose(v.topical_nights < p.topical_nights_less, p.topical_nights_less, p.topical_nights_full),
)

IN_USE = Guard(
    name="topicals_in_use",
    condition=v.topical_mode.one_of("treatment", "tail", "maintenance_on", "maintenance_off"),
    title="Topicals are in use",
    cite=local("What is not in use is neither reduced nor restored."),
)
E14 = Guard(
    name="E14_ulcer_large_or_intolerable",
    condition=any_of(
        all_of(sent("unacceptably_large"), Sent("unacceptably_large")),
        all_of(sent("inflammation"), Sent("inflammation").is_("intolerable")),
    ),
    title="Unacceptably large or intolerable",
    cite=FREQUENCY,
)
E15 = Guard(
    name="E15_inflammation_not_intense",
    condition=all_of(
        sent("inflammation"), Sent("inflammation").is_("not_intense"), ~v.topical_occluded
    ),
    title="The inflammation is not intense, and there is no occlusion yet",
    cite=OCCLUSION,
)
E13_CONCERN = Guard(
    name="E13_concern_of_infection",
    condition=all_of(sent("infection_concern"), Sent("infection_concern")),
    title="Infection is a concern",
    cite=INFECTION,
)
E13_EXPECTED = Guard(
    name="E13_ulcer_without_concern_of_infection",
    condition=all_of(
        sent("ulcer"),
        Sent("ulcer"),
        any_of(~sent("infection_concern"), ~Sent("infection_concern")),
    ),
    title="An ulcer without concern of infection",
    cite=paper(ADMINISTRATION, "By the end of therapy, erosions and ulcerations will likely occur"),
)

_CHANGES: Mapping[str, tuple[str, Mapping[str, Expression]]] = {
    "topicals_reduced": ("Fewer nights a week: the next step down", {"topical_nights": LESS}),
    "topicals_restored": ("More nights a week: the next step up", {"topical_nights": MORE}),
    "topicals_paused": ("Paused", {"topical_nights": Constant(Decimal(0))}),
    "topicals_resumed": ("Resumed after a pause", {"topical_nights": MORE}),
    "occlusion_started": ("Applied under Telfa occlusion", {"topical_occluded": YES}),
    "occlusion_ended": (
        "No longer under occlusion",
        {"topical_occluded": NO},
    ),
}
_EVENTS = tuple(
    Event(name=name, kind=Kind.REPORT, roles=STAFF, title=title, cite=STEPS)
    for name, (title, _) in _CHANGES.items()
)
REACTION = Event(
    name="topical_reaction_reported",
    kind=Kind.REPORT,
    roles=OBSERVERS,
    fields=(
        Field(
            name="inflammation", kind="code", codes=("not_intense", "as_expected", "intolerable")
        ),
        Field(name="ulcer", kind="yesno"),
        Field(name="unacceptably_large", kind="yesno"),
        Field(name="infection_concern", kind="yesno"),
        Field(name="description", kind="text"),
    ),
    title="How the skin looks",
    cite=OCCLUSION,
)
STOPPED = Event(
    name="topicals_stopped",
    kind=Kind.REPORT,
    roles=(CLINICIAN,),
    title="Topicals are given up for this round",
    cite=decision("7.20", "Without topicals there is no tail and no maintenance."),
)
_IN_TOPICAL_PHASE = v.phase.one_of("tail", "maintenance")
STOP: Mapping[str, Expression] = {
    "topical_mode": Constant("stopped"),
    "phase": choose(_IN_TOPICAL_PHASE, Constant("follow_up"), v.phase.tree()),
}

CHAPTER = Chapter(
    events=(*_EVENTS, REACTION, STOPPED),
    guards=(IN_USE, E14, E15, E13_CONCERN, E13_EXPECTED),
    transitions=(
        *(
            Transition(
                name=name,
                event=name,
                sources=(ANYWHERE,),
                requires=hard(IN_USE),
                updates=updates,
            )
            for name, (_, updates) in _CHANGES.items()
        ),
        Transition(
            name="topical_reaction_reported",
            event="topical_reaction_reported",
            sources=(ANYWHERE,),
        ),
        Transition(
            name="topicals_stopped_in_tail_or_maintenance",
            event="topicals_stopped",
            sources=("tail", "maintenance"),
            target="follow_up",
            updates=topicals_end(),
        ),
        Transition(
            name="topicals_stopped",
            event="topicals_stopped",
            sources=tuple(stage for stage in OPEN if stage not in ("topical_tail", "maintenance")),
            updates=STOP,
        ),
        Transition(name="topicals_stopped_late", event="topicals_stopped", sources=("closed",)),
    ),
    rules=(
        Rule(guard=E14.name, action="manage", events=_REACTION, advice=("E14_reduce",)),
        Rule(guard=E15.name, action="manage", events=_REACTION, advice=("E15_occlude",)),
        Rule(
            guard=E13_CONCERN.name, action="manage", events=_REACTION, advice=("E13_antibiotics",)
        ),
        Rule(
            guard=E13_EXPECTED.name,
            action="advise",
            events=_REACTION,
            advice=("E13_ulcer_expected",),
        ),
    ),
    advice=(
        Advice(
            name="E14_reduce",
            text="Reduce the topicals by one step: 7, 5, 3 nights a week, then pause; restore when "
            "tolerated. IL-2 is not affected. As far as possible keep to the protocol.",
            cite=FREQUENCY,
        ),
        Advice(
            name="E15_occlude",
            text="Apply the topicals under Telfa occlusion.",
            cite=OCCLUSION,
        ),
    ),
)

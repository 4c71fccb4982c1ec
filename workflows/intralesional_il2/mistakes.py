"""What was not so: values that were corrected, and a stop that rested on a mistake.

- A corrected baseline pressure moves the goal: it is weighed whenever anything happens, since a
  correction is no event of the protocol. Corrected doses are counted anew in `recount`.
- A report that was none is taken back by a clinician; the toxicity that it opened stays open until
  a clinician closes it, and what it discontinued stays discontinued. A finding that was none is no
  reason to restart.
- A stop rule that fired after IL-2 was over, on something entered in error, is taken back where the
  course stands.
- A discontinuation that rested on something entered in error is taken back by a clinician, to a
  review or to the hold that was open, never straight to the next dose. It stays closed while a stop
  rule holds on what is recorded, so a value is corrected first.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.core.definition import ANYWHERE, Advice, Event, Field, Guard, Kind, Rule, Transition
from engine.core.expression import (
    Constant,
    Expression,
    Late,
    Sent,
    all_of,
    any_of,
    choose,
    hours,
    least,
)
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import toxicity
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, hard, soft
from workflows.intralesional_il2.conditions import GOAL_AT_BASELINE, NO, UNSET, YES, keep, sent
from workflows.intralesional_il2.hold import RISE_OPEN
from workflows.intralesional_il2.injection import STOPPED, TESTED
from workflows.intralesional_il2.sources import PRESSURE_GOALS, decision, inferred
from workflows.intralesional_il2.states import CLINICIAN, TREATED

MISTAKE = decision(
    "7.16", "A discontinuation holds for the round; what was never so did not discontinue."
)

# What is entered late sees only what was there in its time.
_NOT_LATE = ~Late()
GOAL_CORRECTED = Guard(
    name="N09_goal_of_corrected_baseline",
    condition=all_of(
        _NOT_LATE,
        v.pressure_goal.known(),
        GOAL_AT_BASELINE.known(),
        v.pressure_goal.is_not(GOAL_AT_BASELINE),
    ),
    title="The pressure before the first injection, as it is on record now, has another goal",
    cite=inferred(
        PRESSURE_GOALS.source, "The goal is frozen for the round; what is frozen is the true one."
    ),
)
BY_STOP_RULE = Guard(
    name="il2_ended_by_stop_rule",
    condition=all_of(v.il2_ended_by.known(), v.il2_ended_by.is_("stop_rule")),
    title="A stop rule ended IL-2",
    cite=MISTAKE,
)
NOT_BY_STOP_RULE = Guard(
    name="il2_ended_otherwise",
    condition=all_of(v.il2_ended_by.known(), v.il2_ended_by.is_not("stop_rule")),
    title="IL-2 was over before a stop rule fired",
    cite=MISTAKE,
)
NONE_HOLDS = Guard(
    name="no_stop_rule_holds",
    condition=~any_of(
        *(
            guard.condition
            for guard in (
                toxicity.N01,
                toxicity.N04,
                toxicity.N05,
                toxicity.N06,
                toxicity.E01_ON_ECG,
                toxicity.E03_DYSFUNCTION,
            )
        )
    ),
    title="On what is recorded now no stop rule holds",
    cite=MISTAKE,
)
ONLY_ONE = Guard(
    name="only_one_stop_rule_fired",
    condition=v.stop_rules_fired <= 1,
    title="Stop rules fired once only",
    cite=MISTAKE,
)
REVOKE = Event(
    name="revoke_discontinuation",
    kind=Kind.REQUEST,
    roles=(CLINICIAN,),
    max_age=hours(24),
    reason_codes=("entered-in-error",),
    reason_required=True,
    title="What discontinued IL-2 was entered in error",
    cite=MISTAKE,
)
_of_event = Sent("what").is_("adverse_event")
_remaining = choose(sent("worst_grade"), Sent("worst_grade"), Constant(Decimal(0)))
RETRACT = Event(
    name="report_entered_in_error",
    kind=Kind.REPORT,
    roles=(CLINICIAN,),
    fields=(
        Field(
            name="what",
            kind="code",
            codes=(
                "adverse_event",
                "emergency_visit",
                "vasopressor",
                "cutaneous_finding",
                "distant_progression",
            ),
            required=True,
        ),
        Field(
            name="worst_grade",
            kind="number",
            low=Decimal(0),
            high=Decimal(5),
            title="The worst grade since the last dose that remains",
        ),
    ),
    reason_codes=("entered-in-error",),
    reason_required=True,
    updates={
        "worst_grade": keep(v.worst_grade, _of_event, least(v.worst_grade, _remaining)),
        "visit_tolerance": keep(
            v.visit_tolerance,
            all_of(
                _of_event, v.visit_tolerance.is_("not_tolerated"), _remaining <= p.tolerated_grade
            ),
            Constant("unassessed"),
        ),
        "emergency_since_dose": keep(
            v.emergency_since_dose, Sent("what").is_("emergency_visit"), NO
        ),
        "vasopressor_since_dose": keep(
            v.vasopressor_since_dose, Sent("what").is_("vasopressor"), NO
        ),
        "cutaneous_finding": keep(
            v.cutaneous_finding, Sent("what").is_("cutaneous_finding"), Constant("none")
        ),
        "distant_progression": keep(
            v.distant_progression, Sent("what").is_("distant_progression"), NO
        ),
    },
    title="An adverse event, emergency visit or vasopressor since the last dose, or a finding, was "
    "none",
    cite=decision("7.7", "What was entered in error says nothing of whether a dose was tolerated."),
)
_NEVER_STOPPED: Mapping[str, Expression] = {
    "stopped_by": UNSET,
    "stop_rule_open": NO,
    "stop_rules_fired": Constant(Decimal(0)),
    "consult_needed": NO,
}
_REVOKED: Mapping[str, Expression] = {
    **_NEVER_STOPPED,
    "il2_ended_by": UNSET,
    "il2_over_on": UNSET,
    "tail_ends_on": UNSET,
    "topical_mode": choose(
        v.topical_mode.is_("tail"), Constant("treatment"), v.topical_mode.tree()
    ),
    "review_needed": YES,
}


def _back(name: str, target: str, phase: str, *guards: Guard, priority: int) -> Transition:
    return Transition(
        name=f"discontinuation_revoked_to_{name}",
        event="revoke_discontinuation",
        sources=("il2_discontinued", "tail"),
        target=target,
        priority=priority,
        requires=(*hard(*guards, BY_STOP_RULE, NONE_HOLDS), *soft(ONLY_ONE)),
        updates={**_REVOKED, "phase": Constant(phase)},
        messages=("review.needed",),
        advice=("stop_was_a_mistake",),
    )


CHAPTER = Chapter(
    events=(REVOKE, RETRACT),
    guards=(
        GOAL_CORRECTED,
        BY_STOP_RULE,
        NOT_BY_STOP_RULE,
        NONE_HOLDS,
        ONLY_ONE,
    ),
    transitions=(
        Transition(name=RETRACT.name, event=RETRACT.name, sources=(ANYWHERE,)),
        _back("hold", "dose_hold", "escalating", RISE_OPEN, TESTED, priority=40),
        _back("test_dose_hold", "test_dose_hold", "testing", RISE_OPEN, priority=30),
        _back("review", "dose_review", "escalating", TESTED, priority=20),
        _back("test_dose_review", "test_dose_review", "testing", priority=10),
        Transition(
            name="stop_after_il2_revoked",
            event="revoke_discontinuation",
            sources=("tail", "maintenance", "follow_up"),
            requires=(*hard(NOT_BY_STOP_RULE, STOPPED, NONE_HOLDS), *soft(ONLY_ONE)),
            updates=_NEVER_STOPPED,
        ),
    ),
    rules=(
        Rule(
            guard=GOAL_CORRECTED.name,
            action="advise",
            places=TREATED,
            updates={"pressure_goal": GOAL_AT_BASELINE},
            advice=("goal_corrected",),
        ),
    ),
    advice=(
        Advice(
            name="goal_corrected",
            text="The pressure before the first injection was corrected, and the goal with it: "
            "look again at the pressures since then.",
            cite=GOAL_CORRECTED.cite,
        ),
        Advice(
            name="stop_was_a_mistake",
            text="What discontinued IL-2 was entered in error. A clinician looks at everything "
            "since the last dose before IL-2 goes on.",
            cite=MISTAKE,
        ),
    ),
)

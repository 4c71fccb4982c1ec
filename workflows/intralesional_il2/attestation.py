"""What nobody attested when a course was adopted, and a clinician attests later.

- What is unknown opens no door; this is the way by which nobody is left before a closed one. Only
  what is unset is attested: what is known here is never overwritten.
- Only of the round in which the course came here. A round that begins here owes nobody's word.
- Where the course stands follows from its state. The date of a tolerated test dose is attested only
  where it must have been tolerated; otherwise the clinician confirms it, as always.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.core.definition import Event, Field, Guard, Kind, Transition, Variable
from engine.core.expression import Constant, Expression, Sent, all_of, choose, days
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, hard
from workflows.intralesional_il2.conditions import first, keep, sent, surely
from workflows.intralesional_il2.sources import local
from workflows.intralesional_il2.states import CLINICIAN, OVER

ADOPTED = Guard(
    name="round_began_elsewhere",
    condition=~surely(v.begun_here),
    title="The round began elsewhere",
    cite=local("What happened here is on record and needs no attestation."),
)

_OF_ROUND = (
    v.first_injection_at,
    v.first_visit_at,
    v.test_dose_on,
    v.unplanned_round,
    v.test_doses,
    v.test_doses_elsewhere,
    v.doses_given,
    v.doses_elsewhere,
    v.slot,
    v.missed_slots,
    v.last_dose,
    v.last_dose_at,
    v.last_dose_on,
    v.round_dose_total,
    v.round_dose_elsewhere,
    v.dose_total,
    v.dose_elsewhere,
    v.observation_open,
    v.observation_ends_at,
    v.observed_at_home,
    v.visit_tolerance,
    v.tolerance_before,
    v.worst_grade,
    v.worst_grade_before,
    v.emergency_since_dose,
    v.emergency_before,
    v.vasopressor_since_dose,
    v.vasopressor_before,
    v.low_pressure_seen,
    v.fast_heart_seen,
    v.low_urine_seen,
    v.review_needed,
    v.pressure_goal,
    v.toxicity_open,
    v.hold_since_tolerated,
    v.enzyme_hold_open,
    v.enzyme_rise_at,
    v.fluid_total,
    v.loperamide_total,
    v.acetaminophen_total,
    v.stop_rules_fired,
    v.stop_rule_ever,
    v.stop_rule_open,
    v.consult_needed,
    v.topical_mode,
    v.topical_nights,
    v.topical_occluded,
    v.cutaneous_finding,
    v.distant_progression,
)
_OF_ESCALATION = (
    v.d0,
    v.escalation_began_at,
    v.last_tolerated_dose,
    v.last_tolerated_at,
    v.previous_tolerated_dose,
    v.previous_tolerated_at,
    v.window_ends_on,
    v.planned_slots,
)
_OF_END = (v.il2_over_on, v.il2_ended_by, v.tail_ends_on, v.cycle, v.cycles_completed,
           v.cycles_missed)  # fmt: skip
ATTESTABLE = (v.phase, *_OF_ROUND, *_OF_ESCALATION, *_OF_END)


def _field(attested: Variable) -> Field:
    return Field(
        name=attested.name,
        kind=attested.kind,
        unit=attested.unit,
        codes=attested.codes,
        low=Decimal(0) if attested.kind in ("number", "quantity") else None,
        title=attested.title,
    )


def _attested(*variables: Variable) -> dict[str, Expression]:
    return {
        unset.name: keep(
            unset, all_of(ADOPTED.condition, ~unset.known(), sent(unset.name)), Sent(unset.name)
        )
        for unset in variables
    }


ATTESTED = Event(
    name="facts_attested",
    kind=Kind.REPORT,
    roles=(CLINICIAN,),
    fields=tuple(_field(attested) for attested in ATTESTABLE),
    updates=_attested(*_OF_ROUND),
    title="A clinician attests what is not known of a course that began elsewhere",
    cite=ADOPTED.cite,
)
_D0 = choose(v.d0.known(), v.d0, Sent("d0"))
_PLANNED: Mapping[str, Expression] = {
    **_attested(*_OF_ESCALATION),
    # The plan follows from the test dose, unless another one is attested.
    "window_ends_on": first(
        v.window_ends_on,
        choose(
            sent("window_ends_on"),
            Sent("window_ends_on"),
            _D0 + Constant(days(1)) * p.induction_days,
        ),
    ),
    "planned_slots": first(
        v.planned_slots, choose(sent("planned_slots"), Sent("planned_slots"), p.planned_visits)
    ),
}


def _stands(phase: str, source: str, **more: Expression) -> Transition:
    return Transition(
        name=f"facts_attested_{phase}",
        event=ATTESTED.name,
        sources=(source,),
        requires=hard(ADOPTED),
        updates={"phase": first(v.phase, phase), **more},
    )


CHAPTER = Chapter(
    events=(ATTESTED,),
    guards=(ADOPTED,),
    transitions=(
        _stands("before_il2", "baseline"),
        _stands("testing", "test_dose"),
        _stands("escalating", "dose_escalation", **_PLANNED),
        *(
            _stands(phase, stage, **_PLANNED, **_attested(*_OF_END))
            for phase, stage in zip(
                ("discontinued", "tail", "maintenance", "follow_up"), OVER, strict=True
            )
        ),
        Transition(
            name="facts_attested_elsewhere",
            event=ATTESTED.name,
            sources=("restart", "closed"),
            requires=hard(ADOPTED),
            updates=_attested(v.phase, *_OF_ESCALATION, *_OF_END),
        ),
    ),
)

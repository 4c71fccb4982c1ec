"""Intralesional IL-2 with imiquimod and a retinoid for cutaneous melanoma metastases.

After Patel et al., Dermatology Online Journal 2014. Each file is one subject of the protocol and
holds its events, guards, transitions, rules and advice side by side; `sources` says whence each
statement comes. Intralesional use is off-label: the definition advises and records, and it never
orders anything by itself.
"""

from __future__ import annotations

from engine.core.definition import Workflow
from workflows.intralesional_il2 import (
    adverse,
    attestation,
    baseline,
    before_il2,
    eligibility,
    ending,
    escalation,
    exits,
    hold,
    injection,
    maintenance,
    management,
    mistakes,
    observation,
    observations,
    orders,
    pressure,
    recount,
    restart,
    test_dose,
    tolerance,
    topicals,
    toxicity,
    window,
)
from workflows.intralesional_il2.inputs import INPUTS
from workflows.intralesional_il2.parameters import PARAMETERS
from workflows.intralesional_il2.states import ACTIONS, DECIDERS, NOT_PUBLISHED, ROLES, STATES
from workflows.intralesional_il2.variables import VARIABLES

__all__ = ["WORKFLOW"]

_CHAPTERS = (
    baseline.CHAPTER,
    attestation.CHAPTER,
    eligibility.CHAPTER,
    test_dose.CHAPTER,
    injection.CHAPTER,
    observation.CHAPTER,
    tolerance.CHAPTER,
    escalation.CHAPTER,
    window.CHAPTER,
    ending.CHAPTER,
    toxicity.CHAPTER,
    before_il2.CHAPTER,
    recount.CHAPTER,
    mistakes.CHAPTER,
    hold.CHAPTER,
    observations.CHAPTER,
    adverse.CHAPTER,
    pressure.CHAPTER,
    management.CHAPTER,
    orders.CHAPTER,
    topicals.CHAPTER,
    maintenance.CHAPTER,
    restart.CHAPTER,
    exits.CHAPTER,
)

WORKFLOW = Workflow(
    name="intralesional_il2",
    version="2",
    title="Intralesional IL-2 with imiquimod and a retinoid",
    initial="baseline",
    states=STATES,
    inputs=INPUTS,
    variables=VARIABLES,
    parameters=PARAMETERS,
    roles=ROLES,
    arrangers=DECIDERS,
    not_published=NOT_PUBLISHED,
    actions=ACTIONS,
    events=tuple(event for chapter in _CHAPTERS for event in chapter.events),
    guards=tuple(guard for chapter in _CHAPTERS for guard in chapter.guards),
    transitions=tuple(way for chapter in _CHAPTERS for way in chapter.transitions),
    rules=tuple(rule for chapter in _CHAPTERS for rule in chapter.rules),
    advice=tuple(advice for chapter in _CHAPTERS for advice in chapter.advice),
    timers=tuple(timer for chapter in _CHAPTERS for timer in chapter.timers),
    visits=tuple(visit for chapter in _CHAPTERS for visit in chapter.visits),
)

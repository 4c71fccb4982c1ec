"""Plausible courses of the protocol, constructed: see `chances` for what that does not mean.

What the clinic does next follows from where the course stands, so that whatever the rules make of a
course, it is told on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random

from engine.scenario import Scenario, Telling
from workflows.intralesional_il2 import WORKFLOW
from workflows.intralesional_il2.scenario import afterwards, exits, treatment
from workflows.intralesional_il2.scenario.clinic import Clinic

__all__ = ["SCENARIO"]

_PARTS_AT_MOST = 150
"""Visits, months and other parts of a course; more would be another life."""


def tell(rng: Random, course: str, start: datetime) -> Telling[None]:
    """One patient's course, from the enrolment to where nothing more is told of it."""
    clinic = Clinic(rng, course, start)
    yield from clinic.enrols()
    for _ in range(_PARTS_AT_MOST):
        part = _PARTS.get(clinic.state)
        if part is not None:
            yield from part(clinic)
            if clinic.state in _PARTS:
                yield from exits.perhaps(clinic)
        elif not (yield from exits.left(clinic)):
            return


_PARTS: Mapping[str, Callable[[Clinic], Telling[None]]] = {
    "baseline": treatment.prepared,
    "observing_test_dose": treatment.observing,
    "assessing_tolerance": treatment.assessed,
    "test_dose_hold": treatment.held,
    "test_dose_review": treatment.reviewed_test_dose,
    "escalation": treatment.escalating,
    "observing_dose": treatment.observing,
    "dose_hold": treatment.held,
    "dose_review": treatment.reviewed,
    "il2_discontinued": treatment.discontinued,
    "tail": afterwards.in_tail,
    "maintenance": afterwards.in_maintenance,
    "follow_up": afterwards.in_follow_up,
    "restart_baseline": afterwards.restarting,
}
"""What happens next, by the state of the course; every other state is closed."""

SCENARIO = Scenario(workflow=WORKFLOW.name, prefix="IL2", tell=tell)

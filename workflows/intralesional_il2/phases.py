"""The way back: from an exit or an abandoned restart to where the course stood.

What was running when the course was left is not resumed blindly: whoever comes back while IL-2 is
being given comes to a review, where a clinician decides.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.definition import Guard, Transition
from engine.core.expression import Expression, Operand, all_of
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import hard
from workflows.intralesional_il2.conditions import UNSET, YES, keep
from workflows.intralesional_il2.sources import local

_BACK = {
    "before_il2": "baseline",
    "testing": "test_dose_review",
    "escalating": "dose_review",
    "discontinued": "il2_discontinued",
    "tail": "tail",
    "maintenance": "maintenance",
    "follow_up": "follow_up",
}

AFTER_IL2 = ("discontinued", "tail", "maintenance", "follow_up")
"""The phases in which a restart can have been asked for."""


def restart_given_up(given_up: Operand) -> dict[str, Expression]:
    """The updates of an event that gives up the restart that is prepared (7.26).

    The old round is gone back to as it was; what was said in the meantime is newer, and stays.
    """
    prepared = all_of(v.restart_requested_at.known(), given_up)
    return {
        "restart_requested_at": keep(v.restart_requested_at, prepared, UNSET),
        **{
            stated.name: keep(stated, all_of(prepared, ~stated.known()), earlier)
            for earlier, stated in zip(v.STATED_EARLIER, v.STATED_AT_BASELINE, strict=True)
        },
    }


STANDS = {
    phase: Guard(
        name=f"course_stands_in_{phase}",
        condition=v.phase.is_(phase),
        title=f"The course stands in: {phase.replace('_', ' ')}",
        cite=local("The way back leads to where the course stood."),
    )
    for phase in _BACK
}


def back_by_phase(
    event: str,
    sources: tuple[str, ...],
    *,
    updates: Mapping[str, Expression],
    phases: tuple[str, ...] = tuple(_BACK),
    reopens: bool = False,
) -> tuple[Transition, ...]:
    """One transition for each phase in which the course may stand."""
    return tuple(
        Transition(
            name=f"{event}_to_{_BACK[phase]}",
            event=event,
            sources=sources,
            target=_BACK[phase],
            # Only one of them can be; the priority keeps the order plain.
            priority=50 - n,
            requires=hard(STANDS[phase]),
            updates={
                **updates,
                **({"review_needed": YES} if _BACK[phase].endswith("review") else {}),
            },
            reopens=reopens,
        )
        for n, phase in enumerate(_BACK)
        if phase in phases
    )

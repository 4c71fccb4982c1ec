"""How a course is left, from every state, and how it is taken up again.

Leaving cancels timers and visits, since both follow from the state; late results are still
recorded. A death entered in error is corrected, and whoever was lost may be found.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.definition import Event, Field, Guard, Kind, Transition
from engine.core.expression import Constant, Expression, Now, Sent, Today, choose
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, hard
from workflows.intralesional_il2.conditions import BEING_TREATED, UNSET, VOID, first, topicals_end
from workflows.intralesional_il2.phases import AFTER_IL2, STANDS, back_by_phase, restart_given_up
from workflows.intralesional_il2.sources import local
from workflows.intralesional_il2.states import (
    ANYBODY,
    CLINICIAN,
    LEFT,
    OPEN,
    OVER,
    STAFF,
    TREATED,
)
from workflows.intralesional_il2.topicals import STOP

_LEAVES: Mapping[str, Expression] = {
    "left_at": Now(),
    **VOID,
}
# A restart that was being prepared is not taken up again.
_COMES_BACK = restart_given_up(v.left_at.known())
_WITHDRAWS = restart_given_up(Sent("scope").is_("il2"))
_IL2_ENDS: Mapping[str, Expression] = {
    "il2_over_on": first(v.il2_over_on, Today()),
    "il2_ended_by": first(v.il2_ended_by, "withdrawal"),
    "phase": choose(BEING_TREATED, Constant("discontinued"), v.phase.tree()),
    **VOID,
}

ALL, IL2, TOPICALS = (
    Guard(
        name=f"withdrawal_from_{scope}",
        condition=Sent("scope").is_(scope),
        title=f"Withdrawal from {said}",
        cite=local("A patient may withdraw from IL-2, from topicals, or from everything."),
    )
    for scope, said in (("all", "everything"), ("il2", "IL-2"), ("topicals", "topicals"))
)


def _report(
    name: str,
    title: str,
    roles: tuple[str, ...],
    *,
    why: bool = False,
    fields: tuple[Field, ...] = (),
    updates: Mapping[str, Expression] | None = None,
) -> Event:
    return Event(
        name=name,
        kind=Kind.REPORT,
        roles=roles,
        fields=fields,
        updates=updates or {},
        title=title,
        reason_codes=("entered-in-error", "other") if why else (),
        reason_required=why,
    )


EVENTS = (
    _report("death_reported", "The patient has died", STAFF),
    _report(
        "withdrawal_reported",
        "The patient withdraws",
        ANYBODY,
        fields=(Field(name="scope", kind="code", codes=("il2", "topicals", "all"), required=True),),
        updates=_WITHDRAWS,
    ),
    _report("contact_lost", "The patient is lost to follow-up", ANYBODY),
    _report("contact_regained", "The patient is found again", ANYBODY, updates=_COMES_BACK),
    _report("transfer_reported", "Care goes on elsewhere", STAFF),
    _report("follow_up_ended", "A clinician ends follow-up", (CLINICIAN,)),
    _report(
        "exit_corrected",
        "The exit was entered in error",
        (CLINICIAN,),
        why=True,
        updates=_COMES_BACK,
    ),
)
_EXITS = {
    "contact_lost": "lost_to_follow_up",
    "transfer_reported": "transferred",
    "follow_up_ended": "completed",
}

CHAPTER = Chapter(
    events=EVENTS,
    guards=(ALL, IL2, TOPICALS, *STANDS.values()),
    transitions=(
        Transition(
            name="death",
            event="death_reported",
            sources=OPEN,
            target="died",
            updates=_LEAVES,
            messages=("course.left",),
        ),
        Transition(
            name="death_after_exit",
            event="death_reported",
            sources=LEFT,
            target="died",
            updates=_LEAVES,
            reopens=True,
        ),
        *(
            Transition(
                name=event,
                event=event,
                sources=OPEN,
                target=target,
                updates=_LEAVES,
                messages=("course.left",),
            )
            for event, target in _EXITS.items()
        ),
        Transition(
            name="withdrawal",
            event="withdrawal_reported",
            sources=OPEN,
            target="withdrawn",
            priority=90,
            requires=hard(ALL),
            updates=_LEAVES,
            messages=("course.left",),
        ),
        Transition(
            name="withdrawal_before_il2",
            event="withdrawal_reported",
            sources=("baseline",),
            target="withdrawn",
            priority=80,
            requires=hard(IL2),
            updates=_LEAVES,
            messages=("course.left",),
        ),
        Transition(
            name="withdrawal_from_il2",
            event="withdrawal_reported",
            sources=TREATED,
            target="il2_discontinued",
            priority=80,
            requires=hard(IL2),
            updates=_IL2_ENDS,
            advice=("E25_not_alone",),
        ),
        Transition(
            name="withdrawal_from_il2_afterwards",
            event="withdrawal_reported",
            sources=OVER,
            priority=80,
            requires=hard(IL2),
        ),
        Transition(
            name="withdrawal_from_topicals_in_tail_or_maintenance",
            event="withdrawal_reported",
            sources=("tail", "maintenance"),
            target="follow_up",
            priority=70,
            requires=hard(TOPICALS),
            updates=topicals_end(),
        ),
        Transition(
            name="withdrawal_from_topicals",
            event="withdrawal_reported",
            sources=OPEN,
            priority=60,
            requires=hard(TOPICALS),
            updates=STOP,
        ),
        *back_by_phase(
            "withdrawal_reported",
            ("restart_baseline",),
            updates=VOID,
            phases=AFTER_IL2,
        ),
        *back_by_phase(
            "contact_regained", ("lost_to_follow_up",), updates={"left_at": UNSET}, reopens=True
        ),
        *back_by_phase(
            "exit_corrected",
            ("withdrawn", "died", "transferred", "completed"),
            updates={"left_at": UNSET},
            reopens=True,
        ),
    ),
)

"""The one hold: cardiac enzymes, released by a clinician with an echocardiogram only."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.definition import Advice, Event, Guard, Kind, Timer, Transition, Visit
from engine.core.expression import Expression, Round, Today, all_of, choose, days, hours
from workflows.intralesional_il2 import inputs as i
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, hard
from workflows.intralesional_il2.conditions import NO, UNSET
from workflows.intralesional_il2.observation import REVIEW_NEEDED
from workflows.intralesional_il2.sources import decision, table_3
from workflows.intralesional_il2.states import CLINICIAN, OVER

ECHO = Guard(
    name="E03_echocardiogram_after_rise_without_dysfunction",
    condition=all_of(
        i.echocardiogram.is_("no_dysfunction"), i.echocardiogram.taken_at > v.enzyme_rise_at
    ),
    title="An echocardiogram taken after the rise shows no dysfunction",
    cite=table_3(
        "Elevated Cardiac Enzymes",
        "Discontinue IL-2 therapy until echocardiogram has ruled out myocardial dysfunction",
    ),
)

RISE_OPEN = Guard(
    name="E03_rise_is_open",
    condition=v.enzyme_hold_open.tree(),
    title="Cardiac enzymes rose and were not cleared",
    cite=ECHO.cite,
)

WINDOW_OVER = Guard(
    name="window_is_over",
    condition=all_of(v.window_ends_on.known(), Today() > v.window_ends_on),
    title="The weeks of the escalation are over",
    cite=decision("7.17", "Visits are not made up."),
)

_RELEASED: Mapping[str, Expression] = {
    "enzyme_hold_open": NO,
    "enzymes_cleared_at": i.echocardiogram.taken_at.tree(),
    "enzymes_due_at": UNSET,
    "enzymes_taken_on": UNSET,
    "troponin_floor": i.troponin.tree(),
    "ck_mb_floor": i.ck_mb.tree(),
    "topical_nights": choose(
        p.topicals_on_hold, v.topical_nights.tree(), p.topical_nights_full.tree()
    ),
}


def _release(
    name: str, source: tuple[str, ...], target: str | None, *guards: Guard, priority: int = 10
) -> Transition:
    return Transition(
        name=name,
        event="release_hold",
        sources=source,
        target=target,
        priority=priority,
        requires=hard(ECHO, *guards),
        updates=_RELEASED,
        messages=("hold.released",),
        advice=("after_hold",),
    )


CHAPTER = Chapter(
    events=(
        Event(
            name="release_hold",
            kind=Kind.REQUEST,
            roles=(CLINICIAN,),
            max_age=hours(24),
            title="Release the hold for cardiac enzymes",
            cite=ECHO.cite,
        ),
        Event(
            name="enzyme_check_due",
            kind=Kind.REPORT,
            roles=("engine",),
            timer=True,
            title="Cardiac enzymes are due",
            cite=p.enzyme_interval.cite,
        ),
    ),
    guards=(ECHO, RISE_OPEN, WINDOW_OVER),
    transitions=(
        _release(
            "release_to_test_dose_review",
            ("test_dose_hold",),
            "test_dose_review",
            REVIEW_NEEDED,
            priority=20,
        ),
        _release("release_to_assessment", ("test_dose_hold",), "assessing_tolerance"),
        _release("release_to_review", ("dose_hold",), "dose_review", REVIEW_NEEDED, priority=20),
        _release(
            "release_after_the_window", ("dose_hold",), "dose_review", WINDOW_OVER, priority=15
        ),
        _release("release_to_escalation", ("dose_hold",), "escalation"),
        _release("rise_cleared_after_il2", OVER, None, RISE_OPEN),
        # Whoever came back from an exit is not held any more, and the rise is open all the same.
        _release(
            "rise_cleared_without_a_hold",
            ("assessing_tolerance", "test_dose_review", "escalation", "dose_review"),
            None,
            RISE_OPEN,
        ),
        Transition(
            name="enzyme_check_due",
            event="enzyme_check_due",
            sources=("test_dose_hold", "dose_hold"),
            updates={"enzymes_due_at": v.enzymes_due_at + p.enzyme_interval},
            messages=("enzymes.due",),
        ),
    ),
    advice=(
        Advice(
            name="after_hold",
            text="The hold is released. Enzymes that go on falling do not hold again; a new rise "
            "does. Missed visits are not made up; the next dose is at most the last tolerated "
            "one unless a clinician gives a reason.",
            cite=decision("7.17", "Released by an echocardiogram without dysfunction."),
        ),
    ),
    timers=(
        Timer(
            name="enzymes",
            event="enzyme_check_due",
            due=v.enzymes_due_at.tree(),
            places=("test_dose_hold", "dose_hold"),
        ),
    ),
    visits=(
        # Every eight hours means by the next day: after that, the hold is past its review.
        Visit(
            name="enzyme_check",
            places=("test_dose_hold", "dose_hold"),
            number=Round(),
            earliest=v.enzymes_taken_on.tree(),
            target=v.enzymes_taken_on.tree(),
            latest=v.enzymes_taken_on + days(1),
            title="Cardiac enzymes during the hold",
        ),
    ),
)

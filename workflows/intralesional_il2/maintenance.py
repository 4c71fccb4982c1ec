"""After IL-2: three weeks of topicals, then one week of every calendar month for a year.

Cycle k begins k calendar months after the tail, whatever became of the cycles before it: a missed
one is recorded and not shifted. While a restart is being prepared all this goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.core.definition import (
    Advice,
    Event,
    Field,
    Guard,
    Kind,
    Timer,
    Transition,
    Variable,
    Visit,
)
from engine.core.expression import (
    CivilInstant,
    Constant,
    Expression,
    Retrospective,
    Sent,
    Today,
    all_of,
    any_of,
    choose,
    pick,
)
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, hard
from workflows.intralesional_il2.conditions import (
    CYCLE_ENDS,
    CYCLE_STARTS,
    TOPICALS_STOPPED,
    UNSET,
    keep,
    surely,
)
from workflows.intralesional_il2.sources import TOPICAL_COURSE, decision
from workflows.intralesional_il2.states import CLINICIAN, OBSERVERS

CYCLES = decision(
    "7.23", "Twelve cycles of seven nights; cycle k starts k calendar months after the tail's end."
)
TAIL = decision("7.22", "Three weeks from the last dose that was given.")
_TAIL = v.phase.is_("tail")
_MAINTENANCE = v.phase.is_("maintenance")
_PLACES = ("maintenance", "restart_baseline")


def _mode(mode: str) -> Expression:
    return choose(TOPICALS_STOPPED, Constant("stopped"), Constant(mode))


TAIL_ENDED = Guard(
    name="tail_has_ended",
    condition=any_of(Retrospective(), all_of(v.tail_ends_on.known(), Today() >= v.tail_ends_on)),
    title="The three weeks are over",
    cite=TAIL,
)
IN_TAIL = Guard(name="tail_is_running", condition=_TAIL, title="The tail is running", cite=TAIL)
LAST_CYCLE = Guard(
    name="last_cycle_is_over",
    condition=all_of(v.cycle.known(), v.cycle >= p.maintenance_cycles),
    title="The last cycle of the year is over",
    cite=CYCLES,
)
CYCLES_OVER = Guard(
    name="maintenance_has_ended",
    condition=any_of(Retrospective(), all_of(v.cycle.known(), v.cycle > p.maintenance_cycles)),
    title="The year of maintenance is over",
    cite=CYCLES,
)
IN_MAINTENANCE = Guard(
    name="maintenance_is_running",
    condition=_MAINTENANCE,
    title="Maintenance is running",
    cite=CYCLES,
)

_BEGIN: Mapping[str, Expression] = {
    "phase": Constant("maintenance"),
    "cycle": Constant(Decimal(1)),
    "topical_mode": _mode("maintenance_off"),
}
_EARLY: Mapping[str, Expression] = {**_BEGIN, "tail_ends_on": Today()}
_NEXT: Mapping[str, Expression] = {
    "cycle": v.cycle + 1,
    "topical_mode": _mode("maintenance_off"),
}
_END: Mapping[str, Expression] = {
    "cycle": v.cycle + 1,
    "phase": Constant("follow_up"),
    "topical_mode": Constant("stopped"),
}
_KNOWN_OUTCOME = pick(Sent("cycle"), *v.cycle_outcomes)
_WHOLE = pick(Sent("cycle"), *range(1, len(v.cycle_outcomes) + 1)).known()


def _counted(number: Variable, outcome: str) -> Expression:
    """A cycle counts once, whatever is reported of it how often; the later word counts."""
    is_so, was_so = Sent("outcome").is_(outcome), surely(_KNOWN_OUTCOME.is_(outcome))
    return choose(
        all_of(_WHOLE, is_so, ~was_so),
        number + 1,
        choose(all_of(_WHOLE, ~is_so, was_so), number - 1, number.tree()),
    )


_COUNTED: Mapping[str, Expression] = {
    "cycles_completed": _counted(v.cycles_completed, "completed"),
    "cycles_missed": _counted(v.cycles_missed, "missed"),
    **{
        known.name: keep(
            known,
            Sent("cycle").is_(number),
            choose(Sent("outcome").is_("completed"), Constant("completed"), Constant("missed")),
        )
        for number, known in enumerate(v.cycle_outcomes, start=1)
    },
}
_RUNNING = all_of(_MAINTENANCE, v.cycle >= 1, v.cycle <= p.maintenance_cycles)


def _timer(name: str, title: str) -> Event:
    return Event(
        name=name,
        kind=Kind.REPORT,
        roles=("engine",),
        timer=True,
        title=title,
        cite=TOPICAL_COURSE,
    )


EVENTS = (
    _timer("tail_over", "The three weeks of topicals are over"),
    _timer("cycle_began", "A maintenance week begins"),
    _timer("cycle_over", "A maintenance week is over"),
    Event(
        name="tail_completed",
        kind=Kind.REPORT,
        roles=(CLINICIAN,),
        title="The tail is over, as somebody says",
        cite=TAIL,
    ),
    Event(
        name="maintenance_completed",
        kind=Kind.REPORT,
        roles=(CLINICIAN,),
        title="Maintenance is over, as somebody says",
        cite=CYCLES,
    ),
    Event(
        name="maintenance_cycle_reported",
        kind=Kind.REPORT,
        roles=OBSERVERS,
        fields=(
            Field(name="cycle", kind="number", required=True, low=Decimal(1), high=Decimal(13)),
            Field(name="outcome", kind="code", codes=("completed", "missed"), required=True),
            Field(name="nights", kind="number", low=Decimal(0), high=Decimal(7)),
        ),
        updates=_COUNTED,
        title="What became of a maintenance week",
        cite=decision("7.23", "A missed cycle is recorded, not shifted."),
    ),
)

CHAPTER = Chapter(
    events=EVENTS,
    guards=(TAIL_ENDED, IN_TAIL, LAST_CYCLE, CYCLES_OVER, IN_MAINTENANCE),
    transitions=(
        Transition(
            name="tail_over",
            event="tail_over",
            sources=("tail",),
            target="maintenance",
            updates=_BEGIN,
            advice=("maintenance_plan",),
        ),
        Transition(
            name="tail_over_at_restart",
            event="tail_over",
            sources=("restart_baseline",),
            updates=_BEGIN,
        ),
        Transition(
            name="tail_completed",
            event="tail_completed",
            sources=("tail",),
            target="maintenance",
            requires=hard(TAIL_ENDED),
            # Nobody published the date; the cycles have none then.
            updates=_BEGIN,
            advice=("maintenance_plan",),
        ),
        Transition(
            name="tail_ended_early",
            event="tail_completed",
            sources=("tail",),
            target="maintenance",
            updates=_EARLY,
            deviation=True,
            advice=("maintenance_plan",),
        ),
        Transition(
            name="tail_completed_at_restart",
            event="tail_completed",
            sources=("restart_baseline",),
            requires=hard(IN_TAIL),
            updates=_BEGIN,
        ),
        Transition(
            name="cycle_began",
            event="cycle_began",
            sources=_PLACES,
            updates={"topical_mode": _mode("maintenance_on")},
            messages=("topicals.week",),
        ),
        Transition(
            name="last_cycle_over",
            event="cycle_over",
            sources=("maintenance",),
            target="follow_up",
            priority=20,
            requires=hard(LAST_CYCLE),
            updates=_END,
        ),
        Transition(
            name="last_cycle_over_at_restart",
            event="cycle_over",
            sources=("restart_baseline",),
            priority=20,
            requires=hard(LAST_CYCLE),
            updates=_END,
        ),
        Transition(name="cycle_over", event="cycle_over", sources=_PLACES, updates=_NEXT),
        Transition(
            name="maintenance_completed",
            event="maintenance_completed",
            sources=("maintenance",),
            target="follow_up",
            requires=hard(CYCLES_OVER),
            updates=_END,
        ),
        Transition(
            name="maintenance_ended_early",
            event="maintenance_completed",
            sources=("maintenance",),
            target="follow_up",
            updates=_END,
            deviation=True,
        ),
        Transition(
            name="maintenance_completed_at_restart",
            event="maintenance_completed",
            sources=("restart_baseline",),
            requires=hard(IN_MAINTENANCE),
            updates=_END,
        ),
        Transition(
            name="maintenance_cycle_reported",
            event="maintenance_cycle_reported",
            sources=("maintenance", "follow_up", "restart_baseline", "closed"),
        ),
    ),
    advice=(
        Advice(
            name="maintenance_plan",
            text="Topicals for seven nights, once every calendar month, for one year: twelve "
            "cycles. A missed cycle is not made up.",
            cite=TOPICAL_COURSE,
        ),
    ),
    timers=(
        Timer(
            name="tail",
            event="tail_over",
            due=choose(_TAIL, CivilInstant(v.tail_ends_on.tree(), "23:59"), UNSET),
            places=("tail", "restart_baseline"),
        ),
        Timer(
            name="cycle_begins",
            event="cycle_began",
            due=choose(_RUNNING, CivilInstant(CYCLE_STARTS, "00:00"), UNSET),
            places=_PLACES,
        ),
        Timer(
            name="cycle_ends",
            event="cycle_over",
            due=choose(_RUNNING, CivilInstant(CYCLE_ENDS, "23:59"), UNSET),
            places=_PLACES,
        ),
    ),
    visits=(
        Visit(
            name="maintenance_cycle",
            places=_PLACES,
            number=v.cycle.tree(),
            earliest=choose(_RUNNING, CYCLE_STARTS, UNSET),
            target=choose(_RUNNING, CYCLE_STARTS, UNSET),
            latest=choose(_RUNNING, CYCLE_ENDS, UNSET),
            title="A week of topicals",
        ),
    ),
)

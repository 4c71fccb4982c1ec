"""Expressions that several chapters share.

While IL-2 is given, a stop rule whose measurement was not taken since the round's first injection
is *unknown*: an open question, which blocks nothing and hides nothing. A rule that only manages
asks for no measurement that nobody had a reason to take.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from engine.core.definition import Input
from engine.core.expression import (
    Constant,
    Expression,
    Latest,
    Liftable,
    Now,
    Operand,
    Retrospective,
    Sent,
    Sustained,
    Today,
    Truth,
    all_of,
    any_of,
    choose,
    days,
    greatest,
    hours,
    minutes,
    pick,
)
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.inputs import heart_rate, rhythm, systolic

HORIZON = timedelta(days=92)
"""How far back a window looks: further than the longest escalation, so that no reading is lost."""

LIFETIME = timedelta(days=36_525)
"""A window over every injection: a patient has a few dozen, and none is forgotten."""

RECENT = hours(1)
"""An older pressure says nothing of the present one."""

UNSET = Constant(value=None)
YES = Constant(value=True)
NO = Constant(value=False)
TOXIC = {
    "toxicity_open": YES,
    "toxicity_at": choose(v.toxicity_at.known(), greatest(v.toxicity_at, Now()), Now()),
}
"""A toxicity opens. When the latest one was is kept, since an older word does not close it."""

VOID = {"ordered_dose": UNSET, "ordered_on": UNSET}
"""An order is void once something has happened that it did not know of."""


def surely(condition: Operand) -> Expression:
    """The condition, and no where it cannot be weighed."""
    return all_of(condition.tree().known(), condition)


def brought(member: Input) -> Expression:
    """Whether there is any reading at all, usable or not."""
    return any_of(member.taken_at.known(), member.known())


def taken_since_injection(member: Input) -> Expression:
    """Whether the latest reading was taken since the round's first injection."""
    return all_of(brought(member), member.taken_at >= v.first_injection_at)


def since_injection(member: Input, condition: Operand) -> Expression:
    """A condition on the latest reading, where it was taken since the round's first injection."""
    return all_of(taken_since_injection(member), condition)


def watched(member: Input, condition: Callable[[Operand], Operand]) -> Expression:
    """As `since_injection`, but unknown while IL-2 is given and there is no such reading."""
    reading = member.between(v.first_injection_at, horizon=HORIZON)
    return choose(
        taken_since_injection(member), condition(member), all_of(BEING_TREATED, condition(reading))
    )


def watched_window(member: Input, horizon: timedelta, window: Operand) -> Expression:
    """A window that is unknown while IL-2 is given and it is empty, and a no afterwards."""
    reached = all_of(taken_since_injection(member), member.taken_at >= Now() - horizon)
    return all_of(any_of(reached, BEING_TREATED), window)


# What is entered for the minute of the injection was measured before it.
_AFTER_DOSE = v.last_dose_at + minutes(1)


def after_last_dose(member: Input) -> Expression:
    """The latest reading since the last dose."""
    return member.between(_AFTER_DOSE, horizon=HORIZON)


def in_observation(member: Input) -> Expression:
    """The latest reading of the last observation, however long ago that was."""
    return Latest(
        member.name,
        since=_AFTER_DOSE,
        until=v.observation_ends_at.tree(),
        horizon=HORIZON,
    )


def today(member: Input) -> Expression:
    """Whether the latest reading is of the same day; unknown when there is none."""
    return member.taken_on.is_(Today())


def present(member: Input) -> Expression:
    """Whether there is a reading; unknown when there is none, so that it may be asked for."""
    return member.taken_on <= Today()


def sent(name: str) -> Expression:
    """Whether a member was sent and can be used."""
    return Sent(name).known()


def keep(variable: Operand, condition: Operand, value: Liftable) -> Expression:
    """The value where the condition is yes, otherwise the variable as it is."""
    return choose(condition, value, variable.tree())


def first(variable: Operand, value: Liftable) -> Expression:
    """The variable where it is set, otherwise the value."""
    return choose(variable.known(), variable.tree(), value)


DATED = Now().known()
"""Whether the event says when it happened: in a published course it may not."""

NEWEST = any_of(~v.last_dose_at.known(), ~DATED, all_of(DATED, Now() >= v.last_dose_at))
"""Whether nothing was injected after this time, as far as is known."""

NOBODY_INJECTED = surely(all_of(v.test_doses <= 0, v.doses_given <= 0))
"""No injection of the round is on record: the one that began it was entered in error."""

AFTER_LAST_DOSE = all_of(v.last_dose_at.known(), any_of(~DATED, Now() >= v.last_dose_at))

HYPOTENSIVE = choose(
    all_of(v.pressure_goal.known(), systolic.known(), taken_since_injection(systolic)),
    systolic <= v.pressure_goal,
    NO,
)
"""The latest pressure is at or below the goal: read anew, so that a correction counts."""

LOW_TWICE = Sustained(
    "systolic", "<=", v.pressure_goal.tree(), Constant(Decimal(2)), p.repeat_after.tree(),
    timedelta(days=1), Truth.NO, Truth.NO, since=v.first_injection_at.tree(),
)  # fmt: skip
"""At or below the goal now and at least five minutes ago, and at no reading between."""

PRESSURE_NOW = systolic.within(RECENT)


def _goal_for(pressure: Operand) -> Expression:
    return choose(
        pressure < p.goal_bound_low,
        p.goal_low,
        choose(pressure <= p.goal_bound_high, p.goal_middle, p.goal_high),
    )


GOAL = _goal_for(systolic)
"""The goal for the latest pressure, at the moment of the first injection."""

GOAL_AT_BASELINE = _goal_for(Latest(systolic.name, until=v.goal_reading_at.tree(), horizon=HORIZON))
"""The goal for the pressure that it was frozen from, as that is on record now."""

OBSERVATION_ENDS = choose(p.observe_every_visit, Now() + p.observe_for, Now())
OBSERVATION_OVER = any_of(
    # What is dated back into the six hours was not asked after them, whatever is known by now.
    all_of(v.observation_open.is_(False), ~v.observation_ends_at.known()),
    all_of(v.observation_ends_at.known(), Now() >= v.observation_ends_at),
    # Told after the fact without times: nobody can say that it was not.
    all_of(Retrospective(), any_of(~v.observation_ends_at.known(), ~DATED)),
)

IL2_OVER = v.phase.one_of("discontinued", "tail", "maintenance", "follow_up")
BEING_TREATED = v.phase.one_of("testing", "escalating")


def day_of(number: Operand) -> Expression:
    """The day of a planned visit, counted from the tolerated test dose."""
    return pick(number, *p.slot_days)


def after_d0(count: Operand) -> Expression:
    """The date so many days after the tolerated test dose."""
    return v.d0 + Constant(days(1)) * count


SLOT_EARLIEST = after_d0(day_of(v.slot) - p.visit_window_days)
SLOT_TARGET = after_d0(day_of(v.slot))
SLOT_LATEST = after_d0(day_of(v.slot) + p.visit_window_days)

VISITS_DONE = all_of(v.slot.known(), v.planned_slots.known(), v.slot > v.planned_slots)
# An adopted course may leave these unsaid: what nobody attested must not stop the clock's events.
TOPICALS_STOPPED = all_of(v.topical_mode.known(), v.topical_mode.is_("stopped"))
REVIEW_WAITS = all_of(v.review_needed.known(), v.review_needed)

CYCLE_STARTS = v.tail_ends_on + p.cycle_period * v.cycle
CYCLE_ENDS = CYCLE_STARTS + Constant(days(1)) * (p.cycle_nights - 1)


def tail_after(over: Operand) -> dict[str, Expression]:
    """The updates that begin the tail: from the later of the last dose and IL-2 being over."""
    over_on = over.tree()
    ends = greatest(v.last_dose_on, over_on) + Constant(days(1)) * p.tail_days
    return {
        "il2_over_on": over_on,
        # Without any dose on record the tail counts from the decision.
        "tail_ends_on": choose(
            v.last_dose_on.known(), ends, over_on + Constant(days(1)) * p.tail_days
        ),
        "topical_mode": Constant("tail"),
        "phase": Constant("tail"),
        "review_needed": NO,
    }


def topicals_end() -> dict[str, Expression]:
    """The updates that leave the topicals, and with them the treatment."""
    return {"topical_mode": Constant("stopped"), "phase": Constant("follow_up")}


RHYTHM_WHILE_FAST = rhythm.between(v.fast_heart_at, horizon=HORIZON)
"""The rhythm, where it was read since the heart became fast."""

FAST_NOW = heart_rate > p.heart_rate_limit

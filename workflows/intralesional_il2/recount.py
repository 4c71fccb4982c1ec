"""Counted anew: what the round remembers of its doses, when one is corrected or entered late.

- Counts, totals, the last dose and the last tolerated one follow from the readings, which know of
  corrections, of errors and of what came late. On the present state of the record only: what is
  entered late sees no more than its own time.
- Where the last dose is another one than before, its tolerance is judged anew by a clinician, the
  marks of the dose before count again, and a visit that was not made is open or missed.
- Without a test dose on record there is no escalation. The round goes on being watched from where
  it began: the safe side of not knowing.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.core.definition import Advice, Guard, Rule
from engine.core.expression import (
    Constant,
    Count,
    Expression,
    Now,
    Operand,
    Revised,
    Sum,
    Today,
    Truth,
    all_of,
    any_of,
    choose,
    days,
    greatest,
    least,
)
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter
from workflows.intralesional_il2.conditions import (
    IL2_OVER,
    LIFETIME,
    UNSET,
    VOID,
    YES,
    after_d0,
    day_of,
    keep,
    surely,
)
from workflows.intralesional_il2.inputs import il2_dose
from workflows.intralesional_il2.sources import TOP_DOSE, decision
from workflows.intralesional_il2.states import AFTER_FIRST_INJECTION
from workflows.intralesional_il2.tolerance import UNTESTED

ON_RECORD = decision(
    "7.35", "Nothing is rewritten: what is corrected or entered late counts where it belongs."
)
_DAYS = Constant(Decimal(LIFETIME.days))
_NONE = Decimal(0)


def _number(since: Operand | None = None) -> Expression:
    start = None if since is None else since.tree()
    return Count(il2_dose.name, _DAYS, LIFETIME, Truth.NO, since=start)


def _sum(since: Operand | None = None) -> Expression:
    start = None if since is None else since.tree()
    return Sum(il2_dose.name, LIFETIME, Truth.NO, since=start)


def _at(instant: Operand) -> Expression:
    """What was given at an instant, as that is on record now."""
    return il2_dose.between(instant, instant, horizon=LIFETIME)


# --- what is on record ---------------------------------------------------------------------------

_INJECTIONS = choose(v.round_since.known(), _number(v.round_since), _number())
_VISITS = choose(
    v.escalation_began_at.known(),
    _number(v.escalation_began_at),
    choose(v.d0.known(), UNSET, _NONE),
)
_DOSES_GIVEN = v.doses_elsewhere + _VISITS
_TEST_DOSES = v.test_doses_elsewhere + _INJECTIONS - _VISITS
_ANY = all_of(
    il2_dose.taken_at.known(),
    any_of(~v.round_since.known(), il2_dose.taken_at >= v.round_since),
)
"""Whether the latest injection on record is one of this round."""

_ANOTHER = choose(
    _ANY,
    any_of(~v.last_dose_at.known(), surely(il2_dose.taken_at.is_not(v.last_dose_at))),
    v.last_dose_at.known(),
)
"""Whether the last dose is another one, or was given at another time, than was thought."""

_PRESENT = all_of(
    Revised(il2_dose.name),
    # At its own time a correction does not see what came after it.
    any_of(~v.last_dose_at.known(), surely(Now() >= v.last_dose_at)),
    _INJECTIONS.known(),
)
REVISED = Guard(
    name="N11_doses_revised",
    condition=_PRESENT,
    title="A dose was corrected, retracted or entered late",
    cite=ON_RECORD,
)
REVIEWED = Guard(
    name="last_dose_revised",
    condition=all_of(
        _PRESENT,
        any_of(_ANOTHER, surely(_DOSES_GIVEN.is_not(v.doses_given)),
               surely(_TEST_DOSES.is_not(v.test_doses))),
        any_of(~v.d0.known(), ~surely(_TEST_DOSES <= _NONE)),
    ),
    title="Not as many doses, or another last one, than was thought",
    cite=decision("7.14", "What a clinician has to decide is decided before the next dose."),
)  # fmt: skip
NOT_TESTED = Guard(
    name="E21_test_dose_entered_in_error",
    condition=all_of(_PRESENT, v.d0.known(), surely(_TEST_DOSES <= _NONE)),
    title="The tolerated test dose was none",
    cite=decision("7.8", "Without a tolerated test dose a clinician decides."),
)
TOO_HIGH = Guard(
    name="N11_corrected_amount_above_limit",
    # Of an earlier dose too: at its own time it is the latest.
    condition=all_of(
        Revised(il2_dose.name),
        _ANY,
        il2_dose.known(),
        il2_dose
        > choose(
            any_of(
                surely(v.phase.is_("testing")),
                surely(il2_dose.taken_at < v.escalation_began_at),
            ),
            p.test_dose,
            p.max_dose,
        ),
    ),
    title="The corrected amount is above the limit",
    cite=TOP_DOSE,
)

# --- the last dose, and the last tolerated one ---------------------------------------------------

_OPENS = choose(
    _ANY,
    choose(p.observe_every_visit, il2_dose.taken_at + p.observe_for, il2_dose.taken_at.tree()),
    UNSET,
)
_OF_LAST: Mapping[str, Expression] = {
    "last_dose": choose(_ANY, il2_dose, UNSET),
    "last_dose_at": choose(_ANY, il2_dose.taken_at, UNSET),
    "last_dose_on": choose(_ANY, il2_dose.taken_on, UNSET),
    "latest_injection_at": choose(_ANY, il2_dose.taken_at, v.latest_injection_at.tree()),
    # The only one began the round; of several the first is not later than was thought.
    "first_injection_at": keep(
        v.first_injection_at, all_of(_ANY, surely(_INJECTIONS.is_(Decimal(1)))), il2_dose.taken_at
    ),
    "test_dose_on": keep(
        v.test_dose_on, ~v.d0.known(), choose(_ANY, il2_dose.taken_on, UNSET)
    ),
    "first_visit_at": keep(v.first_visit_at, surely(_VISITS <= _NONE), UNSET),
    "observation_ends_at": keep(v.observation_ends_at, _ANOTHER, _OPENS),
    "observation_open": keep(
        v.observation_open, _ANOTHER, all_of(_ANY, surely(Now() < _OPENS))
    ),
    "home_readings_attested": keep(v.home_readings_attested, _ANOTHER, UNSET),
    "visit_tolerance": keep(
        v.visit_tolerance,
        _ANOTHER,
        choose(
            any_of(
                surely(v.visit_tolerance.is_("not_tolerated")),
                surely(v.tolerance_before.is_("not_tolerated")),
            ),
            Constant("not_tolerated"),
            Constant("unassessed"),
        ),
    ),
    "worst_grade": keep(
        v.worst_grade, _ANOTHER, greatest(v.worst_grade, v.worst_grade_before)
    ),
    "emergency_since_dose": keep(
        v.emergency_since_dose, _ANOTHER, any_of(v.emergency_since_dose, v.emergency_before)
    ),
    "vasopressor_since_dose": keep(
        v.vasopressor_since_dose, _ANOTHER, any_of(v.vasopressor_since_dose, v.vasopressor_before)
    ),
}  # fmt: skip
_STANDS = any_of(~v.last_tolerated_at.known(), _at(v.last_tolerated_at).known())
"""Whether the dose that was tolerated is still on record; what was attested is not asked."""

_EARLIER_STANDS = _at(v.previous_tolerated_at).known()
_TOLERATED = choose(
    ~v.last_tolerated_at.known(),
    v.last_tolerated_dose,
    choose(_STANDS, _at(v.last_tolerated_at), _at(v.previous_tolerated_at)),
)
_OF_TOLERATED: Mapping[str, Expression] = {
    "last_tolerated_dose": _TOLERATED,
    "last_tolerated_at": choose(
        _STANDS, v.last_tolerated_at, choose(_EARLIER_STANDS, v.previous_tolerated_at, UNSET)
    ),
    "previous_tolerated_dose": choose(
        ~v.previous_tolerated_at.known(),
        v.previous_tolerated_dose,
        choose(_STANDS, _at(v.previous_tolerated_at), UNSET),
    ),
    "previous_tolerated_at": choose(
        all_of(_STANDS, _EARLIER_STANDS), v.previous_tolerated_at, UNSET
    ),
    "suggested_dose": choose(
        all_of(
            ~_ANOTHER,
            surely(v.visit_tolerance.is_("tolerated")),
            surely(~v.hold_since_tolerated),
        ),
        least(_TOLERATED + p.suggested_step, p.max_dose),
        _TOLERATED,
    ),
}

# --- the plan ------------------------------------------------------------------------------------

_VISIT_BEFORE = day_of(v.slot - 1)
_NOT_MADE = surely(v.slot - 1 - v.missed_slots > _DOSES_GIVEN)
"""More planned visits are taken as made than doses were given."""

_STILL_DUE = all_of(
    surely(v.phase.is_("escalating")),
    surely(after_d0(_VISIT_BEFORE + p.visit_window_days) >= Today()),
    ~all_of(_ANY, surely(il2_dose.taken_on >= after_d0(_VISIT_BEFORE - p.visit_window_days))),
)
_VISITS_DONE = surely(v.il2_ended_by.is_("visits_done"))
_OVER_ON = choose(all_of(_VISITS_DONE, _ANY), il2_dose.taken_on, v.il2_over_on.tree())
_OF_PLAN: Mapping[str, Expression] = {
    "slot": keep(v.slot, all_of(_NOT_MADE, _STILL_DUE), v.slot - 1),
    "missed_slots": keep(v.missed_slots, all_of(_NOT_MADE, ~_STILL_DUE), v.missed_slots + 1),
    "il2_over_on": _OVER_ON,
    "tail_ends_on": keep(
        v.tail_ends_on,
        all_of(surely(v.phase.is_("tail")), v.tail_ends_on.known(), _OVER_ON.known()),
        choose(_ANY, greatest(il2_dose.taken_on, _OVER_ON), _OVER_ON)
        + Constant(days(1)) * p.tail_days,
    ),
}
_COUNTED_ANEW: Mapping[str, Expression] = {
    **VOID,
    **_OF_LAST,
    **_OF_TOLERATED,
    **_OF_PLAN,
    "doses_given": _DOSES_GIVEN,
    "test_doses": _TEST_DOSES,
    "dose_total": v.dose_elsewhere + _sum(),
    "round_dose_total": v.round_dose_elsewhere
    + choose(v.round_since.known(), _sum(v.round_since), _sum()),
}

CHAPTER = Chapter(
    guards=(REVISED, REVIEWED, NOT_TESTED, TOO_HIGH),
    rules=(
        Rule(
            guard=REVISED.name,
            action="advise",
            places=AFTER_FIRST_INJECTION,
            updates=_COUNTED_ANEW,
            advice=("doses_counted_anew",),
        ),
        Rule(
            guard=REVIEWED.name,
            action="review",
            places=AFTER_FIRST_INJECTION,
            updates={"review_needed": YES},
            advice=("clinician_decides",),
        ),
        Rule(
            guard=TOO_HIGH.name,
            action="review",
            places=AFTER_FIRST_INJECTION,
            updates={"review_needed": YES},
            advice=("clinician_decides",),
        ),
        Rule(
            guard=NOT_TESTED.name,
            action="revoke",
            places=AFTER_FIRST_INJECTION,
            updates={
                **UNTESTED,
                # After IL-2 the course stays where it is, and no more weeks are asked for.
                "phase": choose(surely(IL2_OVER), v.phase, Constant("testing")),
                "window_ends_on": v.window_ends_on.tree(),
            },
            advice=("E21_repeat_or_stop",),
        ),
    ),
    advice=(
        Advice(
            name="doses_counted_anew",
            text="A dose was corrected, retracted or entered late: number, totals, spacing and the "
            "next suggestion follow the record as it is now. Look again at what rested on it.",
            cite=ON_RECORD,
        ),
    ),
)

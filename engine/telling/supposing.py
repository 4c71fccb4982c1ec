"""Words for `what-if`: what each policy answers, and why something cannot be judged."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.contrast import Aspect
from engine.core.supposition import Why
from engine.core.what_if import Policy

MEANING: Mapping[Policy, str] = {
    Policy.STOP: "each course until the first difference",
    Policy.FOLLOW_RECORDED: "each decision by itself, from the course as recorded until then",
    Policy.FOLLOW_NEW: "the course that the amended definition would have made of the same events",
}
"""What a policy looks at."""

_CANNOT: Mapping[Why, tuple[str, str]] = {
    Why.UNREADABLE: (
        "the amended definition cannot read it as it was recorded",
        "the amended definition cannot read them as they were recorded",
    ),
    Why.NO_SUCH_STATE: ("the course was in a state that the amended definition does not have",) * 2,
    Why.TIMER_NOT_WAITING: ("the amended definition has no such timer for that instant",) * 2,
    Why.OTHER_WAY: (
        "it belongs to the way that was recorded, and the course would be elsewhere",
        "they belong to the way that was recorded, and the course would be elsewhere",
    ),
    Why.NOT_OPENED: ("the amended definition could not open the course",) * 2,
    Why.ENDLESS: ("the timers of the amended definition do not end",) * 2,
}

DIFFERS: Mapping[Aspect, str] = {
    Aspect.DECISION: "another decision",
    Aspect.WAY: "another way to the same",
    Aspect.GUARDS: "guards weigh otherwise",
    Aspect.TOLD: "something else is told",
    Aspect.REMEMBERED: "something else is remembered",
    Aspect.WAITING: "something else is waited for",
}
"""In what two decisions differ."""


def cannot(why: Why, times: int = 1) -> str:
    """Why so many records are not judged.

    >>> cannot(Why.UNREADABLE, 2)
    'the amended definition cannot read them as they were recorded'
    """
    one, many = _CANNOT[why]
    return one if times == 1 else many

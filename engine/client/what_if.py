"""What another protocol would have decided of recorded courses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from engine.client.call import Call, one


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterChange:
    """A parameter that is supposed to be otherwise, with its unit."""

    parameter: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnCount:
    """How often something was recorded as one thing and would be another."""

    recorded: str
    again: str
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardTurns:
    """How often a guard would weigh otherwise in one of its uses, and in how many courses."""

    guard: str
    use: str
    flipped: int
    courses: int
    flips: tuple[TurnCount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LackCount:
    """How often a guard waited for something that nobody recorded."""

    guard: str
    lacks: str
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotJudged:
    """What cannot be judged: accepted decisions for want of data, and records by why."""

    for_want_of_data: int
    lacking: tuple[LackCount, ...]
    records: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableCourse:
    """A course that could not be gone through, and what is wrong with it."""

    course: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SupposedOutcome:
    """What becomes of an event: the verdict with its reason, and where the course is by what."""

    verdict: str
    reason: str | None
    state: str
    moved: bool
    transition: str | None
    moved_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardTurn:
    """A guard that weighs otherwise; `lacks` is what nobody recorded that it waits for."""

    guard: str
    use: str
    recorded: str
    again: str
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SupposedWait:
    """A timer or a visit that waits for another time, or only by one of the definitions."""

    kind: str
    name: str
    recorded: str | None
    again: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where the other definition parts from a record, and in what.

    `recorded` is `None` of a timer that only the other definition lets come: then `seq` is the
    record before it. One that is not `judged` would only lack what was never recorded.
    """

    seq: int
    event: str
    at: datetime | None
    recorded: SupposedOutcome | None
    again: SupposedOutcome
    aspects: tuple[str, ...]
    flipped: bool
    judged: bool
    flips: tuple[GuardTurn, ...]
    advice_gained: tuple[str, ...]
    advice_lost: tuple[str, ...]
    remembered: tuple[str, ...]
    waits: tuple[SupposedWait, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnjudgedRecord:
    """A record that the other definition cannot be held against, and what stands in the way."""

    seq: int
    event: str
    why: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SupposedCourse:
    """A course that diverges, or is not judged whole. `first` is its first difference."""

    course: str
    digest: str
    records: int
    judged: int
    first: int | None
    divergences: tuple[Difference, ...] = field(repr=False)
    not_judged: tuple[UnjudgedRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """What another protocol would have decided, counted and course by course."""

    policy: str
    definition: str | None
    parameters: tuple[ParameterChange, ...]
    courses: int
    diverged: int
    records: int
    judged: int
    decisions_flipped: int
    decisions: tuple[TurnCount, ...]
    aspects: Mapping[str, Any]
    guards: tuple[GuardTurns, ...]
    timers_only_here: int
    not_judged: NotJudged
    of_another_workflow: Mapping[str, Any]
    unreadable: tuple[UnreadableCourse, ...]
    by_course: tuple[SupposedCourse, ...]


def what_if(
    courses: Sequence[str],
    *,
    parameters: Mapping[str, str] | None = None,
    definition: str | None = None,
    policy: Literal["stop", "follow-recorded", "follow-new"] = "follow-recorded",
) -> Call[WhatIf]:
    """Recorded courses with `parameters` set otherwise, by another `definition`, or both.

    At most 20 courses; `regimen what-if` asks any number. A number without a unit is in the
    parameter's own. Nothing is written.
    """
    body = {
        "courses": list(courses),
        "parameters": dict(parameters or {}),
        "definition": definition,
        "policy": policy,
    }
    return Call(method="POST", path="/v1/what-if", answer=one(WhatIf), body=body)

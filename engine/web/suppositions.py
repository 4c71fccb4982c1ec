"""What is asked and answered about another protocol, for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from engine.core.wire import IDENTIFIER, NAME, WORKFLOW
from engine.web.schemas import Shape

MOST_COURSES = 20
"""How many courses one question names at most."""
MOST_RECORDS = 5000
"""How many records they have at most, all together: more is for `regimen what-if`."""
MOST_PARAMETERS = 200
LONGEST = 64
"""No value of a parameter is longer."""

PolicyName = Literal["stop", "follow-recorded", "follow-new"]
_COURSE = Annotated[str, Field(pattern=f"^(?:{IDENTIFIER.pattern})$")]
_NAME = Annotated[str, Field(pattern=f"^(?:{NAME.pattern})$")]
_VALUE = Annotated[str, Field(min_length=1, max_length=LONGEST)]


class WhatIfRequest(Shape):
    """Recorded courses under another definition, under parameters set otherwise, or both.

    A number without a unit is in the parameter's own. `stop`: each course until the first
    difference. `follow-recorded`: each decision by itself, from the course as recorded until then.
    `follow-new`: the course that the amended definition would have made of the same events.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "courses": ["GAR-Z"],
                    "parameters": {"tolerated_grade": "1", "platelet_limit": "50 10*3/uL"},
                    "policy": "follow-new",
                }
            ]
        },
    )

    courses: Annotated[
        list[_COURSE],
        Field(
            min_length=1,
            max_length=MOST_COURSES,
            description=f"At most {MOST_COURSES}, with at most {MOST_RECORDS} records in all.",
        ),
    ]
    parameters: Annotated[
        dict[_NAME, _VALUE],
        Field(
            default_factory=dict,
            max_length=MOST_PARAMETERS,
            description="Values by parameter, as a site may set it.",
        ),
    ]
    definition: Annotated[
        str | None,
        Field(
            pattern=f"^(?:{WORKFLOW.pattern})$",
            description="A name, name@version or digest; else each course's own.",
        ),
    ] = None
    policy: PolicyName = "follow-recorded"


class ParameterChange(Shape):
    """A parameter that is supposed to be otherwise, with its unit."""

    parameter: str
    before: str
    after: str


class TurnCount(Shape):
    """How often something was recorded as one thing and would be another."""

    recorded: str
    again: str
    times: int


class GuardTurns(Shape):
    """How often a guard would weigh otherwise in one of its uses, and in how many courses."""

    guard: str
    use: Literal["requirement", "rule"]
    flipped: int
    courses: int
    flips: list[TurnCount]


class LackCount(Shape):
    """How often a guard waited for something that nobody recorded."""

    guard: str
    lacks: str
    times: int


class NotJudged(Shape):
    """What cannot be judged: accepted decisions for want of data, and records by why."""

    for_want_of_data: int
    lacking: list[LackCount]
    records: dict[str, int]


class UnreadableCourse(Shape):
    """A course that could not be gone through, and what is wrong with it."""

    course: str
    what: str


class SupposedOutcome(Shape):
    """What becomes of an event: the verdict with its reason, and where the course is by what."""

    verdict: Literal["accepted", "deviation", "refused"]
    reason: str | None
    state: str
    moved: bool
    transition: str | None
    moved_by: str | None


class GuardTurn(Shape):
    """A guard that weighs otherwise; `lacks` is what nobody recorded that it waits for."""

    guard: str
    use: Literal["requirement", "rule"]
    recorded: str
    again: str
    lacks: list[str]


class SupposedWait(Shape):
    """A timer or a visit that waits for another time, or only by one of the definitions."""

    kind: Literal["timer", "visit"]
    name: str
    recorded: str | None
    again: str | None


class Difference(Shape):
    """Where the other definition parts from a record, and in what.

    `recorded` is null of a timer that only the other definition lets come: then `seq` is the record
    before it. One that is not `judged` would only lack what was never recorded.
    """

    seq: int
    event: str
    at: str | None
    recorded: SupposedOutcome | None
    again: SupposedOutcome
    aspects: list[str]
    flipped: Annotated[bool, Field(description="The decision itself would be another.")]
    judged: bool
    flips: list[GuardTurn]
    advice_gained: list[str]
    advice_lost: list[str]
    remembered: list[str]
    waits: list[SupposedWait]


class UnjudgedRecord(Shape):
    """A record that the other definition cannot be held against, and what stands in the way."""

    seq: int
    event: str
    why: str
    what: str


class SupposedCourse(Shape):
    """A course that diverges, or is not judged whole. `first` is its first difference."""

    course: str
    digest: str
    records: int
    judged: int
    first: int | None
    divergences: list[Difference]
    not_judged: list[UnjudgedRecord]


class WhatIfAnswer(Shape):
    """What another protocol would have decided, counted and course by course."""

    policy: PolicyName
    definition: Annotated[str | None, Field(description="The digest of another definition.")]
    parameters: list[ParameterChange]
    courses: int
    diverged: int
    records: int
    judged: int
    decisions_flipped: int
    decisions: list[TurnCount]
    aspects: dict[str, int]
    guards: list[GuardTurns]
    timers_only_here: int
    not_judged: NotJudged
    of_another_workflow: dict[str, int]
    unreadable: list[UnreadableCourse]
    by_course: list[SupposedCourse]

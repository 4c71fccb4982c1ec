"""What a package of workflows offers so that its courses can be simulated.

A package offers `SIMULATIONS`, a mapping of workflow names to scenarios. A scenario tells one
plausible course as a generator: it yields what is said or waited for, and is sent back what it sees
of the course then. It reads no clock and no chance but the one that it is given, so that the same
chance tells the same course.

    def tell(rng: Random, course: str, start: datetime) -> Telling[None]:
        seen = yield {"event": "course.enrolled", "at": …, "actor": …, "patient": …, …}
        seen = yield Wait(until=seen.now + timedelta(hours=rng.randint(1, 48)))
        ...

What is said is the envelope of an event. What the scenario leaves out is added: `format`, `course`,
an `id`, `at` (the present), and for the first event the `workflow`. An `at` in the past is a late
entry.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TypeAlias, TypeVar

from engine.core.encoding import Json

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Let time pass until an instant; timers come back at their own times meanwhile."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is seen of a course after a step.

    `seq` and `verdict` are those of the last event that was sent, `kept_by` the guards that kept a
    refused one out, and `rules` those that were delivered with it. `state` and `row` are the
    course's, timers included; `now` is its time.
    """

    now: datetime
    state: str
    row: bytes
    seq: int = 0
    verdict: str = ""
    kept_by: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        return self.verdict == "refused"

    @property
    def round(self) -> int:
        """Which round the course is in."""
        return int(json.loads(self.row)["round"])

    @property
    def variables(self) -> Mapping[str, Json]:
        """What the course remembers, in the words of its row; what is unset is absent."""
        remembered: Mapping[str, Json] = json.loads(self.row)["variables"]
        return remembered


Step: TypeAlias = Wait | Mapping[str, Json]
Telling: TypeAlias = Generator[Step, Seen, _T]
"""A course, or a part of one that returns what the rest should know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """How courses of a workflow are told. `prefix` begins their names, and is short."""

    workflow: str
    prefix: str
    tell: Callable[[Random, str, datetime], Telling[None]]

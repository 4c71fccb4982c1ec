"""What was found of one course under another definition."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.core.contrast import Divergence
from engine.core.outcome import Decision
from engine.core.record import Record


class Why(StrEnum):
    """Why an event cannot be judged. Shown: never rename a value."""

    UNREADABLE = "unreadable"
    NO_SUCH_STATE = "no-such-state"
    TIMER_NOT_WAITING = "timer-not-waiting"
    OTHER_WAY = "other-way"
    NOT_OPENED = "not-opened"
    ENDLESS = "endless-timers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unjudged:
    """A record that the other definition cannot be held against, and what stands in the way."""

    seq: int
    event: str
    why: Why
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Supposition:
    """One course under another definition. `judged` are the records that both definitions decided.

    `digest` is the definition that the course was recorded by, `divergences` are all differences in
    their order, `unjudged` what could not be held against the other definition. Under `stop` what
    follows the first difference is neither.
    """

    course: str
    digest: str
    records: int
    judged: int
    divergences: tuple[Divergence, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()

    @property
    def first(self) -> Divergence | None:
        """The first difference; `None` where there is none."""
        return self.divergences[0] if self.divergences else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A record, and beside it what the other definition makes of it.

    `record` is `None` of a timer that only the other definition lets come. `decision` is that of
    the other definition, `None` where it made none; `state` is where the policy lets the course be
    after it, `None` where the other definition was not asked any more.
    """

    record: Record | None
    divergence: Divergence | None = None
    unjudged: Unjudged | None = None
    decision: Decision | None = None
    state: str | None = None

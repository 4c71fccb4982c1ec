"""Decisions: what became of an event, with all that a caller and a record need to know.

A refusal is a value. `Decision` is closed: the type checker names what a `match` leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from engine.core.expression import Truth
from engine.core.finding import Finding, Missing
from engine.core.quick import quick
from engine.core.view import Reading


class Reason(StrEnum):
    """Why a request was refused. Stored: never rename a value."""

    ILLEGAL_TRANSITION = "illegal-transition"
    GUARD_FAILED = "guard-failed"
    UNDECIDED = "guard-undecided"
    OVERRIDE_NOT_PERMITTED = "override-not-permitted"
    TOO_OLD = "too-old"
    NO_SUCH_VISIT = "no-such-visit"
    OUTSIDE_WINDOW = "outside-window"
    UNSIGNED = "unsigned"
    ALTERED = "altered"
    SAME_SIGNER = "same-signer"
    NOT_A_SIGNER = "not-a-signer"
    LEGAL_HOLD = "legal-hold"
    NO_SUCH_HOLD = "no-such-legal-hold"
    NO_SUCH_FINDING = "no-such-finding"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A requirement's verdict; `passed` says that an override passed that no or unknown.

    `missing` is all that it lacks: of a no also what could not be weighed beside the comparisons
    that made it one. It is not recorded, since it follows from the definition and the readings.
    """

    guard: str
    verdict: Truth
    findings: tuple[Finding, ...] = ()
    missing: tuple[Missing, ...] = ()
    passed: bool = False


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A transition that was tried and did not open, with the requirements that kept it closed."""

    transition: str
    kept_by: tuple[Weighed, ...]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """A rule that weighed yes. `delivered` is false while it merely goes on holding."""

    rule: str
    action: str
    findings: tuple[Finding, ...] = ()
    advice: tuple[str, ...] = ()
    delivered: bool = True


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What goes to the outbox: a kind and what it is about, never a clinical value."""

    kind: str
    about: str
    advice: tuple[str, ...] = ()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A request was not granted, and nothing changed. `attempts` say what kept each way closed."""

    reason: Reason
    state: str
    attempts: tuple[Attempt, ...] = ()
    late: bool = False

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What could not be weighed, each once."""
        return tuple(
            dict.fromkeys(
                m for attempt in self.attempts for w in attempt.kept_by for m in w.missing
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What an event that was taken changes, and why.

    `transition` is `None` where the course stays for want of one. `weighed` are the requirements
    of the way that was taken, `attempts` the ways that stayed closed before it. `unknown` are the
    rules that could not be weighed, with what they wait for; `no` those that were weighed and do
    not hold. `firing` and `questions` are those of the course from now on: a rule that looks only
    at certain events keeps its question until such an event answers it. `updates` are the variables
    that changed; `moved_by` is the rule whose action moved the course on. `another_open` says that
    the course stays closed because the patient has another open one. `conflicts` are those of the
    booking that it tells of. `signed` are the records of the signatures that it was granted on.
    """

    transition: str | None
    state_before: str
    state: str
    round: int
    late: bool = False
    another_open: bool = False
    conflicts: tuple[str, ...] = ()
    signed: tuple[int, ...] = ()
    weighed: tuple[Weighed, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    fired: tuple[Fired, ...] = ()
    unknown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    no: tuple[str, ...] = ()
    moved_by: str | None = None
    advice: tuple[str, ...] = ()
    messages: tuple[Message, ...] = ()
    updates: Mapping[str, Any] = field(default_factory=dict)
    readings: tuple[Reading, ...] = ()
    firing: Mapping[str, int] = field(default_factory=dict)
    questions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Taken):
    """The event was taken as the definition foresees it."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation(Taken):
    """A report of what a guard would have said no to: recorded, and moved to safety."""


Decision = Accepted | Deviation | Refused


def lacking(decision: Decision) -> dict[str, tuple[Missing, ...]]:
    """What each requirement that was not yes lacks, by guard; what lacks nothing is not named."""
    weighed = [w for attempt in decision.attempts for w in attempt.kept_by]
    if isinstance(decision, Taken):
        weighed += [w for w in decision.weighed if w.passed]
    return {w.guard: w.missing for w in weighed if w.missing}


def verdict(decision: Decision) -> str:
    """The word for a decision: accepted, deviation or refused."""
    match decision:
        case Refused():
            return "refused"
        case Deviation():
            return "deviation"
        case Accepted():
            return "accepted"

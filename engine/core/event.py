"""What is sent, once it has been read: events, and how courses begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from engine.core.quick import quick
from engine.core.view import Reading

FORMAT = 1
ENROLLED, ADOPTED, CORRECTED = "course.enrolled", "course.adopted", "course.corrected"
RETRACTED, ADDENDUM = "course.entered_in_error", "course.addendum"
LATE_ENTRY, DISPOSED = "course.late_entry", "course.finding_disposed"
RECONSIDERED = "course.reconsidered"
"""What the engine itself records after a correction or a late entry: the decisions it changes."""
BOOKED, MOVED, CANCELLED = "course.booked", "course.moved", "course.cancelled"
NO_SHOW, ARRIVED, FULFILLED = "course.no_show", "course.arrived", "course.fulfilled"
DEFERRED, OMITTED = "course.visit_deferred", "course.visit_omitted"
CEASED, RESUMED = "course.visit_ceased", "course.visit_resumed"
SIGNED, ERASED = "course.signed", "course.erased"
LEGAL_HOLD_PLACED, LEGAL_HOLD_RELEASED = "course.legal_hold_placed", "course.legal_hold_released"
CUSTODY = (ERASED, LEGAL_HOLD_PLACED, LEGAL_HOLD_RELEASED)
"""What is asked of the records, apart from treatment; a legal hold is no hold of treatment."""
FORMALITIES = (SIGNED, *CUSTODY)
"""What is about records, and not about treatment."""
KEEPERS = ("administrator", "records")
"""The roles of those who may ask for custody; no workflow has to declare them."""
BOOKINGS = (BOOKED, MOVED, CANCELLED, NO_SHOW, ARRIVED, FULFILLED)
"""What a scheduling system reports of its appointments: facts, so never refused."""
ARRANGEMENTS = (DEFERRED, OMITTED, CEASED, RESUMED)
"""What may be asked of a visit apart from treatment: requests."""
CORRECTIONS = (CORRECTED, RETRACTED)
"""What says that a reading was wrong: another value, or that it should never have been there."""
AMENDMENTS = (*CORRECTIONS, ADDENDUM, LATE_ENTRY, DISPOSED)
"""What may be said of records that are there already. Nothing of them is rewritten."""
REVIEWED = "course.reviewed"
"""What somebody else made of a record that is to be looked at: it changes nothing else."""
REVIEWERS = ("auditor",)
"""The roles that may review beside those of the workflow; none has to declare them."""
OWN = (*AMENDMENTS, *BOOKINGS, *ARRANGEMENTS, REVIEWED)
"""The engine's own events that may be sent to a course of any workflow, formalities apart."""
ENGINE = "engine"
"""The role of the events that timers send; no caller may claim it."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who sends, as the host vouches for it."""

    id: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why it was sent. Once sealed, the text is its digest."""

    code: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """The guards that the sender asks to pass, and why. Once sealed, the text is its digest."""

    code: str
    guards: tuple[str, ...]
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """How a course begins. An adopted one has `state`, `round` and `variables`."""

    workflow: str
    patient: str
    site: str
    zone: str
    retrospective: bool = False
    state: str | None = None
    round: int = 1
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What was wrong: the reading of `input` that the record `record` brought.

    `value`, in the input's unit, replaces it; `at` and `over` are `None` where the first ones
    stand. A reading that should never have been there is `entered_in_error` and has no value.
    """

    record: int
    input: str
    value: Any = None
    at: datetime | None = None
    over: timedelta | None = None
    flaw: str | None = None
    entered_in_error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is said of a record: more text, or why it was entered late. It changes no value."""

    record: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposal:
    """What a clinician made of an open finding, named by the record that raised it.

    `how` is `accepted`, or `acted` with the `record` that acted.
    """

    finding: int
    how: str
    record: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconsideration:
    """What a correction changes: the decisions that relied on the reading, and those that differ.

    `record` first brought the reading of `input`. Of a late entry it is the entry, and there is
    neither a correction nor one input.
    """

    correction: int | None
    record: int
    input: str | None
    relied: tuple[int, ...] = ()
    differing: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What came of looking at a record: in one of the queues that it is in, else in all."""

    record: int
    outcome: str
    queue: str | None = None


Amendment = Note | Disposal | Reconsideration | Review


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduling:
    """What an event of scheduling says: of a booking, or of a visit. The rest is `None`."""

    booking: str | None = None
    visit: str | None = None
    number: int | None = None
    start: datetime | None = None
    minutes: int | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How a signer proved again who they are: `by` is who was authenticated, `at` when.

    `digest` is that of what was presented, which itself is kept nowhere.
    """

    kind: str
    by: str
    at: datetime
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """A signature of a record, by its hash, or beforehand of an event that will be sent: `act`."""

    meaning: str
    proof: Proof
    record: int | None = None
    hash: str | None = None
    act: Event | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """What is erased (all texts of a course, those of one record, or one), or which legal hold."""

    record: int | None = None
    path: str | None = None
    hold: str | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What somebody sends: a request or a report, typed by the workflow.

    `at` is in UTC, and `None` when it was not published or is coarser than an instant. `data` has
    no free texts, and `None` for what cannot be used. `readings` are not yet placed: the decision
    gives them their record and civil date. `body` is what was sent, `texts` are the places of free
    texts in it, and `timer` is the one that sent the event.
    """

    id: str
    course: str
    name: str
    at: datetime | None
    actor: Actor
    data: Mapping[str, Any]
    readings: tuple[Reading, ...]
    reason: Reason | None
    override: Override | None
    expected_revision: int | None
    body: Mapping[str, Any]
    texts: tuple[str, ...] = ()
    correction: Correction | None = None
    scheduling: Scheduling | None = None
    signing: Signing | None = None
    custody: Custody | None = None
    amendment: Amendment | None = None
    timer: str | None = None

    @property
    def is_clinical(self) -> bool:
        """Whether its time is when treatment happened, and not when something was said of it."""
        said = (self.scheduling, self.amendment, self.signing, self.custody)
        return all(one is None for one in said)

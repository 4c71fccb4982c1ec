"""What the service answers with, as values; the names are those of its OpenAPI document.

What may be a clinical value is left out of each representation, so that no log gets one by chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from engine.client.reading import HEADER


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowLine:
    """A workflow that courses may be enrolled in, or that some are pinned to."""

    name: str
    version: str
    label: str
    digest: str
    title: str
    enrolling: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A state of a workflow; `waits` is `hold`, `decision` or nothing."""

    name: str
    stage: str
    title: str
    closed: bool
    waits: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """An event that may be sent: a `request` or a `report`; `engine` where no workflow has it."""

    name: str
    kind: str
    title: str
    roles: tuple[str, ...]
    engine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow(WorkflowLine):
    """A workflow: its states, and what may be sent."""

    roles: tuple[str, ...]
    states: tuple[State, ...]
    events: tuple[EventLine, ...]
    visits: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The due window of a visit; its days are those of the site's zone."""

    visit: str
    number: int
    earliest: date
    target: date
    latest: date
    not_before: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """A booking as it was last told, and what speaks against it."""

    booking: str
    visit: str
    number: int | None
    start: datetime
    minutes: int | None
    status: str
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A rule that waits for data, and for which."""

    rule: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFinding:
    """Decisions that would have been different with what is known now; nobody has disposed of it.

    `finding` is what `course.finding_disposed` names; the other numbers are records too. Where
    `correction` and `input` are `None`, it was `record` itself that was entered late.
    """

    finding: int
    correction: int | None
    record: int
    input: str | None
    decisions: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """When a course will be looked at again by itself."""

    name: str
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseLine:
    """A course as a list shows it: `questions` is how many rules wait for data.

    `findings` is how many findings nobody has disposed of, `unsigned` how many records wait for a
    signature.
    """

    course: str
    workflow: str
    digest: str
    patient: str
    site: str
    state: str
    stage: str
    seq: int
    revision: int
    open: bool
    waits: str | None
    questions: int
    findings: int = 0
    unsigned: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Where a course stands. A request says by `revision` what it was made on."""

    course: str
    workflow: str
    digest: str
    patient: str
    site: str
    zone: str
    retrospective: bool
    state: str
    state_title: str
    stage: str
    closed: bool
    waits: str | None
    round: int
    seq: int
    revision: int
    last_at: datetime | None
    recorded_at: datetime
    head: str
    visits: tuple[Window, ...]
    bookings: tuple[Booking, ...]
    timers: tuple[Timer, ...]
    questions: tuple[Question, ...]
    open_findings: tuple[OpenFinding, ...] = ()
    variables: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondSigner:
    """That another person signs too: what that means, and in which roles."""

    meaning: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedSignature:
    """What an event asks to be signed: a request `beforehand`, a report `afterwards`."""

    meaning: str
    when: str
    second: SecondSigner | None
    within_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What could be sent now: `yes`, `no` or `unknown`, and the requirements that are not met.

    `signature` is what the event asks for besides.
    """

    event: str
    kind: str
    title: str
    roles: tuple[str, ...]
    target: str
    verdict: str
    requirements: tuple[Mapping[str, Any], ...] = field(repr=False)
    signature: AskedSignature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What can come next, on a revision of the course."""

    course: str
    revision: int
    as_of: datetime
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """An input or variable that could not be used, and why: missing, stale, impossible, ..."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of an event: its record `seq`, and the decision with its findings.

    `revision` is the course's now; `replayed` says that the event had been recorded before.
    """

    course: str
    event: str
    id: str
    seq: int
    verdict: str
    state_before: str | None
    state: str
    digest: str
    decision: Mapping[str, Any] = field(repr=False)
    revision: int = field(metadata={HEADER: "ETag"})
    replayed: bool = field(metadata={HEADER: "Idempotency-Replayed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What would become of an event, and the windows that would follow. Nothing was written."""

    course: str
    event: str
    verdict: str
    state_before: str | None
    state: str
    revision: int
    missing: tuple[Missing, ...]
    visits: tuple[Window, ...]
    decision: Mapping[str, Any] = field(repr=False)
    signature: AskedSignature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature of a record, and whether it holds: the record is what was signed.

    `seq` is the record of the signature; `printed_name` is `None` once it was erased. `by` was
    authenticated for it. One that was given `beforehand` is of the event, before it was sent.
    """

    seq: int
    actor: str
    role: str
    meaning: str
    printed_name: str | None = field(repr=False)
    at: datetime
    proof: str
    by: str
    holds: bool
    beforehand: bool
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record of the audit log: the JSON that was hashed, its hash, and what is said of it.

    `unsigned` are the meanings of the signatures that it still waits for.
    """

    seq: int
    hash: str
    record: Mapping[str, Any] = field(repr=False)
    late_entry: bool = False
    marks: Mapping[str, Any] = field(default_factory=dict, repr=False)
    signatures: tuple[Signature, ...] = ()
    unsigned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A reading as it stood: `record` says this value, `first` brought it."""

    input: str
    value: str | bool | None = field(repr=False)
    unit: str | None
    at: datetime | None
    over_seconds: int | None
    flaw: str | None
    record: int
    first: int
    recorded_at: datetime
    corrected_by: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Readings on both time axes; `None` is without an end."""

    course: str
    happened_by: datetime | None
    recorded_by: datetime | None
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a replay, in one sense; `differs` says which others come to something else."""

    course: str
    step: int
    steps: int
    sense: str
    record: Mapping[str, Any] = field(repr=False)
    row: Mapping[str, Any] = field(repr=False)
    readings: tuple[Reading, ...] = field(repr=False)
    decision: Mapping[str, Any] = field(repr=False)
    outcome: Mapping[str, Any] | None = field(repr=False)
    believed_variables: Mapping[str, Any] = field(repr=False)
    says: Mapping[str, Any] = field(repr=False)
    differs: Mapping[str, Any]

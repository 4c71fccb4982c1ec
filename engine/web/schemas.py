"""What the service answers with, for its OpenAPI document; what is sent is read by the engine."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """A JSON object with these members and no others."""

    model_config = ConfigDict(extra="forbid")


class ProblemDocument(BaseModel):
    """RFC 9457. `type` is one of the catalogue; what else it carries depends on it."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str


class WorkflowLine(Shape):
    """A workflow that courses may be enrolled in, or that some are pinned to."""

    name: str
    version: str
    label: str
    digest: str
    title: str
    enrolling: bool


class StateLine(Shape):
    name: str
    stage: str
    title: str
    closed: bool
    waits: Literal["hold", "decision"] | None


class EventLine(Shape):
    """An event that may be sent; its schema is a resource of its own."""

    name: str
    kind: Literal["request", "report"]
    title: str
    roles: list[str]
    engine: bool


class WorkflowDocument(WorkflowLine):
    """A workflow, without its guards: its states, and what may be sent."""

    roles: list[str]
    states: list[StateLine]
    events: list[EventLine]
    visits: list[str]


class WorkflowList(Shape):
    workflows: list[WorkflowLine]


class WindowDocument(Shape):
    """The due window of a visit; dates are those of the site's zone."""

    visit: str
    number: int
    earliest: str
    target: str
    latest: str
    not_before: str | None


class BookingDocument(Shape):
    """A booking that is not over, as it was last told."""

    booking: str
    visit: str
    number: int | None
    start: str
    minutes: int | None
    status: str
    conflicts: list[str]


class QuestionDocument(Shape):
    """A rule that waits for data, and for which."""

    rule: str
    missing: list[str]


class FindingDocument(Shape):
    """Decisions that would have been different with what is known now; nobody disposed of it yet.

    `record` first brought the reading of `input`, `correction` corrects it, and `finding` is the
    record that says so, by which it is disposed of. Where `correction` and `input` are null, it was
    `record` itself that was entered late.
    """

    finding: int
    correction: int | None
    record: int
    input: str | None
    decisions: list[int]


class CourseLine(Shape):
    """A course as a list shows it."""

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
    waits: Literal["hold", "decision"] | None
    questions: Annotated[int, Field(description="How many rules wait for data.")]
    findings: Annotated[int, Field(description="How many findings nobody has disposed of.")]
    unsigned: Annotated[int, Field(description="How many records wait for a signature.")]


class CourseList(Shape):
    courses: list[CourseLine]
    next: Annotated[str | None, Field(description="The `after` of the next page.")]


class TimerDocument(Shape):
    name: str
    due: str


class CourseDocument(Shape):
    """Where a course stands."""

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
    waits: Literal["hold", "decision"] | None
    round: int
    seq: int
    revision: int
    last_at: str | None
    recorded_at: str
    head: str
    visits: list[WindowDocument]
    bookings: list[BookingDocument]
    timers: list[TimerDocument]
    questions: list[QuestionDocument]
    open_findings: list[FindingDocument]
    variables: dict[str, Any]


class SecondSigner(Shape):
    """That another person signs too: what that means, and in which roles."""

    meaning: str
    roles: list[str]


class AskedSignature(Shape):
    """What an event asks to be signed: a request before it is sent, a report after its record."""

    meaning: str
    when: Literal["beforehand", "afterwards"]
    second: SecondSigner | None
    within_seconds: int | None


class OptionDocument(Shape):
    """What could be sent now. `requirements` are those that are not met, with their findings.

    `signature` is what the event asks for besides: `verdict` is not about it.
    """

    event: str
    kind: Literal["request", "report"]
    title: str
    roles: list[str]
    target: str
    verdict: Literal["yes", "no", "unknown"]
    requirements: list[dict[str, Any]]
    signature: AskedSignature | None


class OptionList(Shape):
    course: str
    revision: int
    as_of: str
    options: list[OptionDocument]


class AnswerDocument(Shape):
    """What became of an event: the record, and the decision with its findings."""

    course: str
    event: str
    id: str
    seq: int
    verdict: Literal["accepted", "deviation", "refused"]
    state_before: str | None
    state: str
    digest: str
    decision: dict[str, Any]


class MissingDocument(Shape):
    """An input or variable that could not be used, and why: missing, stale, impossible, ..."""

    name: str
    why: str


class DryRunDocument(Shape):
    """What would become of an event. Nothing was written."""

    course: str
    event: str
    verdict: Literal["accepted", "deviation", "refused"]
    state_before: str | None
    state: str
    revision: int
    decision: dict[str, Any]
    missing: list[MissingDocument]
    visits: Annotated[list[WindowDocument], Field(description="The windows that would follow.")]
    signature: Annotated[
        AskedSignature | None, Field(description="What the event asks to be signed, if anything.")
    ]


class MarksDocument(Shape):
    """What later records say of one; what nobody said is absent. Each number is a record."""

    corrected_by: dict[str, int] = {}
    retracted_by: list[int] = []
    corrects: int | None = None
    addenda: list[int] = []
    late_reason: int | None = None
    reconsidered_by: int | None = None
    differs_by: Annotated[
        list[int], Field(description="Corrections with which it would have been decided otherwise.")
    ] = []
    differs_by_late: Annotated[
        list[int], Field(description="Late entries that would have decided it otherwise.")
    ] = []


Sense = Literal["recorded", "known", "believed", "again"]


class ReadingDocument(Shape):
    """A reading as it stood. `record` says this value, `first` brought the reading.

    `corrected_by` put another value in its place since.
    """

    input: str
    value: str | bool | None
    unit: str | None
    at: str | None
    over_seconds: int | None
    flaw: str | None
    record: int
    first: int
    recorded_at: str
    corrected_by: int | None


class ReadingList(Shape):
    course: str
    happened_by: str | None
    recorded_by: str | None
    readings: list[ReadingDocument]


class StepDocument(Shape):
    """One step of a replay: the record, what was known, and what each sense says of it."""

    course: str
    step: int
    steps: int
    sense: Sense
    record: dict[str, Any]
    row: dict[str, Any]
    readings: list[ReadingDocument]
    decision: dict[str, Any]
    outcome: Annotated[
        dict[str, Any] | None, Field(description="null: it cannot be weighed in this sense.")
    ]
    believed_variables: Annotated[
        dict[str, Any], Field(description="Variables that are believed to have been different.")
    ]
    says: dict[str, Any]
    differs: dict[str, bool]

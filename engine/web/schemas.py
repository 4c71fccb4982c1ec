"""What the service answers with, for its OpenAPI document; what is sent is read by the engine."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.core.wire import IDENTIFIER


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


Role = Literal[
    "scheduler", "clinician", "prescriber", "auditor", "administrator", "service", "records"
]


class CallerDocument(Shape):
    """Who asks, and what it may do."""

    id: Annotated[str, Field(description="What `actor.id` is of whoever signed in.")]
    tenant: str
    how: Literal["token", "oidc", "loopback", "command"]
    roles: list[Role]
    claimable: Annotated[list[str], Field(description="The roles that its events may carry.")]
    sites: Annotated[list[str] | None, Field(description="null: every site.")]
    may: Annotated[list[str], Field(description="The actions that it is permitted.")]


class TokenRequest(Shape):
    """A token to create. An auditor's has no other role; only a service's has actor roles."""

    name: Annotated[
        str,
        Field(
            description="Whose it is: a system or a pseudonym.",
            pattern=f"^(?:{IDENTIFIER.pattern})$",
        ),
    ]
    roles: Annotated[list[Role], Field(min_length=1, max_length=7)]
    actor_roles: Annotated[
        list[str], Field(max_length=50, description="What a service may claim.")
    ] = []
    sites: Annotated[
        list[str] | None, Field(min_length=1, max_length=50, description="null: every site.")
    ] = None
    expires_days: Annotated[int, Field(ge=1, le=365)] = 90


class TokenDocument(Shape):
    """A token, without its secret."""

    id: str
    name: str
    roles: list[Role]
    actor_roles: list[str]
    sites: list[str] | None
    status: Literal["valid", "expired", "revoked"]
    created_at: str
    created_by: str
    expires_at: str
    revoked_at: str | None
    revoked_by: str | None


class IssuedToken(TokenDocument):
    """A token that was just created. Its text is shown here and never again."""

    text: str


class TokenList(Shape):
    tokens: list[TokenDocument]
    next: Annotated[str | None, Field(description="The `cursor` of the next page.")]


class AccessEntry(Shape):
    """A row of the access log. `about` holds ids, roles and numbers."""

    at: str
    id: str
    actor: str
    action: str
    outcome: Literal["given", "denied"]
    about: dict[str, Any]


class AccessLogPage(Shape):
    entries: list[AccessEntry]
    next: Annotated[str | None, Field(description="The `cursor` of the next page.")]


_IDENTIFIER = f"^(?:{IDENTIFIER.pattern})$"
_NAMED = Annotated[str, Field(pattern=_IDENTIFIER)]


class OfSite(Shape):
    """The calendar of a site, or of a course."""

    scope: Literal["site", "course"]
    subject: _NAMED


class OfRole(Shape):
    """The calendar of a role, at sites."""

    scope: Literal["role"]
    subject: Literal["scheduler", "clinician", "prescriber"]
    sites: Annotated[
        list[_NAMED] | None,
        Field(min_length=1, max_length=50, description="null: every site that its maker sees."),
    ] = None


CALENDAR_REQUEST = {"anyOf": [OfSite.model_json_schema(), OfRole.model_json_schema()]}
"""Which calendar to share."""


class Calendar(Shape):
    """A calendar that is shared, without its secret."""

    id: str
    scope: Literal["site", "role", "course"]
    subject: str
    sites: list[str] | None
    created_at: str
    created_by: str
    revoked_at: str | None


class MadeCalendar(Calendar):
    """A calendar that was just made."""

    path: Annotated[str, Field(description="Of its URL, with the secret. It is not shown again.")]


class CalendarList(Shape):
    calendars: list[Calendar]
    next: Annotated[str | None, Field(description="The `after` of the next page.")]

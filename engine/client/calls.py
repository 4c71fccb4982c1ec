"""Workflows, courses, events and records: each call described once, as `methods` has it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

from engine.client.call import Call, Part, Reply, get, instant, members, one, part, path, query
from engine.client.documents import (
    Answer,
    Course,
    CourseLine,
    Options,
    Readings,
    Record,
    Step,
    Trial,
    Workflow,
    WorkflowLine,
)
from engine.client.event import Enrolment, Event

ANY: Literal["*"] = "*"
"""In place of a revision: whatever the course's is by now."""

_COURSE = "/v1/courses/{course}"


def workflows() -> Call[tuple[WorkflowLine, ...]]:
    """Every workflow that is stored, and which of them courses are enrolled in by name."""
    return get("/v1/workflows", members(WorkflowLine, "workflows"))


def workflow(workflow: str) -> Call[Workflow]:
    """A workflow by name, `name@version` or digest: its states, and what may be sent."""
    return get(path("/v1/workflows/{workflow}", workflow=workflow), one(Workflow))


def schema(workflow: str, event: str) -> Call[Mapping[str, Any]]:
    """The JSON Schema of an event, with an example."""
    where = path("/v1/workflows/{workflow}/events/{event}", workflow=workflow, event=event)
    return get(where, _object)


def enroll(course: str, enrolment: Enrolment) -> Call[Answer]:
    """Begin a course. The same enrolment again, by its id, gets the same answer."""
    body = {"course": course, **enrolment.body()}
    return Call(method="POST", path="/v1/courses", answer=one(Answer), body=body, keyed=True)


def submit(
    course: str, event: Event, *, revision: int | Literal["*"] | None = None
) -> Call[Answer]:
    """Send an event. The same event again, by its id, gets the same answer.

    A request needs the `revision` of the course that it was made on, or `ANY`; when it is refused,
    that is raised as a problem. A report is always taken.
    """
    headers = {} if revision is None else {"If-Match": _etag(revision)}
    return Call(
        method="POST",
        path=path(f"{_COURSE}/events", course=course),
        answer=one(Answer),
        headers=headers,
        body=event.body(),
        keyed=True,
    )


def dry_run(course: str, event: Event) -> Call[Trial]:
    """What would become of an event, and the windows that would follow. Nothing is written."""
    where = path(f"{_COURSE}/events/dry-run", course=course)
    return Call(method="POST", path=where, answer=one(Trial), body=event.body())


def course(course: str) -> Call[Course]:
    """Where a course stands."""
    return get(path(_COURSE, course=course), one(Course))


def options(course: str, *, at: datetime | None = None) -> Call[Options]:
    """What can be sent next, and what keeps the rest from being granted; now, or at an instant."""
    asked = query(at=None if at is None else instant(at, "at"))
    return get(path(f"{_COURSE}/options", course=course), one(Options), asked)


def records(course: str, *, page: int = 100, cursor: str | None = None) -> Call[Part[Record]]:
    """The audit log of a course as it is when the first page is asked for."""
    return get(
        path(f"{_COURSE}/records", course=course),
        part(Record, "records", lambda place: records(course, page=page, cursor=place)),
        query(limit=page, cursor=cursor),
    )


def record(course: str, seq: int) -> Call[Record]:
    """One record."""
    return get(path(f"{_COURSE}/records/{{seq}}", course=course, seq=seq), one(Record))


def readings(
    course: str,
    *,
    happened_by: datetime | None = None,
    recorded_by: datetime | None = None,
    input: str | None = None,  # noqa: A002  # the word of the protocol
) -> Call[Readings]:
    """The readings that had happened by one instant, as was known of them by another."""
    asked = query(
        happened_by=None if happened_by is None else instant(happened_by, "happened_by"),
        recorded_by=None if recorded_by is None else instant(recorded_by, "recorded_by"),
        input=input,
    )
    return get(path(f"{_COURSE}/readings", course=course), one(Readings), asked)


def playback(
    course: str,
    *,
    step: int | None = None,
    at: datetime | None = None,
    sense: Literal["recorded", "known", "believed", "again"] = "recorded",
) -> Call[Step]:
    """One step of a course: what was known and decided, and what is believed of it by now."""
    asked = query(step=step, at=None if at is None else instant(at, "at"), sense=sense)
    return get(path(f"{_COURSE}/playback", course=course), one(Step), asked)


def search(
    *,
    site: str | None = None,
    workflow: str | None = None,
    state: str | None = None,
    stage: str | None = None,
    waits: Literal["hold", "decision"] | None = None,
    open: bool | None = None,  # noqa: A002  # the word of the row
    day: date | None = None,
    changed_since: int | None = None,
    after: str | None = None,
    page: int = 100,
) -> Call[Part[CourseLine]]:
    """Courses by name. `day`: a visit may take place then, or is booked."""
    wanted = {
        "site": site, "workflow": workflow, "state": state, "stage": stage, "waits": waits,
        "open": open, "day": day, "changed_since": changed_since,
    }  # fmt: skip
    asked = query(**wanted, after=after, limit=page)

    def rest(name: str) -> Call[Part[CourseLine]]:
        return get("/v1/courses", read, (*query(**wanted), *query(after=name, limit=page)))

    read = part(CourseLine, "courses", rest)
    return get("/v1/courses", read, asked)


def _object(reply: Reply) -> Mapping[str, Any]:
    found = reply.json()
    if not isinstance(found, dict):
        raise ValueError("an object was expected")
    return found


def _etag(revision: int | Literal["*"]) -> str:
    return revision if isinstance(revision, str) else f'"{revision}"'

"""Courses: begun, looked for, looked at, and what could come next."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query

from engine.core.encoding import instant_text
from engine.core.event import ADOPTED, ENROLLED
from engine.core.wire import IDENTIFIER, civil_day, instant
from engine.errors import InvalidInput
from engine.ports import Search
from engine.web import documents, schemas
from engine.web.asked import Day
from engine.web.bodies import Body
from engine.web.callers import Enroller, Reader
from engine.web.canonical import CanonicalResponse
from engine.web.entry import Key, etag, keyed, submitted
from engine.web.problems import Problem
from engine.web.responses import PROBLEMS

router = APIRouter(tags=["courses"])

Course = Annotated[str, Path(pattern=f"^(?:{IDENTIFIER.pattern})$")]
Word = Annotated[str | None, Query(pattern=f"^(?:{IDENTIFIER.pattern})$")]
When = Annotated[
    str | None,
    Query(
        description="An instant with its zone; else now.",
        json_schema_extra={"format": "date-time"},
        min_length=1,
    ),
]
Limit = Annotated[int, Query(ge=1, le=500)]


@router.post(
    "/courses",
    status_code=201,
    response_model=schemas.AnswerDocument,
    responses=PROBLEMS["write"],
)
def enroll(*, desk: Enroller, body: Body, key: Key = None) -> CanonicalResponse:
    """Begin a course: `course.enrolled`, or `course.adopted` for one that began elsewhere."""
    if body.get("event") not in (ENROLLED, ADOPTED):
        raise InvalidInput("event", f"{ENROLLED} or {ADOPTED}")
    site = body.get("site")
    if isinstance(site, str) and not desk.caller.sees(site):
        desk.office.gate.outside(desk.caller, desk.action, site=site)
        raise Problem("not-permitted", detail="the token is not for this site")
    return submitted(desk, keyed(body, key), held=False)


@router.get("/courses", response_model=schemas.CourseList, responses=PROBLEMS["read"])
def search(
    *,
    desk: Reader,
    site: Word = None,
    workflow: Word = None,
    state: Word = None,
    stage: Word = None,
    waits: Literal["hold", "decision"] | None = None,
    open: bool | None = None,  # noqa: A002  # the word of the row
    day: Day = None,
    changed_since: Annotated[
        int | None, Query(ge=0, lt=2**53, description="A position of the feed.")
    ] = None,
    after: Word = None,
    limit: Limit = 100,
) -> CanonicalResponse:
    """Courses by name. `day`: a visit may take place then, or is booked."""
    wanted = Search(
        sites=desk.caller.sites,
        site=site,
        workflow=workflow,
        state=state,
        stage=stage,
        waits=waits,
        open=open,
        day=None if day is None else civil_day(day, "day"),
        changed_after=changed_since,
    )
    if changed_since is not None:
        desk.feed.sequence()  # what was said last may not have its position yet
    found = desk.service.search(wanted, after=after or "", limit=limit)
    return CanonicalResponse(
        {
            "courses": [documents.course_line(line) for line in found],
            "next": found[-1].course if len(found) == limit else None,
        }
    )


@router.get("/courses/{course}", response_model=schemas.CourseDocument, responses=PROBLEMS["one"])
def summary(*, course: Course, desk: Reader) -> CanonicalResponse:
    """Where a course stands. The ETag is its revision."""
    desk.place(course)
    status = desk.service.status(course)
    return CanonicalResponse(documents.course(status), headers=etag(status.row["revision"]))


@router.get(
    "/courses/{course}/options", response_model=schemas.OptionList, responses=PROBLEMS["one"]
)
def options(
    *,
    course: Course,
    desk: Reader,
    at: When = None,
) -> CanonicalResponse:
    """What can be sent next, and what keeps the rest from being granted."""
    desk.place(course)
    when = desk.office.now() if at is None else instant(at, "at")
    status = desk.service.status(course, at=when)
    found: dict[str, Any] = {
        "course": course,
        "revision": status.row["revision"],
        "as_of": instant_text(when),
        "options": [documents.option(one) for one in status.options],
    }
    return CanonicalResponse(found, headers=etag(status.row["revision"]))

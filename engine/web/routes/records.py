"""The audit log of a course, in pages that show one moment."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from engine.errors import NotFound
from engine.web import documents, schemas
from engine.web.callers import LogReader
from engine.web.canonical import CanonicalResponse
from engine.web.responses import PROBLEMS
from engine.web.routes.courses import Course, Limit

router = APIRouter(tags=["records"])

CURSOR = "^[0-9]{1,15}:[0-9]{1,15}$"


@router.get(
    "/courses/{course}/records", response_model=schemas.RecordList, responses=PROBLEMS["one"]
)
def records(
    *,
    course: Course,
    desk: LogReader,
    cursor: Annotated[
        str | None, Query(description="The `next` of the page before.", pattern=CURSOR)
    ] = None,
    limit: Limit = 100,
) -> CanonicalResponse:
    """Records in order, as they were hashed. Every page shows the log of the first one's moment."""
    desk.place(course)
    after, until = (0, None) if cursor is None else _read(cursor)
    page = desk.service.page(course, after=after, until=until, limit=limit)
    last = page.records[-1].seq if page.records else after
    return CanonicalResponse(
        {
            "course": course,
            "until": page.until,
            "records": [documents.record(one) for one in page.records],
            "next": f"{last}:{page.until}" if page.records and last < page.until else None,
        }
    )


@router.get(
    "/courses/{course}/records/{seq}",
    response_model=schemas.RecordDocument,
    responses=PROBLEMS["one"],
)
def record(
    *,
    course: Course,
    seq: Annotated[int, Path(ge=1, lt=2**31)],
    desk: LogReader,
) -> CanonicalResponse:
    """One record."""
    desk.place(course)
    page = desk.service.page(course, after=seq - 1, limit=1)
    if not page.records:
        raise NotFound(course)
    return CanonicalResponse(documents.record(page.records[0]))


def _read(cursor: str) -> tuple[int, int]:
    after, until = cursor.split(":")
    return int(after), int(until)

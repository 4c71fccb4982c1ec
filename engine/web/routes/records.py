"""The audit log of a course, in pages that show one moment."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from engine.core.encoding import Json, instant_text
from engine.core.playback import Sense
from engine.core.signatory import NOBODY
from engine.core.wire import NAME, instant
from engine.errors import InvalidInput, NotFound
from engine.service import RecordPage
from engine.signatures import Signatures
from engine.web import documents, formalities, schemas
from engine.web.callers import Desk, LogReader
from engine.web.canonical import CanonicalResponse
from engine.web.responses import PROBLEMS
from engine.web.routes.courses import Course, Limit

router = APIRouter(tags=["records"])

By = Annotated[
    str | None,
    Query(
        description="An instant with its zone; else without an end.",
        json_schema_extra={"format": "date-time"},
        min_length=1,
    ),
]
Input = Annotated[str | None, Query(pattern=f"^(?:{NAME.pattern})$")]

CURSOR = "^[0-9]{1,15}:[0-9]{1,15}$"


@router.get(
    "/courses/{course}/records", response_model=formalities.RecordList, responses=PROBLEMS["one"]
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
            "records": _documents(desk, course, page),
            "next": f"{last}:{page.until}" if page.records and last < page.until else None,
        }
    )


@router.get(
    "/courses/{course}/records/{seq}",
    response_model=formalities.RecordDocument,
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
    return CanonicalResponse(_documents(desk, course, page)[0])


@router.get(
    "/courses/{course}/readings", response_model=schemas.ReadingList, responses=PROBLEMS["one"]
)
def readings(
    *,
    course: Course,
    desk: LogReader,
    happened_by: By = None,
    recorded_by: By = None,
    input: Input = None,  # noqa: A002  # the word of the protocol
) -> CanonicalResponse:
    """The readings on both time axes: those that had happened, as was known of them by then."""
    desk.place(course)
    happened = None if happened_by is None else instant(happened_by, "happened_by")
    recorded = None if recorded_by is None else instant(recorded_by, "recorded_by")
    playback = desk.auditor.playback(course)
    if input is not None and input not in playback.machine.inputs:
        raise InvalidInput("input", "the name of an input of the course's workflow")
    found = playback.readings(happened_by=happened, recorded_by=recorded)
    return CanonicalResponse(
        {
            "course": course,
            "happened_by": None if happened is None else instant_text(happened),
            "recorded_by": None if recorded is None else instant_text(recorded),
            "readings": [
                playback.reading_json(one)
                for name, held in found.items()
                if input in (None, name)
                for one in held
            ],
        }
    )


@router.get(
    "/courses/{course}/playback", response_model=schemas.StepDocument, responses=PROBLEMS["one"]
)
def playback(
    *,
    course: Course,
    desk: LogReader,
    step: Annotated[
        int | None, Query(ge=1, lt=2**31, description="A record; else the last one.")
    ] = None,
    at: Annotated[
        str | None,
        Query(
            description="The step that the course had come to, as it was known then.",
            json_schema_extra={"format": "date-time"},
            min_length=1,
        ),
    ] = None,
    sense: schemas.Sense = "recorded",
) -> CanonicalResponse:
    """One step of a course: what was known and decided, and what is believed of it by now."""
    desk.place(course)
    if step is not None and at is not None:
        raise InvalidInput("at", "nothing beside `step`")
    found = desk.auditor.playback(course)
    number = step or len(found)
    if at is not None:
        number = found.at(instant(at, "at")).seq
    return CanonicalResponse(found.shown(number, Sense(sense)))


def _documents(desk: Desk, course: str, page: RecordPage) -> list[Json]:
    signatures = Signatures(desk.service)
    signed = signatures.of(course, page.records)
    names = signatures.printed_names(course, signed.values())
    return [documents.record(page, r, signed.get(r.seq, NOBODY), names) for r in page.records]


def _read(cursor: str) -> tuple[int, int]:
    after, until = cursor.split(":")
    return int(after), int(until)

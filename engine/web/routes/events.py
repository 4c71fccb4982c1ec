"""Events: sent, or tried without writing anything."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter

from engine.core.definition import Waits
from engine.core.event import ADOPTED, ENROLLED, FORMALITIES
from engine.core.inquiry import asked_json
from engine.errors import InvalidInput
from engine.service import Place
from engine.web import documents, schemas
from engine.web.bodies import Body
from engine.web.callers import Sender, Trier
from engine.web.canonical import CanonicalResponse
from engine.web.entry import (
    IfMatch,
    Key,
    addressed,
    etag,
    expecting,
    keyed,
    permit,
    shown,
    submitted,
)
from engine.web.responses import PROBLEMS
from engine.web.routes.courses import Course

router = APIRouter(tags=["events"])


@router.post(
    "/courses/{course}/events",
    status_code=201,
    response_model=schemas.AnswerDocument,
    responses=PROBLEMS["event"],
)
def submit(
    *,
    desk: Sender,
    course: Course,
    body: Body,
    key: Key = None,
    if_match: IfMatch = None,
) -> CanonicalResponse:
    """Send an event. Sent again with the same id or key, it gets the same answer again.

    A *request* says by `If-Match` which revision it was made on, and may be refused: the refusal
    is a record, and the problem document has its findings. A *report* is always taken.
    """
    place = desk.place(course)
    event = _event(body)
    sent = keyed(addressed(body, course), key)
    if place.machine.asks(event):
        sent = expecting(desk, sent, if_match, place)
    return submitted(desk, sent, held=_held(place))


@router.post(
    "/courses/{course}/events/dry-run",
    response_model=schemas.DryRunDocument,
    responses=PROBLEMS["event"],
)
def dry_run(*, desk: Trier, course: Course, body: Body) -> CanonicalResponse:
    """What would become of an event: verdict, findings, and the windows that would follow.

    `revision` and the ETag are those of the course as it is: a request made on what was seen here
    expects them.
    """
    # Read before the trial: one that is older by then only makes a request stale.
    place = desk.place(course)
    row, revision = place.row, place.row["revision"]
    declared = place.machine.events.get(_event(body))
    # Named after the last record, which no event before it could know: no name is taken.
    sent = {"id": f"dry-run:{str(row['head'])[-32:]}", **addressed(body, course)}
    permit(desk, sent)
    found = desk.service.dry_run(sent)
    found = replace(found, decision=shown(desk, found.decision))
    asked = None if declared is None else asked_json(declared)
    return CanonicalResponse(documents.trial(found, revision, asked), headers=etag(revision))


def _event(body: dict[str, object]) -> str:
    event = body.get("event")
    if not isinstance(event, str):
        raise InvalidInput("event", "the name of an event")
    if event in (ENROLLED, ADOPTED):
        raise InvalidInput("event", "an event of a course that has begun: POST /v1/courses")
    if event in FORMALITIES:
        # What a signer proved, and who keeps the records, is said by the service alone.
        expected = "an event of treatment: others go to /signatures, /erasures or /legal-holds"
        raise InvalidInput("event", expected)
    return event


def _held(place: Place) -> bool:
    return place.machine.states[place.row["state"]].waits is Waits.HOLD

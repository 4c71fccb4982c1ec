"""Review queues: what somebody else has to look at. A sign-off is an event, `course.reviewed`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query

from engine.core.encoding import instant_text
from engine.core.event import FORMAT, REVIEWED
from engine.core.review import MEMBERS, QUEUES, Queue, Seen
from engine.core.wire import members, whole
from engine.errors import IdempotencyConflict
from engine.formalities import as_before
from engine.review import MOST, PAGE
from engine.web import formalities, reviews, schemas
from engine.web.asked import AtSites, Cursor, OfWorkflow
from engine.web.bodies import Body
from engine.web.callers import Desk, LogReader, Reviewer
from engine.web.canonical import CanonicalResponse
from engine.web.entry import Key, keyed, submitted
from engine.web.responses import PROBLEMS
from engine.web.routes.courses import Course

router = APIRouter(tags=["review"])

Limit = Annotated[int, Query(ge=1, le=MOST)]
Named = Literal["open-finding", "deviation", "override", "late-entry", "refusal"]

_SEEN = "reviewed_by"


@router.get("/review", response_model=reviews.QueueIndex, responses=PROBLEMS["read"])
def index(
    *, desk: LogReader, site: AtSites = None, workflow: OfWorkflow = None
) -> CanonicalResponse:
    """Every review queue with how many records are in it, up to a page's most."""
    counted = desk.reviews.counts(sites=desk.scope(site), workflow=workflow)
    lines = [
        {"queue": queue.value, "title": QUEUES[queue], "count": count, "more": more}
        for queue, (count, more) in counted.items()
    ]
    return CanonicalResponse({"queues": lines})


@router.get("/review/{queue}", response_model=reviews.ReviewItemList, responses=PROBLEMS["one"])
def one(
    *,
    queue: Annotated[Named, Path()],
    desk: LogReader,
    site: AtSites = None,
    workflow: OfWorkflow = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> CanonicalResponse:
    """A page of a review queue, the oldest record first.

    A record is signed off by `POST /v1/courses/{course}/reviews`; an open finding is disposed of
    instead.
    """
    found = desk.reviews.page(
        Queue(queue), sites=desk.scope(site), workflow=workflow, cursor=cursor, limit=limit
    )
    return CanonicalResponse(found.json())


@router.post(
    "/courses/{course}/reviews",
    status_code=201,
    response_model=schemas.AnswerDocument,
    responses=PROBLEMS["event"],
    openapi_extra=formalities.sent(formalities.SignOffRequest),
)
def sign_off(*, desk: Reviewer, course: Course, body: Body, key: Key = None) -> CanonicalResponse:
    """Sign a record of a review queue off. It changes nothing else, so auditors may do it too.

    `outcome`: it stands (`accepted`), something was done, which the comment says (`acted-on`), or
    another one has to look (`escalated`). Whoever acted in a record does not review it, and nobody
    reviews it twice. Sent again, it is one. With `reviewed_by` as the item had it, nothing is
    recorded where somebody else has signed the record off since.
    """
    desk.place(course)
    needed = ("id", "actor", "record", "outcome")
    asked = members(keyed(body, key), "", ("id", "actor", *MEMBERS, _SEEN), needed)
    event = {
        "format": FORMAT,
        "id": asked["id"],
        "course": course,
        "event": REVIEWED,
        "at": instant_text(desk.office.now()),
        "actor": asked["actor"],
        "data": {name: asked[name] for name in MEMBERS if name in asked},
    }
    seen = _seen(asked)
    try:
        return _submitted(desk, event, seen)
    except IdempotencyConflict:
        # Sent twice at once, each has its own time: the one that was first is known by now.
        return _submitted(desk, event, seen)


def _submitted(desk: Desk, event: dict[str, Any], seen: Seen | None) -> CanonicalResponse:
    """The answer, as of the first time. Raises Conflict where the record is not as it was seen."""
    with desk.service.store.transaction(desk.service.tenant, write=False) as tx:
        sent = as_before(tx, event)
    return submitted(desk, sent, held=False, seen=seen)


def _seen(asked: dict[str, Any]) -> Seen | None:
    """What the sender says that the item had. Raises InvalidInput, naming the member."""
    if _SEEN not in asked:
        return None
    whole(asked["record"], "record", 1)
    last = None if asked[_SEEN] is None else whole(asked[_SEEN], _SEEN, 1)
    return Seen(reviewed_by=last, queue=asked.get("queue"))

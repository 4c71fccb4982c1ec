"""Review queues: what somebody else has to look at. A sign-off is an event, `course.reviewed`."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from engine.core.review import QUEUES, Queue
from engine.review import MOST, PAGE
from engine.web import reviews
from engine.web.asked import AtSites, Cursor
from engine.web.callers import LogReader
from engine.web.canonical import CanonicalResponse
from engine.web.responses import PROBLEMS

router = APIRouter(tags=["review"])

Limit = Annotated[int, Query(ge=1, le=MOST)]
Name = Literal["open-finding", "deviation", "override", "late-entry", "refusal"]


@router.get("/review", response_model=reviews.QueueIndex, responses=PROBLEMS["read"])
def index(*, desk: LogReader, site: AtSites = None) -> CanonicalResponse:
    """Every review queue with how many records are in it, up to a page's most."""
    counted = desk.reviews.counts(sites=desk.scope(site))
    lines = [
        {"queue": queue.value, "title": QUEUES[queue], "count": count, "more": more}
        for queue, (count, more) in counted.items()
    ]
    return CanonicalResponse({"queues": lines})


@router.get("/review/{queue}", response_model=reviews.ReviewItemList, responses=PROBLEMS["one"])
def one(
    *,
    queue: Annotated[Name, Path()],
    desk: LogReader,
    site: AtSites = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> CanonicalResponse:
    """A page of a review queue, the oldest record first.

    A record is signed off by the event `course.reviewed`, with `record` and `outcome` (accepted,
    acted-on or escalated) and, if wanted, the `queue` and a `comment`. Whoever acted in a record
    does not review it, and nobody reviews it twice. An open finding is disposed of instead.
    """
    found = desk.reviews.page(Queue(queue), sites=desk.scope(site), cursor=cursor, limit=limit)
    return CanonicalResponse(found.json())

"""The feed: what was said of the caller's courses, in pages or as a stream."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from engine.errors import InvalidInput
from engine.messages import Page
from engine.web import messages
from engine.web.callers import FeedReader
from engine.web.canonical import CanonicalResponse
from engine.web.responses import PROBLEMS
from engine.web.streams import FeedStream
from engine.webhooks.documents import entry_json

router = APIRouter(tags=["feed"])

LAST = 2**63 - 1
AT_ONCE = 200
Position = Annotated[int, Query(ge=0, le=LAST, description="A position of the feed.")]


@router.get("/feed", response_model=messages.FeedPage, responses=PROBLEMS["read"])
def feed(
    *,
    desk: FeedReader,
    after: Position = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> CanonicalResponse:
    """Messages after a position, in order and without a gap, however many write at once.

    `next` is the `after` of the next page, also when this one is empty.
    """
    page = desk.feed.page(after, limit, desk.seen_sites)
    return CanonicalResponse(
        {
            "entries": [entry_json(one) for one in page.entries],
            "next": page.through,
            "more": page.more,
        }
    )


@router.get(
    "/feed/stream",
    status_code=200,
    response_class=StreamingResponse,
    responses={
        **PROBLEMS["read"],
        200: {
            "description": "Server-sent events: `id` is the position, `event` the kind, `data` an "
            "entry of the feed.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
    },
)
def stream(
    *,
    desk: FeedReader,
    after: Annotated[
        int | None, Query(ge=0, le=LAST, description="Begin after it; else with the present.")
    ] = None,
    last_event_id: Annotated[
        str | None, Header(description="What a browser sends when it comes back.")
    ] = None,
) -> FeedStream:
    """The feed as it grows. It ends after some minutes; come back with `Last-Event-ID`."""
    position = after if last_event_id is None else _position(last_event_id)
    if position is None:
        desk.feed.sequence()
        position = desk.feed.head()

    def look(after: int) -> Page:
        desk.still_permitted()
        return desk.feed.page(after, AT_ONCE, desk.seen_sites)

    return FeedStream(desk.office.streams, look, position)


def _position(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:20]) <= LAST):
        raise InvalidInput("Last-Event-ID", "a position of the feed")
    return int(text)

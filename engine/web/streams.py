"""Server-sent events: the feed for screens, as long as somebody looks.

A stream holds no thread while it waits, ends by itself after a while, and its reader comes back
with the `Last-Event-ID` that it has. Whoever may read no more, such as with a token that was
revoked, sees nothing more from the next look on.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import anyio
import anyio.to_thread
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from engine.errors import StoreUnavailable
from engine.messages import Page
from engine.web.problems import Problem
from engine.webhooks.documents import entry_json

Looking = Callable[[int], Page]
"""What the feed has after a position."""


@dataclass(kw_only=True)
class Streams:
    """The streams of a process.

    `seconds` pass between two looks at the feed; after `looks` a stream ends, and after `quiet`
    looks without a message it says that it is alive. `ending` ends all of them at their next look.
    """

    most: int = 100
    seconds: float = 1.0
    looks: int = 600
    quiet: int = 15
    running: int = 0
    ending: bool = False
    # Of their own, so that readers who look keep no request waiting.
    threads: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(4))


class FeedStream(StreamingResponse):
    """The answer to one reader, who has read up to a position."""

    media_type = "text/event-stream"

    def __init__(self, streams: Streams, look: Looking, after: int) -> None:
        self._streams = streams
        super().__init__(
            _told(streams, look, after),
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Counted here, where the count is given back however the reader goes.
        if self._streams.running >= self._streams.most:
            full = Problem("too-many-requests", headers={"Retry-After": "10"}).response()
            await full(scope, receive, send)
            return
        self._streams.running += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams.running -= 1


async def _told(streams: Streams, look: Looking, after: int) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    silent = 0
    for _ in range(streams.looks):
        if streams.ending:
            return
        try:
            page = await anyio.to_thread.run_sync(look, after, limiter=streams.threads)
        except (StoreUnavailable, Problem):
            return  # the reader comes back, and hears why not, if it may not
        for entry in page.entries:
            data = json.dumps(entry_json(entry), separators=(",", ":"))
            yield f"id: {entry.position}\nevent: {entry.kind}\ndata: {data}\n\n"
        silent = 0 if page.entries else silent + 1
        after = page.through
        if silent >= streams.quiet:
            # With the position, since messages of other sites were passed over.
            yield f": alive\nid: {after}\n\n"
            silent = 0
        if not page.more:
            await anyio.sleep(streams.seconds)

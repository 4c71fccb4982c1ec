"""How much is taken on: the rate of each caller, requests under way, and how long one may take.

All of it is counted in this process: with several processes behind a proxy, each has its own
bounds.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from hashlib import sha256
from math import ceil
from time import monotonic

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.web.problems import Problem

CALLERS = 10_000
"""Of how many callers the rate is remembered; who was forgotten begins anew."""

STRANGERS = 10
"""How many attempts a minute an address has whose tokens nobody knows, six times that at once."""


class Rate:
    """A bucket of tokens for each caller: filled at a rate, and as large as `burst`.

    `clock` counts seconds.
    """

    def __init__(
        self, per_second: float, burst: float, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        self._changing = threading.Lock()

    def take(self, who: Hashable) -> float:
        """Take a token; the seconds until there is one again, when there is none."""
        with self._changing:
            left = self._left(who)
            wait = 0.0 if left >= 1 else (1 - left) / self._per_second
            self._buckets[who] = (left if wait else left - 1, self._clock())
            self._buckets.move_to_end(who)
            if len(self._buckets) > CALLERS:
                self._buckets.popitem(last=False)
        return wait

    def wait(self, who: Hashable) -> float:
        """The seconds until there is a token; none is taken."""
        with self._changing:
            left = self._left(who)
        return 0.0 if left >= 1 else (1 - left) / self._per_second

    def _left(self, who: Hashable) -> float:
        left, since = self._buckets.get(who, (self._burst, self._clock()))
        return min(self._burst, left + (self._clock() - since) * self._per_second)


class Rates:
    """The rates of callers that are known, and of addresses whose callers are not."""

    def __init__(
        self,
        per_second: int = 100,
        *,
        strangers: int = STRANGERS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._known = Rate(per_second, 2 * per_second, clock=clock)
        self._strangers = Rate(strangers / 60, 6 * strangers, clock=clock)
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._changing = threading.Lock()

    def knock(self, authorization: str | None, peer: str | None) -> None:
        """Raises Problem for an address that tried too often.

        Who was let in before is let try again, whoever else comes from that address.
        """
        if _digest(authorization) not in self._seen:
            _require(self._strangers.wait(peer))

    def unknown(self, peer: str | None) -> None:
        """Count an attempt of nobody that is known."""
        self._strangers.take(peer)

    def known(self, authorization: str | None, who: Hashable) -> None:
        """Count a request of a caller. Raises Problem when there were too many."""
        with self._changing:
            digest = _digest(authorization)
            self._seen[digest] = None
            self._seen.move_to_end(digest)
            if len(self._seen) > CALLERS:
                self._seen.popitem(last=False)
        _require(self._known.take(who))


class Traffic:
    """Bounds how many requests are under way, and how long one may take.

    A request that takes too long is answered so. What it does is finished all the same: whether
    it was recorded shows when it is sent again. An answer that has begun is never cut short.
    """

    def __init__(self, app: ASGIApp, *, most: int, seconds: float) -> None:
        self._app = app
        self._most = most
        self._seconds = seconds
        self.under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/health/"):
            await self._app(scope, receive, send)
            return
        if self.under_way >= self._most:
            problem = Problem("busy", headers={"Retry-After": "1"})
            await problem.response()(scope, receive, send)
            return
        self.under_way += 1
        answer = _Answer(send, self._leave)
        try:
            await self._within(scope, receive, answer)
        finally:
            answer.left()

    async def _within(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        working = asyncio.ensure_future(self._app(scope, receive, answer))
        try:
            done, _ = await asyncio.wait({working}, timeout=self._seconds)
            if not done and answer.withhold():
                problem = Problem("too-slow", headers={"Retry-After": "5"})
                await problem.response()(scope, receive, answer.send)
        except asyncio.CancelledError:  # the server gives up what takes longer than its grace
            working.cancel()
            raise
        await working

    def _leave(self) -> None:
        self.under_way -= 1


class _Answer:
    """What is sent, unless another answer was given in its place.

    A stream of events lasts as long as its reader: it is not counted once it has begun.
    """

    def __init__(self, send: Send, leave: Callable[[], None]) -> None:
        self.send = send
        self._leave = leave
        self._begun = False
        self._withheld = False
        self._counted = True

    async def __call__(self, message: Message) -> None:
        if self._withheld:
            return
        if message["type"] == "http.response.start":
            self._begun = True
            if "text/event-stream" in Headers(raw=message["headers"]).get("content-type", ""):
                self.left()
        await self.send(message)

    def withhold(self) -> bool:
        """Let nothing through from now on, unless it has begun."""
        self._withheld = not self._begun
        return self._withheld

    def left(self) -> None:
        if self._counted:
            self._counted = False
            self._leave()


def _digest(authorization: str | None) -> bytes:
    return sha256((authorization or "").encode()).digest()


def _require(wait: float) -> None:
    if wait > 0:
        raise Problem("too-many-requests", headers={"Retry-After": str(ceil(wait))})

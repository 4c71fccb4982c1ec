"""How often something is tried, and how long is waited between: decided here, done by a client.

- Tried again is what may be sent twice, when nothing was answered or the answer says "later"; and
  what was never sent at all.
- Waits grow, and each is drawn anew between nothing and its most ("full jitter"), so that many
  clients do not come back at once. A `Retry-After` is kept to.
- The whole has an end: when the next wait would go beyond it, what happened last is raised.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx2

from engine.client.call import Call, Reply
from engine.client.problems import (
    Busy,
    ClientError,
    Conflict,
    Problem,
    StillRunning,
    TooManyRequests,
    UnexpectedAnswer,
    Unreachable,
    problem,
)

T = TypeVar("T")

NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
LATER = frozenset({408, 429, 502, 503, 504})
NOT_BEGUN = (Busy, TooManyRequests)
"""Nothing was done with it, whatever it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a call may last, in seconds. `total` includes its repeats.

    `silence` is how long one attempt may go without a sign of life; `first` and `longest` are the
    bounds of the waits.
    """

    total: float = 30.0
    silence: float = 10.0
    first: float = 0.1
    longest: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a client takes from outside: chance below 1, seconds that only grow, and new keys."""

    chance: Callable[[], float]
    monotonic: Callable[[], float]
    new_key: Callable[[], str]


class Attempts:
    """The attempts at one call."""

    def __init__(self, call: Call[Any], patience: Patience, world: World) -> None:
        self._call = call
        self._patience = patience
        self._world = world
        self._until = world.monotonic() + patience.total
        self._failed = 0

    @property
    def timeout(self) -> float:
        """How long the next attempt may go without a sign of life."""
        return max(0.001, min(self._patience.silence, self._left))

    def check(self) -> None:
        """Raises httpx2.ReadTimeout when an answer is still coming in at the end of the time."""
        if self._left <= 0:
            raise httpx2.ReadTimeout("the answer is longer than the time for it")

    def failed(self, error: httpx2.RequestError) -> float:
        """How long to wait when nothing was answered. Raises Unreachable when that was the last."""
        wait = self._wait()
        if wait is None or not (self._call.repeatable or isinstance(error, NEVER_SENT)):
            raised = Unreachable(f"no answer ({type(error).__name__})")
            raise self._keyed(raised) from error
        return wait

    def answered(self, reply: Reply) -> float | None:
        """How long to wait before the next attempt; None when this is the answer.

        Raises the answer's Problem, or UnexpectedAnswer, when it is one and is the last.
        """
        if 200 <= reply.status < 300:
            return None
        asked = _retry_after(reply.headers)
        found = _error(reply, asked)
        wait = self._wait(asked) if self._may_follow(reply.status, found) else None
        if wait is None:
            raise self._keyed(found)
        return wait

    def read(self, call: Call[T], reply: Reply) -> T:
        """The answer as a value. Raises UnexpectedAnswer, naming the member that is wrong."""
        try:
            return call.answer(reply)
        except (ValueError, RecursionError) as wrong:
            why = "no JSON" if isinstance(wrong, json.JSONDecodeError) else str(wrong)
            raised = UnexpectedAnswer(f"an answer of another shape: {why}", status=reply.status)
            raise self._keyed(raised) from None

    @property
    def _left(self) -> float:
        return self._until - self._world.monotonic()

    def _may_follow(self, status: int, found: ClientError) -> bool:
        later = (
            status in LATER
            or isinstance(found, StillRunning)
            or (isinstance(found, Conflict) and found.retriable)
        )
        return later and (self._call.repeatable or isinstance(found, NOT_BEGUN))

    def _wait(self, asked: float | None = None) -> float | None:
        """How long to wait before another attempt, or None when there is no time for one."""
        most = min(self._patience.longest, self._patience.first * 2**self._failed)
        self._failed += 1
        wait = self._world.chance() * most + (asked or 0)
        return wait if wait < self._left else None

    def _keyed(self, error: ClientError) -> ClientError:
        error.key = self._call.key
        return error


def _error(reply: Reply, wait: float | None) -> Problem | UnexpectedAnswer:
    """What an answer that is no success says."""
    if reply.headers.get("content-type", "").startswith("application/problem+json"):
        try:
            document = reply.json()
        except (ValueError, RecursionError):
            document = None
        if isinstance(document, dict):
            return problem(document, status=reply.status, wait=wait)
    return UnexpectedAnswer(
        f"status {reply.status} without a problem document", status=reply.status
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, as said; a date is read against the date of the answer itself."""
    said = headers.get("retry-after", "")
    if said.isdecimal():
        return float(said)
    try:
        span = parsedate_to_datetime(said) - parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):
        return None
    return max(0.0, span.total_seconds())

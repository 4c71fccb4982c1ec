"""Review work: queues of what somebody else has to look at, page by page.

A queue is a list of records; a sign-off is an event, `course.reviewed`, sent like every other.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from engine.core.encoding import Json, canonical, instant_from, instant_text
from engine.core.record import Record
from engine.core.review import QUEUES, Item, Queue
from engine.core.wire import IDENTIFIER
from engine.errors import InvalidInput

PAGE, MOST = 50, 200
"""How many items a page has where nobody says, and at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an item stands in its queue."""

    recorded_at: datetime
    course: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An open item with the record that it is of."""

    site: str
    item: Item
    record: Record

    @property
    def place(self) -> Place:
        return Place(
            recorded_at=self.item.recorded_at, course=self.record.course, seq=self.item.seq
        )

    def json(self) -> dict[str, Json]:
        """The item as it is shown: whose doing, what it was, and what kept it or was passed."""
        event = json.loads(self.record.body)["event"]
        decision = json.loads(self.record.body)["decision"]
        return {
            "queue": self.item.queue.value,
            "course": self.record.course,
            "site": self.site,
            "record": self.record.seq,
            "event": self.record.event,
            "verdict": self.record.verdict,
            "at": None if self.record.at is None else instant_text(self.record.at),
            "recorded_at": instant_text(self.record.recorded_at),
            "actor": event["actor"],
            "reason": (event.get("reason") or {}).get("code"),
            "refused_because": decision.get("reason"),
            "guards": guards_of(decision, self.item.queue),
            "outcome": self.item.outcome,
            "reviewed_by": self.item.reviewed_by,
            "reviewers": list(self.item.reviewers),
        }


class Queues(Protocol):
    """Where queues are read."""

    def page(
        self,
        tenant: str,
        queue: Queue,
        *,
        sites: frozenset[str] | None,
        workflow: str | None,
        after: Place | None,
        limit: int,
    ) -> Sequence[Candidate]:
        """Open items of a queue, the oldest record first; `workflow` is its name alone."""

    def counts(
        self, tenant: str, *, sites: frozenset[str] | None, workflow: str | None, most: int
    ) -> Mapping[Queue, int]:
        """How many open items each queue has, up to a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some items of a queue; `cursor` asks for those behind them, where there are more."""

    items: tuple[Candidate, ...]
    cursor: str | None

    def json(self) -> dict[str, Json]:
        return {"items": [one.json() for one in self.items], "next": self.cursor}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviews:
    """One tenant's review queues."""

    queues: Queues
    tenant: str

    def page(
        self,
        queue: Queue,
        *,
        sites: frozenset[str] | None = None,
        workflow: str | None = None,
        cursor: str | None = None,
        limit: int = PAGE,
    ) -> Page:
        """A page of a queue. Raises InvalidInput for a limit or a cursor that cannot be."""
        if not 1 <= limit <= MOST:
            raise InvalidInput("limit", f"a whole number from 1 to {MOST}")
        after = None if cursor is None else _place(queue, cursor)
        found = self.queues.page(
            self.tenant, queue, sites=sites, workflow=workflow, after=after, limit=limit + 1
        )
        items = tuple(found[:limit])
        more = len(found) > limit
        return Page(items=items, cursor=_cursor(queue, items[-1].place) if more else None)

    def behind(
        self, queue: Queue, record: Record, *, sites: frozenset[str] | None = None
    ) -> Candidate | None:
        """The open item of a queue that comes after a record, whether or not that is in it."""
        after = Place(recorded_at=record.recorded_at, course=record.course, seq=record.seq)
        found = self.queues.page(
            self.tenant, queue, sites=sites, workflow=None, after=after, limit=1
        )
        return next(iter(found), None)

    def counts(
        self, *, sites: frozenset[str] | None = None, workflow: str | None = None
    ) -> dict[Queue, tuple[int, bool]]:
        """How many open items each queue has, up to a page's most, and whether there are more."""
        found = self.queues.counts(self.tenant, sites=sites, workflow=workflow, most=MOST + 1)
        return {queue: (min(found[queue], MOST), found[queue] > MOST) for queue in QUEUES}


def guards_of(decision: Mapping[str, Any], queue: Queue) -> list[str]:
    """The guards that an override passed, or that kept a refused request out, each once."""
    if queue is Queue.OVERRIDE:
        named = [one["guard"] for one in decision.get("weighed", ()) if one.get("passed")]
    else:
        attempts = decision.get("attempts", ())
        named = [one["guard"] for attempt in attempts for one in attempt["kept_by"]]
    return list(dict.fromkeys(named))


def _cursor(queue: Queue, place: Place) -> str:
    said = {
        "queue": queue.value,
        "after": [instant_text(place.recorded_at), place.course, place.seq],
    }
    return urlsafe_b64encode(canonical(said)).decode().rstrip("=")


def _place(queue: Queue, text: str) -> Place:
    wrong = InvalidInput("cursor", f"the `next` of a page of {queue.value}")
    try:
        said = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        of, (at, course, seq) = said["queue"], said["after"]
        recorded_at = instant_from(at)
    except (NotBase64, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        raise wrong from None
    named = isinstance(course, str) and IDENTIFIER.fullmatch(course)
    if of != queue.value or not named or type(seq) is not int or not 0 < seq < 2**31:
        raise wrong
    return Place(recorded_at=recorded_at, course=course, seq=seq)

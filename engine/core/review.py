"""What somebody else made of a record that is to be looked at.

- A record is in a queue for each cause: a deviation, an override, a refusal, a late entry, an open
  finding. What is in several is signed off in each, or in all of them at once.
- What was escalated stays in its queue for another one to look at. An open finding leaves its queue
  when it is disposed of, which is another event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from engine.core.event import Review
from engine.core.wire import free_text, members, shown, whole
from engine.errors import InvalidInput


class Queue(StrEnum):
    """Why a record has to be looked at. Stored: never rename a value."""

    OPEN_FINDING = "open-finding"
    DEVIATION = "deviation"
    OVERRIDE = "override"
    LATE_ENTRY = "late-entry"
    REFUSAL = "refusal"


QUEUES: Mapping[Queue, str] = {
    Queue.OPEN_FINDING: "corrections and late entries with which decisions would be different",
    Queue.DEVIATION: "reports of what a guard would have said no to",
    Queue.OVERRIDE: "requirements that were passed by an override",
    Queue.LATE_ENTRY: "what was entered after something later, or more than a day late",
    Queue.REFUSAL: "requests that were refused",
}
"""What each queue holds, the most pressing first."""

SIGNED_OFF = tuple(queue for queue in Queue if queue is not Queue.OPEN_FINDING)
"""The queues whose items are signed off; of a finding one disposes."""

ACCEPTED, ACTED_ON, ESCALATED = "accepted", "acted-on", "escalated"
OUTCOMES: Mapping[str, str] = {
    ACCEPTED: "it stands as it is",
    ACTED_ON: "something was done about it, which the comment says",
    ESCALATED: "another one has to look at it: it stays in its queue",
}
"""What may come of a review. Stored: never rename a value."""
DISPOSED_OF = "disposed"
"""The outcome of a finding that is open no more. Stored: never rename it."""

COMMENT = "data.comment"
"""Where a sign-off has its text, which can be erased."""
MEMBERS = ("record", "outcome", "queue", "comment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A record in a queue. `outcome` is that of the last sign-off, which is record `reviewed_by`.

    `reviewers` are the actors of all its sign-offs, in their order.
    """

    seq: int
    queue: Queue
    recorded_at: datetime
    open: bool = True
    outcome: str | None = None
    reviewed_by: int | None = None
    reviewers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How far a record had been signed off for whoever signs it off now: by `reviewed_by` last.

    That is of one queue, or of all that the record is in.
    """

    reviewed_by: int | None
    queue: str | None = None

    def of(self, items: Iterable[Item]) -> list[Item]:
        """The items that were looked at."""
        return [one for one in items if self.queue in (None, one.queue)]


def review_of(raw: object, *, sealed: bool) -> Review:
    """The typed data of a sign-off. Raises InvalidInput, naming the member."""
    sent: dict[str, Any] = members({} if raw is None else raw, "data", MEMBERS, MEMBERS[:2])
    outcome, queue = sent["outcome"], sent.get("queue")
    if outcome not in OUTCOMES:
        raise InvalidInput("data.outcome", f"one of {', '.join(OUTCOMES)}", found=shown(outcome))
    if "queue" in sent and queue not in SIGNED_OFF:
        expected = f"one of {', '.join(SIGNED_OFF)}"
        raise InvalidInput("data.queue", expected, found=shown(queue))
    if "comment" in sent:
        free_text(sent["comment"], COMMENT, sealed=sealed)
    if outcome == ACTED_ON and "comment" not in sent:
        raise InvalidInput(COMMENT, "what was done, but it is absent")
    return Review(record=whole(sent["record"], "data.record", 1), outcome=outcome, queue=queue)


def meant(items: Iterable[Item], review: Review) -> list[Item]:
    """The items of a record that a sign-off is of; a finding is never among them."""
    queues = SIGNED_OFF if review.queue is None else (review.queue,)
    return [one for one in items if one.queue in queues]


def last_sign_off(items: Iterable[Item]) -> int | None:
    """The record that last signed off what these are of: what whoever looks at them has seen."""
    return max((one.reviewed_by for one in items if one.reviewed_by is not None), default=None)


def signed_off(item: Item, review: Review, *, by: str, seq: int) -> Item:
    """An item after a sign-off; what is escalated waits for another one."""
    return replace(
        item,
        open=review.outcome == ESCALATED,
        outcome=review.outcome,
        reviewed_by=seq,
        reviewers=(*item.reviewers, by),
    )


def settled(item: Item, *, by: int) -> Item:
    """A finding that is open no more: disposed of by a record, or overtaken by it."""
    return replace(item, open=False, outcome=DISPOSED_OF, reviewed_by=by)

"""Review queues: what somebody else has to look at, and what they make of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from engine.client.call import Call, Part, get, members, one, part, path, query
from engine.client.documents import Answer
from engine.client.event import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewQueue:
    """A queue, and how many records are in it: with `more`, at least so many."""

    queue: str
    title: str
    count: int
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem:
    """A record that is to be looked at; `guards` were passed by an override, or kept it out.

    `outcome` is that of the last sign-off, which the record `reviewed_by` holds: it was escalated.
    """

    queue: str
    course: str
    site: str
    record: int
    event: str
    verdict: str
    at: datetime | None
    recorded_at: datetime
    actor: Actor
    reason: str | None
    refused_because: str | None
    guards: tuple[str, ...]
    outcome: str | None
    reviewed_by: int | None
    reviewers: tuple[str, ...]


def reviews(
    *, site: str | tuple[str, ...] | None = None, workflow: str | None = None
) -> Call[tuple[ReviewQueue, ...]]:
    """Every review queue with how many records are in it."""
    asked = query(site=site, workflow=workflow)
    return get("/v1/review", members(ReviewQueue, "queues"), asked)


def review(
    queue: str,
    *,
    site: str | tuple[str, ...] | None = None,
    workflow: str | None = None,
    page: int = 50,
    cursor: str | None = None,
) -> Call[Part[ReviewItem]]:
    """The records of a review queue, such as `deviation`, the oldest first."""

    def rest(place: str) -> Call[Part[ReviewItem]]:
        return review(queue, site=site, workflow=workflow, page=page, cursor=place)

    return get(
        path("/v1/review/{queue}", queue=queue),
        part(ReviewItem, "items", rest),
        query(site=site, workflow=workflow, limit=page, cursor=cursor),
    )


def sign_off(
    item: ReviewItem,
    outcome: Literal["accepted", "acted-on", "escalated"],
    *,
    actor: Actor,
    comment: str | None = None,
    id: str | None = None,  # noqa: A002  # the word of the event
) -> Call[Answer]:
    """Sign off a record in its queue. It stays in the others that it is in.

    The same sign-off again, by its id, gets the same answer. Where somebody else has signed the
    record off since the item was read, a problem is raised and nothing is recorded.
    """
    body: dict[str, Any] = {
        "actor": {"id": actor.id, "role": actor.role},
        "record": item.record,
        "queue": item.queue,
        "outcome": outcome,
        "reviewed_by": item.reviewed_by,
    }
    named = {"comment": comment, "id": id}
    return Call(
        method="POST",
        path=path("/v1/courses/{course}/reviews", course=item.course),
        answer=one(Answer),
        body=body | {name: value for name, value in named.items() if value is not None},
        keyed=True,
    )

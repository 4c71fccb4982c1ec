"""Review queues: what somebody else has to look at. A sign-off is an event, `course.reviewed`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.client.call import Call, Part, get, members, part, path, query
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


def reviews(*, site: str | tuple[str, ...] | None = None) -> Call[tuple[ReviewQueue, ...]]:
    """Every review queue with how many records are in it."""
    return get("/v1/review", members(ReviewQueue, "queues"), query(site=site))


def review(
    queue: str,
    *,
    site: str | tuple[str, ...] | None = None,
    page: int = 50,
    cursor: str | None = None,
) -> Call[Part[ReviewItem]]:
    """The records of a review queue, such as `deviation`, the oldest first."""
    where = path("/v1/review/{queue}", queue=queue)
    return get(
        where,
        part(ReviewItem, "items", lambda place: review(queue, site=site, page=page, cursor=place)),
        query(site=site, limit=page, cursor=cursor),
    )

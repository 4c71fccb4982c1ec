"""The types of what is answered of review queues, for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.core.review import Queue
from engine.web.schemas import Shape


class QueueLine(Shape):
    """A queue, and how many records are in it: with `more`, at least so many."""

    queue: Queue
    title: str
    count: int
    more: bool


class QueueIndex(Shape):
    """Every review queue, the most pressing first."""

    queues: list[QueueLine]


class ReviewActor(Shape):
    """Who acted in the record."""

    id: str
    role: str


class ReviewItem(Shape):
    """A record that is to be looked at; `guards` were passed by an override, or kept it out."""

    queue: Queue
    course: str
    site: str
    record: int
    event: str
    verdict: str
    at: str | None
    recorded_at: str
    actor: ReviewActor
    reason: Annotated[str | None, Field(description="The code of its reason.")]
    refused_because: str | None
    guards: list[str]
    outcome: Annotated[str | None, Field(description="Of the last sign-off: it was escalated.")]
    reviewed_by: Annotated[int | None, Field(description="The record of that.")]
    reviewers: list[str]


class ReviewItemList(Shape):
    """A page of a queue."""

    items: list[ReviewItem]
    next: Annotated[str | None, Field(description="The `cursor` of the next page.")]

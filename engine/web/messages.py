"""What the routes of the feed and of webhooks answer with, for the OpenAPI document."""

from __future__ import annotations

from engine.web.schemas import Shape


class EntryDocument(Shape):
    """A message: what to ask about, and nothing of what happened."""

    position: int
    course: str
    seq: int
    n: int
    kind: str
    recorded_at: str


class FeedPage(Shape):
    """Messages in order. Ask again with `after` set to `next`; `more` says that there is more."""

    entries: list[EntryDocument]
    next: int
    more: bool


class EndpointDocument(Shape):
    """Where webhooks are sent; `kinds` is empty for every kind."""

    id: str
    url: str
    kinds: list[str]
    position: int
    created_at: str
    disabled_at: str | None
    disabled_why: str | None


class EndpointLine(EndpointDocument):
    """With how many messages are due to it or were given up."""

    due: int
    given_up: int


class EndpointList(Shape):
    """Oldest first."""

    endpoints: list[EndpointLine]


class EndpointSecret(EndpointDocument):
    """With the secret that its messages are signed with, which is shown this once."""

    secret: str


class PingDocument(Shape):
    """What became of a test message: the status, or the trouble in place of one."""

    endpoint: str
    accepted: bool
    answered: str


class DeliveryDocument(Shape):
    """A message to an endpoint; its id is its webhook-id.

    `next_at` is when it is tried next. While it waits for an earlier one of its course none of the
    three times is set.
    """

    id: str
    endpoint: str
    position: int
    course: str
    seq: int
    n: int
    kind: str
    recorded_at: str
    attempts: int
    answered: str | None
    next_at: str | None
    delivered_at: str | None
    dead_at: str | None


class DeliveryList(Shape):
    """Newest first; `next` is the `before` of the next page."""

    deliveries: list[DeliveryDocument]
    next: int | None


class DeadLetterList(Shape):
    """Messages that were given up, oldest first."""

    dead_letters: list[DeliveryDocument]


class ReplayedDocument(Shape):
    """How many messages are sent again."""

    replayed: int

"""What was said of courses: the feed, and the endpoints that it is sent to as webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from engine.client.call import Call, Part, Reply, get, members, one, path, query
from engine.client.reading import read


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A message: what to ask about, and nothing of what happened."""

    position: int
    course: str
    seq: int
    n: int
    kind: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """Messages in order. Keep `next` once they are dealt with: it is where to go on from."""

    entries: tuple[Entry, ...]
    next: int
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where webhooks are sent; `kinds` is empty for every kind."""

    id: str
    url: str
    kinds: tuple[str, ...]
    position: int
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointLine(Endpoint):
    """An endpoint, with how many messages are due to it or were given up."""

    due: int
    given_up: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSecret(Endpoint):
    """An endpoint that was just made: `secret` signs its messages, and is told this once."""

    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """What became of a test message: the status, or the trouble in place of one."""

    endpoint: str
    accepted: bool
    answered: str


def feed(*, after: int = 0, page: int = 100) -> Call[Part[FeedPage]]:
    """What was said after a position, page by page, without a gap, up to the present."""

    def found(reply: Reply) -> Part[FeedPage]:
        read_page = read(FeedPage, reply.json())
        rest = feed(after=read_page.next, page=page) if read_page.more else None
        return Part(items=(read_page,), rest=rest)

    return get("/v1/feed", found, query(after=after, limit=page))


def endpoints() -> Call[tuple[EndpointLine, ...]]:
    """Where webhooks are sent, and what is due there or was given up."""
    return get("/v1/endpoints", members(EndpointLine, "endpoints"))


def add_endpoint(url: str, *, kinds: Sequence[str] = ()) -> Call[EndpointSecret]:
    """Send what is said from now on to a URL. Sent twice, there are two endpoints."""
    body = {"url": url, "kinds": list(kinds)}
    answer = one(EndpointSecret)
    return Call(method="POST", path="/v1/endpoints", answer=answer, body=body, repeatable=False)


def ping_endpoint(endpoint: str) -> Call[Ping]:
    """Send a test message at once, and say what was answered."""
    where = path("/v1/endpoints/{endpoint}/ping", endpoint=endpoint)
    return Call(method="POST", path=where, answer=one(Ping))


def remove_endpoint(endpoint: str) -> Call[None]:
    """Forget an endpoint and all that was on its way to it."""
    where = path("/v1/endpoints/{endpoint}", endpoint=endpoint)
    return Call(method="DELETE", path=where, answer=lambda _: None)

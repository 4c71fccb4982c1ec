"""Where messages are sent: registered, disabled, signed with another secret, forgotten.

A secret is shown once, when it is made. It is stored as it is, since messages are signed with it:
whoever reads the database can sign.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from engine.core.encoding import Json, instant_text
from engine.errors import EndpointNotFound, InvalidInput
from engine.feed import Feed
from engine.log_entry import Entry, Logged
from engine.messages import Delivery, Endpoint, Secret
from engine.ports import Clock
from engine.store.deliveries import SqlDeliveries
from engine.store.webhooks import SqlWebhooks
from engine.webhooks import signature
from engine.webhooks.addresses import Guard
from engine.webhooks.reply import Reply, Sender

PING = "webhook.ping"
OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=30)
MOST_ENDPOINTS = 100
MOST_KINDS = 50
LARGEST_PAGE = 1000
BEYOND = 2**63 - 1

Chance = Callable[[int], bytes]
"""So many bytes that nobody can guess."""


Told = Callable[[Logged, Mapping[str, Json]], Entry]
"""Makes the row of the access log that says who did something to what."""


class Webhooks:
    """The endpoints of one tenant.

    With `told` a change and its row of the access log are written, both or neither.
    """

    def __init__(
        self,
        *,
        store: SqlWebhooks,
        deliveries: SqlDeliveries,
        feed: Feed,
        clock: Clock,
        guard: Guard,
        sender: Sender,
        chance: Chance,
    ) -> None:
        self._store = store
        self._deliveries = deliveries
        self._feed = feed
        self._clock = clock
        self._guard = guard
        self._sender = sender
        self._chance = chance
        self.tenant = feed.tenant

    def register(
        self, url: str, kinds: Sequence[str] = (), *, told: Told | None = None
    ) -> tuple[Endpoint, str]:
        """Send what is said from now on to a URL, or only messages of some kinds.

        Gives the endpoint and its secret, which nobody is shown again. Raises InvalidInput for a
        URL that may not be sent to.
        """
        self._guard.require(url)
        wanted = _kinds(kinds)
        if len(self.endpoints()) >= MOST_ENDPOINTS:
            raise InvalidInput("url", f"at most {MOST_ENDPOINTS} endpoints: remove one first")
        self._feed.sequence()
        secret = signature.secret(self._chance(signature.SECRET_BYTES))
        endpoint = Endpoint(
            id=f"ep_{self._chance(12).hex()}",
            url=url,
            kinds=wanted,
            secrets=(Secret(text=secret),),
            position=self._feed.head(),
            created_at=self._clock.now(),
        )
        entries = _entries(told, Logged.ENDPOINT_CREATED, endpoint.id)
        self._store.add(self.tenant, endpoint, entries)
        return endpoint, secret

    def endpoints(self) -> Sequence[Endpoint]:
        """Every endpoint, oldest first."""
        return self._store.all(self.tenant)

    def endpoint(self, id: str) -> Endpoint:  # noqa: A002  # its word
        """One endpoint. Raises EndpointNotFound, as do all that name one."""
        found = self._store.find(self.tenant, id)
        if found is None:
            raise EndpointNotFound(id)
        return found

    def standing(self) -> Mapping[str, tuple[int, int]]:
        """How many messages are due to an endpoint or were given up, where there are any."""
        return self._deliveries.standing(self.tenant)

    def disable(self, id: str, *, told: Told | None = None) -> Endpoint:  # noqa: A002  # its word
        """Send it nothing; what is said meanwhile waits for it."""
        entries = _entries(told, Logged.ENDPOINT_CHANGED, id, how="disabled")
        if not self._store.disable(self.tenant, id, self._clock.now(), "asked", entries):
            raise EndpointNotFound(id)
        return self.endpoint(id)

    def enable(self, id: str, *, told: Told | None = None) -> Endpoint:  # noqa: A002  # its word
        """Send to it again, beginning with what waited for it."""
        self._guard.require(self.endpoint(id).url)
        entries = _entries(told, Logged.ENDPOINT_CHANGED, id, how="enabled")
        if not self._store.enable(self.tenant, id, entries):
            raise EndpointNotFound(id)
        return self.endpoint(id)

    def rotate(
        self,
        id: str,  # noqa: A002  # its word
        overlap: timedelta = OVERLAP,
        *,
        told: Told | None = None,
    ) -> str:
        """Another secret, which is shown once; the one before signs too until the overlap ends."""
        if not timedelta() <= overlap <= LONGEST_OVERLAP:
            raise InvalidInput("overlap", f"from 0 to {LONGEST_OVERLAP.days} days")
        text = signature.secret(self._chance(signature.SECRET_BYTES))
        now = self._clock.now()
        entries = _entries(told, Logged.ENDPOINT_CHANGED, id, how="rotated")
        new = Secret(text=text)
        if not self._store.renew(self.tenant, id, new, now, overlap=overlap, entries=entries):
            raise EndpointNotFound(id)
        return text

    def remove(self, id: str, *, told: Told | None = None) -> None:  # noqa: A002  # its word
        """Forget an endpoint and all that was on its way to it."""
        if not self._store.remove(self.tenant, id, _entries(told, Logged.ENDPOINT_REMOVED, id)):
            raise EndpointNotFound(id)

    def ping(self, id: str) -> Reply:  # noqa: A002  # its word
        """Send a test message at once, signed as all are; what was answered. It is sent once."""
        endpoint = self.endpoint(id)
        now = self._clock.now()
        body = _body(PING, now, {"tenant": self.tenant})
        name = f"{endpoint.id}_ping{self._chance(8).hex()}"
        return self._sender.send(endpoint.url, body, signed(endpoint, name, now, body))

    def deliveries(
        self,
        id: str,  # noqa: A002  # its word
        limit: int = 100,
        before: int = BEYOND,
    ) -> Sequence[Delivery]:
        """What was sent or is to be sent to an endpoint, newest first."""
        _require(limit)
        self.endpoint(id)
        return self._deliveries.deliveries(self.tenant, id, before, limit)

    def dead_letters(self, limit: int = 100) -> Sequence[Delivery]:
        """Messages that were given up, oldest first."""
        _require(limit)
        return self._deliveries.dead(self.tenant, limit)

    def replay(self, letter: str, *, told: Told | None = None) -> None:
        """Send a message again that was given up, by its webhook-id. Raises EndpointNotFound."""
        endpoint, mark, position = letter.rpartition("_")
        number = int(position) if position.isascii() and position.isdigit() else 0
        if not (mark and 0 < number < BEYOND):
            raise EndpointNotFound(letter, "dead letter")
        entries = _entries(told, Logged.MESSAGES_REPLAYED, endpoint, position=number)
        now = self._clock.now()
        if not self._deliveries.replay(self.tenant, now, endpoint, number, entries=entries):
            raise EndpointNotFound(letter, "dead letter")

    def replay_all(self, id: str | None = None, *, told: Told | None = None) -> int:  # noqa: A002  # its word
        """Send all again that was given up, or what was to one endpoint; how many messages."""
        if id is not None:
            self.endpoint(id)
        entries = _entries(told, Logged.MESSAGES_REPLAYED, id)
        return self._deliveries.replay(self.tenant, self._clock.now(), id, entries=entries)


def body_of(tenant: str, delivery: Delivery) -> bytes:
    """What is sent: ids and numbers, the same at each attempt."""
    data: dict[str, str | int] = {
        "tenant": tenant,
        "course": delivery.course,
        "seq": delivery.seq,
        "n": delivery.n,
        "position": delivery.position,
    }
    return _body(delivery.kind, delivery.recorded_at, data)


def signed(endpoint: Endpoint, name: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers of a message, with a signature by each secret that is good now."""
    good = [one.text for one in endpoint.secrets if one.until is None or one.until > now]
    return dict(signature.headers(name, now, body, good))


def _body(kind: str, at: datetime, data: dict[str, str | int]) -> bytes:
    said = {"type": kind, "timestamp": instant_text(at), "data": data}
    return json.dumps(said, separators=(",", ":")).encode()


def _entries(
    told: Told | None, action: Logged, endpoint: str | None, **more: str | int
) -> Sequence[Entry]:
    return () if told is None else (told(action, {"endpoint": endpoint, **more}),)


def _kinds(kinds: Sequence[str]) -> tuple[str, ...]:
    if len(kinds) > MOST_KINDS or not all(_KIND.fullmatch(one) for one in kinds):
        raise InvalidInput("kinds", f"at most {MOST_KINDS} kinds such as course.changed")
    return tuple(dict.fromkeys(kinds))


def _require(limit: int) -> None:
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidInput("limit", f"a whole number from 1 to {LARGEST_PAGE}")


_KIND = re.compile(r"[A-Za-z0-9_.-]{1,100}")

"""The way of messages to their endpoints, by any number of workers at once.

A worker puts in order what waits in the outbox, makes it due to each endpoint, takes what is due in
hand for a while, sends it and notes what came of it. A worker that dies at any moment loses
nothing: what was not noted is sent again once its lease has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from engine.errors import StoreUnavailable
from engine.feed import Feed
from engine.logs import log
from engine.messages import Delivery, Endpoint, Sent
from engine.ports import Clock
from engine.store.deliveries import SqlDeliveries
from engine.store.webhooks import SqlWebhooks
from engine.webhooks import endpoints as words
from engine.webhooks.reply import SECONDS, Reply, Sender
from engine.webhooks.schedule import GONE, outcome

AT_ONCE = 20
"""How many courses' messages to an endpoint are taken in hand together."""

LEASE = 4
"""For how long deliveries are in hand, in times that an endpoint may take to answer."""

SPARE = 2
"""What must be left of that when a message is sent, so that it ends after the answer."""

ROUND = timedelta(seconds=10)
"""After how long a worker turns to other work, with more to send or not."""

ENDPOINTS_AT_ONCE = 4
PASSED_AT_ONCE = 1000

KEPT = timedelta(days=30)
"""For how long it is known what was delivered when; what was given up is kept."""

FORGOTTEN_AT_ONCE = 1000
STEPS = 10
"""How many times so many are forgotten in a round at most."""

OF_THE_ENDPOINT = (408, 429)
"""Like a status from 500 on, these say that the endpoint, not the message, is in trouble."""


class Dispatcher:
    """Delivers the messages of one tenant.

    `chance` is a number from 0 to 1, another each time; `seconds` is by when the sender gives up,
    `kept` after how long what was delivered is forgotten.
    """

    def __init__(
        self,
        *,
        store: SqlWebhooks,
        deliveries: SqlDeliveries,
        feed: Feed,
        clock: Clock,
        sender: Sender,
        chance: Callable[[], float],
        seconds: float = SECONDS,
        kept: timedelta = KEPT,
    ) -> None:
        self._store = store
        self._deliveries = deliveries
        self._feed = feed
        self._clock = clock
        self._sender = sender
        self._chance = chance
        self._lease = timedelta(seconds=LEASE * seconds)
        self._kept = kept
        self._spare = timedelta(seconds=SPARE * seconds)
        self.tenant = feed.tenant

    def run_once(self, stop: Callable[[], bool] = lambda: False) -> Sent:
        """Send what is due now, each endpoint on its own; the message in hand is finished.

        An endpoint in trouble is left alone for the rest of the round, and keeps nobody else
        waiting. Raises StoreUnavailable.
        """
        done = Sent(sequenced=self._feed.sequence())
        self._forget(stop)
        open_ = [one for one in self._store.all(self.tenant) if one.disabled_at is None]
        if not open_ or stop():
            return done
        with ThreadPoolExecutor(ENDPOINTS_AT_ONCE, "webhooks") as pool:
            return sum(pool.map(lambda endpoint: self._served(endpoint, stop), open_), done)

    def _forget(self, stop: Callable[[], bool]) -> None:
        before = self._clock.now() - self._kept
        for _ in range(STEPS):
            if stop():
                return
            if self._deliveries.prune(self.tenant, before, FORGOTTEN_AT_ONCE) < FORGOTTEN_AT_ONCE:
                return

    def _served(self, endpoint: Endpoint, stop: Callable[[], bool]) -> Sent:
        """As `_serve`; an endpoint that cannot be served must not stop the others."""
        try:
            return self._serve(endpoint, stop)
        except StoreUnavailable:
            raise
        except Exception as wrong:  # noqa: BLE001  # a lost race, or a damaged row
            log.error("webhooks_failed", endpoint=endpoint.id, error=type(wrong).__name__)
            return Sent()

    def _serve(self, endpoint: Endpoint, stop: Callable[[], bool]) -> Sent:
        self._deliveries.enqueue(self.tenant, endpoint.id, self._clock.now(), PASSED_AT_ONCE)
        done = Sent()
        ends = self._clock.now() + ROUND
        while not stop() and self._clock.now() < ends:
            now = self._clock.now()
            until = now + self._lease
            held = self._deliveries.claim(self.tenant, endpoint.id, now, until, AT_ONCE)
            came, healthy = self._send_all(endpoint, held, until, stop)
            done += came
            if not held or not healthy:
                break
        return done

    def _send_all(
        self,
        endpoint: Endpoint,
        held: Sequence[Delivery],
        until: datetime,
        stop: Callable[[], bool],
    ) -> tuple[Sent, bool]:
        """What came of each, and whether the endpoint is well."""
        done = Sent()
        for number, delivery in enumerate(held):
            if stop() or self._clock.now() + self._spare > until:
                self._deliveries.release(self.tenant, held[number:])
                break
            reply = self._sent(endpoint, delivery)
            done += self._noted(endpoint, delivery, reply)
            if _in_trouble(reply):
                self._deliveries.release(self.tenant, held[number + 1 :])
                return done, False
        return done, True

    def _sent(self, endpoint: Endpoint, delivery: Delivery) -> Reply:
        body = words.body_of(self.tenant, delivery)
        headers = words.signed(endpoint, delivery.id, self._clock.now(), body)
        return self._sender.send(endpoint.url, body, headers)

    def _noted(self, endpoint: Endpoint, delivery: Delivery, reply: Reply) -> Sent:
        now = self._clock.now()
        came = outcome(delivery, reply, now, self._chance)
        if reply.status == GONE:
            self._store.disable(self.tenant, endpoint.id, now, "gone")
        self._deliveries.note(self.tenant, delivery, came)
        if came.delivered_at is not None:
            return Sent(delivered=1)
        log.warning(
            "webhook_given_up" if came.dead_at else "webhook_failed",
            endpoint=endpoint.id,
            course=delivery.course,
            position=delivery.position,
            attempts=delivery.attempts + 1,
            why=came.answered,
        )
        return Sent(dead=1) if came.dead_at else Sent(failed=1)


def _in_trouble(reply: Reply) -> bool:
    status = reply.status
    return status is None or status >= 500 or status in OF_THE_ENDPOINT or status == GONE

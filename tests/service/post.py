"""The webhooks of a bench's tenant, to receivers of this machine."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from ipaddress import ip_network

from engine.feed import Feed
from engine.messages import Sent
from engine.store.deliveries import SqlDeliveries
from engine.store.feed import SqlFeed
from engine.store.sql import SqlStore
from engine.store.webhooks import SqlWebhooks
from engine.webhooks.addresses import Guard
from engine.webhooks.dispatcher import Dispatcher
from engine.webhooks.endpoints import Webhooks
from engine.webhooks.reply import Sender
from engine.webhooks.sender import HttpSender
from tests.service.bench import Bench

HERE = Guard(allowed=(ip_network("127.0.0.0/8"),))


@dataclass
class Post:
    """Every wait is as long as it may be."""

    bench: Bench
    sender: Sender = field(default_factory=lambda: HttpSender(HERE, seconds=10))

    def __post_init__(self) -> None:
        store = self.bench.store
        assert isinstance(store, SqlStore)
        self.store = SqlWebhooks(store)
        self.deliveries = SqlDeliveries(store)
        clock = self.bench.clock
        self.feed = Feed(store=SqlFeed(store), tenant=self.bench.tenant, clock=clock)
        self.webhooks = self.made(HERE)
        self.dispatcher = self.another()

    def made(self, guard: Guard) -> Webhooks:
        """The endpoints, with another guard."""
        return Webhooks(
            store=self.store,
            deliveries=self.deliveries,
            feed=self.feed,
            clock=self.bench.clock,
            guard=guard,
            sender=self.sender,
            chance=secrets.token_bytes,
        )

    def another(self, sender: Sender | None = None) -> Dispatcher:
        """One more worker."""
        return Dispatcher(
            store=self.store,
            deliveries=self.deliveries,
            feed=self.feed,
            clock=self.bench.clock,
            sender=sender or self.sender,
            chance=lambda: 1.0,
        )

    def until_quiet(self) -> Sent:
        done = Sent()
        while (came := self.dispatcher.run_once()).delivered or came.failed:
            done += came
        return done

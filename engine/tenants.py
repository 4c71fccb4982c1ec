"""The tenants of one database: their use cases, and what is done for each in the background."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial

from engine.bootstrap import (
    canaries,
    dispatcher,
    guard_reports,
    installed,
    ledger,
    service_of,
    verifications,
    warn_of_old_sqlite,
    worker_of,
)
from engine.ledger import Ledger
from engine.service import Service
from engine.settings import Settings
from engine.store.operation import SqlOperation
from engine.store.sql import open_store
from engine.watching import Unwatched, Watch
from engine.webhooks.dispatcher import Dispatcher
from engine.worker import Job, Stop

SPARE = 6
"""Connections beside those of the threads that answer: of the four workers and the probes."""


class Services:
    """The use cases of every tenant of one database, made when first asked for.

    A tenant that is not known yet gets the workflows of the settings. There are as many connections
    as threads that answer, and `SPARE` for those beside them. Raises StoreUnavailable when the
    database cannot be used or is not migrated.
    """

    def __init__(self, settings: Settings, *, watch: Watch | None = None) -> None:
        self.settings = settings
        self._watch = watch or Unwatched()
        self.store = open_store(
            settings.database_url, pool_size=settings.traffic.threads, max_overflow=SPARE
        )
        self.operation = SqlOperation(self.store)
        self._known: dict[str, Service] = {}
        self._senders: dict[str, Dispatcher] = {}
        self._ledgers: dict[str, Ledger] = {}
        self._daily: dict[str, Daily] = {}
        self._making = threading.Lock()
        try:
            warn_of_old_sqlite(self.store)
            self.of(settings.tenant)
        except BaseException:
            self.close()
            raise

    def of(self, tenant: str) -> Service:
        """The use cases of a tenant; the same ones each time."""
        if (known := self._known.get(tenant)) is not None:
            return known
        with self._making:
            if tenant not in self._known:
                settings = replace(self.settings, tenant=tenant)
                registry = installed(settings, self.store)
                self._known[tenant] = service_of(settings, self.store, registry, self._watch)
            return self._known[tenant]

    def jobs(self) -> list[Job]:
        """What there is to do for every tenant that there is: its timers."""
        return [partial(_timers, self.of(tenant)) for tenant in self.operation.tenants()]

    def deliveries(self) -> list[Job]:
        """What there is to send for every tenant that there is: apart, so that no timer waits."""
        found: list[Job] = []
        for tenant in self.operation.tenants():
            if tenant not in self._senders:
                self._senders[tenant] = dispatcher(self.settings, self.of(tenant))
            found.append(partial(_messages, self._senders[tenant]))
        return found

    def sealing(self) -> list[Job]:
        """What there is to seal for every tenant that there is: nothing else waits for it."""
        found: list[Job] = []
        for tenant in self.operation.tenants():
            if tenant not in self._ledgers:
                self._ledgers[tenant] = ledger(self.settings, self.of(tenant))
            found.append(partial(_records, self._ledgers[tenant]))
        return found

    def exercise(self) -> list[Job]:
        """What is looked at daily of every tenant that there is, when that is due.

        The definitions in use are exercised, its guards counted, its whole log verified.
        """
        found: list[Job] = []
        for tenant in self.operation.tenants():
            if tenant not in self._daily:
                self._daily[tenant] = Daily(self.settings, self.of(tenant))
            found.append(self._daily[tenant])
        return found

    def close(self) -> None:
        """Let the connections go."""
        self.store.close()


class Daily:
    """What a worker looks at daily of one tenant; `sound` says of each flight how it ended."""

    def __init__(self, settings: Settings, service: Service) -> None:
        self._canaries = canaries(settings, service)
        self._guards = guard_reports(settings, service)
        self._verifications = verifications(settings, service)
        self._who = worker_of(service.tenant)
        self.sound: list[bool] = []

    def __call__(self, stop: Stop) -> None:
        """Do what is due, or until the stop."""
        self.sound += [one.sound for one in self._canaries.due(stop)]
        if not stop():
            self._guards.due(stop)
        if not stop():
            self._verifications.due(self._who, stop)


def _messages(dispatcher: Dispatcher, stop: Stop) -> None:
    while not stop() and dispatcher.run_once(stop).delivered:
        pass


def _records(ledger: Ledger, stop: Stop) -> None:
    ledger.seal(stop)


def _timers(service: Service, stop: Stop) -> None:
    while not stop() and service.tick():
        pass

"""What the routes work with: the use cases of a tenant, who is calling, and the limits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from fastapi import Request

from engine.access import Access
from engine.calendars import SharedCalendars
from engine.canaries import Canaries
from engine.clinic import Sites
from engine.core.definition import Workflow
from engine.feed import Feed
from engine.guard_report import GuardReports
from engine.ledger import Ledger
from engine.permission import Action, Caller
from engine.privacy import Privacy
from engine.review import Reviews
from engine.service import Service
from engine.sharing import Place
from engine.told import Told
from engine.verification import Verifications
from engine.web.limits import Rates
from engine.web.problems import Problem
from engine.web.sessions import Sessions
from engine.web.streams import Streams
from engine.webhooks.endpoints import Webhooks
from engine.worklist import Worklists


class Gate(Protocol):
    """Says who is calling and what they may do; what it denies, it notes."""

    def identify(self, authorization: str | None, *, peer: str | None) -> Caller:
        """The caller that an `Authorization` header names. Raises Problem when it names none."""

    def require(self, caller: Caller, action: Action, **about: str | None) -> None:
        """Raises Problem when the caller may not do this; `about` are the ids that it names."""

    def require_event(
        self, caller: Caller, action: Action, *, event: str, actor: str, role: str, course: str
    ) -> None:
        """Raises Problem when the caller may not send this event for this actor in this role."""

    def outside(self, caller: Caller, action: Action, **about: str | None) -> None:
        """Note that something at a site of others was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request may ask of the service; `body_seconds` is how long its body may take."""

    body_bytes: int = 128 * 1024
    body_seconds: float = 10
    depth: int = 24
    page: int = 500


class InHand:
    """The keys of the requests that are being answered, so that none is answered twice at once."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, ...]] = set()
        self._changing = threading.Lock()

    @contextmanager
    def one(self, *key: str) -> Iterator[None]:
        """Hold a key for a block. Raises Problem when somebody holds it."""
        with self._changing:
            if key in self._keys:
                raise Problem("still-running", detail="the first request is still being answered")
            self._keys.add(key)
        try:
            yield
        finally:
            with self._changing:
                self._keys.discard(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What is exchanged as FHIR rests on: where courses are, and what was told of them before."""

    places: Callable[[str, Sequence[str]], Mapping[str, Place]]
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Everything that routes may use. `services`, `sites`, `worklists`, `reviews`, `feeds` and
    `webhooks` are a tenant's.

    `workflows` are those that courses may be enrolled in; `ledgers` are tenants', where records are
    sealed, `canaries` where definitions are exercised, `guards` where guards are counted, and
    `verifications` where the whole log is verified; `access` manages tokens, `calendars`
    those that are shared, `exchange` is for FHIR, `privacy` for erasures of a tenant; each where
    there is any.
    """

    services: Callable[[str], Service]
    sites: Callable[[str], Sites]
    worklists: Callable[[str], Worklists]
    reviews: Callable[[str], Reviews]
    feeds: Callable[[str], Feed]
    webhooks: Callable[[str], Webhooks]
    workflows: tuple[Workflow, ...]
    gate: Gate
    now: Callable[[], datetime]
    ledgers: Callable[[str], Ledger] | None = None
    canaries: Callable[[str], Canaries] | None = None
    guards: Callable[[str], GuardReports] | None = None
    verifications: Callable[[str], Verifications] | None = None
    access: Access | None = None
    calendars: SharedCalendars | None = None
    exchange: Exchange | None = None
    privacy: Callable[[str], Privacy] | None = None
    limits: Limits = field(default_factory=Limits)
    in_hand: InHand = field(default_factory=InHand)
    rates: Rates = field(default_factory=Rates)
    streams: Streams = field(default_factory=Streams)
    sessions: Sessions = field(default_factory=Sessions)


def office_of(request: Request) -> Office:
    """The office of the application that a request came to."""
    found: Office = request.app.state.office
    return found

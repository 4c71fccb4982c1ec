"""What the routes work with: the use cases of a tenant, who is calling, and the limits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from fastapi import Request

from engine.core.definition import Workflow
from engine.service import Service
from engine.web.problems import Problem


class Caller(Protocol):
    """Who is calling: whose tenant, with which roles, at which sites (`None`: at every one)."""

    @property
    def tenant(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def roles(self) -> frozenset[str]: ...
    @property
    def sites(self) -> frozenset[str] | None: ...


class Gate(Protocol):
    """Says who is calling and what they may do; what it denies, it notes."""

    def identify(self, authorization: str | None, *, peer: str | None) -> Caller:
        """The caller that an `Authorization` header names. Raises Problem when it names none."""

    def require(self, caller: Caller, action: str, route: str) -> None:
        """Raises Problem when the caller may not do this."""

    def may_claim(self, caller: Caller, actor_role: str, event: str) -> bool:
        """Whether the caller may send this event in this role of the workflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request may ask of the service."""

    body_bytes: int = 128 * 1024
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
class Office:
    """Everything that routes may use. `services` gives the use cases of a tenant.

    `workflows` are those that courses may be enrolled in.
    """

    services: Callable[[str], Service]
    workflows: tuple[Workflow, ...]
    gate: Gate
    now: Callable[[], datetime]
    limits: Limits = field(default_factory=Limits)
    in_hand: InHand = field(default_factory=InHand)


def office_of(request: Request) -> Office:
    """The office of the application that a request came to."""
    found: Office = request.app.state.office
    return found

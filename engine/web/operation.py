"""What stands between the network and the routes, and what an operator asks of a process."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import anyio.to_thread
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from engine.traffic import Traffic as Bounds
from engine.web import health, metrics, pages
from engine.web.headers import OneLength, SafeHeaders
from engine.web.health import Readiness
from engine.web.limits import Traffic
from engine.web.lines import REQUEST_ID, Lines
from engine.web.metrics import Metrics
from engine.web.peers import Peers

EXPOSED = ("ETag", "Link", "Location", "Retry-After", REQUEST_ID)
"""Headers that a page of another origin may read, where it may read anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """How one process is operated: its bounds, and who hears of its requests.

    `around` wraps the application, inside of what names its requests.
    """

    bounds: Bounds = field(default_factory=Bounds)
    readiness: Readiness | None = None
    metrics: Metrics | None = None
    around: Callable[[ASGIApp], ASGIApp] | None = None
    name: Callable[[], str] = lambda: secrets.token_hex(8)


def operated(app: FastAPI, operation: Operation) -> None:
    """Put what an operation needs around an application. What is added last is met first."""
    bounds = operation.bounds
    app.state.operation = operation
    app.include_router(health.router)
    app.include_router(pages.router)
    if operation.metrics is not None:
        app.include_router(metrics.router)
    if bounds.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=bounds.origins,
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=("Authorization", "Content-Type", "If-Match", "Idempotency-Key"),
            expose_headers=EXPOSED,
        )
    app.add_middleware(Traffic, most=bounds.requests, seconds=bounds.patience)
    app.add_middleware(OneLength)
    app.add_middleware(SafeHeaders)
    if operation.around is not None:
        app.add_middleware(operation.around)
    app.add_middleware(
        Lines, name=operation.name, heard=() if operation.metrics is None else (operation.metrics,)
    )
    app.add_middleware(Peers, trusted=bounds.proxy)


def lifespan(operation: Operation) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """What an application does while it is served: as many threads work as have a connection."""

    @asynccontextmanager
    async def served(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = operation.bounds.threads
        yield

    return served

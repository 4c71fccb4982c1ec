"""One line for each request, and a name for it that stands in the answer, too.

Neither what was asked nor whom it is about is in the line: the template of the route, no path, no
query, no body. What goes wrong unforeseen is told by its kind and place: a message may be clinical.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from time import perf_counter
from typing import Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.logs import log
from engine.web.problems import Problem

REQUEST_ID = "X-Request-Id"
WELL_FORMED = re.compile(r"[A-Za-z0-9._:-]{1,64}")
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
UNKNOWN = "unknown"


class Heard(Protocol):
    """Hears of each request that was answered."""

    def answered(self, method: str, route: str, status: int, seconds: float) -> None: ...


class Lines:
    """The outermost of the application: names requests, tells of them, and answers what broke."""

    def __init__(
        self, app: ASGIApp, *, name: Callable[[], str], heard: tuple[Heard, ...] = ()
    ) -> None:
        self._app = app
        self._name = name
        self._heard = heard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = self._named(scope)
        scope.setdefault("state", {})["request"] = request
        status: int | None = None

        async def telling(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request
            await send(message)

        began = perf_counter()
        try:
            await self._app(scope, receive, telling)
        except Exception as wrong:  # noqa: BLE001  # whatever it was, it is told and answered here
            log.error(
                "request_failed", error=type(wrong).__name__, why=_place(wrong), request=request
            )
            if status is None:
                await Problem("internal").response()(scope, receive, telling)
        self._tell(scope, status or 500, perf_counter() - began, request)

    def _named(self, scope: Scope) -> str:
        given = Headers(scope=scope).get(REQUEST_ID, "")
        return given if WELL_FORMED.fullmatch(given) else self._name()

    def _tell(self, scope: Scope, status: int, seconds: float, request: str) -> None:
        method, route = method_of(scope), route_of(scope)
        for one in self._heard:
            one.answered(method, route, status, seconds)
        log.info(
            "request_answered",
            method=method,
            route=route,
            status=status,
            seconds=round(seconds, 4),
            request=request,
        )


def method_of(scope: Scope) -> str:
    """The method, when it is one; anybody can make up others without end."""
    method: str = scope["method"]
    return method if method in METHODS else UNKNOWN


def route_of(scope: Scope) -> str:
    """The template of the route that was taken, which names nobody."""
    template = getattr(scope.get("route"), "path", None)
    if template is None:
        return UNKNOWN
    # A router's own template lacks what it was included under.
    prefix = "/v1" if scope["path"].startswith("/v1/") else ""
    return template if template.startswith("/v1/") else f"{prefix}{template}"


def _place(wrong: BaseException) -> str:
    """Where it was raised, by file and line."""
    frames = traceback.extract_tb(wrong.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else UNKNOWN

"""What every answer says to whoever shows or keeps it: nothing may be kept, framed or guessed.

And what no request may say in two ways.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.web.problems import Problem

SAFE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Unless the answer says otherwise: a page says what it may load."""


class SafeHeaders:
    """Adds to every answer the headers that it does not have."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SAFE.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, adding)


class OneLength:
    """Refuses a request that says twice where it ends, and its connection with it.

    Our server goes by one of the two. A proxy that goes by the other takes for a body what we take
    for the next request: somebody else's, with what the proxy vouches for (RFC 9112, 6.1).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else {}
        if "transfer-encoding" in headers and "content-length" in headers:
            told = "the length of the body is said in two ways"
            problem = Problem("malformed", detail=told, headers={"Connection": "close"})
            await problem.response()(scope, receive, send)
            return
        await self._app(scope, receive, send)

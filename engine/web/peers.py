"""Who is at the other end: behind a proxy that is trusted, whom it says that it speaks for."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

FORWARDED = "x-forwarded-for"
MOST = 20
"""How many proxies one behind the other are looked through."""


class Peers:
    """Sets the client's address to the last one that no trusted proxy has.

    What stands before that in the header was written by anybody, and is not looked at.
    """

    def __init__(self, app: ASGIApp, *, trusted: Collection[IPv4Network | IPv6Network]) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._trusted and scope.get("client"):
            host, port = scope["client"]
            said = ",".join(Headers(scope=scope).getlist(FORWARDED))
            scope = {**scope, "client": (self._behind(host, said), port)}
        await self._app(scope, receive, send)

    def _behind(self, host: str, said: str) -> str:
        names = [part.strip() for part in said.split(",")] if said else []
        for name in reversed(names[-MOST:]):
            if not self._trusts(host):
                break
            if _address(name) is None:
                break
            host = name
        return host

    def _trusts(self, host: str) -> bool:
        address = _address(host)
        return address is not None and any(address in network for network in self._trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None

"""The two clients: they send, sleep and send again, as `attempts` says."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar

import anyio
import httpx2

from engine.client.attempts import Attempts, Patience, World
from engine.client.call import Call, Reply
from engine.client.methods import Methods

T = TypeVar("T")


def new_key() -> str:
    """An idempotency key that nobody else makes."""
    return secrets.token_hex(16)


_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""As RFC 6750 has it."""

WORLD = World(chance=secrets.SystemRandom().random, monotonic=time.monotonic, new_key=new_key)


class Client(Methods):
    """Asks the service at a URL, and waits for each answer. One may be shared by threads.

    `token` is sent as a bearer token. `patience` says how long a call may last with its repeats;
    `transport` takes the place of the network, `sleep` and `world` that of time and chance.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        patience: Patience | None = None,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        world: World = WORLD,
    ) -> None:
        self._url = _plain(url)
        self._patience = patience or Patience()
        self._sleep = sleep
        self._world = world
        self._http = httpx2.Client(base_url=self._url, headers=_headers(token), transport=transport)

    def run(self, call: Call[T]) -> T:
        """Send a call until it is answered. Raises ClientError."""
        call = call.with_key(self._world.new_key)
        content = call.content()
        attempts = Attempts(call, self._patience, self._world)
        while True:
            request = _request(self._http, call, content, attempts)
            try:
                reply = self._exchange(request, attempts)
            except httpx2.RequestError as error:
                self._sleep(attempts.failed(error))
                continue
            wait = attempts.answered(reply)
            if wait is None:
                return attempts.read(call, reply)
            self._sleep(wait)

    def _exchange(self, request: httpx2.Request, attempts: Attempts) -> Reply:
        response = self._http.send(request, stream=True)
        try:
            content = bytearray()
            for part in response.iter_bytes():
                if content:
                    attempts.check()
                content += part
        finally:
            response.close()
        return _reply(response, content)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client of {self._url}>"


class AsyncClient(Methods):
    """Asks the service at a URL; each answer is awaited. Otherwise as `Client`."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        patience: Patience | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        world: World = WORLD,
    ) -> None:
        self._url = _plain(url)
        self._patience = patience or Patience()
        self._sleep = sleep
        self._world = world
        self._http = httpx2.AsyncClient(
            base_url=self._url, headers=_headers(token), transport=transport
        )

    async def arun(self, call: Call[T]) -> T:
        """Send a call until it is answered. Raises ClientError."""
        call = call.with_key(self._world.new_key)
        content = call.content()
        attempts = Attempts(call, self._patience, self._world)
        while True:
            request = _request(self._http, call, content, attempts)
            try:
                reply = await self._exchange(request, attempts)
            except httpx2.RequestError as error:
                await self._sleep(attempts.failed(error))
                continue
            wait = attempts.answered(reply)
            if wait is None:
                return attempts.read(call, reply)
            await self._sleep(wait)

    async def _exchange(self, request: httpx2.Request, attempts: Attempts) -> Reply:
        response = await self._http.send(request, stream=True)
        try:
            content = bytearray()
            async for part in response.aiter_bytes():
                if content:
                    attempts.check()
                content += part
        finally:
            await response.aclose()
        return _reply(response, content)

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncClient of {self._url}>"


def _plain(url: str) -> str:
    """The URL. Raises ValueError for one that carries a secret, or is none."""
    read = httpx2.URL(url)
    if read.scheme not in ("http", "https") or not read.host:
        raise ValueError("url: one that begins with http:// or https:// was expected")
    if read.userinfo:
        raise ValueError("url: no name or password in it; pass a token")
    return url.rstrip("/")


def _headers(token: str | None) -> dict[str, str]:
    accepted = {"Accept": "application/json", "User-Agent": "regimen-client"}
    if token is None:
        return accepted
    if not _TOKEN.fullmatch(token):
        raise ValueError("token: letters, digits and - . _ ~ + / were expected, and no more")
    return {**accepted, "Authorization": f"Bearer {token}"}


def _request(
    http: httpx2.Client | httpx2.AsyncClient,
    call: Call[object],
    content: bytes | None,
    attempts: Attempts,
) -> httpx2.Request:
    headers = dict(call.headers)
    if content is not None:
        headers["Content-Type"] = "application/json"
    if call.key is not None:
        headers["Idempotency-Key"] = call.key
    return http.build_request(
        call.method, call.path, params=call.query or None, content=content, headers=headers,
        timeout=attempts.timeout,
    )  # fmt: skip


def _reply(response: httpx2.Response, content: bytearray) -> Reply:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, bytes(content))

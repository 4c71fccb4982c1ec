"""One message to one URL: no redirect is followed, no answer is read beyond its headers.

Each message has a connection of its own, made to an address that was looked at, and a time by which
all of it is over, however slowly the other side talks. The certificate is still that of the name.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

import httpcore2

from engine.webhooks.addresses import Guard, Refused
from engine.webhooks.reply import SECONDS, Reply


class HttpSender:
    """Over the network, to whom the guard permits."""

    def __init__(
        self,
        guard: Guard,
        *,
        seconds: float = SECONDS,
        ssl_context: Callable[[], ssl.SSLContext] = httpcore2.default_ssl_context,
    ) -> None:
        self._guard = guard
        self._seconds = seconds
        self._make_context = ssl_context

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send once; whatever goes wrong is in the reply."""
        encrypted = url.lower().startswith("https:")
        ends = time.monotonic() + self._seconds
        way = _Way(self._guard, ends, encrypted=encrypted)
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), self._seconds)
        told = {"content-type": "application/json", "user-agent": "regimen", **headers}.items()
        context = self._context if encrypted else None
        try:
            with (
                httpcore2.ConnectionPool(ssl_context=context, network_backend=way) as pool,
                pool.stream(
                    "POST", url, headers=list(told), content=body, extensions={"timeout": timeout}
                ) as answer,
            ):
                after = next(
                    (value for name, value in answer.headers if name.lower() == b"retry-after"), b""
                )
                return Reply(status=answer.status, retry_after=after.decode("latin-1") or None)
        except Refused:
            return Reply(trouble="address refused")
        except httpcore2.TimeoutException:
            return Reply(trouble="timed out")
        except (httpcore2.NetworkError, OSError, UnicodeError):
            return Reply(trouble="not reached")
        except (httpcore2.ProtocolError, httpcore2.UnsupportedProtocol):
            return Reply(trouble="not understood")

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self._make_context()


class _Way(httpcore2.SyncBackend):
    """Connects to addresses that the guard permits."""

    def __init__(self, guard: Guard, ends: float, *, encrypted: bool) -> None:
        self._guard = guard
        self._ends = ends
        self._encrypted = encrypted

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  # all of it has one end
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        addresses = self._guard.reachable(host, port, encrypted=self._encrypted)
        for address in addresses[:-1]:
            with suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return self._connected(address, port, local_address, socket_options, share=2)
        return self._connected(addresses[-1], port, local_address, socket_options, share=1)

    def _connected(
        self,
        address: str,
        port: int,
        local_address: str | None,
        socket_options: Iterable[Any] | None,
        *,
        share: int,
    ) -> httpcore2.NetworkStream:
        left = _left(self._ends, httpcore2.ConnectTimeout) / share
        stream = super().connect_tcp(address, port, left, local_address, socket_options)
        return _Ending(stream, self._ends)


class _Ending(httpcore2.NetworkStream):
    """A stream that is over at a time, whatever is still being said."""

    def __init__(self, stream: httpcore2.NetworkStream, ends: float) -> None:
        self._stream = stream
        self._ends = ends

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  # the end counts
        return self._stream.read(max_bytes, _left(self._ends, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  # likewise
        self._stream.write(buffer, _left(self._ends, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  # likewise
    ) -> httpcore2.NetworkStream:
        left = _left(self._ends, httpcore2.ConnectTimeout)
        return _Ending(self._stream.start_tls(ssl_context, server_hostname, left), self._ends)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  # the library's
        return self._stream.get_extra_info(info)


def _left(ends: float, late: type[Exception]) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise late("the time is over")
    return left

"""One process that serves an application until it is told to stop, and then finishes its work.

- The first signal ends the listening. What was accepted is answered, for as long as `grace` lasts.
- The second one ends the process at once. What was acknowledged is in the database by then.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from engine.errors import InvalidInput
from engine.logs import log
from engine.web.promptness import PromptProtocol

STOPPING = (signal.SIGINT, signal.SIGTERM)
AT_ONCE = 1
"""What a process exits with that a second signal ended."""

HEADER_BYTES = 16 * 1024
CONNECTIONS = 2048
"""Open at once, idle ones included; beyond that a new one is told so and closed."""

KEPT = 75
"""Seconds that an idle connection is kept: longer than a proxy keeps its end."""


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises InvalidInput when that cannot be."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )[0]
        # The protocol is named: asyncio sends at once only on what says that it is TCP, and an
        # answer in two parts would else wait for the caller's delayed acknowledgement.
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen(CONNECTIONS)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        found = f"{host}:{port} ({error.strerror})"
        raise InvalidInput("--host and --port", "a free address here", found=found) from None
    return listener


def address(listener: socket.socket) -> str:
    """The URL of what listens there."""
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """Serves on a socket in the main thread.

    `started` is called when requests are answered, `told` in the handler of the first signal: it
    may do no more than note it.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        grace: float,
        up: Callable[[], None] = lambda: None,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=PromptProtocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=CONNECTIONS,
                timeout_keep_alive=KEPT,
                timeout_graceful_shutdown=round(grace),
                h11_max_incomplete_event_size=HEADER_BYTES,
            )
        )
        self._up = up
        self._told = told
        self.signal: signal.Signals | None = None

    def serve_on(self, listener: socket.socket) -> None:
        """Serve until a signal comes, and then until what was accepted is answered."""
        with telling():
            self.run(sockets=[listener])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._up()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Uvicorn's would end the process by the signal once more after all was finished.
        before = {number: signal.signal(number, self.handle_exit) for number in STOPPING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # uvicorn's
        if self.signal is not None:
            os._exit(AT_ONCE)
        self.signal = signal.Signals(sig)
        self.should_exit = True
        self._told()


@contextmanager
def telling() -> Iterator[None]:
    """Let the lines of the server and of asyncio be lines of ours."""
    handler = _Lines(logging.WARNING)
    loggers = [logging.getLogger(name) for name in ("uvicorn", "asyncio")]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


class _Lines(logging.Handler):
    """Passes on what a library says, without what it adds about an error: that may be clinical."""

    def emit(self, record: logging.LogRecord) -> None:
        log.warning("server_says", why=str(record.msg).partition("\n")[0])

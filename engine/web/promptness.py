"""Connections that say what they want in time: a head that trickles in is not waited for.

Uvicorn closes a connection that is idle after an answer, and waits for ever for the first request
and for one that has begun: who opens many and says a byte now and then would have all there are.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle


class PromptProtocol(H11Protocol):
    """HTTP/1.1 whose requests' heads come within `seconds`.

    The time begins with the connection, and with the first byte after an answer: what is left of a
    body that nobody reads any more is not waited for either.
    """

    seconds: ClassVar[float] = 20.0
    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._begin()

    def data_received(self, data: bytes) -> None:
        if self._due is None and self._waits:
            self._begin()
        super().data_received(data)
        if not self._waits:
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        super().connection_lost(exc)

    @property
    def _waits(self) -> bool:
        """Whether no request is being answered."""
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        return cycle is None or cycle.response_complete

    def _begin(self) -> None:
        self._due = self.loop.call_later(self.seconds, self._over)

    def _end(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _over(self) -> None:
        self._due = None
        if self._waits:
            self.timeout_keep_alive_handler()

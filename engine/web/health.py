"""Whether this process lives, and whether it may be sent requests: for a proxy, open to all.

Nothing is told but yes or no. Being alive takes no database; being ready takes it whole.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from fastapi import APIRouter, Request

from engine.web.canonical import CanonicalResponse

FRESH = 1.0
"""For how many seconds an answer of the database stands: anybody may ask, as often as they like."""

PATIENCE = 3.0
"""Seconds after which a database that does not answer is not there."""

router = APIRouter(prefix="/health", include_in_schema=False)


class Readiness:
    """What this process needs, looked at by a thread of its own, at most once a second.

    The threads that answer requests may all wait for a database that does not answer.
    """

    def __init__(self, look: Callable[[], Mapping[str, bool]]) -> None:
        self._look = look
        self._pool = ThreadPoolExecutor(1, "readiness")
        self._looking = threading.Lock()
        self._seen: Mapping[str, bool] = {}
        self._until = 0.0
        self.leaving = False

    async def now(self) -> Mapping[str, bool]:
        """Each need and whether it is met."""
        loop = asyncio.get_running_loop()
        try:
            seen = await asyncio.wait_for(loop.run_in_executor(self._pool, self._fresh), PATIENCE)
        except TimeoutError:
            seen = {"database": False}
        return {**seen, "accepting": not self.leaving}

    def close(self) -> None:
        """Look no more; one look that hangs is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _fresh(self) -> Mapping[str, bool]:
        with self._looking:
            if monotonic() >= self._until:
                self._seen = self._look()
                self._until = monotonic() + FRESH
            return self._seen


@router.get("/live")
async def live() -> CanonicalResponse:
    """This process answers."""
    return CanonicalResponse({"status": "ok"})


@router.get("/ready")
async def ready(request: Request) -> CanonicalResponse:
    """Whether requests would be answered here; 503 with what is not well."""
    readiness: Readiness | None = request.app.state.operation.readiness
    found = {} if readiness is None else await readiness.now()
    checks = {name: "ok" if met else "not" for name, met in found.items()}
    well = all(found.values())
    return CanonicalResponse(
        {"status": "ok" if well else "not", "checks": checks}, 200 if well else 503
    )

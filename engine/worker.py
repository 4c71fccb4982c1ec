"""A worker beside other work: what is due is done, in a thread that can be told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from engine.errors import RegimenError, StoreUnavailable
from engine.logs import log

Stop = Callable[[], bool]
Job = Callable[[Stop], None]
"""Does what is due until nothing is or it is told to stop; what it has in hand it finishes."""

GRAIN = 0.2
"""Seconds within which a worker that waits notices that it was told to stop."""


class Worker:
    """Does its jobs in turn, again and again; a database that goes away is waited for.

    `jobs` is asked before every round, since there may be more to do by then. `interval` is how
    many seconds it rests when nothing is due.
    """

    def __init__(self, jobs: Callable[[], Sequence[Job]], *, interval: float) -> None:
        self._jobs = jobs
        self._interval = interval
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._told = False
        self._done = time.monotonic()

    def start(self) -> None:
        self._thread.start()

    def tell(self) -> None:
        """Tell it to stop. Takes no lock, so that a handler of signals may."""
        self._told = True

    def told(self) -> bool:
        """Whether it was told to stop."""
        return self._told

    def ended(self, within: float) -> bool:
        """Whether it has stopped within so many seconds."""
        if self._thread.ident is not None:
            self._thread.join(max(within, 0))
        return not self._thread.is_alive()

    def idle(self) -> float:
        """Seconds since it was last through with everything that was due."""
        return time.monotonic() - self._done

    def _run(self) -> None:
        while not self.told():
            self._round()
            until = time.monotonic() + self._interval
            while not self.told() and (left := until - time.monotonic()) > 0:
                time.sleep(min(left, GRAIN))

    def _round(self) -> None:
        try:
            for job in self._jobs():
                if self.told():
                    return
                job(self.told)
            self._done = time.monotonic()
        except StoreUnavailable as error:
            log.warning("store_unavailable", why=error.why)
        except RegimenError as error:
            log.error("worker_failed", error=type(error).__name__)
        except Exception as wrong:  # noqa: BLE001  # it must not die of it: nobody would notice
            log.error("worker_failed", error=type(wrong).__name__)

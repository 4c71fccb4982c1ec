"""Writers of one process, one after the other, in the order in which they came.

SQLite has one writer at a time, and who finds another there asks again and again, ever more
seldom: the last to come is often the first to go on, and some wait for the whole of the bound.
Within a process a line is as cheap as a lock, and nobody is overtaken. Writers of other processes
still meet at the file.
"""

from __future__ import annotations

import threading
from collections import deque


class Turns:
    """A lock that is handed on in the order in which it was asked for; who waits gives up after
    so many `seconds`.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._changing = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    def take(self) -> bool:
        """Wait for one's turn; whether it came."""
        with self._changing:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=self._seconds):
            return True
        with self._changing:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        return True  # it came when the time was up

    def give(self) -> None:
        """Hand it on to who waited longest."""
        with self._changing:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False

"""Who signed in to the pages: a cookie that names a session, and the session in this process.

- The cookie is 256 random bits and says nothing; the token stays here, under the digest of the
  cookie, in memory alone. Whoever reads a backup or a log finds neither.
- Each request is identified by the token anew: revoked or expired, it opens nothing more.
- A session ends after `IDLE` without a request, after `WHOLE` in any case, and at once when its
  holder signs out or the process ends.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

IDLE = timedelta(minutes=30)
WHOLE = timedelta(hours=8)
MOST = 10_000
"""Of how many sessions a process knows; the one that was used least is forgotten first."""
LONGEST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    authorization: str
    began: datetime
    used: datetime


class Sessions:
    """The sessions of one process."""

    def __init__(self, *, random: Callable[[], str] = lambda: secrets.token_urlsafe(32)) -> None:
        self._random = random
        self._sessions: OrderedDict[bytes, _Session] = OrderedDict()
        self._changing = threading.Lock()

    def begin(self, authorization: str, now: datetime) -> str:
        """What the cookie of a new session says."""
        cookie = self._random()
        with self._changing:
            self._sessions[_digest(cookie)] = _Session(
                authorization=authorization, began=now, used=now
            )
            if len(self._sessions) > MOST:
                self._sessions.popitem(last=False)
        return cookie

    def authorization(self, cookie: str | None, now: datetime) -> str | None:
        """The `Authorization` that a cookie stands for, while its session lasts."""
        if not cookie or len(cookie) > LONGEST:
            return None
        name = _digest(cookie)
        with self._changing:
            found = self._sessions.get(name)
            if found is None:
                return None
            if now - found.used >= IDLE or now - found.began >= WHOLE:
                del self._sessions[name]
                return None
            self._sessions[name] = replace(found, used=now)
            self._sessions.move_to_end(name)
        return found.authorization

    def end(self, cookie: str | None) -> None:
        """Forget a session; its cookie opens nothing from now on."""
        if cookie and len(cookie) <= LONGEST:
            with self._changing:
                self._sessions.pop(_digest(cookie), None)


def _digest(cookie: str) -> bytes:
    return sha256(cookie.encode(errors="surrogatepass")).digest()

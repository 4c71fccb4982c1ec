"""The feed of a tenant: what was said of its courses, in one order that a reader can go on from.

It is thin: which course, which record and what kind of message, no more. Whoever may see more asks
for the course. No worker is needed, since whoever reads puts in order first what waits for that;
but for those who may change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import InvalidInput
from engine.messages import Changed, Page
from engine.ports import Clock
from engine.store.feed import SqlFeed

AT_ONCE = 500
"""How many messages are put in order in one transaction."""

LARGEST_PAGE = 1000
PATIENCE = 20
"""How many such transactions a reader makes at most before it is answered."""


class Feed:
    """The feed of one tenant. With `still` it shows what was put in order, and orders nothing."""

    def __init__(self, *, store: SqlFeed, tenant: str, clock: Clock, still: bool = False) -> None:
        self._store = store
        self._clock = clock
        self._still = still
        self.tenant = tenant

    def still(self) -> Feed:
        """The feed as it is: whoever reads it changes nothing."""
        return Feed(store=self._store, tenant=self.tenant, clock=self._clock, still=True)

    def sequence(self, *, rounds: int = PATIENCE) -> int:
        """Put in order what waits for it; how many messages were. Raises StoreUnavailable.

        However many do this at once, each message gets one position, and no position is left out.
        """
        placed = 0
        for _ in range(0 if self._still else rounds):
            came = self._store.sequence(self.tenant, self._clock.now(), AT_ONCE)
            placed += came
            if came < AT_ONCE:
                break
        return placed

    def page(self, after: int = 0, limit: int = 100, sites: Sequence[str] | None = None) -> Page:
        """What was said after a position, of courses of some sites (`None`: of all).

        Raises InvalidInput for a position below 0 or a page of no or too many entries, and
        StoreUnavailable.
        """
        _require(after, limit)
        self.sequence()
        return self._store.page(self.tenant, after, limit, sites)

    def changed_since(
        self, after: int, limit: int = 100, sites: Sequence[str] | None = None
    ) -> Sequence[Changed]:
        """The courses that something was said of after a position, each once, by the last of that.

        Whoever asks again after the position of the last one misses none. Raises as `page` does.
        """
        _require(after, limit)
        self.sequence()
        return self._store.changed_since(self.tenant, after, limit, sites)

    def head(self) -> int:
        """The last position there is, or 0."""
        return self._store.head(self.tenant)


def _require(after: int, limit: int) -> None:
    if not 0 <= after < 2**63:
        raise InvalidInput("after", "a position of the feed, from 0")
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidInput("limit", f"a whole number from 1 to {LARGEST_PAGE}")

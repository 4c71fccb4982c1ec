"""Messages on their way out, as values: in the feed, due to an endpoint, delivered or given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A message as the feed shows it: what to ask about, and nothing of what happened."""

    position: int
    course: str
    seq: int
    n: int
    kind: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Entries in order. Whoever asks again after `through` misses none.

    `through` may be beyond the last entry: what lies between is of sites that were not asked for.
    """

    entries: Sequence[Entry]
    through: int
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A course that something was said of, and the position of what was said last."""

    course: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """What an endpoint's messages are signed with; `until` is set once another took its place."""

    text: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where messages are sent; `kinds` is empty for every kind, `secrets` begin with the newest."""

    id: str
    url: str
    kinds: tuple[str, ...]
    secrets: tuple[Secret, ...]
    position: int
    created_at: datetime
    disabled_at: datetime | None = None
    disabled_why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message on its way to an endpoint, delivered to it, or given up."""

    endpoint: str
    position: int
    course: str
    seq: int
    n: int
    kind: str
    recorded_at: datetime
    attempts: int
    next_at: datetime | None
    claimed_until: datetime | None
    answered: str | None
    delivered_at: datetime | None
    dead_at: datetime | None

    @property
    def id(self) -> str:
        """Its webhook-id: the same at each attempt, and no other's."""
        return f"{self.endpoint}_{self.position}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an attempt: exactly one of the three times is set."""

    answered: str
    delivered_at: datetime | None = None
    next_at: datetime | None = None
    dead_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What a round did; `delivered`, `failed` and `dead` count attempts by what came of them."""

    sequenced: int = 0
    delivered: int = 0
    failed: int = 0
    dead: int = 0

    def __add__(self, other: Sent) -> Sent:
        return Sent(
            self.sequenced + other.sequenced,
            self.delivered + other.delivered,
            self.failed + other.failed,
            self.dead + other.dead,
        )

"""What others told of their bookings and observations before, version by version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A record that a version of a resource became. `body` is the record's, as it was hashed."""

    event_id: str
    event: str
    seq: int
    at: datetime | None
    body: bytes


class Told(Protocol):
    """Where records are looked up by how their events' ids begin."""

    def versions(self, tenant: str, course: str, prefix: str) -> Sequence[Version]:
        """The records of a course whose event's id begins so, in order, refusals included."""

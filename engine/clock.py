"""Time that passes only when it is told to, for courses that are told and not lived."""

from __future__ import annotations

from datetime import UTC, datetime


class VirtualClock:
    """The system's time, as far as a course has been told."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """The present instant of the course."""
        return self._now

    def move(self, to: datetime) -> None:
        """Let time pass until an instant; what is past stays past."""
        self._now = max(self._now, to.astimezone(UTC))

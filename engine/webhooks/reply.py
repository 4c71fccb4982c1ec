"""What is asked of a sender, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

SECONDS = 15.0
"""By when an endpoint has to have answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The status of an answer, or the trouble in place of one; never what it said."""

    status: int | None = None
    retry_after: str | None = None
    trouble: str = ""

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def word(self) -> str:
        """The status, or the trouble."""
        return self.trouble if self.status is None else str(self.status)


class Sender(Protocol):
    """The way out."""

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send once; whatever goes wrong is in the reply."""

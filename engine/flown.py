"""What came of canary courses, as it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.core.encoding import Json, instant_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Flown:
    """What came of a definition that was exercised; `flight` says it of each rule."""

    digest: str
    workflow: str
    at: datetime
    sound: bool
    flight: Mapping[str, Json]

    def json(self) -> dict[str, Json]:
        """The flight as it is shown."""
        return {"at": instant_text(self.at), **self.flight}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flew:
    """That a definition was exercised, and whether everything acted as expected."""

    digest: str
    at: datetime
    sound: bool


class Kept(Protocol):
    """Where flights are kept."""

    def used(self, tenant: str) -> Sequence[str]:
        """The digests that open courses are pinned to."""

    def last(self, tenant: str) -> Sequence[Flown]:
        """The newest flight of each definition, by workflow."""

    def flights(self, tenant: str, limit: int) -> Sequence[Flew]:
        """The newest flights of all definitions together, the newest first."""

    def keep(self, tenant: str, found: Flown) -> None:
        """Add a flight."""

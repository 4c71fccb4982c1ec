"""What is wrong with a definition, and where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that keeps a workflow from being well formed.

    `place` names the declaration: `guard platelets_low`, `event dose_given, field amount`.
    """

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"

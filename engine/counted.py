"""What guards did of late, as it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.core.encoding import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was counted at an instant; `alarms` is how many rules have stopped firing.

    `document` has the periods, each rule of the alarm, and the counts by definition and site.
    """

    at: datetime
    alarms: int
    document: Mapping[str, Json]


class ReportStore(Protocol):
    """Where the newest report is kept."""

    def last(self, tenant: str) -> Report | None:
        """The newest report of a tenant."""

    def keep(self, tenant: str, report: Report) -> None:
        """Keep a report in place of the one before it."""

"""A course's records as people read them: each knows what later records say of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from engine.core.axes import is_retrospective
from engine.core.encoding import Json
from engine.core.marks import Marks, entered_late, marks
from engine.core.record import Record
from engine.core.signatory import NOBODY, Signed


@dataclass(slots=True, kw_only=True)
class Entry:
    """One record, what later records say of it, and who signed it.

    `entered_late` as `marks` means it.
    """

    body: Mapping[str, Json]
    at: datetime | None
    recorded_at: datetime
    marks: Marks = field(default_factory=Marks)
    entered_late: bool = False
    hash: str = ""
    signed: Signed = NOBODY

    @property
    def seq(self) -> int:
        return int(self.body["seq"])

    @property
    def event(self) -> str:
        return str(self.body["event"]["event"])

    @property
    def role(self) -> str:
        return str(self.body["event"]["actor"]["role"])

    @property
    def verdict(self) -> str:
        return str(self.body["verdict"])

    @property
    def states(self) -> tuple[str | None, str]:
        before, after = self.body["state"]
        return before, after

    @property
    def moved(self) -> bool:
        return self.states[0] != self.states[1]

    @property
    def late(self) -> bool:
        return bool(self.body["decision"].get("late"))

    @property
    def corrected(self) -> dict[str, int]:
        """By input, the record that corrects what this one brought."""
        return self.marks.corrected_by

    @property
    def corrects(self) -> int | None:
        """The record that this one corrects."""
        return self.marks.corrects

    @property
    def overridden(self) -> dict[str, str]:
        """The guards that an override passed, and as what."""
        weighed = self.body["decision"].get("weighed", ())
        return {w["guard"]: w["verdict"] for w in weighed if w.get("passed")}

    @property
    def opens_round(self) -> int | None:
        """The round that it opened; a course begins in its first."""
        found: int | None = self.body["changes"].get("round")
        return found if self.states[0] is not None else None

    @property
    def moved_by(self) -> str | None:
        """The rule whose action moved the course."""
        found: str | None = self.body["decision"].get("moved_by")
        return found

    def json(self) -> dict[str, Json]:
        event = self.body["event"]
        return {
            "seq": self.seq,
            "at": event["at"],
            "recorded_at": self.body["recorded_at"],
            "event": self.event,
            "role": self.role,
            "verdict": self.verdict,
            "late": self.late,
            "state_before": self.states[0],
            "state": self.states[1],
            "data": event.get("data", {}),
            "reason": event.get("reason"),
            "override": event.get("override"),
            "overridden": self.overridden,
            "corrected_by": self.corrected,
            "corrects": self.corrects,
            "moved_by": self.moved_by,
            "late_entry": self.entered_late,
            "marks": self.marks.json(),
            "hash": self.hash,
            "signatures": [one.json() for one in self.signed.given],
            "unsigned": list(self.signed.missing),
        }


def entries(
    records: Iterable[Record], signed: Mapping[int, Signed] = MappingProxyType({})
) -> list[Entry]:  # fmt: skip
    """The records in order, each with what the others say of it, and who signed it."""
    told = list(records)
    said = marks(told)
    retrospective = bool(told) and is_retrospective(told[0])
    return [
        Entry(
            body=json.loads(record.body),
            at=record.at,
            recorded_at=record.recorded_at,
            marks=said.get(record.seq) or Marks(),
            entered_late=entered_late(record, retrospective=retrospective),
            hash=record.hash,
            signed=signed.get(record.seq, NOBODY),
        )
        for record in told
    ]

"""A course's records as people read them: each knows what corrects it and what it corrects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from engine.core.encoding import Json
from engine.core.event import CORRECTED
from engine.core.record import Record


@dataclass(slots=True, kw_only=True)
class Entry:
    """One record. `corrected` names, by input, the record that corrects what this one brought."""

    body: Mapping[str, Json]
    at: datetime | None
    recorded_at: datetime
    corrected: dict[str, int] = field(default_factory=dict)
    corrects: int | None = None

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
        }


def entries(records: Iterable[Record]) -> list[Entry]:
    """The records in order, each knowing what corrects it."""
    found: dict[int, Entry] = {}
    origins: dict[int, int] = {}
    standing: dict[tuple[int, str], int] = {}
    for record in records:
        body = json.loads(record.body)
        entry = found[record.seq] = Entry(body=body, at=record.at, recorded_at=record.recorded_at)
        if record.event == CORRECTED:
            data = body["event"]["data"]
            # A correction may name the first record or any correction of it: one reading stands.
            origin = origins.setdefault(record.seq, origins.get(data["record"], data["record"]))
            entry.corrects = standing.get((origin, data["input"]), origin)
            standing[origin, data["input"]] = record.seq
            found[entry.corrects].corrected[data["input"]] = record.seq
    return list(found.values())

"""What later records say of earlier ones: corrected, added to, entered late, disposed of.

A record stays what it was. Whoever shows it shows these marks with it, so that nobody takes a value
for right that was corrected.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from engine.core.encoding import Json
from engine.core.event import (
    ADDENDUM,
    AMENDMENTS,
    CORRECTED,
    CORRECTIONS,
    ENGINE,
    LATE_ENTRY,
    RECONSIDERED,
)
from engine.core.record import Record

LATE_AFTER = timedelta(hours=24)
"""How long after it happened something is entered late, also where nothing came between.

A rule of keeping records, and of no treatment: nothing is decided by it.
"""

AMENDING = (*AMENDMENTS, RECONSIDERED)
"""The events that say something of earlier records."""


@dataclass(slots=True, kw_only=True)
class Marks:
    """What is said of one record.

    `corrected_by` names, by input, the record that corrects what this one said; `retracted` are
    those of them that say it should never have been there. `corrects` is the record that this one
    corrects. `addenda` add text to it, `late_reason` says why it was entered late.
    `reconsidered_by` says what this correction or late entry changes, `differs_by` names the
    corrections with which this decision would have been another, `differs_by_late` the entries that
    came late for it.
    """

    corrected_by: dict[str, int] = field(default_factory=dict)
    retracted: list[int] = field(default_factory=list)
    corrects: int | None = None
    addenda: list[int] = field(default_factory=list)
    late_reason: int | None = None
    reconsidered_by: int | None = None
    differs_by: list[int] = field(default_factory=list)
    differs_by_late: list[int] = field(default_factory=list)

    def json(self) -> dict[str, Json]:
        """The marks as they are shown; what is not said is absent."""
        found: dict[str, Json] = {
            "corrected_by": dict(self.corrected_by),
            "retracted_by": list(self.retracted),
            "corrects": self.corrects,
            "addenda": list(self.addenda),
            "late_reason": self.late_reason,
            "reconsidered_by": self.reconsidered_by,
            "differs_by": list(self.differs_by),
            "differs_by_late": list(self.differs_by_late),
        }
        return {name: value for name, value in found.items() if value}


def marks(amendments: Iterable[Record]) -> dict[int, Marks]:
    """The marks of records, by number; of those that have any. Others may be among them."""
    found: dict[int, Marks] = {}
    origins: dict[int, int] = {}
    standing: dict[tuple[int, str], int] = {}

    def of(seq: int) -> Marks:
        return found.setdefault(seq, Marks())

    for record in amendments:
        if record.event not in AMENDING or record.verdict == "refused":
            continue
        data = json.loads(record.body)["event"]["data"]
        if record.event in CORRECTIONS:
            # A correction may name the first record or any correction of it: one reading stands.
            origin = origins.setdefault(record.seq, origins.get(data["record"], data["record"]))
            corrected = standing.get((origin, data["input"]), origin)
            of(record.seq).corrects = corrected
            standing[origin, data["input"]] = record.seq
            of(corrected).corrected_by[data["input"]] = record.seq
            if is_retraction(record.event, data):
                of(corrected).retracted.append(record.seq)
        elif record.event == ADDENDUM:
            of(data["record"]).addenda.append(record.seq)
        elif record.event == LATE_ENTRY:
            of(data["record"]).late_reason = record.seq
        elif record.event == RECONSIDERED:
            late = data.get("late_entry")
            weighed = data["correction"] if late is None else late
            of(weighed).reconsidered_by = record.seq
            for one in data["differing"]:
                said = of(one["record"])
                (said.differs_by if late is None else said.differs_by_late).append(weighed)
    return found


def is_retraction(event: str, data: Mapping[str, Any]) -> bool:
    """Whether a correction says that the reading should never have been there.

    `course.corrected` said so with a member before there was an event for it, and still may.
    """
    return event != CORRECTED or bool(data.get("entered_in_error"))


def entered_late(record: Record, *, retrospective: bool) -> bool:
    """Whether what a record tells was entered late.

    It is when something that happened later had been recorded before, or when more than a day
    passed: not in a course that is told after the fact. What the engine sends is never late, nor is
    what is said of records.
    """
    body = json.loads(record.body)
    role = body["event"]["actor"]["role"]
    return was_late(record, role, body["decision"], retrospective=retrospective)


def was_late(
    record: Record, role: str, decision: Mapping[str, Any], *, retrospective: bool
) -> bool:
    """The same, for who has the record's bytes read already."""
    if record.event.startswith("course.") or role == ENGINE:
        return False
    if decision.get("late"):
        return True
    return (
        not retrospective and record.at is not None and record.recorded_at - record.at > LATE_AFTER
    )

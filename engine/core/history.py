"""A course's records: verified, folded to the row, decided again.

- `verify` trusts nothing but the hash function: content, order, link, gap, and columns against the
  bytes that were hashed.
- `replay` is a fold over the recorded changes; it needs no definition.
- `decide_again` weighs every guard again from the stored definition, with the civil times that the
  record keeps, and lists every difference, not the first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from engine.core.calendar import Recorded
from engine.core.decision import Refused, decide, evolve
from engine.core.encoding import Json, canonical, instant_from, instant_text
from engine.core.enrolment import opened
from engine.core.envelope import parse_enrolment
from engine.core.event import ADOPTED, ENROLLED, Event
from engine.core.guard import Calendar, Reading
from engine.core.machine import Machine
from engine.core.record import GENESIS, Record, decision_json, hash_of
from engine.core.row import changes, first_changes, patched, sections
from engine.core.snapshot import Readings, Snapshot, placed
from engine.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a record: `content`, `order`, `link`, `gap`, `column` or `row`."""

    seq: int
    kind: str
    what: str

    def __str__(self) -> str:
        return f"record {self.seq}: {self.kind}: {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where a decision weighed again is not the recorded one. `place` is a dotted member."""

    seq: int
    event: str
    place: str
    recorded: str
    again: str

    def __str__(self) -> str:
        return (
            f"record {self.seq} ({self.event}): {self.place}: recorded {self.recorded}, "
            f"weighed again {self.again}"
        )


def verify(records: Iterable[Record], *, course: str, tenant: str) -> Fault | None:
    """The first bad record of a chain and what is wrong with it; `None` when all agree.

    Cutting off the last records leaves a chain that agrees: that needs a checkpoint held outside.
    """
    previous: Record | None = None
    for record in records:
        fault = _fault(record, previous, course, tenant)
        if fault is not None:
            return fault
        previous = record
    return None


def replay(records: Iterable[Record]) -> dict[str, Json] | None:
    """The row that the records add up to; `None` without any record."""
    row: dict[str, Json] | None = None
    for record in records:
        row = _folded(row, record, json.loads(record.body))
    return row


def decide_again(
    records: Iterable[Record], machine_of: Callable[[str], Machine]
) -> Iterator[Difference]:
    """Every difference between the recorded decisions and the same events weighed again.

    `machine_of` gives the compiled stored definition of a digest. After a difference the fold goes
    on from what was recorded, so that one difference does not hide the next.
    """
    again = _Again(machine_of)
    for record in records:
        yield from again.differences(record)


def snapshots(
    records: Iterable[Record], machine_of: Callable[[str], Machine]
) -> Iterator[tuple[Record, Snapshot, Event]]:
    """Each record with the snapshot and the event that it was decided from, after the first."""
    again = _Again(machine_of)
    for record in records:
        body = json.loads(record.body)
        if again.snapshot is not None:
            machine = machine_of(body["workflow"])
            event = machine.forms.reread(body["event"])
            yield record, again.prepared(record, body), event
        again.advance(record, body)


class _Again:
    """A course decided again, record by record, from what its records hold."""

    def __init__(self, machine_of: Callable[[str], Machine]) -> None:
        self.machine_of = machine_of
        self.row: dict[str, Json] | None = None
        self.snapshot: Snapshot | None = None
        self.readings: dict[str, list[Reading]] = {}

    def differences(self, record: Record) -> list[Difference]:
        body = json.loads(record.body)
        try:
            decision, changed, after, added = self._decided(record, body)
        except (LookupError, InvalidInput, ValueError) as wrong:
            self.advance(record, body)
            return [
                Difference(
                    seq=record.seq,
                    event=record.event,
                    place="event",
                    recorded=record.verdict,
                    again=f"cannot be decided: {type(wrong).__name__}: {wrong}",
                )
            ]
        found = _compared(record, body, decision, changed)
        if found:
            self.advance(record, body)
        else:
            self.row = _folded(self.row, record, body)
            self._keep(after, added)
        return found

    def prepared(self, record: Record, body: Mapping[str, Any]) -> Snapshot:
        """The snapshot before a record, with its civil times and the time of its decision."""
        if self.snapshot is None:
            raise LookupError("the first record does not open the course")
        return replace(
            self.snapshot,
            calendar=Recorded(body["civil"]),
            decided_at=record.recorded_at,
            readings=self._readings(),
        )

    def advance(self, record: Record, body: Mapping[str, Any]) -> None:
        """Take over what was recorded, as it was recorded."""
        self.row = _folded(self.row, record, body)
        machine = self.machine_of(body["workflow"])
        parts = sections(machine, self.row)
        before = self.snapshot
        for name, reading in parts["latest"].items():
            if reading.seq == record.seq:
                self.readings[name] = placed(self.readings.get(name, ()), reading)
        self.snapshot = snapshot_of(
            machine,
            self.row,
            calendar=Recorded({}),
            readings=self._readings(),
            decided_at=record.recorded_at,
        )
        if before is not None and record.verdict != "refused":
            self._late_readings(machine, record, body)

    def _late_readings(self, machine: Machine, record: Record, body: Mapping[str, Any]) -> None:
        """Readings that are older than the latest of their input are in the event only."""
        event = machine.forms.reread(body["event"])
        for reading in event.readings:
            known = self.readings.get(reading.input, ())
            if not any(r.seq == record.seq for r in known):
                on = None if reading.at is None else Recorded(body["civil"]).civil_date(reading.at)
                self.readings[reading.input] = placed(
                    known, replace(reading, seq=record.seq, on=on)
                )

    def _decided(
        self, record: Record, body: Mapping[str, Any]
    ) -> tuple[Json, Json, Snapshot, tuple[Reading, ...]]:
        machine = self.machine_of(body["workflow"])
        if body["event"]["event"] in (ENROLLED, ADOPTED):
            event, enrolment = parse_enrolment(body["event"], sealed=True)
            after = opened(machine, event, enrolment, Recorded(body["civil"]), record.recorded_at)
            return {"verdict": "accepted"}, first_changes(machine, after), after, ()
        before = self.prepared(record, body)
        event = machine.forms.reread(body["event"])
        decision = decide(machine, before, event)
        after = evolve(machine, before, event, decision)
        added = () if isinstance(decision, Refused) else decision.readings
        return decision_json(decision), changes(before, after), after, added

    def _keep(self, after: Snapshot, added: tuple[Reading, ...]) -> None:
        self.snapshot = after
        for reading in added:
            self.readings[reading.input] = placed(self.readings.get(reading.input, ()), reading)

    def _readings(self) -> Readings:
        held = self.readings
        return Readings(lambda name: held.get(name, ()))


def snapshot_of(
    machine: Machine,
    row: Mapping[str, Json],
    *,
    calendar: Calendar,
    readings: Readings,
    decided_at: datetime,
) -> Snapshot:
    """The snapshot that a row and the readings within horizons make."""
    return Snapshot(
        course=row["course"],
        digest=row["digest"],
        patient=row["patient"],
        site=row["site"],
        zone=row["zone"],
        retrospective=row["retrospective"],
        state=row["state"],
        round=row["round"],
        seq=row["seq"],
        revision=row["revision"],
        calendar=calendar,
        readings=readings,
        decided_at=decided_at,
        last_at=None if row["last_at"] is None else instant_from(row["last_at"]),
        **sections(machine, row),
    )


def _fault(record: Record, previous: Record | None, course: str, tenant: str) -> Fault | None:
    seq = record.seq

    def fault(kind: str, what: str) -> Fault:
        return Fault(seq=seq, kind=kind, what=what)

    expected = 1 if previous is None else previous.seq + 1
    if seq != expected:
        return fault("gap", f"expected record {expected}")
    if hash_of(record.body) != record.hash:
        return fault("content", "the stored bytes do not have the stored hash")
    try:
        body = json.loads(record.body)
        claims = (body["tenant"], body["course"], body["seq"])
        event, state, stated = body["event"], body["state"], body["prev"]
        columns = (event["id"], event["event"], body["verdict"], body["recorded_at"])
    except (ValueError, KeyError, TypeError):
        return fault("content", "the stored bytes are no record")
    if claims != (tenant, course, seq):
        return fault("order", "the bytes belong to another place in a log")
    head = GENESIS if previous is None else previous.hash
    if stated != head or record.prev_hash != head:
        return fault("link", "it does not follow the record before it")
    if previous is not None and record.recorded_at < previous.recorded_at:
        return fault("order", "it was recorded before its predecessor")
    if columns != (record.event_id, record.event, record.verdict, instant_text(record.recorded_at)):
        return fault("column", "a column does not say what the bytes say")
    if record.at != _asserted(event) or not isinstance(state, list):
        return fault("column", "the column 'at' does not say what the bytes say")
    return None


def _asserted(event: Mapping[str, Any]) -> datetime | None:
    at = event.get("at")
    return instant_from(at) if isinstance(at, str) else None


def _folded(
    row: Mapping[str, Json] | None, record: Record, body: Mapping[str, Any]
) -> dict[str, Json]:
    return patched(
        row,
        body["changes"],
        course=record.course,
        seq=record.seq,
        refused=record.verdict == "refused",
        head=record.hash,
        recorded_at=body["recorded_at"],
    )


def _compared(
    record: Record, body: Mapping[str, Any], decision: Json, changed: Json
) -> list[Difference]:
    found: list[Difference] = []
    for name, recorded, again in (
        ("decision", body["decision"], decision),
        ("changes", body["changes"], changed),
    ):
        if recorded != again:
            found += _differences(record, name, recorded, again)
    return found


def _differences(record: Record, place: str, recorded: Json, again: Json) -> list[Difference]:
    if isinstance(recorded, dict) and isinstance(again, dict):
        return [
            difference
            for name in sorted(recorded.keys() | again.keys())
            if recorded.get(name) != again.get(name)
            for difference in _differences(
                record, f"{place}.{name}", recorded.get(name), again.get(name)
            )
        ]
    return [
        Difference(
            seq=record.seq,
            event=record.event,
            place=place,
            recorded=_short(recorded),
            again=_short(again),
        )
    ]


def _short(value: Json) -> str:
    said = canonical(value).decode()
    return said if len(said) <= 120 else said[:117] + "..."

"""A course walked record by record, as it was recorded: its row, its snapshot, its readings.

Nothing is decided here. Each record is taken over as it stands, with the civil times and the time
of decision that it keeps, so that whoever walks along sees what its decision saw.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from engine.core.calendar import Recorded
from engine.core.encoding import Json
from engine.core.event import Event
from engine.core.history import folded
from engine.core.lookback import Deep, readings_for, since
from engine.core.machine import Machine
from engine.core.record import Record
from engine.core.row import snapshot_of
from engine.core.sight import facts, told
from engine.core.snapshot import Snapshot, placed
from engine.core.view import Calendar, Reading

Machines = Callable[[str], Machine]
"""Gives the compiled stored definition of a digest."""

Calendars = Callable[[str], Calendar]
"""Gives civil time in a zone."""


@dataclass(frozen=True, slots=True)
class Brought:
    """A reading that a record brought, right or wrong, and when that was recorded."""

    reading: Reading
    recorded_at: datetime


def brought(records: Iterable[Record], machines: Machines) -> list[Brought]:
    """Every reading that records brought, corrections among them, in the order of recording."""
    walk, found = Walk(machines), list[Brought]()
    for record in records:
        added = walk.take_over(record, json.loads(record.body.decode()))
        found += [Brought(reading, record.recorded_at) for reading in added]
    return found


def snapshots(
    records: Iterable[Record], machines: Machines
) -> Iterator[tuple[Record, Snapshot, Event]]:
    """Each record after the first, with the snapshot and the event that it was decided from."""
    walk = Walk(machines)
    for record in records:
        body = json.loads(record.body.decode())
        if walk.snapshot is not None:
            event = machines(body["workflow"]).forms.reread(body["event"])
            yield record, walk.before(record, body, event), event
        walk.take_over(record, body)


class Walk:
    """The course between two records: its row, its snapshot and all its readings."""

    def __init__(self, machines: Machines) -> None:
        self.machines = cache(machines)
        self.row: dict[str, Json] | None = None
        self.readings: dict[str, list[Reading]] = {}
        self._standing: Snapshot | None = None
        self._last: tuple[Machine, datetime] | None = None
        self._read: tuple[Mapping[str, Any], Event] | None = None

    @property
    def snapshot(self) -> Snapshot | None:
        """The snapshot that the row makes; `None` before the first record. Made when asked for."""
        if self._standing is None and self.row is not None and self._last is not None:
            machine, decided_at = self._last
            self._standing = snapshot_of(
                machine, self.row, calendar=Recorded({}), decided_at=decided_at
            )
        return self._standing

    def fork(self) -> Walk:
        """The same place, to walk on from on another way."""
        other = Walk(self.machines)
        other.row, other._standing, other._last = self.row, self._standing, self._last
        other.readings = {name: list(held) for name, held in self.readings.items()}
        return other

    def before(self, record: Record, body: Mapping[str, Any], event: Event) -> Snapshot:
        """The snapshot that a record was decided from: its civil times, its time of decision."""
        standing = self.snapshot
        if standing is None:
            raise LookupError("the first record does not open the course")
        machine = self.machines(body["workflow"])
        return standing.facing(
            calendar=Recorded(body["civil"]),
            decided_at=record.recorded_at,
            another_open=bool(body["decision"].get("another_open")),
            readings=readings_for(machine, standing.latest, event, self.load),
        )

    def event(self, body: Mapping[str, Any]) -> Event:
        """The event of the next record, read once however often it is asked for."""
        if self._read is None or self._read[0] is not body:
            self._read = (body, self.machines(body["workflow"]).forms.reread(body["event"]))
        return self._read[1]

    def take_over(self, record: Record, body: Mapping[str, Any]) -> tuple[Reading, ...]:
        """Go on from what was recorded, whatever weighing it again would say.

        Gives the readings that the record brought.
        """
        machine = self.machines(body["workflow"])
        added: tuple[Reading, ...] = ()
        if self.row is not None and record.verdict != "refused" and machine.brings(record.event):
            event = self.event(body)
            if event.correction is not None:
                added = facts(self.before(record, body, event), event)
            else:
                added = told(event, record.seq, Recorded(body["civil"]))
            self.add(added)
        self.row = folded(self.row, record, body)
        self._standing, self._last = None, (machine, record.recorded_at)
        return added

    def add(self, readings: Sequence[Reading]) -> None:
        """Put readings into their places."""
        for reading in readings:
            held = self.readings.setdefault(reading.input, [])
            last = held[-1].at if held else None
            if reading.corrects is None and (
                not held or (last is not None and reading.at is not None and last <= reading.at)
            ):
                held.append(reading)  # in place: a long course is not copied for each reading
            else:
                self.readings[reading.input] = placed(held, reading)

    def load(self, deep: Deep) -> Mapping[str, Sequence[Reading]]:
        """The readings that a decision looks back to."""
        return {name: since(self.readings.get(name, ()), start) for name, start in deep.items()}

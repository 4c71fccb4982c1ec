"""A course decided again from its records, with the stored definition alone.

Every guard is weighed again with the civil times and the time of decision that the record keeps,
and every difference is listed, not the first: after one, the course goes on from what was recorded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.core.calendar import Recorded
from engine.core.decision import decide
from engine.core.encoding import Json, canonical
from engine.core.enrolment import opened
from engine.core.envelope import parse_enrolment
from engine.core.event import ADOPTED, ENROLLED, Event
from engine.core.evolution import evolve
from engine.core.finding import Missing
from engine.core.history import folded
from engine.core.lookback import Deep, readings_for, since
from engine.core.machine import Machine
from engine.core.outcome import Refused, lacking
from engine.core.record import Record, decision_json
from engine.core.row import changes, first_changes, snapshot_of
from engine.core.sight import facts, view_of
from engine.core.snapshot import Snapshot, placed
from engine.core.view import Calendar, Reading
from engine.errors import InvalidInput

Machines = Callable[[str], Machine]
"""Gives the compiled stored definition of a digest."""

Calendars = Callable[[str], Calendar]
"""Gives civil time in a zone."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Relied:
    """A later decision that could see a reading, and the guards that looked at its input."""

    seq: int
    event: str
    verdict: str
    guards: tuple[str, ...]


def decide_again(records: Iterable[Record], machines: Machines) -> Iterator[Difference]:
    """Every difference between the recorded decisions and the same events weighed again."""
    course = _Course(machines)
    for record in records:
        yield from course.differences(record)


def relying(
    records: Iterable[Record], machines: Machines, seq: int, input_name: str
) -> Iterator[Relied]:
    """The later decisions whose guards could see the reading that a record brought.

    A reading that was corrected since is seen by the decisions before its correction, and by none
    after it.
    """
    for record, snapshot, event in snapshots(records, machines):
        if record.seq <= seq:
            continue
        if any(reading.seq == seq for reading in view_of(snapshot, event).readings.get(input_name)):
            state = json.loads(record.body.decode())["state"][1]
            machine = machines(snapshot.digest)
            guards = machine.looking_at(input_name, event.name, (snapshot.state, state))
            if guards:
                yield Relied(
                    seq=record.seq, event=record.event, verdict=record.verdict, guards=guards
                )


def lacking_then(
    records: Iterable[Record], machines: Machines
) -> Iterator[tuple[int, dict[str, tuple[Missing, ...]]]]:
    """What the requirements that were not yes lacked, by record and guard, as it was then known."""
    for record, snapshot, event in snapshots(records, machines):
        decision = json.loads(record.body.decode())["decision"]
        if decision.get("attempts") or any(w.get("passed") for w in decision.get("weighed", ())):
            yield record.seq, lacking(decide(machines(snapshot.digest), snapshot, event))


def standing(
    records: Iterable[Record], machines: Machines, ask: Callable[[Machine], Event], zone: Calendars
) -> tuple[dict[str, Json], Machine, Snapshot] | None:
    """Where the records leave a course: its row, and the snapshot for a question asked of it then.

    `None` without any record.
    """
    course = _Course(machines)
    for record in records:
        course.take_over(record, json.loads(record.body.decode()))
    if course.row is None or course.snapshot is None:
        return None
    machine = machines(course.snapshot.digest)
    event = ask(machine)
    snapshot = course.snapshot.facing(
        calendar=zone(course.snapshot.zone),
        decided_at=event.at or course.snapshot.decided_at,
        readings=readings_for(machine, course.snapshot.latest, event, course.load),
    )
    return course.row, machine, snapshot


def snapshots(
    records: Iterable[Record], machines: Machines
) -> Iterator[tuple[Record, Snapshot, Event]]:
    """Each record after the first, with the snapshot and the event that it was decided from."""
    course = _Course(machines)
    for record in records:
        body = json.loads(record.body.decode())
        if course.snapshot is not None:
            event = machines(body["workflow"]).forms.reread(body["event"])
            yield record, course.before(record, body, event), event
        course.take_over(record, body)


class _Course:
    """The course between two records: its row, its snapshot and all its readings."""

    def __init__(self, machines: Machines) -> None:
        self.machines = machines
        self.row: dict[str, Json] | None = None
        self.snapshot: Snapshot | None = None
        self.readings: dict[str, list[Reading]] = {}

    def differences(self, record: Record) -> list[Difference]:
        body = json.loads(record.body.decode())
        try:
            decision, changed, after, added = self._decided(record, body)
        except (LookupError, InvalidInput, ValueError) as wrong:
            self.take_over(record, body)
            return [_undecidable(record, wrong)]
        found = _compared(record, "decision", body["decision"], decision)
        found += _compared(record, "changes", body["changes"], changed)
        if found:
            self.take_over(record, body)
        else:
            self.row = folded(self.row, record, body)
            self.snapshot = after
            self._add(added)
        return found

    def before(self, record: Record, body: Mapping[str, Any], event: Event) -> Snapshot:
        """The snapshot that a record was decided from: its civil times, its time of decision."""
        if self.snapshot is None:
            raise LookupError("the first record does not open the course")
        machine = self.machines(body["workflow"])
        return self.snapshot.facing(
            calendar=Recorded(body["civil"]),
            decided_at=record.recorded_at,
            another_open=bool(body["decision"].get("another_open")),
            readings=readings_for(machine, self.snapshot.latest, event, self.load),
        )

    def take_over(self, record: Record, body: Mapping[str, Any]) -> None:
        """Go on from what was recorded, whatever weighing it again would say."""
        machine = self.machines(body["workflow"])
        if self.snapshot is not None and record.verdict != "refused":
            event = machine.forms.reread(body["event"])
            self._add(facts(self.before(record, body, event), event))
        self.row = folded(self.row, record, body)
        self.snapshot = snapshot_of(
            machine,
            self.row,
            calendar=Recorded({}),
            decided_at=record.recorded_at,
        )

    def _decided(
        self, record: Record, body: Mapping[str, Any]
    ) -> tuple[Json, Json, Snapshot, Sequence[Reading]]:
        machine = self.machines(body["workflow"])
        if body["event"]["event"] in (ENROLLED, ADOPTED):
            event, enrolment = parse_enrolment(body["event"], sealed=True)
            after = opened(machine, event, enrolment, Recorded(body["civil"]), record.recorded_at)
            return {"verdict": "accepted"}, first_changes(machine, after), after, ()
        event = machine.forms.reread(body["event"])
        before = self.before(record, body, event)
        decision = decide(machine, before, event)
        after = evolve(machine, before, event, decision)
        added = () if isinstance(decision, Refused) else decision.readings
        return decision_json(decision), changes(before, after), after, added

    def _add(self, readings: Sequence[Reading]) -> None:
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


def _undecidable(record: Record, wrong: Exception) -> Difference:
    return Difference(
        seq=record.seq,
        event=record.event,
        place="event",
        recorded=record.verdict,
        again=f"cannot be decided ({type(wrong).__name__}: {wrong})",
    )


def _compared(record: Record, place: str, recorded: Json, again: Json) -> list[Difference]:
    if recorded == again:
        return []
    if isinstance(recorded, dict) and isinstance(again, dict):
        return [
            difference
            for name in sorted(recorded.keys() | again.keys())
            for difference in _compared(
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

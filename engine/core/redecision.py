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
from engine.core.event import ADOPTED, ENROLLED, RECONSIDERED, Event
from engine.core.evolution import evolve
from engine.core.finding import Missing
from engine.core.history import folded
from engine.core.lookback import readings_for
from engine.core.machine import Machine
from engine.core.outcome import Refused, lacking
from engine.core.reconsideration import is_weighed, reconsider, weighed_by
from engine.core.record import Record, decision_json
from engine.core.row import changes, first_changes
from engine.core.sight import view_of
from engine.core.snapshot import Snapshot
from engine.core.view import Reading
from engine.core.walk import Calendars, Machines, Walk, snapshots
from engine.errors import InvalidInput


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
    course = Again(machines)
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
        machine = machines(snapshot.digest)
        decides = event.name in machine.events or event.correction is not None
        if record.seq <= seq or not decides:
            continue  # what else the engine records looks at no reading
        if any(reading.seq == seq for reading in view_of(snapshot, event).readings.get(input_name)):
            state = json.loads(record.body.decode())["state"][1]
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
    course = Walk(machines)
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


class Again(Walk):
    """A walk on which every decision is made again. `decision` is what the last one came to.

    It needs no row while each comes to what was recorded: the snapshot goes on by itself.
    """

    def __init__(self, machines: Machines) -> None:
        super().__init__(machines)
        self.decision: dict[str, Json] = {}
        self._passed: list[Record] = []
        self._folded = 0  # the records that are in the row

    def differences(self, record: Record) -> list[Difference]:
        """How the decision of the next record differs from the recorded one."""
        body = json.loads(record.body.decode())
        self.decision = {}
        self._passed.append(record)
        try:
            decision, changed, after, added = self._decided(record, body)
            again = self._reconsidered(record, body)
        except (LookupError, InvalidInput, ValueError) as wrong:
            self.take_over(record, body)
            return [_undecidable(record, wrong)]
        self.decision = decision
        # What lists and feeds show of a record are these two: they must be its decision's.
        state = [None if self.snapshot is None else self.snapshot.state, after.state]
        found = _compared(record, "verdict", body["verdict"], decision["verdict"])
        found += _compared(record, "state", body["state"], state)
        found += _compared(record, "decision", body["decision"], decision)
        found += _compared(record, "changes", body["changes"], changed)
        found += again
        if found:
            self.take_over(record, body)
        else:
            self._standing = after
            self.add(added)
        return found

    def take_over(self, record: Record, body: Mapping[str, Any]) -> tuple[Reading, ...]:
        """As recorded, once the row has what came before."""
        for passed in self._passed[self._folded : -1]:
            self.row = folded(self.row, passed, json.loads(passed.body.decode()))
        self._folded = len(self._passed)
        return super().take_over(record, body)

    def _reconsidered(self, record: Record, body: Mapping[str, Any]) -> list[Difference]:
        """How what the engine said was changed differs from what follows from the records."""
        if record.event != RECONSIDERED:
            return []
        said = body["event"]["data"]
        weighed = weighed_by(said)
        until = [one for one in self._passed[:-1] if one.seq <= weighed]
        if not until or not is_weighed(until, self.machines):
            raise ValueError(f"record {weighed} is neither a correction nor a late entry")
        found = reconsider(until, self.machines, Recorded(body["civil"]))
        return _compared(record, "event.data", said, found)

    def _decided(
        self, record: Record, body: Mapping[str, Any]
    ) -> tuple[dict[str, Json], Json, Snapshot, Sequence[Reading]]:
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

"""A course played back, step by step: what was known and decided, and what is said of it by now.

One step is one record. Four senses of the same step stand side by side:

- *recorded*: the log as it stands. A value that was corrected since is there, and is marked.
- *known*: what the system had been told by then. Nothing that came later shows.
- *believed*: the step in the light of everything known today, corrections and late entries. The
  decision is weighed with that, and where it comes to something else this is said.
- *again*: the decision weighed once more from what was known then, by the stored definition.

A walk goes forward and back: steps are made once each, and nothing is folded from the start again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property, partial
from typing import Any

from engine.core.axes import Known, corrections, is_retrospective, known, known_by
from engine.core.beliefs import beliefs
from engine.core.encoding import Json, encode_value, instant_text
from engine.core.event import CORRECTIONS, RECONSIDERED
from engine.core.hindsight import Hindsight, Outcome, outcome_recorded
from engine.core.machine import Machine
from engine.core.record import Record
from engine.core.redecision import Again, Difference
from engine.core.view import ENTERED_IN_ERROR, Reading
from engine.core.walk import Brought, Calendars, Machines, Walk, brought
from engine.errors import InvalidInput, NotFound


class Sense(StrEnum):
    """In which sense a course is replayed. Shown: never rename a value."""

    RECORDED = "recorded"
    KNOWN = "known"
    BELIEVED = "believed"
    AGAIN = "again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One record, the row after it, and the readings in force when it was decided, by input.

    `readings` are marked with what corrects them by now. `outcome` is what was decided.
    """

    record: Record
    row: Mapping[str, Json]
    readings: Mapping[str, Known]
    outcome: Outcome

    @property
    def seq(self) -> int:
        return self.record.seq

    @property
    def body(self) -> Mapping[str, Any]:
        found: dict[str, Any] = json.loads(self.record.body)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """A step with what is believed by now. `outcome` is `None` where it cannot be weighed so.

    `variables` are those that are believed to have been different from those recorded, after it.
    """

    outcome: Outcome | None
    decision: Mapping[str, Json]
    variables: Mapping[str, Any] = field(default_factory=dict)
    look: Callable[[], Mapping[str, Known]] = field(repr=False, compare=False)

    @property
    def readings(self) -> Mapping[str, Known]:
        """The readings that are believed to have been in force; looked for when asked for."""
        return self.look()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reweighed:
    """A decision that was made again: what it is by the stored definition, and how it differs."""

    decision: Mapping[str, Json]
    differences: tuple[Difference, ...]


class Playback:
    """The steps of one course, numbered as its records are; each is made once, when asked for.

    Raises NotFound when there is no record at all.
    """

    def __init__(
        self, course: str, records: Sequence[Record], machines: Machines, calendars: Calendars
    ) -> None:
        if not records:
            raise NotFound(course)
        self.course = course
        self._records = tuple(records)
        self._machines = machines
        self._calendars = calendars
        self._walk = Walk(machines)
        self._steps: list[Step] = []
        self._again = Again(machines)
        self._reweighed: list[Reweighed] = []
        self._along = Walk(machines)
        self._believed: list[Believed] = []

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Step]:
        return (self.step(n) for n in range(1, len(self) + 1))

    @property
    def machine(self) -> Machine:
        """The compiled definition that the last record was decided by."""
        return self._machines(json.loads(self._records[-1].body)["workflow"])

    def step(self, number: int) -> Step:
        """The step of a record. Raises InvalidInput for one that is not there."""
        self._require(number)
        while len(self._steps) < number:
            record = self._records[len(self._steps)]
            body = json.loads(record.body)
            self._walk.take_over(record, body)
            self._steps.append(
                Step(
                    record=record,
                    row=self._walk.row or {},
                    readings=self._in_force(self._walk, self._machines(body["workflow"]), record),
                    outcome=outcome_recorded(body),
                )
            )
        return self._steps[number - 1]

    def again(self, number: int) -> Reweighed:
        """A step's decision, weighed again."""
        self._require(number)
        while len(self._reweighed) < number:
            record = self._records[len(self._reweighed)]
            found = tuple(self._again.differences(record))
            self._reweighed.append(Reweighed(decision=self._again.decision, differences=found))
        return self._reweighed[number - 1]

    def believed(self, number: int) -> Believed:
        """A step in the light of everything that is known today."""
        self._require(number)
        while len(self._believed) < number:
            record = self._records[len(self._believed)]
            body = json.loads(record.body)
            outcome = self._hindsight.weigh(self._along, record, body)
            decision = self._hindsight.decision or body["decision"]
            self._along.take_over(record, body)
            self._hindsight.settle(self._along, body)
            machine = self._machines(body["workflow"])
            self._believed.append(
                Believed(
                    outcome=outcome,
                    decision=decision,
                    variables=dict(self._hindsight.variables),
                    look=partial(self._believed_in_force, machine, record.at),
                )
            )
        return self._believed[number - 1]

    def believed_variables(self) -> Mapping[str, Any]:
        """What the course remembers that would be another with what is believed today."""
        if not any(record.event in {*CORRECTIONS, RECONSIDERED} for record in self._records):
            return {}  # nothing came that could have changed it
        return self.believed(len(self)).variables

    def at(self, instant: datetime) -> Step:
        """The step that the course had come to, as it was known at an instant.

        Of a retrospective course, which is told after the fact, the last that had happened by then.
        Raises InvalidInput when there was none yet.
        """
        axis = "happened_by" if is_retrospective(self._records[0]) else "recorded_by"
        found = known_by(self._records, **{axis: instant})
        if not found:
            first = self._records[0]
            begun = first.at if axis == "happened_by" and first.at else first.recorded_at
            raise InvalidInput("at", f"an instant from {instant_text(begun)} on")
        return self.step(found[-1].seq)

    def readings(
        self, *, happened_by: datetime | None = None, recorded_by: datetime | None = None
    ) -> dict[str, list[Known]]:
        """The readings on both time axes, by input."""
        return known(self._brought, happened_by=happened_by, recorded_by=recorded_by)

    def reading_json(self, one: Known) -> dict[str, Json]:
        """A reading as it is shown, with the unit of its input."""
        declared = self.machine.inputs.get(one.reading.input)
        return one.json() | {"unit": None if declared is None else declared.unit}

    def differing(self) -> list[int]:
        """The steps that would come to something else with what is believed today."""
        return [step.seq for step in self if self.believed(step.seq).outcome != step.outcome]

    def shown(self, number: int, sense: Sense = Sense.RECORDED) -> dict[str, Json]:
        """A step as it is shown, in one sense, with what the others say of it."""
        step, believed, again = self.step(number), self.believed(number), self.again(number)
        body = step.body
        event = body["event"]
        readings, decision, outcome = step.readings, body["decision"], step.outcome
        hindsight: Outcome | None = step.outcome
        match sense:
            case Sense.KNOWN:
                readings = {name: one.as_of(number) for name, one in readings.items()}
            case Sense.BELIEVED:
                readings, decision = believed.readings, believed.decision
                hindsight = believed.outcome
            case Sense.AGAIN:
                decision = again.decision
        return {
            "course": self.course,
            "step": number,
            "steps": len(self),
            "sense": sense.value,
            "record": {
                "seq": number,
                "hash": step.record.hash,
                "event": step.record.event,
                "at": event["at"],
                "recorded_at": body["recorded_at"],
                "role": event["actor"]["role"],
                "verdict": step.record.verdict,
                "late": bool(body["decision"].get("late")),
                "state_before": body["state"][0],
                "state": body["state"][1],
            },
            "row": dict(step.row),
            "readings": [self.reading_json(one) for one in readings.values()],
            "decision": dict(decision),
            "outcome": None if hindsight is None else hindsight.json(),
            "believed_variables": {
                name: encode_value(value) for name, value in sorted(believed.variables.items())
            },
            "says": {
                Sense.RECORDED.value: outcome.json(),
                Sense.BELIEVED.value: None if believed.outcome is None else believed.outcome.json(),
                Sense.AGAIN.value: [
                    {"place": d.place, "recorded": d.recorded, "again": d.again}
                    for d in again.differences
                ],
            },
            "differs": {
                Sense.BELIEVED.value: believed.outcome != step.outcome,
                Sense.AGAIN.value: bool(again.differences),
            },
        }

    # --- how ----------------------------------------------------------------------------------

    def _require(self, number: int) -> None:
        if not 1 <= number <= len(self):
            raise InvalidInput("step", f"a record of the course, 1 to {len(self)}")

    def _in_force(self, walk: Walk, machine: Machine, record: Record) -> dict[str, Known]:
        """The readings in force when a record was decided, its own among them."""
        found: dict[str, Known] = {}
        for name in sorted(walk.readings):
            reading = _newest(walk.readings[name], record.at, machine)
            if reading is not None:
                found[name] = Known(
                    reading=reading,
                    recorded_at=self._records[reading.seq - 1].recorded_at,
                    corrected_by=self._corrections.get((name, reading.seq)),
                )
        return found

    def _believed_in_force(self, machine: Machine, at: datetime | None) -> dict[str, Known]:
        return _latest(known(self._brought, happened_by=at), machine)

    @cached_property
    def _brought(self) -> list[Brought]:
        return brought(self._records, self._machines)

    @cached_property
    def _corrections(self) -> Mapping[tuple[str, int], int]:
        return corrections(self._brought)

    @cached_property
    def _hindsight(self) -> Hindsight:
        zone = json.loads(self._records[0].body)["event"]["zone"]
        believed = beliefs(self._brought, self._records)
        return Hindsight(self._machines, believed, self._calendars(zone))


def _newest(readings: Sequence[Reading], at: datetime | None, machine: Machine) -> Reading | None:
    for reading in reversed(readings):
        if reading.flaw == ENTERED_IN_ERROR and machine.forgets_errors:
            continue
        if at is None or reading.at is None or reading.at <= at:
            return reading
    return None


def _latest(held: Mapping[str, Sequence[Known]], machine: Machine) -> dict[str, Known]:
    found: dict[str, Known] = {}
    for name, several in held.items():
        for one in reversed(several):
            if one.reading.flaw != ENTERED_IN_ERROR or not machine.forgets_errors:
                found[name] = one
                break
    return found

"""What a correction changes: the decisions that relied on the reading, weighed again with it.

- Each decision from the record that brought the reading up to the correction is looked at: it
  *relied* on the reading when it could see it and one of its guards looks at the input.
- It *differs* when it comes to something else with what is believed since the correction, and did
  not so without it. What other corrections changed is theirs to tell.
- The answer follows from the records alone, so that an auditor gets the same one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.core.encoding import Json
from engine.core.event import CORRECTIONS, DISPOSED, RECONSIDERED
from engine.core.hindsight import Hindsight, Outcome, beliefs, outcome_recorded
from engine.core.record import Record
from engine.core.sight import view_of
from engine.core.view import Calendar
from engine.core.walk import Brought, Machines, Walk

OPEN, REPLACED = "open", "replaced"
"""What becomes of a finding, beside what a clinician makes of it. Shown: never rename a value."""


def reconsider(
    records: Sequence[Record], machines: Machines, calendar: Calendar
) -> dict[str, Json]:
    """What the last record, a correction, changes: the data of `course.reconsidered`.

    `calendar` answers for days that no record keeps, since nobody looked at them then.
    """
    *_, correction = records
    origins = _origins(records)
    origin = origins[correction.seq]
    name = json.loads(correction.body)["event"]["data"]["input"]
    walk, found = Walk(machines), list[Brought]()
    start, first = walk.fork(), min(origins.values())
    for record in records:
        if record.seq == first:
            start = walk.fork()
        added = walk.take_over(record, json.loads(record.body))
        found += [Brought(reading, record.recorded_at) for reading in added]
    believed = beliefs(found)
    weighing = _Weighing(machines, name, origin)
    now = Hindsight(machines, believed, calendar)
    then = Hindsight(machines, believed.but((name, origin)), calendar)
    for record in records[first - 1 : -1]:
        weighing.weigh(start, record, now, then)
    return {
        "correction": correction.seq,
        "record": origin,
        "input": name,
        "relied": weighing.relied,
        "differing": weighing.differing,
    }


def unreconsidered(records: Iterable[Record]) -> list[int]:
    """The corrections of which nobody recorded what they change: an engine of before made them."""
    left: dict[int, None] = {}
    for record in records:
        if record.event in CORRECTIONS:
            left[record.seq] = None
        elif record.event == RECONSIDERED:
            left.pop(json.loads(record.body)["event"]["data"]["correction"], None)
    return list(left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """A finding that was raised, and what became of it.

    `status` is `open`, `accepted`, `acted` or `replaced`; `by` is the record that says so. `data`
    is that of `course.reconsidered`: the decisions that relied on the reading, and those that
    would differ, recorded and weighed again.
    """

    finding: int
    data: Mapping[str, Json]
    status: str = OPEN
    by: int | None = None

    def json(self) -> dict[str, Json]:
        """The finding as it is shown."""
        return {"finding": self.finding, **self.data, "status": self.status, "by": self.by}


def raised(records: Iterable[Record]) -> list[Raised]:
    """Every finding of a course, in order, with what became of it."""
    found: dict[int, Raised] = {}
    for record in records:
        if record.event not in (RECONSIDERED, DISPOSED) or record.verdict == "refused":
            continue
        data = json.loads(record.body)["event"]["data"]
        if record.event == DISPOSED:
            one = found[data["finding"]]
            found[one.finding] = replace(one, status=data["disposition"], by=record.seq)
            continue
        reading = (data["record"], data["input"])
        for one in found.values():
            if one.status == OPEN and (one.data["record"], one.data["input"]) == reading:
                found[one.finding] = replace(one, status=REPLACED, by=record.seq)
        if data["differing"]:
            found[record.seq] = Raised(finding=record.seq, data=data)
    return list(found.values())


class _Weighing:
    """The decisions of a course, in order, with what a correction makes of them."""

    def __init__(self, machines: Machines, name: str, origin: int) -> None:
        self._machines, self._name, self._origin = machines, name, origin
        self.relied: list[Json] = []
        self.differing: list[Json] = []

    def weigh(self, walk: Walk, record: Record, now: Hindsight, then: Hindsight) -> None:
        """Weigh one record, and walk on behind it."""
        body = json.loads(record.body)
        recorded = outcome_recorded(body)
        without, found = then.weigh(walk, record, body), now.weigh(walk, record, body)
        differs = found not in (recorded, without)
        if differs or self._relies(walk, record, body):
            self.relied.append(record.seq)
        if differs:
            self.differing.append(_differing(record, recorded, found))
        walk.take_over(record, body)
        then.settle(walk, body)
        now.settle(walk, body)

    def _relies(self, walk: Walk, record: Record, body: Mapping[str, Any]) -> bool:
        machine = self._machines(body["workflow"])
        if record.seq < self._origin or walk.row is None:
            return False
        states = (walk.row["state"], body["state"][1])
        if not machine.looking_at(self._name, record.event, states):
            return False
        event = machine.forms.reread(body["event"])
        if record.event not in machine.events:
            return False
        seen = view_of(walk.before(record, body, event), event).readings.get(self._name)
        # Where no guard looks at a window, none looks behind the latest reading.
        looked_at = seen if self._name in machine.horizons else seen[-1:]
        return any(reading.origin == self._origin for reading in looked_at)


def _origins(records: Sequence[Record]) -> dict[int, int]:
    """Of each correction, the record that first brought the reading that it corrects."""
    named: dict[int, tuple[str, int]] = {}
    found: dict[int, int] = {}
    for record in records:
        if record.event in CORRECTIONS:
            data = json.loads(record.body)["event"]["data"]
            input_name, of = data["input"], data["record"]
            # A correction may name another one of the input, which stands for what that corrects.
            while of in named and named[of][0] == input_name:
                of = named[of][1]
            named[record.seq] = (input_name, of)
            found[record.seq] = of
    return found


def _differing(record: Record, recorded: Outcome, found: Outcome | None) -> dict[str, Json]:
    """A decision that would have been another: recorded, and weighed again."""
    return {
        "record": record.seq,
        "event": record.event,
        "recorded": recorded.json(),
        "again": None if found is None else found.json(),
        "guards": {} if found is None else recorded.turned(found),
    }

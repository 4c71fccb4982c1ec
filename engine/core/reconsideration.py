"""What a correction or a late entry changes: the decisions concerned, weighed again with it.

- Of a correction each decision is looked at from the record that brought the reading up to the
  correction; of a late entry each that was recorded before it, and is of its time or later.
- A decision *relied* on the reading when it could see it and one of its guards looks at the input;
  of a late entry, when it could have seen it had it been told in time.
- It *differs* when it comes to something else with what is believed since, and did not so without
  it. What other corrections and late entries changed is theirs to tell.
- Late is an event that happened before one that was recorded earlier. A result that took its time
  is no late entry: nobody could have known it sooner. Nor is anything in a course that is told
  after the fact, where nothing was decided at the time.
- The answer follows from the records alone, so that an auditor gets the same one. What was entered
  late counts from when somebody recorded what it changes: records of an engine that did not do
  this are decided again as they were.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from engine.core.axes import is_retrospective
from engine.core.beliefs import Beliefs, beliefs
from engine.core.encoding import Json
from engine.core.event import CORRECTIONS, DISPOSED, RECONSIDERED, Event
from engine.core.hindsight import Hindsight, Outcome, outcome_recorded
from engine.core.outcome import Decision, Refused
from engine.core.record import Record
from engine.core.sight import view_of
from engine.core.view import Calendar
from engine.core.walk import Brought, Machines, Walk

OPEN, REPLACED = "open", "replaced"
"""What becomes of a finding, beside what a clinician makes of it. Shown: never rename a value."""


def may_inform(event: Event, decision: Decision, *, retrospective: bool) -> bool:
    """Whether decisions that are there already could have seen what an event tells, if it is late.

    A correction is weighed by itself.
    """
    if isinstance(decision, Refused) or retrospective or event.correction is not None:
        return False
    return event.at is not None and bool(event.readings)


def is_ahead(record: Record, at: datetime) -> bool:
    """Whether a record decided something that happened after an instant."""
    return record.at is not None and record.at > at and not record.event.startswith("course.")


def tells(record: Record) -> bool:
    """Whether a record told the latest value of an input; where it is late, that is weighed."""
    if record.event.startswith("course.") or record.verdict == "refused":
        return False
    return _LATEST in record.body and bool(json.loads(record.body)["changes"].get("latest"))


def reconsider(
    records: Sequence[Record], machines: Machines, calendar: Calendar
) -> dict[str, Json]:
    """What the last record, a correction or a late entry, changes.

    The data of `course.reconsidered`. `calendar` answers for days that no record keeps, since
    nobody looked at them then.
    """
    *_, last = records
    origins, entries = _origins(records), _entries(records)
    corrects = last.event in CORRECTIONS
    if not corrects:
        entries.add(last.seq)
    first = _first(records, machines, origins, entries)
    walk, found, added = Walk(machines), list[Brought](), dict[int, list[str]]()
    start = walk.fork()
    for record in records:
        if record.seq == first:
            start = walk.fork()
        for reading in walk.take_over(record, json.loads(record.body)):
            found.append(Brought(reading, record.recorded_at))
            added.setdefault(record.seq, []).append(reading.input)
    believed = beliefs(found, entries=entries)
    if corrects:
        name = json.loads(last.body)["event"]["data"]["input"]
        said: dict[str, Json] = {
            "correction": last.seq, "record": origins[last.seq], "input": name,
        }  # fmt: skip
        about = _About(origins[last.seq], (name,), entries, tuple(added[origins[last.seq]]))
        without = believed.but((name, about.record)).untold(about.record)
    else:
        said = {"late_entry": last.seq, "inputs": list(added.get(last.seq, ()))}
        about = _About(last.seq, (), entries, tuple(added.get(last.seq, ())))
        without = believed.untold(last.seq)
    weighing = _Weighing(machines, about, calendar, believed, without)
    for record in records[first - 1 : -1]:
        weighing.weigh(start, record)
    return {**said, "relied": weighing.relied, "differing": weighing.differing}


def unreconsidered(records: Iterable[Record], machines: Machines | None = None) -> list[int]:
    """The corrections of which nobody recorded what they change: an engine of before made them.

    With `machines`, which read what an event tells, the late entries too.
    """
    left: dict[int, None] = {}
    retrospective, latest = False, None
    for record in records:
        if record.seq == 1:
            retrospective = is_retrospective(record)
        if record.event in CORRECTIONS:
            left[record.seq] = None
        elif record.event == RECONSIDERED:
            left.pop(weighed_by(json.loads(record.body)["event"]["data"]), None)
        elif machines is not None and not retrospective and _informs(record, latest, machines):
            left[record.seq] = None
        latest = _later(latest, record)
    return list(left)


def weighed_by(data: Mapping[str, Any]) -> int:
    """The record whose changes a `course.reconsidered` tells: a correction, or a late entry."""
    found: int = data["correction"] if "correction" in data else data["late_entry"]
    return found


def late_entry(record: Record) -> int | None:
    """The late entry whose changes a record tells, if it tells those of one."""
    if record.event != RECONSIDERED:
        return None
    found: int | None = json.loads(record.body)["event"]["data"].get("late_entry")
    return found


def is_weighed(records: Sequence[Record], machines: Machines) -> bool:
    """Whether what the last record changes of earlier decisions has to be recorded after it."""
    *before, last = records
    if last.event in CORRECTIONS:
        return True
    latest = None
    for record in before:
        latest = _later(latest, record)
    return not is_retrospective(records[0]) and _informs(last, latest, machines)


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
        for one in found.values():
            if one.status == OPEN and _overtakes(data, one.data):
                found[one.finding] = replace(one, status=REPLACED, by=record.seq)
        if data["differing"]:
            found[record.seq] = Raised(finding=record.seq, data=data)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class _About:
    """What is weighed: the record that brought it, the reading of it that was corrected, if any.

    `entries` are the late entries that count; `told` are the inputs that the record told.
    """

    record: int
    corrected: tuple[str, ...]
    entries: Collection[int]
    told: tuple[str, ...]


class _Weighing:
    """The decisions of a course, in order, with what is believed and without what is new of it.

    Both come to the same where what is new cannot be seen, and what is remembered is the same.
    """

    def __init__(  # all that one weighing rests on
        self,
        machines: Machines,
        about: _About,
        calendar: Calendar,
        believed: Beliefs,
        without: Beliefs,
    ) -> None:
        self._machines, self._about = machines, about
        self._now = Hindsight(machines, believed, calendar)
        self._then = Hindsight(machines, without, calendar)
        new = {*about.told, *about.corrected}
        self._new = {n: believed.times_told(n, about.record) for n in sorted(new)}
        self.relied: list[Json] = []
        self.differing: list[Json] = []

    def weigh(self, walk: Walk, record: Record) -> None:
        """Weigh one record, and walk on behind it."""
        body, now, then = json.loads(record.body), self._now, self._then
        if self._is_apart(walk, record, body):
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
            return
        if self._about.corrected and self._relies(walk, record, body):
            self.relied.append(record.seq)
        carries = then.carries(self._machines(body["workflow"]))
        if carries:
            then.weigh(walk, record, body)
        walk.take_over(record, body)
        if carries:
            then.settle(walk, body)
            now.follow(then)

    def _is_apart(self, walk: Walk, record: Record, body: Mapping[str, Any]) -> bool:
        """Whether a decision may have come to something else with what is new than without it."""
        now, machine = self._now, self._machines(body["workflow"])
        if now.variables != self._then.variables:
            return True
        if walk.row is None or record.event not in machine.events:
            return False
        if record.seq == self._about.record and self._about.corrected:
            return True
        event, ever = walk.event(body), bool(self._about.corrected)
        return any(
            now.may_matter(walk, machine, name, event, times, ever=ever)
            for name, times in self._new.items()
        )

    def _relies(self, walk: Walk, record: Record, body: Mapping[str, Any]) -> bool:
        machine, about = self._machines(body["workflow"]), self._about
        early = record.seq < about.record
        if walk.row is None or (early and about.record not in about.entries):
            return False
        states = (walk.row["state"], body["state"][1])
        looked_at = [
            name
            for name in (about.told if early else about.corrected)
            if machine.looking_at(name, record.event, states)
        ]
        if not looked_at or record.event not in machine.events:
            return False
        event = walk.event(body)
        if early:
            origin = about.record
            return any(self._now.would_see(walk, record, event, n, origin) for n in looked_at)
        seen = view_of(walk.before(record, body, event), event).readings
        # Where no guard looks at a window, none looks behind the latest reading.
        return any(
            reading.origin == about.record
            for name in looked_at
            for reading in (seen.get(name) if name in machine.horizons else seen.get(name)[-1:])
        )


def _informs(record: Record, latest: datetime | None, machines: Machines) -> bool:
    """Whether a record is a late entry, where decisions before it were of times up to the latest.

    What the decision calls late is measured by what moved the course, and a refusal does not.
    """
    if record.at is None or record.verdict == "refused":
        return False
    ahead = latest is not None and latest > record.at
    if not ahead and _LATE not in record.body:
        return False
    body = json.loads(record.body)
    machine, name = machines(body["workflow"]), body["event"]["event"]
    if name not in machine.events or not machine.brings(name):
        return False
    late = ahead or body["decision"].get("late", False)
    return late and bool(machine.forms.reread(body["event"]).readings)


_LATE = b'"late":true'
"""What stands in the bytes of a record that is called late, so that most need not be read."""


_LATEST = b'"latest":{'


def _later(latest: datetime | None, record: Record) -> datetime | None:
    """The latest time that decisions were of, this one included."""
    return record.at if latest is None or is_ahead(record, latest) else latest


def _entries(records: Sequence[Record]) -> set[int]:
    """The late entries of which somebody recorded what they change."""
    return {seq for one in records if (seq := late_entry(one)) is not None}


def _first(
    records: Sequence[Record],
    machines: Machines,
    origins: Mapping[int, int],
    entries: Collection[int],
) -> int:
    """The first record that has to be looked at for what the last one changes.

    What is believed of other readings counts only where it may be remembered until then.
    """
    last = records[-1]
    about = origins.get(last.seq, last.seq)
    changed: dict[int, list[tuple[str, datetime | None]]] = {}
    for record in records:
        if record.seq in entries or record.seq in origins:
            body = json.loads(record.body)
            event = machines(body["workflow"]).forms.reread(body["event"])
            said = [(reading.input, reading.at) for reading in event.readings]
            if event.correction is not None:
                said.append((event.correction.input, event.correction.at))
            changed.setdefault(origins.get(record.seq, record.seq), []).extend(said)
    carried = machines(json.loads(last.body)["workflow"]).carried
    if carried.isdisjoint(name for said in changed.values() for name, _ in said):
        changed = {about: changed[about]}
    corrected = set(origins.values()).intersection(changed)
    told = [said for record, said in changed.items() if record in entries]
    since = min((at for said in told for _, at in said if at is not None), default=None)
    later = (r.seq for r in records if since is not None and r.at is not None and r.at >= since)
    return min([*corrected, next(later, last.seq)])


def _overtakes(data: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    """Whether what is found now replaces an open finding: of the same reading or late entry."""
    if "late_entry" in data or "late_entry" in one:
        of = data.get("late_entry", data.get("record"))
        return bool(of == one.get("late_entry"))
    return bool((one["record"], one["input"]) == (data["record"], data["input"]))


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

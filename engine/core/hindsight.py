"""Decisions weighed again with what is now believed: corrected values, as if right from the start.

- State, rules in force and open questions are those that were recorded: treatment went that way.
  Only readings differ, what the event itself told, and the variables that follow from them.
- A correction is not weighed: it is what is believed. Nor is what looks at no reading.
- After a difference the course goes on from what was recorded, as `redecision` does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from engine.core.beliefs import Beliefs, Times
from engine.core.calendar import Completed
from engine.core.decision import decide
from engine.core.encoding import Json, instant_from
from engine.core.event import Event
from engine.core.lookback import Deep, readings_for, since
from engine.core.machine import Machine
from engine.core.outcome import Decision, Taken
from engine.core.record import Record, decision_json
from engine.core.snapshot import Snapshot, order
from engine.core.view import ENTERED_IN_ERROR, Calendar, Reading
from engine.core.walk import Machines, Walk
from engine.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a decision came to: enough to tell two decisions apart, and nothing that is measured.

    `requirements` are the verdicts of those that were weighed, by guard; they explain an outcome,
    and two that differ in nothing else are one.
    """

    verdict: str
    transition: str | None
    state: str
    moved_by: str | None = None
    fired: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    requirements: Mapping[str, str] = field(default_factory=dict, compare=False)

    def json(self) -> dict[str, Json]:
        """As a record holds it."""
        found: dict[str, Json] = {"verdict": self.verdict, "state": self.state}
        if self.transition is not None:
            found["transition"] = self.transition
        if self.moved_by is not None:
            found["moved_by"] = self.moved_by
        if self.fired:
            found["fired"] = list(self.fired)
        if self.questions:
            found["questions"] = list(self.questions)
        return found

    def turned(self, other: Outcome) -> dict[str, Json]:
        """The requirements that another outcome weighs otherwise: the verdicts here and there.

        One that was not weighed there, since another way was taken, is not named.
        """
        return {
            guard: [verdict, other.requirements[guard]]
            for guard, verdict in sorted(self.requirements.items())
            if other.requirements.get(guard, verdict) != verdict
        }


def outcome_recorded(body: Mapping[str, Any]) -> Outcome:
    """What a recorded decision came to."""
    return _outcome(body["decision"], body["state"][1])


class Hindsight:
    """Weighs the records of a walk again with beliefs, one after the other.

    `calendar` answers for days that a record does not keep since nobody looked at them then.
    """

    def __init__(self, machines: Machines, believed: Beliefs, calendar: Calendar) -> None:
        self._machines = machines
        self._believed = believed
        self._calendar = calendar
        self._inputs, self._corrected = believed.inputs, believed.corrected
        self._times = {name: believed.times_of(name) for name in self._inputs}
        self._late = {name: believed.late_of(name) for name in self._inputs}
        self._variables: dict[str, Any] = {}
        """Variables that are believed to have been different from those that were recorded."""
        self._after: dict[str, Any] | None = None
        self.decision: Mapping[str, Json] | None = None
        """The decision that was weighed last; `None` where nothing had to be."""

    @property
    def variables(self) -> Mapping[str, Any]:
        """The variables that are believed to be different from those recorded, after the last."""
        return self._variables

    def weigh(self, walk: Walk, record: Record, body: Mapping[str, Any]) -> Outcome | None:
        """What the record's event comes to; `None` where it cannot be weighed so.

        The walk stands before the record. What is believed changes nothing of most records: their
        outcome is the recorded one.
        """
        recorded = outcome_recorded(body)
        self._after = self.decision = None
        if not self._inputs and not self._variables:
            return recorded
        machine = self._machines(body["workflow"])
        if walk.row is None or body["event"]["event"] not in machine.events:
            return recorded
        event = walk.event(body)
        told = self._told(machine, event, record.seq)
        lists = {
            name: self._list(walk, machine, name, event, record.seq)
            for name in self._inputs
            if self.may_matter(walk, machine, name, event, self._times[name])
        }
        touched = {n: held for n, held in lists.items() if held != walk.readings.get(n, [])}
        if told is event and not touched and not self._variables:
            return recorded
        try:
            before = self._before(walk, machine, record, body, told, touched)
            decision = decide(machine, before, told)
        except (LookupError, InvalidInput, ValueError):
            return None
        self.decision = decision_json(decision)
        found = _outcome(self.decision, decision.state)
        if isinstance(decision, Taken) and _goes_alike(decision, body):
            self._after = {**before.variables, **decision.updates}
        elif not isinstance(decision, Taken) and body["verdict"] == "refused":
            self._after = dict(before.variables)
        return found

    def settle(self, walk: Walk, body: Mapping[str, Any]) -> None:
        """Take over what follows for the variables; the walk has taken over the record."""
        after = self._after
        if after is None:  # what was recorded stands, for all that the record changed
            changed = body["changes"].get("variables", {})
            after = {n: v for n, v in self._variables.items() if n not in changed}
        if after or self._variables:
            recorded = {} if walk.snapshot is None else walk.snapshot.variables
            self._variables = {n: v for n, v in after.items() if v != recorded.get(n)}

    def follow(self, other: Hindsight) -> None:
        """Take over the variables of another hindsight, which weighed alike."""
        self._variables = other._variables

    def carries(self, machine: Machine) -> bool:
        """Whether what a course remembers may be believed to have been different."""
        return bool(self._variables) or not machine.carried.isdisjoint(self._inputs)

    def would_see(self, walk: Walk, record: Record, event: Event, name: str, origin: int) -> bool:
        """Whether guards would see what a record told of an input, as is believed.

        The walk stands before the record that is looked at. Where no guard looks at a window, none
        looks behind the latest reading.
        """
        machine = self._machines(walk.row["digest"]) if walk.row is not None else None
        told = next((r for r in self._believed.late if (r.input, r.origin) == (name, origin)), None)
        if machine is None or event.at is None or told is None or told.at is None:
            return False
        if told.at > event.at:
            return False
        horizon = machine.horizons.get(name)
        if horizon is not None and told.at >= event.at - horizon:
            return True
        others = self._beside(walk, machine, told, record, event)
        return not any(r.at and r.at <= event.at and order(r) > order(told) for r in others)

    # --- how ----------------------------------------------------------------------------------

    def may_matter(  # what is asked, and of which decision
        self,
        walk: Walk,
        machine: Machine,
        name: str,
        event: Event,
        times: Times,
        *,
        ever: bool = False,
    ) -> bool:
        """Whether readings of an input of these times, told or believed, may be seen by an event.

        Guards see the latest reading, and what lies within a horizon: what is older than both is as
        good as the same. Looked at first, so that a long course is not compared reading by reading.
        A reading that was corrected may be the latest no more, and hides none. With `ever` what is
        later than the event counts too: it cannot be seen, but `Revised` depends on it.
        """
        held = walk.readings.get(name, ())
        if event.at is None or walk.row is None or times.undated or (held and held[-1].at is None):
            return True
        standing = self._believed.standing
        last = bisect_right(held, event.at, key=_when)
        while last and (name, held[last - 1].origin) in standing:
            last -= 1
        newest = held[last - 1].at if last else None
        if newest is None:
            return True
        horizon = machine.horizons.get(name)
        known = walk.row["last_at"]
        until = event.at if known is None else max(event.at, instant_from(known))
        until = _END if ever else until
        return times.within(newest if horizon is None else min(newest, event.at - horizon), until)

    def _list(  # what is believed of an input when an event is decided
        self, walk: Walk, machine: Machine, name: str, event: Event, seq: int
    ) -> list[Reading]:
        standing, late = self._believed.standing, self._late[name]
        held = list(walk.readings.get(name, ()))
        new = len(held)
        if name in self._corrected:
            held = [standing.get((name, r.origin), r) for r in held]
            new = 0  # they may have other times
        if event.at is not None and late:
            # What was told by then is among the others.
            held += [r for r in late[: bisect_right(late, event.at, key=_when)] if r.origin > seq]
        if new < len(held):
            held.sort(key=order)
        if machine.forgets_errors:
            held = [r for r in held if r.flaw != ENTERED_IN_ERROR]
        return held

    def _beside(
        self, walk: Walk, machine: Machine, told: Reading, record: Record, event: Event
    ) -> Iterator[Reading]:
        """What is believed of an input beside a late reading of it, as far as it may be newer.

        The newest first, so that a long course is not gone through for each of its records.
        """
        name, standing, gone = told.input, self._believed.standing, machine.forgets_errors
        for reading in event.readings:
            if reading.input == name:
                yield replace(reading, seq=record.seq)
        for reading in reversed(walk.readings.get(name, ())):
            if (name, reading.origin) in standing:
                continue  # it may have another time by now
            if reading.at is not None and told.at is not None and reading.at < told.at:
                break
            if not (gone and reading.flaw == ENTERED_IN_ERROR):
                yield reading
        for (of, origin), reading in standing.items():
            there = of == name and origin < record.seq
            if there and not (gone and reading.flaw == ENTERED_IN_ERROR):
                yield reading
        yield from (r for r in self._believed.late if r.input == name and r.origin != record.seq)

    def _told(self, machine: Machine, event: Event, seq: int) -> Event:
        """The event with what is believed of the readings that it brought."""
        standing = self._believed.standing
        if not any((r.input, seq) in standing for r in event.readings):
            return event
        readings, values = list[Reading](), dict[str, Any]()
        for first in event.readings:
            now = standing.get((first.input, seq))
            if now is None:
                readings.append(first)
                continue
            values[first.input] = now.value if now.flaw is None else None
            if now.flaw == ENTERED_IN_ERROR and machine.forgets_errors:
                continue
            at = event.at if now.at == event.at else now.at  # the same object: its date is known
            readings.append(replace(first, value=now.value, at=at, over=now.over, flaw=now.flaw))
        bound = {f.name: f.input for f in machine.events[event.name].fields if f.input in values}
        data = {n: values[bound[n]] if n in bound else v for n, v in event.data.items()}
        return replace(event, readings=tuple(readings), data=data)

    def _before(  # noqa: PLR0917  # what a decision is made from
        self,
        walk: Walk,
        machine: Machine,
        record: Record,
        body: Mapping[str, Any],
        event: Event,
        touched: Mapping[str, list[Reading]],
    ) -> Snapshot:
        if walk.snapshot is None:
            raise LookupError("the first record does not open the course")
        latest = {n: r for n, r in walk.snapshot.latest.items() if touched.get(n, (r,))}
        latest |= {name: held[-1] for name, held in touched.items() if held}

        def load(deep: Deep) -> Mapping[str, Sequence[Reading]]:
            found = dict(walk.load(deep))
            return found | {n: since(touched[n], deep[n]) for n in deep if n in touched}

        before = walk.snapshot.facing(
            calendar=Completed(body["civil"], self._calendar),
            decided_at=record.recorded_at,
            another_open=bool(body["decision"].get("another_open")),
            readings=readings_for(machine, latest, event, load),
        )
        return replace(before, latest=latest, variables={**before.variables, **self._variables})


def _when(reading: Reading) -> datetime:
    return reading.at or _END


_END = datetime.max.replace(tzinfo=UTC)
"""Of what has no time, which stands behind all that has one."""


def _goes_alike(decision: Decision, body: Mapping[str, Any]) -> bool:
    if not isinstance(decision, Taken):
        return False
    taken = body["decision"].get("transition")
    alike: bool = (decision.transition, decision.state) == (taken, body["state"][1])
    return alike and body["verdict"] != "refused"


def _outcome(decision: Mapping[str, Any], state: str) -> Outcome:
    weighed = [w for a in decision.get("attempts", ()) for w in a["kept_by"]]
    weighed += decision.get("weighed", ())
    return Outcome(
        verdict=decision["verdict"],
        transition=decision.get("transition"),
        state=state,
        moved_by=decision.get("moved_by"),
        fired=tuple(f["rule"] for f in decision.get("fired", ())),
        questions=tuple(sorted(decision.get("unknown", ()))),
        requirements={w["guard"]: w["verdict"] for w in weighed},
    )

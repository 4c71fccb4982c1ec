"""What is given as a course that can be told: adopted in a state, then event after event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.canary.given import (
    LATE,
    NOW,
    QUESTION,
    RETROSPECTIVE,
    REVISED,
    ROUND,
    Given,
    Taken,
)
from engine.core.definition import Event, Field, Input, Kind, Variable, Workflow
from engine.core.encoding import Json, instant_text
from engine.core.event import ADOPTED, CORRECTED, FORMAT
from engine.core.quantity import decimal_text

COURSE, ZONE = "canary", "UTC"
SHORTLY = timedelta(minutes=1)

Said = dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The events of a constructed course, in order, and which of them is to bring it about."""

    events: tuple[Said, ...]
    last: str

    def of(self, digest: str) -> Script:
        """The same course by another definition."""
        first, *rest = self.events
        return replace(self, events=({**first, "workflow": digest}, *rest))


class Stage:
    """Writes scripts for courses of one workflow."""

    def __init__(self, workflow: Workflow, digest: str) -> None:
        self._workflow = workflow
        self._digest = digest
        self._inputs = {one.name: one for one in workflow.inputs}
        self._variables = {one.name: one for one in workflow.variables}
        self._events = {e.name: e for e in workflow.events if not e.timer}
        self._role = next((r for e in self._events.values() for r in e.roles), "")
        self._carriers: dict[str, list[tuple[Event, Field]]] = {}
        for event in self._events.values():
            for field in event.fields:
                if field.input is not None and event.kind is Kind.REPORT:
                    self._carriers.setdefault(field.input, []).append((event, field))
        for carriers in self._carriers.values():
            carriers.sort(key=lambda one: sum(f.required for f in one[0].fields))
        self._moving = {
            (t.event, state)
            for t in workflow.transitions
            for state in workflow.expand(t.sources)
            if t.target not in (None, state)
        }

    def brings(self, name: str) -> bool:
        """Whether any report brings readings of an input."""
        return name in self._carriers

    def scripts(self, given: Given, state: str, event: str | None) -> Iterator[Script]:
        """The ways to tell what is given; `event` is the last one, where it has to be."""
        final = None if event is None else self._events[event]
        revised = sorted(given.named(REVISED))
        # What is given no reading was one that should never have been there.
        ways = ("late", "corrected") if set(revised) <= set(given.readings) else ()
        for how in (*ways, "in error") if revised else ("",):
            told = self._told(given, state, final, revised, how)
            if told is not None:
                yield told

    def awaiting(self, given: Given, state: str, due: datetime) -> Script | None:
        """A course in which a timer comes back: whatever is sent after that lets it."""
        carried, _ = self._carried(given.readings, state, None)
        if carried is None:
            return None
        times = [datetime.fromisoformat(one["at"]) for one in carried]
        begins = self._adoption(given, state, min([due, *times]))
        ends = self._event(self._neutral(state), max([due, *times]) + SHORTLY, {})
        events = (begins, *carried, ends)
        numbered = tuple({**one, "id": f"e{n}"} for n, one in enumerate(events, 1))
        return Script(events=numbered, last=ends["event"])

    def fuller(self, given: Given) -> Iterator[Given]:
        """The same, and more known beside it: what variables begin with, then all of them."""
        free = [v for v in self._variables.values() if ("variable", v.name) not in given.settled]
        initial = {v.name: getattr(v.initial, "value", v.initial) for v in free}
        begun = {name: value for name, value in initial.items() if value is not None}
        yield replace(given, variables={**begun, **given.variables})
        known = {v.name: _PLAIN[v.kind] for v in free if v.kind in _PLAIN}
        yield replace(given, variables={**known, **begun, **given.variables})

    def _told(
        self, given: Given, state: str, final: Event | None, revised: Sequence[str], how: str
    ) -> Script | None:
        # The newest is what is revised; those before it are there already.
        taken = {n: sorted(r, key=lambda one: one.ago) for n, r in given.readings.items()}
        ends = {n: taken[n][0] if n in taken else self._some(n) for n in revised}
        before = {n: tuple(r[1:] if n in ends else r) for n, r in taken.items()}
        carried, last = self._carried(before, state, final)
        if carried is None:
            return None
        events: list[Said] = []
        if revised:
            first = len(carried) + 1 + bool(given.named(QUESTION))
            changed = self._revised(ends, how, after=first)
            if changed is None:
                return None
            carried, last = [*carried, *changed], None
        times = [datetime.fromisoformat(one["at"]) for one in carried]
        events.append(self._adoption(given, state, min([NOW, *times]) + given.lead))
        if given.named(QUESTION):  # which are asked when an event comes
            before_all = datetime.fromisoformat(events[0]["at"])
            events.append(self._event(self._neutral(state), before_all, {}))
        events += carried
        if last is not None or final is not None:
            data = {**(last or {}), **self._data(final, given)}
            events.append(self._event(final or self._neutral(state), NOW, data))
        elif not revised and not carried:
            events.append(self._event(self._neutral(state), NOW, {}))
        numbered = tuple({**one, "id": f"e{n}"} for n, one in enumerate(events, 1))
        return Script(events=numbered, last=numbered[-1]["event"])

    # --- readings ---------------------------------------------------------------------------------

    def _carried(
        self, readings: Mapping[str, tuple[Taken, ...]], state: str, final: Event | None
    ) -> tuple[list[Said] | None, Said | None]:
        """Events that bring the readings, and what the last event brings of them by itself."""
        own = {f.input: f.name for f in final.fields if f.input is not None} if final else {}
        own_data: Said = {}
        at: dict[datetime, dict[str, Taken]] = {}
        for name, taken in readings.items():
            for one in taken:
                if one.at == NOW and name in own and own[name] not in own_data:
                    own_data[own[name]] = self._reading(name, one)
                else:
                    at.setdefault(one.at, {})[name] = one
        found: list[Said] = []
        for when in sorted(at):
            events = self._bringing(at[when], state, when)
            if events is None:
                return None, None
            found += events
        return found, (own_data or None)

    def _bringing(
        self, taken: Mapping[str, Taken], state: str, when: datetime
    ) -> list[Said] | None:
        """As few events as need be, each with as much of it as it has fields for.

        Those that leave the course in its state come first.
        """
        left, found = dict(taken), []
        while left:
            name = next(iter(left))
            if name not in self._carriers:
                return None
            event, _ = max(
                self._carriers[name],
                key=lambda one: (
                    (one[0].name, state) not in self._moving,
                    len(self._fitting(one[0], left)),
                ),
            )
            fitting = self._fitting(event, left)
            data = {field: self._reading(of, left.pop(of)) for of, field in fitting.items()}
            found.append(self._event(event, when, data))
        return found

    def _fitting(self, event: Event, wanted: Mapping[str, Taken]) -> dict[str, str]:
        fields = {f.input: f.name for f in event.fields if f.input is not None}
        return {name: fields[name] for name in wanted if name in fields}

    def _revised(self, readings: Mapping[str, Taken], how: str, *, after: int) -> list[Said] | None:
        """Readings that change what is on record already."""
        found: list[Said] = []
        for name, one in readings.items():
            if name not in self._carriers:
                return None
            event, field = self._carriers[name][0]
            said = self._reading(name, one)
            if how == "late":
                later = self._event(event, one.at + SHORTLY, {field.name: said})
                found += [later, self._event(event, one.at, {field.name: said})]
                continue
            other = said if how == "in error" else self._reading(name, self._another(name, one))
            found.append(self._event(event, one.at, {field.name: other}))
            place: Said = {"record": after + len(found), "input": name}
            what: Said = {"entered_in_error": True} if how == "in error" else {"value": said}
            found.append(
                {
                    "format": FORMAT,
                    "course": COURSE,
                    "event": CORRECTED,
                    "at": instant_text(one.at + SHORTLY),
                    "actor": {"id": COURSE, "role": self._role},
                    "reason": {"text": COURSE},
                    "data": place | what,
                }
            )
        return found

    def _some(self, name: str) -> Taken:
        """Some reading of an input."""
        of = self._inputs[name]
        over = timedelta(hours=1) if of.interval else None
        match of.kind:
            case "quantity" | "number":
                low, high = of.low or Decimal(0), of.high or Decimal(100)
                return Taken((low + high) / 2, timedelta(hours=1), over)
            case "code":
                return Taken(of.codes[0], timedelta(hours=1), over)
            case "yesno":
                return Taken(value=True, ago=timedelta(hours=1), over=over)
            case _:
                return Taken(NOW.date(), timedelta(hours=1), over)

    def _another(self, name: str, taken: Taken) -> Taken:
        """Another value of the same reading: the one that was wrong."""
        declared = self._inputs[name]
        match taken.value:
            case bool() as value:
                return Taken(not value, taken.ago, taken.over)
            case Decimal() as value:
                return Taken(declared.low or value - 1, taken.ago, taken.over)
            case str() as value:
                others = [code for code in declared.codes if code != value]
                return Taken(others[0] if others else value, taken.ago, taken.over)
            case value:
                return Taken(value - timedelta(days=1), taken.ago, taken.over)

    def _reading(self, name: str, taken: Taken) -> Json:
        declared = self._inputs[name]
        said = _said(declared, taken.value)
        if taken.over is None:
            return said
        seconds = str(int(taken.over / timedelta(seconds=1)))
        inner = said if isinstance(said, dict) else {"value": said}
        return {**inner, "over": {"value": seconds, "unit": "s"}}

    # --- events -----------------------------------------------------------------------------------

    def _adoption(self, given: Given, state: str, at: datetime) -> Said:
        attested = {n: _said(self._variables[n], v) for n, v in given.variables.items()}
        return {
            "format": FORMAT,
            "course": COURSE,
            "event": ADOPTED,
            "at": instant_text(at - (timedelta() if given.facts.get(LATE) else SHORTLY)),
            "actor": {"id": COURSE, "role": self._role},
            "workflow": self._digest,
            "patient": COURSE,
            "site": COURSE,
            "zone": ZONE,
            "retrospective": bool(given.facts.get(RETROSPECTIVE, False)),
            "data": {
                "state": state,
                "round": given.facts.get(ROUND, 1),
                "variables": attested,
            },
        }

    def _event(self, event: Event, at: datetime, data: Mapping[str, Json]) -> Said:
        """An event with what it has to have beside what it is to say."""
        lacking = {f.name: self._filling(f) for f in event.fields if f.required}
        said: Said = {
            "format": FORMAT,
            "course": COURSE,
            "event": event.name,
            "at": instant_text(at),
            "actor": {"id": COURSE, "role": event.roles[0]},
            "data": {**lacking, **data},
        }
        if event.reason_codes or event.reason_required:
            said["reason"] = {"code": (*event.reason_codes, COURSE)[0]}
        return said

    def _neutral(self, state: str) -> Event:
        """A report that says as little as possible, where the state takes one."""
        taken = {
            t.event for t in self._workflow.transitions if state in self._workflow.expand(t.sources)
        }
        reports = [e for e in self._events.values() if e.kind is Kind.REPORT]
        return min(
            reports or list(self._events.values()),
            key=lambda e: (
                e.name not in taken,
                (e.name, state) in self._moving,
                sum(f.required for f in e.fields),
                len(e.updates),
            ),
        )

    def _data(self, event: Event | None, given: Given) -> Said:
        fields = {f.name: f for f in event.fields} if event is not None else {}
        return {
            name: _said(self._typed(fields[name]), value)
            for name, value in given.data.items()
            if name in fields
        }

    def _typed(self, field: Field) -> Field | Input:
        return field if field.input is None else self._inputs[field.input]

    def _filling(self, field: Field) -> Json:
        """Something that a field takes, where it has to be there."""
        of = self._typed(field)
        match of.kind:
            case "text":
                return COURSE
            case "list":
                return [{m.name: self._filling(m) for m in field.members if m.required}]
            case "quantity" | "number":
                low, high = field.low or of.low, field.high or of.high
                middle = low if high is None else high if low is None else (low + high) / 2
                said = _said(of, middle if middle is not None else Decimal(1))
                if isinstance(of, Input) and of.interval:
                    return {**said, "over": {"value": "1", "unit": "h"}}
                return said
            case "code":
                return of.codes[0]
            case "yesno":
                return False
            case "date":
                return NOW.date().isoformat()
            case _:
                return instant_text(NOW)


def _said(of: Field | Input | Variable, value: Any) -> Json:  # noqa: ANN401  # of any kind
    """A value as it is sent."""
    match value:
        case Decimal():
            said = decimal_text(value)
            return {"value": said, "unit": of.unit} if of.kind == "quantity" else said
        case datetime():
            return instant_text(value)
        case date():
            return value.isoformat()
        case _:
            return value


_PLAIN: Mapping[str, Any] = {
    "instant": NOW,
    "date": NOW.date(),
    "number": Decimal(0),
    "quantity": Decimal(0),
    "yesno": False,
}
"""What may as well be known, by kind."""

"""A course as it was recorded, seen by another definition than the one that decided it.

What both definitions know is as it was recorded: the state, the variables, the open questions. What
only the other one knows was never recorded: it is what that definition itself made of it so far, or
unset. Readings are read again from the events, so that they are in the other definition's units.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from engine.core.encoding import Json, date_from, decode_value, instant_from, instant_text
from engine.core.event import Event
from engine.core.lookback import Deep, since
from engine.core.machine import Machine
from engine.core.quantity import convert, convertible
from engine.core.quick import replaced
from engine.core.row import Sections, snapshot_with
from engine.core.schedule import waiting
from engine.core.sight import view_at
from engine.core.snapshot import Readings, Snapshot, placed
from engine.core.view import ENTERED_IN_ERROR, Calendar, Reading


class Extended:
    """The civil times that a record keeps; what it was not asked for, a calendar answers."""

    __slots__ = ("_calendar", "_noted")

    def __init__(self, noted: Mapping[str, Any], calendar: Calendar) -> None:
        self._noted = noted
        self._calendar = calendar

    def civil_date(self, instant: datetime) -> date:
        """The date on the site's wall, as it was found then or else as it is found now."""
        known = self._noted.get(instant_text(instant))
        return self._calendar.civil_date(instant) if known is None else date_from(known)

    def instant(self, on: date, time: str) -> datetime:
        """The instant of a wall-clock time, as it was found then or else as it is found now."""
        known = self._noted.get(f"{on.isoformat()}T{time}")
        return self._calendar.instant(on, time) if known is None else instant_from(known)


class Gathered:
    """Every reading of a course so far, oldest first, corrections applied."""

    __slots__ = ("_readings",)

    def __init__(self) -> None:
        self._readings: dict[str, list[Reading]] = {}

    def add(self, readings: Iterable[Reading]) -> None:
        """Put readings in their places."""
        for reading in readings:
            held = self._readings.setdefault(reading.input, [])
            last = held[-1].at if held else None
            if reading.corrects is None and (
                not held or (last is not None and reading.at is not None and last <= reading.at)
            ):
                held.append(reading)  # in place: a long course is not copied for each reading
            else:
                self._readings[reading.input] = placed(held, reading)

    def latest(self, *, forgets: bool) -> dict[str, Reading]:
        """The latest reading of each input; with `forgets`, of those that are not in error."""
        return {name: _newest(held, forgets=forgets) for name, held in self._readings.items()}

    def load(self, deep: Deep) -> Mapping[str, Sequence[Reading]]:
        """The readings that a decision looks back to."""
        return {name: since(self._readings.get(name, ()), start) for name, start in deep.items()}


@lru_cache(maxsize=64)
def alike(recorded: Machine, other: Machine) -> frozenset[str]:
    """The variables that both definitions remember in the same way."""
    return frozenset(
        name
        for name, declared in other.variables.items()
        if (known := recorded.variables.get(name)) is not None and known.type == declared.type
    )


class Values:
    """A row as values, record after record, as far as two definitions read it alike."""

    __slots__ = ("_common", "_sections", "_shared", "_source", "row")

    def __init__(self) -> None:
        self.row: Mapping[str, Json] = {}
        self._common: tuple[Mapping[str, Json], Mapping[str, Any]] | None = None
        self._sections = Sections()
        self._source: tuple[Machine, Machine, Json] | None = None
        self._shared: Mapping[str, Any] = {}

    def common(self) -> Mapping[str, Any]:
        """What every definition reads alike."""
        if self._common is None or self._common[0] is not self.row:
            self._common = self.row, self._sections.common(self.row)
        return self._common[1]

    def shared(self, recorded: Machine, other: Machine) -> Mapping[str, Any]:
        """The variables that both definitions remember in the same way."""
        said = self.row["variables"]
        source = self._source
        if source is None or (
            source[0] is not recorded or source[1] is not other or source[2] is not said
        ):
            self._source = recorded, other, said
            self._shared = {
                name: decode_value(other.variables[name].kind, said.get(name))
                for name in alike(recorded, other)
            }
        return self._shared


def projected(  # noqa: PLR0917  # the two definitions, and what is known by either
    recorded: Machine,
    other: Machine,
    values: Values,
    own: Snapshot,
    latest: Mapping[str, Reading],
    decided_at: datetime,
) -> Snapshot:
    """The course of a row as the other definition sees it; timers and visits are still to come.

    `own` is what the other definition made of the course so far. Raises LookupError when it has no
    state of that name.
    """
    row = values.row
    if row["state"] not in other.states:
        raise LookupError(row["state"])
    shared = values.shared(recorded, other)
    variables = {
        name: shared[name] if name in shared else own.variables.get(name)
        for name in other.variables
    }
    said = values.common()
    held = {
        **said,
        "variables": variables,
        "firing": _of_rules(recorded, other, said["firing"], own.firing),
        "questions": _of_rules(recorded, other, said["questions"], own.questions),
        "timers": own.timers,
        "visits": own.visits,
        "fired": {name: at for name, at in said["fired"].items() if name in other.timers},
        "latest": latest,
    }
    return snapshot_with(
        row, held, digest=other.digest, calendar=own.calendar, decided_at=decided_at
    )


def waiting_now(
    machine: Machine,
    snapshot: Snapshot,
    *,
    at: datetime | None,
    readings: Readings,
    calendar: Calendar,
    late: bool = False,
) -> Snapshot:
    """The same course with the timers and visits that a definition derives for it."""
    facing = replaced(snapshot, calendar=calendar)
    view = view_at(facing, at, readings, {}, late=late)
    due = waiting(
        machine, facing, view, state=snapshot.state, seq=snapshot.seq, fired=snapshot.fired
    )
    return replaced(snapshot, **due)


def readable(machine: Machine, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """An event as recorded, without the fields and the overridden guards that a definition lacks.

    What it would not have asked for is no reason not to read the rest.
    """
    data, override = body.get("data"), body.get("override")
    known = _fields(machine).get(body["event"])
    if known is not None and data and not known.issuperset(data):
        body = {**body, "data": {name: data[name] for name in data if name in known}}
    if override is not None and not machine.guards.keys() >= set(override["guards"]):
        left = [guard for guard in override["guards"] if guard in machine.guards]
        body = {name: value for name, value in body.items() if name != "override"}
        return {**body, "override": {**override, "guards": left}} if left else body
    return body


@lru_cache(maxsize=64)
def _fields(machine: Machine) -> Mapping[str, frozenset[str]]:
    """The names of the fields of each event."""
    return {
        event.name: frozenset(f.name for f in event.fields) for event in machine.events.values()
    }


def told_of(recorded: Machine, other: Machine, event: Event) -> Event:
    """An event that only the recorded definition can read, with what the other knows of it.

    Readings of inputs that it has too are told in its units.
    """
    return replaced(
        event, readings=tuple(_told(recorded, other, event.readings)), data={}, correction=None
    )


def _told(recorded: Machine, other: Machine, readings: Iterable[Reading]) -> Iterator[Reading]:
    for reading in readings:
        here, there = recorded.inputs[reading.input], other.inputs.get(reading.input)
        if there is None or there.kind != here.kind:
            continue
        if here.unit == there.unit or reading.value is None:
            yield reading
        elif here.unit and there.unit and convertible(here.unit, there.unit):
            yield replaced(reading, value=convert(reading.value, here.unit, there.unit))


def _of_rules(
    recorded: Machine, other: Machine, said: Mapping[str, Any], own: Mapping[str, Any]
) -> dict[str, Any]:
    """What is said of each rule: as recorded, or the other's own of a rule that only it has."""
    if not said and not own:
        return {}
    there, here = _rules(recorded), _rules(other)
    return {rule: value for rule, value in said.items() if rule in here} | {
        rule: value for rule, value in own.items() if rule in here and rule not in there
    }


@lru_cache(maxsize=64)
def _rules(machine: Machine) -> frozenset[str]:
    return frozenset(rule.guard for rule in machine.workflow.rules)


def _newest(held: Sequence[Reading], *, forgets: bool) -> Reading:
    if forgets:
        return next((r for r in reversed(held) if r.flaw != ENTERED_IN_ERROR), held[-1])
    return held[-1]

"""Where a course stands under a definition at a moment, and what another one would make of it.

Nothing is sent and nothing is decided: these are the options that are open, the rules that hold and
what waits, under either definition. Rules that look only at certain events are not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.core.contrast import Wait, waits_of
from engine.core.encoding import Json
from engine.core.event import Event
from engine.core.following import Machines, Zones
from engine.core.inquiry import Option, what_next
from engine.core.machine import Machine
from engine.core.record import Record
from engine.core.sight import view_of
from engine.core.what_if import Carried, carried

Blank = Callable[[Machine, str], Event]
"""Makes an event without data, of a definition and of a name, at the moment that is asked about."""

NOT_THERE = "not there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What is otherwise: an option, a rule or a requirement of an option, before and after.

    `unmet` are the guards that are not yes after it.
    """

    name: str
    before: str
    after: str
    unmet: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    """A running course that another definition would see otherwise at this moment.

    `lost` is the state that the other definition does not have: then nothing else is asked.
    """

    course: str
    state: str
    options: tuple[Turn, ...] = ()
    rules: tuple[Turn, ...] = ()
    waits: tuple[Wait, ...] = ()
    lost: bool = False

    @property
    def decides(self) -> bool:
        """Whether an option or a rule is otherwise."""
        return bool(self.lost or self.options or self.rules)

    @property
    def differs(self) -> bool:
        """Whether anything is otherwise."""
        return bool(self.decides or self.waits)

    def json(self) -> dict[str, Json]:
        return {
            "course": self.course,
            "state": self.state,
            "no_such_state": self.lost,
            "options": [_turn_json(turn) for turn in self.options],
            "rules": [_turn_json(turn) for turn in self.rules],
            "waits": [
                {"kind": w.kind, "name": w.name, "before": w.recorded, "after": w.again}
                for w in self.waits
            ],
        }


def otherwise(
    records: Iterable[Record], *, recorded: Machines, other: Machines, zones: Zones, blank: Blank
) -> Otherwise:
    """What is otherwise for a course at the moment of `blank`, by another definition."""
    held = tuple(records)
    mine = carried(held, recorded=recorded, other=recorded, zones=zones)
    yours = carried(held, recorded=recorded, other=other, zones=zones)
    if mine is None:
        raise ValueError("expected the records of a course that its own definition can open")
    if yours is None or yours.lost:
        return Otherwise(course=mine.course, state=mine.state, lost=True)
    machines = recorded(mine.digest), other(mine.digest)
    before, after = (
        _stance(machine, one, zones, blank)
        for machine, one in zip(machines, (mine, yours), strict=True)
    )
    return Otherwise(
        course=mine.course,
        state=mine.state,
        options=tuple(_options(before.options, after.options)),
        rules=tuple(_rules(before.rules, after.rules)),
        waits=waits_of(mine.snapshot, yours.snapshot),
    )


@dataclass(frozen=True, slots=True)
class _Stance:
    options: Mapping[str, Option]
    rules: Mapping[str, str]


def _stance(machine: Machine, one: Carried, zones: Zones, blank: Blank) -> _Stance:
    calendar = zones(one.snapshot.zone)

    def event(name: str) -> Event:
        return blank(machine, name)

    first = event(next(iter(machine.events)))
    snapshot = one.facing(machine, first, calendar)
    view = view_of(snapshot, first)
    return _Stance(
        options={option.event: option for option in what_next(machine, snapshot, event)},
        rules={
            watch.rule.guard: watch.code.weigh(view).value
            for watch in machine.watches(snapshot.state, "")
            if not watch.at_event
        },
    )


def _options(before: Mapping[str, Option], after: Mapping[str, Option]) -> Iterator[Turn]:
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        was, now = (NOT_THERE if one is None else one.verdict.value for one in (old, new))
        unmet = () if new is None else tuple(one.guard for one in new.requirements)
        if was != now or (old and new and _unmet(old) != _unmet(new)):
            yield Turn(name=name, before=was, after=now, unmet=unmet)


def _rules(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Turn]:
    for name in dict.fromkeys((*before, *after)):
        was, now = before.get(name, NOT_THERE), after.get(name, NOT_THERE)
        if was != now and (was, now) not in _QUIET:
            yield Turn(name=name, before=was, after=now)


_QUIET = ((NOT_THERE, "no"), ("no", NOT_THERE))
"""A rule that only one definition has, and that does not hold, changes nothing."""


def _unmet(option: Option) -> list[tuple[str, str]]:
    return [(one.guard, one.verdict.value) for one in option.requirements]


def _turn_json(turn: Turn) -> dict[str, Json]:
    return {
        "name": turn.name,
        "before": turn.before,
        "after": turn.after,
        "unmet": list(turn.unmet),
    }

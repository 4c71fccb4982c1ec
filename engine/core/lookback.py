"""How far back one decision has to look.

The course row holds the latest reading of each input, and mostly that is enough. Windows, late
events and corrections need more; the live service and a replay both ask here, so that they see the
same readings and the cost of a step does not grow with the course.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from engine.core.event import Event
from engine.core.machine import Machine
from engine.core.snapshot import Newest, Readings, order
from engine.core.view import ENTERED_IN_ERROR, Reading

Deep = Mapping[str, datetime | None]
"""Inputs whose latest reading is not enough, with the instant to read from (`None`: all)."""


def lookback(
    machine: Machine, latest: Mapping[str, Reading], event: Event
) -> dict[str, datetime | None]:
    """What a decision may need beyond the latest readings."""
    found: dict[str, datetime | None] = {}
    for name, reading in latest.items():
        horizon = machine.horizons.get(name)
        if _is_late(event, reading):
            found[name] = None
        elif event.at is None or reading.at is None:
            if horizon is not None:
                found[name] = None
        elif horizon is not None and reading.at >= event.at - horizon:
            found[name] = event.at - horizon
    if event.correction is not None:
        # The corrected reading is weighed as of its own time, which only the readings can tell.
        return dict.fromkeys(latest)
    return found


def readings_for(
    machine: Machine,
    latest: Mapping[str, Reading],
    event: Event,
    load: Callable[[Deep], Mapping[str, Sequence[Reading]]],
) -> Readings:
    """The readings that guards may see; `load` is asked for an input only once, and only if needed.

    Of each input the row has the latest reading. What lies before it is loaded when a window goes
    on beyond it, which it mostly does not: a count within its limits ends a run by itself. A late
    event needs the others too, and gets them together.
    """
    loaded: dict[str, Sequence[Reading]] = {}
    forgets = machine.forgets_errors
    corrected = event.correction.input if event.correction is not None else None

    def before(newest: Reading) -> Iterator[Reading]:
        name = newest.input
        if name not in loaded:
            deep = lookback(machine, latest, event)
            wanted = {n: start for n, start in deep.items() if n == name or start is None}
            loaded.update({name: (), **(load(wanted) if wanted else {})})
        # What was entered in error is there for whoever puts it right, and for nobody else.
        gone = ENTERED_IN_ERROR if forgets and name != corrected else None
        yield from (
            r for r in loaded[name] if r.seq != newest.seq and (gone is None or r.flaw != gone)
        )

    def source(name: str) -> Sequence[Reading]:
        newest = latest.get(name)
        if newest is None:
            return ()
        if forgets and name == corrected:
            return sorted((*before(newest), newest), key=order)
        if forgets and newest.flaw == ENTERED_IN_ERROR:
            return ()
        if name in machine.horizons or event.correction or _is_late(event, newest):
            return Newest(before(newest), newest)
        return (newest,)

    return Readings(source, forgets=forgets)


def since(readings: Sequence[Reading], start: datetime | None) -> Sequence[Reading]:
    """The readings from an instant on, undated ones included; they are in their order."""
    if start is None:
        return readings
    first = len(readings)
    while first and ((at := readings[first - 1].at) is None or at >= start):
        first -= 1
    return readings[first:]


def _is_late(event: Event, newest: Reading) -> bool:
    return event.at is not None and newest.at is not None and newest.at > event.at

"""How far back one decision has to look.

The course row holds the latest reading of each input, and mostly that is enough. Windows, late
events and corrections need more; the live service and a replay both ask here, so that they see the
same readings and the cost of a step does not grow with the course.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from engine.core.event import Event
from engine.core.machine import Machine
from engine.core.snapshot import Readings, Snapshot
from engine.core.view import Reading

Deep = Mapping[str, datetime | None]
"""Inputs whose latest reading is not enough, with the instant to read from (`None`: all)."""


def lookback(machine: Machine, snapshot: Snapshot, event: Event) -> dict[str, datetime | None]:
    """What a decision needs beyond the latest readings."""
    found: dict[str, datetime | None] = {}
    for name, latest in snapshot.latest.items():
        horizon = machine.horizons.get(name)
        if event.at is None or latest.at is None:
            if horizon is not None:
                found[name] = None
        elif latest.at > event.at:
            found[name] = None
        elif horizon is not None and latest.at >= event.at - horizon:
            found[name] = event.at - horizon
    if event.correction is not None:
        found[event.correction.input] = None
    return found


def readings_for(
    machine: Machine,
    snapshot: Snapshot,
    event: Event,
    load: Callable[[Deep], Mapping[str, Sequence[Reading]]],
) -> Readings:
    """The readings that guards may see; `load` is asked at most once, and only where needed."""
    deep = lookback(machine, snapshot, event)
    loaded: Mapping[str, Sequence[Reading]] | None = None

    def source(name: str) -> Sequence[Reading]:
        nonlocal loaded
        latest = snapshot.latest.get(name)
        if latest is None:
            return ()
        if name not in deep:
            return (latest,)
        if loaded is None:
            loaded = load(deep)
        return loaded.get(name, ())

    return Readings(source)


def since(readings: Sequence[Reading], start: datetime | None) -> Sequence[Reading]:
    """The readings from an instant on, undated ones included; they are in their order."""
    if start is None:
        return readings
    first = len(readings)
    while first and ((at := readings[first - 1].at) is None or at >= start):
        first -= 1
    return readings[first:]

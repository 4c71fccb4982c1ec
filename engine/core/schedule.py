"""Timers and visits, derived from a snapshot: date arithmetic only.

Neither is ever armed by hand. What waits follows from the state and the variables, so that a
correction, a hold or a restart moves it without anybody remembering to.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import TypedDict

from engine.core.calendar import Held
from engine.core.machine import Machine
from engine.core.snapshot import Armed, Snapshot, Window
from engine.core.view import View


class Dueness(StrEnum):
    """Where a day lies in a visit's window. Shown: never rename a value."""

    LATER = "later"
    SOON = "soon"
    NOW = "now"
    OVERDUE = "overdue"
    MISSED = "missed"


class Waiting(TypedDict):
    """What of a snapshot is derived here."""

    timers: Mapping[str, Armed]
    visits: Mapping[str, Window]
    fired: Mapping[str, datetime]
    civil: Mapping[str, str]


def waiting(
    machine: Machine,
    before: Snapshot,
    view: View,
    *,
    state: str,
    seq: int,
    fired: Mapping[str, datetime],
) -> Waiting:
    """The timers and visits after a record, and the civil times that they hold.

    What did not change keeps its identity.
    """
    view.calendar = held = Held(view.calendar, before.civil)
    timers = _armed(machine, before.timers, view, state, seq, fired)
    visits = _windows(machine, view, state)
    return {
        "timers": before.timers if before.timers == timers else timers,
        "visits": before.visits if before.visits == visits else visits,
        "civil": before.civil if before.civil == held.used else held.used,
        "fired": fired,
    }


def dueness(window: Window, as_of: date, *, soon_days: int = 7) -> Dueness:
    """Where a day lies: before the window, up to its target, past the target, or past it all."""
    if as_of > window.latest:
        return Dueness.MISSED
    if as_of > window.target:
        return Dueness.OVERDUE
    if as_of >= window.earliest:
        return Dueness.NOW
    return Dueness.SOON if (window.earliest - as_of).days <= soon_days else Dueness.LATER


def _armed(  # noqa: PLR0917  # what one derivation looks at
    machine: Machine,
    before: Mapping[str, Armed],
    view: View,
    state: str,
    seq: int,
    fired: Mapping[str, datetime],
) -> dict[str, Armed]:
    """The timers that wait. One that goes on waiting keeps the record that armed it."""
    found: dict[str, Armed] = {}
    for alarm in machine.alarms(state):
        due = alarm.due.run(view)
        name = alarm.timer.name
        if due is None or fired.get(name) == due:
            continue
        known = before.get(name)
        found[name] = known if known is not None and known.due == due else Armed(due, seq)
    return found


def _windows(machine: Machine, view: View, state: str) -> dict[str, Window]:
    """The visits that are due; none where a date is not known."""
    found: dict[str, Window] = {}
    for due in machine.visits(state):
        number = due.number.run(view)
        dates = [code.run(view) for code in (due.earliest, due.target, due.latest)]
        if number is not None and None not in dates:
            found[due.visit.name] = Window(int(number), *dates)
    return found

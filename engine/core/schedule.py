"""Timers and visits, derived from a snapshot: date arithmetic only.

Neither is ever armed by hand. What waits follows from the state and the variables, so that a
correction, a hold or a restart moves it without anybody remembering to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from enum import StrEnum

from engine.core.calendar import Held
from engine.core.guard import View
from engine.core.machine import Machine
from engine.core.snapshot import Armed, Snapshot, Window


class Dueness(StrEnum):
    """Where a day lies in a visit's window. Shown: never rename a value."""

    LATER = "later"
    SOON = "soon"
    NOW = "now"
    OVERDUE = "overdue"
    MISSED = "missed"


def waiting(machine: Machine, snapshot: Snapshot, view: View) -> Snapshot:
    """The snapshot with the timers and visits that follow from it, and the civil times they hold."""
    view.calendar = held = Held(view.calendar, snapshot.civil)
    timers = _armed(machine, snapshot, view)
    visits = _windows(machine, snapshot, view)
    return replace(snapshot, timers=timers, visits=visits, civil=held.used)


def dueness(window: Window, as_of: date, *, soon_days: int = 7) -> Dueness:
    """Where a day lies: before the window, in it up to its target, past the target, or past it all."""
    if as_of > window.latest:
        return Dueness.MISSED
    if as_of > window.target:
        return Dueness.OVERDUE
    if as_of >= window.earliest:
        return Dueness.NOW
    return Dueness.SOON if (window.earliest - as_of).days <= soon_days else Dueness.LATER


def _armed(machine: Machine, snapshot: Snapshot, view: View) -> Mapping[str, Armed]:
    """The timers that wait after a decision. One that goes on waiting keeps the record that armed it."""
    found: dict[str, Armed] = {}
    for alarm in machine.alarms(snapshot.state):
        due = alarm.due.run(view)
        name = alarm.timer.name
        if due is None or snapshot.fired.get(name) == due:
            continue
        known = snapshot.timers.get(name)
        found[name] = known if known is not None and known.due == due else Armed(due, snapshot.seq)
    return found


def _windows(machine: Machine, snapshot: Snapshot, view: View) -> Mapping[str, Window]:
    """The visits that are due after a decision; none where a date is not known."""
    found: dict[str, Window] = {}
    for due in machine.visits(snapshot.state):
        number = due.number.run(view)
        dates = [code.run(view) for code in (due.earliest, due.target, due.latest)]
        if number is not None and None not in dates:
            found[due.visit.name] = Window(int(number), *dates)
    return found

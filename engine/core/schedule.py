"""Timers and visits, derived from a snapshot: date arithmetic only.

Neither is ever armed by hand. What waits follows from the state and the variables, so that a
correction, a hold or a restart moves it without anybody remembering to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum
from typing import TypedDict

from engine.core.calendar import Held
from engine.core.machine import Machine
from engine.core.snapshot import Armed, Arranged, Snapshot, Window
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
    arranged: Mapping[str, Arranged]


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
    visits, arranged = _windows(machine, view, state), before.arranged
    if arranged:
        visits, arranged = _arranged(visits, arranged)
    return {
        "timers": before.timers if before.timers == timers else timers,
        "visits": before.visits if before.visits == visits else visits,
        "civil": before.civil if before.civil == held.used else held.used,
        "fired": fired,
        "arranged": arranged,
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
        days = [code.run(view) for code in (due.earliest, due.target, due.latest)]
        if number is not None and None not in days:
            gap = None if due.not_before is None else due.not_before.run(view)
            found[due.visit.name] = Window(int(number), days[0], days[1], days[2], gap)
    return found


def _arranged(
    windows: Mapping[str, Window], arranged: Mapping[str, Arranged]
) -> tuple[dict[str, Window], Mapping[str, Arranged]]:
    """The windows as they stand once what is arranged is applied, and what of that still counts.

    What was said of one visit of a series is over when another of them is due.
    """
    found, left = dict(windows), dict(arranged)
    for name, one in arranged.items():
        window = windows.get(name)
        if window is None:
            continue
        if one.number not in (None, window.number):
            del left[name]
        elif one.until is not None:
            earliest, target = max(window.earliest, one.until), max(window.target, one.until)
            found[name] = replace(window, earliest=earliest, target=target)
        else:
            del found[name]
    return found, (arranged if len(left) == len(arranged) else left)

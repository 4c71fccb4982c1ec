"""What the leaves of a tree give: a reading, a variable, a field of the event.

Whatever cannot be used is `None`: missing, too old, impossible, not sent.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from engine.core.quantity import CONTEXT
from engine.core.view import View
from engine.core.weighing import Datum, Run


def latest(name: str, max_age: timedelta | None) -> Run:
    """The latest reading of an input, unless it is flawed or too old."""

    def run(view: View) -> Datum:
        last = view.latest[name]
        if last is None or last.flaw is not None:
            return None
        if max_age is not None and (
            view.now is None or last.at is None or view.now - last.at > max_age
        ):
            return None
        return last.value

    return run


def taken_at(name: str) -> Run:
    """The instant of the latest reading, however old and flawed it is."""

    def run(view: View) -> Datum:
        last = view.latest[name]
        return None if last is None else last.at

    return run


def taken_on(name: str) -> Run:
    """The civil date of the latest reading, however old and flawed it is."""

    def run(view: View) -> Datum:
        last = view.latest[name]
        return None if last is None else last.on

    return run


def latest_day(view: View) -> Datum:
    """The civil date of the latest time known."""
    return None if view.last is None else view.calendar.civil_date(view.last)


def sum_of(field: str, member: str) -> Run:
    """The sum of a member over the items of a list; unknown when an item lacks it."""

    def run(view: View) -> Datum:
        items = view.data.get(field)
        if items is None:
            return None
        total = Decimal(0)
        for item in items:
            value = item.get(member)
            if value is None:
                return None
            total = CONTEXT.add(total, value)
        return total

    return run

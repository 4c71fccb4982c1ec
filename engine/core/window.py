"""Windows over readings: runs, totals, counts, and the latest between two instants.

A window says how far back it looks and what zero and too few readings mean; nothing is assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain

from engine.core import expression as tree
from engine.core.arithmetic import COMPARE
from engine.core.expression import Truth
from engine.core.quantity import CONTEXT
from engine.core.view import Reading, View
from engine.core.weighing import Code, Datum, Run


def sustained(
    node: tree.Sustained, threshold: Code, count: Code, span: Code, since: Code | None
) -> Run:
    """Whether the run of readings that ends with the latest is long enough."""
    step, zero, few = COMPARE[node.op], _answer(node.zero), _answer(node.few)

    def run(view: View) -> bool | None:
        limit, needed, length = threshold.run(view), count.run(view), span.run(view)
        if None in (limit, needed, length):
            return None
        if not (readings := view.readings.get(node.input, ())):
            return zero
        start = _start(view, node.horizon, since)
        if start is None:
            return None
        counted: list[datetime] = []
        reading = None
        for reading in _newest_first(readings, start):
            if not step(reading.value, limit):
                break
            if reading.at is None:
                return None
            if not counted or counted[-1] - reading.at >= node.apart:
                counted.append(reading.at)
                if len(counted) >= needed and counted[0] - counted[-1] >= length:
                    return True
        if reading is None:
            return zero
        return few if counted else False

    return run


def total(node: tree.Total, threshold: Code, span: Code, since: Code | None) -> Run:
    """Whether the total over a completely covered span satisfies the comparison."""
    step, zero, few = COMPARE[node.op], _answer(node.zero), _answer(node.few)

    def run(view: View) -> bool | None:
        limit, length = threshold.run(view), span.run(view)
        if limit is None or length is None:
            return None
        if not (readings := view.readings.get(node.input, ())):
            return zero
        start = _start(view, node.horizon, since)
        if start is None:
            return None
        within = _newest_first(readings, start)
        newest = next(within, None)
        if newest is None:
            return zero
        covered = covered_total(chain((newest,), within), length)
        return few if covered is None else step(covered, limit)

    return run


def count(node: tree.Count, length: Code, since: Code | None, *, unusable: bool) -> Run:
    """How many readings lie within the last civil days; what cannot be used too, where it says."""
    zero = None if node.zero is Truth.UNKNOWN else Decimal(0)

    def run(view: View) -> Decimal | None:
        days = length.run(view)
        if days is None or view.today is None:
            return None
        readings = window_readings(view, node.input, node.horizon, since, unusable=unusable)
        if readings is None or any(r.on is None for r in readings):
            return None
        first = view.today - timedelta(days=int(days) - 1)
        n = sum(1 for r in readings if r.on is not None and r.on >= first)
        return Decimal(n) if n else zero

    return run


def summed(node: tree.Sum, since: Code | None) -> Run:
    """The sum of the readings since an instant; unknown when one of them has no value or time."""
    zero = None if node.zero is Truth.UNKNOWN else Decimal(0)

    def run(view: View) -> Decimal | None:
        readings = window_readings(view, node.input, node.horizon, since, unusable=True)
        if not readings:
            return None if readings is None else zero
        found = Decimal(0)
        for reading in readings:
            if reading.flaw is not None or reading.at is None:
                return None
            found = CONTEXT.add(found, reading.value)
        return found

    return run


def between(
    node: tree.Latest, default_age: timedelta | None, since: Code | None, until: Code | None
) -> Run:
    """The latest reading between two instants. Its age counts to `until`, where there is one."""
    horizon = node.horizon or timedelta(0)
    max_age = node.max_age if node.max_age is not None else (None if since else default_age)

    def run(view: View) -> Datum:
        end = view.now if until is None else until.run(view)
        start = None if since is None else since.run(view)
        if end is None or view.now is None or (since is not None and start is None):
            return None
        oldest = view.now - horizon
        for reading in reversed(view.readings.get(node.input, ())):
            if reading.at is None or reading.at > end:
                continue
            if reading.at < oldest or (start is not None and reading.at < start):
                return None
            if reading.flaw is not None or (max_age is not None and end - reading.at > max_age):
                return None
            return reading.value
        return None

    return run


def window_readings(
    view: View, name: str, horizon: timedelta, since: Code | None, *, unusable: bool = False
) -> list[Reading] | None:
    """The usable readings of a window, oldest first; `None` when its bounds are not known."""
    if not (readings := view.readings.get(name, ())):
        return []
    start = _start(view, horizon, since)
    if start is None:
        return None
    return list(_newest_first(readings, start, unusable=unusable))[::-1]


def covered_total(newest_first: Iterable[Reading], span: timedelta) -> Decimal | None:
    """The total over the span that ends with the first reading; `None` unless completely covered.

    Of a reading whose interval began before the span, only its share of the time counts; one that
    overlaps what is covered already is not counted twice.
    """
    first = start = None
    total_so_far = Decimal(0)
    for reading in newest_first:
        if reading.at is None or reading.over is None or (start is not None and reading.at < start):
            return None
        if first is None or start is None:
            first, start = reading.at - span, reading.at
        if reading.at > start:
            continue  # what it measured is counted already, by a reading that ended later
        began = reading.at - reading.over
        value: Decimal = reading.value
        if began < first:
            share = CONTEXT.divide(_seconds(reading.at - first), _seconds(reading.over))
            value = CONTEXT.multiply(value, share)
        total_so_far, start = CONTEXT.add(total_so_far, value), min(start, began)
        if start <= first:
            return total_so_far
    return None


def _start(view: View, horizon: timedelta, since: Code | None) -> datetime | None:
    """From when on a window looks; `None` when its bounds are not known."""
    if view.now is None:
        return None
    start = view.now - horizon
    if since is None:
        return start
    bound = since.run(view)
    return None if bound is None else max(start, bound)


def _newest_first(
    readings: Sequence[Reading], start: datetime, *, unusable: bool = False
) -> Iterator[Reading]:
    """The usable readings from an instant on, undated ones included, until nobody asks for more."""
    for reading in reversed(readings):
        if reading.at is not None and reading.at < start:
            return
        if reading.flaw is None or unusable:
            yield reading


def _seconds(length: timedelta) -> Decimal:
    return Decimal(length // timedelta(microseconds=1))


def _answer(said: Truth) -> bool | None:
    return {Truth.YES: True, Truth.NO: False, Truth.UNKNOWN: None}[said]

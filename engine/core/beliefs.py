"""What is now believed of readings: corrected values as they stand, and what was told late."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from engine.core.record import Record
from engine.core.snapshot import order
from engine.core.view import ENTERED_IN_ERROR, Reading
from engine.core.walk import Brought

Key = tuple[str, int]
"""An input, and the record that first brought the reading of it that is meant."""


class Times:
    """Times of readings, looked up and not gone through. `undated` says that one has none."""

    __slots__ = ("_sorted", "undated")

    def __init__(self, times: Collection[datetime | None]) -> None:
        self._sorted = sorted(at for at in times if at is not None)
        self.undated = len(self._sorted) < len(times)

    def within(self, since: datetime, until: datetime) -> bool:
        """Whether one of them lies between two instants, these included."""
        first = bisect_left(self._sorted, since)
        return first < len(self._sorted) and self._sorted[first] <= until


@dataclass(frozen=True, slots=True, kw_only=True)
class Beliefs:
    """What is now believed of readings: those that were corrected, as they stand by now.

    `late` are readings that were recorded after something that happened later; with them, what is
    believed of a time includes what nobody had told by then.
    """

    standing: Mapping[Key, Reading] = field(default_factory=dict)
    late: Sequence[Reading] = ()
    times: Mapping[Key, frozenset[datetime | None]] = field(default_factory=dict)
    """Of each reading that is not as it was, every time at which it was taken, right or wrong."""

    @property
    def corrected(self) -> frozenset[str]:
        """The inputs of which a reading was corrected."""
        return frozenset(name for name, _ in self.standing)

    @property
    def inputs(self) -> frozenset[str]:
        """The inputs of which anything is not as it was."""
        return self.corrected.union(reading.input for reading in self.late)

    def times_of(self, name: str) -> Times:
        """Of all readings of an input that are not as they were."""
        several = [at for (of, _), at in self.times.items() if of == name]
        return Times(frozenset[datetime | None]().union(*several))

    def times_told(self, name: str, record: int) -> Times:
        """Of the reading of an input that a record first brought, if it is not as it was."""
        return Times(self.times.get((name, record), frozenset()))

    def late_of(self, name: str) -> list[Reading]:
        """What was told late of an input, in the order of time."""
        return sorted((r for r in self.late if r.input == name), key=order)

    def but(self, key: Key) -> Beliefs:
        """The same, but for the corrections of one reading."""
        return replace(self, standing={k: r for k, r in self.standing.items() if k != key})

    def untold(self, record: int) -> Beliefs:
        """The same, but for what a record told late: nobody knows it before the record itself."""
        return replace(self, late=[r for r in self.late if r.origin != record])


def beliefs(
    found: Sequence[Brought], records: Iterable[Record] = (), entries: Collection[int] = ()
) -> Beliefs:
    """What all these readings leave to be believed.

    Of `records`, also what they told late; of `entries`, records that are late entries, all.
    """
    standing: dict[Key, Reading] = {}
    firsts: dict[Key, Reading] = {}
    told: dict[Key, set[datetime | None]] = {}
    for one in found:
        key = (one.reading.input, one.reading.origin)
        (firsts if one.reading.corrects is None else standing)[key] = one.reading
        told.setdefault(key, set()).add(one.reading.at)
    before = dict[int, datetime]()
    """The latest time that was asserted before each record."""
    last: datetime | None = None
    for record in records:
        if last is not None:
            before[record.seq] = last
        if record.at is not None:
            last = record.at if last is None else max(last, record.at)
    late = [
        now
        for key, first in firsts.items()
        if (now := standing.get(key, first)).at is not None
        and (first.seq in entries or (first.seq in before and now.at <= before[first.seq]))
        and now.flaw != ENTERED_IN_ERROR
    ]
    changed = {*standing, *((reading.input, reading.origin) for reading in late)}
    times = {key: frozenset(told[key]) for key in changed}
    return Beliefs(standing=standing, late=late, times=times)

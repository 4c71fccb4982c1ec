"""What was known of a course on both time axes: when things happened, and when they were recorded.

- *Recorded by* cuts off what the system had not been told yet: nothing later can be known then,
  neither a reading nor the correction of one.
- *Happened by* cuts off what lies after an instant, whenever it was told. What has no time is kept.
- A value that was corrected stays here where the correction is not yet known, and is marked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from engine.core.encoding import Json, encode_value, instant_text
from engine.core.record import Record
from engine.core.snapshot import order
from engine.core.view import Reading
from engine.core.walk import Brought


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A reading as it stands, and when that was recorded.

    `corrected_by` is the record that put another value in its place since, `None` where it is still
    believed. `record` is the one that says this value; `first` the one that brought the reading.
    """

    reading: Reading
    recorded_at: datetime
    corrected_by: int | None = None

    @property
    def record(self) -> int:
        return self.reading.seq

    @property
    def first(self) -> int:
        return self.reading.origin

    def as_of(self, record: int) -> Known:
        """The reading as a record knew it: without a correction that came after it."""
        if self.corrected_by is None or self.corrected_by <= record:
            return self
        return Known(reading=self.reading, recorded_at=self.recorded_at)

    def json(self) -> dict[str, Json]:
        """The reading as it is shown; its unit is that of its input."""
        reading = self.reading
        return {
            "input": reading.input,
            "value": encode_value(reading.value),
            "at": None if reading.at is None else instant_text(reading.at),
            "over_seconds": None if reading.over is None else int(reading.over.total_seconds()),
            "flaw": reading.flaw,
            "record": self.record,
            "first": self.first,
            "recorded_at": instant_text(self.recorded_at),
            "corrected_by": self.corrected_by,
        }


def known(
    brought: Sequence[Brought],
    *,
    happened_by: datetime | None = None,
    recorded_by: datetime | None = None,
) -> dict[str, list[Known]]:
    """The readings that stand on both axes, by input, oldest first; undated ones last.

    What was entered in error by then is there, and its flaw says so.
    """
    standing: dict[tuple[str, int], Known] = {}
    for one in brought:
        key = (one.reading.input, one.reading.origin)
        before = standing.get(key)
        if recorded_by is None or one.recorded_at <= recorded_by:
            standing[key] = Known(reading=one.reading, recorded_at=one.recorded_at)
        elif before is not None and before.corrected_by is None:
            standing[key] = Known(
                reading=before.reading,
                recorded_at=before.recorded_at,
                corrected_by=one.reading.seq,
            )
    found: dict[str, list[Known]] = {}
    for item in standing.values():
        at = item.reading.at
        if happened_by is None or at is None or at <= happened_by:
            found.setdefault(item.reading.input, []).append(item)
    return {name: sorted(found[name], key=lambda k: order(k.reading)) for name in sorted(found)}


def corrections(brought: Iterable[Brought]) -> Mapping[tuple[str, int], int]:
    """By input and record, the record that corrects what that one said of the input."""
    found: dict[tuple[str, int], int] = {}
    last: dict[tuple[str, int], int] = {}
    for one in brought:
        key = (one.reading.input, one.reading.origin)
        if key in last:
            found[one.reading.input, last[key]] = one.reading.seq
        last[key] = one.reading.seq
    return found


def known_by(
    records: Sequence[Record],
    *,
    recorded_by: datetime | None = None,
    happened_by: datetime | None = None,
) -> list[Record]:
    """The first records, up to what had been recorded, and had happened, by these instants.

    A late entry changes a course when it becomes known: so records are counted in their order, up
    to the first that lies beyond.
    """
    return list(
        takewhile(
            lambda record: (
                (recorded_by is None or record.recorded_at <= recorded_by)
                and (happened_by is None or record.at is None or record.at <= happened_by)
            ),
            records,
        )
    )


def is_retrospective(first: Record) -> bool:
    """Whether a course is told after the fact: then what was known is what had happened."""
    return bool(json.loads(first.body)["event"].get("retrospective"))

"""How a course passed through time: where each record stands, and the states one after another.

Where no time was published records stand one after the other, a day apart; whoever draws says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from engine.core.event import AMENDMENTS, FORMALITIES, RECONSIDERED, REVIEWED
from engine.telling.entry import Entry

LONG_AFTER = timedelta(days=1)
ABOUT_RECORDS = frozenset({*FORMALITIES, *AMENDMENTS, RECONSIDERED, REVIEWED})
"""The events that are about records: when they were sent says nothing of treatment."""

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""Where the first record stands when none has a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A stretch of time in one state, until the record `seq` ended it."""

    state: str
    start: datetime
    end: datetime
    seq: int


def dated(entries: Sequence[Entry]) -> bool:
    """Whether there are times to draw."""
    return len({entry.at for entry in entries if entry.at is not None}) > 1


def placed(entries: Sequence[Entry]) -> list[tuple[Entry, datetime]]:
    """The entries with where they stand: at their time, or one after the other.

    What is said of records long after the last that happened stands with that: a signature of today
    would stretch the time of a course that was over years ago.
    """
    if not dated(entries):
        return [(e, FIRST + timedelta(days=n)) for n, e in enumerate(entries)]
    last = next(e.at for e in entries if e.at is not None)
    happened = [e.at for e in entries if e.at is not None and e.event not in ABOUT_RECORDS]
    end = max(happened, default=None)
    found = []
    for entry in entries:
        last = entry.at or last
        found.append((entry, end if end is not None and is_afterwards(entry, end) else last))
    return found


def is_afterwards(entry: Entry, end: datetime) -> bool:
    """Whether an entry says something of records, long after an instant at which all was over."""
    return entry.event in ABOUT_RECORDS and entry.at is not None and entry.at - end > LONG_AFTER


def stays(entries: Sequence[Entry]) -> list[Stay]:
    """The states in their order. A late entry changes the state when it becomes known."""
    found: list[Stay] = []
    standing = placed(entries)
    now = since = standing[0][1]
    for entry, at in standing:
        now = max(now, at)
        if entry.moved and entry.states[0] is not None:
            found.append(Stay(state=entry.states[0], start=since, end=now, seq=entry.seq))
            since = now
    last = entries[-1]
    return [*found, Stay(state=last.states[1], start=since, end=now, seq=last.seq)]

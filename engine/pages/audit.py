"""The state of the log: each course verified, and what was sealed and written down of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.core.history import Fault
from engine.core.ledger import Checkpoint
from engine.core.redecision import Difference
from engine.ports import CourseLine
from engine.telling.seen import elapsed
from engine.verification import Last

STALE = timedelta(hours=48)
"""After how long without a verification a page says so: a worker does it daily."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A course that was verified just now: its first fault, and what would be decided otherwise.

    `differences` is `None` where the decisions were not weighed again.
    """

    course: str
    site: str
    state: str
    records: int
    fault: str
    differences: tuple[str, ...] | None

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.fault and not self.differences


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerState:
    """How large the tree is, and what the newest checkpoint says of it.

    `agrees` is whether the tree still has the root that was written down, `holds` whether every
    signature of the keys does. `witnesses` are those whose lines were brought here.
    """

    size: int
    origin: str
    written: int | None
    at: str
    note: str
    signers: tuple[str, ...]
    agrees: bool
    holds: bool
    witnesses: tuple[str, ...]


def checked(
    line: CourseLine, fault: Fault | None, differences: Sequence[Difference] | None
) -> Checked:
    """What was found of a course, as a list shows it."""
    return Checked(
        course=line.course,
        site=line.site,
        state=line.state,
        records=line.seq,
        fault="" if fault is None else str(fault),
        differences=None if differences is None else tuple(map(str, differences)),
    )


def ledger_state(
    size: int, origin: str, last: Checkpoint | None, *, agrees: bool = True, holds: bool = True
) -> LedgerState:
    """The state of a ledger; a tree keeps the name of its newest checkpoint."""
    own = set() if last is None else {(key.name, key.id) for key in last.keys}
    lines = () if last is None else last.note.signatures
    return LedgerState(
        size=size,
        origin=origin if last is None else last.head.origin,
        written=None if last is None else last.head.size,
        at="" if last is None else _utc(last.at),
        note="" if last is None else last.note.encode().decode(),
        signers=() if last is None else tuple(key.text() for key in last.keys),
        agrees=agrees,
        holds=holds,
        witnesses=tuple(one.name for one in lines if (one.name, one.key_id) not in own),
    )


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastTime:
    """The last time that the whole log was verified, and what came of it."""

    at: str
    age: str
    by: str
    courses: int
    records: int
    whole: bool
    first: str
    wrong: int
    sealed: int | None
    flaws: int
    leaf: int | None
    stale: bool


def last_time(last: Last, now: datetime) -> LastTime:
    """The last verification, as a page shows it."""
    found = last.found
    seq = "" if found.seq is None else f", record {found.seq}"
    return LastTime(
        at=_utc(last.at),
        age=elapsed(now - last.at),
        by=last.by,
        courses=found.courses,
        records=found.records,
        whole=found.whole,
        first="" if found.course is None else f"{found.course}{seq}",
        wrong=found.wrong,
        sealed=found.sealed,
        flaws=found.flaws,
        leaf=found.leaf,
        stale=now - last.at > STALE,
    )

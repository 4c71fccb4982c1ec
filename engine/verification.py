"""The whole log verified, by whoever does it, and what came of the last time.

The result is an entry of the access log, which is chained itself: who verified, when, how many
records, and the first that was bad. A worker verifies daily.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from engine.access_log import AccessLog
from engine.audit import Auditor, Looked
from engine.core.encoding import Json
from engine.core.history import Fault, Mismatch
from engine.errors import NotFound
from engine.log_entry import Entry, Logged
from engine.logs import log
from engine.permission import Caller
from engine.ports import Clock

if TYPE_CHECKING:  # it loads the database library, which the help of a command needs not
    from engine.inspection import Inspection

LOOK = timedelta(minutes=15)
"""How long a worker that found nothing due asks nobody again."""


@dataclass(slots=True, kw_only=True)
class Verified:
    """What came of verifying every course: how many were wrong, and which was the first of them.

    `seq` is its first bad record, where one is. `sealed` records were held against the ledger too,
    which has so many `flaws`, the first at `leaf`; `None` where it was not looked at.
    """

    courses: int = 0
    records: int = 0
    wrong: int = 0
    course: str | None = None
    seq: int | None = None
    sealed: int | None = None
    flaws: int = 0
    leaf: int | None = None

    def add(self, course: str, records: int, *, wrong: bool, seq: int | None = None) -> None:
        """Take in what was found of one more course."""
        self.courses += 1
        self.records += records
        if wrong and not self.wrong:
            self.course, self.seq = course, seq
        self.wrong += wrong

    def hold(self, found: Inspection, beside: Sequence[Mismatch] = ()) -> None:
        """Take in what was found of the ledger, and of the tables that are no single course's."""
        self.sealed, self.flaws = found.size, len(found.flaws) + len(beside)
        self.leaf = found.flaws[0].index if found.flaws else None

    @property
    def whole(self) -> bool:
        """Whether nothing was found."""
        return not self.wrong and not self.flaws

    def about(self) -> dict[str, Json]:
        """The same, as the access log keeps it."""
        said = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            "what": "verify",
            EVERYTHING: True,
            **{name: value for name, value in said.items() if value is not None},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """The last time that everything was verified: when, by whom, and what came of it."""

    at: datetime
    by: str
    found: Verified


EVERYTHING = "everything"
"""What the access log says of a verification of every course. Stored: never rename it."""


class Verifications:
    """Verifies a tenant's whole log. `every` is how often a worker does; `None` is never.

    `inspect` holds the ledger against the records, and `beside` the tables that are no course's.
    """

    def __init__(
        self,
        auditor: Auditor,
        entries: AccessLog,
        *,
        inspect: Callable[[], Inspection],
        beside: Callable[[], Sequence[Mismatch]],
        clock: Clock,
        every: timedelta | None,
    ) -> None:
        self._auditor = auditor
        self._entries = entries
        self._inspect = inspect
        self._beside = beside
        self._clock = clock
        self._every = every
        self._asked: datetime | None = None

    def last(self) -> Last | None:
        """The last time that everything was verified, by whomever."""
        entry = self._entries.last_of_everything(self._auditor.tenant)
        return None if entry is None else _last(entry)

    def note(self, caller: Caller, found: Verified) -> None:
        """Write down that somebody verified everything."""
        self._entries.note(caller, Logged.VERIFIED, found.about())

    def verify(self, caller: Caller, stop: Callable[[], bool] = lambda: False) -> Verified | None:
        """Verify every course and the ledger, and write it down; `None` when it was stopped."""
        found = Verified()
        auditor = replace(self._auditor)  # who has not looked at any definition yet
        for course in auditor.courses():
            if stop():
                return None
            try:
                looked = auditor.look(course)
            except NotFound:  # it had a row a moment ago
                gone = Fault(seq=1, kind="gap", what="every record is gone")
                looked = Looked(records=0, head="", fault=gone)
            seq = None if looked.fault is None else looked.fault.seq
            found.add(course, looked.records, wrong=looked.fault is not None, seq=seq)
        found.hold(self._inspect(), self._beside())
        self.note(caller, found)
        tell = log.info if found.whole else log.error
        tell("log_verified", courses=found.courses, records=found.records, whole=found.whole)
        return found

    def due(self, caller: Caller, stop: Callable[[], bool]) -> Verified | None:
        """Verify again when nobody did for so long."""
        now = self._clock.now()
        if self._every is None or (self._asked is not None and now - self._asked < LOOK):
            return None
        last = self.last()
        recent = last is not None and now - last.at < self._every
        made = None if recent else self.verify(caller, stop)
        self._asked = now
        return made


def _last(entry: Entry) -> Last:
    known = Verified.__dataclass_fields__
    said: Mapping[str, Any] = {k: v for k, v in entry.about.items() if k in known}
    return Last(at=entry.at, by=entry.actor, found=Verified(**said))

"""A store without a database, for tests: the same answers, the same conflicts, nothing on a disk.

Writers come one after the other; readers see what was committed when they began. It passes the
same contract as the databases do, so that a test may take it in their place.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import TracebackType
from typing import TypeVar

from engine.core.event import SIGNED
from engine.core.history import Mismatch
from engine.core.marks import AMENDING
from engine.core.record import Record
from engine.core.review import Item
from engine.core.snapshot import Armed, Booking, Window, order
from engine.core.view import Reading
from engine.errors import Conflict, StoreUnavailable, UnknownWorkflow
from engine.ports import (
    Copies,
    CourseLine,
    Definition,
    DueTimer,
    DueVisit,
    Head,
    Search,
    Waiting,
    Write,
)
from engine.store.held import HeldCourse, differing, known, moved
from engine.store.trouble import SECOND_COURSE

SECONDS_TO_WAIT = 10

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Tenant:
    """What one tenant has. Never changed: a commit puts another one in its place."""

    courses: Mapping[str, HeldCourse] = field(default_factory=dict)
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    prose: Mapping[str, bytes] = field(default_factory=dict)


class MemoryStore:
    """Courses in memory, lost with the process. `wait` is how long a writer waits for another."""

    def __init__(self, *, wait: float = SECONDS_TO_WAIT) -> None:
        self._tenants: dict[str, _Tenant] = {}
        self._writer = threading.Lock()
        self._wait = wait

    def transaction(
        self,
        tenant: str,
        *,
        write: bool = True,
        alone: bool = False,  # noqa: ARG002  # every writer waits
    ) -> AbstractContextManager[MemoryTransaction]:
        """A transaction that commits when its block ends and rolls back when it raises.

        Raises StoreUnavailable when another writer does not end.
        """
        return _Block(self, tenant, write=write)

    def copy(self) -> MemoryStore:
        """The same courses in another store: from now on they go their own ways."""
        other = MemoryStore(wait=self._wait)
        other._tenants = dict(self._tenants)
        return other

    def begun(self, tenant: str, *, write: bool) -> MemoryTransaction:
        """What the tenant has, for one transaction."""
        if write and not self._writer.acquire(timeout=self._wait):
            raise StoreUnavailable("another transaction does not end")
        return MemoryTransaction(tenant, self._tenants.get(tenant, _Tenant()))

    def close(self) -> None:
        """Nothing: it has no connection, and keeps what it holds."""

    def ended(self, tenant: str, held: _Tenant | None, *, write: bool) -> None:
        """Keep what a transaction leaves, if anything, and let the next writer in."""
        if write:
            if held is not None:
                self._tenants[tenant] = held
            self._writer.release()


class _Block:
    __slots__ = ("_store", "_tenant", "_tx", "_write")

    def __init__(self, store: MemoryStore, tenant: str, *, write: bool) -> None:
        self._store, self._tenant, self._write = store, tenant, write

    def __enter__(self) -> MemoryTransaction:
        self._tx = self._store.begun(self._tenant, write=self._write)
        return self._tx

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        held = self._tx.held if kind is None else None
        self._store.ended(self._tenant, held, write=self._write)


class MemoryTransaction:
    """One tenant's courses, as one transaction sees and changes them."""

    __slots__ = ("held", "tenant")

    def __init__(self, tenant: str, held: _Tenant) -> None:
        self.tenant = tenant
        self.held = held

    def head(self, course: str, event_id: str) -> Head | None:
        found = self.held.courses.get(course)
        if found is None:
            return None
        return Head(row=found.row, known=known(found, event_id))

    def row(self, course: str) -> bytes | None:
        found = self.held.courses.get(course)
        return None if found is None else found.row

    def readings(
        self, course: str, since: Mapping[str, datetime | None]
    ) -> Mapping[str, Sequence[Reading]]:
        found = self.held.courses.get(course)
        held = () if found is None else found.readings
        standing = {(r.input, r.origin): r.seq for r in sorted(held, key=lambda r: r.seq)}
        return {
            name: sorted(
                (
                    r
                    for r in held
                    if r.input == name
                    and (start is None or r.at is None or r.at >= start)
                    and standing[name, r.origin] == r.seq
                ),
                key=order,
            )
            for name, start in since.items()
        }

    def append(self, write: Write) -> None:
        named = write.record.course
        before = self.held.courses.get(named)
        self._require_room(write, before)
        after = moved(write, before)
        self.held = replace(self.held, courses={**self.held.courses, named: after})

    def records(self, course: str, after: int = 0) -> Iterator[Record]:
        found = self.held.courses.get(course)
        return iter(() if found is None else found.records[after:])

    def record(self, course: str, seq: int) -> Record | None:
        return next((r for r in self.records(course, seq - 1) if r.seq == seq), None)

    def amendments(self, course: str) -> Sequence[Record]:
        return [record for record in self.records(course) if record.event in AMENDING]

    def reviews(self, course: str, seq: int | None = None) -> Sequence[Item]:
        found = self.held.courses.get(course)
        held = {} if found is None else found.reviews
        return [item for place, item in sorted(held.items()) if seq in (None, place[0])]

    def texts(self, course: str, seq: int) -> Mapping[str, tuple[str, str | None]]:
        found = self.held.courses.get(course)
        held = () if found is None else found.texts
        return {text.path: (text.salt, text.text) for of, text in held if of == seq}

    def signatures(self, course: str) -> Sequence[Record]:
        return [record for record in self.records(course) if record.event == SIGNED]

    def kept_texts(self, course: str) -> Sequence[tuple[int, str]]:
        found = self.held.courses.get(course)
        held = () if found is None else found.texts
        return sorted((of, one.path) for of, one in held if one.text is not None)

    def courses(self, after: str = "", limit: int = 1000) -> Sequence[CourseLine]:
        names = sorted(name for name in self.held.courses if name > after)
        return [self.held.courses[name].line for name in names[:limit]]

    def search(self, wanted: Search, after: str = "", limit: int = 1000) -> Sequence[CourseLine]:
        found = [
            course.line
            for name, course in sorted(self.held.courses.items())
            if name > after and _is_wanted(course, wanted)
        ]
        return found[:limit]

    def last_seq(self, course: str) -> int:
        found = self.held.courses.get(course)
        return 0 if found is None else found.line.seq

    def another_open(self, course: str, patient: str, workflow: str) -> bool:
        return any(
            other.line.open and (other.line.patient, other.line.workflow) == (patient, workflow)
            for name, other in self.held.courses.items()
            if name != course
        )

    def recorded(self, after: str = "", limit: int = 1000) -> Sequence[str]:
        return sorted(name for name in self.held.courses if name > after)[:limit]

    def latest(self, after: str = "", limit: int = 1000) -> Sequence[tuple[str, datetime | None]]:
        named = [(name, self.held.courses[name].records) for name in self.recorded(after, limit)]
        return [(name, records[-1].recorded_at if records else None) for name, records in named]

    def due_timers(self, now: datetime, limit: int) -> Sequence[DueTimer]:
        found = [
            DueTimer(course=name, name=timer, due=armed.due, seq=armed.seq)
            for name, course in self.held.courses.items()
            for timer, armed in course.timers.items()
            if armed.due <= now
        ]
        return sorted(found, key=lambda due: (due.due, due.course, due.name))[:limit]

    def visits(self, until: date, site: str | None = None) -> Sequence[DueVisit]:
        found = [
            DueVisit(
                course=name,
                site=course.line.site,
                zone=course.zone,
                state=course.line.state,
                name=visit,
                window=window,
            )
            for name, course in self.held.courses.items()
            for visit, window in course.visits.items()
            if window.earliest <= until and site in (None, course.line.site)
        ]
        return sorted(found, key=lambda due: (due.window.earliest, due.course, due.name))

    def stored_caches(self, course: str) -> tuple[Mapping[str, Armed], Mapping[str, Window]]:
        found = self.held.courses.get(course)
        return ({}, {}) if found is None else (found.timers, found.visits)

    def mismatch(self, copies: Copies) -> Mismatch | None:
        held = self.held.courses.get(copies.line.course)
        return differing(held, copies)

    def bookings(self, course: str) -> Mapping[str, Booking]:
        found = self.held.courses.get(course)
        return {} if found is None else found.bookings

    def define(self, definition: Definition) -> None:
        self.held = replace(
            self.held,
            definitions={definition.digest: definition, **self.held.definitions},
            prose={definition.prose_digest: definition.prose, **self.held.prose},
        )

    def definition(self, digest: str) -> Definition | None:
        return self.held.definitions.get(digest)

    def definitions(self) -> Sequence[Definition]:
        return sorted(self.held.definitions.values(), key=lambda d: (d.name, d.version, d.digest))

    def prose(self, digest: str) -> bytes | None:
        return self.held.prose.get(digest)

    def waiting(self, limit: int) -> Sequence[Waiting]:
        found = [message for course in self.held.courses.values() for message in course.messages]
        return sorted(found, key=lambda m: (m.recorded_at, m.course, m.seq, m.n))[:limit]

    def delivered(
        self,
        message: Waiting,
        at: datetime,  # noqa: ARG002  # nobody asks memory when
    ) -> None:
        course = self.held.courses.get(message.course)
        if course is not None:
            left = tuple(m for m in course.messages if (m.seq, m.n) != (message.seq, message.n))
            after = replace(course, messages=left)
            self.held = replace(self.held, courses={**self.held.courses, message.course: after})

    def _require_room(self, write: Write, before: HeldCourse | None) -> None:
        course = write.record.course
        seq = 0 if before is None else before.line.seq
        if write.before_seq == 0 and before is not None:
            raise Conflict(course, why="the course exists already", retriable=True)
        if write.before_seq != seq:
            raise Conflict(course, retriable=True)
        if before is not None and known(before, write.record.event_id) is not None:
            raise Conflict(course, why="the event id was recorded meanwhile", retriable=True)
        if write.digest not in self.held.definitions:
            raise UnknownWorkflow(write.digest, ())
        opens = write.open and not (before is not None and before.line.open)
        if opens and self.another_open(course, write.patient, write.workflow):
            raise Conflict(course, why=SECOND_COURSE, retriable=write.reported)


def _is_wanted(course: HeldCourse, wanted: Search) -> bool:
    line, day = course.line, wanted.day
    # A feed is kept by a database only: here everything is new.
    return (
        (wanted.sites is None or line.site in wanted.sites)
        and all(
            asked is None or asked == getattr(line, name)
            for name in ("site", "workflow", "state", "stage", "waits", "open")
            for asked in (getattr(wanted, name),)
        )
        and (day is None or any(w.earliest <= day <= w.latest for w in course.visits.values()))
    )

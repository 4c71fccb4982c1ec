"""One transaction of one tenant, on a connection that somebody else begins and commits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, NoReturn

from sqlalchemy import Executable, Result, text
from sqlalchemy.exc import DBAPIError

from engine.core.encoding import Json
from engine.core.history import Mismatch
from engine.core.marks import AMENDING
from engine.core.record import Record
from engine.core.review import Item, Queue
from engine.core.snapshot import Armed, Booking, Window, order
from engine.core.view import Reading
from engine.errors import Conflict, RegimenError, StoreUnavailable, UnknownWorkflow
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
from engine.store import copies as copied
from engine.store import queries
from engine.store.channel import Channel
from engine.store.dialect import Dialect
from engine.store.parameters import MICROSECOND
from engine.store.trouble import SECOND_COURSE, Kind

RECORDS_AT_ONCE = 500
"""How many records are in memory while a course is read through."""

BEGIN = text("BEGIN")
"""What a driver that commits each statement by itself is told."""

BEGINNING = datetime.min.replace(tzinfo=UTC)


class SqlTransaction:
    """Courses of one tenant, as one transaction sees them.

    `write` says that it may write, and so locks what it reads; `joined` that it is a host's. Where
    it is `alone`, each statement commits by itself and nothing is locked: the first write waits
    until it is known whether anything follows, and is the whole transaction where nothing does.
    `course` is the one last worked on, for errors that a commit brings.
    """

    __slots__ = (
        *("_alone", "_channel", "_dialect", "_failed", "_head", "_joined", "_waiting"),
        *("course", "tenant"),
    )

    def __init__(
        self,
        channel: Channel,
        tenant: str,
        dialect: Dialect,
        *,
        write: bool = True,
        joined: bool = False,
        alone: bool = False,
    ) -> None:
        self.tenant = tenant
        self._dialect = dialect
        self._joined = joined
        self._channel = channel
        self._head = queries.LOCKED_HEAD if write and not alone else queries.HEAD
        self._alone = alone
        self._waiting: Write | None = None
        self._failed: Exception | None = None
        self.course = ""

    def head(self, course: str, event_id: str) -> Head | None:
        self.course = course
        found = self._rows(self._head, course=course, event_id=event_id)
        if not found:
            return None
        row, *record = found[0]
        known = None if record[0] is None else record_of(record)
        return Head(row=row.encode(), known=known)

    def row(self, course: str) -> bytes | None:
        found = self._rows(queries.ROW, course=course)
        return found[0][0].encode() if found else None

    def readings(
        self, course: str, since: Mapping[str, datetime | None]
    ) -> Mapping[str, Sequence[Reading]]:
        if not since:
            return {}
        asked: dict[str, Any] = {}
        for n, (name, start) in enumerate(since.items()):
            asked[f"input_{n}"] = name
            asked[f"since_{n}"] = start or BEGINNING
        found: dict[str, list[Reading]] = {name: [] for name in since}
        for row in self._rows(queries.readings_of(len(since)), course=course, **asked):
            reading = _reading(row)
            found[reading.input].append(reading)
        for readings in found.values():
            readings.sort(key=order)
        return found

    def append(self, write: Write) -> None:
        if self._alone and self._waiting is None:
            self._waiting = write
        else:
            self._go_on()
            self._append(write)

    def finish(self) -> None:
        """Write what waits: alone, it is a transaction by itself.

        Raises the error of a statement again where the block went on all the same: the database
        may have given up all of it, and would say nothing when asked to commit.
        """
        self._require_whole()
        if self._waiting is not None:
            write, self._waiting = self._waiting, None
            self._append(write)

    def _go_on(self) -> None:
        """Something follows the first write: from now on all is one transaction."""
        self._require_whole()
        if self._waiting is not None:
            self._alone = False
            self._execute(BEGIN, {})
            self.finish()

    def _require_whole(self) -> None:
        if self._failed is not None:
            raise self._failed

    def _append(self, write: Write) -> None:
        self.course = write.record.course
        try:
            stored = self._dialect.append(self._channel, self.tenant, write)
        except DBAPIError as error:
            self._raise(error, write.digest)
        if not stored:
            raise self._why_not(write)

    def records(self, course: str, after: int = 0) -> Iterator[Record]:
        while True:
            page = self._run(
                queries.RECORDS, course=course, after=after, limit=RECORDS_AT_ONCE
            ).all()
            for row in page:
                yield record_of(row)
            if len(page) < RECORDS_AT_ONCE:
                return
            after = page[-1].seq

    def record(self, course: str, seq: int) -> Record | None:
        found = self._rows(queries.RECORD, course=course, seq=seq)
        return record_of(found[0]) if found else None

    def amendments(self, course: str) -> Sequence[Record]:
        found = self._run(queries.AMENDMENTS, course=course, events=list(AMENDING))
        return [record_of(row) for row in found]

    def reviews(self, course: str, seq: int | None = None) -> Sequence[Item]:
        if seq is None:
            return [item_of(row) for row in self._run(queries.REVIEWS, course=course)]
        return [item_of(row) for row in self._run(queries.REVIEWS_OF, course=course, seq=seq)]

    def texts(self, course: str, seq: int) -> Mapping[str, tuple[str, str | None]]:
        found = self._run(queries.TEXTS, course=course, seq=seq)
        return {path: (salt or "", text) for path, salt, text in found}

    def signatures(self, course: str) -> Sequence[Record]:
        return [record_of(row) for row in self._run(queries.SIGNATURES, course=course)]

    def kept_texts(self, course: str) -> Sequence[tuple[int, str]]:
        found = self._run(queries.KEPT_TEXTS, course=course)
        return [(seq, path) for seq, path in found]

    def courses(self, after: str = "", limit: int = 1000) -> Sequence[CourseLine]:
        found = self._run(queries.COURSES, after=after, limit=limit)
        return [CourseLine(**row) for row in found.mappings()]

    def search(self, wanted: Search, after: str = "", limit: int = 1000) -> Sequence[CourseLine]:
        asked = {f.name: getattr(wanted, f.name) for f in fields(wanted) if f.name != "open"}
        asked = {name: value for name, value in asked.items() if value is not None}
        if wanted.sites is not None:
            asked["sites"] = sorted(wanted.sites)
        found = self._run(queries.search(wanted), after=after, limit=limit, **asked)
        return [CourseLine(**row) for row in found.mappings()]

    def last_seq(self, course: str) -> int:
        return int(self._run(queries.LAST_SEQ, course=course).scalar_one())

    def another_open(self, course: str, patient: str, workflow: str) -> bool:
        asked = {"patient": patient, "workflow": workflow}
        return bool(self._run(queries.ANOTHER_OPEN, course=course, **asked).first())

    def recorded(self, after: str = "", limit: int = 1000) -> Sequence[str]:
        return list(self._run(queries.RECORDED, after=after, limit=limit).scalars())

    def latest(self, after: str = "", limit: int = 1000) -> Sequence[tuple[str, datetime | None]]:
        found = self._run(queries.LATEST, after=after, limit=limit)
        return [(course, recorded_at) for course, recorded_at in found]

    def due_timers(self, now: datetime, limit: int) -> Sequence[DueTimer]:
        found = self._run(queries.DUE_TIMERS, now=now, limit=limit)
        return [DueTimer(**row) for row in found.mappings()]

    def visits(self, until: date, site: str | None = None) -> Sequence[DueVisit]:
        query = queries.due_visits(at_one_site=site is not None)
        found = self._run(query, until=until, **({} if site is None else {"site": site}))
        return [
            DueVisit(course=c, site=s, zone=z, state=state, name=name, window=Window(*window))
            for c, s, z, state, name, *window in found
        ]

    def stored_caches(self, course: str) -> tuple[Mapping[str, Armed], Mapping[str, Window]]:
        timers = self._run(queries.TIMERS, course=course)
        armed = {name: Armed(due, seq) for name, due, seq in timers}
        visits = self._run(queries.VISITS, course=course)
        return armed, {name: Window(*window) for name, *window in visits}

    def mismatch(self, copies: Copies) -> Mismatch | None:
        return next(self.mismatches(copies), None)

    def mismatches(self, copies: Copies) -> Iterator[Mismatch]:
        """Everything that is kept of a course beside its records and is not so."""
        dialect = self._channel.connection().dialect
        return copied.mismatches(self._rows, dialect, self.tenant, copies)

    def write_anew(self, copies: Copies, at: datetime) -> list[str]:
        """Let the rows of a course be what its records add up to; the tables that were not so.

        What only grows is left as it is.
        """
        try:
            return copied.write_anew(self._channel.connection(), self.tenant, copies, at)
        except DBAPIError as error:
            self._raise(error)

    def bookings(self, course: str) -> Mapping[str, Booking]:
        found = self._run(queries.BOOKINGS, course=course)
        return {name: Booking(*booking) for name, *booking in found}

    def define(self, definition: Definition) -> None:
        writes = self._dialect.writes
        self._run(writes.describe, digest=definition.prose_digest, prose=definition.prose)
        self._run(
            writes.define,
            digest=definition.digest,
            name=definition.name,
            version=definition.version,
            semantic=definition.semantic,
            prose_digest=definition.prose_digest,
        )

    def definition(self, digest: str) -> Definition | None:
        found = self._run(queries.DEFINITION, digest=digest).mappings().first()
        return None if found is None else Definition(**found)

    def definitions(self) -> Sequence[Definition]:
        return [Definition(**row) for row in self._run(queries.DEFINITIONS).mappings()]

    def prose(self, digest: str) -> bytes | None:
        found: bytes | None = self._run(queries.PROSE, digest=digest).scalar()
        return found

    def waiting(self, limit: int) -> Sequence[Waiting]:
        return [Waiting(**row) for row in self._run(queries.WAITING, limit=limit).mappings()]

    def delivered(self, message: Waiting, at: datetime) -> None:
        place = {"its_tenant": self.tenant, "its_course": message.course}
        which = {"its_seq": message.seq, "its_n": message.n}
        self._go_on()
        self._execute(self._dialect.writes.deliver, {**place, **which, "at": at})

    def _rows(self, statement: Executable, **asked: Any) -> Sequence[Sequence[Any]]:  # noqa: ANN401  # parameters
        """As `_run`, for what every step asks."""
        self._go_on()
        try:
            return self._channel.rows(statement, {"tenant": self.tenant, **asked})
        except DBAPIError as error:
            self._raise(error)

    def _run(self, statement: Executable, **asked: Any) -> Result[*tuple[Any, ...]]:  # noqa: ANN401  # parameters
        self._go_on()
        return self._execute(statement, {"tenant": self.tenant, **asked})

    def _execute(self, statement: Executable, asked: Mapping[str, Any]) -> Result[*tuple[Any, ...]]:
        try:
            return self._channel.connection().execute(statement, asked)
        except DBAPIError as error:
            self._raise(error)

    def _raise(self, error: DBAPIError, digest: str = "") -> NoReturn:
        known = meaning(self._dialect, error, self.course, digest, joined=self._joined)
        if not self._joined:
            self._failed = known or error
        if known is None:
            raise error
        raise known from error

    def _why_not(self, write: Write) -> Conflict | UnknownWorkflow:
        """Why nothing was moved; asked only when it was not."""
        course = write.record.course
        seq = self._run(queries.STANDING, course=course).scalar()
        if write.before_seq == 0 and seq is not None:
            return Conflict(course, why="the course exists already", retriable=True)
        if write.before_seq not in (seq, 0):
            return Conflict(course, retriable=True)
        if self._run(queries.KNOWN, course=course, event_id=write.record.event_id).first():
            return Conflict(course, why="the event id was recorded meanwhile", retriable=True)
        if not self._run(queries.DEFINED, digest=write.digest).first():
            return UnknownWorkflow(write.digest, ())
        return Conflict(course, why=SECOND_COURSE, retriable=write.reported)


def meaning(
    dialect: Dialect, error: DBAPIError, course: str, digest: str = "", *, joined: bool
) -> RegimenError | None:
    """What an error of the database is to our caller; `None` when it is passed on."""
    trouble = dialect.trouble(error)
    if trouble is None:
        return None
    match trouble.kind:
        case Kind.RACE | Kind.TAKEN:
            return Conflict(course, why=trouble.why, retriable=True)
        case Kind.LOCKED if joined:
            return Conflict(course, why=trouble.why, retriable=True)
        case Kind.UNDEFINED:
            return UnknownWorkflow(digest, ())
        case Kind.LOCKED | Kind.UNAVAILABLE:
            return StoreUnavailable(trouble.why)


def item_of(row: Sequence[Any]) -> Item:
    """An item of a review queue, as `queries.REVIEWS` gives it."""
    seq, queue, recorded_at, is_open, outcome, reviewed_by, reviewers = row
    return Item(
        seq=seq,
        queue=Queue(queue),
        recorded_at=recorded_at,
        open=bool(is_open),
        outcome=outcome,
        reviewed_by=reviewed_by,
        reviewers=tuple(reviewers.split()),
    )


def record_of(row: Sequence[Any]) -> Record:
    """A record, as its table has it apart from the tenant."""
    course, seq, event_id, event, verdict, at, recorded_at, prev_hash, hashed, body = row
    return Record(
        course=course,
        seq=seq,
        event_id=event_id,
        event=event,
        verdict=verdict,
        at=at,
        recorded_at=recorded_at,
        prev_hash=prev_hash,
        hash=hashed,
        body=_bytes(body),
    )


def _bytes(stored: bytes | str) -> bytes:
    """A body as bytes: whoever rewrites one in SQLite may leave a text there, to be found out."""
    return stored.encode() if isinstance(stored, str) else bytes(stored)


def _reading(row: Sequence[Any]) -> Reading:
    name, seq, at, on, value, over, flaw, corrects = row
    length = None if over is None else over * MICROSECOND
    return Reading(name, _value(value), at, on, seq, length, flaw, corrects)


@lru_cache(maxsize=4096)
def _value(text: str) -> Json:
    """The value of a reading: a word, a number as text or a truth, and the same ones come often."""
    return json.loads(text)

"""What the service asks of the world: a store, a clock, salt. Nothing here does anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from engine.core.history import Mismatch
from engine.core.quick import quick
from engine.core.record import Record
from engine.core.review import Item
from engine.core.sealing import SealedText
from engine.core.snapshot import Armed, Booking, Window
from engine.core.view import Calendar, Reading


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A course row as stored: the canonical JSON `row`, and the sealed body of a known event id.

    `known` is the record that already used the event id that was asked about, if any.
    """

    row: bytes
    known: Record | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message of the outbox: thin, so that no clinical value travels."""

    kind: str
    body: bytes


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Everything that one decision writes; it is stored together or not at all.

    `before_seq` is the course's `seq` as read, or 0 for a new course. `timers` and `visits` hold
    only what changed: `None` removes. `row` is the whole row after, in canonical JSON. `reported`
    says that the event is a report: what happened is recorded, whatever is in its way. `waits` is
    what the state waits for, `questions` how many rules wait for data, `findings` how many wait
    for somebody to dispose of them, `unsigned` how many records wait for a signature, and
    `conflicts` the words for what speaks against its live bookings. `booking` is the one that the
    event tells of: its name, how it is now, over or not, and its civil date at the site. `erased`
    are the texts that go with it, by record and place.
    """

    before_seq: int
    record: Record
    row: bytes
    workflow: str
    digest: str
    patient: str
    site: str
    state: str
    stage: str
    revision: int
    open: bool
    reported: bool = False
    zone: str
    waits: str | None = None
    questions: int = 0
    findings: int = 0
    unsigned: int = 0
    conflicts: str | None = None
    readings: Sequence[Reading] = ()
    timers: Mapping[str, Armed | None]
    visits: Mapping[str, Window | None]
    booking: tuple[str, Booking, date] | None = None
    messages: Sequence[Outgoing] = ()
    reviews: Sequence[Item] = ()
    texts: Sequence[SealedText] = ()
    erased: Sequence[tuple[int, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A stored definition: canonical JSON of the semantic part and of the prose, by digest."""

    digest: str
    name: str
    version: str
    semantic: bytes
    prose_digest: str
    prose: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTimer:
    """A timer whose time has come."""

    course: str
    name: str
    due: datetime
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DueVisit:
    """A visit's window, with the course and the site that it is due at."""

    course: str
    site: str
    zone: str
    state: str
    name: str
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A message that nobody has taken yet."""

    course: str
    seq: int
    n: int
    kind: str
    body: bytes
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseLine:
    """A course as a list shows it."""

    course: str
    workflow: str
    digest: str
    patient: str
    site: str
    state: str
    stage: str
    seq: int
    revision: int
    open: bool
    waits: str | None
    questions: int
    findings: int
    unsigned: int
    conflicts: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """What is kept of a course beside its records, as they add up to.

    A booking stands with its civil date at the site and the record that last told of it. `texts`
    are the digests that the records hold of free texts, by record and place, and `erased` those
    that were erased.
    """

    line: CourseLine
    zone: str
    row: bytes
    timers: Mapping[str, Armed]
    visits: Mapping[str, Window]
    bookings: Mapping[str, tuple[Booking, date, int]]
    readings: Sequence[Reading]
    messages: Sequence[Waiting]
    reviews: Sequence[Item]
    texts: Mapping[tuple[int, str], str]
    erased: frozenset[tuple[int, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which courses are looked for; what is `None` does not matter.

    `sites` are those that may be seen at all. `day` is a civil date on which a visit may take
    place or is booked. `changed_after` is a position of the feed.
    """

    sites: frozenset[str] | None = None
    site: str | None = None
    workflow: str | None = None
    state: str | None = None
    stage: str | None = None
    waits: str | None = None
    open: bool | None = None
    day: date | None = None
    changed_after: int | None = None


class Transaction(Protocol):
    """One transaction of one tenant. Nothing is visible to others before its store commits it."""

    @property
    def tenant(self) -> str:
        """Whose courses these are."""

    def head(self, course: str, event_id: str) -> Head | None:
        """The course row and the record of `event_id`.

        In a transaction that writes, the row is locked where the database can.
        """

    def row(self, course: str) -> bytes | None:
        """The course row, for reading."""

    def readings(
        self, course: str, since: Mapping[str, datetime | None]
    ) -> Mapping[str, Sequence[Reading]]:
        """The readings of each input from its instant on (`None`: all), corrections applied.

        Oldest first, undated ones last and always included. A value is in the words of the row:
        the store gives back the JSON value, typed by the caller's kinds.
        """

    def append(self, write: Write) -> None:
        """Store a decision.

        Raises Conflict: `retriable` when `before_seq` is no longer the course's or the event id was
        recorded meanwhile, and not when the patient has another open course of the workflow,
        unless the event was `reported`: decided again, it leaves the course closed.
        Raises UnknownWorkflow when the definition is not stored.
        """

    def records(self, course: str, after: int = 0) -> Iterator[Record]:
        """The records of a course in order."""

    def record(self, course: str, seq: int) -> Record | None:
        """One record."""

    def amendments(self, course: str) -> Sequence[Record]:
        """The records of a course that say something of other records, in order."""

    def reviews(self, course: str, seq: int | None = None) -> Sequence[Item]:
        """The items of the review queues, of one record or of all, in their order."""

    def texts(self, course: str, seq: int) -> Mapping[str, tuple[str, str | None]]:
        """The free texts of a record by path: salt (empty once erased), text unless erased."""

    def signatures(self, course: str) -> Sequence[Record]:
        """The records of a course that are signatures, in order."""

    def kept_texts(self, course: str) -> Sequence[tuple[int, str]]:
        """Where the course has free texts that were not erased: record and path, in order."""

    def courses(self, after: str = "", limit: int = 1000) -> Sequence[CourseLine]:
        """Courses by name, for lists and for work over all of them."""

    def search(self, wanted: Search, after: str = "", limit: int = 1000) -> Sequence[CourseLine]:
        """The courses that are looked for, by name."""

    def last_seq(self, course: str) -> int:
        """The number of a course's last record; 0 when it has none."""

    def another_open(self, course: str, patient: str, workflow: str) -> bool:
        """Whether the patient has an open course of the workflow besides this one."""

    def recorded(self, after: str = "", limit: int = 1000) -> Sequence[str]:
        """The names of all that has a row or a record, in order: a row may be gone."""

    def latest(self, after: str = "", limit: int = 1000) -> Sequence[tuple[str, datetime | None]]:
        """The same names, each with when its last record was made; `None` where there is none."""

    def due_timers(self, now: datetime, limit: int) -> Sequence[DueTimer]:
        """Timers due at or before an instant, earliest first."""

    def visits(self, until: date, site: str | None = None) -> Sequence[DueVisit]:
        """Visits whose earliest day is at or before a date, earliest first."""

    def stored_caches(self, course: str) -> tuple[Mapping[str, Armed], Mapping[str, Window]]:
        """The timers and visits of a course as their own tables hold them, for verification."""

    def mismatch(self, copies: Copies) -> Mismatch | None:
        """The first thing that is kept of a course beside its records and is not so."""

    def bookings(self, course: str) -> Mapping[str, Booking]:
        """Every booking that was told of a course, over or not, by its name."""

    def define(self, definition: Definition) -> None:
        """Store a definition and its prose; a digest that is there already changes nothing."""

    def definition(self, digest: str) -> Definition | None:
        """A stored definition by digest, with the prose that it was first stored with."""

    def definitions(self) -> Sequence[Definition]:
        """Every stored definition, by name and version."""

    def prose(self, digest: str) -> bytes | None:
        """The prose of a digest: titles and citations change without changing the definition."""

    def waiting(self, limit: int) -> Sequence[Waiting]:
        """Messages that were not delivered, oldest first."""

    def delivered(self, message: Waiting, at: datetime) -> None:
        """Note that a message was delivered; noted twice, the first stands."""


class Store(Protocol):
    """Where courses live. Transactions are passed to use cases, never opened below them."""

    def transaction(
        self, tenant: str, *, write: bool = True, alone: bool = False
    ) -> AbstractContextManager[Transaction]:
        """A transaction that commits when its block ends and rolls back when it raises.

        With `alone` most often one decision is all that it writes: a store may then leave the
        course unlocked until that is written, and find a lost race only when the block ends.
        With `write=False` it sees one moment throughout; nothing may be written in it.
        Raises StoreUnavailable when the database cannot be reached, is full or stays locked.
        """

    def close(self) -> None:
        """Let go of the connections that are its own; the next transaction opens new ones."""


class Clock(Protocol):
    """The system's time."""

    def now(self) -> datetime:
        """The present instant, in UTC."""


class Calendars(Protocol):
    """Civil time by IANA zone."""

    def of(self, zone: str) -> Calendar:
        """The calendar of a zone. Raises InvalidInput for a zone that does not exist."""

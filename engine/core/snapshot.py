"""What is known of a course when an event is decided."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, overload

from engine.core.quick import quick, replaced
from engine.core.view import ENTERED_IN_ERROR, Calendar, Reading

_END = datetime.max.replace(tzinfo=UTC)


class Newest(Sequence[Reading]):
    """Readings of one input, oldest first, of which the newest is at hand.

    Mostly a guard looks at no other. `before` is gone through when one of those is asked for, so
    it may be what loads them.
    """

    __slots__ = ("_all", "_before", "_newest")

    def __init__(self, before: Iterable[Reading], newest: Reading) -> None:
        self._before = before
        self._newest = newest
        self._all: Sequence[Reading] | None = None

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return len(self._loaded())

    @overload
    def __getitem__(self, index: int) -> Reading: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Reading]: ...
    def __getitem__(self, index: int | slice) -> Reading | Sequence[Reading]:
        return self._newest if index == -1 else self._loaded()[index]

    def __iter__(self) -> Iterator[Reading]:
        return iter(self._loaded())

    def __reversed__(self) -> Iterator[Reading]:
        yield self._newest
        yield from islice(reversed(self._loaded()), 1, None)

    def _loaded(self) -> Sequence[Reading]:
        if self._all is None:
            self._all = [*self._before, self._newest]
        return self._all


class Readings:
    """The readings of a course as far as guards can see them, oldest first, by input.

    `source` gives the readings of one input within its horizons, corrections applied; they are
    asked for once each and cut at `as_of`, so that a late event sees nothing that came after it.
    With `forgets`, what an event of `adding` enters in error is gone for whoever looks.
    """

    __slots__ = ("_as_of", "_forgets", "_known", "_source")

    def __init__(
        self,
        source: Callable[[str], Sequence[Reading]],
        as_of: datetime | None = None,
        *,
        forgets: bool = False,
    ) -> None:
        self._source = source
        self._as_of = as_of
        self._forgets = forgets
        self._known: dict[str, Sequence[Reading]] = {}

    def get(self, name: str, default: Sequence[Reading] = (), /) -> Sequence[Reading]:
        """The readings of an input, oldest first; undated ones last."""
        known = self._known.get(name)
        if known is None:
            known = self._source(name)
            if self._as_of is not None and known:
                last = known[-1].at
                if last is None or last > self._as_of:
                    known = [r for r in known if r.at is None or r.at <= self._as_of]
            self._known[name] = known
        return known or default

    def adding(self, readings: Iterable[Reading], as_of: datetime | None) -> Readings:
        """These readings and more, as seen at `as_of`."""
        more = Readings(self._source, as_of, forgets=self._forgets)
        for reading in readings:
            known = more.get(reading.input)
            # One that follows is put behind the others without looking at them.
            if reading.corrects is None and known and follows(known[-1], reading):
                found: Sequence[Reading] = Newest(known, reading)
            else:
                found = placed(known, reading)
            if self._forgets and reading.corrects is not None:
                found = [r for r in found if r.flaw != ENTERED_IN_ERROR]
            more._known[reading.input] = found
        return more


NONE = Readings(lambda _: ())
"""Of a course whose readings nobody looks at."""


def order(reading: Reading) -> tuple[bool, datetime, int]:
    """Oldest first, undated last, then in the order of recording."""
    at = reading.at
    return (at is None, at or _END, reading.seq)


def follows(known: Reading, reading: Reading) -> bool:
    """Whether a reading comes after another one, or with it: `order` without putting both in it."""
    before, at = known.at, reading.at
    if before is not None and at is not None and before != at:
        return before < at
    return order(known) <= order(reading)


def placed(readings: Sequence[Reading], reading: Reading) -> list[Reading]:
    """The readings with one more in its place; a correction takes the place of what it corrects."""
    found = list(readings)
    if reading.corrects is not None:
        found = [r for r in found if r.origin != reading.corrects]
    if not found or follows(found[-1], reading):
        found.append(reading)
    else:
        found.insert(bisect_right(found, order(reading), key=order), reading)
    return found


@quick
@dataclass(frozen=True, slots=True)
class Window:
    """A due visit: which of its series, and its dates at the site.

    `not_before` is the end of a minimum gap that is counted in hours.
    """

    number: int
    earliest: date
    target: date
    latest: date
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Booking:
    """What a scheduling system says of one appointment for a visit; it is no occurrence.

    `changes` counts what it was told, from 0. `number` is `None` where the visit was not due when
    it was booked.
    """

    visit: str
    number: int | None
    start: datetime
    minutes: int | None
    status: str
    changes: int = 0


@dataclass(frozen=True, slots=True)
class Arranged:
    """What was decided about a visit apart from treatment: deferred, omitted or ceased.

    `number` says of which of the series (all of them, once ceased), `until` to when it is deferred.
    """

    how: str
    number: int | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A signature: whose, who was authenticated for it, its record and when that was recorded."""

    actor: str
    by: str
    seq: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Intended:
    """An event that was signed before it is sent: the digest of what was signed, and by whom."""

    digest: str
    given: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class Awaiting:
    """A record that waits for a signature: of which event and actor, and who signed so far."""

    event: str
    actor: str
    given: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class OpenFinding:
    """Decisions that would have been different with what is known now; it is to be disposed of.

    `record` first brought the reading of `input` that `correction` corrects; where both are `None`
    it is a late entry, of which the decisions knew nothing. `decisions` are the records that would
    differ.
    """

    correction: int | None
    record: int
    input: str | None
    decisions: tuple[int, ...]


@quick
@dataclass(frozen=True, slots=True)
class Armed:
    """A timer that waits: when it is due, and the record that armed it."""

    due: datetime
    seq: int


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """State, variables, readings within horizons, and revision.

    `seq` is the last record's number, `revision` that of the last record that changed the course.
    `last_at` is the latest time asserted so far. `firing` names the rules that held when they were
    last weighed, with the record since which they do; `questions` those that could not be weighed,
    with what they wait for. `decided_at` is the system's time of this decision, which becomes the
    record's `recorded_at`. `civil` holds the civil times that waiting timers were resolved from:
    they keep their instants, whatever later zone data says. `another_open` says that the patient
    has an open course of the workflow besides this closed one, which therefore stays closed; it is
    asked for only where a report would open it. `bookings` are those that are not over, `arranged`
    says of visits that they are deferred, omitted or ceased. `signed` are the events that were
    signed and are yet to be sent, by their id; `unsigned` the records that wait for a signature;
    `legal_holds` name the record that placed each. `open_findings` are those that nobody has
    disposed of, by the record that raised them.
    """

    course: str
    digest: str
    patient: str
    site: str
    zone: str
    retrospective: bool
    state: str
    round: int
    seq: int
    revision: int
    calendar: Calendar
    readings: Readings
    decided_at: datetime
    last_at: datetime | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    firing: Mapping[str, int] = field(default_factory=dict)
    questions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    timers: Mapping[str, Armed] = field(default_factory=dict)
    fired: Mapping[str, datetime] = field(default_factory=dict)
    visits: Mapping[str, Window] = field(default_factory=dict)
    latest: Mapping[str, Reading] = field(default_factory=dict)
    civil: Mapping[str, str] = field(default_factory=dict)
    bookings: Mapping[str, Booking] = field(default_factory=dict)
    arranged: Mapping[str, Arranged] = field(default_factory=dict)
    signed: Mapping[str, Intended] = field(default_factory=dict)
    unsigned: Mapping[str, Awaiting] = field(default_factory=dict)
    legal_holds: Mapping[str, int] = field(default_factory=dict)
    open_findings: Mapping[str, OpenFinding] = field(default_factory=dict)
    another_open: bool = False

    def facing(
        self,
        *,
        calendar: Calendar,
        decided_at: datetime,
        readings: Readings,
        another_open: bool = False,
    ) -> Snapshot:
        """The same course before the next event: with what that may see, and when it is decided."""
        return replaced(
            self,
            calendar=calendar,
            decided_at=decided_at,
            readings=readings,
            another_open=another_open,
        )

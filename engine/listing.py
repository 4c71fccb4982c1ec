"""What a worklist asks of a store, and what it gets: candidates, judged one by one afterwards.

A store gives too many rather than too few: what day it is depends on a course's zone, which no
index knows. It never gives one of another tenant, or of a site that was not asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol

from engine.core.scheduling import (
    BELOW_MINIMUM_GAP,
    COURSE_CLOSED,
    NO_SUCH_VISIT,
    NOT_WANTED,
    ON_HOLD,
    OUTSIDE_WINDOW,
)
from engine.core.snapshot import Booking, Window
from engine.ports import Definition


class Listing(StrEnum):
    """What can be listed: the worklists, then every visit and every hold. Shown: never rename."""

    DUE_NOW = "due_now"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    MISSED = "missed"
    UNBOOKED = "unbooked"
    BOOKED_OUTSIDE_WINDOW = "booked_outside_window"
    BOOKED_BELOW_MINIMUM_GAP = "booked_below_minimum_gap"
    BOOKED_ON_HOLD = "booked_on_hold"
    BOOKING_FOR_NO_VISIT = "booking_for_no_visit"
    WAITING_FOR_DATA = "waiting_for_data"
    WAITING_FOR_DECISION = "waiting_for_decision"
    HOLD_PAST_REVIEW = "hold_past_review"
    OPEN_FINDINGS = "open_findings"
    UNSIGNED = "unsigned"
    VISITS = "visits"
    HOLDS = "holds"


SPEAKS: Mapping[Listing, tuple[str, ...]] = {
    Listing.BOOKED_OUTSIDE_WINDOW: (OUTSIDE_WINDOW,),
    Listing.BOOKED_BELOW_MINIMUM_GAP: (BELOW_MINIMUM_GAP,),
    Listing.BOOKED_ON_HOLD: (ON_HOLD,),
    Listing.BOOKING_FOR_NO_VISIT: (NO_SUCH_VISIT, NOT_WANTED, COURSE_CLOSED),
}
"""The conflicts that each list of bookings shows."""

SEVERAL = frozenset({*SPEAKS, Listing.HOLD_PAST_REVIEW})
"""The lists that may show several items of a course: each of its bookings, or of its visits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which candidates are asked for.

    `first` and `last` are the earliest and latest civil day that it may be at any site, `until` the
    day by which a window opens that counts as soon. `sites` limits what may be seen; `None` is
    every site. `workflow` is the name of one; `None` is every workflow. `day` is a clinic day.
    `after` is the place of the last item that was seen; of a course of which there may be more
    items it names the course, which is given again.
    """

    listing: Listing
    first: date
    last: date
    until: date
    sites: frozenset[str] | None = None
    workflow: str | None = None
    day: date | None = None
    after: tuple[Any, ...] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """A booking with its name and its civil date at the site."""

    name: str
    on: date
    booking: Booking


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A course, and the visit or booking of it that may belong to a list, where it is about one.

    `window` is that of the visit, where it is due. `row` is the course's, where the list needs it.
    `key` is its place in the order of the list: of a list of courses, the course.
    """

    course: str
    site: str
    zone: str
    state: str
    open: bool
    waits: str | None
    key: tuple[Any, ...]
    visit: str | None = None
    window: Window | None = None
    booked: Booked | None = None
    row: str | None = None


class Reader(Protocol):
    """One moment of one tenant."""

    def candidates(self, wanted: Wanted) -> Sequence[Candidate]:
        """Candidates in the order of the list."""

    def course(self, course: str, sites: frozenset[str] | None) -> Candidate | None:
        """A course with its row, where it is at one of the sites."""

    def windows(self, courses: Sequence[str]) -> Mapping[str, Mapping[str, Window]]:
        """The due visits of courses, by course and name."""

    def bookings(
        self, courses: Sequence[str], *, live: bool = True
    ) -> Mapping[str, Sequence[Booked]]:
        """The bookings of courses that are not over, or all of them, by course, in time."""

    def calendars(self, sites: Sequence[str]) -> Mapping[str, str]:
        """The stored calendars of those of the sites that have one."""

    def recorded(self, places: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], datetime]:
        """When records of courses were recorded, by course and number."""

    @property
    def tenant(self) -> str: ...

    def definition(self, digest: str) -> Definition | None:
        """A stored definition; None when there is none."""


class Lists(Protocol):
    """Where lists are read."""

    def reading(self, tenant: str) -> AbstractContextManager[Reader]:
        """A reader that sees one moment. Raises StoreUnavailable."""

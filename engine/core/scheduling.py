"""Bookings and arrangements: what a scheduling system tells of visits, and what follows from it.

- A *visit* is a due window; the engine proposes days in it and never books. A *booking* is a fact
  of the scheduling system: it is recorded whatever it says, and its conflicts are named.
- A visit may be *deferred* (not before a day of its own window), *omitted* (this one of its series)
  or *ceased* (all of them); each is a request, and each may be taken back.
- Nothing here moves the course: a booking is no occurrence, and a visit that is not proposed any
  more is missed by the definition's own rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from engine.core.definition import Waits
from engine.core.event import (
    ARRIVED,
    BOOKED,
    BOOKINGS,
    CANCELLED,
    CEASED,
    DEFERRED,
    FULFILLED,
    MOVED,
    NO_SHOW,
    OMITTED,
    RESUMED,
    Event,
    Scheduling,
)
from engine.core.machine import Machine
from engine.core.outcome import Accepted, Deviation, Message, Reason, Refused
from engine.core.snapshot import Arranged, Booking, Snapshot, Window
from engine.core.view import Calendar

_T = TypeVar("_T")
_D = TypeVar("_D", Accepted, Deviation)

STATUS: Mapping[str, str] = {
    BOOKED: "booked",
    MOVED: "booked",
    ARRIVED: "arrived",
    CANCELLED: "cancelled",
    NO_SHOW: "no_show",
    FULFILLED: "fulfilled",
}
"""What a booking is after each of its events. Stored: never rename a value."""

LIVE = ("booked", "arrived")
"""The bookings that somebody is still expected for, or is there for."""

NO_SUCH_BOOKING = "no-such-booking"
NO_SUCH_VISIT = "no-such-visit"
OUTSIDE_WINDOW = "outside-window"
BELOW_MINIMUM_GAP = "below-minimum-gap"
ON_HOLD = "on-hold"
COURSE_CLOSED = "course-closed"
NOT_WANTED = "not-wanted"
"""Conflicts of a booking. Stored: never rename one. The last: its visit was omitted or ceased."""

HOW: Mapping[str, str] = {DEFERRED: "deferred", OMITTED: "omitted", CEASED: "ceased"}


def decide_scheduling(
    machine: Machine, snapshot: Snapshot, event: Event
) -> Accepted | Deviation | Refused:
    """The decision on an event of scheduling: a fact is taken, an arrangement may be refused."""
    scheduling = _of(event)
    if event.name in BOOKINGS:
        return _booked(machine, snapshot, event, scheduling)
    reason = _against(snapshot, event, scheduling)
    if reason is not None:
        return Refused(reason=reason, state=snapshot.state)
    return unmoved(Accepted, snapshot)


def conflicts(machine: Machine, snapshot: Snapshot, booking: Booking) -> tuple[str, ...]:
    """What speaks against a booking as the course stands; nothing keeps it from being made."""
    state = machine.states[snapshot.state]
    return speaking_against(
        booking,
        snapshot.calendar,
        closed=state.closed,
        waits=state.waits,
        window=snapshot.visits.get(booking.visit),
        arranged=snapshot.arranged.get(booking.visit),
    )


def speaking_against(
    booking: Booking,
    calendar: Calendar,
    *,
    closed: bool,
    waits: str | None,
    window: Window | None,
    arranged: Arranged | None,
) -> tuple[str, ...]:
    """The same from what it rests on: of the course, and of the visit that was booked."""
    if closed:
        return (COURSE_CLOSED,)
    found = [ON_HOLD] if waits == Waits.HOLD else []
    if window is None or booking.number not in (None, window.number):
        # On hold no window is open: that says enough.
        return tuple(found or [_unwanted(arranged, booking)])
    if not window.earliest <= calendar.civil_date(booking.start) <= window.latest:
        found.append(OUTSIDE_WINDOW)
    if window.not_before is not None and booking.start < window.not_before:
        found.append(BELOW_MINIMUM_GAP)
    return tuple(found)


def booked(snapshot: Snapshot, event: Event) -> Booking | None:
    """What a booking is after an event; `None` when nobody knows which one is meant."""
    said = _of(event)
    known = snapshot.bookings.get(said.booking or "")
    status = STATUS[event.name]
    if known is not None:
        moved = event.name in (BOOKED, MOVED)
        return replace(
            known,
            visit=said.visit or known.visit,
            number=_number(snapshot, said) if said.visit is not None else known.number,
            start=said.start if moved and said.start is not None else known.start,
            minutes=said.minutes if moved and said.minutes is not None else known.minutes,
            status=status,
            changes=known.changes + 1,
        )
    if said.visit is None or said.start is None:
        return None
    number = _number(snapshot, said)
    return Booking(said.visit, number, said.start, said.minutes, status)


def bookings_after(snapshot: Snapshot, event: Event) -> Mapping[str, Booking]:
    """The bookings that are not over, after an event of scheduling."""
    if event.name not in BOOKINGS:
        return snapshot.bookings
    name, booking = _of(event).booking or "", booked(snapshot, event)
    if booking is None:
        return snapshot.bookings
    return _with(snapshot.bookings, name, booking if booking.status in LIVE else None)


def arranged_after(snapshot: Snapshot, event: Event) -> Mapping[str, Arranged]:
    """What is arranged of visits after an event of scheduling that was accepted."""
    said = _of(event)
    if event.name in BOOKINGS or said.visit is None:
        return snapshot.arranged
    if event.name == RESUMED:
        return _with(snapshot.arranged, said.visit, None)
    number = None if event.name == CEASED else said.number
    return _with(snapshot.arranged, said.visit, Arranged(HOW[event.name], number, said.until))


def unmoved(
    verdict: type[_D],
    snapshot: Snapshot,
    found: tuple[str, ...] = (),
    said: tuple[Message, ...] = (),
) -> _D:
    """A decision that leaves the course where it is, with what it waits for."""
    return verdict(
        transition=None,
        state_before=snapshot.state,
        state=snapshot.state,
        round=snapshot.round,
        conflicts=found,
        messages=said,
        firing=snapshot.firing,
        questions=snapshot.questions,
    )


def _booked(
    machine: Machine, snapshot: Snapshot, event: Event, said: Scheduling
) -> Accepted | Deviation:
    booking = booked(snapshot, event)
    if booking is None:
        return unmoved(Deviation, snapshot, (NO_SUCH_BOOKING,))
    if booking.status not in LIVE:
        return unmoved(Accepted, snapshot)
    found = conflicts(machine, snapshot, booking)
    said_so = (Message(kind="booking.conflict", about=said.booking or ""),) if found else ()
    return unmoved(Accepted, snapshot, found, said_so)


def _unwanted(arranged: Arranged | None, booking: Booking) -> str:
    """Whether a visit that is not due was arranged away, or never there."""
    if arranged is None or arranged.until is not None:
        return NO_SUCH_VISIT
    same = arranged.number == booking.number or None in (arranged.number, booking.number)
    return NOT_WANTED if same else NO_SUCH_VISIT


def _against(snapshot: Snapshot, event: Event, said: Scheduling) -> Reason | None:
    """Why an arrangement cannot be made, if it cannot."""
    name = said.visit or ""
    if event.name == RESUMED:
        return None if name in snapshot.arranged else Reason.NO_SUCH_VISIT
    if event.name == CEASED:
        return None
    window = snapshot.visits.get(name)
    if window is None or window.number != said.number:
        return Reason.NO_SUCH_VISIT
    if event.name == DEFERRED and (said.until is None or said.until > window.latest):
        return Reason.OUTSIDE_WINDOW
    return None


def _number(snapshot: Snapshot, said: Scheduling) -> int | None:
    if said.number is not None:
        return said.number
    window = snapshot.visits.get(said.visit or "")
    return None if window is None else window.number


def _with(held: Mapping[str, _T], name: str, item: _T | None) -> dict[str, _T]:
    left = {key: value for key, value in held.items() if key != name}
    return left if item is None else {**left, name: item}


def _of(event: Event) -> Scheduling:
    if event.scheduling is None:
        raise TypeError(f"{event.name} is no event of scheduling")
    return event.scheduling

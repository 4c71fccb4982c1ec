"""What a decision sees: the event's own facts in their place, and what was known at the time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from engine.core.event import Correction, Event
from engine.core.quick import replaced
from engine.core.snapshot import Readings, Snapshot, follows
from engine.core.view import ENTERED_IN_ERROR, Calendar, Reading, View
from engine.errors import InvalidInput


def view_of(snapshot: Snapshot, event: Event) -> View:
    """What is known when an event is decided, its own facts added first."""
    readings = snapshot.readings.adding(facts(snapshot, event), event.at)
    return view_at(snapshot, event.at, readings, event.data, late=is_late(snapshot, event))


def view_at(
    snapshot: Snapshot,
    at: datetime | None,
    readings: Readings,
    data: Mapping[str, Any],
    *,
    late: bool,
) -> View:
    """What the course knows at an instant, with these readings and this data of an event."""
    return View(
        now=at,
        today=_on(snapshot, at),
        variables=snapshot.variables,
        readings=readings,
        data=data,
        calendar=snapshot.calendar,
        round=snapshot.round,
        late=late,
        retrospective=snapshot.retrospective,
        questions=snapshot.questions,
        last=_later(snapshot.last_at, at),
    )


def revised(snapshot: Snapshot, readings: tuple[Reading, ...]) -> frozenset[str]:
    """The inputs of which the event's readings change what lay before the latest one."""
    return frozenset(
        [
            r.input
            for r in readings
            if r.corrects is not None
            or ((last := snapshot.latest.get(r.input)) is not None and not follows(last, r))
        ]
    )


def is_late(snapshot: Snapshot, event: Event) -> bool:
    """Whether the event happened before something that was recorded earlier."""
    return event.at is not None and snapshot.last_at is not None and event.at < snapshot.last_at


def own_time(event: Event, readings: tuple[Reading, ...]) -> datetime | None:
    """When what an event tells was true: of a correction, when the reading was taken."""
    if event.correction is not None and readings[0].at is not None:
        return readings[0].at
    return event.at


def latest_time(snapshot: Snapshot, event: Event) -> datetime | None:
    """The latest time asserted so far, this event's included."""
    return _later(snapshot.last_at, event.at)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return max(one, other)


def facts(snapshot: Snapshot, event: Event) -> tuple[Reading, ...]:
    """The event's readings, with the record and the civil date that they get."""
    seq = snapshot.seq + 1
    if event.correction is not None:
        return (_corrected(snapshot, event.correction, seq),)
    return told(event, seq, snapshot.calendar)


def told(event: Event, seq: int, calendar: Calendar) -> tuple[Reading, ...]:
    """The readings that an event tells, with the record and the civil date that they get."""
    if not event.readings:
        return ()
    today = None if event.at is None else calendar.civil_date(event.at)
    return tuple(
        [
            Reading(
                r.input,
                r.value,
                r.at,
                today if r.at is event.at else None if r.at is None else calendar.civil_date(r.at),
                seq,
                r.over,
                r.flaw,
            )
            for r in event.readings
        ]
    )


def _corrected(snapshot: Snapshot, correction: Correction, seq: int) -> Reading:
    wrong = next(
        (
            r
            for r in snapshot.readings.get(correction.input)
            if correction.record in (r.seq, r.origin)
        ),
        None,
    )
    if wrong is None:
        raise InvalidInput("data.record", "a record that brought a reading of data.input")
    if correction.entered_in_error:
        return replaced(wrong, seq=seq, value=None, flaw=ENTERED_IN_ERROR, corrects=wrong.origin)
    at = correction.at or wrong.at
    return replaced(
        wrong,
        seq=seq,
        value=correction.value,
        flaw=correction.flaw,
        corrects=wrong.origin,
        at=at,
        on=_on(snapshot, at),
        over=correction.over or wrong.over,
    )


def _on(snapshot: Snapshot, at: datetime | None) -> date | None:
    return None if at is None else snapshot.calendar.civil_date(at)

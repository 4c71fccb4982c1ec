"""A course in memory: what a decision leaves of it, and whether that is what its records say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from engine.core.encoding import encode_value
from engine.core.history import Mismatch
from engine.core.record import Record
from engine.core.review import Item
from engine.core.snapshot import Armed, Booking, Window
from engine.core.view import Reading
from engine.ports import Copies, CourseLine, Waiting, Write

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldText:
    """A free text, until it is erased with its salt."""

    path: str
    salt: str
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCourse:
    """A course, never changed: a decision puts another one in its place."""

    line: CourseLine
    row: bytes
    zone: str
    records: tuple[Record, ...]
    readings: tuple[Reading, ...]
    timers: Mapping[str, Armed]
    visits: Mapping[str, Window]
    bookings: Mapping[str, Booking]
    texts: tuple[tuple[int, HeldText], ...]
    messages: tuple[Waiting, ...]
    reviews: Mapping[tuple[int, str], Item] = field(default_factory=dict)


def known(course: HeldCourse, event_id: str) -> Record | None:
    """The record that has an event id."""
    return next((r for r in course.records if r.event_id == event_id), None)


def moved(write: Write, before: HeldCourse | None) -> HeldCourse:
    """The course after a decision."""
    record = write.record
    brought = [replace(r, value=encode_value(r.value)) for r in write.readings]
    said = [
        Waiting(
            course=record.course,
            seq=record.seq,
            n=n,
            kind=message.kind,
            body=message.body,
            recorded_at=record.recorded_at,
        )
        for n, message in enumerate(write.messages, 1)
    ]
    return HeldCourse(
        line=CourseLine(
            course=record.course,
            workflow=write.workflow,
            digest=write.digest,
            patient=write.patient,
            site=write.site,
            state=write.state,
            stage=write.stage,
            seq=record.seq,
            revision=write.revision,
            open=write.open,
            waits=write.waits,
            questions=write.questions,
            findings=write.findings,
            unsigned=write.unsigned,
            conflicts=write.conflicts,
        ),
        row=write.row,
        zone=write.zone,
        records=(*(before.records if before else ()), record),
        readings=(*(before.readings if before else ()), *brought),
        timers=_changed(before.timers if before else {}, write.timers),
        visits=_changed(before.visits if before else {}, write.visits),
        bookings=_told(before.bookings if before else {}, write),
        texts=_texts(before.texts if before else (), write),
        messages=(*(before.messages if before else ()), *said),
        reviews={**(before.reviews if before else {}), **_items(write)},
    )


def _items(write: Write) -> Mapping[tuple[int, str], Item]:
    return {(item.seq, item.queue.value): item for item in write.reviews}


def _texts(
    held: Sequence[tuple[int, HeldText]], write: Write
) -> tuple[tuple[int, HeldText], ...]:  # fmt: skip
    gone = set(write.erased)
    left = [
        (of, replace(one, salt="", text=None) if (of, one.path) in gone else one)
        for of, one in held
    ]
    new = [(write.record.seq, HeldText(path=t.path, salt=t.salt, text=t.text)) for t in write.texts]
    return (*left, *new)


def _told(held: Mapping[str, Booking], write: Write) -> Mapping[str, Booking]:
    return held if write.booking is None else {**held, write.booking[0]: write.booking[1]}


def _changed(held: Mapping[str, _T], changes: Mapping[str, _T | None]) -> Mapping[str, _T]:
    if not changes:
        return held
    return {name: item for name, item in {**held, **changes}.items() if item is not None}


def differing(course: HeldCourse | None, copies: Copies) -> Mismatch | None:
    """The first thing that is held of a course and is not what its records add up to."""
    if course is None:
        found: dict[str, tuple[Any, Any]] = {"courses": (None, copies.line)}
    else:
        told = {name: one for name, (one, _, _) in copies.bookings.items()}
        items = {(item.seq, item.queue.value): item for item in copies.reviews}
        readings = tuple(replace(r, value=encode_value(r.value)) for r in copies.readings)
        texts = {(of, one.path): one.text is None for of, one in course.texts}
        found = {
            "courses": (
                (course.line, course.zone, course.row),
                (copies.line, copies.zone, copies.row),
            ),
            "timers": (course.timers, copies.timers),
            "visits": (course.visits, copies.visits),
            "bookings": (course.bookings, told),
            "reviews": (course.reviews, items),
            "readings": (course.readings, readings),
            "texts": (texts, {place: place in copies.erased for place in copies.texts}),
        }
    key = {"course": copies.line.course}
    for name, (held, wanted) in found.items():
        if held != wanted:
            return Mismatch(table=name, key=key, what="is not what the records add up to")
    return None

"""What a decision writes, as the parameters of statements: one mapping for each row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from engine.core.encoding import canonical, encode_value
from engine.ports import Write
from engine.store.writes import MOVED

Parameters: TypeAlias = dict[str, Any]

KEY = ("tenant", "course")
ITS = (*KEY, "patient", "workflow", "open")
"""What the versioned update looks at; in its conditions these parameters begin with `its_`."""

END = datetime.max.replace(tzinfo=UTC)
"""Where readings without a time are placed: after all others."""

MICROSECOND = timedelta(microseconds=1)


def course(tenant: str, write: Write) -> Parameters:
    """The row of the course after the decision."""
    return {
        "tenant": tenant,
        "course": write.record.course,
        "workflow": write.workflow,
        "digest": write.digest,
        "patient": write.patient,
        "site": write.site,
        "zone": write.zone,
        "state": write.state,
        "stage": write.stage,
        "seq": write.record.seq,
        "revision": write.revision,
        "open": write.open,
        "row": write.row.decode(),
        "waits": write.waits,
        "questions": write.questions,
        "findings": write.findings,
        "unsigned": write.unsigned,
        "conflicts": write.conflicts,
    }


def move(tenant: str, write: Write) -> Parameters:
    """The same for the versioned update, with what it looks at before it moves anything."""
    row = course(tenant, write)
    asked = {f"its_{name}": row[name] for name in ITS}
    return {
        **{name: row[name] for name in MOVED},
        **asked,
        "before_seq": write.before_seq,
        "event_id": write.record.event_id,
    }


def record(tenant: str, write: Write) -> Parameters:
    """The record itself."""
    stored = write.record
    return {
        "tenant": tenant,
        "course": stored.course,
        "seq": stored.seq,
        "event_id": stored.event_id,
        "event": stored.event,
        "verdict": stored.verdict,
        "at": stored.at,
        "recorded_at": stored.recorded_at,
        "prev_hash": stored.prev_hash,
        "hash": stored.hash,
        "body": stored.body,
    }


def readings(tenant: str, write: Write) -> Sequence[Parameters]:
    """The readings that the record brought."""
    return [
        {
            "tenant": tenant,
            "course": write.record.course,
            "input": reading.input,
            "placed": reading.at or END,
            "seq": reading.seq,
            "at": reading.at,
            "on_date": reading.on,
            "value": _said(reading.value),
            "over_microseconds": None if reading.over is None else reading.over // MICROSECOND,
            "flaw": reading.flaw,
            "corrects": reading.corrects,
        }
        for reading in write.readings
    ]


def _said(value: Any) -> str:  # noqa: ANN401  # a reading's
    """A value as JSON. Most are decimals, whose text needs no escape."""
    said = encode_value(value)
    return f'"{said}"' if type(value) is Decimal else canonical(said).decode()


def messages(tenant: str, write: Write) -> Sequence[Parameters]:
    """What the record says to others."""
    return [
        {
            "tenant": tenant,
            "course": write.record.course,
            "seq": write.record.seq,
            "n": n,
            "kind": message.kind,
            "body": message.body,
            "recorded_at": write.record.recorded_at,
        }
        for n, message in enumerate(write.messages, 1)
    ]


def timers(tenant: str, write: Write) -> tuple[Sequence[Parameters], Sequence[Parameters]]:
    """The timers that were armed, and those that no longer wait."""
    place = {"tenant": tenant, "course": write.record.course}
    armed = [
        {**place, "name": name, "due": timer.due, "seq": timer.seq}
        for name, timer in write.timers.items()
        if timer is not None
    ]
    return armed, [{**place, "name": n} for n, timer in write.timers.items() if timer is None]


def visits(tenant: str, write: Write) -> tuple[Sequence[Parameters], Sequence[Parameters]]:
    """The visits that are due, and those that no longer are."""
    place = {"tenant": tenant, "course": write.record.course}
    due = [
        {
            **place,
            "name": name,
            "number": window.number,
            "earliest": window.earliest,
            "target": window.target,
            "latest": window.latest,
            "not_before": window.not_before,
            "site": write.site,
        }
        for name, window in write.visits.items()
        if window is not None
    ]
    return due, [{**place, "name": n} for n, window in write.visits.items() if window is None]


def bookings(tenant: str, write: Write) -> Sequence[Parameters]:
    """The booking that the event tells of, if any."""
    if write.booking is None:
        return ()
    name, booking, day = write.booking
    row = {"tenant": tenant, "course": write.record.course, "name": name, "on_date": day}
    told = {"visit": booking.visit, "number": booking.number, "start": booking.start}
    more = {"minutes": booking.minutes, "status": booking.status, "changes": booking.changes}
    return [row | told | more | {"seq": write.record.seq}]


def erased(tenant: str, write: Write) -> Sequence[Parameters]:
    """The texts that are erased."""
    place = {"its_tenant": tenant, "its_course": write.record.course}
    return [{**place, "its_seq": seq, "its_path": path} for seq, path in write.erased]


def reviews(tenant: str, write: Write) -> Sequence[Parameters]:
    """The items of review queues that the record brings or changes."""
    return [
        {
            "tenant": tenant,
            "course": write.record.course,
            "seq": item.seq,
            "queue": item.queue.value,
            "site": write.site,
            "recorded_at": item.recorded_at,
            "open": item.open,
            "outcome": item.outcome,
            "reviewed_by": item.reviewed_by,
            "reviewers": " ".join(item.reviewers),
        }
        for item in write.reviews
    ]


def texts(tenant: str, write: Write) -> Sequence[Parameters]:
    """The free texts of the event, with what the record holds of them."""
    return [
        {
            "tenant": tenant,
            "course": write.record.course,
            "seq": write.record.seq,
            "path": text.path,
            "salt": text.salt,
            "text": text.text,
            "sha256": text.sha256,
        }
        for text in write.texts
    ]

"""What a decision writes, as the parameters of statements: one mapping for each row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from engine.core.encoding import canonical, encode_value
from engine.core.review import Item
from engine.core.snapshot import Armed, Booking, Window
from engine.core.view import Reading
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
    place = _place(tenant, write)
    return [place | reading(one) for one in write.readings]


def reading(brought: Reading) -> Parameters:
    """A reading."""
    return {
        "input": brought.input,
        "placed": brought.at or END,
        "seq": brought.seq,
        "at": brought.at,
        "on_date": brought.on,
        "value": _said(brought.value),
        "over_microseconds": None if brought.over is None else brought.over // MICROSECOND,
        "flaw": brought.flaw,
        "corrects": brought.corrects,
    }


def _said(value: Any) -> str:  # noqa: ANN401  # a reading's
    """A value as JSON. Most are decimals, whose text needs no escape."""
    said = encode_value(value)
    return f'"{said}"' if type(value) is Decimal else canonical(said).decode()


def messages(tenant: str, write: Write) -> Sequence[Parameters]:
    """What the record says to others."""
    place = {**_place(tenant, write), "seq": write.record.seq}
    recorded_at = write.record.recorded_at
    return [
        {**place, "n": n, "kind": one.kind, "body": one.body, "recorded_at": recorded_at}
        for n, one in enumerate(write.messages, 1)
    ]


def timers(tenant: str, write: Write) -> tuple[Sequence[Parameters], Sequence[Parameters]]:
    """The timers that were armed, and those that no longer wait."""
    place = _place(tenant, write)
    armed = [place | timer(name, one) for name, one in write.timers.items() if one is not None]
    return armed, [{**place, "name": n} for n, one in write.timers.items() if one is None]


def timer(name: str, armed: Armed) -> Parameters:
    """A timer that waits."""
    return {"name": name, "due": armed.due, "seq": armed.seq}


def visits(tenant: str, write: Write) -> tuple[Sequence[Parameters], Sequence[Parameters]]:
    """The visits that are due, and those that no longer are."""
    place, site = _place(tenant, write), write.site
    due = [place | visit(n, one, site) for n, one in write.visits.items() if one is not None]
    return due, [{**place, "name": n} for n, one in write.visits.items() if one is None]


def visit(name: str, window: Window, site: str) -> Parameters:
    """A visit that is due."""
    return {
        "name": name,
        "number": window.number,
        "earliest": window.earliest,
        "target": window.target,
        "latest": window.latest,
        "not_before": window.not_before,
        "site": site,
    }


def bookings(tenant: str, write: Write) -> Sequence[Parameters]:
    """The booking that the event tells of, if any."""
    if write.booking is None:
        return ()
    return [_place(tenant, write) | booking(*write.booking, write.record.seq)]


def booking(name: str, told: Booking, day: date, seq: int) -> Parameters:
    """A booking as a record told of it last."""
    return {
        "name": name,
        "on_date": day,
        "visit": told.visit,
        "number": told.number,
        "start": told.start,
        "minutes": told.minutes,
        "status": told.status,
        "changes": told.changes,
        "seq": seq,
    }


def erased(tenant: str, write: Write) -> Sequence[Parameters]:
    """The texts that are erased."""
    place = {"its_tenant": tenant, "its_course": write.record.course}
    return [{**place, "its_seq": seq, "its_path": path} for seq, path in write.erased]


def reviews(tenant: str, write: Write) -> Sequence[Parameters]:
    """The items of review queues that the record brings or changes."""
    place = _place(tenant, write)
    return [place | review(item, write.site) for item in write.reviews]


def review(item: Item, site: str) -> Parameters:
    """An item of a review queue."""
    return {
        "seq": item.seq,
        "queue": item.queue.value,
        "site": site,
        "recorded_at": item.recorded_at,
        "open": item.open,
        "outcome": item.outcome,
        "reviewed_by": item.reviewed_by,
        "reviewers": " ".join(item.reviewers),
    }


def texts(tenant: str, write: Write) -> Sequence[Parameters]:
    """The free texts of the event, with what the record holds of them."""
    place = {**_place(tenant, write), "seq": write.record.seq}
    return [
        {**place, "path": one.path, "salt": one.salt, "text": one.text, "sha256": one.sha256}
        for one in write.texts
    ]


def _place(tenant: str, write: Write) -> Parameters:
    return {"tenant": tenant, "course": write.record.course}

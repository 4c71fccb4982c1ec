"""Whether an event may be decided at all, once its form has been read.

What is told here is no decision and leaves no record: who may not send it, a time that cannot be, a
course that has moved since it was looked at, an amendment of a record that it cannot be said of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from engine.core.encoding import Json
from engine.core.event import LATE_ENTRY, Disposal, Event, Reconsideration, Review
from engine.core.machine import Machine
from engine.core.marks import entered_late
from engine.core.record import Record
from engine.core.review import Seen, last_sign_off, meant
from engine.errors import Conflict, InvalidInput, NotPermitted
from engine.ports import Transaction


def require_permitted(machine: Machine, event: Event) -> None:
    """Raises NotPermitted unless the actor has one of the roles that may send the event."""
    roles = machine.permitted(event.name)
    if event.actor.role not in roles:
        raise NotPermitted(event.name, event.actor.role, roles)


def require_in_time(event: Event, now: datetime, *, skew: timedelta, retrospective: bool) -> None:
    """Raises InvalidInput for a time in the future, or for none where a course runs as it is."""
    if event.at is None:
        if not retrospective:
            raise InvalidInput("at", "an instant, since the course is not retrospective")
    elif event.at > now + skew:
        raise InvalidInput("at", "an instant that is not in the future")


def staleness(
    machine: Machine, event: Event, read: Mapping[str, Json], row: Mapping[str, Json]
) -> Conflict | None:
    """Why a request is too late, when it expects the course where it no longer is.

    `read` is the row from before the timers that were due. A request that was made on it was
    made on something that is over: it is asked anew, on what the timers left.
    """
    if not machine.asks(event.name):
        return None
    expected, actual = event.expected_revision, row["revision"]
    if expected in (None, actual):
        return None
    if expected == read["revision"]:
        return Conflict(
            row["course"],
            expected=expected,
            actual=actual,
            why="timers that were due have moved it since it was read",
            timers=row["seq"] - read["seq"],
        )
    behind, ahead = "has moved on since it was read", "has not come that far"
    return Conflict(
        row["course"],
        expected=expected,
        actual=actual,
        why=f"the course {behind if expected < actual else ahead}",
    )


def require_apt(
    tx: Transaction, event: Event, row: Mapping[str, Json], seen: Seen | None = None
) -> None:
    """Raises InvalidInput for an amendment of a record that it cannot be said of.

    Conflict for a sign-off by somebody who acted in the record or looked at it before, or who did
    not see by whom it was last signed off.
    """
    said = event.amendment
    number = None if said is None or isinstance(said, Reconsideration) else said.record
    if number is None:
        return
    record = tx.record(row["course"], number)
    if record is None:
        return  # which the decision finds too, and says how many there are
    if isinstance(said, Review):
        _require_another(tx, event, said, record, seen)
        return
    if isinstance(said, Disposal) and record.verdict == "refused":
        raise InvalidInput("data.record", "a record that acted, and this one was refused")
    if event.name == LATE_ENTRY and not entered_late(record, retrospective=row["retrospective"]):
        raise InvalidInput("data.record", "a record that was entered late, and this was not")


def _require_another(
    tx: Transaction, event: Event, review: Review, record: Record, seen: Seen | None
) -> None:
    """Raises unless somebody looks at a record who neither acted in it nor looked before.

    InvalidInput for a record that is in no such queue, else Conflict.
    """
    every = tx.reviews(event.course, record.seq)
    if seen is not None and (its := seen.of(every)):
        last = last_sign_off(its)
        if last != seen.reviewed_by:
            by = "nobody yet" if last is None else f"record {last}"
            raise Conflict(event.course, why=f"record {record.seq} was last signed off by {by}")
    items = meant(every, review)
    if not items:
        queue = "a queue that is signed off" if review.queue is None else review.queue
        raise InvalidInput("data.record", f"a record that is in {queue}")
    if json.loads(record.body)["event"]["actor"]["id"] == event.actor.id:
        raise Conflict(event.course, why=f"whoever acted in record {record.seq} reviews it not")
    if any(event.actor.id in item.reviewers for item in items):
        raise Conflict(event.course, why=f"record {record.seq} was signed off by them before")

"""Which records somebody else has to look at, as the records themselves say.

What is kept beside the log of it is a cache, like the row: `items_of` is what it has to be.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from engine.core.event import RECONSIDERED, REVIEWED, Event, Review
from engine.core.marks import entered_late
from engine.core.record import Record
from engine.core.review import Item, Queue, meant, settled, signed_off

Place = tuple[int, Queue]
"""A record, and a queue that it is in."""


def queued(record: Record, *, retrospective: bool) -> tuple[Item, ...]:
    """The items that a record itself gives rise to."""
    body = json.loads(record.body)
    return tuple(
        Item(seq=record.seq, queue=queue, recorded_at=record.recorded_at)
        for queue in Queue
        if _belongs(queue, record, body, retrospective=retrospective)
    )


def after_event(held: Iterable[Item], event: Event, gone: Iterable[str], *, seq: int) -> list[Item]:
    """The items that a record changes: signed off by it, or findings that are open no more.

    `held` are the items of the records that it speaks of, `gone` the findings that it closes.
    """
    found = {(one.seq, one.queue): one for one in held}
    closed = [found[place] for name in gone if (place := (int(name), Queue.OPEN_FINDING)) in found]
    changed = [settled(one, by=seq) for one in closed]
    if isinstance(event.amendment, Review):
        review = event.amendment
        named = [one for one in found.values() if one.seq == review.record]
        by = event.actor.id
        changed += [signed_off(one, review, by=by, seq=seq) for one in meant(named, review)]
    return changed


def items_of(records: Iterable[Record]) -> dict[Place, Item]:
    """Every item of a course, as its records add up to."""
    found: dict[Place, Item] = {}
    retrospective = False
    for record in records:
        body = json.loads(record.body)
        if record.seq == 1:
            retrospective = bool(body["event"].get("retrospective"))
        if record.event == REVIEWED:
            said = body["event"]["data"]
            review = Review(record=said["record"], outcome=said["outcome"], queue=said.get("queue"))
            by = body["event"]["actor"]["id"]
            named = [one for (seq, _), one in found.items() if seq == review.record]
            for item in meant(named, review):
                found[item.seq, item.queue] = signed_off(item, review, by=by, seq=record.seq)
        for name, finding in body["changes"].get("open_findings", {}).items():
            place = (int(name), Queue.OPEN_FINDING)
            if finding is None and place in found:
                found[place] = settled(found[place], by=record.seq)
        for item in queued(record, retrospective=retrospective):
            found[item.seq, item.queue] = item
    return found


def _belongs(queue: Queue, record: Record, body: Mapping[str, Any], *, retrospective: bool) -> bool:
    match queue:
        case Queue.OPEN_FINDING:
            return record.event == RECONSIDERED and bool(body["event"]["data"]["differing"])
        case Queue.DEVIATION:
            return record.verdict == "deviation"
        case Queue.OVERRIDE:
            return any(one.get("passed") for one in body["decision"].get("weighed", ()))
        case Queue.LATE_ENTRY:
            return entered_late(record, retrospective=retrospective)
        case Queue.REFUSAL:
            return record.verdict == "refused"

"""Which records somebody else has to look at, as the records themselves say.

What is kept beside the log of it is a cache, like the row: `items_of` is what it has to be.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from engine.core.event import RECONSIDERED, REVIEWED, Event, Review
from engine.core.marks import LATE_AFTER, was_late
from engine.core.record import Record
from engine.core.review import Item, Queue, meant, settled, signed_off

Place = tuple[int, Queue]
"""A record, and a queue that it is in."""


def queued(
    record: Record, event: Mapping[str, Any], decision: Mapping[str, Any], *, retrospective: bool
) -> tuple[Item, ...]:
    """The items that a record itself gives rise to: `event` and `decision` are what it holds."""
    found = []
    if record.event == RECONSIDERED and event["data"]["differing"]:
        found.append(Queue.OPEN_FINDING)
    if record.verdict == "deviation":
        found.append(Queue.DEVIATION)
    if any(one.get("passed") for one in decision.get("weighed", ())):
        found.append(Queue.OVERRIDE)
    if was_late(record, event["actor"]["role"], decision, retrospective=retrospective):
        found.append(Queue.LATE_ENTRY)
    if record.verdict == "refused":
        found.append(Queue.REFUSAL)
    return tuple(
        Item(seq=record.seq, queue=queue, recorded_at=record.recorded_at) for queue in found
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
    queues = Queues()
    for record in records:
        if _concerns(record):
            queues.take(record, json.loads(record.body))
    return queues.items


class Queues:
    """The items of a course, record by record."""

    __slots__ = ("_retrospective", "items")

    def __init__(self) -> None:
        self.items: dict[Place, Item] = {}
        self._retrospective = False

    def take(self, record: Record, body: Mapping[str, Any]) -> None:
        """Go on by one more record, whose parsed bytes are `body`."""
        found = self.items
        if record.seq == 1:
            self._retrospective = bool(body["event"].get("retrospective"))
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
        late = self._retrospective
        for item in queued(record, body["event"], body["decision"], retrospective=late):
            found[item.seq, item.queue] = item


def _concerns(record: Record) -> bool:
    """Whether a record may bring or change an item: of most it shows that they do not."""
    return (
        record.seq == 1
        or record.verdict != "accepted"
        or record.event in (REVIEWED, RECONSIDERED)
        or (record.at is not None and record.recorded_at - record.at > LATE_AFTER)
        or any(word in record.body for word in _TELLING)
    )


_TELLING = (b'"passed":true', b'"late":true', b'"open_findings":')
"""What stands in the bytes of a record that says so."""

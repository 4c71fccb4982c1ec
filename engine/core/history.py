"""A course's records: verified, and folded to the row.

- `verify` trusts nothing but the hash function: content, order, link, gap, and columns against the
  bytes that were hashed.
- `replay` is a fold over the recorded changes; it needs no definition.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.core.encoding import Json, instant_from, instant_text
from engine.core.record import GENESIS, Record, hash_of
from engine.core.row import patched


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a record: `content`, `order`, `link`, `gap`, `column` or `row`.

    Of an exported course also `definition`: the one that it was decided by is not enclosed.
    """

    seq: int
    kind: str
    what: str

    def __str__(self) -> str:
        return f"record {self.seq}: {self.kind}: {self.what}"


def verify(records: Iterable[Record], *, course: str, tenant: str) -> Fault | None:
    """The first bad record of a chain and what is wrong with it; `None` when all agree.

    Cutting off the last records leaves a chain that agrees: that needs a checkpoint held outside.
    """
    previous: Record | None = None
    for record in records:
        fault = _fault(record, previous, course, tenant)
        if fault is not None:
            return fault
        previous = record
    return None


def replay(records: Iterable[Record]) -> dict[str, Json] | None:
    """The row that the records add up to; `None` without any record."""
    row: dict[str, Json] | None = None
    for record in records:
        row = folded(row, record, json.loads(record.body.decode()))
    return row


def folded(
    row: Mapping[str, Json] | None, record: Record, body: Mapping[str, Any]
) -> dict[str, Json]:
    """The row after one more record, whose parsed bytes are `body`."""
    return patched(
        row,
        body["changes"],
        course=record.course,
        seq=record.seq,
        refused=record.verdict == "refused",
        head=record.hash,
        recorded_at=body["recorded_at"],
    )


def _fault(record: Record, previous: Record | None, course: str, tenant: str) -> Fault | None:
    seq = record.seq

    def fault(kind: str, what: str) -> Fault:
        return Fault(seq=seq, kind=kind, what=what)

    expected = 1 if previous is None else previous.seq + 1
    if seq != expected:
        return fault("gap", f"expected record {expected}")
    if hash_of(record.body) != record.hash:
        return fault("content", "the stored bytes do not have the stored hash")
    try:
        body = json.loads(record.body.decode())
        claims = (body["tenant"], body["course"], body["seq"])
        event, state, stated = body["event"], body["state"], body["prev"]
        columns = (event["id"], event["event"], body["verdict"], body["recorded_at"])
    except (ValueError, KeyError, TypeError):
        return fault("content", "the stored bytes are no record")
    if claims != (tenant, course, seq):
        return fault("order", "the bytes belong to another place in a log")
    head = GENESIS if previous is None else previous.hash
    if stated != head or record.prev_hash != head:
        return fault("link", "it does not follow the record before it")
    if previous is not None and record.recorded_at < previous.recorded_at:
        return fault("order", "it was recorded before its predecessor")
    if columns != (record.event_id, record.event, record.verdict, instant_text(record.recorded_at)):
        return fault("column", "a column does not say what the bytes say")
    if record.at != _asserted(event) or not isinstance(state, list):
        return fault("column", "the column 'at' does not say what the bytes say")
    return None


def _asserted(event: Mapping[str, Any]) -> datetime | None:
    at = event.get("at")
    return instant_from(at) if isinstance(at, str) else None

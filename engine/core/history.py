"""A course's records: verified, and folded to the row.

- `verify` trusts nothing but the hash function: content, order, link, gap, columns against the
  bytes that were hashed, and signatures against what they are of.
- `replay` is a fold over the recorded changes; it needs no definition.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.core.encoding import Json, instant_from, instant_text, parse
from engine.core.event import SIGNED
from engine.core.record import FORMAT, GENESIS, Record, hash_of
from engine.core.row import is_still, patched
from engine.core.signing import digest_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a record.

    `kind` is `content`, `order`, `link`, `gap`, `column`, `signature` or `row`, and `definition`
    where the one that it was decided by is not there. Of a `row`, what is kept beside the records
    and is not what they add up to, `mismatch` says which one it is.
    """

    seq: int
    kind: str
    what: str
    mismatch: Mismatch | None = None

    def __str__(self) -> str:
        return f"record {self.seq}: {self.kind}: {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A stored row that is not what it has to be: its table, its key, and the column if it is one.

    No value is told: it may be a patient's.
    """

    table: str
    key: Mapping[str, Json]
    what: str
    column: str | None = None

    def __str__(self) -> str:
        where = ", ".join(f"{name} {value}" for name, value in self.key.items())
        column = "" if self.column is None else f", column {self.column}"
        return f"{self.table}{column} ({where}): {self.what}"

    def json(self) -> dict[str, Json]:
        """The place as data."""
        return {
            "table": self.table, "column": self.column, "key": dict(self.key), "what": self.what,
        }  # fmt: skip


def verify(records: Iterable[Record], *, course: str, tenant: str) -> Fault | None:
    """The first bad record of a chain and what is wrong with it; `None` when all agree.

    Cutting off the last records leaves a chain that agrees: that needs a checkpoint held outside.
    """
    chain = Chain(course, tenant)
    return next((fault for record in records if (fault := chain.fault(record)) is not None), None)


class Chain:
    """A chain that is verified record by record; `body` is what the last one says, parsed."""

    __slots__ = ("_course", "_covered", "_previous", "_tenant", "body")

    def __init__(self, course: str, tenant: str) -> None:
        self._course, self._tenant = course, tenant
        self._previous: Record | None = None
        self._covered = _Covered()
        self.body: dict[str, Any] = {}

    def fault(self, record: Record) -> Fault | None:
        """What is wrong with the next record, if anything."""
        found = _fault(record, self._previous, self._course, self._tenant, self._covered)
        if isinstance(found, Fault):
            return found
        self._previous, self.body = record, found
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
        still=is_still(record.event, record.verdict),
        head=record.hash,
        recorded_at=body["recorded_at"],
    )


class _Covered:
    """What signatures may be of: records by their hash, and events that were signed beforehand."""

    def __init__(self) -> None:
        self._hashes: list[str] = []
        self._acts: dict[int, str] = {}

    def wrong(self, record: Record, body: Mapping[str, Any]) -> str | None:
        """What is wrong with a signature, or with those that a record names; then it is known."""
        event, decision = body["event"], body["decision"]
        data = event.get("data", {}) if record.event == SIGNED else {}
        wrong = None
        if "event" in data:
            self._acts[record.seq] = digest_of(data["event"])
        elif record.verdict != "refused" and "record" in data:
            seq = data["record"]
            if not 1 <= seq <= len(self._hashes) or self._hashes[seq - 1] != data["hash"]:
                wrong = f"the signature is not of record {seq} as it stands"
        for seq in decision.get("signed", ()):
            if wrong is None and self._acts.get(seq) != digest_of(event):
                wrong = f"it is not what the signature of record {seq} is of"
        self._hashes.append(record.hash)
        return wrong


def _fault(
    record: Record, previous: Record | None, course: str, tenant: str, covered: _Covered
) -> Fault | dict[str, Any]:
    """What is wrong with a record, or else what it says."""
    seq = record.seq

    def fault(kind: str, what: str) -> Fault:
        return Fault(seq=seq, kind=kind, what=what)

    expected = 1 if previous is None else previous.seq + 1
    if seq != expected:
        return fault("gap", f"expected record {expected}")
    if hash_of(record.body) != record.hash:
        return fault("content", "the stored bytes do not have the stored hash")
    try:
        # Strictly: of a member given twice, others may read the first.
        body: Any = parse(record.body)
        claims = (body["tenant"], body["course"], body["seq"])
        event, state, stated = body["event"], body["state"], body["prev"]
        columns = (event["id"], event["event"], body["verdict"], body["recorded_at"])
    except (ValueError, KeyError, TypeError):
        return fault("content", "the stored bytes are no record")
    if (misshapen := _misshapen(body)) is not None:
        return fault("content", misshapen)
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
    try:
        wrong = covered.wrong(record, body)
    except (ValueError, KeyError, TypeError, AttributeError):
        return fault("content", "the stored bytes are no record")
    return body if wrong is None else fault("signature", wrong)


_SHAPE = {"changes": dict, "civil": dict, "decision": dict, "verdict": str, "workflow": str}
"""What whoever folds a record, or decides it again, takes for granted of its members."""


def _misshapen(body: Mapping[str, Any]) -> str | None:
    """Why bytes are not those of a record that can be decided again, if they are not."""
    if type(body.get("format")) is not int or body["format"] != FORMAT:
        return f"it is no record of format {FORMAT}"
    bad = next((name for name in _SHAPE if not isinstance(body.get(name), _SHAPE[name])), None)
    return None if bad is None else f"its {bad} cannot be read"


def _asserted(event: Mapping[str, Any]) -> datetime | None:
    at = event.get("at")
    return instant_from(at) if isinstance(at, str) else None

"""What the log has to say of a signature or an erasure before it is decided.

A signature of a record that is not there, a proof that is not fresh, an erasure of what is gone
already: these are no decisions and leave no record, as whatever else is malformed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from engine.core.event import SIGNED, Event
from engine.core.formality import OF_ACT, PRINTED_NAME
from engine.core.record import Record, hash_of
from engine.core.snapshot import Intended
from engine.errors import InvalidInput
from engine.ports import Transaction

Place = tuple[int, str]
"""Where a text is: the record whose event had it, and its dotted place in that event."""


def require_signable(
    tx: Transaction, event: Event, now: datetime, *, fresh: timedelta, skew: timedelta
) -> None:
    """Raises InvalidInput unless the signer proved just now who they are, and what is signed is so.

    A record is signed by its hash, so that a signature belongs to no other; an event only before it
    has a record.
    """
    signing = event.signing
    if signing is None:
        return
    if not now - fresh <= signing.proof.at <= now + skew:
        minutes = int(fresh.total_seconds() // 60)
        expected = f"a time within the last {minutes} minutes: prove anew who signs"
        raise InvalidInput("data.proof.at", expected)
    if signing.record is not None:
        record = tx.record(event.course, signing.record)
        if record is None or not record.hash == signing.hash == hash_of(record.body):
            expected = f"the hash of record {signing.record} of this course"
            raise InvalidInput("data.hash", expected)
    elif signing.act is not None:
        head = tx.head(event.course, signing.act.id)
        if head is not None and head.known is not None:
            expected = "an id that no record has yet; of what is recorded, sign the record"
            raise InvalidInput("data.event.id", expected)


def require_signed_words(tx: Transaction, event: Event, intended: Intended | None) -> None:
    """Raises InvalidInput for a free text that is not the one that was signed beforehand.

    What was erased since can no longer be compared, so any text is taken for it.
    """
    if intended is None or not event.texts:
        return
    for given in intended.given:
        signed = tx.texts(event.course, given.seq)
        for place in event.texts:
            _, text = signed.get(f"{OF_ACT}{place}", ("", None))
            if text is not None and text != _at(event, place):
                raise InvalidInput(place, "the words that were signed")


def as_before(tx: Transaction, body: Mapping[str, Any]) -> dict[str, Any]:
    """A body that is sent again, with what the service says of it itself as it was recorded.

    That is when it was, and how a signer proved who they are: they would be different each time.
    """
    head = tx.head(str(body["course"]), str(body["id"]))
    if head is None or head.known is None:
        return dict(body)
    recorded = json.loads(head.known.body)["event"]
    again = {**body, "at": recorded["at"]}
    proof = recorded.get("data", {}).get("proof") if body["event"] == SIGNED else None
    if proof is not None:
        again["data"] = {**body["data"], "proof": proof}
    return again


class Texts(Protocol):
    """Where free texts are, and the records that they are of."""

    def kept_texts(self, course: str) -> Sequence[Place]:
        """Where the course has free texts that were not erased, in order."""

    def record(self, course: str, seq: int) -> Record | None:
        """One record."""


def erasable(tx: Texts, event: Event) -> tuple[Place, ...]:
    """The texts that an erasure is of, and of a request's those in the signatures that it had.

    Where neither record nor place is named, the printed names of signers stay. Raises InvalidInput
    when there is nothing left to erase.
    """
    custody = event.custody
    if custody is None or custody.hold is not None:
        return ()
    kept = tx.kept_texts(event.course)
    if custody.record is None:
        found = [one for one in kept if not _is_signer(tx, event.course, one)]
    else:
        wanted = _within(tx, event.course, custody.record, custody.path)
        found = [one for one in kept if wanted(one)]
    if not found:
        narrowest = ("data", "data.record", "data.path")
        named = narrowest[sum(one is not None for one in (custody.record, custody.path))]
        raise InvalidInput(named, "a text that is there and was not erased before")
    return tuple(found)


def _within(
    tx: Texts, course: str, seq: int, path: str | None
) -> Callable[[Place], bool]:  # fmt: skip
    """Whether a text is of a record, or of a signature that the record was granted on."""
    record = tx.record(course, seq)
    body = {} if record is None else json.loads(record.body)
    signatures = frozenset(body.get("decision", {}).get("signed", ()))

    def within(place: Place) -> bool:
        its, where = place
        if its in signatures and where.startswith(OF_ACT):
            where = where.removeprefix(OF_ACT)
        elif its != seq:
            return False
        return path in (None, where)

    return within


def _is_signer(tx: Texts, course: str, place: Place) -> bool:
    seq, path = place
    if path != PRINTED_NAME:
        return False
    record = tx.record(course, seq)
    return record is not None and record.event == SIGNED


def _at(event: Event, place: str) -> object:
    found: object = event.body
    for step in place.split("."):
        found = found[int(step)] if isinstance(found, list) else found[step]  # type: ignore[index]  # where its text was found
    return found

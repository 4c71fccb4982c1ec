"""Custody of the records: texts are erased on a legal basis, unless a legal hold keeps them.

A *legal hold* is no hold of treatment: it moves no course, and no guard knows it. While one is in
force an erasure is refused, and the refusal is a record. What is erased is said in the record of
the erasure and follows from the commitments in the records before it; the texts are gone from their
table, with their salts, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.event import ERASED, LEGAL_HOLD_PLACED, LEGAL_HOLD_RELEASED, Custody, Event
from engine.core.outcome import Accepted, Reason, Refused
from engine.core.scheduling import unmoved
from engine.core.snapshot import Snapshot


def decide_custody(snapshot: Snapshot, event: Event) -> Accepted | Refused:
    """The decision on an erasure or a legal hold; it moves nothing."""
    reason = _against(snapshot, event.name, _of(event))
    if reason is not None:
        return Refused(reason=reason, state=snapshot.state)
    return unmoved(Accepted, snapshot)


def legal_holds_after(snapshot: Snapshot, event: Event) -> Mapping[str, int]:
    """The legal holds in force after an event that was accepted, by the record that placed each."""
    held, name = snapshot.legal_holds, _of(event).hold
    if name is None or event.name == ERASED:
        return held
    if event.name == LEGAL_HOLD_RELEASED:
        return {one: seq for one, seq in held.items() if one != name}
    return held if name in held else {**held, name: snapshot.seq + 1}


def _against(snapshot: Snapshot, name: str, custody: Custody) -> Reason | None:
    if name == ERASED:
        return Reason.LEGAL_HOLD if snapshot.legal_holds else None
    if name == LEGAL_HOLD_PLACED and len(snapshot.legal_holds) >= MOST:
        return Reason.LEGAL_HOLD
    if name == LEGAL_HOLD_RELEASED and custody.hold not in snapshot.legal_holds:
        return Reason.NO_SUCH_HOLD
    return None


MOST = 32
"""How many legal holds a course may have at once: its row is read with every step."""


def _of(event: Event) -> Custody:
    if event.custody is None:
        raise TypeError(f"{event.name} is no event of custody")
    return event.custody

"""Amendments: what is said of records that are there already, and the findings that stay open.

- A correction or a late entry may show that decisions would have been different. They are never
  rewritten: the engine records which they are (`course.reconsidered`), and that is an *open
  finding* of the course.
- A clinician disposes of it: it is accepted with a reason, or a record is named that acted on it.
- A finding that a later correction of the same reading overtakes is replaced by what that finds;
  so is that of a late entry, once something that it told is corrected.
- An addendum, the reason of a late entry and a review name a record, and change nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.event import Disposal, Event, Note, Reconsideration, Review
from engine.core.outcome import Accepted, Message, Reason, Refused
from engine.core.snapshot import OpenFinding, Snapshot
from engine.errors import InvalidInput

OPENED = "finding.opened"
"""The kind of message that tells of an open finding. Stored: never rename it."""


def decide_amendment(snapshot: Snapshot, event: Event) -> Accepted | Refused:
    """The decision on an amendment. Only a finding that is not open can be refused.

    Raises InvalidInput for a record that is not there.
    """
    match event.amendment:
        case Note(record=record) | Review(record=record):
            _require(record, 1, snapshot)
            return _taken(snapshot)
        case Disposal() as disposal:
            found = snapshot.open_findings.get(str(disposal.finding))
            if found is None:
                return Refused(reason=Reason.NO_SUCH_FINDING, state=snapshot.state)
            if disposal.record is not None:
                _require(disposal.record, found.correction or found.record, snapshot)
            return _taken(snapshot)
        case Reconsideration(correction=correction, record=record, differing=differing):
            about = str(correction or record)
            return _taken(snapshot, (Message(kind=OPENED, about=about),) if differing else ())
        case _:
            raise TypeError(f"{event.name} is no amendment")


def findings_after(snapshot: Snapshot, event: Event) -> Mapping[str, OpenFinding]:
    """The findings that are open after an amendment that was accepted."""
    held = snapshot.open_findings
    match event.amendment:
        case Disposal(finding=finding):
            return {name: one for name, one in held.items() if name != str(finding)}
        case Reconsideration(record=record, input=name) as now:
            overtaken = {(record, name), (record, None)}
            left = {
                key: one for key, one in held.items() if (one.record, one.input) not in overtaken
            }
            if now.differing:
                opened = OpenFinding(now.correction, record, name, now.differing)
                left[str(snapshot.seq + 1)] = opened
            return held if left == held else left
        case _:
            return held


def _require(record: int, first: int, snapshot: Snapshot) -> None:
    if not first <= record <= snapshot.seq:
        raise InvalidInput("data.record", f"a record of the course, {first} to {snapshot.seq}")


def _taken(snapshot: Snapshot, said: tuple[Message, ...] = ()) -> Accepted:
    """A decision that leaves the course where it is, with what it waits for."""
    return Accepted(
        transition=None,
        state_before=snapshot.state,
        state=snapshot.state,
        round=snapshot.round,
        messages=said,
        firing=snapshot.firing,
        questions=snapshot.questions,
    )

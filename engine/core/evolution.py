"""The course after a decision: what an event changed, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from engine.core.amending import findings_after
from engine.core.custody import legal_holds_after
from engine.core.event import Event, Review
from engine.core.machine import Machine
from engine.core.outcome import Decision, Refused, Taken
from engine.core.quick import replaced
from engine.core.schedule import waiting
from engine.core.scheduling import arranged_after, bookings_after
from engine.core.sight import latest_time, view_at
from engine.core.signing import signed_after, unsigned_after
from engine.core.snapshot import NONE, Snapshot, follows, placed
from engine.core.view import ENTERED_IN_ERROR, Reading

_T = TypeVar("_T")


def evolve(machine: Machine, snapshot: Snapshot, event: Event, decision: Decision) -> Snapshot:
    """The course after a decision: the snapshot from which the next event is decided.

    What did not change keeps its identity, so that finding the changes costs nothing.
    """
    seq = snapshot.seq + 1
    signed = signed_after(snapshot, event, decision)
    if isinstance(decision, Refused):
        return replaced(snapshot, seq=seq, readings=NONE, signed=signed)
    if event.scheduling is not None:
        return _arranged(machine, snapshot, event, seq)
    if event.amendment is not None:
        return _amended(snapshot, event, seq)
    unsigned = unsigned_after(machine, snapshot, event, decision)
    if event.signing is not None or event.custody is not None:
        holds = snapshot.legal_holds
        if event.custody is not None:
            holds = legal_holds_after(snapshot, event)
        return replaced(snapshot, seq=seq, revision=seq, readings=NONE, signed=signed,
                       unsigned=unsigned, legal_holds=holds)  # fmt: skip
    variables, latest = snapshot.variables, snapshot.latest
    if decision.updates:
        variables = {**variables, **decision.updates}
    if decision.readings:
        forgets = machine.forgets_errors
        newest = {r.input: _newest(snapshot, r, forgets=forgets) for r in decision.readings}
        latest = {**latest, **newest}
    return replaced(
        snapshot,
        readings=NONE,  # the next event asks for those that it may see
        seq=seq,
        revision=seq,
        state=decision.state,
        round=decision.round,
        last_at=latest_time(snapshot, event),
        variables=variables,
        firing=_kept(snapshot.firing, decision.firing),
        questions=_kept(snapshot.questions, decision.questions),
        latest=latest,
        signed=signed,
        unsigned=unsigned,
        another_open=False,
        **_waiting(machine, snapshot, event, decision, variables),
    )


def _arranged(machine: Machine, before: Snapshot, event: Event, seq: int) -> Snapshot:
    """The course after an event of scheduling: only bookings, and what is due, may change.

    When it was booked says nothing of when treatment happened, so `last_at` stays.
    """
    after = replaced(
        before,
        seq=seq,
        revision=seq,
        readings=NONE,
        bookings=bookings_after(before, event),
        arranged=arranged_after(before, event),
    )
    if after.arranged is before.arranged:
        return after
    view = view_at(before, before.last_at, before.readings, {}, late=False)
    due = waiting(machine, after, view, state=before.state, seq=seq, fired=before.fired)
    return replaced(after, **due)


def _amended(before: Snapshot, event: Event, seq: int) -> Snapshot:
    """The course after an amendment that changes no value: only what is open may change.

    When something was said of a record says nothing of when treatment happened: `last_at` stays.
    """
    if isinstance(event.amendment, Review):
        # Nobody's view of the course is stale by it.
        return replaced(before, seq=seq, readings=NONE)
    return replaced(
        before,
        seq=seq,
        revision=seq,
        readings=NONE,
        open_findings=findings_after(before, event),
    )


def _waiting(
    machine: Machine,
    before: Snapshot,
    event: Event,
    decision: Taken,
    variables: Mapping[str, Any],
) -> Mapping[str, Any]:
    """What timers and visits wait for after a decision; nothing where they wait as before."""
    if (
        variables is before.variables
        and event.timer is None
        and (decision.state, decision.round) == (before.state, before.round)
        and machine.steady(before.state)
    ):
        return {}
    readings = before.readings.adding(decision.readings, None)
    view = view_at(before, event.at, readings, {}, late=decision.late)
    view.variables, view.round = variables, decision.round
    view.questions = decision.questions
    seq, fired = before.seq + 1, _fired(before, event)
    return {**waiting(machine, before, view, state=decision.state, seq=seq, fired=fired)}


def _kept(before: Mapping[str, _T], after: Mapping[str, _T]) -> Mapping[str, _T]:
    """The same mapping as before where it says the same."""
    return before if before == after else after


def _newest(snapshot: Snapshot, reading: Reading, *, forgets: bool) -> Reading:
    """The reading that is the latest of its input, now that this one has been added.

    Where errors are forgotten, one that was entered in error is so only while there is no other.
    """
    known = snapshot.latest.get(reading.input)
    if known is None:
        return reading
    if reading.corrects is None and reading.flaw is None and follows(known, reading):
        return reading  # as mostly
    if forgets:
        others = [known] if reading.corrects is None else snapshot.readings.get(reading.input)
        found = placed(others, reading)
        return next((r for r in reversed(found) if r.flaw != ENTERED_IN_ERROR), found[-1])
    # A correction may move a reading back in time, and then another one is the latest.
    others = (known,) if reading.corrects is None else snapshot.readings.get(reading.input)
    return placed(others, reading)[-1]


def _fired(snapshot: Snapshot, event: Event) -> Mapping[str, datetime]:
    """The timers' last firings; a timer that fired does not come back for the same instant."""
    if event.timer is None or event.at is None:
        return snapshot.fired
    return {**snapshot.fired, event.timer: event.at}

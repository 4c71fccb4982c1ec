"""What if another definition had decided: a recorded course, event by event, under an amended one.

The records stay as they are; nothing here is written. How a course goes on after the first
difference is a policy that the asker declares, since each answers another question:

- `stop`: where would it first have been otherwise? Nothing after it is judged.
- `follow-recorded`: each decision by itself, from the course as it was recorded until then.
- `follow-new`: the course that the other definition would have made of the same events.

Nobody knows what was never recorded, so it is said and not guessed:

- A decision that the other definition cannot make for want of a value is not a flipped one.
- An event that it does not have, or cannot read as it was recorded, is not judged.
- A timer's event is judged where the other definition has the same timer waiting for the same
  instant. Under `follow-new` its own timers come back at their own times, as the engine's do; under
  the other policies only those that did.
- Under `follow-new` an event that it foresees where the course was, and not where the course would
  be, belongs to the way that was recorded. What would have been sent instead nobody recorded. What
  such a report observed stays known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.core.contrast import Divergence
from engine.core.event import Event
from engine.core.following import (
    Following,
    FollowingNew,
    FollowingRecorded,
    Machines,
    Stopping,
    Zones,
)
from engine.core.lookback import readings_for
from engine.core.machine import Machine
from engine.core.outcome import Decision
from engine.core.projection import Gathered
from engine.core.record import Record
from engine.core.snapshot import Snapshot
from engine.core.supposition import Pair, Supposition
from engine.core.view import Calendar


class Policy(StrEnum):
    """How a course goes on after a difference. Shown and asked for: never rename a value."""

    STOP = "stop"
    FOLLOW_RECORDED = "follow-recorded"
    FOLLOW_NEW = "follow-new"


def what_if(
    records: Iterable[Record],
    *,
    recorded: Machines,
    other: Machines,
    zones: Zones,
    policy: Policy,
) -> Supposition:
    """A recorded course under another definition. Raises ValueError without any record.

    `recorded` gives the definition of a digest in the records, `other` the one that the records are
    held against. Where both are the same nothing diverges.
    """
    following = _FOLLOWING[policy](recorded, other, zones)
    for record in records:
        following.take(record)
    return following.supposition()


def side_by_side(
    records: Iterable[Record],
    *,
    recorded: Machines,
    other: Machines,
    zones: Zones,
    policy: Policy,
) -> tuple[Supposition, tuple[Pair, ...]]:
    """As `what_if`, with each record beside what the other definition makes of it, in order.

    It keeps every decision, so it is for one course to look at, and not for many to count.
    """
    following = _FOLLOWING[policy](recorded, other, zones)
    pairs: list[Pair] = []
    for record in records:
        differences, judged, unjudged = _counts(following)
        following.take(record)
        new = following.divergences[differences:]
        timers = [one for one in new if one.recorded is None]
        decided, standing = following.decided, following.standing
        looked = (judged, unjudged) != _counts(following)[1:]
        pairs += map(_rang, timers, decided)
        pairs.append(
            Pair(
                record=record,
                divergence=next((one for one in new if one.recorded is not None), None),
                unjudged=None if len(following.unjudged) == unjudged else following.unjudged[-1],
                decision=decided[-1] if len(decided) > len(timers) else None,
                state=standing.state if looked and standing is not None else None,
            )
        )
    return following.supposition(), tuple(pairs)


def _counts(following: Following) -> tuple[int, int, int]:
    return len(following.divergences), following.judged, len(following.unjudged)


def _rang(divergence: Divergence, decision: Decision) -> Pair:
    return Pair(record=None, divergence=divergence, decision=decision, state=divergence.again.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A recorded course as another definition sees it at the end of its records.

    `state` is the recorded one, `lost` that the other definition does not have it.
    """

    course: str
    digest: str
    state: str
    snapshot: Snapshot
    gathered: Gathered
    lost: bool = False

    def facing(self, machine: Machine, event: Event, calendar: Calendar) -> Snapshot:
        """The snapshot from which an event would be decided, at the event's own time."""
        return self.snapshot.facing(
            calendar=calendar,
            decided_at=event.at or self.snapshot.decided_at,
            readings=readings_for(machine, self.snapshot.latest, event, self.gathered.load),
        )


def carried(
    records: Iterable[Record], *, recorded: Machines, other: Machines, zones: Zones
) -> Carried | None:
    """A recorded course as another definition sees it now; `None` where it could not open it."""
    following = FollowingRecorded(recorded, other, zones)
    for record in records:
        following.take(record)
    if following.standing is None:
        return None
    return Carried(
        course=following.course,
        digest=following.row["digest"],
        state=following.row["state"],
        snapshot=following.standing,
        gathered=following.gathered,
        lost=following.lost is not None,
    )


_FOLLOWING: Mapping[Policy, type[Following]] = {
    Policy.STOP: Stopping,
    Policy.FOLLOW_RECORDED: FollowingRecorded,
    Policy.FOLLOW_NEW: FollowingNew,
}

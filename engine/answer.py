"""What a sender hears of an event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.core.encoding import Json
from engine.core.finding import Missing
from engine.core.quick import quick
from engine.core.record import Record
from engine.core.row import window_from
from engine.core.snapshot import Window
from engine.core.view import Reading


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of an event: the record's decision with its findings, and where the course is.

    `repeated` says that the event id was known and that this is the first answer again.
    `revision` is what a later request may expect, `visits` are the windows that follow; of an
    answer that is given again, both are those of the course by now. Of a decision made now,
    `lacking` is all that its requirements which were not yes lack, by guard, and `unusable` are the
    readings that it brought and that lie outside their physical range: accepted, since they were
    reported, and never used.
    """

    course: str
    event: str
    event_id: str
    seq: int
    revision: int
    verdict: str
    state_before: str | None
    state: str
    decision: Mapping[str, Json]
    digest: str
    visits: Mapping[str, Window] = field(default_factory=dict)
    repeated: bool = False
    lacking: Mapping[str, tuple[Missing, ...]] = field(default_factory=dict)
    unusable: tuple[Reading, ...] = ()

    @property
    def refused(self) -> bool:
        return self.verdict == "refused"


def again(known: Record, row: Mapping[str, Json]) -> Answer:
    """The first answer to an event that is recorded, for a course whose row is this by now."""
    recorded = json.loads(known.body)
    return Answer(
        course=known.course,
        event=known.event,
        event_id=known.event_id,
        seq=known.seq,
        revision=row["revision"],
        verdict=known.verdict,
        digest=recorded["workflow"],
        state_before=recorded["state"][0],
        state=recorded["state"][1],
        decision=recorded["decision"],
        visits={name: window_from(items) for name, items in row["visits"].items()},
        repeated=True,
    )

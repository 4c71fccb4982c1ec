"""The records of courses that wait for a signature, for a worklist: since when, and whose it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from engine.core.row import awaiting_from
from engine.core.signing import owed
from engine.item import Unsigned
from engine.listing import Candidate, Reader
from engine.registry import Registry


def unsigned(
    reader: Reader, registry: Registry, candidates: Sequence[Candidate]
) -> Mapping[str, tuple[Unsigned, ...]]:
    """What waits in each course, the oldest first. A row keeps in mind only so many."""
    rows = {one.course: json.loads(one.row or "{}") for one in candidates}
    waiting = {
        course: {int(seq): awaiting_from(items) for seq, items in row.get("unsigned", {}).items()}
        for course, row in rows.items()
    }
    places = [(course, seq) for course, held in waiting.items() for seq in held]
    recorded = reader.recorded(places) if places else {}
    found: dict[str, tuple[Unsigned, ...]] = {}
    for course, held in waiting.items():
        machine = registry.machine(rows[course]["digest"], reader)
        lines = list[Unsigned]()
        for seq, awaiting in sorted(held.items()):
            declared, since = machine.events[awaiting.event], recorded[course, seq]
            within = None if declared.signature is None else declared.signature.within
            lines.append(
                Unsigned(
                    record=seq,
                    event=awaiting.event,
                    since=since,
                    until=None if within is None else since + within,
                    owed=owed(declared, awaiting),
                )
            )
        found[course] = tuple(lines)
    return found

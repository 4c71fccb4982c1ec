"""What a database's error means to us; most mean nothing and are passed on as they are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from engine.store.tables import ONE_OPEN, courses, definitions, records

MIGRATE = "run `regimen migrate`"
SECOND_COURSE = "the patient has an open course of this workflow"


class Kind(Enum):
    """What can be done about it."""

    RACE = "another transaction came in between: the whole of this one can be run again"
    LOCKED = "another transaction holds the database"
    TAKEN = "another writer took the place first"
    UNDEFINED = "the definition of the course is not stored"
    UNAVAILABLE = "somebody has to do something first"


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error that we know. `why` says what to do, and never shows what was written."""

    kind: Kind
    why: str


CONSTRAINTS = {
    f"pk_{records.name}": Kind.TAKEN,
    f"uq_{records.name}_event_id": Kind.TAKEN,
    f"pk_{courses.name}": Kind.TAKEN,
    ONE_OPEN: Kind.TAKEN,  # in a race; else it was found before anything was written
    f"fk_{courses.name}_{definitions.name.removeprefix('regimen_')}": Kind.UNDEFINED,
}
"""Our named constraints that a writer may run into; every other violation is a fault of ours."""

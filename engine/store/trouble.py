"""What a database's error means to us; most mean nothing and are passed on as they are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

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

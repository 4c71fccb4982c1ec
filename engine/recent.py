"""Courses as they were left lately, so that the next event need not read everything again.

A row is looked up by its exact bytes: one that somebody else has moved meanwhile is not found. What
is found is what reading the row would give. What a transaction left is kept once it is committed:
what was only tried must not push out what may be asked for.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.core.encoding import Json
from engine.core.quick import quick
from engine.core.snapshot import Snapshot
from engine.core.stored import Parts
from engine.past import Held

MOST = 256
"""How many courses are kept, of some 50 kB each."""


@quick
@dataclass(frozen=True, slots=True)
class Standing:
    """A course between two records: its row, as it is stored too, and the snapshot that it makes.

    `snapshot` is `None` while nobody has made it. `held` are readings, by input, that the decision
    before looked back at, `parts` the texts that its bytes are made of.
    """

    row: Mapping[str, Json]
    stored: bytes
    snapshot: Snapshot | None = None
    held: Mapping[str, Held] = field(default_factory=dict)
    parts: Parts = field(default_factory=dict)


class Recent:
    """The courses that were written last; safe to share between threads."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._left: dict[bytes, Standing] = {}
        self._changing = threading.Lock()

    def of(self, stored: bytes) -> Standing:
        """The course whose row is stored so."""
        return self._left.get(stored) or Standing(json.loads(stored), stored)

    def keep(self, left: Standing, *, instead: Standing | None) -> None:
        """Keep a course as it was left, instead of what it was before."""
        with self._changing:
            if instead is not None:
                self._left.pop(instead.stored, None)
            self._left[left.stored] = left
            while len(self._left) > self._most:
                del self._left[next(iter(self._left))]


class Left:
    """Courses as one transaction leaves them: it finds them at once, others when it has committed.

    The first course of many is forgotten again, as by `Recent`.
    """

    def __init__(self, recent: Recent, most: int = MOST) -> None:
        self._recent = recent
        self._most = most
        self._left: dict[bytes, tuple[Standing, Standing | None]] = {}

    def of(self, stored: bytes) -> Standing:
        """The course whose row is stored so."""
        left = self._left.get(stored)
        return self._recent.of(stored) if left is None else left[0]

    def keep(self, left: Standing, *, instead: Standing | None) -> None:
        """Keep a course as it was left, instead of what it was before."""
        if instead is not None and instead.stored in self._left:
            _, instead = self._left.pop(instead.stored)
        self._left[left.stored] = (left, instead)
        if len(self._left) > self._most:
            del self._left[next(iter(self._left))]

    def committed(self) -> None:
        """Let others go on from here."""
        for left, instead in self._left.values():
            self._recent.keep(left, instead=instead)
        self._left.clear()

"""The readings that one decision looks back at: those that are held, and before them the store's.

What a window was shown once is held with the course as it was left, so that the next decision asks
the store for nothing. Whoever holds it answers that it is of exactly this course: a row names the
hash of the last record, and so no reading and no correction after it can be missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.core.encoding import decode_value
from engine.core.lookback import Deep, since
from engine.core.machine import Machine
from engine.core.quick import quick
from engine.core.snapshot import placed
from engine.core.view import Reading
from engine.ports import Transaction


@quick
@dataclass(frozen=True, slots=True)
class Held:
    """Every reading of one input from an instant on, oldest first, undated ones last."""

    start: datetime
    readings: Sequence[Reading]


class Past:
    """The readings of a course before a decision, and what of them is held after it."""

    __slots__ = ("_course", "_held", "_machine", "_tx")

    def __init__(
        self, machine: Machine, tx: Transaction, course: str, held: Mapping[str, Held]
    ) -> None:
        self._machine, self._tx, self._course = machine, tx, course
        self._held = dict(held)

    def readings(self, deep: Deep) -> Mapping[str, Sequence[Reading]]:
        """The readings of each input from its instant on (`None`: all)."""
        found: dict[str, Sequence[Reading]] = {}
        for name, start in deep.items():
            held = self._held.get(name)
            if held is not None and start is not None and held.start <= start:
                found[name] = since(held.readings, start)
        missing = {name: start for name, start in deep.items() if name not in found}
        if missing:
            stored = self._tx.readings(self._course, missing)
            found |= {name: self._typed(name, readings) for name, readings in stored.items()}
        for name, start in deep.items():
            if start is not None:  # what lies before it only a late event asks for, or a correction
                self._held[name] = Held(start, found[name])
        return found

    def held(self, brought: Sequence[Reading]) -> Mapping[str, Held]:
        """What is held after the decision, the readings that it brought among it."""
        for reading in brought:
            held = self._held.get(reading.input)
            if held is None:
                continue
            if reading.corrects is not None:
                del self._held[reading.input]  # what it corrects may have lain before all of it
            elif reading.at is None or reading.at >= held.start:
                self._held[reading.input] = Held(held.start, placed(held.readings, reading))
        return self._held

    def _typed(self, name: str, readings: Sequence[Reading]) -> list[Reading]:
        """Stored readings with their values as guards see them."""
        kind = self._machine.inputs[name].kind
        return [
            Reading(
                r.input, decode_value(kind, r.value), r.at, r.on, r.seq, r.over, r.flaw, r.corrects
            )
            for r in readings
        ]

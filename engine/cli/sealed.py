"""What verifying finds of the ledger, and what it cannot find, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.cli.notes import records_text
from engine.core.encoding import Json
from engine.core.history import Mismatch

WITHOUT = (
    "Without a checkpoint that was kept elsewhere (--checkpoint) this cannot find: an end that was "
    "cut off from everything, and a history that was rebuilt whole."
)
UNSEALED = "Of what is not sealed yet, the end of a course can be cut off without being found."
AFTER = "What came after the last checkpoint that was kept elsewhere is vouched for by nothing."
UNSIGNED = "Who made the checkpoint was not looked at: --key names who must have signed it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """The ledger as it was found, by how many checkpoints that were kept, and by whose key.

    `beside` is what is wrong with tables that are no single course's.
    """

    found: Any  # an Inspection: to name it would load the database library
    held: int
    signed: bool
    beside: Sequence[Mismatch] = ()

    @property
    def wrong(self) -> bool:
        return bool(self.found.flaws or self.beside)

    def lines(self) -> Iterator[str]:
        """What to tell a person: what is wrong, how far it is vouched for, what nobody knows."""
        found = self.found
        for mismatch in self.beside:
            yield str(mismatch)
        for flaw in found.flaws:
            yield f"ledger: {flaw}"
        if not found.flaws:
            told = f"{records_text(found.size)} sealed, {found.unsealed} not yet"
            vouched = f", the first {found.agreed} as the checkpoint says" if self.held else ""
            yield f"ledger: {told}{vouched}"
        yield from self.unknown()

    def unknown(self) -> Iterator[str]:
        """What could not be found out."""
        if not self.held:
            yield WITHOUT
            if self.found.unsealed:
                yield UNSEALED
        elif not self.signed:
            yield UNSIGNED
        if self.held and self.found.agreed < self.found.size + self.found.unsealed:
            yield AFTER

    def json(self) -> Json:
        found = self.found
        return {
            "size": found.size,
            "unsealed": found.unsealed,
            "checkpoints": found.checkpoints,
            "agreed": found.agreed,
            "flaws": [
                {
                    "kind": str(flaw.kind),
                    "index": flaw.index,
                    "through": flaw.through,
                    "course": flaw.course,
                    "record": flaw.seq,
                    "what": flaw.what,
                }
                for flaw in found.flaws
            ],
            "cannot_find": list(self.unknown()),
        }

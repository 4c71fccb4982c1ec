"""How a bundle is laid out. What is spelled here is read for ever: never rename a member.

Format 2 is JSON Lines, so that neither the writer nor the reader holds more than one course:

1. the manifest: what the file is, whose courses it holds, what was asked for, and how many of each;
2. `definition`: each one that a course was decided by, under its digest;
3. `checkpoint`: the signed root that the proofs lead to, who signed, and, where it was asked for,
   the proof that it continues an earlier one;
4. `course`, with the proofs of how far it had come at that checkpoint and at the earlier one, and
   then its `record`s as stored, each with its leaf: number, salt and way to the root;
5. `end`: how many lines came before, and the SHA-256 of them all, so that no cut goes unseen.

A file from before checkpoints said how far courses had come has no such proofs (`heads`), and does
not show whether the last records of a course were left out.

Format 1 is one JSON document of one course, without proofs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.core.encoding import Json, instant_text
from engine.core.heads import HeadProof
from engine.core.ledger import Inclusion
from engine.errors import InvalidInput
from engine.ports import Definition

KIND = "regimen-bundle"
FORMAT = 2
ONE_DOCUMENT = 1
"""The format of before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which courses a bundle is to hold: some by name, those that changed since, else all."""

    courses: tuple[str, ...] = ()
    since: datetime | None = None

    def json(self) -> Json:
        """As the manifest says it."""
        if self.courses:
            return {"courses": list(self.courses)}
        if self.since is not None:
            return {"since": instant_text(self.since)}
        return {"tenant": True}


class DamagedBundle(InvalidInput):
    """The file is a bundle, and a part of it is not what it was."""


def definition_json(definition: Definition) -> Json:
    """A definition as both formats hold it."""
    return {
        "digest": definition.digest,
        "semantic": definition.semantic.decode(),
        "prose_digest": definition.prose_digest,
        "prose": definition.prose.decode(),
    }


def leaf_json(leaf: Inclusion) -> Json:
    """Where a record is in the tree. Its salt travels here and nowhere else."""
    return {
        "index": leaf.index,
        "salt": leaf.salt.hex(),
        "path": [one.hex() for one in leaf.proof],
    }


def leaf_from(raw: Any, course: str, seq: int, place: str) -> Inclusion:  # noqa: ANN401  # JSON
    """The leaf that `leaf_json` wrote. Raises DamagedBundle."""
    try:
        index, salt = raw["index"], bytes.fromhex(raw["salt"])
        proof = tuple(bytes.fromhex(one) for one in raw["path"])
    except (KeyError, TypeError, ValueError) as wrong:
        raise DamagedBundle(place, "a leaf with its index, salt and path") from wrong
    if type(index) is not int or set(raw) != {"index", "salt", "path"}:
        raise DamagedBundle(place, "a leaf with its index, salt and path, and no more")
    return Inclusion(course=course, seq=seq, index=index, salt=salt, proof=proof)


def heads_json(proofs: Iterable[HeadProof]) -> Json:
    """How far a course had come, in the trees of one or more sizes."""
    return [
        {"size": one.size, "place": one.place, "path": [step.hex() for step in one.path]}
        for one in proofs
    ]


def heads_from(raw: Any, course: str) -> dict[int, HeadProof]:  # noqa: ANN401  # JSON
    """The proofs that `heads_json` wrote, by their sizes. Raises DamagedBundle."""
    place = f"{course}.heads"
    found: dict[int, HeadProof] = {}
    try:
        for one in raw:
            size, number = one["size"], one["place"]
            path = tuple(bytes.fromhex(step) for step in one["path"])
            if {type(size), type(number)} != {int} or set(one) != {"size", "place", "path"}:
                raise DamagedBundle(place, "proofs with their size, place and path, and no more")
            found[size] = HeadProof(size=size, place=number, path=path)
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        if isinstance(wrong, DamagedBundle):
            raise
        raise DamagedBundle(place, "proofs with their size, place and path") from wrong
    if len(found) != len(raw):
        raise DamagedBundle(place, "one proof for each size")
    return found

"""What a witness does: sees that a tree only grew since it last looked, and says so.

A witness is somebody else, on another machine, without the database. It is handed a request in the
form of the C2SP specification `tlog-witness` (how large the tree was when it last looked, the
consistency proof, and the new checkpoint), and keeps the last checkpoint that it signed.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine import keys
from engine.core import note
from engine.core.merkle import verify_consistency
from engine.core.note import Head, KeyKind, Note, SigningKey, VerifierKey, checked
from engine.errors import Divergence, InvalidInput, RegimenError


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A checkpoint to be signed, and the proof that it goes on from an older size."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: Note

    def encode(self) -> bytes:
        hashes = "".join(f"{b64encode(one).decode()}\n" for one in self.proof)
        return f"old {self.old}\n{hashes}\n".encode() + self.checkpoint.encode()

    @classmethod
    def parse(cls, data: bytes) -> Request:
        """A request from its bytes. Raises InvalidInput, naming the line."""
        head, gap, rest = data.partition(b"\n\n")
        lines = head.split(b"\n")
        old = _OLD.fullmatch(lines[0])
        if not gap or old is None:
            raise InvalidInput("line 1", "old and a size, then hashes, an empty line, a checkpoint")
        proof = []
        for n, line in enumerate(lines[1:], 2):
            try:
                one = b64decode(line, validate=True)
            except ValueError:
                one = b""
            if len(one) != 32 or b64encode(one) != line:
                raise InvalidInput(f"line {n}", "a hash: 32 bytes in base64")
            proof.append(one)
        try:
            found = note.parse(rest)
        except InvalidInput as wrong:
            raise InvalidInput(f"checkpoint, {wrong.field}", wrong.expected) from None
        return cls(old=int(old[1]), proof=tuple(proof), checkpoint=found)


class NotWitnessed(Divergence):
    """A witness does not sign: the tree is not the one that it saw, or did not only grow."""

    def __init__(self, what: str) -> None:
        self.what = what
        RegimenError.__init__(self, f"not signed: {what}")


def cosigned(
    request: Request,
    seen: Note | None,
    *,
    witness: SigningKey,
    logs: Sequence[VerifierKey],
    at: int,
) -> Note:
    """The checkpoint with the line of the witness, who last saw another one, or none so far.

    Raises NotWitnessed, saying why; InvalidInput for a key that is not a witness's.
    """
    if witness.kind is not KeyKind.WITNESS:
        raise InvalidInput("--witness", "the key of a witness, not of a ledger")
    new = _trusted(request.checkpoint, logs, "the checkpoint")
    old = None if seen is None else Head.parse(seen.text)
    if old is None:
        if request.old != 0:
            raise NotWitnessed(f"nothing was seen so far, and the proof is from size {request.old}")
    else:
        mine = checked(seen or request.checkpoint, [witness.verifier], keys.verify)
        if not mine.held:
            raise NotWitnessed("what was seen last is not signed by this witness")
        if old.origin != new.origin:
            raise NotWitnessed("it is of another tree than the one that was seen last")
        if request.old != old.size:
            raise NotWitnessed(
                f"size {old.size} was seen last, and the proof is from {request.old}"
            )
        if not verify_consistency(old.size, new.size, old.root, new.root, request.proof):
            raise NotWitnessed("the proof does not hold: the tree does not begin as it was seen")
    line = keys.signature(witness, request.checkpoint.text, at)
    return request.checkpoint.with_signatures(line)


def _trusted(found: Note, logs: Iterable[VerifierKey], name: str) -> Head:
    seen = checked(found, logs, keys.verify)
    if seen.false or not seen.held:
        raise NotWitnessed(f"{name} is not signed by the key of its ledger")
    return Head.parse(found.text)


_OLD = re.compile(rb"old (0|[1-9][0-9]{0,18})")

"""What the ledger says of records: which leaf seals one, and the proofs that it is in a tree.

A leaf's data are 16 bytes of chance, its salt, and the SHA-256 of a record's bytes. The salt
travels with its own record only: a hash in somebody else's proof says nothing about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.core.merkle import leaf_hash, verify_inclusion
from engine.core.note import Head, Note, VerifierKey

SALT = 16
"""How many bytes of chance a leaf begins with."""


def sealed(salt: bytes, record_hash: str) -> bytes:
    """The hash of the leaf of a record, of which `record_hash` is the SHA-256 in hexadecimal."""
    return leaf_hash(salt + bytes.fromhex(record_hash))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """The proof that a record is in a tree: at which leaf, its salt, and the way to the root."""

    course: str
    seq: int
    index: int
    salt: bytes
    proof: tuple[bytes, ...]

    def holds(self, record_hash: str, size: int, root: bytes) -> bool:
        """Whether a record of that hash is in the tree of that size and root."""
        leaf = sealed(self.salt, record_hash)
        return verify_inclusion(leaf, self.index, size, self.proof, root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A root as it was written down: `keys` signed it, none where there was no key.

    The note has the lines of witnesses too, as far as they were brought here.
    """

    number: int
    at: datetime
    head: Head
    note: Note
    keys: tuple[VerifierKey, ...]

    @property
    def signed(self) -> bool:
        return bool(self.keys)

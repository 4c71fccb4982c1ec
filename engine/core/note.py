"""Signed notes and checkpoints: how a root is written down, signed, and signed again by others.

A checkpoint is a few lines of text: whose tree, how many leaves, which root. It is signed as a note
of the C2SP specifications `signed-note`, `tlog-checkpoint` and `tlog-cosignature` (c2sp.org), so
that whoever has a tool for those needs none of ours.

- What is read is read strictly, and what is wrong is named by its line, without showing it.
- Whoever signs is known by a *verifier key*: its name, a short hash, and the public key. A line of
  a key that nobody named is passed over; one of a named key that does not hold is told.
- No signature is made or checked here: that is handed in, since the core has no library for it.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import Self, TypeAlias

from engine.errors import InvalidInput

LONGEST = 1_000_000
"""How many bytes of a note are looked at."""

MOST_LINES = 100
"""How many signatures a note may have."""

MARK = "\u2014 "
"""What a line of a signature begins with: an em dash and a space."""

Verify: TypeAlias = Callable[[bytes, bytes, bytes], bool]
"""Whether a public Ed25519 key made a signature: key, message, signature."""


class KeyKind(IntEnum):
    """What a key signs. The numbers are those of the specification."""

    LOG = 1
    """The text of a note."""
    WITNESS = 4
    """The text of a checkpoint and when it was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """Who signs, as it is told to those who verify: `name+hash+key`."""

    name: str
    kind: KeyKind
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart. They prove nothing."""
        said = b"%s\n%c%s" % (self.name.encode(), self.kind, self.public)
        return sha256(said).digest()[:4]

    def text(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_base64(bytes([self.kind]) + self.public)}"

    @classmethod
    def parse(cls, text: str, *, place: str = "key") -> Self:
        """A key from its text. Raises InvalidInput, naming the place, for anything else.

        >>> VerifierKey.parse(
        ...     "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
        ... ).name
        'PeterNeumann'
        """
        name, plus, tail = text.partition("+")
        short, other, encoded = tail.partition("+")
        if not (plus and other and is_name(name) and _SHORT.fullmatch(short)):
            raise InvalidInput(place, "a verifier key: NAME+HASH+KEY")
        key = _keyed(encoded, place)
        found = cls(name=name, kind=KeyKind(key[0]), public=key[1:])
        if found.id.hex() != short:
            raise InvalidInput(place, "a verifier key whose hash is that of its name and key")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """Who signs, with the secret: kept in a file that only its owner may read."""

    name: str
    kind: KeyKind
    seed: bytes = field(repr=False)
    public: bytes

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey(name=self.name, kind=self.kind, public=self.public)

    def text(self) -> str:
        secret = _base64(bytes([self.kind]) + self.seed)
        return f"{_PRIVATE}{self.name}+{self.verifier.id.hex()}+{secret}"

    @classmethod
    def parse(cls, text: str, public_of: Callable[[bytes], bytes], *, place: str = "key") -> Self:
        """A key from its text; `public_of` gives the public key of a seed. Raises InvalidInput.

        No error shows any of the text.
        """
        expected = "a signing key: PRIVATE+KEY+NAME+HASH+SECRET"
        if not text.startswith(_PRIVATE):
            raise InvalidInput(place, expected)
        name, _, tail = text.removeprefix(_PRIVATE).partition("+")
        short, _, encoded = tail.partition("+")
        if not (is_name(name) and _SHORT.fullmatch(short)):
            raise InvalidInput(place, expected)
        key = _keyed(encoded, place)
        made = cls(name=name, kind=KeyKind(key[0]), seed=key[1:], public=public_of(key[1:]))
        if made.verifier.id.hex() != short:
            raise InvalidInput(place, "a signing key whose hash is that of its name and key")
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A line under a note: whose key is meant, and the bytes."""

    name: str
    key_id: bytes
    signature: bytes

    def text(self) -> str:
        return f"{MARK}{self.name} {_base64(self.key_id + self.signature)}\n"

    def is_of(self, key: VerifierKey) -> bool:
        return (self.name, self.key_id) == (key.name, key.id)

    @property
    def at(self) -> int:
        """When a witness says that it signed, in seconds since 1970."""
        return int.from_bytes(self.signature[:8], "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A text and the signatures under it."""

    text: str
    signatures: tuple[Signature, ...] = ()

    def encode(self) -> bytes:
        return f"{self.text}\n{''.join(map(Signature.text, self.signatures))}".encode()

    def with_signatures(self, *more: Signature) -> Note:
        """The same text; a signature of a key that signed before takes the place of that."""
        mine = {(one.name, one.key_id) for one in more}
        kept = (one for one in self.signatures if (one.name, one.key_id) not in mine)
        return Note(text=self.text, signatures=(*kept, *more))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The signatures of a note: those that hold and those that do not, of keys that were named.

    `others` are signatures of nobody that was named: they say nothing, for or against.
    """

    held: tuple[tuple[VerifierKey, Signature], ...]
    false: tuple[VerifierKey, ...]
    others: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseMap:
    """What a checkpoint says of courses: how many there are, and the root over their heads.

    It is a line of extension: whoever does not know it passes over it, and a witness that signs the
    text says nothing about it. It is what the leaves of the tree add up to; see `core.heads`.
    """

    courses: int
    root: bytes

    def line(self) -> str:
        return f"{_COURSES}{self.courses} {_base64(self.root)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a checkpoint says: whose tree it is, how many leaves it has, and its root."""

    origin: str
    size: int
    root: bytes
    extension: tuple[str, ...] = ()

    def text(self) -> str:
        lines = (self.origin, str(self.size), _base64(self.root), *self.extension)
        return "".join(f"{line}\n" for line in lines)

    @property
    def courses(self) -> CourseMap | None:
        """How far each course had come; `None` where the checkpoint does not say so.

        Raises InvalidInput, naming the line, where it says it twice or not as it must.
        """
        found: CourseMap | None = None
        for n, line in enumerate(self.extension, 4):
            if line.startswith(_COURSES):
                number, _, encoded = line.removeprefix(_COURSES).partition(" ")
                root = _from_base64(encoded)
                sized = _SIZE.fullmatch(number) and int(number) <= self.size
                if found or not sized or root is None or len(root) != 32:
                    raise _wrong(n, "once, how many courses there are, and 32 bytes in base64")
                found = CourseMap(courses=int(number), root=root)
        return found

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the text of a note. Raises InvalidInput, naming the line."""
        *lines, last = text.split("\n")
        if last or len(lines) < 3:
            raise _wrong(len(lines) + 1, "three lines of a checkpoint: origin, size and root")
        for n, line in enumerate(lines, 1):
            if not line:
                raise _wrong(n, "a line of a checkpoint, which is not empty")
        origin, size, root, *extension = lines
        if not _SIZE.fullmatch(size):
            raise _wrong(2, "the size of the tree: a whole number below 2**63, without zeros ahead")
        found = _from_base64(root)
        if found is None or len(found) != 32:
            raise _wrong(3, "the root: 32 bytes in base64")
        if int(size) >= 2**63:
            raise _wrong(2, "a size below 2**63")
        head = cls(origin=origin, size=int(size), root=found, extension=tuple(extension))
        _ = head.courses  # what is no line of courses is told here, and nowhere else
        return head


def parse(data: bytes, *, unsigned: bool = False) -> Note:
    """A note from its bytes; `unsigned` takes one without any signature too.

    Raises InvalidInput, naming the line, for what is no note.
    """
    if len(data) > LONGEST:
        raise InvalidInput("note", f"at most {LONGEST} bytes")
    try:
        whole = data.decode()
    except UnicodeDecodeError as wrong:
        raise _wrong(data.count(b"\n", 0, wrong.start) + 1, "UTF-8") from None
    control = _CONTROL.search(whole)
    if control is not None:
        line = whole.count("\n", 0, control.start()) + 1
        raise _wrong(line, "no control characters but the end of the line")
    # Without signatures the empty line ends the note.
    text, gap, tail = whole.rpartition("\n\n")
    if not gap or not text:
        raise _wrong(whole.count("\n") + 1, "a text, an empty line, and signatures")
    first = text.count("\n") + 3
    if not tail:
        if not unsigned:
            raise _wrong(first, "a signature")
        return Note(text=f"{text}\n")
    *lines, last = tail.split("\n")
    if last:
        raise _wrong(first + len(lines), "an end of the line")
    if len(lines) > MOST_LINES:
        raise _wrong(first + MOST_LINES, f"no more than {MOST_LINES} signatures")
    read = tuple(_signature(line, n) for n, line in enumerate(lines, first))
    return Note(text=f"{text}\n", signatures=read)


def message_of(key: VerifierKey, text: str, at: int = 0) -> bytes:
    """What a key signs of a text: a witness at a time, in seconds since 1970."""
    if key.kind is KeyKind.WITNESS:
        return f"cosignature/v1\ntime {at}\n{text}".encode()
    return text.encode()


def signature_by(
    key: VerifierKey, text: str, sign: Callable[[bytes], bytes], at: int = 0
) -> Signature:
    """The signature of a key under a text; `sign` signs bytes with its secret."""
    made = sign(message_of(key, text, at))
    if key.kind is KeyKind.WITNESS:
        made = at.to_bytes(8, "big") + made
    return Signature(name=key.name, key_id=key.id, signature=made)


def checked(note: Note, keys: Iterable[VerifierKey], verify: Verify) -> Checked:
    """Which signatures of a note are those of the keys, and hold."""
    known = tuple(dict.fromkeys(keys))
    held, false, others = [], [], 0
    for one in note.signatures:
        mine = [key for key in known if one.is_of(key)]
        holding = [key for key in mine if _holds(key, note.text, one, verify)]
        held += [(key, one) for key in holding]
        false += [] if holding else mine
        others += not mine
    return Checked(held=tuple(held), false=tuple(false), others=others)


def is_name(text: str) -> bool:
    """Whether a key may have this name: it has no spaces and no plus, and is not empty."""
    return bool(text) and "+" not in text and text.isprintable() and not any(map(str.isspace, text))


_PRIVATE = "PRIVATE+KEY+"
_COURSES = "course-heads "
_SHORT = re.compile("[0-9a-f]{8}")
_SIZE = re.compile("0|[1-9][0-9]{0,18}")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
_LENGTHS = {KeyKind.LOG: 64, KeyKind.WITNESS: 72}


def _signature(line: str, n: int) -> Signature:
    name, space, encoded = line.removeprefix(MARK).partition(" ")
    if not line.startswith(MARK) or not space or not is_name(name):
        raise _wrong(n, "a signature: an em dash, a name and base64, with single spaces between")
    found = _from_base64(encoded)
    if found is None or len(found) < 5:
        raise _wrong(n, "a signature of more than 4 bytes in base64")
    return Signature(name=name, key_id=found[:4], signature=found[4:])


def _holds(key: VerifierKey, text: str, one: Signature, verify: Verify) -> bool:
    if len(one.signature) != _LENGTHS[key.kind]:
        return False
    if key.kind is KeyKind.WITNESS and one.at >= 2**63:
        return False
    return verify(key.public, message_of(key, text, one.at), one.signature[-64:])


def _keyed(encoded: str, place: str) -> bytes:
    """The kind of a key and its 32 bytes."""
    found = _from_base64(encoded)
    if found is None or len(found) != 33 or found[0] not in set(KeyKind):
        raise InvalidInput(place, "an Ed25519 key, of a log or of a witness, in base64")
    return found


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def _from_base64(text: str) -> bytes | None:
    """The bytes of a text that is their base64 and the only one."""
    try:
        found = b64decode(text, validate=True)
    except (NotBase64, ValueError):
        return None
    return found if _base64(found) == text else None


def _wrong(line: int, expected: str) -> InvalidInput:
    return InvalidInput(f"line {line}", expected)

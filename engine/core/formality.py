"""What an event about the records themselves looks like when sent: a signature, a custody.

- A signature names what it is of: a record of the course, by its hash, or an event that is yet to
  be sent, which is given whole. It says what it means, the printed name of the signer, and how the
  signer proved again who they are: never by a secret.
- Custody of the records is not treatment: texts are erased, and legal holds keep them from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from engine.core.event import ERASED, KEEPERS, Custody, Event, Proof, Signing
from engine.core.wire import IDENTIFIER, NAME, free_text, instant, members, shown, whole, word
from engine.errors import InvalidInput

PROOFS = ("host", "oidc", "terminal", "token")
"""How a signer proved again who they are: told by a host, signed in anew, at this machine's
terminal, by the token given again. Stored: never rename a value."""

PRINTED_NAME = "data.printed_name"
"""Where the name of a signer is; it is a text, and erasable as every other."""
OF_ACT = "data.event."
"""How the places begin of the texts in an event that was signed beforehand."""


def signing_of(raw: object, read: Callable[[object], Event], *, sealed: bool) -> Signing:
    """The typed data of a signature. Raises InvalidInput, naming the member.

    `read` reads the event that is signed beforehand.
    """
    sent = members(raw, "data", _SIGNING, ("meaning", "printed_name", "proof"))
    if ("event" in sent) == ("record" in sent):
        raise InvalidInput("data", "either a record with its hash, or an event to be sent")
    free_text(sent["printed_name"], PRINTED_NAME, sealed=sealed)
    meaning = word(sent["meaning"], "data.meaning", NAME, "a code for what it means")
    proof = _proof(sent["proof"])
    if "record" in sent:
        record = whole(sent["record"], "data.record", 1)
        hashed = word(sent.get("hash"), "data.hash", HASH, f"the hash of record {record}")
        return Signing(meaning=meaning, proof=proof, record=record, hash=hashed)
    if "hash" in sent:
        raise InvalidInput("data.hash", "no hash beside an event: its record is yet to be written")
    return Signing(meaning=meaning, proof=proof, act=read(sent["event"]))


def texts_of(signing: Signing) -> tuple[str, ...]:
    """The places of the free texts in the body of a signature."""
    act = () if signing.act is None else signing.act.texts
    return (PRINTED_NAME, *(f"{OF_ACT}{place}" for place in act))


def custody_of(event: Event, raw: object) -> Custody:
    """The typed data of an erasure or a legal hold. Raises InvalidInput, naming the member."""
    if event.actor.role not in KEEPERS:
        expected = f"one of {', '.join(KEEPERS)}"
        raise InvalidInput("actor.role", expected, found=shown(event.actor.role))
    if event.reason is None or event.reason.code is None:
        raise InvalidInput("reason.code", "the code of a legal basis or of a reason")
    if event.reason.text is not None:
        raise InvalidInput("reason.text", "nothing: it would be one more text to erase")
    if event.name != ERASED:
        sent = members(raw, "data", ("hold",), ("hold",))
        named = word(sent["hold"], "data.hold", IDENTIFIER, "the name of a legal hold")
        return Custody(hold=named)
    sent = members({} if raw is None else raw, "data", ("record", "path"))
    if "path" in sent and "record" not in sent:
        raise InvalidInput("data.record", "the record that the text belongs to")
    record = whole(sent["record"], "data.record", 1) if "record" in sent else None
    path = None
    if "path" in sent:
        path = word(sent["path"], "data.path", _PATH, "the place of a text, such as reason.text")
    return Custody(record=record, path=path)


def _proof(raw: Any) -> Proof:  # noqa: ANN401  # JSON
    sent = members(raw, "data.proof", ("kind", "by", "at", "digest"), ("kind", "by", "at"))
    if sent["kind"] not in PROOFS:
        expected = f"one of {', '.join(PROOFS)}"
        raise InvalidInput("data.proof.kind", expected, found=shown(sent["kind"]))
    digest = None
    if "digest" in sent:
        digest = word(sent["digest"], "data.proof.digest", HASH, "a SHA-256 in hexadecimal")
    return Proof(
        kind=sent["kind"],
        by=word(sent["by"], "data.proof.by", IDENTIFIER, "who was authenticated, as an id"),
        at=instant(sent["at"], "data.proof.at"),
        digest=digest,
    )


HASH = re.compile("[0-9a-f]{64}")
_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_SIGNING = ("record", "hash", "event", "meaning", "printed_name", "proof")

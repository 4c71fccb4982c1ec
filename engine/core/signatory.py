"""Who signed what, and whether it holds: read off the records, whatever a row may say.

A signature of a record holds as long as the record has the hash that it names; one that was given
beforehand as long as the record of the event says what was signed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.core.definition import Signature
from engine.core.encoding import Json, instant_text
from engine.core.machine import Machine
from engine.core.record import Record, hash_of
from engine.core.signing import digest_of

Machines = Callable[[str], Machine]
"""Gives the compiled stored definition of a digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatory:
    """One signature of a record.

    `seq` is the record of the signature itself, `proof` how it was proved who signed and `by` who
    was authenticated for it. One that is `late` came after the time that its event allows.
    """

    seq: int
    actor: str
    role: str
    meaning: str
    at: datetime
    proof: str
    by: str
    holds: bool
    beforehand: bool = False
    late: bool = False

    def json(self) -> dict[str, Json]:
        return {
            "seq": self.seq,
            "actor": self.actor,
            "role": self.role,
            "meaning": self.meaning,
            "at": instant_text(self.at),
            "proof": self.proof,
            "by": self.by,
            "holds": self.holds,
            "beforehand": self.beforehand,
            "late": self.late,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """The signatures of a record, and the meanings of those that its event asks for and lacks."""

    given: tuple[Signatory, ...] = ()
    missing: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.given or self.missing)


NOBODY = Signed()


def signed(
    records: Iterable[Record], signatures: Iterable[Record], machines: Machines
) -> dict[int, Signed]:
    """What is signed of some records by the signatures of their course, by record.

    What has no signature and needs none is left out.
    """
    given = _Given()
    for one in signatures:
        given.take(one)
    found = {}
    for record in records:
        if standing := _of(record, given, machines):
            found[record.seq] = standing
    return found


@dataclass(slots=True)
class _Given:
    """Signatures as they were given, by what they are of."""

    of_records: dict[int, list[tuple[str, Record, Mapping[str, Any]]]] = field(default_factory=dict)
    acts: dict[int, tuple[str, Record, Mapping[str, Any]]] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        if record.verdict == "refused":
            return
        event = json.loads(record.body)["event"]
        data = event["data"]
        if "event" in data:
            self.acts[record.seq] = (digest_of(data["event"]), record, event)
        else:
            of = self.of_records.setdefault(data["record"], [])
            of.append((data["hash"], record, event))


def _of(record: Record, given: _Given, machines: Machines) -> Signed:
    body = json.loads(record.body)
    declared = _declared(record, body, machines)
    hashed = hash_of(record.body)
    signatories = [
        _signatory(signature, event, holds=claimed == hashed, beforehand=False, late=_late(
            declared, record, signature))
        for claimed, signature, event in given.of_records.get(record.seq, ())
    ]  # fmt: skip
    for seq in body["decision"].get("signed", ()):
        if seq in given.acts:
            digest, signature, event = given.acts[seq]
            holds = digest == digest_of(body["event"])
            signatories.append(_signatory(signature, event, holds=holds, beforehand=True))
    missing: tuple[str, ...] = ()
    if declared is not None and record.verdict != "refused":
        missing = _missing(declared, body["event"]["actor"]["id"], signatories)
    return Signed(given=tuple(signatories), missing=missing)


def _signatory(
    record: Record, event: Mapping[str, Any], *, holds: bool, beforehand: bool, late: bool = False
) -> Signatory:
    return Signatory(
        seq=record.seq,
        actor=event["actor"]["id"],
        role=event["actor"]["role"],
        meaning=event["data"]["meaning"],
        at=record.recorded_at,
        proof=event["data"]["proof"]["kind"],
        by=event["data"]["proof"]["by"],
        holds=holds and hash_of(record.body) == record.hash,
        beforehand=beforehand,
        late=late,
    )


def _declared(record: Record, body: Mapping[str, Any], machines: Machines) -> Signature | None:
    if record.event.startswith("course."):
        return None
    event = machines(body["workflow"]).events.get(record.event)
    return None if event is None else event.signature


def _late(declared: Signature | None, record: Record, signature: Record) -> bool:
    if declared is None or declared.within is None:
        return False
    return signature.recorded_at - record.recorded_at > declared.within


def _missing(declared: Signature, actor: str, given: list[Signatory]) -> tuple[str, ...]:
    good = [one for one in given if one.holds]
    first = next((o for o in good if o.actor == actor and o.meaning == declared.meaning), None)
    lacking = [] if first is not None else [declared.meaning]
    if declared.second and not any(
        one.meaning == declared.second_meaning
        and one.actor != actor
        and (first is None or one.by != first.by)
        for one in good
    ):
        lacking.append(declared.second_meaning)
    return tuple(lacking)

"""Signatures: who must sign what, whether a signature may be given, and what it makes of a course.

- A *report* is never refused: it is recorded, and waits for its signatures, which name its record
  and the record's hash. Any other record may be signed so, too, with any meaning.
- A *request* that needs signatures is not granted without them: they are given beforehand, on the
  whole event that will be sent. That event has to come as it was signed, in time.
- The first signature is that of the event's own actor. A second one is another person's, by the id
  of the actor and by who was authenticated.
- What was signed covers every member but `expected_revision`, which says when it is sent. Free
  texts are compared at the door with those that were signed: no digest of a text may be guessed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from engine.core import definition
from engine.core.definition import Kind, Signature
from engine.core.encoding import canonical
from engine.core.event import Event, Signing
from engine.core.machine import Machine
from engine.core.outcome import Accepted, Decision, Reason, Refused
from engine.core.scheduling import unmoved
from engine.core.snapshot import Awaiting, Given, Intended, Snapshot

_T = TypeVar("_T")

AWAITED, INTENDED = 64, 16
"""How many records that wait for a signature, and events that were signed beforehand, a course
keeps in mind; the oldest give way, since the row is read with every step. The log forgets none."""


def digest_of(body: Mapping[str, Any]) -> str:
    """What a signature given beforehand covers, sealed or not: all but texts and the revision."""
    said = {name: _blank(part) for name, part in body.items() if name != "expected_revision"}
    return hashlib.sha256(canonical(said)).hexdigest()


def decide_signing(machine: Machine, snapshot: Snapshot, event: Event) -> Accepted | Refused:
    """The decision on a signature; it moves nothing."""
    signing = _of(event)
    reason = None
    if signing.act is not None:
        reason = _against_act(machine, snapshot, event, signing.act)
    elif (awaiting := snapshot.unsigned.get(str(signing.record))) is not None:
        reason = _against_record(machine, event, signing, awaiting)
    if reason is not None:
        return Refused(reason=reason, state=snapshot.state)
    return unmoved(Accepted, snapshot)


def wanting(declared: Signature | None, snapshot: Snapshot, event: Event) -> Reason | None:
    """Why a request may not be granted for want of signatures, if it may not."""
    if declared is None:
        return None
    intended = snapshot.signed.get(event.id)
    if intended is None:
        return Reason.UNSIGNED
    if intended.digest != digest_of(event.body):
        return Reason.ALTERED
    given = _in_time(declared, snapshot, intended)
    return None if is_complete(declared, event.actor.id, given) else Reason.UNSIGNED


def given_for(declared: Signature | None, snapshot: Snapshot, event: Event) -> tuple[int, ...]:
    """The records of the signatures that a request is granted on."""
    intended = None if declared is None else snapshot.signed.get(event.id)
    if declared is None or intended is None:
        return ()
    return tuple(one.seq for one in _in_time(declared, snapshot, intended))


def is_complete(declared: Signature, actor: str, given: tuple[Given, ...]) -> bool:
    """Whether those who have to sign did."""
    first = any(one.actor == actor for one in given)
    return first and (not declared.second or any(one.actor != actor for one in given))


@dataclass(frozen=True, slots=True)
class Owed:
    """A signature that a record waits for: its meaning, and in which roles it may be given.

    `by` is the one person who owes it; where it is `None`, anybody else does.
    """

    meaning: str
    by: str | None
    roles: tuple[str, ...]


def owed(declared: definition.Event, awaiting: Awaiting) -> tuple[Owed, ...]:
    """The signatures that a report still waits for: its actor's, and another person's."""
    asked = declared.signature
    if asked is None:
        return ()
    first = any(one.actor == awaiting.actor for one in awaiting.given)
    second = any(one.actor != awaiting.actor for one in awaiting.given)
    found = [] if first else [Owed(asked.meaning, awaiting.actor, declared.roles)]
    if asked.second and not second:
        found.append(Owed(asked.second_meaning, None, asked.roles or declared.roles))
    return tuple(found)


def signed_after(
    snapshot: Snapshot, event: Event, decision: Decision
) -> Mapping[str, Intended]:  # fmt: skip
    """The events that were signed beforehand and did not come yet, after a decision."""
    held = snapshot.signed
    if event.id in held:
        return {name: one for name, one in held.items() if name != event.id}
    act = event.signing.act if event.signing is not None else None
    if act is None or isinstance(decision, Refused):
        return held
    before = held.get(act.id, Intended(digest_of(event.body["data"]["event"]), ()))
    after = Intended(before.digest, (*before.given, _given(snapshot, event)))
    return _newest({**held, act.id: after}, INTENDED, lambda one: one[1].given[-1].seq)


def unsigned_after(
    machine: Machine, snapshot: Snapshot, event: Event, decision: Decision
) -> Mapping[str, Awaiting]:
    """The records that wait for a signature, after a decision."""
    held, declared = snapshot.unsigned, machine.events.get(event.name)
    if isinstance(decision, Refused):
        return held
    if declared is not None and declared.signature is not None and declared.kind is Kind.REPORT:
        waits = Awaiting(event.name, event.actor.id, ())
        made = {**held, str(snapshot.seq + 1): waits}
        return _newest(made, AWAITED, lambda one: int(one[0]))
    signing = event.signing
    awaiting = None if signing is None else held.get(str(signing.record))
    if signing is None or awaiting is None:
        return held
    asked = machine.events[awaiting.event].signature
    if asked is None or signing.meaning not in (asked.meaning, asked.second_meaning):
        return held
    after = replace(awaiting, given=(*awaiting.given, _given(snapshot, event)))
    left = {name: one for name, one in held.items() if name != str(signing.record)}
    if is_complete(asked, awaiting.actor, after.given):
        return left
    return {**held, str(signing.record): after}


def _against_act(
    machine: Machine, snapshot: Snapshot, event: Event, act: Event
) -> Reason | None:  # fmt: skip
    declared = machine.events[act.name]
    asked, intended = declared.signature, snapshot.signed.get(act.id)
    if asked is None:
        return Reason.NOT_A_SIGNER
    if intended is not None and intended.digest != digest_of(event.body["data"]["event"]):
        return Reason.ALTERED
    given = () if intended is None else _in_time(asked, snapshot, intended)
    if (why := _against_person(asked, event, act.actor.id, given)) is not None:
        return why
    return _against_role(asked, declared.roles, event, act.actor.id)


def _against_record(
    machine: Machine, event: Event, signing: Signing, awaiting: Awaiting
) -> Reason | None:
    declared = machine.events[awaiting.event]
    asked = declared.signature
    if asked is None or signing.meaning not in (asked.meaning, asked.second_meaning):
        return None  # a signature of somebody whom nobody asked for one
    if (why := _against_person(asked, event, awaiting.actor, awaiting.given)) is not None:
        return why
    return _against_role(asked, declared.roles, event, awaiting.actor)


def _against_person(
    asked: Signature, event: Event, actor: str, given: tuple[Given, ...]
) -> Reason | None:
    """Whether the signer signed before, or is not whom the meaning is asked of."""
    signing = _of(event)
    if any(event.actor.id == one.actor or signing.proof.by == one.by for one in given):
        return Reason.SAME_SIGNER
    if signing.meaning == asked.second_meaning and asked.second and event.actor.id == actor:
        return Reason.SAME_SIGNER
    return None


def _against_role(
    asked: Signature, roles: tuple[str, ...], event: Event, actor: str
) -> Reason | None:
    first = event.actor.id == actor
    meaning = asked.meaning if first else asked.second_meaning
    may = roles if first else (asked.roles or roles)
    if not first and not asked.second:
        return Reason.NOT_A_SIGNER
    if _of(event).meaning != meaning or event.actor.role not in may:
        return Reason.NOT_A_SIGNER
    return None


def _in_time(declared: Signature, snapshot: Snapshot, intended: Intended) -> tuple[Given, ...]:
    """The signatures that are not too old by now."""
    if declared.within is None:
        return intended.given
    oldest = snapshot.decided_at - declared.within
    return tuple(one for one in intended.given if one.at >= oldest)


def _given(snapshot: Snapshot, event: Event) -> Given:
    return Given(event.actor.id, _of(event).proof.by, snapshot.seq + 1, snapshot.decided_at)


def _newest(
    held: dict[str, _T], most: int, age: Callable[[tuple[str, _T]], int]
) -> dict[str, _T]:  # fmt: skip
    return held if len(held) <= most else dict(sorted(held.items(), key=age)[-most:])


def _blank(part: Any) -> Any:  # noqa: ANN401  # JSON
    """A part of an event with nothing in place of a text that was sealed."""
    if isinstance(part, dict):
        if part.keys() == {"sha256"}:
            return None
        return {name: _blank(inner) for name, inner in part.items()}
    return [_blank(inner) for inner in part] if isinstance(part, list) else part


def _of(event: Event) -> Signing:
    if event.signing is None:
        raise TypeError(f"{event.name} is no signature")
    return event.signing

"""One row of the audit log: what was sent, what was decided and why, and what changed.

The bytes that are hashed are the bytes that are stored; verification never writes them again. The
members are spelled here by hand and are never renamed: a log outlives the code that wrote it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.core.encoding import Json, canonical, instant_text
from engine.core.finding import Finding
from engine.core.outcome import Attempt, Decision, Fired, Message, Refused, Taken, Weighed, verdict
from engine.core.quick import quick

FORMAT = 1
GENESIS = "0" * 64
"""What the first record of a chain names as its predecessor."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as stored. `body` is the exact text that `hash` is of; the rest is taken from it."""

    course: str
    seq: int
    event_id: str
    event: str
    verdict: str
    at: datetime | None
    recorded_at: datetime
    prev_hash: str
    hash: str
    body: bytes


def hash_of(body: bytes) -> str:
    """The SHA-256 of a record's bytes, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def written(
    *,
    tenant: str,
    course: str,
    seq: int,
    digest: str,
    prose_digest: str,
    version: str,
    event: Mapping[str, Any],
    at: datetime | None,
    recorded_at: datetime,
    civil: Mapping[str, str],
    states: tuple[str | None, str],
    decision: Json,
    word: str,
    changes: Json,
    prev_hash: str,
) -> Record:
    """The record of a decision, chained to the one before it."""
    body = canonical(
        {
            "format": FORMAT,
            "tenant": tenant,
            "course": course,
            "seq": seq,
            "workflow": digest,
            "prose": prose_digest,
            "engine": version,
            "event": event,
            "recorded_at": instant_text(recorded_at),
            "civil": civil,
            "state": list(states),
            "verdict": word,
            "decision": decision,
            "changes": changes,
            "prev": prev_hash,
        }
    )
    return Record(
        course=course,
        seq=seq,
        event_id=event["id"],
        event=event["event"],
        verdict=word,
        at=at,
        recorded_at=recorded_at,
        prev_hash=prev_hash,
        hash=hash_of(body),
        body=body,
    )


def decision_json(decision: Decision) -> dict[str, Json]:
    """A decision with its findings, as recorded and as answered to the caller."""
    if isinstance(decision, Refused):
        return _lean(
            verdict="refused",
            reason=decision.reason.value,
            late=decision.late,
            attempts=[_attempt(a) for a in decision.attempts],
        )
    return _taken(decision)


def _taken(decision: Taken) -> dict[str, Json]:
    return _lean(
        verdict=verdict(decision),  # type: ignore[arg-type]  # Taken is Accepted or Deviation
        transition=decision.transition,
        late=decision.late,
        another_open=decision.another_open,
        conflicts=list(decision.conflicts),
        signed=list(decision.signed),
        weighed=list(map(_weighed, decision.weighed)),
        attempts=list(map(_attempt, decision.attempts)),
        fired=list(map(_fired, decision.fired)),
        unknown={rule: list(names) for rule, names in decision.unknown.items()},
        no=list(decision.no),
        moved_by=decision.moved_by,
        advice=list(decision.advice),
        messages=list(map(message_json, decision.messages)),
    )


def message_json(message: Message) -> dict[str, Json]:
    """A message as the outbox holds it."""
    return _lean(kind=message.kind, about=message.about, advice=list(message.advice))


def _weighed(weighed: Weighed) -> dict[str, Json]:
    return _lean(
        guard=weighed.guard,
        verdict=weighed.verdict.value,
        passed=weighed.passed,
        findings=[finding_json(f) for f in weighed.findings],
    )


def _attempt(attempt: Attempt) -> dict[str, Json]:
    return {"transition": attempt.transition, "kept_by": [_weighed(w) for w in attempt.kept_by]}


def _fired(fired: Fired) -> dict[str, Json]:
    return _lean(
        rule=fired.rule,
        action=fired.action,
        delivered=fired.delivered,
        advice=list(fired.advice),
        findings=[finding_json(f) for f in fired.findings],
    )


def finding_json(finding: Finding) -> dict[str, Json]:
    """One comparison: what, how compared, with which value of which record, and the verdict."""
    return _lean(
        what=finding.what,
        op=finding.op,
        value=finding.value,
        threshold=finding.threshold,
        verdict=finding.verdict.value,
        record=finding.record,
        at=None if finding.at is None else instant_text(finding.at),
        missing=[str(m) for m in finding.missing],
    )


def _lean(**members: Json) -> dict[str, Json]:
    """Without what is absent, empty or false: a record is kept for ever, so it is kept small."""
    return {
        name: value
        for name, value in members.items()
        if value or type(value) is int  # zero is a number
    }

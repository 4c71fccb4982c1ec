"""Decisions to store, without a workflow that made them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from engine.core.encoding import canonical, instant_text
from engine.core.record import GENESIS, Record, written
from engine.core.sealing import SealedText
from engine.core.snapshot import Armed, Booking, Window
from engine.core.view import Reading
from engine.ports import Definition, Outgoing, Store, Transaction, Write

TENANT = "clinic"
NOON = datetime(2009, 3, 2, 12, 0, 0, 1, tzinfo=UTC)
"""With a microsecond, which a database that rounds would lose."""


DAY = NOON.date()
WINDOW = Window(1, DAY, DAY + timedelta(days=1), DAY + timedelta(days=2))

PROSE = b'{"title":"t"}'


def definition(name: str = "il2", version: str = "1", prose: bytes = PROSE) -> Definition:
    semantic = canonical({"name": name, "version": version, "unit": "µg"})
    return Definition(
        digest=f"sha256:{hashlib.sha256(semantic).hexdigest()}",
        name=name,
        version=version,
        semantic=semantic,
        prose_digest=f"sha256:{hashlib.sha256(prose).hexdigest()}",
        prose=prose,
    )


IL2 = definition()


def decision(
    course: str = "C-1",
    seq: int = 1,
    *,
    event_id: str | None = None,
    previous: Record | None = None,
    tenant: str = TENANT,
    patient: str | None = None,
    workflow: Definition = IL2,
    state: str = "planned",
    site: str = "north",
    open: bool = True,  # noqa: A002  # the word of the row
    reported: bool = False,
    at: datetime | None = NOON,
    readings: Sequence[Reading] = (),
    timers: Mapping[str, Armed | None] | None = None,
    visits: Mapping[str, Window | None] | None = None,
    booking: tuple[str, Booking, date] | None = None,
    messages: Sequence[Outgoing] = (),
    texts: Sequence[SealedText] = (),
    erased: Sequence[tuple[int, str]] = (),
    padding: int = 0,
    waits: str | None = None,
    questions: int = 0,
    findings: int = 0,
    conflicts: str | None = None,
) -> Write:
    """The `seq`th decision on a course, made on the one before it."""
    named = event_id or f"{course}-{seq}"
    record = written(
        tenant=tenant,
        course=course,
        seq=seq,
        digest=workflow.digest,
        prose_digest=workflow.prose_digest,
        version="0",
        event={"id": named, "event": "noted", "at": at and instant_text(at), "note": "é"},
        at=at,
        recorded_at=NOON + timedelta(seconds=seq),
        civil={},
        states=(None if seq == 1 else state, state),
        decision={"verdict": "accepted", "because": "x" * padding},
        word="accepted",
        changes={},
        prev_hash=GENESIS if previous is None else previous.hash,
    )
    return Write(
        before_seq=seq - 1,
        record=record,
        row=canonical({"course": course, "seq": seq, "head": record.hash, "name": "é"}),
        workflow=workflow.name,
        digest=workflow.digest,
        patient=patient or f"patient of {course}",
        site=site,
        state=state,
        stage="escalation",
        revision=seq,
        open=open,
        reported=reported,
        zone="America/Los_Angeles",
        readings=readings,
        timers=timers or {},
        visits=visits or {},
        booking=booking,
        messages=messages,
        texts=texts,
        erased=erased,
        waits=waits,
        questions=questions,
        findings=findings,
        conflicts=conflicts,
    )


@dataclass(frozen=True, slots=True)
class Clinic:
    """A tenant of a store, so that tests that share a database do not meet."""

    store: Store
    tenant: str

    def writing(self) -> AbstractContextManager[Transaction]:
        return self.store.transaction(self.tenant)

    def alone(self) -> AbstractContextManager[Transaction]:
        return self.store.transaction(self.tenant, alone=True)

    def reading(self) -> AbstractContextManager[Transaction]:
        return self.store.transaction(self.tenant, write=False)

    def decision(self, course: str = "C-1", seq: int = 1, **more: Any) -> Write:
        return decision(course, seq, tenant=self.tenant, **more)

    def stored(self, *writes: Write, workflows: Sequence[Definition] = (IL2,)) -> Write:
        """The last of the decisions, all of them committed."""
        with self.writing() as tx:
            for workflow in workflows:
                tx.define(workflow)
            for write in writes:
                tx.append(write)
        return writes[-1]

    def begun(self, course: str = "C-1", **more: Any) -> Write:
        """A course with its first decision, committed."""
        return self.stored(self.decision(course, **more))

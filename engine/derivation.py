"""What is kept of a course beside its records, made again from the records alone.

- The columns of its row, which worklists are made from, timers, visits, bookings, readings,
  messages and review queues are *copies*: what the records say, where a database can search it.
- Texts are none: they are erasable, and the records hold what they are known by again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from engine.core.calendar import Recorded
from engine.core.encoding import Json, canonical, instant_from
from engine.core.event import BOOKINGS, ERASED, REVIEWED
from engine.core.machine import Machine
from engine.core.queues import Queues
from engine.core.record import Record
from engine.core.row import window_from
from engine.core.scheduling import booked, conflicts
from engine.core.snapshot import Armed, Booking, Snapshot
from engine.core.view import Calendar, Reading
from engine.core.walk import Machines, Walk
from engine.formalities import Place, erasable
from engine.ports import Calendars, Copies, CourseLine, Outgoing, Transaction, Waiting

CHANGED = Outgoing(kind="course.changed", body=b"{}")
"""What is said of every record that changed its course, for those who keep a copy in step."""

REFUSED = Outgoing(kind="course.refused", body=b"{}")
SIGNED_OFF = Outgoing(kind="course.reviewed", body=b"{}")
"""What is said of a record that changed nothing, so that the feed speaks of every record."""


def messages_of(event: str, decision: Mapping[str, Any]) -> tuple[Outgoing, ...]:
    """What a record says to others, from the name of its event and its decision as recorded."""
    if decision["verdict"] == "refused":
        return (REFUSED,)
    if event == REVIEWED:
        return (SIGNED_OFF,)
    said = decision.get("messages", ())
    return (*(Outgoing(kind=one["kind"], body=canonical(one)) for one in said), CHANGED)


def against(machine: Machine, snapshot: Snapshot, calendar: Calendar) -> str | None:
    """What speaks against the live bookings of a course, in words apart by spaces."""
    if not snapshot.bookings:
        return None
    seen = replace(snapshot, calendar=calendar)
    found = {word for one in snapshot.bookings.values() for word in conflicts(machine, seen, one)}
    return " ".join(sorted(found)) or None


class Derivation:
    """A course's copies, record by record.

    `tx` is asked for the records that an erasure names, and for no copy.
    """

    def __init__(self, tx: Transaction, course: str, machines: Machines) -> None:
        self._tx = tx
        self._course = course
        self._machines = machines
        self._walk = Walk(machines)
        self._queues = Queues()
        self._readings: list[Reading] = []
        self._messages: list[Waiting] = []
        self._bookings: dict[str, tuple[Booking, date, int]] = {}
        self._texts: dict[Place, str] = {}
        self._erased: set[Place] = set()

    def take(self, record: Record, body: Mapping[str, Any]) -> None:
        """Go on by one more record, whose parsed bytes are `body`.

        Raises UnknownWorkflow and DefinitionError, and LookupError, ValueError, TypeError,
        AttributeError and InvalidInput where nothing can be made of what it says.
        """
        taken = body["verdict"] != "refused"
        if taken and record.event in BOOKINGS:
            self._book(record, body)
        if taken and record.event == ERASED:
            self._erase(body)
        self._readings += self._walk.take_over(record, body)
        self._queues.take(record, body)
        for n, one in enumerate(messages_of(record.event, body["decision"]), 1):
            self._messages.append(
                Waiting(
                    course=self._course, seq=record.seq, n=n, kind=one.kind, body=one.body,
                    recorded_at=record.recorded_at,
                )
            )  # fmt: skip
        if b'"sha256":' in record.body:
            for path, digest in _sealed(body["event"], ""):
                self._texts[record.seq, path] = digest

    def copies(self, calendars: Calendars) -> Copies | None:
        """All of them, as they are after the last record; `None` without any.

        Whether a booking conflicts is judged by today's zone data, as each record judges it anew.
        """
        row, snapshot = self._walk.row, self._walk.snapshot
        if row is None or snapshot is None:
            return None
        machine = self._machines(row["digest"])
        state = machine.states[row["state"]]
        line = CourseLine(
            course=self._course,
            workflow=machine.workflow.name,
            digest=row["digest"],
            patient=row["patient"],
            site=row["site"],
            state=row["state"],
            stage=state.stage,
            seq=row["seq"],
            revision=row["revision"],
            open=not state.closed,
            waits=state.waits,
            questions=len(row["questions"]),
            findings=len(row.get("open_findings", ())),
            unsigned=len(row.get("unsigned", ())),
            conflicts=against(machine, snapshot, calendars.of(row["zone"])),
        )
        return Copies(
            line=line,
            zone=row["zone"],
            row=canonical(row),
            timers={n: Armed(instant_from(due), seq) for n, (due, seq) in row["timers"].items()},
            visits={name: window_from(items) for name, items in row["visits"].items()},
            bookings=self._bookings,
            readings=self._readings,
            messages=self._messages,
            reviews=tuple(self._queues.items.values()),
            texts=self._texts,
            erased=frozenset(self._erased),
        )

    def _book(self, record: Record, body: Mapping[str, Any]) -> None:
        before = self._walk.snapshot
        event = self._machines(body["workflow"]).forms.reread(body["event"])
        found = None if before is None else booked(before, event)
        if found is not None and event.scheduling is not None:
            day = Recorded(body["civil"]).civil_date(found.start)
            self._bookings[event.scheduling.booking or ""] = found, day, record.seq

    def _erase(self, body: Mapping[str, Any]) -> None:
        event = self._machines(body["workflow"]).forms.reread(body["event"])
        kept = sorted(self._texts.keys() - self._erased)
        self._erased.update(erasable(_Then(self._tx, kept), event))


@dataclass(frozen=True, slots=True)
class _Then:
    """What an erasure found: the texts that were there then."""

    tx: Transaction
    kept: Sequence[Place]

    def kept_texts(self, course: str) -> Sequence[Place]:  # noqa: ARG002  # of one course
        return self.kept

    def record(self, course: str, seq: int) -> Record | None:
        return self.tx.record(course, seq)


def _sealed(node: Json, place: str) -> Iterator[tuple[str, str]]:
    """The free texts of a recorded event: where each was, and the digest that is in its place."""
    if isinstance(node, dict):
        if node.keys() == {"sha256"}:
            yield place, node["sha256"]
            return
        for name, part in node.items():
            yield from _sealed(part, f"{place}.{name}" if place else name)
    elif isinstance(node, list):
        for n, part in enumerate(node):
            yield from _sealed(part, f"{place}.{n}")

"""Use cases' answers as JSON. No route spells them itself, so that each thing looks alike."""

from __future__ import annotations

import json
from collections.abc import Mapping

from engine.answer import Answer
from engine.core.definition import Workflow
from engine.core.encoding import Json, instant_text
from engine.core.inquiry import Option
from engine.core.machine import Machine
from engine.core.marks import Marks, entered_late
from engine.core.record import Record, finding_json
from engine.core.scheduling import conflicts
from engine.core.signatory import Signed
from engine.core.snapshot import Booking, Snapshot, Window
from engine.item import open_finding_json
from engine.ports import CourseLine
from engine.service import RecordPage, Status
from engine.web.problems import missing_of


def windows(visits: Mapping[str, Window]) -> list[Json]:
    """Visits that are due, the earliest first."""
    ordered = sorted(visits.items(), key=lambda item: (item[1].earliest, item[0]))
    return [
        {
            "visit": name,
            "number": window.number,
            "earliest": window.earliest.isoformat(),
            "target": window.target.isoformat(),
            "latest": window.latest.isoformat(),
            "not_before": None if window.not_before is None else instant_text(window.not_before),
        }
        for name, window in ordered
    ]


def bookings(machine: Machine, snapshot: Snapshot) -> list[Json]:
    """The bookings that are not over, with what speaks against each now."""
    ordered = sorted(snapshot.bookings.items(), key=lambda item: (item[1].start, item[0]))
    return [_booking(name, one, conflicts(machine, snapshot, one)) for name, one in ordered]


def course_line(line: CourseLine) -> Json:
    names = ("course", "workflow", "digest", "patient", "site", "state", "stage", "seq")
    more = ("revision", "open", "waits", "questions", "findings", "unsigned")
    return {name: getattr(line, name) for name in (*names, *more)}


def course(status: Status) -> dict[str, Json]:
    """A course as it stands."""
    row, machine, snapshot = status.row, status.machine, status.snapshot
    state = machine.states[row["state"]]
    names = ("course", "digest", "patient", "site", "zone", "retrospective", "state", "round")
    more = ("seq", "revision", "last_at", "recorded_at", "head", "variables")
    return {
        **{name: row[name] for name in (*names, *more)},
        "workflow": machine.workflow.label,
        "state_title": state.title or state.name,
        "stage": state.stage,
        "closed": state.closed,
        "waits": None if state.waits is None else state.waits.value,
        "visits": windows(snapshot.visits),
        "bookings": bookings(machine, snapshot),
        "timers": [
            {"name": name, "due": instant_text(armed.due)}
            for name, armed in sorted(snapshot.timers.items(), key=lambda item: item[1].due)
        ],
        "open_findings": [
            open_finding_json(int(name), one)
            for name, one in sorted(snapshot.open_findings.items())
        ],
        "questions": [
            {"rule": rule, "missing": list(names)} for rule, names in snapshot.questions.items()
        ],
    }


def option(found: Option) -> Json:
    """What could be sent, and which requirements are not met."""
    return {
        "event": found.event,
        "kind": found.kind.value,
        "title": found.title or found.event,
        "roles": list(found.roles),
        "target": found.target,
        "verdict": found.verdict.value,
        "requirements": [
            {
                "guard": one.guard,
                "verdict": one.verdict.value,
                "findings": [finding_json(finding) for finding in one.findings],
                "missing": [str(item) for item in one.missing],
            }
            for one in found.requirements
        ],
        "signature": found.signature,
    }


def answer(found: Answer) -> dict[str, Json]:
    """An answer as it is given again, byte for byte, when the same event comes again."""
    return {
        "course": found.course,
        "event": found.event,
        "id": found.event_id,
        "seq": found.seq,
        "verdict": found.verdict,
        "state_before": found.state_before,
        "state": found.state,
        "digest": found.digest,
        "decision": found.decision,
    }


def trial(found: Answer, revision: int, signature: Json) -> dict[str, Json]:
    """What would become of an event on a revision, and the windows that would follow.

    `signature` is what the event asks to be signed.
    """
    return {
        "course": found.course,
        "event": found.event,
        "verdict": found.verdict,
        "state_before": found.state_before,
        "state": found.state,
        "revision": revision,
        "decision": found.decision,
        "missing": missing_of(found.decision),
        "visits": windows(found.visits),
        "signature": signature,
    }


def record(page: RecordPage, found: Record, signed: Signed, names: Mapping[int, str]) -> Json:
    """A record as it was hashed, what is said of it by now, and who signed it or is still to."""
    said = page.marks.get(found.seq) or Marks()
    return {
        "seq": found.seq,
        "hash": found.hash,
        "record": json.loads(found.body),
        "late_entry": entered_late(found, retrospective=page.retrospective),
        "marks": said.json(),
        "signatures": [{**one.json(), "printed_name": names.get(one.seq)} for one in signed.given],
        "unsigned": list(signed.missing),
    }


def workflow_line(workflow: Workflow, digest: str, *, enrolling: bool) -> dict[str, Json]:
    return {
        "name": workflow.name,
        "version": workflow.version,
        "label": workflow.label,
        "digest": digest,
        "title": workflow.title,
        "enrolling": enrolling,
    }


def _booking(name: str, booking: Booking, found: tuple[str, ...]) -> Json:
    return {
        "booking": name,
        "visit": booking.visit,
        "number": booking.number,
        "start": instant_text(booking.start),
        "minutes": booking.minutes,
        "status": booking.status,
        "conflicts": list(found),
    }

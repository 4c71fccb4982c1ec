"""The course row as JSON: a cache of what the records say, and what changes it.

A record holds the changes that its event made to the row; the row is the sum of the changes of all
records. That is why a replay needs no definition, and why the two can be compared byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any

from engine.core.encoding import (
    Json,
    date_from,
    decode_value,
    encode_value,
    instant_from,
    instant_text,
)
from engine.core.event import REVIEWED
from engine.core.machine import Machine
from engine.core.record import Record
from engine.core.snapshot import (
    NONE,
    Armed,
    Arranged,
    Awaiting,
    Booking,
    Given,
    Intended,
    OpenFinding,
    Snapshot,
    Window,
)
from engine.core.view import Calendar, Reading

OPTIONAL = ("bookings", "arranged", "open_findings", "signed", "unsigned", "legal_holds")
"""Sections that are left out while nothing is in them: rows from before them have none."""
SECTIONS = (
    *("variables", "latest", "firing", "questions", "timers", "fired", "visits", "civil"),
    *OPTIONAL,
)
_held = attrgetter(*SECTIONS)
HEAD = ("digest", "prose", "patient", "site", "zone", "retrospective", "state", "round", "last_at")


def first_changes(machine: Machine, snapshot: Snapshot) -> dict[str, Json]:
    """What the first record sets: the whole row."""
    head: dict[str, Json] = {
        "digest": machine.digest,
        "prose": machine.prose_digest,
        "patient": snapshot.patient,
        "site": snapshot.site,
        "zone": snapshot.zone,
        "retrospective": snapshot.retrospective,
        "state": snapshot.state,
        "round": snapshot.round,
        "last_at": None if snapshot.last_at is None else instant_text(snapshot.last_at),
    }
    sections = {
        name: _section_changes({}, getattr(snapshot, name), _ENCODE[name]) for name in SECTIONS
    }
    return head | {name: section for name, section in sections.items() if section}


def changes(before: Snapshot, after: Snapshot) -> dict[str, Json]:
    """What an event changed: members of the row, and within sections only what differs.

    A member that went away is null. `seq`, `revision` and the hash of the head follow from the
    record itself.
    """
    found: dict[str, Json] = {}
    if before.state != after.state:
        found["state"] = after.state
    if before.round != after.round:
        found["round"] = after.round
    if before.last_at != after.last_at and after.last_at is not None:
        found["last_at"] = instant_text(after.last_at)
    for name, old, new in zip(SECTIONS, _held(before), _held(after), strict=True):
        if old is not new and (section := _section_changes(old, new, _ENCODE[name])):
            found[name] = section
    return found


def patched(
    row: Mapping[str, Json] | None,
    delta: Mapping[str, Json],
    *,
    course: str,
    seq: int,
    still: bool,
    head: str,
    recorded_at: str,
) -> dict[str, Json]:
    """The row after a record; `still` where it is none that a new revision follows from."""
    if row is None:
        row = {"course": course, "revision": 1, **{n: {} for n in SECTIONS if n not in OPTIONAL}}
    after = {**row, "seq": seq, "head": head, "recorded_at": recorded_at}
    if not still:
        after["revision"] = seq
    for name, value in delta.items():
        if name in _ENCODE:
            section = {**row.get(name, _EMPTY), **value}
            if None in value.values():
                section = {key: item for key, item in section.items() if item is not None}
            after[name] = section
            if name in OPTIONAL and not section:
                del after[name]
        else:
            after[name] = value
    return after


def is_still(event: str, verdict: str) -> bool:
    """Whether a record leaves the course as whoever looked at it saw it: refused, or a review."""
    return verdict == "refused" or event == REVIEWED


def stamp(record: Record) -> str:
    """When a record was recorded, as the row keeps it."""
    return instant_text(record.recorded_at)


def sections(machine: Machine, row: Mapping[str, Json]) -> dict[str, Any]:
    """The typed sections of a row, for a snapshot."""
    kinds = machine.variables
    inputs = machine.inputs
    return {
        "variables": dict.fromkeys(kinds)
        | {name: decode_value(kinds[name].kind, value) for name, value in row["variables"].items()},
        "latest": {
            name: reading_from(name, inputs[name].kind, item)
            for name, item in row["latest"].items()
        },
        **common(row),
    }


def common(row: Mapping[str, Json]) -> dict[str, Any]:
    """The typed sections of a row that every definition reads alike."""
    return Sections().common(row)


class Sections:
    """The typed sections of a row, record after record.

    A record leaves most of them as they are, and those are not read again: `patched` keeps their
    identity.
    """

    __slots__ = ("_said", "_typed")

    def __init__(self) -> None:
        self._said: dict[str, Json] = {}
        self._typed: dict[str, Any] = {}

    def common(self, row: Mapping[str, Json]) -> dict[str, Any]:
        """The sections that every definition reads alike."""
        for name, read in _DECODE.items():
            said = row[name] if name in row or name not in OPTIONAL else _EMPTY
            if self._said.get(name) is not said:
                self._typed[name] = {key: read(item) for key, item in said.items()}
                self._said[name] = said
        return dict(self._typed)


def snapshot_of(
    machine: Machine,
    row: Mapping[str, Json],
    *,
    calendar: Calendar,
    decided_at: datetime,
) -> Snapshot:
    """The snapshot that a row makes, without any readings but the latest."""
    return snapshot_with(
        row,
        sections(machine, row),
        digest=row["digest"],
        calendar=calendar,
        decided_at=decided_at,
    )


def snapshot_with(
    row: Mapping[str, Json],
    held: Mapping[str, Any],
    *,
    digest: str,
    calendar: Calendar,
    decided_at: datetime,
) -> Snapshot:
    """The snapshot of a row whose sections are `held`, as the definition of `digest` sees it."""
    return Snapshot(
        course=row["course"],
        digest=digest,
        patient=row["patient"],
        site=row["site"],
        zone=row["zone"],
        retrospective=row["retrospective"],
        state=row["state"],
        round=row["round"],
        seq=row["seq"],
        revision=row["revision"],
        calendar=calendar,
        readings=NONE,
        decided_at=decided_at,
        last_at=None if row["last_at"] is None else instant_from(row["last_at"]),
        **held,
    )


def reading_json(reading: Reading) -> list[Json]:
    """A reading in a row: value, time, date, record, length in seconds, flaw, what it corrects."""
    items = [
        encode_value(reading.value),
        None if reading.at is None else instant_text(reading.at),
        None if reading.on is None else reading.on.isoformat(),
        reading.seq,
        None if reading.over is None else _seconds(reading.over),
        reading.flaw,
        reading.corrects,
    ]
    while items[-1] is None:
        items.pop()
    return items


def reading_from(name: str, kind: str, items: list[Json]) -> Reading:
    """The reading that `reading_json` wrote."""
    value, at, on, seq, over, flaw, corrects = items + [None] * (7 - len(items))
    return Reading(
        name,
        decode_value(kind, value),
        None if at is None else instant_from(at),
        None if on is None else date_from(on),
        seq,
        None if over is None else timedelta(seconds=float(Decimal(over))),
        flaw,
        corrects,
    )


def window_from(items: list[Json]) -> Window:
    """The window that a row holds."""
    number, earliest, target, latest, *gap = items
    days = date_from(earliest), date_from(target), date_from(latest)
    return Window(number, *days, instant_from(gap[0]) if gap else None)


def booking_from(items: list[Json]) -> Booking:
    """The booking that a row holds."""
    visit, number, start, minutes, status, changed = items
    return Booking(visit, number, instant_from(start), minutes, status, changed)


def arranged_from(items: list[Json]) -> Arranged:
    """What a row holds of a visit that is deferred, omitted or ceased."""
    how, number, until = items
    return Arranged(how, number, None if until is None else date_from(until))


def _armed_from(items: list[Json]) -> Armed:
    due, seq = items
    return Armed(instant_from(due), seq)


def _intended_from(items: list[Json]) -> Intended:
    digest, given = items
    return Intended(digest, _given_from(given))


def _given_from(items: list[Json]) -> tuple[Given, ...]:
    return tuple(Given(actor, by, seq, instant_from(at)) for actor, by, seq, at in items)


def _given_json(given: tuple[Given, ...]) -> list[Json]:
    return [[one.actor, one.by, one.seq, instant_text(one.at)] for one in given]


def awaiting_from(items: list[Json]) -> Awaiting:
    """The record that waits for signatures, as a row holds it."""
    event, actor, given = items
    return Awaiting(event, actor, _given_from(given))


def finding_from(items: list[Json]) -> OpenFinding:
    """The open finding that a row holds."""
    correction, record, name, decisions = items
    return OpenFinding(correction, record, name, tuple(decisions))


def _seconds(length: timedelta) -> str:
    whole = Decimal(length.days * 86400 + length.seconds)
    return str(whole + Decimal(length.microseconds) / 1_000_000 if length.microseconds else whole)


def _section_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], encode: Callable[[Any], Json]
) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, value in after.items():
        known = before.get(name)
        # Most are the same object as before, which is seen at once.
        if known is not value and known != value:
            found[name] = None if value is None else encode(value)
    if not before.keys() <= after.keys():
        gone = [name for name in before if name not in after]
        found |= {name: None for name in gone if before[name] is not None}
    return found


_ENCODE: Mapping[str, Callable[[Any], Json]] = {
    "variables": encode_value,
    "latest": reading_json,
    "civil": lambda instant: instant,
    "firing": lambda seq: seq,
    "questions": list,
    "timers": lambda armed: [instant_text(armed.due), armed.seq],
    "fired": instant_text,
    "visits": lambda w: [
        w.number,
        w.earliest.isoformat(),
        w.target.isoformat(),
        w.latest.isoformat(),
        *([] if w.not_before is None else [instant_text(w.not_before)]),
    ],
    "bookings": lambda b: [
        b.visit,
        b.number,
        instant_text(b.start),
        b.minutes,
        b.status,
        b.changes,
    ],
    "open_findings": lambda f: [f.correction, f.record, f.input, list(f.decisions)],
    "arranged": lambda a: [a.how, a.number, None if a.until is None else a.until.isoformat()],
    "signed": lambda one: [one.digest, _given_json(one.given)],
    "unsigned": lambda one: [one.event, one.actor, _given_json(one.given)],
    "legal_holds": lambda seq: seq,
}
_DECODE: Mapping[str, Callable[[Any], Any]] = {
    "civil": lambda instant: instant,
    "firing": lambda seq: seq,
    "questions": tuple,
    "timers": _armed_from,
    "fired": instant_from,
    "visits": window_from,
    "bookings": booking_from,
    "arranged": arranged_from,
    "signed": _intended_from,
    "unsigned": awaiting_from,
    "legal_holds": lambda seq: seq,
    "open_findings": finding_from,
}
_EMPTY: Mapping[str, Json] = {}

"""OCEL 2.0 as JSON: every record an event, with the objects that it is about.

Objects are courses, patients (pseudonyms), sites, rounds of a course and its visits. A course's
state, and the window of a visit, are attributes that change. Events are written as they are read;
what is learnt of objects waits in a temporary file until all events are there, and the names that
were seen already in another, so that memory does not grow.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Any, TextIO

from engine.core.encoding import Json
from engine.core.event import BOOKINGS
from engine.mining.happening import Case, Happening, Of
from engine.mining.log import Told

ALWAYS = "1970-01-01T00:00:00Z"
"""The time of an attribute that never changes, as the standard has it."""

COURSE, PATIENT, SITE, ROUND, VISIT = "course", "patient", "site", "round", "visit"
OBJECTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    COURSE: (
        ("workflow", "string"),
        ("definition", "string"),
        ("status", "string"),
        ("retrospective", "boolean"),
        ("state", "string"),
    ),
    PATIENT: (),
    SITE: (),
    ROUND: (("number", "integer"),),
    VISIT: (
        ("name", "string"),
        ("number", "integer"),
        ("earliest", "string"),
        ("target", "string"),
        ("latest", "string"),
    ),
}
"""The types of objects, with the types of their attributes."""

EVENT: tuple[tuple[str, str], ...] = (
    ("event", "string"),
    ("verdict", "string"),
    ("step", "string"),
    ("lifecycle", "string"),
    ("resource", "string"),
    ("role", "string"),
    ("state_before", "string"),
    ("state_after", "string"),
    ("round", "integer"),
    ("record", "integer"),
    ("late", "boolean"),
    ("happened_at", "time"),
    ("overridden", "string"),
    ("rules", "string"),
)
"""The attributes that every type of event has."""


class OcelLog:
    """An object-centric log on its way out."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._types: dict[str, dict[str, None]] = {}
        self.courses = 0
        self.events = 0

    def write(self, cases: Iterable[tuple[Case, Iterable[Told]]]) -> None:
        """The whole log."""
        with TemporaryFile("w+", encoding="utf-8") as objects:
            seen = _Seen()
            try:
                self._out.write('{"events": [')
                for case, told in cases:
                    self.courses += 1
                    _Course(self, case, objects, seen).write(told)
                self._out.write('\n],\n"objects": [')
                objects.seek(0)
                copyfileobj(objects, self._out)
            finally:
                seen.close()
        types = [{"name": name, "attributes": _typed(listed)} for name, listed in OBJECTS.items()]
        self._out.write('\n],\n"objectTypes": ' + _json(types))
        events = [
            {
                "name": name,
                "attributes": _typed((*EVENT, *((f"data:{v}", "string") for v in values))),
            }
            for name, values in sorted(self._types.items())
        ]
        self._out.write(',\n"eventTypes": ' + _json(events) + "}\n")

    def event(self, one: Happening, name: str, about: Iterable[tuple[str, str]]) -> None:
        """One event, with the objects that it is about: identity and what it is to it."""
        self._types.setdefault(one.activity, {}).update(dict.fromkeys(one.values))
        said: dict[str, Json] = {
            **{word: getattr(one, word) for word in ("event", "verdict", "lifecycle", "role")},
            **{word: getattr(one, word) for word in ("round", "record", "late")},
            "step": one.of.value,
            "resource": one.actor,
            "state_before": one.before,
            "state_after": one.after,
            "happened_at": one.at,
            "overridden": " ".join(one.overridden) or None,
            "rules": " ".join(one.rules) or None,
            **{f"data:{word}": value for word, value in one.values.items()},
        }
        self._out.write(",\n" if self.events else "\n")
        self.events += 1
        self._out.write(
            _json(
                {
                    "id": name,
                    "type": one.activity,
                    "time": one.recorded_at,
                    "attributes": [
                        {"name": word, "value": value}
                        for word, value in said.items()
                        if value is not None
                    ],
                    "relationships": [
                        {"objectId": other, "qualifier": how} for other, how in about
                    ],
                }
            )
        )


class _Course:
    """One course: its events go out, its objects to the file where they wait."""

    def __init__(self, log: OcelLog, case: Case, objects: TextIO, seen: _Seen) -> None:
        self._log, self._case, self._objects, self._seen = log, case, objects, seen
        self._id = f"course:{case.course}"
        self._states: list[tuple[str, str]] = []
        self._due: dict[str, str] = {}
        self._visits: dict[str, list[Json]] = {}
        self._rounds: dict[int, None] = {}

    def write(self, told: Iterable[Told]) -> None:
        case = self._case
        patient, site = f"patient:{case.patient}", f"site:{case.site}"
        for name in (patient, site):
            if self._seen.first(name):
                self._object(name, name.partition(":")[0], (), ())
        for one, changes in told:
            if not self._states or self._states[-1][1] != one.after:
                self._states.append((one.recorded_at, one.after))
            self._rounds[one.round] = None
            about = [(self._id, "course"), (patient, "patient"), (site, "site")]
            about.append((self._round(one.round), "round"))
            about += self._about_visits(one, changes)
            name = f"{case.course}/{one.record}"
            self._log.event(one, f"{name}/rule" if one.of is Of.RULE else name, about)
        self._finish(patient, site)

    def _finish(self, patient: str, site: str) -> None:
        case = self._case
        fixed: tuple[tuple[str, Json], ...] = (
            ("workflow", case.workflow.label),
            ("definition", case.digest),
            ("status", case.status),
            ("retrospective", case.retrospective),
        )
        attributes = [*((n, ALWAYS, v) for n, v in fixed)]
        attributes += [("state", at, state) for at, state in self._states]
        self._object(self._id, COURSE, attributes, ((patient, "of"), (site, "at")))
        for number in self._rounds:
            one = (("number", ALWAYS, number),)
            self._object(self._round(number), ROUND, one, ((self._id, "of"),))
        for name, values in self._visits.items():
            self._object(name, VISIT, [tuple(value) for value in values], ((self._id, "of"),))

    def _about_visits(
        self, one: Happening, changes: Mapping[str, Any]
    ) -> Iterable[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for name, window in changes.get("visits", {}).items():
            if (ended := self._due.pop(name, None)) is not None and window is None:
                found.append((ended, "ends"))
            if window is not None:
                number, earliest, target, latest, *_ = window
                self._due[name] = visit = self._visit(name, number)
                days = (("earliest", earliest), ("target", target), ("latest", latest))
                self._visits[visit] += [[word, one.recorded_at, day] for word, day in days]
                found.append((visit, "is due after"))
        booked = changes.get("bookings", {}).values() if one.event in BOOKINGS else ()
        meant = (items for items in booked if items is not None and items[1] is not None)
        return [*found, *((self._visit(name, number), one.event) for name, number, *_ in meant)]

    def _visit(self, name: str, number: int) -> str:
        visit = f"visit:{self._case.course}/{name}/{number}"
        fixed: list[Json] = [["name", ALWAYS, name], ["number", ALWAYS, number]]
        self._visits.setdefault(visit, fixed)
        return visit

    def _round(self, number: int) -> str:
        return f"round:{self._case.course}/{number}"

    def _object(
        self,
        name: str,
        kind: str,
        attributes: Iterable[tuple[str, str, Json]],
        related: Iterable[tuple[str, str]],
    ) -> None:
        self._objects.write(",\n" if self._seen.any else "\n")
        self._seen.any = True
        self._objects.write(
            _json(
                {
                    "id": name,
                    "type": kind,
                    "attributes": [
                        {"name": word, "time": at, "value": value} for word, at, value in attributes
                    ],
                    "relationships": [
                        {"objectId": other, "qualifier": how} for other, how in related
                    ],
                }
            )
        )


class _Seen:
    """The names that came by, in a temporary file."""

    def __init__(self) -> None:
        self.any = False
        self._names = sqlite3.connect("")
        self._names.execute("CREATE TABLE seen (name TEXT PRIMARY KEY) WITHOUT ROWID")

    def first(self, name: str) -> bool:
        """Whether a name comes by for the first time."""
        added = self._names.execute("INSERT OR IGNORE INTO seen VALUES (?)", (name,))
        return added.rowcount == 1

    def close(self) -> None:
        self._names.close()


def _typed(attributes: Iterable[tuple[str, str]]) -> list[Json]:
    return [{"name": name, "type": kind} for name, kind in attributes]


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)

"""Erasure, legal holds, and what an erasure does not reach.

An erasure destroys free texts with their salts and leaves every proof green: the records hold
salted commitments only. It is a record itself, with who asked and on which legal basis. It is
refused while a legal hold is in force, which is no hold of treatment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.answer import Answer
from engine.core.encoding import instant_text
from engine.core.event import ERASED, FORMAT, LEGAL_HOLD_PLACED, LEGAL_HOLD_RELEASED
from engine.core.record import Record
from engine.errors import NotFound
from engine.formalities import as_before
from engine.permission import Caller, Role
from engine.service import Service
from engine.store.custody import Scrubbed, SqlCustody


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A place that an erasure does not reach, or did.

    `found` is how much is there, and `None` where nobody can look from here.
    """

    place: str
    found: int | None
    what: str


class Privacy:
    """What is asked of the records of one tenant for the sake of the persons in them."""

    def __init__(self, service: Service, custody: SqlCustody) -> None:
        self._service = service
        self._custody = custody

    def erase(
        self,
        by: Caller,
        course: str,
        *,
        id: str,  # noqa: A002  # its word
        basis: str,
        record: int | None = None,
        path: str | None = None,
    ) -> Answer:
        """Erase one text, those of a record, or all of a course but the printed names of signers.

        `basis` is the code of the legal basis. A refusal is an answer. Raises as `submit` does.
        """
        named = {"record": record, "path": path}
        data = {name: part for name, part in named.items() if part is not None}
        return self._sent(by, course, ERASED, id=id, code=basis, data=data)

    def place_hold(self, by: Caller, course: str, *, id: str, hold: str, reason: str) -> Answer:  # noqa: A002  # its word
        """Keep all texts of a course from being erased, until the hold is released by its name."""
        return self._sent(by, course, LEGAL_HOLD_PLACED, id=id, code=reason, data={"hold": hold})

    def release_hold(self, by: Caller, course: str, *, id: str, hold: str, reason: str) -> Answer:  # noqa: A002  # its word
        """End a legal hold. A refusal, where there is none of that name, is an answer."""
        return self._sent(by, course, LEGAL_HOLD_RELEASED, id=id, code=reason, data={"hold": hold})

    def holds(self, course: str) -> Mapping[str, int]:
        """The legal holds in force, by the record that placed each. Raises NotFound."""
        found: Mapping[str, int] = self._service.place(course).row.get("legal_holds", {})
        return found

    def texts(self, course: str) -> int:
        """How many free texts of a course were not erased. Raises NotFound."""
        with self._service.store.transaction(self._service.tenant, write=False) as tx:
            if not tx.last_seq(course):
                raise NotFound(course)
            return len(tx.kept_texts(course))

    def scrub(self, *, rewrite: bool) -> Scrubbed:
        """Get rid of the bytes of what was erased, as far as the database does that for us."""
        return self._custody.scrub(rewrite=rewrite)

    def reach(self, course: str) -> list[Reached]:
        """Where something of a course may be that an erasure does not reach. Raises NotFound."""
        records = self._service.records(course)
        counts = self._custody.counts(self._service.tenant, course)
        return [
            *_in_tables(counts),
            *_in_records(records),
            *_in_bytes(self._custody.kind, self._custody.traces()),
            *(Reached(place=place, found=None, what=what) for place, what in ELSEWHERE.items()),
        ]

    def _sent(  # what an event is made of
        self,
        by: Caller,
        course: str,
        name: str,
        *,
        id: str,  # noqa: A002  # its word
        code: str,
        data: Mapping[str, Any],
    ) -> Answer:
        body = {
            "format": FORMAT,
            "id": id,
            "course": course,
            "event": name,
            "at": instant_text(self._service.setting.clock.now()),
            "actor": {"id": by.id, "role": role_of(by)},
            "data": dict(data),
            "reason": {"code": code},
        }
        with self._service.store.transaction(self._service.tenant, write=False) as tx:
            body = as_before(tx, body)
        return self._service.submit(body)


def role_of(by: Caller) -> str:
    """In which role somebody asks for custody of the records."""
    return (Role.RECORDS if Role.RECORDS in by.roles else Role.ADMINISTRATOR).value


ELSEWHERE: Mapping[str, str] = {
    "backups": "a copy that was made before holds the texts: erase there too, or let it expire",
    "bundles and reports": "an export holds no text, but what was read or printed left with it",
    "receivers": "webhooks and the feed carry ids only; what a receiver asked for then, it has",
    "logs": "log lines hold ids and never a text; what others log around the engine is theirs",
    "disks": "the blocks of a file that grew shorter, snapshots and swap are the system's",
}
"""Where nobody can look from here."""


def _in_tables(counts: Mapping[str, int]) -> Iterator[Reached]:
    said = {
        "texts": "free texts that were not erased, printed names of signers included",
        "readings": "readings stay: what was measured is a fact, and bears no name",
        "bookings": "bookings stay, under the identifiers of the scheduling system",
        "messages": "messages of the outbox: a kind and ids, and no text",
        "deliveries": "messages that were sent to endpoints, or are to be: ids, and no text",
        "calendars": "secret calendars of this course that were shared",
        "access_log": "entries of the access log that name the course",
        "exports": "exports of the course, and those of the whole tenant or since a day",
        "same_patient": "other courses of the same pseudonym, with texts of their own",
    }
    for name, what in said.items():
        yield Reached(place=name.replace("_", " "), found=counts[name], what=what)
    what = "no FHIR resource is kept, only the events that some became, under ids made of theirs"
    yield Reached(place="FHIR resources", found=0, what=what)


def _in_records(records: list[Record]) -> Iterator[Reached]:
    events = [json.loads(record.body)["event"] for record in records]
    actors = {event["actor"]["id"] for event in events}
    actors |= {one["by"] for event in events if (one := event.get("data", {}).get("proof"))}
    ids = [event["id"] for event in events if not event["id"].startswith("timer:")]
    codes = [event for event in events if event.get("reason") or event.get("override")]
    yield Reached(
        place="pseudonyms",
        found=2,
        what="the course and its patient, in every record: whoever keeps the list knows who it is",
    )
    yield Reached(
        place="actor ids", found=len(actors), what="ids of who sent and signed, in the records"
    )
    yield Reached(
        place="event ids",
        found=len(ids),
        what="ids that senders chose: one that holds a name or a number of a person stays",
    )
    yield Reached(
        place="codes",
        found=len(codes),
        what="records with reason or override codes, and the coded and measured data of all",
    )


def _in_bytes(kind: str, traces: Mapping[str, int | str | None]) -> Iterator[Reached]:
    if kind == "sqlite":
        ahead = int(traces["ahead_bytes"] or 0)
        yield Reached(
            place="write-ahead log",
            found=ahead,
            what="bytes beside the file that may hold what was erased, until they are brought in",
        )
        yield Reached(
            place="free pages",
            found=int(traces["free_pages"] or 0),
            what="pages that hold nothing any more; they are overwritten when they become free",
        )
        yield Reached(
            place="moved rows",
            found=None,
            what="copies on pages from which rows were moved: --scrub writes the file anew",
        )
        return
    dead = int(traces["dead_rows"] or 0)
    last = traces["last_vacuum"] or "never"
    yield Reached(
        place="dead rows", found=dead, what=f"of the table of texts, last vacuumed: {last}"
    )
    yield Reached(
        place="vacuumed pages",
        found=None,
        what="bytes of dead rows until they are overwritten: --scrub writes the table anew",
    )
    standbys = int(traces["standbys"] or 0) + int(traces["slots"] or 0)
    archive = traces["archive_mode"]
    yield Reached(
        place="write-ahead log",
        found=None,
        what=f"segments hold the texts until they are recycled (archive_mode is {archive})",
    )
    yield Reached(
        place="standbys", found=standbys, what="standbys and slots: they erase what they replay"
    )

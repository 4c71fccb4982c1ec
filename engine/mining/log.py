"""The courses of a log, one after the other, with what happened in each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.core.record import Record
from engine.errors import InvalidInput
from engine.mining.happening import Case, Happening, Of, Reading
from engine.ports import CourseLine
from engine.service import Service

Told = tuple[Happening, Mapping[str, Any]]
"""A happening, and what its record changed in the row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which courses, and how much of them.

    `digest` is a definition, `site` a site. `finished` leaves out courses that are on their way.
    `refusals` adds what was asked for and not granted, `values` what events brought.
    """

    digest: str | None = None
    site: str | None = None
    finished: bool = False
    refusals: bool = False
    values: bool = False

    def takes(self, line: CourseLine) -> bool:
        """Whether a course belongs to it."""
        return (
            self.digest in (None, line.digest)
            and self.site in (None, line.site)
            and not (self.finished and line.open)
        )


def courses(service: Service, wanted: Wanted) -> Iterator[CourseLine]:
    """The courses that are wanted, by name."""
    return (line for line in service.courses() if wanted.takes(line))


def digest_named(service: Service, name: str) -> str:
    """The digest that a name, `name@version` or digest stands for among the stored definitions.

    Raises InvalidInput for a name of several, which are listed, and for one that is not stored.
    """
    with service.store.transaction(service.tenant, write=False) as tx:
        stored = tx.definitions()
    found = [d for d in stored if name in (d.digest, d.name, f"{d.name}@{d.version}")]
    if len(found) == 1:
        return found[0].digest
    several = ", ".join(f"{d.name}@{d.version} ({d.digest})" for d in found or stored)
    raise InvalidInput("--workflow", f"one stored definition: {several}", found=repr(name))


def opened(service: Service, line: CourseLine, wanted: Wanted) -> tuple[Case, Iterator[Told]]:
    """A course and, as they are asked for, its happenings up to where it stood when listed."""
    with service.store.transaction(service.tenant, write=False) as tx:
        machine = service.setting.registry.machine(line.digest, tx)
        first = tx.record(line.course, 1)
    case = Case(
        course=line.course,
        patient=line.patient,
        site=line.site,
        digest=line.digest,
        workflow=machine.workflow,
        retrospective=first is not None and b'"retrospective":true' in first.body,
        closed=not line.open,
    )
    return case, _told(service, line, Reading(machine.workflow, values=wanted.values), wanted)


def _told(service: Service, line: CourseLine, reading: Reading, wanted: Wanted) -> Iterator[Told]:
    with service.store.transaction(service.tenant, write=False) as tx:
        for record in tx.records(line.course):
            if record.seq > line.seq:
                return
            yield from _of(record, reading, wanted)


def _of(record: Record, reading: Reading, wanted: Wanted) -> Iterator[Told]:
    for told in reading.happenings(record):
        if wanted.refusals or told[0].of is not Of.REFUSAL:
            yield told

"""Everything about one course in one document: as a page to print, and as a PDF.

Both are made from the same values, and say nothing of when they were made: the same course, asked
for again, gives the same bytes. The PDF is set by `typst`, with the fonts that it brings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib.resources import files
from importlib.util import find_spec

from markupsafe import Markup

from engine.core.encoding import Json
from engine.findings import plain
from engine.pages.course import Head
from engine.pages.records import Chain, Line, Signed
from engine.telling.marks import MARKS
from engine.telling.wording import Said, Tone

LONG = 24
"""A record of more lines may be broken over two pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """What a dossier holds. `until` is when its last record was recorded.

    `standing` is what is open, and how far it is proved. `busiest` is a part of the timeline that
    has room in a picture of its own only.
    """

    head: Head
    chain: Chain
    standing: Sequence[Said]
    timeline: Markup
    busiest: Markup | None
    states: Markup
    lines: Sequence[Line]
    questions: Sequence[Said]
    readings: Sequence[Mapping[str, Json]]
    variables: Sequence[Mapping[str, Json]]
    until: datetime


def can_be_set() -> bool:
    """Whether the library is there that sets a PDF; it comes with an extra."""
    return find_spec("typst") is not None


def pdf(dossier: Dossier) -> bytes:
    """The dossier as a PDF."""
    import typst  # noqa: PLC0415  # an extra brings it

    made: bytes = typst.compile(
        (files("engine.pages") / "static" / "dossier.typ").read_bytes(),
        sys_inputs={
            "data": json.dumps(_data(dossier), ensure_ascii=False),
            "timeline": _standing_alone(dossier.timeline),
            "busiest": "" if dossier.busiest is None else _standing_alone(dossier.busiest),
            "states": _standing_alone(dossier.states),
        },
        ignore_system_fonts=True,
        timestamp=int(dossier.until.timestamp()),
        format="pdf",
    )
    return made


def standing(told: Mapping[str, Json], lines: Sequence[Line]) -> Iterable[Said]:
    """What waits for somebody, what does not hold, and how many records the ledger has."""
    for one in told["open_findings"]:
        yield Said(f"Open {plain(one)}.", Tone.DEVIATION)
    for line in lines:
        if line.unsigned:
            yield Said(f"Record {line.seq} is unsigned: {', '.join(line.unsigned)}.", Tone.UNKNOWN)
        if not all(one.holds for one in line.signed):
            yield Said(f"Record {line.seq} has a signature that does not hold.", Tone.NO)
    signed = sum(bool(line.signed) for line in lines)
    if signed and all(one.holds for line in lines for one in line.signed):
        yield Said(f"Every signature holds: {signed} records have one.", Tone.YES)
    yield _sealing(lines)


def _sealing(lines: Sequence[Line]) -> Said:
    sealed = [line.sealed for line in lines if line.sealed is not None]
    if not all(one.holds for one in sealed):
        return Said("The ledger's proof of a record does not hold.", Tone.NO)
    if len(sealed) < len(lines):
        said = f"{len(sealed)} of {len(lines)} records are sealed in the ledger."
        return Said(said, Tone.UNKNOWN)
    if all(one.written_down for one in sealed):
        return Said("Every record is sealed in the ledger, under a checkpoint.", Tone.YES)
    return Said("Every record is sealed in the ledger; not all are under a checkpoint yet.",
                Tone.UNKNOWN)  # fmt: skip


def news(lines: Iterable[Line]) -> list[Line]:
    """The records without the open questions that the record before had as well."""
    found: list[Line] = []
    known: frozenset[Said] = frozenset()
    for line in lines:
        if line.said is None:
            found.append(line)
            continue
        open_ = frozenset(one for one in line.said.below if one.tone is Tone.UNKNOWN)
        left = tuple(one for one in line.said.below if one not in open_ & known)
        found.append(replace(line, said=replace(line.said, below=left)))
        if line.verdict != "refused":
            known = open_
    return found


def _data(dossier: Dossier) -> dict[str, Json]:
    head = dossier.head
    return {
        "course": head.course,
        "title": head.title,
        "facts": [
            ["Patient", head.patient],
            ["Workflow", head.workflow],
            ["Definition", head.digest],
            ["State", f"{head.state}{f' ({head.waits})' if head.waits else ''}"],
            ["Stage", head.stage],
            ["Round", str(head.round)],
            ["Site", f"{head.site}, {head.zone}"],
            ["Last event", head.last_at],
            ["Records", f"{head.records}, revision {head.revision}"],
            ["Chain", dossier.chain.fault or "every stored byte has its hash, and all follow"],
        ],
        "standing": [_said(one) for one in dossier.standing],
        "questions": [_said(one) for one in dossier.questions],
        "readings": [[one["title"], one["said"], one["when"] or "", str(one["record"])]
                     for one in dossier.readings],
        "variables": [[one["title"], one["said"]] for one in dossier.variables],
        "records": [_record(line) for line in dossier.lines],
    }  # fmt: skip


def _record(line: Line) -> dict[str, Json]:
    return {
        "seq": str(line.seq),
        "at": line.at,
        "recorded": line.recorded,
        "title": line.title,
        "role": line.role,
        "verdict": line.verdict,
        "tone": line.tone.value,
        "state": line.after,
        "moved": line.moved,
        "sent": [
            {"name": one.name, "value": one.value, "struck": one.how, "not_used": one.impossible}
            for one in line.sent
        ],
        "notes": list(line.notes),
        "texts": [[one.name, one.text] for one in line.texts if one.name != "Printed name"],
        "signed": [[one.holds, _signature(one)] for one in line.signed],
        "unsigned": ", ".join(line.unsigned),
        "said": [] if line.said is None else [_said(one) for one in line.said.below],
        "long": line.said is not None and len(line.said.lines()) > LONG,
        "hash": line.hash,
        "leaf": "not sealed"
        if line.sealed is None
        else f"leaf {line.sealed.index} of the ledger"
        if line.sealed.holds
        else "the ledger's proof does not hold",
    }


def _signature(one: Signed) -> str:
    who = f"{one.name} ({one.actor})" if one.name else one.actor
    late = ", late" if one.late else ""
    return f"{who}, {one.role}, {one.meaning}, {one.at}{late}; record {one.seq}"


def _said(one: Said) -> dict[str, Json]:
    below = [_said(line) for line in one.below if line.tone is not Tone.SOURCE]
    return {"text": one.text, "mark": MARKS.get(one.tone, ""), "tone": one.tone, "below": below}


def _standing_alone(picture: Markup) -> str:
    """A picture with its own colours: outside of a page no style sheet reaches it."""
    start = picture.index(">") + 1
    return f"{picture[:start]}<style>{_colours()}</style>{picture[start:]}"


@cache
def _colours() -> str:
    return (files("engine.pages") / "static" / "dossier.css").read_text("utf-8")

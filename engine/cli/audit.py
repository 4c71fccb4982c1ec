"""`regimen verify`, `replay`, `export` and `relied-on`: what an auditor asks.

None of them writes to a database, and a bundle that `export` wrote needs none.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from engine.audit import Auditor, Bundle, read_bundle
from engine.cli.exits import Exit
from engine.cli.session import Session, command
from engine.core import history
from engine.core.encoding import Json, canonical
from engine.core.record import Record
from engine.errors import InvalidInput, NotFound

STDIN, DATABASE = "-", "database"
_GONE = "record 1: gap: every record of the course is gone"
Named = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[COURSE|FILE]...",
        help="Courses, or files that `export` wrote (- is stdin); else every course.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Audit")(verify)
    app.command(rich_help_panel="Audit")(replay)
    app.command(rich_help_panel="Audit")(export)
    app.command("relied-on", rich_help_panel="Audit")(relied_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found of one course; `wrong` is empty when nothing is wrong with it.

    `head` is the hash of the last record: noted elsewhere, it shows later that none was cut off.
    """

    course: str
    source: str
    records: int
    head: str
    wrong: tuple[str, ...] = ()

    def json(self) -> Json:
        return {
            "course": self.course,
            "source": self.source,
            "records": self.records,
            "head": self.head,
            "whole": not self.wrong,
            "wrong": list(self.wrong),
        }


@command
def verify(session: Session, names: Named = None) -> None:
    """Prove that nothing was changed: every record, its link, and the row that they add up to.

    Exits with 1 when a course was tampered with, naming the first bad record and what is wrong.
    """
    found = [
        _verified_file(name) if _is_file(name) else _verified(session.auditor(), name)
        for name in _watched(session, names)
    ]
    _answer(session, found, "whole")


@command
def replay(
    session: Session,
    names: Named = None,
    *,
    re_decide: Annotated[
        bool,
        typer.Option(
            "--re-decide", help="Weigh every guard again, from the stored definition alone."
        ),
    ] = False,
) -> None:
    """Rebuild each course from its records and hold it against its row.

    Exits with 1 when anything diverges; every difference is listed.
    """
    found = [
        _replayed_file(name, re_decide=re_decide)
        if _is_file(name)
        else _replayed(session.auditor(), name, re_decide=re_decide)
        for name in _watched(session, names)
    ]
    _answer(session, found, "decided again alike" if re_decide else "adds up to its row")


@command
def export(
    session: Session,
    course: Annotated[str, typer.Argument(metavar="COURSE")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Else to stdout.")
    ] = None,
) -> None:
    """Write a course with its definitions to one file, to be verified without a database.

    Free texts stay where they can be erased: the file holds their hashes.
    """
    bundle = session.auditor().export(course) + b"\n"
    if out is None:
        typer.echo(bundle, nl=False)
        return
    try:
        out.write_bytes(bundle)
    except OSError as wrong:
        raise InvalidInput("--out", "a file that can be written", found=str(wrong)) from wrong
    digest = "sha256:" + sha256(bundle).hexdigest()
    session.answer(
        {"course": course, "file": str(out), "bytes": len(bundle), "digest": digest},
        lambda console: console.print(
            f"Wrote {out}, {len(bundle)} bytes. Prove it with: regimen verify {out}",
            soft_wrap=True,
        ),
    )


@command
def relied_on(
    session: Session,
    course: Annotated[str, typer.Argument(metavar="COURSE")],
    record: Annotated[int, typer.Argument(metavar="RECORD", min=1)],
    input_name: Annotated[str, typer.Argument(metavar="INPUT")],
) -> None:
    """List the later decisions that could see the reading which a record brought."""
    found = session.auditor().relied_on(course, record, input_name)

    def tell(out: Console) -> None:
        table = Table("Record", "Event", "Verdict", "Guards", box=None)
        for one in found:
            table.add_row(str(one.seq), one.event, one.verdict, ", ".join(one.guards))
        out.print(table if found else "No later decision looked at it.")

    session.answer(
        {
            "course": course,
            "record": record,
            "input": input_name,
            "decisions": [
                {"seq": r.seq, "event": r.event, "verdict": r.verdict, "guards": list(r.guards)}
                for r in found
            ],
        },
        tell,
    )


def _verified(auditor: Auditor, course: str) -> Checked:
    records, _ = _stored(auditor, course)
    if not records:
        return _checked(course, DATABASE, records, (_GONE,))
    fault = auditor.verify(course)
    return _checked(course, DATABASE, records, () if fault is None else (str(fault),))


def _replayed(auditor: Auditor, course: str, *, re_decide: bool) -> Checked:
    records, row = _stored(auditor, course)
    fault = history.verify(records, course=course, tenant=auditor.tenant)
    if not records:
        wrong = [_GONE]
    elif fault is not None:  # what the records say is worth nothing, then
        wrong = [str(fault)]
    else:
        wrong = list(_row_differences(history.replay(records) or {}, row))
        wrong += map(str, auditor.decide_again(course) if re_decide else ())
    return _checked(course, DATABASE, records, wrong)


def _verified_file(name: str) -> Checked:
    try:
        bundle = _bundle(name)
    except InvalidInput as wrong:
        if not wrong.field.startswith(("records[", "definitions[")):
            raise
        # It is a bundle, and what it holds was changed.
        return _checked("?", name, (), (str(wrong),))
    fault = bundle.verify()
    return _checked(bundle.course, name, bundle.records, () if fault is None else (str(fault),))


def _replayed_file(name: str, *, re_decide: bool) -> Checked:
    bundle = _bundle(name)
    fault = bundle.verify()
    if fault is not None:
        wrong = [str(fault)]
    else:
        wrong = [str(found) for found in bundle.decide_again()] if re_decide else []
    return _checked(bundle.course, name, bundle.records, wrong)


def _stored(auditor: Auditor, course: str) -> tuple[list[Record], bytes | None]:
    """The records and the row of a course, of one moment. Raises NotFound without either."""
    with auditor.store.transaction(auditor.tenant, write=False) as tx:
        records, row = list(tx.records(course)), tx.row(course)
    if not records and row is None:
        raise NotFound(course)
    return records, row


def _checked(course: str, source: str, records: Sequence[Record], wrong: Iterable[str]) -> Checked:
    return Checked(
        course=course,
        source=source,
        records=len(records),
        head=records[-1].hash if records else "",
        wrong=tuple(wrong),
    )


def _row_differences(replayed: Mapping[str, Any], stored: bytes | None) -> Iterator[str]:
    """Every member of the row that is not what the records add up to."""
    if stored is None:
        yield "row: expected one, but it is gone"
        return
    if stored == canonical(replayed):
        return
    try:
        row = json.loads(stored)
    except ValueError:
        yield "row: not JSON"
        return
    flat, kept = dict(_members(replayed)), dict(_members(row))
    places = dict.fromkeys([*flat, *kept])
    differing = [place for place in places if flat.get(place) != kept.get(place)]
    for place in differing:
        again, now = (json.dumps(found.get(place)) for found in (flat, kept))
        yield f"row: {place}: the records add up to {again}, the row says {now}"
    if not differing:
        yield "row: the same values, in other bytes"


def _members(row: Mapping[str, Any]) -> Iterator[tuple[str, Json]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{part}", inner) for part, inner in value.items())
        else:
            yield name, value


def _watched(session: Session, names: Iterable[str] | None) -> Iterator[str]:
    """The courses and files that were named, or every course, with a bar where a person watches."""
    wanted = list(names or [line.course for line in session.service().courses()])
    yield from track(
        wanted, "Checking", console=session.err, transient=True,
        disable=len(wanted) < 2 or not session.err.is_terminal,
    )  # fmt: skip


def _answer(session: Session, found: Sequence[Checked], good: str) -> None:
    bad = [one for one in found if one.wrong]

    def tell(out: Console) -> None:
        for one in found:
            where = "" if one.source == DATABASE else f" in {one.source}"
            if not one.wrong:
                told = f"{one.course}{where}: {one.records} records, {good}, head {one.head[:16]}"
                out.print(told, soft_wrap=True)
            for wrong in one.wrong:
                out.print(f"{one.course}{where}: {wrong}", style="red", soft_wrap=True)
        if len(found) > 1 or not found:
            out.print(f"{len(found)} courses, {len(bad)} with something wrong.")

    session.answer({"ok": not bad, "courses": [one.json() for one in found]}, tell)
    if bad:
        raise typer.Exit(Exit.NO)


def _is_file(name: str) -> bool:
    return name == STDIN or Path(name).is_file()


def _bundle(name: str) -> Bundle:
    try:
        data = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    except OSError as wrong:
        raise InvalidInput(name, "a file that can be read", found=str(wrong)) from wrong
    return read_bundle(data)

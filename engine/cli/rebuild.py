"""`regimen rebuild`: what is kept of courses beside their records, written anew from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from engine.audit import ALL_GONE
from engine.cli.exits import Exit
from engine.cli.notes import Keys, read_checkpoint, verifiers_of
from engine.cli.session import Session, command
from engine.core.encoding import Json
from engine.core.history import Fault, Mismatch
from engine.log_entry import Logged

LEFT = "left as it is: it may be the last trace of records that are gone, which a backup may have"


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(rich_help_panel="Audit")(rebuild)


@command
def rebuild(
    session: Session,
    courses: Annotated[
        list[str] | None, typer.Argument(metavar="[COURSE]...", help="Else every course.")
    ] = None,
    held: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", metavar="FILE", help="A checkpoint that was kept elsewhere."),
    ] = None,
    key: Keys = None,
) -> None:
    """Write anew, from the records, what `verify` finds is not what they add up to.

    That is the row of a course with what worklists are made from, its timers, visits, bookings,
    review queues and messages. Nothing is written where the ledger, or the records of the course,
    are not whole; and what is kept of a course without any record is left, since it may be the last
    trace of records that are gone. Readings, texts and definitions only grow. What is wrong and
    stays so is named, and the command exits with 1. What is about to be done is in the access log
    before it is.
    """
    notes = [read_checkpoint(file) for file in held or ()]
    trusted = verifiers_of(key) if key else []
    service = session.service()
    from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

    flaws = bootstrap.inspection(service, notes, trusted).flaws
    if flaws:
        document: Json = {"ok": False, "courses": [], "ledger": [str(flaw) for flaw in flaws]}
        session.answer(document, lambda out: _tell(out, [f"ledger: {flaw}" for flaw in flaws]))
        raise typer.Exit(Exit.NO)
    auditor, rebuilder = session.auditor(), bootstrap.rebuilder(service)
    traces = _by_course(bootstrap.strays(service), courses)
    wanted = [name for name in courses or auditor.courses() if name not in traces]
    found = list[_Done]()
    for course in track(
        wanted, "Rebuilding", console=session.err, transient=True,
        disable=len(wanted) < 2 or not session.err.is_terminal,
    ):  # fmt: skip
        fault = auditor.verify(course)
        if fault is not None and fault.kind == "row":
            session.note(Logged.REBUILT, {"course": course, "seq": fault.seq, "kind": fault.kind})
            done = rebuilder.rebuild(course)
            found.append(_Done(course, done.tables, _all(done.left)))
        elif fault is not None:
            gone = fault.what == ALL_GONE
            found.append(_Done(course, (), _all(fault), is_trace=gone))
    told = _counted(len(wanted), found)
    found += [_Done(name, (), tuple(map(str, its)), is_trace=True) for name, its in traces.items()]
    wrong = any(one.wrong for one in found)
    lines = [line for one in found for line in one.lines()]
    document = {"ok": not wrong, "courses": [one.json() for one in found]}
    session.answer(document, lambda out: _tell(out, [*lines, told]))
    if wrong:
        raise typer.Exit(Exit.NO)


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of a course: the tables that were written anew, and what is wrong still.

    `is_trace` says that there is no record of it, for which what is kept of it was left.
    """

    course: str
    tables: Sequence[str]
    wrong: Sequence[str]
    is_trace: bool = False

    def lines(self) -> Iterator[str]:
        if self.tables:
            yield f"{self.course}: {', '.join(self.tables)} written anew"
        for wrong in self.wrong:
            yield f"{self.course}: {wrong}"
        if self.is_trace:
            yield f"{self.course}: {LEFT}"

    def json(self) -> Json:
        return {
            "course": self.course,
            "rebuilt": list(self.tables),
            "wrong": list(self.wrong),
            "left": LEFT if self.is_trace else None,
        }


def _by_course(
    found: Iterable[Mismatch], courses: Sequence[str] | None
) -> dict[str, list[Mismatch]]:  # fmt: skip
    """What is kept of courses that are not there, of those that were asked for."""
    traces = defaultdict[str, list[Mismatch]](list)
    for one in found:
        name = str(one.key["course"])
        if not courses or name in courses:
            traces[name].append(one)
    return dict(sorted(traces.items()))


def _all(fault: Fault | None) -> tuple[str, ...]:
    return () if fault is None else (str(fault),)


def _counted(wanted: int, found: Sequence[_Done]) -> str:
    told = f"{wanted} course{'s'[: wanted != 1]}, {wanted - len(found)} as their records say"
    anew = sum(1 for one in found if not one.wrong)
    return f"{told}, {anew} written anew." if found else f"{told}."


def _tell(out: Console, lines: list[str]) -> None:
    for line in lines:
        out.print(line, soft_wrap=True)

"""`regimen rebuild`: what is kept of courses beside their records, written anew from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from engine.cli.exits import Exit
from engine.cli.notes import Keys, read_checkpoint, verifiers_of
from engine.cli.session import Session, command
from engine.core.encoding import Json
from engine.permission import Logged


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
    are not whole. Readings, texts and definitions only grow: what is wrong with those stays, and
    the command exits with 1. What is about to be done is in the access log before it is.
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
    found, lines, wrong = list[Json](), list[str](), False
    wanted = list(courses or auditor.courses())
    for course in track(
        wanted, "Rebuilding", console=session.err, transient=True,
        disable=len(wanted) < 2 or not session.err.is_terminal,
    ):  # fmt: skip
        fault = auditor.verify(course)
        if fault is None:
            continue
        session.note(Logged.REBUILT, {"course": course, "seq": fault.seq, "kind": fault.kind})
        done = rebuilder.rebuild(course)
        wrong = wrong or done.left is not None
        left = None if done.left is None else str(done.left)
        if done.tables:
            lines.append(f"{course}: {', '.join(done.tables)} written anew")
        if left is not None:
            lines.append(f"{course}: {left}")
        found.append({"course": course, "rebuilt": list(done.tables), "wrong": left})
    good = len(wanted) - len(found)
    anew = sum(1 for one in found if one["wrong"] is None)
    told = f"{len(wanted)} course{'s'[: len(wanted) != 1]}, {good} as their records say"
    lines.append(f"{told}, {anew} written anew." if found else f"{told}.")
    session.answer({"ok": not wrong, "courses": found}, lambda out: _tell(out, lines))
    if wrong:
        raise typer.Exit(Exit.NO)


def _tell(out: Console, lines: list[str]) -> None:
    for line in lines:
        out.print(line, soft_wrap=True)

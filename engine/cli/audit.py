"""`regimen verify`, `replay` and `relied-on`: what an auditor asks.

None of them changes a course, and a bundle that `export` wrote needs no database. What is looked at
in one is in its access log, where that may be written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from engine.bundle.proof import Proof
from engine.cli.checked import (
    DATABASE,
    NO_COURSE,
    Checked,
    is_file,
    named_like_a_file,
    played_file,
    replayed,
    replayed_file,
    verified,
    verified_file,
)
from engine.cli.exits import Exit
from engine.cli.notes import Keys, read_checkpoint, verifiers_of
from engine.cli.plain import on_one_line
from engine.cli.playback import played_back
from engine.cli.sealed import Sealed
from engine.cli.session import Session, command
from engine.core.encoding import Json
from engine.core.note import Head, Note, VerifierKey
from engine.core.playback import Sense
from engine.errors import InvalidInput, NotFound, StoreUnavailable
from engine.log_entry import Logged
from engine.verification import Verified

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
    app.command("relied-on", rich_help_panel="Audit")(relied_on)


@command
def verify(
    session: Session,
    names: Named = None,
    held: Annotated[
        list[Path] | None,
        typer.Option(
            "--checkpoint",
            metavar="FILE",
            help="A checkpoint that was kept elsewhere. Over everything it may be repeated: "
            "the last that agrees says from where on something is different.",
        ),
    ] = None,
    key: Keys = None,
) -> None:
    """Prove that nothing was changed: every record, its link, and all that is kept beside them.

    Over everything, the ledger is held against the records too, and with --checkpoint against what
    was kept elsewhere: only that tells when all was made anew. So are the tables that are no single
    course's: feed, definitions, tokens, the access log. Of a file that `export` wrote, also
    that each record is in the tree of its checkpoint, which continues the one that is held. --key
    names who must have signed. Exits with 1 when something was tampered with, naming the first bad
    record and what is wrong.
    """
    notes = [read_checkpoint(file) for file in held or ()]
    trusted = verifiers_of(key) if key else []
    found: list[Checked] = []
    auditor = cache(session.auditor)
    for name in _watched(session, names):
        if is_file(name):
            found += verified_file(name, _proof(notes, trusted))
        elif names and (notes or trusted):
            expected = "no courses beside it: everything, or files that `export` wrote"
            raise InvalidInput("--checkpoint", expected, found=name)
        else:
            found.append(_looked_up(name, lambda one: verified(auditor(), one)))
    if names:
        _note(session, found, "verify")
        _answer(session, found)
        return
    ledger = _ledger(session, notes, trusted)
    _note_everything(session, found, ledger)
    _answer(session, found, ledger)


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
    step: Annotated[
        int | None, typer.Option("--step", metavar="RECORD", min=1, help="Show this step.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="Show the step as it was known then; a date is its start in UTC.",
        ),
    ] = None,
    sense: Annotated[
        Sense | None,
        typer.Option("--sense", help="Show steps so: all of them, unless one is named."),
    ] = None,
) -> None:
    """Rebuild each course from its records and hold it against its row.

    Exits with 1 when anything diverges; every difference is listed. With --step, --at or --sense
    one course is shown step by step: what was known and decided, and what is believed of it now.
    Of a file with several courses the one that is shown is named behind the file.
    """
    if step is not None or at is not None or sense is not None:
        if not names or re_decide or len(names) > (2 if is_file(names[0]) else 1):
            raise InvalidInput("COURSE", "one course, since its steps are shown")
        if not is_file(names[0]):
            played_back(session, session.auditor().playback(names[0]), step, at, sense)
            return
        shown = played_file(names[0], names[1] if len(names) > 1 else None)
        if isinstance(shown, Checked):
            _answer(session, [shown])
        else:
            playback, origin = shown
            played_back(session, playback, step, at, sense, origin=origin)
        return
    found: list[Checked] = []
    for name in _watched(session, names):
        if is_file(name):
            found += replayed_file(name, re_decide=re_decide)
        else:
            found.append(
                _looked_up(name, lambda one: replayed(session.auditor(), one, re_decide=re_decide))
            )
    _note(session, found, "re-decide" if re_decide else "replay")
    _answer(session, found)


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


def _looked_up(name: str, look: Callable[[str], Checked]) -> Checked:
    """A course of the database. What cannot be one was meant as a file, and is not there."""
    if not named_like_a_file(name):
        return look(name)
    try:
        return look(name)
    except (NotFound, StoreUnavailable) as wrong:
        found = f"neither a file {name!r} nor such a course"
        raise InvalidInput(
            "COURSE|FILE", "a file that `export` wrote, or a course", found=found
        ) from wrong


def _watched(session: Session, names: Iterable[str] | None) -> Iterator[str]:
    """The courses and files that were named, or every course, with a bar where a person watches."""
    wanted = list(names or session.auditor().courses())
    yield from track(
        wanted, "Checking", console=session.err, transient=True,
        disable=len(wanted) < 2 or not session.err.is_terminal,
    )  # fmt: skip


def _note(session: Session, found: Sequence[Checked], what: str) -> None:
    """Of what was looked at in the database; a file belongs to whoever has it."""
    courses = [one.course for one in found if one.source == DATABASE]
    if courses:
        whose = {"course": courses[0]} if len(courses) == 1 else {"courses": len(courses)}
        session.note(Logged.VERIFIED, {"what": what, **whose})


def _note_everything(session: Session, found: Sequence[Checked], ledger: Sealed) -> None:
    """That the whole log was verified, and what came of it: pages show the last time."""
    told = Verified()
    for one in found:
        told.add(one.course, one.records, wrong=bool(one.wrong), seq=one.first_wrong)
    told.hold(ledger.found, ledger.beside)
    session.note(Logged.VERIFIED, told.about())


def _proof(notes: Sequence[Note], trusted: Sequence[VerifierKey]) -> Proof:
    """What a file is held against. Raises InvalidInput for more than one checkpoint."""
    if len(notes) > 1:
        raise InvalidInput("--checkpoint", "one checkpoint beside files")
    return Proof(
        held=Head.parse(notes[0].text) if notes else None,
        keys=tuple(trusted),
    )


def _ledger(session: Session, held: Sequence[Note], trusted: Sequence[VerifierKey]) -> Sealed:
    service = session.service()
    from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

    return Sealed(
        found=bootstrap.inspection(service, held, trusted),
        held=len(held),
        signed=bool(trusted),
        beside=bootstrap.holdings(session.settings, service),
    )


def _answer(session: Session, found: Sequence[Checked], ledger: Sealed | None = None) -> None:
    bad = [one for one in found if one.wrong]
    courses = [one for one in found if one.course != NO_COURSE]

    def tell(out: Console) -> None:
        for number, one in enumerate(found):
            for line in one.lines():
                out.print(on_one_line(line), style="red" if one.wrong else "", soft_wrap=True)
            last = number + 1 == len(found) or found[number + 1].source != one.source
            for said in (one.asked, one.signed) if last else ():
                if said is not None:
                    out.print(on_one_line(f"{one.source}: {said}"), soft_wrap=True)
        if len(courses) > 1 or not found:
            files = sum(one.course == NO_COURSE for one in bad)
            beside = f", and {files} file{'s'[: files > 1]} not whole" if files else ""
            wrong_ones = len(bad) - files
            out.print(f"{len(courses)} courses, {wrong_ones} with something wrong{beside}.")
        if ledger is not None:
            for line in ledger.lines():
                out.print(line, style="red" if ledger.wrong else "", soft_wrap=True)

    wrong = bool(bad) or (ledger is not None and ledger.wrong)
    document: Json = {"ok": not wrong, "courses": [one.json() for one in found]}
    if ledger is not None:
        document["ledger"] = ledger.json()
        document["tables"] = [one.json() for one in ledger.beside]
    session.answer(document, tell)
    if wrong:
        raise typer.Exit(Exit.NO)

"""`regimen erase`, `legal-hold` and `erasure-check`: the persons in the records, and the law."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from engine.answer import Answer
from engine.cli.exits import Exit
from engine.cli.session import Session, command
from engine.core.encoding import Json
from engine.errors import InvalidInput

Course = Annotated[str, typer.Argument(metavar="COURSE", help="The course's pseudonym.")]
Rewrite = Annotated[
    bool,
    typer.Option(
        "--rewrite/--no-rewrite",
        help="Write the SQLite file, or PostgreSQL's table of texts, anew afterwards.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Privacy")(erase)
    app.command("legal-hold", rich_help_panel="Privacy")(legal_hold)
    app.command("erasure-check", rich_help_panel="Privacy")(erasure_check)


@command
def erase(
    session: Session,
    course: Course,
    *,
    basis: Annotated[
        str, typer.Option(metavar="CODE", help="The legal basis, such as gdpr-17-1-b.")
    ],
    record: Annotated[
        int | None, typer.Option(min=1, help="Only the texts of this record; else all.")
    ] = None,
    path: Annotated[
        str | None, typer.Option(help="Only this text of the record, such as reason.text.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    rewrite: Rewrite = True,
) -> None:
    """Destroy free texts of a course with their salts; every proof stays green.

    Without --record all of them, but for the printed names of signers. The erasure is a record.
    Exits with 1 when it is refused, under a legal hold. Backups are yours to see to.
    """
    privacy = _privacy(session)
    before = privacy.texts(course)
    if not yes:
        what = "all texts" if record is None else f"{path or 'the texts'} of record {record}"
        session.say(f"{course} has {before} texts. What is erased cannot be brought back.")
        if not typer.confirm(f"Erase {what}?", err=True):
            raise typer.Exit(Exit.NO)
    answer = privacy.erase(session.who, course, id=_name(), basis=basis, record=record, path=path)
    if answer.refused:
        _refused(session, answer)
    erased = before - privacy.texts(course)
    scrubbed = privacy.scrub(rewrite=rewrite)

    def tell(out: Console) -> None:
        number = "1 text" if erased == 1 else f"{erased} texts"
        out.print(f"Erased {number}, recorded as {answer.seq}.")
        if not scrubbed.done:
            out.print(f"Bytes may be left: {scrubbed.why}.", soft_wrap=True)
        out.print(f"What this does not reach: regimen erasure-check {course}", soft_wrap=True)

    session.answer(
        {
            "course": course,
            "record": answer.seq,
            "erased": erased,
            "scrubbed": scrubbed.done,
            "why_not": scrubbed.why or None,
        },
        tell,
    )


@command
def legal_hold(
    session: Session,
    course: Course,
    *,
    place: Annotated[
        str | None, typer.Option(metavar="NAME", help="Place a legal hold of this name.")
    ] = None,
    release: Annotated[
        str | None, typer.Option(metavar="NAME", help="Release the legal hold of this name.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="CODE", help="Why, such as litigation.")
    ] = None,
) -> None:
    """List, place or release legal holds: under one, nothing of a course is erased.

    It is no hold of treatment, which goes on. Exits with 1 when it is refused.
    """
    privacy = _privacy(session)
    if place is not None and release is not None:
        raise InvalidInput("--place", "one, or --release")
    if place is not None or release is not None:
        if reason is None:
            raise InvalidInput("--reason", "a code that says why")
        change = privacy.place_hold if place is not None else privacy.release_hold
        answer = change(session.who, course, id=_name(), hold=place or release or "", reason=reason)
        if answer.refused:
            _refused(session, answer)
    holds = privacy.holds(course)

    def tell(out: Console) -> None:
        for name, seq in holds.items():
            out.print(f"{name}, placed by record {seq}: nothing of {course} may be erased")
        if not holds:
            out.print(f"No legal hold of {course} is in force.")

    found: list[Json] = [{"hold": name, "record": seq} for name, seq in holds.items()]
    session.answer({"course": course, "legal_holds": found}, tell)


@command
def erasure_check(
    session: Session,
    course: Course,
    *,
    scrub: Annotated[
        bool, typer.Option("--scrub", help="First write anew what still holds erased bytes.")
    ] = False,
) -> None:
    """Say what an erasure does not reach, looking where it can be looked.

    Exits with 0 whatever it finds: what is left has reasons, and is yours to judge.
    """
    privacy = _privacy(session)
    scrubbed = privacy.scrub(rewrite=True) if scrub else None
    found = privacy.reach(course)

    def tell(out: Console) -> None:
        if scrubbed is not None:
            told = "Written anew." if scrubbed.done else f"Bytes may be left: {scrubbed.why}."
            out.print(told, soft_wrap=True)
        table = Table("Where", "Found", "What it is", box=None)
        for one in found:
            number = "not looked" if one.found is None else str(one.found)
            table.add_row(one.place, number, one.what)
        out.print(table)

    session.answer(
        {
            "course": course,
            "scrubbed": None if scrubbed is None else scrubbed.done,
            "places": [{"place": one.place, "found": one.found, "what": one.what} for one in found],
        },
        tell,
    )


def _refused(session: Session, answer: Answer) -> None:
    reason = answer.decision["reason"]
    said = {
        "legal-hold": "Refused: a legal hold is in force.",
        "no-such-legal-hold": "Refused: there is no legal hold of that name.",
    }
    session.answer(
        {"course": answer.course, "record": answer.seq, "refused": reason},
        lambda out: out.print(said.get(reason, f"Refused: {reason}."), style="red"),
    )
    raise typer.Exit(Exit.NO)


def _name() -> str:
    from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

    return f"custody-{bootstrap.identity()}"


def _privacy(session: Session) -> Any:  # noqa: ANN401  # its module loads the database library
    service = session.service()
    from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

    return bootstrap.privacy(service)

"""`regimen sign`: an electronic signature at this machine's terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.exits import Exit
from engine.cli.session import Session, command
from engine.core.encoding import Json, parse
from engine.errors import InvalidInput
from engine.service import Service
from engine.signatures import Proved, Signatures

Course = Annotated[str, typer.Argument(metavar="COURSE", help="The course's pseudonym.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Courses")(sign)


@command
def sign(
    session: Session,
    course: Course,
    *,
    meaning: Annotated[
        str, typer.Option(metavar="CODE", help="What it means, such as reviewed or verified.")
    ],
    name: Annotated[str, typer.Option(help="The printed name of the signer; it can be erased.")],
    role: Annotated[str, typer.Option(help="The signer's role in the workflow.")],
    record: Annotated[int | None, typer.Option(min=1, help="Sign this record.")] = None,
    event: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Sign this event, which will be sent as it is there."),
    ] = None,
    actor: Annotated[
        str | None, typer.Option(help="The signer's id; else who gives the command.")
    ] = None,
) -> None:
    """Sign a record, or beforehand an event that must not act unsigned.

    Who signs is whom the operating system knows, or REGIMEN_ACTOR says: a name, and no proof of a
    person. Where that is not enough, sign over HTTP. Exits with 1 when it is refused.
    """
    if (record is None) == (event is None):
        raise InvalidInput("--record", "a record, or --event with an event to be sent")
    service = session.service()
    what: dict[str, Json] = {"meaning": meaning, "printed_name": name}
    if record is not None:
        what |= {"record": record, "hash": _hash(service, course, record)}
    if event is not None:
        what["event"] = _event(event)
    answer = Signatures(service).sign(
        course,
        id=_name(),
        actor={"id": actor or session.who.id, "role": role},
        what=what,
        proved=Proved(kind="terminal", by=session.who.id, at=service.setting.clock.now()),
    )
    signed = f"record {record}" if record is not None else "an event that is to be sent"
    told = f"Signed {signed}, recorded as {answer.seq}."
    if answer.refused:
        told = f"Refused: {answer.decision['reason']}."
    session.answer(
        {
            "course": course,
            "seq": answer.seq,
            "verdict": answer.verdict,
            "reason": answer.decision.get("reason"),
        },
        lambda out: out.print(told),
    )
    if answer.refused:
        raise typer.Exit(Exit.NO)


def _hash(service: Service, course: str, record: int) -> str:
    page = service.page(course, after=record - 1, limit=1)
    if not page.records:
        raise InvalidInput("--record", f"a record of {course}, 1 to {page.until}")
    return page.records[0].hash


def _event(file: Path) -> Json:
    try:
        found = parse(file.read_bytes())
    except (OSError, ValueError) as wrong:
        raise InvalidInput("--event", "a file with one event", found=str(wrong)) from None
    if not isinstance(found, dict):
        raise InvalidInput("--event", "a file with one event, a JSON object")
    return found


def _name() -> str:
    from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

    return f"signature-{bootstrap.identity()}"

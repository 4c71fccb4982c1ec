"""`regimen config check`: whether an installation is fit to serve, before it does."""

from __future__ import annotations

import os

import typer
from rich.console import Console

from engine.cli.exits import Exit
from engine.cli.session import Session, command
from engine.core.encoding import Json
from engine.settings import problems_of


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    config = typer.Typer(
        name="config", no_args_is_help=True, help="Look at the settings of this installation."
    )
    config.command()(check)
    app.add_typer(config, rich_help_panel="Operation")


@command
def check(session: Session) -> None:
    """Check every setting and what it leads to: database, rights, workflows, identity provider.

    Exits with 1 when something must be done first, with 2 when a setting is wrong.
    """
    wrong = problems_of(os.environ)
    if wrong:
        document: Json = {
            "fit": False,
            "settings": [{"variable": one.field, "expected": one.expected} for one in wrong],
            "found": [],
        }
        named = [("✗", one.field, str(one)) for one in wrong]
        session.answer(document, lambda out: _tell(out, named))
        raise typer.Exit(Exit.BAD)
    settings = session.settings
    from engine import checkup  # noqa: PLC0415  # the database library is slow to import

    found = list(checkup.examined(settings))
    fit = not any(one.how is checkup.How.FAULT for one in found)
    document = {
        "fit": fit,
        "settings": [],
        "found": [{"what": one.what, "how": one.how.value, "why": one.why} for one in found],
    }
    marks = {checkup.How.WELL: "✓", checkup.How.ADVICE: "!", checkup.How.FAULT: "✗"}
    lines = [(marks[one.how], one.what, one.why) for one in found]
    session.answer(document, lambda out: _tell(out, lines))
    raise typer.Exit(Exit.YES if fit else Exit.NO)


def _tell(out: Console, lines: list[tuple[str, str, str]]) -> None:
    for mark, what, why in lines:
        out.print(f"{mark} {why}" if why.startswith(what) else f"{mark} {what}: {why}")

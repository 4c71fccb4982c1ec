"""`regimen migrate`: the tables of the database."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from engine.cli.session import Session, command


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Operation")(migrate)


@command
def migrate(
    session: Session,
    app_role: Annotated[
        str | None,
        typer.Option(metavar="ROLE", help="PostgreSQL: may decide and append, and no more."),
    ] = None,
    auditor_role: Annotated[
        str | None, typer.Option(metavar="ROLE", help="PostgreSQL: may read, and no free text.")
    ] = None,
) -> None:
    """Bring the database to the tables of this engine; safe to run again."""
    settings = session.settings
    from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

    done = bootstrap.migrate(settings, app_role=app_role, auditor_role=auditor_role)
    roles = [role for role in (app_role, auditor_role) if role is not None]

    def tell(out: Console) -> None:
        if done.changed:
            out.print(f"Migrated from {done.before or 'nothing'} to {done.after}.")
        else:
            out.print(f"Nothing to migrate: the database is at {done.after}.")
        for role in roles:
            out.print(f"Gave {role} its rights.")

    session.answer(
        {"before": done.before, "after": done.after, "changed": done.changed, "roles": roles}, tell
    )

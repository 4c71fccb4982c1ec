"""`regimen migrate`: the tables of the database."""

from __future__ import annotations

import typer

from engine.cli.session import Session, command


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Operation")(migrate)


@command
def migrate(session: Session) -> None:
    """Bring the database to the tables of this engine; safe to run again."""
    settings = session.settings
    from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

    done = bootstrap.migrate(settings)
    session.answer(
        {"before": done.before, "after": done.after, "changed": done.changed},
        lambda out: out.print(
            f"Migrated from {done.before or 'nothing'} to {done.after}."
            if done.changed
            else f"Nothing to do: the database is at {done.after}."
        ),
    )

"""`regimen migrate` and `regimen backup`: the tables of the database, and a copy of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from engine.cli.session import Session, command
from engine.errors import StoreUnavailable


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Operation")(migrate)
    app.command(rich_help_panel="Operation")(backup)


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


@command
def backup(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes: a new file.")],
) -> None:
    """Copy a SQLite database while it is used. What the copy holds is proved by `verify`.

    A PostgreSQL database is saved by the server's own tools: see docs/operate.md.
    """
    settings = session.settings
    # The database library is slow to import.
    from engine.store import installation  # noqa: PLC0415
    from engine.store.copying import copy  # noqa: PLC0415

    if (missing := installation.missing_file(settings.database_url)) is not None:
        raise StoreUnavailable(f"there is none at {missing}")
    size = copy(settings.database_url, file)
    session.answer(
        {"file": str(file), "bytes": size},
        lambda out: out.print(f"Copied to {file}. Prove it: regimen --db {file} verify"),
    )

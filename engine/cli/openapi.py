"""`regimen openapi`: the OpenAPI document of the HTTP service, with the events of each workflow."""

from __future__ import annotations

import typer

from engine import packages
from engine.cli.session import Session, command


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(rich_help_panel="Operation")(openapi)


@command
def openapi(session: Session) -> None:
    """Print the OpenAPI 3.1 document of the HTTP service, as JSON."""
    from engine.bootstrap import engine_version  # noqa: PLC0415  # only this command needs these
    from engine.web.app import described  # noqa: PLC0415

    offered = packages.workflows_of(session.settings.workflows)
    session.document(described(offered, version=engine_version()))

"""The command `regimen`: every module of this package adds its own commands."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli import (
    access,
    apply,
    audit,
    bundle,
    calendar,
    canary,
    config,
    course,
    custody,
    database,
    demo,
    due,
    endpoint,
    guards,
    ledger,
    mine,
    openapi,
    playback,
    rebuild,
    review,
    serve,
    sign,
    simulate,
    site,
    what_if,
    witnessing,
    worker,
    workflow,
    worklist,
)
from engine.cli.session import AsJson, Database, Tenant, session_of

app = typer.Typer(
    name="regimen",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a pretty traceback shows values, which may be clinical
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def regimen(
    ctx: typer.Context,
    *,
    db: Database = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
    _: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda asked: _version(asked=asked),
            is_eager=True,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    """Courses of treatment as state machines: every decision recorded, explained and provable.

    Exit codes: 0 yes; 1 a negative answer (refused under --strict, tampered, diverged);
    2 bad input or usage; 141 when the output was closed.
    """
    session_of(ctx).choose(db, tenant, as_json=as_json)


COMMANDS = (
    *(demo, simulate, apply, course, sign, due, worklist, site, workflow),
    *(audit, bundle, ledger, rebuild, witnessing, playback, what_if, review, mine, guards),
    *(custody, access, calendar),
    *(worker, serve, canary, config, endpoint, database, openapi),
)
"""In the order in which help lists them."""

for module in COMMANDS:
    module.add_to(app)


def _version(*, asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # noqa: PLC0415  # seldom asked for

        typer.echo(version("regimen-engine"))
        raise typer.Exit

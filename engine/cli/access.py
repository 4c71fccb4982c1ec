"""`regimen token` and `regimen access-log`: who may come in over HTTP, and who did not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from engine.access import DAYS, MOST_DAYS, token_json
from engine.cli.exits import Exit
from engine.cli.session import Session, command
from engine.core.encoding import canonical, instant_text
from engine.core.wire import instant
from engine.errors import InvalidInput
from engine.log_entry import Entry
from engine.permission import Token

AT_ONCE = 500
"""How many rows are in memory while everything is listed."""


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    token = typer.Typer(
        name="token", no_args_is_help=True, help="Create, list and revoke tokens for the service."
    )
    token.command()(create)
    token.command("list")(list_all)
    token.command()(revoke)
    app.add_typer(token, rich_help_panel="Access")
    app.command("access-log", rich_help_panel="Access")(access_log)


@command
def create(
    session: Session,
    *,
    name: Annotated[str, typer.Option(help="Whose it is: a system or a pseudonym.")],
    role: Annotated[
        list[str],
        typer.Option(
            help="scheduler, clinician, prescriber, auditor, administrator, service or records; "
            "repeat."
        ),
    ],
    actor_role: Annotated[
        list[str] | None,
        typer.Option(help="A role of a workflow that a service may claim; repeat."),
    ] = None,
    site: Annotated[
        list[str] | None, typer.Option(help="A site that it may see, else every one; repeat.")
    ] = None,
    expires_days: Annotated[
        int, typer.Option(min=1, max=MOST_DAYS, metavar="DAYS", help="For how long it is valid.")
    ] = DAYS,
) -> None:
    """Create a token. It is shown once, and nobody can show it again."""
    access = session.access(writes=True)
    issued = access.tokens.create(
        session.who,
        name=name,
        roles=role,
        actor_roles=actor_role or (),
        sites=site or None,
        days=expires_days,
    )
    session.answer(
        {**token_json(issued.token, issued.token.created_at), "text": issued.text},
        lambda out: out.print(issued.text, soft_wrap=True),
    )
    if not session.as_json:
        until = instant_text(issued.token.expires_at)
        session.say(f"Token {issued.token.id}, valid until {until}. It is not shown again.")


@command
def list_all(session: Session) -> None:
    """List the tokens of the tenant, those that are over too; never their secrets."""
    service = session.service()
    tokens = session.access().tokens
    now = service.setting.clock.now()
    found: list[Token] = []
    while page := tokens.list(service.tenant, after=_last(found), limit=AT_ONCE):
        found += page

    def tell(out: Console) -> None:
        table = Table("Token", "Name", "Roles", "Sites", "Status", "Until", "Created by", box=None)
        for one in found:
            roles = " ".join((*one.roles, *(f"as:{role}" for role in one.actor_roles)))
            sites = "every" if one.sites is None else " ".join(one.sites)
            until = instant_text(one.expires_at)
            table.add_row(one.id, one.name, roles, sites, one.status(now), until, one.created_by)
        out.print(table if found else "There is none.")

    session.answer({"tokens": [token_json(one, now) for one in found]}, tell)


@command
def revoke(
    session: Session,
    token: Annotated[str, typer.Argument(metavar="ID", help="As `regimen token list` shows it.")],
) -> None:
    """Revoke a token, at once and for good."""
    service = session.service()
    found = session.access().tokens.revoke(session.who, token)
    if found is None or found.revoked_at is None:
        raise InvalidInput("ID", "that of a token, see `regimen token list`", found=repr(token))
    session.answer(
        token_json(found, service.setting.clock.now()),
        lambda out: out.print(f"Revoked {found.id}."),
    )


@command
def access_log(
    session: Session,
    since: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Such as 2026-03-02T09:00:00-08:00.")
    ] = None,
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Prove instead that no entry was changed.")
    ] = False,
    head: Annotated[
        str | None,
        typer.Option(metavar="POSITION:HASH", help="What --verify told before, kept elsewhere."),
    ] = None,
) -> None:
    """List who was denied access, what became of tokens, and what was read, verified and exported.

    With --verify it exits with 1 when the chain of its entries is broken, naming the first.
    """
    if verify or head is not None:
        _verify(session, None if head is None else _noted(head))
        return
    start = None if since is None else instant(since, "--since")
    service = session.service()
    log = session.access().log
    found: list[Entry] = []
    while page := log.entries(service.tenant, since=start, after=_last_entry(found), limit=AT_ONCE):
        found += page

    def tell(out: Console) -> None:
        table = Table("At", "Who", "What", "Outcome", "About", box=None)
        for one in found:
            about = canonical(dict(one.about)).decode()
            table.add_row(instant_text(one.at), one.actor, one.action, one.outcome, about)
        out.print(table if found else "There is nothing in it.")

    session.answer({"entries": [one.json() for one in found]}, tell)


def _verify(session: Session, noted: tuple[int, str] | None) -> None:
    service = session.service()
    found = session.access().log.verify(service.tenant, noted)

    def tell(out: Console) -> None:
        if found.flaw is not None:
            out.print(str(found.flaw), style="red", soft_wrap=True)
            return
        out.print(f"{found.position} entries, chained, head {found.position}:{found.head}")
        if found.before:
            out.print(f"{found.before} more are from before the chain, which names their hash.")
        if noted is None:
            out.print("Keep the head elsewhere: with --head it shows that nothing was cut off.")

    flaw = found.flaw
    session.answer(
        {
            "ok": flaw is None,
            "position": found.position,
            "head": found.head,
            "before": found.before,
            "flaw": None
            if flaw is None
            else {"position": flaw.position, "kind": flaw.kind, "what": flaw.what},
        },
        tell,
    )
    if flaw is not None:
        raise typer.Exit(Exit.NO)


def _noted(text: str) -> tuple[int, str]:
    position, _, hashed = text.partition(":")
    if not (position.isascii() and position.isdigit() and _HASH.fullmatch(hashed)):
        raise InvalidInput("--head", "a position and a hash, as --verify tells them")
    return int(position), hashed


_HASH = re.compile("[0-9a-f]{64}")


def _last(found: Sequence[Token]) -> tuple[datetime, str] | None:
    return (found[-1].created_at, found[-1].id) if found else None


def _last_entry(found: Sequence[Entry]) -> tuple[datetime, str] | None:
    return (found[-1].at, found[-1].id) if found else None

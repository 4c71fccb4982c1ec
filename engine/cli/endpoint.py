"""`regimen endpoint` and `regimen dead-letters`: where webhooks go, and what did not get there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from engine.cli.exits import Exit
from engine.cli.session import Session, command
from engine.core.encoding import Json, instant_text
from engine.errors import InvalidInput
from engine.log_entry import Entry, Logged
from engine.messages import Delivery
from engine.webhooks.documents import delivery_json, endpoint_json

Id = Annotated[str, typer.Argument(metavar="ID", help="Such as ep_0f1e2d; see `endpoint list`.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    endpoint = typer.Typer(
        name="endpoint", no_args_is_help=True, help="Say where webhooks are sent."
    )
    endpoint.command()(add)
    endpoint.command("list")(list_all)
    endpoint.command()(ping)
    endpoint.command()(disable)
    endpoint.command()(enable)
    endpoint.command()(rotate)
    endpoint.command()(remove)
    app.add_typer(endpoint, rich_help_panel="Operation")
    app.command("dead-letters", rich_help_panel="Operation")(dead_letters)


@command
def add(
    session: Session,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where to send, by https.")],
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="KIND", help="Only messages of this kind; repeatable."),
    ] = None,
) -> None:
    """Send what is said from now on to a URL; its secret is shown this once."""
    webhooks = _webhooks(session, writes=True)
    made, secret = webhooks.register(url, kind or (), told=_told(session))

    def tell(out: Console) -> None:
        out.print(f"Registered {made.id}.")
        out.print(f"Its secret, which is shown this once: {secret}", soft_wrap=True)

    session.answer({**endpoint_json(made), "secret": secret}, tell)


@command
def list_all(session: Session) -> None:
    """List the endpoints, and what is due to them or was given up."""
    webhooks = _webhooks(session)
    found, standing = webhooks.endpoints(), webhooks.standing()
    lines = [(one, *standing.get(one.id, (0, 0))) for one in found]

    def tell(out: Console) -> None:
        if not lines:
            out.print("There is no endpoint.")
            return
        table = Table("Endpoint", "URL", "Kinds", "Sends", "Due", "Given up", box=None)
        for one, due, dead in lines:
            sends = "yes" if one.disabled_at is None else f"no: {one.disabled_why}"
            kinds = ", ".join(one.kinds) or "every"
            table.add_row(one.id, one.url, kinds, sends, str(due), str(dead))
        out.print(table)

    document: list[Json] = [
        {**endpoint_json(one), "due": due, "given_up": dead} for one, due, dead in lines
    ]
    session.answer({"endpoints": document}, tell)


@command
def ping(session: Session, id: Id) -> None:  # noqa: A002  # its word
    """Send a test message at once; exits 1 when it was not accepted."""
    reply = _webhooks(session).ping(id)
    session.answer(
        {"endpoint": id, "accepted": reply.accepted, "answered": reply.word},
        lambda out: out.print(f"{'Accepted' if reply.accepted else 'Not accepted'}: {reply.word}."),
    )
    if not reply.accepted:
        raise typer.Exit(Exit.NO)


@command
def disable(session: Session, id: Id) -> None:  # noqa: A002  # its word
    """Send it nothing; what is said meanwhile waits for it."""
    changed = _webhooks(session).disable(id, told=_told(session))
    session.answer(
        endpoint_json(changed), lambda out: out.print(f"{id} is disabled; what is said waits.")
    )


@command
def enable(session: Session, id: Id) -> None:  # noqa: A002  # its word
    """Send to it again, beginning with what waited."""
    changed = _webhooks(session).enable(id, told=_told(session))
    session.answer(endpoint_json(changed), lambda out: out.print(f"{id} is enabled."))


@command
def rotate(
    session: Session,
    id: Id,  # noqa: A002  # its word
    overlap: Annotated[
        float, typer.Option(min=0, max=720, metavar="HOURS", help="How long both secrets sign.")
    ] = 24.0,
) -> None:
    """Make another secret, which is shown this once; the one before signs too for a while."""
    webhooks = _webhooks(session)
    secret = webhooks.rotate(id, timedelta(hours=overlap), told=_told(session))

    def tell(out: Console) -> None:
        out.print(f"The new secret of {id}, shown this once: {secret}", soft_wrap=True)

    session.answer({**endpoint_json(webhooks.endpoint(id)), "secret": secret}, tell)


@command
def remove(session: Session, id: Id) -> None:  # noqa: A002  # its word
    """Forget an endpoint and all that was on its way to it."""
    _webhooks(session).remove(id, told=_told(session))
    session.answer({"removed": id}, lambda out: out.print(f"{id} is forgotten."))


@command
def dead_letters(
    session: Session,
    replay: Annotated[
        str | None, typer.Option(metavar="ID", help="Send this one again, by its webhook-id.")
    ] = None,
    *,
    replay_all: Annotated[bool, typer.Option("--replay-all", help="Send all of them again.")] = (
        False
    ),
) -> None:
    """List the messages that were given up, or send them again."""
    if replay is not None and replay_all:
        raise InvalidInput("--replay", "one, or --replay-all")
    webhooks = _webhooks(session)
    if replay is not None:
        webhooks.replay(replay, told=_told(session))
    if replay is not None or replay_all:
        number = 1 if replay is not None else webhooks.replay_all(told=_told(session))
        told = "1 message is" if number == 1 else f"{number} messages are"
        session.answer({"replayed": number}, lambda out: out.print(f"{told} sent again."))
        return
    found = webhooks.dead_letters(limit=1000)
    session.answer(
        {"dead_letters": [delivery_json(one) for one in found]}, lambda out: _tell(out, found)
    )


def _tell(out: Console, letters: Sequence[Delivery]) -> None:
    if not letters:
        out.print("No message was given up.")
        return
    table = Table("Message", "Course", "Kind", "Attempts", "Last answer", "Given up", box=None)
    for one in letters:
        since = "" if one.dead_at is None else instant_text(one.dead_at)
        table.add_row(one.id, one.course, one.kind, str(one.attempts), one.answered or "", since)
    out.print(table)


def _told(session: Session) -> Callable[[Logged, Mapping[str, Json]], Entry]:
    """What makes the row of the access log about a change at this terminal."""
    return partial(session.access().log.entry, session.who)


def _webhooks(session: Session, *, writes: bool = False) -> Any:  # noqa: ANN401  # its module loads the database library
    service = session.service(writes=writes)
    from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

    return bootstrap.webhooks(session.settings, service)

"""`regimen ledger`: the keys of checkpoints, and others who vouch for them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from engine import keys, timestamp, witness
from engine.cli.notes import (
    Keys,
    Named,
    Out,
    ledger_of,
    read,
    read_checkpoint,
    records_text,
    replace,
    verifiers_of,
    write,
)
from engine.cli.session import Session, command
from engine.core import note
from engine.core.encoding import instant_text
from engine.core.note import Head, KeyKind
from engine.errors import InvalidInput


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    ledger = typer.Typer(
        name="ledger", no_args_is_help=True, help="Keys, witnesses and time stamps of checkpoints."
    )
    ledger.command("new-key")(new_key)
    ledger.command("keys")(verifier_keys)
    ledger.command()(cosign)
    ledger.command()(witnessed)
    ledger.command()(stamp)
    ledger.command()(stamped)
    app.add_typer(ledger, rich_help_panel="Audit")


@command
def new_key(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as clinic.example/ledger.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that is not there yet.")],
    *,
    for_witness: Annotated[
        bool, typer.Option("--witness", help="A key of a witness, and not of a ledger.")
    ] = False,
) -> None:
    """Make a signing key in a new file that only its owner may read, and tell its verifier key.

    Another key of a ledger has the same name: its checkpoints are of the same tree.
    """
    kind = KeyKind.WITNESS if for_witness else KeyKind.LOG
    made = keys.new_key(name, kind, os.urandom(keys.SECRET))
    keys.write_key(file, made)
    told = made if for_witness else keys.named(made, f"{name}/{session.settings.tenant}")
    vkey = told.verifier.text()

    def tell(console: Console) -> None:
        console.print(f"Wrote {file}. Its verifier key:", soft_wrap=True)
        typer.echo(vkey)

    session.answer({"file": str(file), "key": vkey}, tell)


@command
def verifier_keys(session: Session) -> None:
    """List the verifier keys of who signed checkpoints so far, and of who signs now."""
    found = [key.text() for key in ledger_of(session, signing=True).verifiers()]
    session.answer(
        {"keys": found},
        lambda _: typer.echo("\n".join(found) if found else "No key signed and none is set."),
    )


@command
def cosign(  # noqa: PLR0917  # options, which have names
    session: Session,
    request: Annotated[
        Path, typer.Argument(metavar="REQUEST", help="What `prove --consistency` wrote.")
    ],
    witness_key: Annotated[
        Path, typer.Option("--witness", metavar="KEYFILE", help="The key of the witness.")
    ],
    seen: Annotated[
        Path, typer.Option(metavar="FILE", help="The checkpoint that it signed last; kept anew.")
    ],
    key: Keys = None,
    out: Out = None,
    *,
    first: Annotated[
        bool, typer.Option("--first", help="Nothing was seen of this ledger so far.")
    ] = False,
) -> None:
    """As a witness, sign a checkpoint: it goes on from the one that was signed last.

    Needs no database. `--key` is the verifier key of the ledger. Exits with 1 and says why when it
    does not sign, with 2 when what it was given is no request, key or checkpoint.
    """
    asked = witness.Request.parse(read(request))
    if first == seen.exists():
        expected = "a file that is not there yet" if first else "the checkpoint signed last"
        raise InvalidInput("--seen", f"{expected}; --first says that there is none so far")
    before = None if first else note.parse(read(seen))
    signed = witness.cosigned(
        asked,
        before,
        witness=keys.read_key(witness_key, place="--witness"),
        logs=verifiers_of(key),
        at=int(_now().timestamp()),
    )
    replace(seen, signed.encode())
    if out is not None:
        write(out, signed.encode())
    head = Head.parse(signed.text)

    def tell(console: Console) -> None:
        if out is None:
            typer.echo(signed.encode(), nl=False)
            return
        console.print(f"Signed {records_text(head.size)} of {head.origin}: {out}.", soft_wrap=True)

    session.answer({"size": head.size, "note": signed.encode().decode()}, tell)


@command
def witnessed(session: Session, file: Named, key: Keys = None) -> None:
    """Keep the lines that witnesses added to a checkpoint; `--key` is a witness's verifier key."""
    found = note.parse(read(file))
    came = ledger_of(session, writes=True).witnessed(found, verifiers_of(key))
    session.answer(
        {"added": came},
        lambda out: out.print(f"{came} {'line' if came == 1 else 'lines'} of witnesses added."),
    )


@command
def stamp(session: Session, file: Named, out: Out = None) -> None:
    """Write the request for a time stamp (RFC 3161) on a checkpoint, to be sent to an authority."""
    made = timestamp.request_of(read_checkpoint(file))
    if out is None:
        typer.echo(made, nl=False)
        return
    write(out, made)
    session.answer(
        {"file": str(out), "bytes": len(made)},
        lambda console: console.print(
            f"Wrote {out}. Send it as application/timestamp-query.", soft_wrap=True
        ),
    )


@command
def stamped(
    session: Session,
    file: Named,
    response: Annotated[Path, typer.Argument(metavar="RESPONSE", help="What came back.")],
    root: Annotated[
        Path, typer.Option("--root", metavar="PEM", help="Certificates of who is trusted.")
    ],
) -> None:
    """Verify the time stamp of an authority on a checkpoint: by when it was there.

    Exits with 1 when it is of another checkpoint, or of nobody who is trusted.
    """
    at = timestamp.stamped_at(read_checkpoint(file), read(response), read(root))
    session.answer(
        {"file": str(file), "at": instant_text(at)},
        lambda out: out.print(f"{file} was there by {instant_text(at)}.", soft_wrap=True),
    )


def _now() -> datetime:
    from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

    return bootstrap.SystemClock().now().astimezone(UTC)

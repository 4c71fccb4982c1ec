"""Files of checkpoints and keys at the terminal, and the ledger that they are of."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.session import Session
from engine.core import note
from engine.core.note import Head, Note, VerifierKey
from engine.errors import InvalidInput

Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", dir_okay=False, help="Else to stdout.")
]
Named = Annotated[Path, typer.Argument(metavar="FILE", help="A checkpoint.")]
Keys = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="VKEY", help="A verifier key, such as name+hash+key."),
]


def ledger_of(session: Session, *, writes: bool = False, signing: bool = False) -> Any:  # noqa: ANN401  # a Ledger: to name it would load the database library
    """The ledger of the chosen database. Raises as a session's service does."""
    service = session.service(writes=writes)
    from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

    return bootstrap.ledger(session.settings, service, signing=signing)


def read_checkpoint(file: Path) -> Note:
    """A checkpoint of a file, signed or not. Raises InvalidInput, naming the line."""
    found = note.parse(read(file), unsigned=True)
    Head.parse(found.text)
    return found


def verifiers_of(texts: list[str] | None) -> list[VerifierKey]:
    """Verifier keys that were named. Raises InvalidInput for none and for what is none."""
    if not texts:
        raise InvalidInput("--key", "a verifier key, such as name+hash+key")
    return [VerifierKey.parse(text, place="--key") for text in texts]


def read(file: Path) -> bytes:
    """What a file holds; - is stdin."""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as wrong:
        raise InvalidInput(str(file), "a file that can be read", found=wrong.strerror) from wrong


def write(file: Path, data: bytes) -> None:
    """Put bytes into a file."""
    try:
        file.write_bytes(data)
    except OSError as wrong:
        raise InvalidInput("--out", "a file that can be written", found=wrong.strerror) from wrong


def replace(file: Path, data: bytes) -> None:
    """Put another content in the place of a file, all of it or nothing."""
    beside = file.with_name(f"{file.name}.new")
    write(beside, data)
    beside.replace(file)


def records_text(number: int) -> str:
    """So many records, in words."""
    return "1 record" if number == 1 else f"{number} records"

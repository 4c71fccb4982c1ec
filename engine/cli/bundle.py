"""`regimen export` and `verifier`: what an auditor takes along."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console

import engine.standalone
from engine.bundle.form import Asked
from engine.bundle.writing import Exporter, Tree, Written
from engine.cli.progress import over_courses
from engine.cli.session import Session, command
from engine.cli.times import moment_at
from engine.core.encoding import Json
from engine.core.note import Head
from engine.core.note import parse as parsed_note
from engine.errors import InvalidInput
from engine.log_entry import Logged

VERIFIER = "regimen_verify.py"

Out = Annotated[Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Else to stdout.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Audit")(export)
    app.command(rich_help_panel="Audit")(verifier)


@command
def export(
    session: Session,
    courses: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COURSE]...", help="Else every course of the tenant."),
    ] = None,
    *,
    course: Annotated[
        list[str] | None, typer.Option("--course", metavar="COURSE", help="One more; repeatable.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Whole courses that have a record from then on; a date is its start in UTC.",
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Prove too that the log continues this one's."),
    ] = None,
    form: Annotated[
        int, typer.Option("--format", min=1, max=2, help="1: one JSON document, without proofs.")
    ] = 2,
    out: Out = None,
) -> None:
    """Write courses to one file that can be verified without a database.

    The file holds records as stored, the definitions that they were decided by, and the way of each
    to the newest checkpoint. Free texts stay where they can be erased: it has their hashes.
    """
    named = tuple(dict.fromkeys([*(courses or ()), *(course or ())]))
    if named and since is not None:
        raise InvalidInput("--since", "no course by name beside it")
    asked = Asked(courses=named, since=moment_at("--since", since))
    held = None if checkpoint is None else read_checkpoint(checkpoint)
    service = session.service()
    exporter = Exporter(
        store=service.store,
        tenant=service.tenant,
        version=service.setting.version,
        tree=_ledger(session),
    )
    if form == 1:
        if len(named) != 1 or held is not None:
            raise InvalidInput("--format", "2, unless it is for one course without proofs")
        lines: Iterable[bytes] = [exporter.document(named[0]) + b"\n"]
    else:
        lines = exporter.lines(asked, held)
    counted = _Counted(lines)
    with over_courses(session.err, "Exporting") as exporter.step, _file(out) as file:
        file.writelines(counted)
    whose = {"course": named[0]} if len(named) == 1 else asked.json()
    session.note(Logged.EXPORTED, {**whose, "bytes": counted.bytes, "sha256": counted.hex})
    if out is not None:
        answer = _answer(out, counted, exporter.written)
        session.answer(answer, lambda console: _tell(console, out, counted, exporter.written))


@command
def verifier(session: Session, *, out: Out = None) -> None:
    """Write the stand-alone verifier: one file that needs Python and nothing else.

    It checks what `export` wrote, and weighs every verdict again, without trusting this program.
    """
    data = files(engine.standalone).joinpath(VERIFIER).read_bytes()
    with _file(out) as file:
        file.write(data)
    if out is not None:
        digest = "sha256:" + sha256(data).hexdigest()
        session.answer(
            {"file": str(out), "bytes": len(data), "digest": digest},
            lambda console: console.print(
                f"Wrote {out}. Run it with: python {out} BUNDLE", soft_wrap=True
            ),
        )


def read_checkpoint(path: Path) -> Head:
    """The checkpoint in a file that somebody holds. Raises InvalidInput."""
    try:
        note = parsed_note(path.read_bytes(), unsigned=True)
    except OSError as wrong:
        raise InvalidInput("--checkpoint", "a file that can be read", found=str(wrong)) from wrong
    return Head.parse(note.text)


def _ledger(session: Session) -> Tree:
    service = session.service()
    from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

    return bootstrap.ledger(session.settings, service)


class _Counted:
    """Lines as they are written, their bytes and their digest."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self._hash = sha256()
        self.bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for line in self._lines:
            self._hash.update(line)
            self.bytes += len(line)
            yield line

    @property
    def hex(self) -> str:
        return self._hash.hexdigest()


def _answer(out: Path, counted: _Counted, written: Written | None) -> Json:
    said: dict[str, Json] = {
        "file": str(out), "bytes": counted.bytes, "digest": f"sha256:{counted.hex}",
    }  # fmt: skip
    if written is None:
        return said
    return said | {
        "courses": written.courses,
        "records": written.records,
        "unsealed": written.unsealed,
        "checkpoint": written.size,
    }


def _tell(console: Console, out: Path, counted: _Counted, written: Written | None) -> None:
    courses = "" if written is None else f", {_many(written.courses, 'course')}"
    records = "" if written is None else f" with {_many(written.records, 'record')}"
    console.print(f"Wrote {out}{courses}{records}, {counted.bytes} bytes.", soft_wrap=True)
    if written is not None and written.size is None:
        console.print("No checkpoint was made yet, so it has no proofs: `regimen checkpoint`.")
    elif written is not None and written.unsealed:
        newer = _many(written.unsealed, "record")
        console.print(f"{newer} newer than the last checkpoint: `regimen checkpoint`.")
    console.print(f"Prove it with: regimen verify {out}", soft_wrap=True)


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


@contextmanager
def _file(out: Path | None) -> Iterator[BinaryIO]:
    """Where to write. A file is there only once it is whole: never half of one."""
    if out is None:
        stream = typer.get_binary_stream("stdout")
        yield stream
        stream.flush()
        return
    try:
        handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    except OSError as wrong:
        raise _unwritable(wrong) from wrong
    half = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        half.chmod(0o666 & ~_umask())
        half.replace(out)
    except OSError as wrong:
        half.unlink(missing_ok=True)
        raise _unwritable(wrong) from wrong
    except BaseException:
        half.unlink(missing_ok=True)
        raise


def _unwritable(wrong: OSError) -> InvalidInput:
    return InvalidInput("--out", "a file that can be written", found=str(wrong))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

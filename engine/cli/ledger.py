"""`regimen checkpoint` and `prove`: one hash for all records, and proofs that lead to it."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from engine import keys
from engine.cli.notes import Out, ledger_of, read_checkpoint, records_text, write
from engine.cli.session import Session, command
from engine.core.encoding import Json
from engine.core.heads import HeadProof, head_of
from engine.core.ledger import Checkpoint, Inclusion
from engine.core.merkle import EMPTY, verify_consistency
from engine.core.note import Head, Note
from engine.core.record import hash_of
from engine.errors import InvalidInput, LedgerDivergence, NotFound
from engine.witness import Request


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Audit")(checkpoint)
    app.command(rich_help_panel="Audit")(prove)


@command
def checkpoint(
    session: Session,
    out: Out = None,
    *,
    sweep: Annotated[
        bool,
        typer.Option("--sweep", help="Look through all records for some that were never sealed."),
    ] = False,
) -> None:
    """Seal what is new, and write down how many records there are and their one hash, signed.

    Keep the file where whoever runs the database cannot change it. Without REGIMEN_LEDGER_KEY it is
    not signed, and says no more than that somebody wrote it.
    """
    ledger = ledger_of(session, writes=True, signing=True)
    if sweep:
        ledger.sweep()
    made: Checkpoint = ledger.checkpoint()
    if out is not None:
        write(out, made.note.encode())
    if not made.signed:
        session.say(f"Not signed: {keys.VARIABLE} names no key.", style="yellow")

    def tell(console: Console) -> None:
        if out is None:
            typer.echo(made.note.encode(), nl=False)
            return
        console.print(
            f"Wrote {out}: {records_text(made.head.size)}, root {made.head.root.hex()[:16]}.",
            soft_wrap=True,
        )

    session.answer(_checkpoint_json(made), tell)


@command
def prove(
    session: Session,
    course: Annotated[str | None, typer.Argument(metavar="[COURSE]")] = None,
    record: Annotated[int | None, typer.Argument(metavar="[RECORD]", min=1)] = None,
    consistency: Annotated[
        Path | None,
        typer.Option(
            metavar="OLD",
            exists=True,
            dir_okay=False,
            help="Prove that the ledger begins as this older checkpoint says.",
        ),
    ] = None,
    out: Out = None,
    *,
    first: Annotated[
        bool,
        typer.Option("--first", help="Ask a witness that saw nothing so far."),
    ] = False,
) -> None:
    """Prove that records are in the ledger as the last checkpoint says, or that it only grew.

    The proof of one record is a C2SP tlog-proof. That of a course is JSON, and shows too that it
    had no other records by then. `--consistency` writes what a witness is asked with (C2SP
    tlog-witness), `--first` likewise.
    """
    last: Checkpoint | None = ledger_of(session).last()
    if last is None:
        raise InvalidInput("checkpoint", "one to prove it by: see `regimen checkpoint`")
    if consistency is not None or first:
        if course is not None:
            raise InvalidInput("COURSE", "none with --consistency or --first")
        if consistency is not None and first:
            raise InvalidInput("--first", "no older checkpoint beside it")
        nothing = Head(origin=last.head.origin, size=0, root=EMPTY)
        old = nothing if consistency is None else Head.parse(read_checkpoint(consistency).text)
        _grown(session, last, old, out)
        return
    if course is None:
        raise InvalidInput("COURSE", "a course, or --consistency OLD")
    _included(session, last, course, record, out)


def _included(
    session: Session, last: Checkpoint, course: str, record: int | None, out: Path | None
) -> None:
    hashes = _hashes(session, course)
    seqs = None if record is None else [record]
    found: list[Inclusion]
    try:
        found = ledger_of(session).proofs(course, seqs, last.head.size)
    except NotFound:
        raise _unproved(last, course, record, len(hashes)) from None
    for one in found:
        if not one.holds(hashes.get(one.seq, "00" * 32), last.head.size, last.head.root):
            raise LedgerDivergence(one.index, f"record {one.seq} of {course} is not what is sealed")
    document: Json = {
        "checkpoint": last.note.encode().decode(),
        "signed": last.signed,
        "course": course,
        "proofs": [_inclusion_json(one, hashes[one.seq]) for one in found],
    }
    ended = record is None and last.head.courses is not None
    if ended:
        document["head"] = _head_json(_ended(session, last, found, hashes[found[-1].seq]))
    if out is not None and record is None:
        write(out, json.dumps(document, indent=2).encode() + b"\n")
    elif out is not None:
        write(out, _tlog_proof(found[0], last.note))

    def tell(console: Console) -> None:
        table = Table("Record", "Leaf", "Hash", "Proof", box=None)
        for one in found:
            table.add_row(
                str(one.seq), str(one.index), hashes[one.seq][:16], f"{len(one.proof)} hashes"
            )
        console.print(table)
        console.print(
            f"In checkpoint {last.number} of {records_text(last.head.size)}, root "
            f"{last.head.root.hex()[:16]}{'' if last.signed else ', not signed'}."
        )
        if ended:
            console.print("The course had no other records then: the checkpoint says so.")

    session.answer(document, tell)


def _unproved(
    last: Checkpoint, course: str, record: int | None, records: int
) -> InvalidInput | NotFound:
    """Why there is no proof of a course, or of a record of it."""
    if not records:
        return NotFound(course)
    if record is not None and record > records:
        return InvalidInput("RECORD", f"a record of {course}, 1 to {records}")
    what = course if record is None else f"record {record} of {course}"
    expected = f"what is sealed; {what} is not sealed in checkpoint {last.number}"
    return InvalidInput("COURSE", f"{expected}: see `regimen checkpoint`")


def _ended(
    session: Session, last: Checkpoint, found: list[Inclusion], record_hash: str
) -> HeadProof:
    """The proof that a course had no more records than these. Raises LedgerDivergence."""
    courses = last.head.courses
    proof: HeadProof | None = ledger_of(session).heads(last.head.size).proof(found[0].index)
    if courses is None or proof is None or not proof.holds(head_of(found, record_hash), courses):
        what = f"record {found[-1].seq} of {found[-1].course} is not the last that is sealed"
        raise LedgerDivergence(found[-1].index, what)
    return proof


def _grown(session: Session, last: Checkpoint, before: Head, out: Path | None) -> None:
    if before.origin != last.head.origin:
        expected = f"a checkpoint of {last.head.origin}"
        raise InvalidInput("--consistency", expected, found=before.origin)
    if before.size > last.head.size:
        what = f"the older checkpoint has {before.size} leaves, the last one {last.head.size}"
        raise LedgerDivergence(last.head.size, what)
    proof: list[bytes] = ledger_of(session).consistency(before.size, last.head.size)
    if not verify_consistency(before.size, last.head.size, before.root, last.head.root, proof):
        raise LedgerDivergence(before.size, "it does not begin as the older checkpoint says")
    asked = Request(old=before.size, proof=tuple(proof), checkpoint=last.note)
    if out is not None:
        write(out, asked.encode())

    def tell(console: Console) -> None:
        if out is None:
            typer.echo(asked.encode(), nl=False)
            return
        console.print(
            f"Wrote {out}: {last.head.size} leaves that begin with the older {before.size}.",
            soft_wrap=True,
        )

    document: Json = {
        "old": before.size,
        "new": last.head.size,
        "proof": [_base64(one) for one in proof],
        "checkpoint": last.note.encode().decode(),
    }
    session.answer(document, tell)


def _hashes(session: Session, course: str) -> dict[int, str]:
    """The hashes of the records of a course as they are now."""
    auditor = session.auditor()
    with auditor.store.transaction(auditor.tenant, write=False) as tx:
        return {record.seq: hash_of(record.body) for record in tx.records(course)}


def _tlog_proof(found: Inclusion, signed: Note) -> bytes:
    """The proof of one leaf as the C2SP specification `tlog-proof` writes it; the salt is extra."""
    hashes = "".join(f"{_base64(one)}\n" for one in found.proof)
    head = f"c2sp.org/tlog-proof@v1\nextra {_base64(found.salt)}\nindex {found.index}\n{hashes}\n"
    return head.encode() + signed.encode()


def _inclusion_json(found: Inclusion, record_hash: str) -> Json:
    return {
        "record": found.seq,
        "hash": record_hash,
        "index": found.index,
        "salt": _base64(found.salt),
        "proof": [_base64(one) for one in found.proof],
    }


def _head_json(found: HeadProof) -> Json:
    return {"place": found.place, "proof": [_base64(one) for one in found.path]}


def _checkpoint_json(made: Checkpoint) -> Json:
    return {
        "number": made.number,
        "origin": made.head.origin,
        "size": made.head.size,
        "root": _base64(made.head.root),
        "courses": None if made.head.courses is None else made.head.courses.courses,
        "signed": made.signed,
        "keys": [key.text() for key in made.keys],
        "note": made.note.encode().decode(),
    }


def _base64(data: bytes) -> str:
    return b64encode(data).decode()

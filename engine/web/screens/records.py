"""The records of a course as pages: in order, one by one, and step by step as it was lived."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from engine.core.history import verify
from engine.core.playback import Sense
from engine.core.record import Record
from engine.core.review import Queue
from engine.core.wire import TEXT_LIMIT
from engine.errors import NotFound
from engine.pages import course as view
from engine.pages.frame import COURSES
from engine.pages.records import Book, Chain, Proofs, signatures
from engine.pages.replay import step_of
from engine.pages.review import MEANINGS, Filled, Onward, onward, review, sign_offs
from engine.service import Place, Status
from engine.signatures import Signatures
from engine.telling.entry import entries
from engine.telling.lexicon import Lexicon
from engine.telling.seen import lacked, texts_of
from engine.web.callers import Desk
from engine.web.routes.courses import Course
from engine.web.routes.records import CURSOR
from engine.web.screens.seat import RecordSight, Screen, screen

router = APIRouter(include_in_schema=False, route_class=Screen)

PAGE = 50

Seq = Annotated[int, Path(ge=1, lt=2**31)]


@router.get("/courses/{course}/records")
def records(
    *,
    course: Course,
    desk: RecordSight,
    cursor: Annotated[str | None, Query(pattern=CURSOR)] = None,
) -> Response:
    """The records in order. Every page shows the log of the first one's moment."""
    desk.place(course)
    status = desk.service.status(course)
    found = desk.service.records(course)
    after, until = (0, len(found)) if cursor is None else map(int, cursor.split(":"))
    seqs = range(after + 1, min(after + PAGE, until, len(found)) + 1)
    book = book_of(desk, status, found, seqs)
    last = seqs[-1] if seqs else after
    return screen(
        desk,
        COURSES,
        "records.html",
        head=view.head(status),
        tab="records",
        shown=[book.line(seq) for seq in seqs],
        chain=Chain.of(found, verify(found, course=course, tenant=desk.service.tenant)),
        proofs=book.proofs,
        next=f"{last}:{until}" if seqs and last < until else None,
        before=f"{max(after - PAGE, 0)}:{until}" if after else None,
    )


@router.get("/courses/{course}/records/{seq}")
def record(
    *, course: Course, seq: Seq, desk: RecordSight, queue: Queue | Literal[""] = ""
) -> Response:
    """One record, with everything that it rests on and what proves it, and what was made of it.

    `queue` is that from which somebody came to look, so that they can go on in it.
    """
    desk.place(course)
    return shown_record(desk, course, seq, origin=queue)


@router.get("/courses/{course}/replay")
def replay(
    *,
    course: Course,
    desk: RecordSight,
    step: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
    sense: Sense = Sense.RECORDED,
) -> Response:
    """One step of a course, in one of the senses of a replay; links lead forward and back."""
    desk.place(course)
    playback = desk.auditor.playback(course)
    number = len(playback) if step is None else step
    status = desk.service.status(course)
    return screen(
        desk,
        COURSES,
        "replay.html",
        head=view.head(status),
        tab="replay",
        step=step_of(playback, number, sense),
    )


def shown_record(
    desk: Desk,
    course: str,
    seq: int,
    *,
    origin: str = "",
    filled: Filled | None = None,
    status: int = 200,
) -> Response:
    """The page of a record; `filled` is the form of a sign-off that is to be sent again."""
    standing = desk.service.status(course)
    found = desk.service.records(course)
    if seq > len(found):
        raise NotFound(course)
    book = book_of(desk, standing, found, [seq])
    signing = sign_offs(book.entries, seq)
    with desk.service.store.transaction(desk.service.tenant, write=False) as tx:
        items = tx.reviews(course, seq)
    seen = review(
        items,
        book,
        seq,
        caller=desk.caller,
        place=Place(row=standing.row, machine=standing.machine),
        comments=texts_of(desk.service, course, signing),
        filled=filled or Filled(),
    )
    return screen(
        desk,
        COURSES,
        "record.html",
        status=status,
        head=view.head(standing),
        tab="records",
        one=book.line(seq, whole=True),
        chain=Chain.of(found, verify(found, course=course, tenant=desk.service.tenant)),
        proofs=book.proofs,
        review=seen,
        meanings=MEANINGS,
        longest=TEXT_LIMIT,
        on=_next_in(desk, found[seq - 1], Queue(origin)) if origin else None,
    )


def _next_in(desk: Desk, record: Record, queue: Queue) -> Onward:
    """Where somebody goes on who looks through a queue."""
    found = desk.reviews.behind(queue, record, sites=desk.caller.sites)
    return onward(queue, found)


def book_of(desk: Desk, status: Status, found: Sequence[Record], seqs: Sequence[int]) -> Book:
    """Records of a course, ready to be shown: those of `seqs` with their proofs and texts."""
    course = status.row["course"]
    told = entries(found, Signatures(desk.service).of(course, found))
    return Book(
        records=found,
        entries=told,
        lexicon=Lexicon(status.machine),
        wording=view.wording_of(status),
        lacking=lacked(desk.service, course),
        proofs=proofs_of(desk, course, seqs),
        texts=texts_of(desk.service, course, {*seqs, *signatures(told)}),
    )


def proofs_of(desk: Desk, course: str, seqs: Sequence[int]) -> Proofs | None:
    """What the ledger says of records; `None` where nothing was sealed yet, or nothing is."""
    if desk.office.ledgers is None:
        return None
    ledger = desk.office.ledgers(desk.caller.tenant)
    size, last = ledger.size(), ledger.last()
    if not size:
        return None
    try:
        found = ledger.proofs(course, seqs, size)
    except NotFound:
        found = []
    return Proofs(
        size=size,
        root=ledger.root(size),
        written=None if last is None else last.head.size,
        inclusions={one.seq: one for one in found},
    )

"""`regimen review`: what somebody else has to look at, and what they made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from engine.cli.session import Session, command
from engine.core.encoding import Json, instant_text
from engine.core.event import FORMAT, REVIEWED
from engine.core.review import OUTCOMES, QUEUES, Queue, Seen
from engine.errors import InvalidInput
from engine.review import MOST, PAGE, Page, Reviews

NOBODY = "none"
"""In the place of the last sign-off: there was none."""


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    review = typer.Typer(
        name="review",
        no_args_is_help=True,
        help="Look at what deviated, was overridden, refused or late, and sign it off.",
    )
    review.command("list")(list_queues)
    review.command("sign-off")(sign_off)
    app.add_typer(review, rich_help_panel="Audit")


@command
def list_queues(
    session: Session,
    *,
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar="QUEUE", help="Else every queue; repeatable. `override`, for one."),
    ] = None,
    site: Annotated[
        list[str] | None, typer.Option(help="Only courses at this site; repeatable.")
    ] = None,
    workflow: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only courses of this workflow, by its name alone."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How many of each queue.")] = PAGE,
    cursor: Annotated[
        str | None, typer.Option(help="The `next` of a page, with its one queue.")
    ] = None,
) -> None:
    """List what is to be looked at, the oldest record first, by queue."""
    queues = _queues(kind)
    if cursor is not None and len(queues) != 1:
        raise InvalidInput("--cursor", "one --kind beside it")
    sites = None if not site else frozenset(site)
    reviews = _reviews(session)
    counts = reviews.counts(sites=sites, workflow=workflow)
    pages = {
        queue: reviews.page(queue, sites=sites, workflow=workflow, cursor=cursor, limit=limit)
        for queue in queues
    }
    lists = [
        {"queue": queue.value, "count": counts[queue][0], "more": counts[queue][1], **page.json()}
        for queue, page in pages.items()
    ]

    def go_on(queue: Queue, following: str) -> str:
        return session.spelled(
            "review",
            "list",
            kind=[queue.value],
            site=site or [],
            workflow=[] if workflow is None else [workflow],
            limit=[] if limit == PAGE else [str(limit)],
            cursor=[following],
        )

    session.answer(
        {"sites": site or None, "workflow": workflow, "queues": lists},
        lambda out: _tell(out, pages, counts, go_on),
    )


@command
def sign_off(
    session: Session,
    course: Annotated[str, typer.Argument(metavar="COURSE")],
    record: Annotated[int, typer.Argument(metavar="RECORD", min=1)],
    *,
    outcome: Annotated[str, typer.Option(metavar="OUTCOME", help=f"One of {', '.join(OUTCOMES)}.")],
    queue: Annotated[
        str | None,
        typer.Option(metavar="QUEUE", help="Only in this queue; else in all that it is in."),
    ] = None,
    comment: Annotated[
        str | None, typer.Option(help="In words; it can be erased. Needed for acted-on.")
    ] = None,
    reviewed_by: Annotated[
        str | None,
        typer.Option(
            metavar="RECORD|none",
            help="`reviewed_by` of the item as you saw it: nothing is recorded where somebody has "
            "signed it off since.",
        ),
    ] = None,
    role: Annotated[str, typer.Option(help="The role to act in.")] = "auditor",
    actor: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Who signs off; else REGIMEN_ACTOR, or who is logged in."),
    ] = None,
) -> None:
    """Sign off a record of a queue: a record of its own, which changes nothing else.

    Whoever acted in a record does not review it, and nobody reviews it twice.
    """
    seen = _seen(reviewed_by, queue)
    service = session.service(writes=True)
    named = {"queue": queue, "comment": comment}
    from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

    answer = service.submit(
        {
            "format": FORMAT,
            "id": f"review-{bootstrap.identity()}",
            "course": course,
            "event": REVIEWED,
            "at": instant_text(service.setting.clock.now()),
            "actor": {"id": actor or session.who.id, "role": role},
            "data": {
                "record": record,
                "outcome": outcome,
                **{name: value for name, value in named.items() if value is not None},
            },
        },
        seen=seen,
    )
    with service.store.transaction(service.tenant, write=False) as tx:
        items = tx.reviews(course, record)
    done = [item.queue.value for item in items if item.reviewed_by == answer.seq]
    left = [item.queue.value for item in items if item.open]
    session.answer(
        {"course": course, "record": record, "outcome": outcome, "signed_off_by": answer.seq,
         "queues": done, "still_open": left},
        lambda out: out.print(
            f"Record {record} of {course} is signed off as {outcome} by record {answer.seq}, in "
            f"{', '.join(done)}." + (f" It is still in {', '.join(left)}." if left else ""),
            soft_wrap=True,
        ),
    )  # fmt: skip


def _reviews(session: Session) -> Reviews:
    service = session.service()
    from engine import bootstrap  # noqa: PLC0415  # the database library is slow to import

    return bootstrap.reviews(service)


def _seen(reviewed_by: str | None, queue: str | None) -> Seen | None:
    """How far the record had been signed off for whoever looked. Raises InvalidInput."""
    if reviewed_by is None:
        return None
    if reviewed_by == NOBODY:
        return Seen(reviewed_by=None, queue=queue)
    if not reviewed_by.isdecimal() or int(reviewed_by) < 1:
        expected = f"the record of a sign-off, or {NOBODY}"
        raise InvalidInput("--reviewed-by", expected, found=repr(reviewed_by))
    return Seen(reviewed_by=int(reviewed_by), queue=queue)


def _queues(asked: Sequence[str] | None) -> list[Queue]:
    known = {queue.value: queue for queue in QUEUES}
    for name in asked or ():
        if name not in known:
            raise InvalidInput("--kind", f"one of {', '.join(known)}", found=repr(name))
    return [known[name] for name in dict.fromkeys(asked or known)]


def _tell(
    out: Console,
    pages: Mapping[Queue, Page],
    counts: Mapping[Queue, tuple[int, bool]],
    go_on: Callable[[Queue, str], str],
) -> None:
    shown = {queue: page for queue, page in pages.items() if page.items}
    for number, (queue, page) in enumerate(shown.items()):
        count, more = counts[queue]
        title = f"{_name(queue)} ({count}{' and more' if more else ''}): {QUEUES[queue]}"
        out.print(("\n" if number else "") + title, style="bold")
        table = Table("Course", "Record", "Event", "Recorded", "By", "What", box=None)
        for one in page.items:
            said = one.json()
            actor = f"{said['actor']['id']} ({said['actor']['role']})"
            recorded = str(said["recorded_at"])[:16].replace("T", " ")
            cells = (one.record.course, str(one.record.seq), one.record.event, recorded, actor)
            table.add_row(*cells, _what(said))
        out.print(table)
        if page.cursor is not None:
            out.print(f"There are more: {go_on(queue, page.cursor)}", soft_wrap=True)
    if not shown:
        out.print("Nothing is to be looked at.")


def _what(said: Mapping[str, Json]) -> str:
    """What there is to say of an item: the guards, why it was refused, an earlier escalation."""
    parts = [str(guard) for guard in said["guards"]]
    if said["refused_because"] is not None and not parts:
        parts.append(str(said["refused_because"]).replace("-", " "))
    if said["outcome"] is not None:
        parts.append(f"{said['outcome']} by record {said['reviewed_by']}")
    return ", ".join(parts)


def _name(queue: Queue) -> str:
    return queue.value.replace("-", " ").capitalize()

"""Review work as pages: the queues, and the sign-off of a record by a form.

A sign-off is a record of its own and changes nothing else. Sent twice, by a double click or after a
lost answer, it is made once; made on what is no longer so, it is shown again with what was written.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import RedirectResponse

from engine.core.encoding import digest, instant_text
from engine.core.event import FORMAT, REVIEWED
from engine.core.review import COMMENT, OUTCOMES, QUEUES, SIGNED_OFF, Queue, Seen, last_sign_off
from engine.core.wire import IDENTIFIER, TEXT_LIMIT
from engine.errors import Conflict, IdempotencyConflict, InvalidInput, NotFound
from engine.pages import review as view
from engine.pages.frame import REVIEW
from engine.service import Place
from engine.web.callers import Desk
from engine.web.entry import permit
from engine.web.routes.courses import Course
from engine.web.screens.form import Form
from engine.web.screens.records import Seq, shown_record
from engine.web.screens.seat import RecordSight, ReviewSight, Screen, screen

router = APIRouter(include_in_schema=False, route_class=Screen)

PAGE = 25

# A form sends what was left empty as an empty text.
Word = Annotated[str, Query(pattern=f"^(?:{IDENTIFIER.pattern})?$")]
Named = Literal["", "open-finding", "deviation", "override", "late-entry", "refusal"]


@router.get("/review")
def review(
    *,
    desk: RecordSight,
    queue: Named = "",
    site: Word = "",
    workflow: Word = "",
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """One queue, the oldest record first, below the names of all of them.

    Without a name it is the most pressing one that has anything in it.
    """
    choices = view.Choices(site=site, workflow=workflow)
    sites, of = desk.scope([site] if site else None), workflow or None
    counts = desk.reviews.counts(sites=sites, workflow=of)
    waiting = (one for one in QUEUES if counts[one][0])
    here = Queue(queue) if queue else next(waiting, Queue.DEVIATION)
    found = desk.reviews.page(here, sites=sites, workflow=of, cursor=cursor, limit=PAGE)
    now, places = desk.office.now(), dict[str, Place]()
    rows = []
    for one in found.items:
        course = one.record.course
        place = places.setdefault(course, places.get(course) or desk.service.place(course))
        rows.append(view.row(one, place, desk.caller, now))
    return screen(
        desk,
        REVIEW,
        "review.html",
        tabs=view.tabs(counts, here, choices),
        queue=here,
        name=view.NAMES[here],
        why=QUEUES[here],
        disposed=here not in SIGNED_OFF,
        rows=rows,
        choices=choices,
        sites=desk.seen_sites or (),
        workflows=sorted({one.machine.workflow.name for one in desk.service.workflows()}),
        begun=cursor is not None,
        first=choices.path(here),
        next=None if found.cursor is None else choices.path(here, cursor=found.cursor),
    )


@router.post("/courses/{course}/records/{seq}")
def sign_off(*, course: Course, seq: Seq, desk: ReviewSight, sent: Form) -> Response:
    """Sign a record off, and go back to it: there it says so."""
    place = desk.place(course)
    queue, role, comment = (sent.get(name, "") for name in ("queue", "role", "comment"))
    filled = view.Filled(
        outcome=sent.get("outcome", ""),
        comment=comment.replace("\r\n", "\n").strip(),
        queue=queue,
        role=role or next(iter(view.roles_of(desk.caller, place)), ""),
    )
    origin = sent.get("from", "") if sent.get("from") in set(Queue) else ""
    back = f"/courses/{course}/records/{seq}{f'?queue={origin}' if origin else ''}#review"
    body = _event(desk, course, seq, filled, sent.get("seen", ""))

    def again(wrong: str, status: int) -> Response:
        return shown_record(
            desk, course, seq, origin=origin, filled=replace(filled, wrong=wrong), status=status
        )

    with desk.service.store.transaction(desk.service.tenant, write=False) as tx:
        items = tx.reviews(course, seq)
        head = tx.head(course, body["id"])
    if head is not None and head.known is not None:
        return RedirectResponse(back, status_code=303)  # this very form, sent before
    if filled.outcome not in OUTCOMES:
        return again("Say what you make of it: one of the three.", 422)
    if not items:
        raise NotFound(course)
    permit(desk, body)
    last = last_sign_off(items)
    if sent.get("seen") != str(last or 0):
        return again(STALE, 409)
    try:
        # Looked at again where it is recorded: somebody else may send theirs at this moment.
        desk.service.submit(body, seen=Seen(reviewed_by=last))
    except IdempotencyConflict:
        pass  # sent twice at once: the other one was first
    except Conflict:
        return again(STALE, 409)
    except InvalidInput as wrong:
        if wrong.field != COMMENT:
            raise
        return again(TOO_LONG if filled.comment else WORDLESS, 422)
    return RedirectResponse(back, status_code=303)


def _event(desk: Desk, course: str, seq: int, filled: view.Filled, seen: str) -> dict[str, Any]:
    """The event of a form. The same form of the same caller has the same id, whenever it comes."""
    said = {name: getattr(filled, name) for name in ("outcome", "queue", "comment")}
    data = {"record": seq, **{name: value for name, value in said.items() if value}}
    actor = {"id": desk.caller.id, "role": filled.role}
    name = digest({"actor": actor, "data": data, "seen": seen}).removeprefix("sha256:")
    return {
        "format": FORMAT,
        "id": f"review-{seq}-{name[:24]}",
        "course": course,
        "event": REVIEWED,
        "at": instant_text(desk.office.now()),
        "actor": actor,
        "data": data,
    }


STALE = (
    "Somebody else signed it off since you opened this page: see above. Nothing was recorded in "
    "your name. If it is still to be said, send it again."
)
WORDLESS = "“Acted on” needs a comment: what was done?"
TOO_LONG = f"The comment is too long: at most {TEXT_LIMIT} characters."

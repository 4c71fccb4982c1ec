"""Custody of the records: texts are erased on a legal basis, unless a legal hold keeps them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from engine.answer import Answer
from engine.core.encoding import Json
from engine.core.wire import IDENTIFIER, NAME, members, whole, word
from engine.logs import log
from engine.privacy import Privacy
from engine.web import formalities
from engine.web.bodies import Body
from engine.web.callers import CustodyKeeper, CustodyReader, Desk
from engine.web.canonical import CanonicalResponse
from engine.web.entry import Key, keyed
from engine.web.metrics import Metrics
from engine.web.problems import Problem, refusal
from engine.web.responses import PROBLEMS
from engine.web.routes.courses import Course

router = APIRouter(tags=["custody"])

Hold = Annotated[str, Path(pattern=f"^(?:{IDENTIFIER.pattern})$")]
_A_CODE = "a code of letters, digits and . _ -"


@router.post(
    "/courses/{course}/erasures",
    status_code=201,
    response_model=formalities.ErasureDocument,
    responses=PROBLEMS["event"],
    openapi_extra=formalities.sent(formalities.ErasureRequest),
)
def erase(
    *, request: Request, desk: CustodyKeeper, course: Course, body: Body, key: Key = None
) -> CanonicalResponse:
    """Destroy free texts with their salts, for good; every proof stays green.

    Without a record, all of the course but the printed names of signers. Sent again, it is one.
    The file of the database is not written anew meanwhile, since nobody could write to it: where
    bytes may be left, `scrub_with` is the command for the machine that it lies on.
    """
    asked = members(keyed(body, key), "", ("id", "basis", "record", "path"), ("id", "basis"))
    privacy = _privacy(desk, course)
    record, path = asked.get("record"), asked.get("path")
    answer = _asked(
        desk,
        course,
        asked["id"],
        lambda name: privacy.erase(
            desk.caller,
            course,
            id=name,
            basis=word(asked["basis"], "basis", NAME, _A_CODE),
            record=None if record is None else whole(record, "record", 1),
            path=path,
        ),
    )
    scrubbed = privacy.scrub(rewrite=False)
    if not scrubbed.done:
        log.warning("erased_bytes_left", course=course, seq=answer.seq)
        metrics: Metrics | None = request.app.state.operation.metrics
        if metrics is not None:
            metrics.unscrubbed()
    return CanonicalResponse(
        {
            "course": course,
            "seq": answer.seq,
            "texts_left": privacy.texts(course),
            "scrubbed": scrubbed.done,
            "why_not": scrubbed.why or None,
            "scrub_with": None if scrubbed.done else f"regimen erasure-check {course} --scrub",
        },
        201,
        headers=_headers(answer),
    )


@router.post(
    "/courses/{course}/legal-holds",
    status_code=201,
    response_model=formalities.LegalHoldList,
    responses=PROBLEMS["event"],
    openapi_extra=formalities.sent(formalities.LegalHoldRequest),
)
def place_hold(
    *, desk: CustodyKeeper, course: Course, body: Body, key: Key = None
) -> CanonicalResponse:
    """Keep every text of a course from being erased. Treatment goes on: it is no hold of that."""
    asked = members(keyed(body, key), "", ("id", "hold", "reason"), ("id", "hold", "reason"))
    hold = word(asked["hold"], "hold", IDENTIFIER, "the name of a legal hold")
    return _held(desk, course, asked, hold, Privacy.place_hold)


@router.post(
    "/courses/{course}/legal-holds/{hold}/release",
    status_code=201,
    response_model=formalities.LegalHoldList,
    responses=PROBLEMS["event"],
    openapi_extra=formalities.sent(formalities.ReleaseRequest),
)
def release_hold(
    *, desk: CustodyKeeper, course: Course, hold: Hold, body: Body, key: Key = None
) -> CanonicalResponse:
    """Release one legal hold by its name; others stay in force."""
    asked = members(keyed(body, key), "", ("id", "reason"), ("id", "reason"))
    return _held(desk, course, asked, hold, Privacy.release_hold)


@router.get(
    "/courses/{course}/custody",
    response_model=formalities.CustodyDocument,
    responses=PROBLEMS["one"],
)
def custody(*, desk: CustodyReader, course: Course) -> CanonicalResponse:
    """Legal holds in force, and where something is left that an erasure does not reach."""
    privacy = _privacy(desk, course)
    found = [
        {"place": one.place, "found": one.found, "what": one.what} for one in privacy.reach(course)
    ]
    return CanonicalResponse({**_holds(privacy, course), "places": found})


def _held(
    desk: Desk,
    course: str,
    asked: dict[str, Any],
    hold: str,
    change: Callable[..., Answer],
) -> CanonicalResponse:
    privacy = _privacy(desk, course)
    reason = word(asked["reason"], "reason", NAME, _A_CODE)
    answer = _asked(
        desk,
        course,
        asked["id"],
        lambda name: change(privacy, desk.caller, course, id=name, hold=hold, reason=reason),
    )
    return CanonicalResponse(_holds(privacy, course), 201, headers=_headers(answer))


def _asked(desk: Desk, course: str, name: object, ask: Callable[[str], Answer]) -> Answer:
    """The answer, once. Raises Problem for a refusal, which is a record."""
    named = word(name, "id", IDENTIFIER, "1 to 64 letters, digits and . _ : -")
    with desk.office.in_hand.one(desk.caller.tenant, course, named):
        answer = ask(named)
    if answer.refused:
        raise refusal(course, answer.seq, answer.decision, held=False)
    return answer


def _holds(privacy: Privacy, course: str) -> dict[str, Json]:
    found: list[Json] = [
        {"hold": name, "record": seq} for name, seq in privacy.holds(course).items()
    ]
    return {"course": course, "legal_holds": found}


def _headers(answer: Answer) -> dict[str, str]:
    found = {"Location": f"/v1/courses/{answer.course}/records/{answer.seq}"}
    return {**found, "Idempotency-Replayed": "true"} if answer.repeated else found


def _privacy(desk: Desk, course: str) -> Privacy:
    desk.place(course)
    if desk.office.privacy is None:
        raise Problem("not-found")
    return desk.office.privacy(desk.caller.tenant)

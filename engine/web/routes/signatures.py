"""Electronic signatures: who signs proves it anew, and what was proved is said by the service."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from fastapi import APIRouter, Request

from engine.core.wire import members
from engine.errors import InvalidInput
from engine.permission import How
from engine.signatures import Proved, Signatures
from engine.web import formalities, schemas
from engine.web.bodies import Body
from engine.web.callers import Desk, Signer
from engine.web.canonical import CanonicalResponse
from engine.web.entry import Key, keyed, submitted
from engine.web.office import office_of
from engine.web.problems import Problem
from engine.web.responses import PROBLEMS
from engine.web.routes.courses import Course

router = APIRouter(tags=["signatures"])

_WHAT = ("record", "hash", "event", "meaning", "printed_name")
_KNOWN = ("id", "actor", "token", *_WHAT)


@router.post(
    "/courses/{course}/signatures",
    status_code=201,
    response_model=schemas.AnswerDocument,
    responses=PROBLEMS["event"],
    openapi_extra=formalities.sent(formalities.SignatureRequest),
)
def sign(
    *, desk: Signer, course: Course, body: Body, request: Request, key: Key = None
) -> CanonicalResponse:
    """Sign a record, or beforehand an event that must not act unsigned.

    Who signs proves it anew: an API token is given again as `token`; somebody who signed in at an
    identity provider did so within the last minutes (`auth_time`). Neither is kept, only a digest.
    """
    desk.place(course)
    asked = members(keyed(body, key), "", _KNOWN, ("id", "actor", "meaning", "printed_name"))
    what = {name: asked[name] for name in _WHAT if name in asked}
    if not isinstance(asked["actor"], dict):
        raise InvalidInput("actor", "an object with id and role")
    found = Signatures(desk.service).event(
        course,
        id=asked["id"],
        actor=asked["actor"],
        what=what,
        proved=_proved(desk, request, asked.get("token"), said=str(asked["actor"].get("id"))),
    )
    return submitted(desk, found, held=False)


def _proved(desk: Desk, request: Request, token: object, *, said: str) -> Proved:
    """What the caller proved just now. Raises Problem or InvalidInput when it is nothing."""
    caller, now = desk.caller, desk.office.now()
    match caller.how:
        case How.TOKEN:
            if not isinstance(token, str):
                raise InvalidInput("token", "the API token of this request, given again")
            again = office_of(request).gate.identify(f"Bearer {token}", peer=_peer(request))
            if again.id != caller.id:
                raise InvalidInput("token", "the API token of this request, given again")
            return Proved(kind="token", by=caller.id, at=now, digest=_digest(token))
        case How.OIDC:
            fresh = desk.service.setting.fresh
            at = caller.authenticated_at
            if at is None or not now - fresh <= at <= now + desk.service.setting.skew:
                raise _stale(fresh)
            _, _, presented = (request.headers.get("authorization") or "").partition(" ")
            return Proved(kind="oidc", by=caller.id, at=at, digest=_digest(presented.strip()))
        case _:
            # The demonstration knows nobody: whoever sits there says who signs.
            return Proved(kind="host", by=said, at=now)


def _stale(fresh: timedelta) -> Problem:
    seconds = int(fresh.total_seconds())
    challenge = (
        'Bearer realm="regimen", error="insufficient_user_authentication", '
        f"max_age={seconds}"
    )  # RFC 9470
    return Problem("reauthenticate", headers={"WWW-Authenticate": challenge}, max_age=seconds)


def _digest(token: str) -> str:
    """Of a text with far more chance in it than anybody can guess."""
    return sha256(token.encode()).hexdigest()


def _peer(request: Request) -> str | None:
    return request.client.host if request.client is not None else None

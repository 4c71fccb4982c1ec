"""Access: who one is, the tokens of a tenant, and the access log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from engine.access import DAYS, Access, token_json
from engine.core.encoding import instant_text
from engine.core.wire import IDENTIFIER, instant, json_kind, members, whole, word
from engine.errors import InvalidInput
from engine.permission import Action
from engine.web.bodies import Body
from engine.web.callers import AccessLogReader, Anybody, Desk, TokenManager, TokenReader
from engine.web.canonical import CanonicalResponse
from engine.web.problems import Problem
from engine.web.responses import PROBLEMS
from engine.web.routes.courses import Limit
from engine.web.tokens import (
    AccessLogPage,
    CallerDocument,
    IssuedToken,
    TokenDocument,
    TokenList,
    TokenRequest,
)

router = APIRouter(tags=["access"])

Cursor = Annotated[str | None, Query(description="The `next` of the page before.")]
_NEVER_KEPT = {"Cache-Control": "no-store"}
_ASKED = ("name", "roles", "actor_roles", "sites", "expires_days")


@router.get("/caller", response_model=CallerDocument, responses=PROBLEMS["read"])
def caller(*, desk: Anybody) -> CanonicalResponse:
    """Who asks, and what it may do. `id` is what an event's actor is of whoever signed in."""
    who = desk.caller
    return CanonicalResponse(
        {
            "id": who.id,
            "tenant": who.tenant,
            "how": who.how.value,
            "roles": sorted(who.roles),
            "claimable": sorted(who.claimable),
            "sites": None if who.sites is None else sorted(who.sites),
            "may": [action.value for action in Action if who.may(action)],
        }
    )


@router.post(
    "/tokens",
    status_code=201,
    response_model=IssuedToken,
    responses=PROBLEMS["write"],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": TokenRequest.model_json_schema()}},
        }
    },
)
def create(*, desk: TokenManager, body: Body) -> CanonicalResponse:
    """Create a token. Its text is in this answer and never again; sent twice, there are two."""
    asked = members(body, "", _ASKED, ("name", "roles"))
    sites = asked.get("sites")
    issued = _access(desk).tokens.create(
        desk.caller,
        name=word(asked["name"], "name", IDENTIFIER, "1 to 64 letters, digits and . _ : -"),
        roles=_words(asked["roles"], "roles"),
        actor_roles=_words(asked.get("actor_roles", []), "actor_roles"),
        sites=None if sites is None else _words(sites, "sites"),
        days=whole(asked.get("expires_days", DAYS), "expires_days", 1),
    )
    made = {**token_json(issued.token, issued.token.created_at), "text": issued.text}
    headers = {**_NEVER_KEPT, "Location": f"/v1/tokens/{issued.token.id}"}
    return CanonicalResponse(made, 201, headers=headers)


@router.get("/tokens", response_model=TokenList, responses=PROBLEMS["read"])
def tokens(*, desk: TokenReader, cursor: Cursor = None, limit: Limit = 100) -> CanonicalResponse:
    """The tenant's tokens, oldest first, those that are over too; never their secrets."""
    found = _access(desk).tokens.list(desk.caller.tenant, after=_place(cursor), limit=limit)
    now = desk.office.now()
    last = found[-1] if len(found) == limit else None
    return CanonicalResponse(
        {
            "tokens": [token_json(one, now) for one in found],
            "next": None if last is None else _cursor(last.created_at, last.id),
        }
    )


@router.delete("/tokens/{token}", response_model=TokenDocument, responses=PROBLEMS["one"])
def revoke(
    *, token: Annotated[str, Path(pattern=f"^(?:{IDENTIFIER.pattern})$")], desk: TokenManager
) -> CanonicalResponse:
    """Revoke a token, at once and for good. One that is revoked already stays as it is."""
    found = _access(desk).tokens.revoke(desk.caller, token)
    if found is None:
        raise Problem("not-found")
    return CanonicalResponse(token_json(found, desk.office.now()))


@router.get("/access-log", response_model=AccessLogPage, responses=PROBLEMS["read"])
def access_log(
    *,
    desk: AccessLogReader,
    since: Annotated[str | None, Query(description="An instant with its zone.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> CanonicalResponse:
    """Who was denied access, what became of tokens, and what auditors read; oldest first."""
    found = _access(desk).log.entries(
        desk.caller.tenant,
        since=None if since is None else instant(since, "since"),
        after=_place(cursor),
        limit=limit,
    )
    last = found[-1] if len(found) == limit else None
    return CanonicalResponse(
        {
            "entries": [one.json() for one in found],
            "next": None if last is None else _cursor(last.at, last.id),
        }
    )


def _access(desk: Desk) -> Access:
    """Raises Problem where there are no tokens to manage."""
    if desk.office.access is None:
        raise Problem("not-found")
    return desk.office.access


def _words(raw: Any, field: str) -> list[str]:  # noqa: ANN401  # JSON
    if not isinstance(raw, list) or not all(isinstance(one, str) for one in raw):
        raise InvalidInput(field, "an array of strings", found=json_kind(raw))
    return raw


def _cursor(at: datetime, name: str) -> str:
    return f"{instant_text(at)},{name}"


def _place(cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    at, mark, name = cursor.partition(",")
    if not mark:
        raise InvalidInput("cursor", "the `next` of a page")
    return instant(at, "cursor"), word(name, "cursor", IDENTIFIER, "the `next` of a page")

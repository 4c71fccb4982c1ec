"""Who may ask: the caller, its tokens, and the access log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.client.call import Call, Part, get, instant, one, part, path, query


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, and what it may do; `sites` is `None` for every one."""

    id: str
    tenant: str
    how: str
    roles: tuple[str, ...]
    claimable: tuple[str, ...]
    sites: tuple[str, ...] | None
    may: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token, without its secret: `valid`, `expired` or `revoked`."""

    id: str
    name: str
    roles: tuple[str, ...]
    actor_roles: tuple[str, ...]
    sites: tuple[str, ...] | None
    status: str
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken(Token):
    """A token that was just created: `text` is its secret, told this once."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEntry:
    """A row of the access log; `about` holds ids, roles and numbers."""

    at: datetime
    id: str
    actor: str
    action: str
    outcome: str
    about: Mapping[str, Any]


def caller() -> Call[Caller]:
    """Who asks, and what it may do."""
    return get("/v1/caller", one(Caller))


def tokens(*, page: int = 100, cursor: str | None = None) -> Call[Part[Token]]:
    """The tenant's tokens, oldest first, those that are over too."""
    return get(
        "/v1/tokens",
        part(Token, "tokens", lambda place: tokens(page=page, cursor=place)),
        query(limit=page, cursor=cursor),
    )


def create_token(
    name: str,
    roles: Sequence[str],
    *,
    actor_roles: Sequence[str] = (),
    sites: Sequence[str] | None = None,
    expires_days: int | None = None,
) -> Call[IssuedToken]:
    """Create a token. Sent twice, there are two: after `Unreachable`, look for it in `tokens`."""
    body: dict[str, Any] = {"name": name, "roles": list(roles)}
    if actor_roles:
        body["actor_roles"] = list(actor_roles)
    if sites is not None:
        body["sites"] = list(sites)
    if expires_days is not None:
        body["expires_days"] = expires_days
    answer = one(IssuedToken)
    return Call(method="POST", path="/v1/tokens", answer=answer, body=body, repeatable=False)


def revoke_token(token: str) -> Call[Token]:
    """Revoke a token by its id, at once and for good."""
    return Call(method="DELETE", path=path("/v1/tokens/{token}", token=token), answer=one(Token))


def access_log(
    *, since: datetime | None = None, page: int = 100, cursor: str | None = None
) -> Call[Part[AccessEntry]]:
    """Who was denied access, what became of tokens, and what auditors read; oldest first."""
    return get(
        "/v1/access-log",
        part(
            AccessEntry, "entries", lambda place: access_log(since=since, page=page, cursor=place)
        ),
        query(since=None if since is None else instant(since, "since"), limit=page, cursor=cursor),
    )

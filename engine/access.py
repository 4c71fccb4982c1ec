"""Who comes in: API tokens, and the one place where a caller is identified and let in or not.

- A token is `rgm_<id>_<secret>`. The id is public; of the secret, 256 random bits, only the SHA-256
  is kept, which needs no salt since nobody can guess that much. It is shown once.
- A token never changes: other roles or sites are another token, and the old one is revoked.
- Every denial goes to the access log; a caller that was not identified is told no more than that.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

from engine.access_log import AccessLog
from engine.core.encoding import Json, instant_text
from engine.core.event import ENGINE
from engine.core.wire import IDENTIFIER, shown, word
from engine.errors import InvalidInput
from engine.log_entry import Entry, Logged
from engine.permission import (
    PERMISSIONS,
    Action,
    Caller,
    Denied,
    How,
    Role,
    Token,
    Why,
    denial_of_event,
)
from engine.ports import Clock

PREFIX = "rgm"
ID_BYTES, SECRET_BYTES = 8, 32
DAYS, MOST_DAYS = 90, 365
LONGEST = 200
"""No token of ours is longer; what is longer is not even taken apart."""
MOST = 50
"""How many sites or roles a token may list."""


class TokenStore(Protocol):
    """Where tokens are; each change is written with its row of the access log, or not at all."""

    def token(self, token: str) -> Token | None:
        """The token of that id, whichever tenant's it is."""

    def tokens(
        self, tenant: str, *, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Token]:
        """Tokens in the order in which they were created, after one."""

    def issue(self, token: Token, entry: Entry) -> None:
        """Store a new token."""

    def revoke(self, tenant: str, token: str, *, at: datetime, by: str, entry: Entry) -> bool:
        """Revoke a token; whether it was there and not revoked before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A token that was just created, with its text, which is never shown again."""

    token: Token
    text: str


def token_json(token: Token, now: datetime) -> dict[str, Json]:
    """A token as it is shown, at a terminal and over HTTP alike; never its secret."""
    return {
        "id": token.id,
        "name": token.name,
        "roles": list(token.roles),
        "actor_roles": list(token.actor_roles),
        "sites": None if token.sites is None else list(token.sites),
        "status": token.status(now),
        "created_at": instant_text(token.created_at),
        "created_by": token.created_by,
        "expires_at": instant_text(token.expires_at),
        "revoked_at": None if token.revoked_at is None else instant_text(token.revoked_at),
        "revoked_by": token.revoked_by,
    }


class Tokens:
    """API tokens: created, listed, revoked, and recognised.

    `random` gives that many random bytes from a source that is fit for secrets.
    """

    def __init__(
        self, store: TokenStore, log: AccessLog, *, clock: Clock, random: Callable[[int], bytes]
    ) -> None:
        self._store = store
        self._log = log
        self._clock = clock
        self._random = random

    def create(
        self,
        by: Caller,
        *,
        name: str,
        roles: Collection[str],
        actor_roles: Collection[str] = (),
        sites: Collection[str] | None = None,
        days: int = DAYS,
    ) -> Issued:
        """A new token of the caller's tenant. Raises InvalidInput, naming the field."""
        found = roles_of(roles)
        now = self._clock.now()
        secret = _text(self._random, SECRET_BYTES)
        token = Token(
            id=self._random(ID_BYTES).hex(),
            tenant=by.tenant,
            name=word(name, "name", IDENTIFIER, _A_NAME),
            sha256=_digest(secret),
            roles=found,
            actor_roles=_actor_roles(actor_roles, found),
            sites=None if sites is None else _sites(sites),
            created_at=now,
            created_by=by.id,
            expires_at=now + timedelta(days=_days(days)),
        )
        about: dict[str, Json] = {
            "token": token.id,
            "roles": list(token.roles),
            "actor_roles": list(token.actor_roles),
            "sites": None if token.sites is None else list(token.sites),
        }
        self._store.issue(token, self._log.entry(by, Logged.TOKEN_CREATED, about))
        return Issued(token=token, text=f"{PREFIX}_{token.id}_{secret}")

    def list(
        self, tenant: str, *, after: tuple[datetime, str] | None = None, limit: int = 100
    ) -> Sequence[Token]:
        """The tenant's tokens, oldest first, those that are over too."""
        return self._store.tokens(tenant, after=after, limit=limit)

    def revoke(self, by: Caller, token: str) -> Token | None:
        """Revoke a token at once and for good; `None` when the caller's tenant has none of that id.

        What is revoked already stays as it is, and nothing is logged.
        """
        found = self._store.token(token) if IDENTIFIER.fullmatch(token) else None
        if found is None or found.tenant != by.tenant:
            return None
        entry = self._log.entry(by, Logged.TOKEN_REVOKED, {"token": token})
        self._store.revoke(by.tenant, token, at=self._clock.now(), by=by.id, entry=entry)
        return self._store.token(token)

    def identify(self, text: str) -> Caller | Denied:
        """Whose token a text is, or why it is nobody's.

        Only who knows the secret learns that a token expired or was revoked, in the access log.
        """
        parts = text.split("_", 2)
        if len(text) > LONGEST or len(parts) != 3 or parts[0] != PREFIX:
            return Denied(why=Why.MALFORMED)
        _, name, secret = parts
        if not IDENTIFIER.fullmatch(name) or not secret.isascii():
            return Denied(why=Why.MALFORMED)
        token = self._store.token(name)
        # Compared also where there is nothing to compare with: it takes as long.
        same = hmac.compare_digest(_digest(secret), "" if token is None else token.sha256)
        if token is None:
            return Denied(why=Why.UNKNOWN_TOKEN)
        caller = caller_of(token)
        if not same:
            return Denied(why=Why.WRONG_SECRET, actor=caller.id, tenant=token.tenant)
        match token.status(self._clock.now()):
            case "valid":
                return caller
            case "revoked":
                return Denied(why=Why.REVOKED, actor=caller.id, tenant=token.tenant)
            case _:
                return Denied(why=Why.EXPIRED, actor=caller.id, tenant=token.tenant)


class Identifies(Protocol):
    """What knows the bearer tokens of an identity provider."""

    def identify(self, text: str) -> Caller | Denied:
        """Whose token a text is, or why it is nobody's."""


class Gate:
    """Identifies callers and lets them in or not; what it denies is in the access log."""

    def __init__(self, tokens: Tokens, log: AccessLog, *, provider: Identifies | None) -> None:
        self._tokens = tokens
        self._log = log
        self._provider = provider

    def identify(self, authorization: str | None) -> Caller | Denied:
        """Who sends a request with that `Authorization` header."""
        found = self._identified(authorization)
        if isinstance(found, Denied):
            self._log.denied(found)
        else:
            self._log.seen(found)
        return found

    def permit(self, caller: Caller, action: Action, **about: str | None) -> Denied | None:
        """Why a caller may not do that, if it may not; what an auditor may read is noted.

        `about` are the ids that it asks for, such as `course` and `site`.
        """
        why = caller.denied(action)
        site = about.get("site")
        if why is None and site is not None and not caller.sees(site):
            why = Why.SITE
        if why is not None:
            return self._deny(caller, why, action, about)
        if not PERMISSIONS[action].changes:  # a sign-off is a record, which says more
            self._log.read(caller, action, **about)
        return None

    def permit_event(
        self, caller: Caller, action: Action, *, event: str, actor: str, role: str, course: str = ""
    ) -> Denied | None:
        """Why a caller may not send, or try, an event in an actor's name; `None` when it may."""
        why = denial_of_event(caller, event=event, actor=actor, role=role)
        if why is None:
            return None
        return self._deny(caller, why, action, {"event": event, "role": role, "course": course})

    def outside(self, caller: Caller, action: Action, **about: str | None) -> Denied:
        """Note that a caller asked for what is outside its sites, where a query told so."""
        return self._deny(caller, Why.SITE, action, about)

    def _identified(self, authorization: str | None) -> Caller | Denied:
        if not authorization:
            return Denied(why=Why.NO_CREDENTIAL)
        scheme, _, text = authorization.strip().partition(" ")
        text = text.strip()
        if scheme.lower() != "bearer" or not text.isascii() or not text:
            return Denied(why=Why.MALFORMED)
        if text.startswith(f"{PREFIX}_"):
            return self._tokens.identify(text)
        if self._provider is None:
            return Denied(why=Why.UNKNOWN_TOKEN)
        return self._provider.identify(text)

    def _deny(
        self, caller: Caller, why: Why, action: Action, about: dict[str, str | None]
    ) -> Denied:
        denied = Denied(why=why, actor=caller.id, tenant=caller.tenant)
        self._log.denied(denied, action, **about)
        return denied


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Everything about access of one installation."""

    tokens: Tokens
    log: AccessLog
    gate: Gate


def caller_of(token: Token) -> Caller:
    """The caller that a token stands for."""
    return Caller(
        tenant=token.tenant,
        id=f"token:{token.id}",
        roles=frozenset(token.roles),
        sites=None if token.sites is None else frozenset(token.sites),
        how=How.TOKEN,
        actor_roles=frozenset(token.actor_roles),
    )


def operator(tenant: str, name: str = "operator") -> Caller:
    """Who runs a command on the machine itself: whoever may do that may open the database too.

    The name is what the machine says of them, and no proof.
    """
    return Caller(
        tenant=tenant,
        id=name,
        roles=frozenset({Role.ADMINISTRATOR}),
        sites=None,
        how=How.COMMAND,
    )


def anybody_here(tenant: str, actor_roles: Collection[str]) -> Caller:
    """Whoever asks a demonstration that listens on loopback alone; nothing else is open."""
    return Caller(
        tenant=tenant,
        id="loopback",
        roles=frozenset(Role) - {Role.AUDITOR},
        sites=None,
        how=How.LOOPBACK,
        actor_roles=frozenset(actor_roles),
    )


HOW_TO_BEGIN = """\
Nobody has access yet. Create the first token on this machine, with the same database:

    regimen token create --name operator --role administrator

It is shown once. With it, the tokens of others are created over HTTP: see docs/access.md."""
"""What a first start prints."""


def roles_of(names: Collection[str]) -> tuple[Role, ...]:
    """The roles of a token by their names. Raises InvalidInput, naming the field."""
    known = ", ".join(role.value for role in Role)
    if not 0 < len(names) <= len(Role):
        raise InvalidInput("roles", f"one or more of {known}")
    for name in names:
        if name not in set(Role):
            raise InvalidInput("roles", f"one or more of {known}", found=shown(name))
    found = tuple(role for role in Role if role in names)
    if Role.AUDITOR in found and len(found) > 1:
        raise InvalidInput("roles", "auditor alone: an auditor changes nothing")
    return found


def _actor_roles(names: Collection[str], roles: Collection[Role]) -> tuple[str, ...]:
    if names and Role.SERVICE not in roles:
        raise InvalidInput("actor_roles", "none unless the token is a service's")
    found = _words(names, "actor_roles", "the name of a role of a workflow")
    if ENGINE in found:
        raise InvalidInput("actor_roles", f"no {ENGINE}: that is the engine's own")
    return found


def _sites(names: Collection[str]) -> tuple[str, ...]:
    if not names:
        raise InvalidInput("sites", "one site or more; leave it out for every site")
    return _words(names, "sites", "the name of a site")


def _words(names: Collection[str], field: str, expected: str) -> tuple[str, ...]:
    if len(names) > MOST:
        raise InvalidInput(field, f"at most {MOST}")
    return tuple(sorted({word(name, field, IDENTIFIER, expected) for name in names}))


def _days(days: int) -> int:
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput("expires_days", f"a whole number from 1 to {MOST_DAYS}")
    return days


def _text(random: Callable[[int], bytes], length: int) -> str:
    made = random(length)
    if len(made) < length:
        raise ValueError(f"a secret needs {length} random bytes")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


_A_NAME = "1 to 64 letters, digits and . _ : -, no person's name"

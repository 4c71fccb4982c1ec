"""The gate over HTTP: what `engine.access` denies, told as a problem that gives nothing away."""

from __future__ import annotations

from typing import NoReturn

from engine import access
from engine.permission import Action, Caller, Denied, Why
from engine.web.problems import Problem

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="regimen"'}


class BearerGate:
    """Lets in who sends a token that is known, as far as its roles and sites go."""

    def __init__(self, gate: access.Gate) -> None:
        self._gate = gate

    def identify(self, authorization: str | None, *, peer: str | None) -> Caller:  # noqa: ARG002  # a token says it
        """The caller of a token. Raises Problem, the same for every token that is none."""
        found = self._gate.identify(authorization)
        if isinstance(found, Denied):
            _deny(found)
        return found

    def require(self, caller: Caller, action: Action, **about: str | None) -> None:
        """Raises Problem when the caller may not do this; `about` are the ids that it names."""
        denied = self._gate.permit(caller, action, **about)
        if denied is not None:
            _deny(denied)

    def require_event(
        self, caller: Caller, action: Action, *, event: str, actor: str, role: str, course: str
    ) -> None:
        """Raises Problem when the caller may not send this event for this actor in this role."""
        denied = self._gate.permit_event(
            caller, action, event=event, actor=actor, role=role, course=course
        )
        if denied is not None:
            _deny(denied, event)

    def outside(self, caller: Caller, action: Action, **about: str | None) -> None:
        """Note that something at a site of others was asked for."""
        self._gate.outside(caller, action, **about)


def _deny(denied: Denied, event: str = "") -> NoReturn:
    if denied.for_now:
        raise Problem(
            "unavailable",
            detail="the identity provider's keys cannot be had; send it again later",
            headers={"Retry-After": "30"},
        )
    if denied.unidentified:
        raise Problem("unauthenticated", headers=CHALLENGE)
    name = "role-not-held" if denied.why is Why.CLAIMED_ROLE else "not-permitted"
    detail = _DETAILS.get(denied.why)
    if event:
        raise Problem(name, detail=detail, event=event)
    raise Problem(name, detail=detail)


_DETAILS = {
    Why.SITE: "the token is not for this site, or this takes every site",
    Why.AUDITOR: "an auditor changes nothing",
    Why.CLAIMED_ACTOR: "who signed in acts as itself: actor.id is the id of GET /v1/caller",
}

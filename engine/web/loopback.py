"""The gate of the demonstration: open on loopback, closed to everybody else."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from engine.access import anybody_here
from engine.permission import Action, Caller
from engine.web.problems import Problem


class LoopbackGate:
    """Lets everything pass that comes from this machine; it says so when it starts.

    `actor_roles` are those of the workflows, since no token lists any.
    """

    def __init__(self, tenant: str, actor_roles: Collection[str] = ()) -> None:
        self._visitor = anybody_here(tenant, actor_roles)

    def identify(self, authorization: str | None, *, peer: str | None) -> Caller:  # noqa: ARG002  # nobody is asked
        """The visitor. Raises Problem for one who comes over a network."""
        if peer is None or not _is_loopback(peer):
            raise Problem("unauthenticated", detail="the demonstration answers on loopback only")
        return self._visitor

    def require(self, caller: Caller, action: Action, **about: str | None) -> None:
        """Everything is permitted."""

    def require_event(
        self, caller: Caller, action: Action, *, event: str, actor: str, role: str, course: str
    ) -> None:
        """Every role may be claimed."""

    def outside(self, caller: Caller, action: Action, **about: str | None) -> None:
        """Nothing: there is no site of others."""


def _is_loopback(peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return False

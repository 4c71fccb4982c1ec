"""The gate of the demonstration: open on loopback, closed to everybody else."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from engine.web.problems import Problem


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever sits at this machine: every role, every site of one tenant."""

    tenant: str
    id: str = "visitor"
    roles: frozenset[str] = field(default_factory=frozenset)
    sites: frozenset[str] | None = None


class LoopbackGate:
    """Lets everything pass that comes from this machine; it says so when it starts."""

    def __init__(self, tenant: str) -> None:
        self._visitor = Visitor(tenant)

    def identify(self, authorization: str | None, *, peer: str | None) -> Visitor:  # noqa: ARG002  # nobody is asked
        """The visitor. Raises Problem for one who comes over a network."""
        if peer is None or not _is_loopback(peer):
            raise Problem("unauthenticated", detail="the demonstration answers on loopback only")
        return self._visitor

    def require(self, caller: object, action: str, route: str) -> None:
        """Everything is permitted."""

    def may_claim(self, caller: object, actor_role: str, event: str) -> bool:  # noqa: ARG002  # likewise
        """Every role may be claimed."""
        return True


def _is_loopback(peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return False

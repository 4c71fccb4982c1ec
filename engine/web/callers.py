"""Who is calling, and whether they may: every route names one permission, and nothing is open."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from engine.errors import NotFound
from engine.service import Place, Service
from engine.web.office import Caller, Office, office_of

BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="An API token, or a token of the identity provider.",
)


class Need:
    """What a route asks of its caller: as a dependency, it gives the caller's desk.

    `public` routes have none; the test of access goes through every route and looks for one.
    """

    def __init__(self, action: str) -> None:
        self.action = action

    def __call__(
        self,
        request: Request,
        _: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)] = None,
    ) -> Desk:
        office = office_of(request)
        peer = request.client.host if request.client is not None else None
        caller = office.gate.identify(request.headers.get("authorization"), peer=peer)
        request.state.caller = caller
        route = request.scope["route"].path
        office.gate.require(caller, self.action, f"{request.method} {route}")
        return Desk(office=office, caller=caller)


class Desk:
    """One caller's view of the service: their tenant, their sites."""

    def __init__(self, *, office: Office, caller: Caller) -> None:
        self.office = office
        self.caller = caller

    @property
    def service(self) -> Service:
        return self.office.services(self.caller.tenant)

    def place(self, course: str) -> Place:
        """Where a course is treated. Raises NotFound also for one at a site of others."""
        found = self.service.place(course)
        self.at_site(found.site, course)
        return found

    def at_site(self, site: str, course: str) -> None:
        """Raises NotFound unless the caller may see the site: others are not told what is there."""
        if self.caller.sites is not None and site not in self.caller.sites:
            raise NotFound(course)


WorkflowReader = Annotated[Desk, Depends(Need("read:workflows"))]
Reader = Annotated[Desk, Depends(Need("read:courses"))]
LogReader = Annotated[Desk, Depends(Need("read:records"))]
Enroller = Annotated[Desk, Depends(Need("write:courses"))]
Sender = Annotated[Desk, Depends(Need("write:events"))]
"""What a route's caller must be permitted; the parameter of a route is one of these."""

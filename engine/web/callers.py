"""Who is calling, and whether they may: every route names one permission, and nothing is open."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from engine.access_log import AccessLog
from engine.audit import Auditor
from engine.clinic import Sites
from engine.core.encoding import Json
from engine.errors import NotFound
from engine.feed import Feed
from engine.log_entry import Entry, Logged
from engine.permission import Action, Caller
from engine.review import Reviews
from engine.service import Place, Service
from engine.web.office import Office, office_of
from engine.web.problems import Problem
from engine.worklist import Worklists

BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="An API token, or a token of the identity provider.",
)


class Need:
    """What a route asks of its caller: as a dependency, it gives the caller's desk.

    Routes without one are open to everybody; the test of access knows each of them by name. A
    parameter whose name begins with `prefix` is taken too, whatever else its name is.
    """

    def __init__(self, action: str, *, prefix: str | None = None) -> None:
        self.action = Action(action)
        self._prefix = prefix

    def __call__(
        self,
        request: Request,
        _: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)] = None,
    ) -> Desk:
        office = office_of(request)
        _require_known(request, self._prefix)
        peer = request.client.host if request.client is not None else None
        authorization = self.credential(request)
        caller = identified(office, authorization, peer)
        request.state.caller = caller
        asked = {name: str(value) for name, value in request.path_params.items()}
        office.gate.require(caller, self.action, **asked)

        def again() -> None:
            # Asked of the caller and not of the gate, which would note each look of an auditor.
            if not office.gate.identify(authorization, peer=peer).may(self.action):
                raise Problem("not-permitted")

        return Desk(office=office, caller=caller, action=self.action, again=again)

    def credential(self, request: Request) -> str | None:
        """By what a caller says who it is: the `Authorization` header, sent once.

        Of two, nobody knows which one somebody else looked at.
        """
        given = request.headers.getlist("authorization")
        return given[0] if len(given) == 1 else None


def _require_known(request: Request, prefix: str | None) -> None:
    """Raises Problem for a parameter that the route has not: a misspelt one would filter nothing.

    Nor may one that is taken once come twice.
    """
    if not request.query_params:
        return
    known = _parameters(request.scope["route"].dependant)
    found: list[Json] = []
    for name in dict.fromkeys(request.query_params):
        once = not known.get(name, False)
        if name not in known and not (prefix and name.startswith(prefix)):
            listed = ", ".join(sorted(known)) or "none"
            found.append({"field": name, "in": "query", "expected": f"one of: {listed}"})
        elif once and len(request.query_params.getlist(name)) > 1:
            found.append({"field": name, "in": "query", "expected": "one value"})
    if found:
        raise Problem("invalid", errors=found)


def _parameters(dependant: Dependant) -> dict[str, bool]:
    """The parameters that a route takes, and whether each may come several times."""
    own = {one.alias: "list" in str(one.field_info.annotation) for one in dependant.query_params}
    for one in dependant.dependencies:
        own |= _parameters(one)
    return own


def identified(office: Office, authorization: str | None, peer: str | None) -> Caller:
    """Who calls. Raises Problem for nobody, for one who tried too often and for one too many."""
    office.rates.knock(authorization, peer)
    try:
        caller = office.gate.identify(authorization, peer=peer)
    except Problem:
        office.rates.unknown(peer)
        raise
    office.rates.known(authorization, (caller.tenant, caller.id))
    return caller


class Desk:
    """One caller's view of the service: their tenant, their sites, and what they are at."""

    def __init__(
        self, *, office: Office, caller: Caller, action: Action, again: Callable[[], None]
    ) -> None:
        self.office = office
        self.caller = caller
        self.action = action
        self.still_permitted = again
        """Raises Problem once the caller may do this no more; for what goes on for a while."""

    @property
    def service(self) -> Service:
        return self.office.services(self.caller.tenant)

    @property
    def auditor(self) -> Auditor:
        """What an auditor asks of the courses of the caller's tenant."""
        service = self.service
        return Auditor(
            store=service.store, registry=service.setting.registry, tenant=service.tenant
        )

    @property
    def feed(self) -> Feed:
        """The feed; one that stays as it is for a caller who changes nothing."""
        feed = self.office.feeds(self.caller.tenant)
        return feed.still() if self.caller.only_looks else feed

    @property
    def seen_sites(self) -> tuple[str, ...] | None:
        """The sites whose courses the caller may see; `None` for every one."""
        return None if self.caller.sites is None else tuple(sorted(self.caller.sites))

    def place(self, course: str) -> Place:
        """Where a course is treated. Raises NotFound also for one at a site of others."""
        found = self.service.place(course)
        self.at_site(found.site, course)
        return found

    @property
    def sites(self) -> Sites:
        return self.office.sites(self.caller.tenant)

    @property
    def worklists(self) -> Worklists:
        return self.office.worklists(self.caller.tenant)

    @property
    def reviews(self) -> Reviews:
        return self.office.reviews(self.caller.tenant)

    def entry(self, action: Logged, about: Mapping[str, Json]) -> Entry:
        """A row of the access log about what the caller changes, to be written with it."""
        return self._log.entry(self.caller, action, about)

    @property
    def told(self) -> Callable[[Logged, Mapping[str, Json]], Entry] | None:
        """What makes such rows; `None` in the demonstration, which has no access log."""
        return None if self.office.access is None else self.entry

    @property
    def _log(self) -> AccessLog:
        if self.office.access is None:
            raise Problem("internal")
        return self.office.access.log

    def scope(self, asked: Collection[str] | None) -> frozenset[str] | None:
        """The sites that a list may show: those that were asked for, as far as they are seen."""
        if asked is None:
            return self.caller.sites
        return frozenset(site for site in asked if self.caller.sees(site))

    def at_site(self, site: str, course: str) -> None:
        """Raises NotFound unless the caller may see the site: others are not told what is there."""
        if not self.caller.sees(site):
            self.office.gate.outside(self.caller, self.action, course=course, site=site)
            raise NotFound(course)


Anybody = Annotated[Desk, Depends(Need(Action.READ_SELF))]
WorkflowReader = Annotated[Desk, Depends(Need(Action.READ_WORKFLOWS))]
Reader = Annotated[Desk, Depends(Need(Action.READ_COURSES))]
LogReader = Annotated[Desk, Depends(Need(Action.READ_RECORDS))]
SiteReader = Annotated[Desk, Depends(Need(Action.READ_SITES))]
SiteManager = Annotated[Desk, Depends(Need(Action.MANAGE_SITES))]
Enroller = Annotated[Desk, Depends(Need(Action.WRITE_COURSES))]
Sender = Annotated[Desk, Depends(Need(Action.WRITE_EVENTS))]
VisitReader = Annotated[Desk, Depends(Need(Action.READ_VISITS))]
Booker = Annotated[Desk, Depends(Need(Action.WRITE_BOOKINGS))]
Trier = Annotated[Desk, Depends(Need(Action.TRY_EVENTS))]
Signer = Annotated[Desk, Depends(Need(Action.WRITE_SIGNATURES))]
Reviewer = Annotated[Desk, Depends(Need(Action.WRITE_REVIEWS))]
CustodyReader = Annotated[Desk, Depends(Need(Action.READ_CUSTODY))]
CustodyKeeper = Annotated[Desk, Depends(Need(Action.MANAGE_CUSTODY))]
TokenReader = Annotated[Desk, Depends(Need(Action.READ_TOKENS))]
TokenManager = Annotated[Desk, Depends(Need(Action.MANAGE_TOKENS))]
AccessLogReader = Annotated[Desk, Depends(Need(Action.READ_ACCESS_LOG))]
FeedReader = Annotated[Desk, Depends(Need(Action.READ_FEED))]
EndpointReader = Annotated[Desk, Depends(Need(Action.READ_ENDPOINTS))]
EndpointManager = Annotated[Desk, Depends(Need(Action.MANAGE_ENDPOINTS))]
CalendarReader = Annotated[Desk, Depends(Need(Action.READ_CALENDARS))]
CalendarKeeper = Annotated[Desk, Depends(Need(Action.MANAGE_CALENDARS))]
"""What a route's caller must be permitted; the parameter of a route is one of these."""

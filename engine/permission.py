"""Who may do what: the roles of callers, what each may do, and what a caller is.

- A *role* here is one of the API. A *claimed role* is the actor's in an event, a word of the
  workflow. A caller may claim a role of the same name as one that it holds, and a service those
  that its token lists.
- `PERMISSIONS` is the only place that says what a role may do. The page for the operator is made
  from it, and every route of the HTTP service names one of its actions.
- Whoever holds the auditor's role changes nothing, whatever else it holds, but for one thing: it
  signs off what it looked at, which is a record of its own and changes no course.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engine.core.event import BOOKINGS, CUSTODY, DEFERRED, ENGINE, REVIEWED, SIGNED


class Role(StrEnum):
    """What a caller of the API is. Stored in tokens: never rename a value."""

    SCHEDULER = "scheduler"
    CLINICIAN = "clinician"
    PRESCRIBER = "prescriber"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    SERVICE = "service"
    RECORDS = "records"


ROLES: Mapping[Role, str] = {
    Role.SCHEDULER: "books visits: sees due windows, proposals and worklists, tells of bookings "
    "and defers visits, and sends what a workflow permits to `scheduler`; sees no record",
    Role.CLINICIAN: "treats: sees courses and their records, begins courses, sends what a "
    "workflow permits to `clinician`",
    Role.PRESCRIBER: "as a clinician, and sends what a workflow permits to `prescriber`",
    Role.AUDITOR: "sees everything, the access log too; signs off what it looked at and changes "
    "nothing else, and every read is logged",
    Role.ADMINISTRATOR: "manages tokens, webhook endpoints, calendars and sites; sees no course",
    Role.SERVICE: "a backend that is trusted to say who acts: claims the actor roles that its "
    "token lists, for any actor",
    Role.RECORDS: "keeps the records: erases texts on a legal basis, places and releases legal "
    "holds; sees no course",
}


class Action(StrEnum):
    """What a caller asks to do; every route of the service needs one of these."""

    READ_SELF = "read:self"
    READ_WORKFLOWS = "read:workflows"
    READ_SITES = "read:sites"
    READ_VISITS = "read:visits"
    READ_COURSES = "read:courses"
    READ_RECORDS = "read:records"
    READ_FEED = "read:feed"
    READ_CALENDARS = "read:calendars"
    READ_ENDPOINTS = "read:endpoints"
    READ_TOKENS = "read:tokens"
    READ_ACCESS_LOG = "read:access_log"
    READ_METRICS = "read:metrics"
    READ_CUSTODY = "read:custody"
    TRY_EVENTS = "try:events"
    WRITE_BOOKINGS = "write:bookings"
    WRITE_EVENTS = "write:events"
    WRITE_COURSES = "write:courses"
    WRITE_SIGNATURES = "write:signatures"
    WRITE_REVIEWS = "write:reviews"
    MANAGE_CALENDARS = "manage:calendars"
    MANAGE_SITES = "manage:sites"
    MANAGE_ENDPOINTS = "manage:endpoints"
    MANAGE_TOKENS = "manage:tokens"
    MANAGE_CUSTODY = "manage:custody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Who may do something. `changes` says that it writes; `whole` that it takes every site."""

    roles: frozenset[Role]
    meaning: str
    changes: bool = False
    whole: bool = False


_EVERYBODY = frozenset(Role)
_TREATING = frozenset({Role.CLINICIAN, Role.PRESCRIBER, Role.SERVICE})
_WORKING = _TREATING | {Role.SCHEDULER}
_MANAGING = frozenset({Role.ADMINISTRATOR})
_LOOKING = frozenset({Role.AUDITOR, Role.ADMINISTRATOR})
_KEEPING = frozenset({Role.ADMINISTRATOR, Role.RECORDS})

PERMISSIONS: Mapping[Action, Permission] = {
    Action.READ_SELF: Permission(roles=_EVERYBODY, meaning="who one is, and what one may do"),
    Action.READ_WORKFLOWS: Permission(
        roles=_EVERYBODY, meaning="workflows and the schemas of their events"
    ),
    Action.READ_SITES: Permission(
        roles=_EVERYBODY, meaning="sites: opening days, holidays and closures"
    ),
    Action.READ_VISITS: Permission(
        roles=_WORKING | {Role.AUDITOR}, meaning="due windows, proposals, bookings and worklists"
    ),
    Action.READ_COURSES: Permission(
        roles=_TREATING | {Role.AUDITOR},
        meaning="summaries of courses, holds, what can come next and why not",
    ),
    Action.READ_RECORDS: Permission(
        roles=_TREATING | {Role.AUDITOR}, meaning="records with their readings and findings"
    ),
    Action.READ_FEED: Permission(
        roles=_WORKING | {Role.AUDITOR}, meaning="the feed of changes: ids, and no clinical value"
    ),
    Action.READ_CALENDARS: Permission(
        roles=_WORKING | _LOOKING, meaning="which calendars were shared, without their secrets"
    ),
    Action.READ_ENDPOINTS: Permission(
        roles=_LOOKING, meaning="webhook endpoints and what was not delivered", whole=True
    ),
    Action.READ_TOKENS: Permission(
        roles=_LOOKING, meaning="tokens, without their secrets", whole=True
    ),
    Action.READ_ACCESS_LOG: Permission(roles=_LOOKING, meaning="the access log", whole=True),
    Action.READ_METRICS: Permission(
        roles=_LOOKING | {Role.SERVICE}, meaning="the metrics of the service", whole=True
    ),
    Action.READ_CUSTODY: Permission(
        roles=_KEEPING | {Role.AUDITOR},
        meaning="legal holds, and what an erasure does not reach",
    ),
    Action.TRY_EVENTS: Permission(
        roles=_WORKING, meaning="a dry run of an event, as far as one may send it"
    ),
    Action.WRITE_BOOKINGS: Permission(
        roles=_WORKING, meaning="what became of bookings, and deferred visits", changes=True
    ),
    Action.WRITE_EVENTS: Permission(
        roles=_WORKING,
        meaning="events of a workflow, as far as it permits them to the claimed role",
        changes=True,
    ),
    Action.WRITE_COURSES: Permission(
        roles=_TREATING,
        meaning="begin and adopt courses, correct readings, add to records, dispose of findings, "
        "omit, cease and resume visits",
        changes=True,
    ),
    Action.WRITE_SIGNATURES: Permission(
        roles=_TREATING, meaning="sign records, and events before they are sent", changes=True
    ),
    Action.WRITE_REVIEWS: Permission(
        roles=_TREATING | {Role.AUDITOR},
        meaning="sign off what deviated, was overridden, refused or late",
        changes=True,
    ),
    Action.MANAGE_CALENDARS: Permission(
        roles=_WORKING | _MANAGING,
        meaning="make and revoke the secret URL of a calendar",
        changes=True,
    ),
    Action.MANAGE_SITES: Permission(
        roles=_MANAGING, meaning="change the calendar of a site", changes=True
    ),
    Action.MANAGE_ENDPOINTS: Permission(
        roles=_MANAGING,
        meaning="change webhook endpoints, replay dead letters",
        changes=True,
        whole=True,
    ),
    Action.MANAGE_TOKENS: Permission(
        roles=_MANAGING, meaning="create and revoke tokens", changes=True, whole=True
    ),
    Action.MANAGE_CUSTODY: Permission(
        roles=_KEEPING,
        meaning="erase texts on a legal basis, place and release legal holds",
        changes=True,
    ),
}
"""What each role may do, and the only place that says so."""


class How(StrEnum):
    """How a caller was identified."""

    TOKEN = "token"  # noqa: S105  # a word
    OIDC = "oidc"
    LOOPBACK = "loopback"
    COMMAND = "command"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, and how far it may go; made by identifying, never by what a request says.

    `id` is a pseudonym that an event's actor may carry. `sites` is `None` for every site of the
    tenant. `actor_roles` are those that a service may claim. `authenticated_at` is when a person
    signed in, as far as an identity provider says so.
    """

    tenant: str
    id: str
    roles: frozenset[Role]
    sites: frozenset[str] | None
    how: How
    actor_roles: frozenset[str] = frozenset()
    authenticated_at: datetime | None = None

    def may(self, action: Action) -> bool:
        """Whether the table and the scope of sites let it do that."""
        return self.denied(action) is None

    def denied(self, action: Action) -> Why | None:
        """Why it may not do that; `None` when it may."""
        permission = PERMISSIONS[action]
        if permission.changes and self.only_looks and Role.AUDITOR not in permission.roles:
            return Why.AUDITOR
        if not self.roles & permission.roles:
            return Why.ROLE
        if permission.whole and self.sites is not None:
            return Why.SITE
        return None

    def sees(self, site: str) -> bool:
        """Whether a site is in its scope."""
        return self.sites is None or site in self.sites

    @property
    def only_looks(self) -> bool:
        """Whether it changes no course, whatever else it is; what it reads is noted."""
        return Role.AUDITOR in self.roles

    @property
    def vouches(self) -> bool:
        """Whether it says who acts; a person who signed in acts as itself alone."""
        return self.how is not How.OIDC

    @property
    def claimable(self) -> frozenset[str]:
        """The roles that its events may carry; an auditor's are sign-offs alone."""
        if self.only_looks:
            return frozenset({Role.AUDITOR.value})
        own = {role.value for role in self.roles if role in _CLAIMED}
        listed = self.actor_roles if Role.SERVICE in self.roles else frozenset()
        return frozenset(own | listed) - {ENGINE}


_CLAIMED = frozenset({Role.SCHEDULER, Role.CLINICIAN, Role.PRESCRIBER})
"""The roles that are words of workflows too."""


class Why(StrEnum):
    """Why access was denied. Logged: never rename a value."""

    NO_CREDENTIAL = "no-credential"
    MALFORMED = "malformed"
    UNKNOWN_TOKEN = "unknown-token"  # noqa: S105  # a word
    WRONG_SECRET = "wrong-secret"  # noqa: S105  # a word
    EXPIRED = "expired"
    REVOKED = "revoked"
    NOT_YET_VALID = "not-yet-valid"
    ALGORITHM = "algorithm-not-allowed"
    UNKNOWN_KEY = "unknown-key"
    SIGNATURE = "wrong-signature"
    ISSUER = "wrong-issuer"
    AUDIENCE = "wrong-audience"
    CLAIM = "missing-or-wrong-claim"
    NO_ROLE = "no-role"
    NO_KEYS = "keys-unavailable"
    ROLE = "role-may-not"
    AUDITOR = "auditor-changes-nothing"
    SITE = "outside-its-sites"
    CLAIMED_ROLE = "claimed-role-not-held"
    CLAIMED_ACTOR = "claimed-actor-is-another"


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """Access that was not given. `actor` and `tenant` are set as far as they are proved or known.

    The answer to an unidentified caller says no more than that it was not identified: `why` is for
    the access log.
    """

    why: Why
    actor: str = "nobody"
    tenant: str | None = None

    @property
    def unidentified(self) -> bool:
        """Whether nobody knows who asks."""
        return self.why not in _FORBIDDEN

    @property
    def for_now(self) -> bool:
        """Whether it is our fault, and asking later may help."""
        return self.why is Why.NO_KEYS


_FORBIDDEN = frozenset({Why.ROLE, Why.AUDITOR, Why.SITE, Why.CLAIMED_ROLE, Why.CLAIMED_ACTOR})


def needed_for(event: str) -> Action:
    """The action that sending an event is.

    >>> needed_for("course.booked").value, needed_for("course.corrected").value
    ('write:bookings', 'write:courses')
    >>> needed_for("request_dose").value, needed_for("course.erased").value
    ('write:events', 'manage:custody')
    """
    if event == SIGNED:
        return Action.WRITE_SIGNATURES
    if event == REVIEWED:
        return Action.WRITE_REVIEWS
    if event in CUSTODY:
        return Action.MANAGE_CUSTODY
    if event in BOOKINGS or event == DEFERRED:
        return Action.WRITE_BOOKINGS
    # Also those that do not exist yet: a scheduler may send what is listed above, and no more.
    return Action.WRITE_COURSES if event.startswith("course.") else Action.WRITE_EVENTS


def denial_of_event(caller: Caller, *, event: str, actor: str, role: str) -> Why | None:
    """Why a caller may not send an event in that actor's name and role; `None` when it may.

    The workflow still has to permit the event to the role. Whoever claims the role of a scheduler
    may do what a scheduler may, also when it holds more.
    """
    action = needed_for(event)
    if (why := caller.denied(action)) is not None:
        return why
    if role not in caller.claimable:
        return Why.CLAIMED_ROLE
    if role in _NAMES and Role(role) not in PERMISSIONS[action].roles:
        return Why.ROLE
    if not caller.vouches and actor != caller.id:
        return Why.CLAIMED_ACTOR
    return None


_NAMES = frozenset(role.value for role in Role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as it is stored: everything but its secret."""

    id: str
    tenant: str
    name: str
    sha256: str
    roles: tuple[Role, ...]
    actor_roles: tuple[str, ...]
    sites: tuple[str, ...] | None
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str | None = None

    def status(self, now: datetime) -> str:
        """Whether it is `valid`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at <= now else "valid"


def table() -> Iterator[str]:
    """The permissions as lines of Markdown, for the page that explains them."""
    yield "| Action | " + " | ".join(role.value for role in Role) + " | What it is |"
    yield "|---" * (len(Role) + 2) + "|"
    for action, permission in PERMISSIONS.items():
        marks = " | ".join("yes" if role in permission.roles else "" for role in Role)
        tail = "; needs every site" if permission.whole else ""
        yield f"| `{action.value}` | {marks} | {permission.meaning}{tail} |"


def meanings() -> Iterator[str]:
    """What each role is, as lines of Markdown."""
    for role, meaning in ROLES.items():
        yield f"- `{role.value}` {meaning}."

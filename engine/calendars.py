"""Calendars that are shared by a secret URL: who may see which visits, and how much of each.

- Who knows the URL sees the calendar, without a token: it is made for calendar programs, which send
  none. Of the secret, 256 random bits, only the SHA-256 is kept; it is shown once.
- A calendar tells when somebody comes, and nothing of why: "Visit 3", no name of a visit, a drug, a
  site or a state. Only the calendar of one course names that course, for it shows no other.
- Bookings are facts, as a scheduling system told them. Proposals are the engine's, made anew at
  each request; a visit that is booked has none.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

from engine.clinic import Sites
from engine.core.definition import Waits
from engine.core.encoding import instant_from
from engine.core.proposal import Proposal
from engine.core.wire import IDENTIFIER, members, shown, word
from engine.errors import CalendarNotFound, InvalidInput, NotFound
from engine.item import Item
from engine.listing import Listing
from engine.log_entry import Entry, Logged
from engine.permission import Denied, Role, Why
from engine.ports import Clock
from engine.sharing import CalendarStore, Place, Scope, Shared
from engine.worklist import MOST, Ask, Worklists

KEPT = timedelta(days=31)
"""How long a booking stays in a calendar after its day, cancelled ones too."""
AHEAD = 92
"""How many days ahead the window of a proposed visit opens at the latest."""
ID_BYTES, SECRET_BYTES = 8, 32
MOST_SITES = 50

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
"""From when the sequence of a proposal counts seconds: it lasts until 2088."""


ROLES: Mapping[Role, str] = {
    Role.SCHEDULER: "every visit at its sites, booked and proposed",
    Role.CLINICIAN: "what is booked at its sites, and what is proposed of courses that wait for a "
    "decision",
    Role.PRESCRIBER: "the visits of courses at its sites that wait for a decision",
}
"""Which visits the calendar of each role shows."""


class Standing(StrEnum):
    """What is sure about an entry."""

    PROPOSED = "proposed"
    BOOKED = "booked"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A calendar that was just made, with the path of its URL, which is never shown again."""

    shared: Shared
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One entry of a calendar.

    A booked one has its instant and perhaps its length; a proposed one has a day at the site, and
    the days between which it may be moved. `sequence` rises whenever anything of it may have
    changed, `changed` is when that last was.
    """

    uid: str
    sequence: int
    changed: datetime
    standing: Standing
    zone: str
    number: int | None
    course: str | None = None
    start: datetime | None = None
    minutes: int | None = None
    day: date | None = None
    between: tuple[date, date] | None = None


class By(Protocol):
    """Who makes or revokes a calendar; `sites` is `None` for every one of the tenant."""

    @property
    def tenant(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def sites(self) -> Collection[str] | None: ...


class Denials(Protocol):
    """What notes who was kept out."""

    def denied(self, denied: Denied) -> None:
        """Note a denial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedCalendars:
    """Every tenant's shared calendars.

    `lists` and `sites` are those of a tenant. `random` gives that many random bytes from a source
    that is fit for secrets.
    """

    store: CalendarStore
    denials: Denials
    clock: Clock
    lists: Callable[[str], Worklists]
    sites: Callable[[str], Sites]
    random: Callable[[int], bytes]

    def share(self, by: By, raw: object) -> Made:
        """A new calendar of the caller's tenant: `scope`, `subject` and perhaps `sites`.

        It never shows a site that its maker may not see. Raises InvalidInput, naming the field,
        and NotFound for a site or course that the maker may not see.
        """
        scope, subject, sites = self._asked(by, raw)
        secret = urlsafe_b64encode(self.random(SECRET_BYTES)).decode().rstrip("=")
        shared = Shared(
            id=self.random(ID_BYTES).hex(),
            tenant=by.tenant,
            sha256=_digest(secret),
            scope=scope,
            subject=subject,
            sites=sites,
            created_at=self.clock.now(),
            created_by=by.id,
        )
        self.store.share(shared, self._entry(by, Logged.CALENDAR_CREATED, shared))
        return Made(shared=shared, path=f"/v1/calendars/{shared.id}.{secret}.ics")

    def page(
        self, by: By, *, after: tuple[datetime, str] | None = None, limit: int = 100
    ) -> Sequence[Shared]:
        """The tenant's calendars, oldest first, revoked ones too: those that the caller may see.

        A page that has fewer than `limit` is the last one.
        """
        seen: list[Shared] = []
        while len(seen) < limit:
            page = self.store.calendars(by.tenant, after=after, limit=limit)
            seen += [one for one in page if _sees(by, one)]
            if len(page) < limit:
                break
            after = (page[-1].created_at, page[-1].id)
        return seen[:limit]

    def revoke(self, by: By, calendar: str) -> Shared:
        """Revoke a calendar at once and for good; what is revoked already stays as it is.

        Raises NotFound, also for one that the caller may not see.
        """
        found = self.store.calendar(calendar) if IDENTIFIER.fullmatch(calendar) else None
        if found is None or found.tenant != by.tenant or not _sees(by, found):
            raise CalendarNotFound(calendar)
        entry = self._entry(by, Logged.CALENDAR_REVOKED, found)
        self.store.revoke(by.tenant, calendar, at=self.clock.now(), entry=entry)
        return self.store.calendar(calendar) or found

    def opened(self, key: str) -> Shared | None:
        """The calendar of the last part of a URL, `id.secret`; `None` where nobody may see one."""
        calendar, _, secret = key.partition(".")
        found = self.store.calendar(calendar) if IDENTIFIER.fullmatch(calendar) else None
        # Compared also where there is nothing to compare with: it takes as long.
        same = hmac.compare_digest(_digest(secret), "" if found is None else found.sha256)
        if found is None:
            self.denials.denied(Denied(why=Why.UNKNOWN_TOKEN))
            return None
        why = Why.REVOKED if found.revoked_at is not None else None
        if (why := why if same else Why.WRONG_SECRET) is None:
            return found
        actor = f"calendar:{found.id}"
        self.denials.denied(Denied(why=why, actor=actor, tenant=found.tenant))
        return None

    def slots(self, shared: Shared) -> list[Slot]:
        """The entries of a calendar now, in a fixed order."""
        now = self.clock.now()
        found = [*self._booked(shared, now), *self._proposed(shared)]
        return sorted(found, key=lambda slot: slot.uid)

    # --- how --------------------------------------------------------------------------------------

    def _asked(self, by: By, raw: object) -> tuple[Scope, str, tuple[str, ...] | None]:
        sent = members(raw, "", ("scope", "subject", "sites"), ("scope", "subject"))
        said = sent["scope"]
        if not isinstance(said, str) or said not in tuple(Scope):
            raise InvalidInput("scope", f"one of {', '.join(Scope)}", found=shown(said))
        scope = Scope(said)
        expected = f"the name of a {scope.value}"
        subject = word(sent["subject"], "subject", IDENTIFIER, expected)
        sites = _sites(sent.get("sites"))
        if sites is not None and scope is not Scope.ROLE:
            raise InvalidInput("sites", "nothing: only the calendar of a role has sites")
        match scope:
            case Scope.SITE:
                if not _at(by, subject):
                    raise CalendarNotFound(subject, "site")
                return scope, subject, (subject,)
            case Scope.COURSE:
                place = self.store.places(by.tenant, [subject]).get(subject)
                if place is None or not _at(by, place.site):
                    raise NotFound(subject)
                return scope, subject, (place.site,)
            case Scope.ROLE:
                if subject not in tuple(ROLES):
                    raise InvalidInput("subject", f"one of {', '.join(ROLES)}", found=subject)
                for site in sites or ():
                    if not _at(by, site):
                        raise CalendarNotFound(site, "site")
                own = None if by.sites is None else tuple(sorted(by.sites))
                return scope, subject, own if sites is None else sites

    def _entry(self, by: By, action: Logged, shared: Shared) -> Entry:
        about = {"calendar": shared.id, "scope": shared.scope.value, "subject": shared.subject}
        return Entry(
            tenant=by.tenant,
            at=self.clock.now(),
            id=self.random(ID_BYTES).hex(),
            actor=by.id,
            action=action,
            outcome="given",
            about=about,
        )

    def _booked(self, shared: Shared, now: datetime) -> Iterator[Slot]:
        course = shared.subject if shared.scope is Scope.COURSE else None
        since = (now - KEPT).date()
        for one in self.store.booked(shared.tenant, since=since, sites=shared.sites, course=course):
            if _shows(shared, Standing.BOOKED, one.waits):
                # Whether somebody came is nobody's business who has only the URL.
                over = one.status == "cancelled"
                yield Slot(
                    uid=_uid(shared.tenant, one.course, "booking", one.name),
                    # It rises also where a name is used again, when `changes` begins anew.
                    sequence=one.seq,
                    changed=one.told,
                    standing=Standing.CANCELLED if over else Standing.BOOKED,
                    zone=one.zone,
                    number=one.number,
                    course=course,
                    start=one.start,
                    minutes=one.minutes,
                )

    def _proposed(self, shared: Shared) -> Iterator[Slot]:
        if not any(_shows(shared, Standing.PROPOSED, waits) for waits in (None, Waits.DECISION)):
            return
        items = [item for item in self._unbooked(shared) if isinstance(item.proposal, Proposal)]
        places = self.store.places(shared.tenant, list(dict.fromkeys(i.course for i in items)))
        sites = self.sites(shared.tenant)
        changed = {site: sites.get(site).changed_at for site in {p.site for p in places.values()}}
        for item in items:
            place = places[item.course]
            if _shows(shared, Standing.PROPOSED, place.waits):
                midnight = sites.calendars.of(place.zone).instant(item.today, "00:00")
                yield _proposal(shared, item, place, changed[place.site] or midnight, midnight)

    def _unbooked(self, shared: Shared) -> Iterator[Item]:
        """The visits that may be proposed and are not booked."""
        lists = self.lists(shared.tenant)
        if shared.scope is Scope.COURSE:
            of_course = lists.of_course(shared.subject)
            yield from (item for item in of_course.items if not item.booked)
            return
        sites = None if shared.sites is None else frozenset(shared.sites)
        ask = Ask(listing=Listing.UNBOOKED, sites=sites, soon_days=AHEAD, limit=MOST)
        while True:
            page = lists.page(ask)
            yield from page.items
            if page.cursor is None:
                return
            ask = replace(ask, cursor=page.cursor)


def _proposal(
    shared: Shared, item: Item, place: Place, site_changed: datetime, midnight: datetime
) -> Slot:
    """A visit that is proposed; it may have moved with the course, its site's calendar, the day."""
    row = json.loads(place.row)
    moved = max(instant_from(row["recorded_at"]), site_changed, midnight)
    series = (item.visit or "", str(row["round"]), str(item.number))
    window, proposal = item.window, item.proposal
    return Slot(
        uid=_uid(shared.tenant, item.course, "visit", *series),
        sequence=int((moved - EPOCH).total_seconds()),
        changed=moved,
        standing=Standing.PROPOSED,
        zone=place.zone,
        number=item.number,
        course=item.course if shared.scope is Scope.COURSE else None,
        day=proposal.on if isinstance(proposal, Proposal) else None,
        between=None if window is None else (window.earliest, window.latest),
    )


def _shows(shared: Shared, standing: Standing, waits: str | None) -> bool:
    """Whether a calendar shows that sort of entry of a course that waits for this."""
    if shared.scope is not Scope.ROLE or shared.subject == Role.SCHEDULER:
        return True
    if waits == Waits.DECISION:
        return True
    return shared.subject == Role.CLINICIAN and standing is not Standing.PROPOSED


def _sites(raw: object) -> tuple[str, ...] | None:
    if raw is None:
        return None
    if not isinstance(raw, list) or not 1 <= len(raw) <= MOST_SITES:
        raise InvalidInput("sites", f"an array of 1 to {MOST_SITES} names of sites, or nothing")
    names = [
        word(one, f"sites[{n}]", IDENTIFIER, "the name of a site") for n, one in enumerate(raw)
    ]
    return tuple(sorted(set(names)))


def _at(by: By, site: str) -> bool:
    return by.sites is None or site in by.sites


def _sees(by: By, shared: Shared) -> bool:
    """Whether all that a calendar shows is in the caller's scope."""
    if by.sites is None:
        return True
    return shared.sites is not None and set(shared.sites) <= set(by.sites)


def _uid(tenant: str, *parts: str) -> str:
    """What an entry is called for ever, in whichever calendar; it says nothing to a reader."""
    return sha256("\0".join((tenant, *parts)).encode()).hexdigest()[:32] + "@regimen"


def _digest(secret: str) -> str:
    return sha256(secret.encode(errors="surrogatepass")).hexdigest()

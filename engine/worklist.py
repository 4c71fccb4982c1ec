"""Worklists: what is to be done of courses as of a day, each item with why.

- `as_of` places the *present* windows, bookings and states against a day, as `regimen due` does:
  it does not tell what a list showed back then, nor what a course will be like.
- A store gives candidates; whether one belongs to a list is judged here, by the course's own zone
  and by the pure functions that decisions use.
- Nothing here is written, and nothing is decided of treatment.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from engine.clinic import ALWAYS_OPEN, Clinic, stored
from engine.core.encoding import Json, instant_text
from engine.core.proposal import NoCompliantDay, Proposal, propose
from engine.core.row import arranged_from, finding_from
from engine.core.schedule import Dueness, dueness
from engine.core.scheduling import LIVE, speaking_against
from engine.core.snapshot import Arranged
from engine.cursor import cursor, place
from engine.errors import InvalidInput, NotFound
from engine.item import Item, Lacking, Questioned, booked_json
from engine.listing import SEVERAL, SPEAKS, Booked, Candidate, Listing, Lists, Reader, Wanted
from engine.ports import Calendars, Clock
from engine.registry import Registry
from engine.unsigned import unsigned

WORKLISTS: Mapping[Listing, str] = {
    Listing.MISSED: "visits whose window closed",
    Listing.OVERDUE: "visits past their target that may still be done",
    Listing.DUE_NOW: "visits whose window is open, up to their target",
    Listing.DUE_SOON: "visits whose window opens soon",
    Listing.UNBOOKED: "visits that are open or open soon and have no live booking",
    Listing.BOOKED_OUTSIDE_WINDOW: "bookings outside the window of their visit",
    Listing.BOOKED_BELOW_MINIMUM_GAP: "bookings before the end of a minimum gap",
    Listing.BOOKED_ON_HOLD: "bookings of courses that are on hold",
    Listing.BOOKING_FOR_NO_VISIT: "bookings whose visit is not due, not wanted or over",
    Listing.WAITING_FOR_DATA: "courses with rules that could not be weighed",
    Listing.WAITING_FOR_DECISION: "courses that wait for a decision",
    Listing.HOLD_PAST_REVIEW: "courses on hold whose review was to be done before",
    Listing.OPEN_FINDINGS: "courses with decisions that a correction or late entry questions",
    Listing.UNSIGNED: "courses with records that wait for a signature",
}
"""What each worklist shows, the most pressing first."""

_END = "\U0010ffff"
"""Behind every name."""

SOON_DAYS, MOST_SOON = 7, 366
PAGE, MOST = 50, 200
"""How many items a page has where nobody says, and at most."""

EARLIEST_ZONE, LATEST_ZONE = timedelta(hours=-12), timedelta(hours=14)
"""How far the zones of the world lie from UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked of a list.

    `as_of` is a civil day, the same at every site; without it, it is today at each. `sites` are
    those that may be seen (`None`: all), `workflow` is the name of one (`None`: every). `day` is a
    clinic day: only what is booked for it, or proposed on it where nothing is booked.
    """

    listing: Listing
    as_of: date | None = None
    sites: frozenset[str] | None = None
    workflow: str | None = None
    day: date | None = None
    soon_days: int = SOON_DAYS
    cursor: str | None = None
    limit: int = PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some items of a list; `cursor` asks for those behind them, where there are more."""

    items: tuple[Item, ...]
    cursor: str | None

    def json(self) -> Json:
        """The page as it is shown."""
        return {"items": [item.json() for item in self.items], "next": self.cursor}


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseVisits:
    """The due visits of a course, and everything that was ever booked, with what is against it."""

    course: str
    site: str
    state: str
    waits: str | None
    items: tuple[Item, ...]
    booked: tuple[tuple[Booked, tuple[str, ...]], ...]
    arranged: Mapping[str, Arranged]

    def json(self) -> Json:
        """The course's visits as they are shown."""
        return {
            "course": self.course,
            "site": self.site,
            "state": self.state,
            "waits": self.waits,
            "visits": [item.json() for item in self.items],
            "bookings": [
                booked_json(one) | {"conflicts": list(against)} for one, against in self.booked
            ],
            "arranged": [
                {
                    "visit": name,
                    "how": one.how,
                    "number": one.number,
                    "until": None if one.until is None else one.until.isoformat(),
                }
                for name, one in sorted(self.arranged.items())
            ],
        }


@dataclass(frozen=True, slots=True)
class _Seen:
    """From when it is seen: a named day, or the present instant at each site."""

    day: date | None
    instant: datetime

    def today(self, calendars: Calendars, zone: str) -> date:
        return self.day or calendars.of(zone).civil_date(self.instant)

    def at(self, calendars: Calendars, zone: str) -> datetime:
        """The instant to propose from: of a named day, its first one."""
        if self.day is None:
            return self.instant
        return calendars.of(zone).instant(self.day, "00:00")

    def text(self) -> str:
        return instant_text(self.instant) if self.day is None else self.day.isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Worklists:
    """One tenant's worklists."""

    lists: Lists
    tenant: str
    clock: Clock
    calendars: Calendars
    registry: Registry

    def page(self, ask: Ask) -> Page:
        """A page of a list. Raises InvalidInput, naming what cannot be asked so."""
        _check(ask)
        seen, after = self._begin(ask)
        found: list[tuple[Item, tuple[Any, ...]]] = []
        with self.lists.reading(self.tenant) as reader:
            # One more than a page, to know whether another follows.
            wanted = self._wanted(ask, seen, after)
            while len(found) <= ask.limit:
                candidates = reader.candidates(wanted)
                judged = self._items(reader, candidates, ask, seen)
                found += [(item, one.key) for item, one in judged if not _before(one.key, after)]
                if len(candidates) < wanted.limit:
                    break
                # Nearly all candidates belong: where one did not, few more are looked at.
                more = min(MOST + 1, 4 * (ask.limit + 1 - len(found)) + 8)
                wanted = replace(wanted, after=candidates[-1].key, limit=more)
                after = (*candidates[-1].key, _END) if ask.listing in SEVERAL else after
        items = tuple(item for item, _ in found[: ask.limit])
        if len(found) <= ask.limit:
            return Page(items=items, cursor=None)
        _, last = found[ask.limit - 1]
        return Page(items=items, cursor=cursor(ask.listing, seen.text(), last))

    def counts(self, ask: Ask) -> Mapping[Listing, tuple[int, bool]]:
        """How many items each worklist has, up to the limit, and whether there are more."""
        found = {}
        for listing in WORKLISTS:
            page = self.page(replace(ask, listing=listing, cursor=None))
            found[listing] = (len(page.items), page.cursor is not None)
        return found

    def of_course(
        self, course: str, *, as_of: date | None = None, sites: frozenset[str] | None = None
    ) -> CourseVisits:
        """The visits and bookings of a course. Raises NotFound, also where its site is not seen."""
        seen = _Seen(as_of, self.clock.now())
        with self.lists.reading(self.tenant) as reader:
            found = reader.course(course, sites)
            if found is None:
                raise NotFound(course)
            windows = reader.windows([course])[course]
            booked = reader.bookings([course], live=False)[course]
            clinics = _clinics(reader, [found])
        arranged = _arranged(found)
        live = [one for one in booked if one.booking.status in LIVE]
        ask = Ask(listing=Listing.VISITS)
        return CourseVisits(
            course=course,
            site=found.site,
            state=found.state,
            waits=found.waits,
            items=tuple(
                self._item(replace(found, visit=name, window=window), live, clinics, ask, seen)
                for name, window in windows.items()
            ),
            booked=tuple(
                (one, self._against(replace(found, window=windows.get(one.booking.visit)), one))
                for one in booked
            ),
            arranged=arranged,
        )

    # --- how --------------------------------------------------------------------------------------

    def _begin(self, ask: Ask) -> tuple[_Seen, tuple[Any, ...] | None]:
        """From when it is seen, and behind what the page begins."""
        if ask.cursor is None:
            return _Seen(ask.as_of, self.clock.now()), None
        day, instant, after = place(ask.listing, ask.cursor)
        if ask.as_of not in (None, day):
            raise InvalidInput("cursor", "that of a page with the same `as_of`")
        return _Seen(day, instant), after

    def _wanted(self, ask: Ask, seen: _Seen, after: tuple[Any, ...] | None) -> Wanted:
        first = seen.day or (seen.instant + EARLIEST_ZONE).date()
        last = seen.day or (seen.instant + LATEST_ZONE).date()
        return Wanted(
            listing=ask.listing,
            first=first,
            last=last,
            until=last + timedelta(days=ask.soon_days),
            sites=ask.sites,
            workflow=ask.workflow,
            day=ask.day,
            after=after,
            limit=ask.limit + 1,
        )

    def _items(
        self, reader: Reader, candidates: Sequence[Candidate], ask: Ask, seen: _Seen
    ) -> list[tuple[Item, Candidate]]:
        """The candidates that belong to the list, as items."""
        if candidates and ask.listing in SEVERAL | {Listing.HOLDS}:
            candidates = _opened(reader, candidates, ask.listing)
        chosen = [one for one in candidates if self._belongs(one, ask, seen)]
        courses = list(dict.fromkeys(one.course for one in chosen if one.window is not None))
        live = reader.bookings(courses) if courses and ask.listing not in SPEAKS else {}
        clinics = _clinics(reader, chosen)
        found = [
            (self._item(one, live.get(one.course, ()), clinics, ask, seen), one) for one in chosen
        ]
        if ask.listing is Listing.UNSIGNED:
            waiting = unsigned(reader, self.registry, chosen)
            found = [(replace(item, unsigned=waiting[one.course]), one) for item, one in found]
        return [(item, one) for item, one in found if ask.day is None or ask.day in item.days]

    def _belongs(self, one: Candidate, ask: Ask, seen: _Seen) -> bool:
        if ask.listing in SPEAKS:
            against = () if one.booked is None else self._against(one, one.booked)
            return any(word in SPEAKS[ask.listing] for word in against)
        if one.window is None or ask.listing is Listing.HOLDS:
            return True
        today = seen.today(self.calendars, one.zone)
        if ask.listing is Listing.VISITS:
            return one.window.earliest <= today + timedelta(days=ask.soon_days)
        return dueness(one.window, today, soon_days=ask.soon_days) in _BELONG[ask.listing]

    def _item(  # what an item is made of
        self,
        one: Candidate,
        live: Iterable[Booked],
        clinics: Mapping[str, Clinic],
        ask: Ask,
        seen: _Seen,
    ) -> Item:
        clinic = clinics.get(one.site)
        booked = (one.booked,) if one.booked is not None else _for_it(one, live)
        number = None if one.window is None else one.window.number
        return Item(
            listing=ask.listing,
            course=one.course,
            site=one.site,
            state=one.state,
            today=seen.today(self.calendars, one.zone),
            visit=one.visit,
            number=number if one.booked is None else one.booked.booking.number,
            window=one.window,
            proposal=self._proposal(one, clinic, seen),
            open_every_day=clinic is None,
            booked=booked,
            conflicts=() if one.booked is None else self._against(one, one.booked),
            lacking=_lacking(one) if ask.listing is Listing.WAITING_FOR_DATA else (),
            findings=_findings(one) if ask.listing is Listing.OPEN_FINDINGS else (),
            soon_days=ask.soon_days,
        )

    def _proposal(
        self, one: Candidate, clinic: Clinic | None, seen: _Seen
    ) -> Proposal | NoCompliantDay | None:
        if one.window is None:
            return None
        calendar = self.calendars.of(one.zone)
        as_of = seen.at(self.calendars, one.zone)
        return propose(one.window, clinic or ALWAYS_OPEN, calendar, as_of=as_of)

    def _against(self, one: Candidate, booked: Booked) -> tuple[str, ...]:
        """What speaks against a booking of a course, as it stands; nothing once it is over."""
        if booked.booking.status not in LIVE:
            return ()
        # Only what is not due may have been arranged away.
        due = one.window is not None and booked.booking.number in (None, one.window.number)
        return speaking_against(
            booked.booking,
            self.calendars.of(one.zone),
            closed=not one.open,
            waits=one.waits,
            window=one.window,
            arranged=None if due else _arranged(one).get(booked.booking.visit),
        )


def _check(ask: Ask) -> None:
    if not 1 <= ask.limit <= MOST:
        raise InvalidInput("limit", f"a whole number from 1 to {MOST}")
    if not 0 <= ask.soon_days <= MOST_SOON:
        raise InvalidInput("soon_days", f"a whole number from 0 to {MOST_SOON}")


def _opened(reader: Reader, candidates: Sequence[Candidate], listing: Listing) -> list[Candidate]:
    """Courses as what the list shows of them: their bookings, their visits, or one visit."""
    named = [one.course for one in candidates]
    windows = reader.windows(named)
    if listing in SPEAKS:
        booked = reader.bookings(named)
        return [
            replace(
                one,
                key=(*one.key, b.name),
                visit=b.booking.visit,
                window=windows[one.course].get(b.booking.visit),
                booked=b,
            )
            for one in candidates
            for b in sorted(booked[one.course], key=lambda b: b.name)
        ]
    if listing is Listing.HOLD_PAST_REVIEW:
        return [
            replace(one, key=(*one.key, name), visit=name, window=window)
            for one in candidates
            for name, window in windows[one.course].items()
        ]
    # Of several that are due while a course is on hold, the first to close.
    found = []
    for one in candidates:
        due = windows[one.course].items()
        name, window = min(due, key=lambda item: item[1].latest, default=(None, None))
        found.append(replace(one, visit=name, window=window))
    return found


def _before(key: tuple[Any, ...], after: tuple[Any, ...] | None) -> bool:
    """Whether an item was seen already."""
    return after is not None and key <= after


def _clinics(reader: Reader, candidates: Iterable[Candidate]) -> Mapping[str, Clinic]:
    """The calendars of the sites that have one."""
    sites = sorted({one.site for one in candidates})
    found = reader.calendars(sites) if sites else {}
    return {site: stored(calendar) for site, calendar in found.items()}


def _for_it(one: Candidate, live: Iterable[Booked]) -> tuple[Booked, ...]:
    """The live bookings of the visit that is due."""
    if one.window is None:
        return ()
    meant = (None, one.window.number)
    return tuple(b for b in live if b.booking.visit == one.visit and b.booking.number in meant)


def _arranged(one: Candidate) -> Mapping[str, Arranged]:
    row = json.loads(one.row or "{}")
    return {name: arranged_from(items) for name, items in row.get("arranged", {}).items()}


def _lacking(one: Candidate) -> tuple[Lacking, ...]:
    """The course's open questions; each says `input (why)`."""
    questions: Mapping[str, Sequence[str]] = json.loads(one.row or "{}").get("questions", {})
    return tuple(
        Lacking(rule, tuple(_input(said) for said in missing))
        for rule, missing in questions.items()
    )


def _findings(one: Candidate) -> tuple[Questioned, ...]:
    """The course's open findings."""
    found: Mapping[str, list[Json]] = json.loads(one.row or "{}").get("open_findings", {})
    return tuple(
        Questioned(int(name), finding_from(items)) for name, items in sorted(found.items())
    )


def _input(said: str) -> tuple[str, str]:
    name, _, why = said.removesuffix(")").rpartition(" (")
    return (name, why) if name else (said, "missing")


_BELONG: Mapping[Listing, tuple[Dueness, ...]] = {
    Listing.DUE_NOW: (Dueness.NOW,),
    Listing.DUE_SOON: (Dueness.SOON,),
    Listing.OVERDUE: (Dueness.OVERDUE,),
    Listing.MISSED: (Dueness.MISSED,),
    Listing.HOLD_PAST_REVIEW: (Dueness.MISSED,),
    Listing.UNBOOKED: (Dueness.NOW, Dueness.SOON, Dueness.OVERDUE),
}
"""Where the day lies in the windows that each list shows."""

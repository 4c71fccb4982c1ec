"""When a site is open: weekdays, public holidays, closures. Proposals keep to it; bookings may not.

- A site without a calendar is open every day, and every answer that rests on that says so.
- The calendar names civil dates. A course keeps the zone that it was enrolled with: a calendar's
  own zone says where the site is, and moves no window.
- Public holidays come from the package `holidays` by country and subdivision.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, lru_cache
from hashlib import sha256
from typing import Any, Protocol

from engine.core.encoding import Json, canonical, instant_text
from engine.core.proposal import Against, Why
from engine.core.wire import (
    IDENTIFIER,
    LIST_LIMIT,
    ZONE,
    civil_date,
    json_kind,
    members,
    shown,
    unless,
    word,
)
from engine.errors import CalendarChanged, InvalidInput
from engine.log_entry import Entry
from engine.ports import Calendars, Clock

FORMAT = 1
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NAME_LIMIT = 100
"""How many characters the name of a holiday or the reason of a closure may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """Days on which a site is closed, the first and the last one included, and why."""

    first: date
    last: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """When a site is open.

    The public holidays are those of a country and perhaps its subdivision, and `extra` ones. On the
    days of `anyway` it is open whatever weekday or holiday that is, unless a closure says no.
    """

    zone: str
    open: tuple[str, ...]
    country: str | None = None
    subdivision: str | None = None
    extra: Mapping[date, str] = field(default_factory=dict)
    anyway: frozenset[date] = frozenset()
    closures: tuple[Closure, ...] = ()

    def against(self, day: date) -> Against | None:
        """Why it is closed on a day; `None` when it is open."""
        for closure in self.closures:
            if closure.first <= day <= closure.last:
                return Against(day, Why.CLOSURE, closure.reason)
        if day in self.anyway:
            return None
        holiday = self.extra.get(day) or self._public_holiday(day)
        if holiday is not None:
            return Against(day, Why.HOLIDAY, holiday)
        weekday = WEEKDAYS[day.weekday()]
        return None if weekday in self.open else Against(day, Why.CLOSED_WEEKDAY, weekday)

    def json(self) -> Json:
        """The calendar as it is sent and stored."""
        found: dict[str, Json] = {"format": FORMAT, "zone": self.zone, "open": list(self.open)}
        if self.country is not None:
            named = {"country": self.country, "subdivision": self.subdivision}
            found["holidays"] = {name: value for name, value in named.items() if value is not None}
        if self.extra:
            found["extra_holidays"] = [
                {"date": day.isoformat(), "name": name} for day, name in sorted(self.extra.items())
            ]
        if self.anyway:
            found["open_anyway"] = [day.isoformat() for day in sorted(self.anyway)]
        if self.closures:
            found["closures"] = [
                {"from": c.first.isoformat(), "to": c.last.isoformat(), "reason": c.reason}
                for c in self.closures
            ]
        return found

    def _public_holiday(self, day: date) -> str | None:
        if self.country is None:
            return None
        return _holidays(self.country, self.subdivision, day.year).get(day)


class AlwaysOpen:
    """A site without a calendar."""

    def against(self, day: date) -> Against | None:  # noqa: ARG002  # every day is the same
        """Nothing: it is open every day, as far as anybody said."""
        return None


ALWAYS_OPEN = AlwaysOpen()


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """A site's calendar as it is stored: canonical JSON, and when it was last changed."""

    site: str
    calendar: str
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site's calendar; of one without, `changed_at` is `None` and it is open every day."""

    site: str
    clinic: Clinic | None = None
    changed_at: datetime | None = None

    @property
    def tag(self) -> str:
        """What tells this calendar from every other; that it has none, too."""
        content = b"" if self.clinic is None else canonical(self.clinic.json())
        return sha256(content).hexdigest()[:32]

    def json(self) -> Json:
        """The site as it is shown."""
        return {
            "site": self.site,
            "calendar": None if self.clinic is None else self.clinic.json(),
            "open_every_day": self.clinic is None,
            "changed_at": None if self.changed_at is None else instant_text(self.changed_at),
        }


class SiteStore(Protocol):
    """Where calendars are kept."""

    def get(self, tenant: str, site: str) -> SiteRow | None:
        """The calendar of a site, if it has one."""

    def all(self, tenant: str, after: str = "", limit: int = 1000) -> Sequence[SiteRow]:
        """Calendars by the names of their sites."""

    def put(
        self,
        tenant: str,
        row: SiteRow,
        entries: Sequence[Entry] = (),
        *,
        unless: Callable[[SiteRow | None], bool] = lambda _: False,
    ) -> bool:
        """Set the calendar of a site; the one before is replaced. The access log gets `entries`.

        Where `unless` says so of the one before, nothing is written; whether anything was.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """One tenant's site calendars."""

    store: SiteStore
    tenant: str
    clock: Clock
    calendars: Calendars

    def put(
        self,
        site: str,
        raw: object,
        *,
        told: Callable[[], Entry] | None = None,
        expected: Callable[[str], bool] = lambda _: True,
    ) -> Site:
        """Set a site's calendar. Raises InvalidInput, naming the member of what was sent.

        `told` makes the row of the access log that says who did it; both are written, or neither.
        Raises CalendarChanged where the tag of the calendar that it replaces is not `expected`,
        unless that is the same one already: a lost answer may be asked for again.
        """
        name = word(site, "site", IDENTIFIER, "a name of 1 to 64 letters, digits and . _ : -")
        clinic = clinic_from(raw, self.calendars)
        now = self.clock.now()
        calendar = canonical(clinic.json()).decode()
        row = SiteRow(site=name, calendar=calendar, changed_at=now)
        entries = () if told is None else (told(),)
        after = Site(site=name, clinic=clinic, changed_at=now)

        def unexpected(before: SiteRow | None) -> bool:
            return not expected(_found(name, before).tag)

        if self.store.put(self.tenant, row, entries, unless=unexpected):
            return after
        before = self.get(name)
        if before.tag != after.tag:
            raise CalendarChanged(name, before.tag)
        return before

    def get(self, site: str) -> Site:
        """A site's calendar. One that nobody set says that the site is open every day."""
        return _found(site, self.store.get(self.tenant, site))

    def all(self) -> list[Site]:
        """Every calendar that was set, by site."""
        found: list[Site] = []
        while page := self.store.all(self.tenant, found[-1].site if found else ""):
            found += map(_site, page)
        return found


def clinic_from(raw: object, calendars: Calendars) -> Clinic:
    """The calendar that was sent. Raises InvalidInput, naming the member and what was expected."""
    sent = members(raw, "", _MEMBERS, ("format", "zone", "open"))
    if sent["format"] != FORMAT or isinstance(sent["format"], bool):
        raise InvalidInput("format", str(FORMAT), found=json_kind(sent["format"]))
    zone = word(sent["zone"], "zone", ZONE, 'an IANA time zone such as "America/Los_Angeles"')
    calendars.of(zone)
    country, subdivision = _country(sent["holidays"]) if "holidays" in sent else (None, None)
    return Clinic(
        zone=zone,
        open=_weekdays(sent["open"]),
        country=country,
        subdivision=subdivision,
        extra=_extra(sent.get("extra_holidays", [])),
        anyway=frozenset(
            _date(one, f"open_anyway[{n}]")
            for n, one in enumerate(_array(sent.get("open_anyway", []), "open_anyway"))
        ),
        closures=tuple(
            _closure(one, f"closures[{n}]")
            for n, one in enumerate(_array(sent.get("closures", []), "closures"))
        ),
    )


def _found(site: str, row: SiteRow | None) -> Site:
    return Site(site=site) if row is None else _site(row)


def _site(row: SiteRow) -> Site:
    return Site(site=row.site, clinic=stored(row.calendar), changed_at=row.changed_at)


@lru_cache(maxsize=1024)
def stored(calendar: str) -> Clinic:
    """A calendar that was checked when it was stored; zone data may have changed since."""
    return clinic_from(json.loads(calendar), _AnyZone())


class _AnyZone:
    """Takes the zone of a calendar as it was once found to be."""

    def of(self, zone: str) -> Any:  # noqa: ANN401  # nobody asks what it is
        return zone


def _weekdays(raw: object) -> tuple[str, ...]:
    days = _array(raw, "open")
    for n, day in enumerate(days):
        if day not in WEEKDAYS:
            raise InvalidInput(f"open[{n}]", f"one of {', '.join(WEEKDAYS)}", found=shown(day))
        if day in days[:n]:
            raise InvalidInput(f"open[{n}]", "each weekday once", found=shown(day))
    if not days:
        raise InvalidInput("open", "at least one weekday; a site that is shut has a closure")
    return tuple(day for day in WEEKDAYS if day in days)


def _country(raw: object) -> tuple[str, str | None]:
    sent = members(raw, "holidays", ("country", "subdivision"), ("country",))
    known = _countries()
    country = word(sent["country"], "holidays.country", IDENTIFIER, _COUNTRY)
    if country not in known:
        raise InvalidInput("holidays.country", _COUNTRY, found=shown(country))
    if "subdivision" not in sent:
        return country, None
    expected = f"one of {', '.join(known[country]) or 'none'}, those of {country}"
    part = word(sent["subdivision"], "holidays.subdivision", IDENTIFIER, expected)
    if part not in known[country]:
        raise InvalidInput("holidays.subdivision", expected, found=shown(part))
    return country, part


def _extra(raw: object) -> Mapping[date, str]:
    found: dict[date, str] = {}
    for n, one in enumerate(_array(raw, "extra_holidays")):
        place = f"extra_holidays[{n}]"
        sent = members(one, place, ("date", "name"), ("date", "name"))
        day = _date(sent["date"], f"{place}.date")
        if day in found:
            raise InvalidInput(f"{place}.date", "each date once")
        found[day] = _short(sent["name"], f"{place}.name")
    return found


def _closure(raw: object, place: str) -> Closure:
    sent = members(raw, place, ("from", "to", "reason"), ("from", "to", "reason"))
    first, last = _date(sent["from"], f"{place}.from"), _date(sent["to"], f"{place}.to")
    if last < first:
        raise InvalidInput(f"{place}.to", "a date that is not before `from`")
    return Closure(first=first, last=last, reason=_short(sent["reason"], f"{place}.reason"))


def _array(raw: object, place: str) -> list[Any]:
    if not isinstance(raw, list) or len(raw) > LIST_LIMIT:
        raise InvalidInput(place, f"an array of at most {LIST_LIMIT}", found=unless(raw, list))
    return raw


def _date(raw: object, place: str) -> date:
    found = civil_date(raw) if isinstance(raw, str) else None
    if found is None:
        raise InvalidInput(place, 'a date such as "2026-12-24"', found=unless(raw, str))
    return found


def _short(raw: object, place: str) -> str:
    if not isinstance(raw, str) or not 1 <= len(raw) <= NAME_LIMIT or not raw.isprintable():
        expected = f"a text of 1 to {NAME_LIMIT} characters on one line"
        raise InvalidInput(place, expected, found=unless(raw, str))
    return raw


@cache
def _countries() -> Mapping[str, Sequence[str]]:
    """The subdivisions of each country whose holidays are known."""
    return dict(_package().list_supported_countries(include_aliases=False))


@lru_cache(maxsize=4096)
def _holidays(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    """The public holidays of a year, those that are moved to another day included."""
    # In one language, whatever the locale of this process; where there is none, in the country's.
    found = _package().country_holidays(country, subdiv=subdivision, years=year, language="en_US")
    return dict(found)


def _package() -> Any:  # noqa: ANN401  # a module
    try:
        import holidays  # noqa: PLC0415  # an extra, and slow to import
    except ImportError:
        expected = "none: pip install 'regimen-engine[web]' brings the holidays of countries"
        raise InvalidInput("holidays", expected) from None
    return holidays


_MEMBERS = ("format", "zone", "open", "holidays", "extra_holidays", "open_anyway", "closures")
_COUNTRY = 'a country such as "US" or "AT" whose holidays are known'

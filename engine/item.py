"""One item of a worklist: what it is about, and why it is there, in words and as data.

Nothing in it is a clinical value: names of visits, inputs and rules, dates, and what a scheduling
system said of its bookings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from engine.core.encoding import Json, instant_text
from engine.core.proposal import Against, NoCompliantDay, Proposal, Why
from engine.core.schedule import Dueness, dueness
from engine.core.scheduling import (
    BELOW_MINIMUM_GAP,
    COURSE_CLOSED,
    NOT_WANTED,
    ON_HOLD,
    OUTSIDE_WINDOW,
)
from engine.core.signing import Owed
from engine.core.snapshot import OpenFinding, Window
from engine.findings import plain
from engine.listing import Booked, Listing


@dataclass(frozen=True, slots=True)
class Lacking:
    """A rule that could not be weighed, and the inputs that it waits for: each with why."""

    rule: str
    inputs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Questioned:
    """An open finding, by the record that raised it: decisions that are in question."""

    finding: int
    what: OpenFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """A record that waits for signatures: of which event, since when, and whose.

    `until` is by when its event wants them; a later one counts, and is marked late.
    """

    record: int
    event: str
    since: datetime
    until: datetime | None
    owed: tuple[Owed, ...]

    def json(self) -> Json:
        """The record as it is shown."""
        return {
            "record": self.record,
            "event": self.event,
            "since": instant_text(self.since),
            "until": None if self.until is None else instant_text(self.until),
            "signatures": [
                {"meaning": one.meaning, "by": one.by, "roles": list(one.roles)}
                for one in self.owed
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A course, or a visit or booking of it, as of a day at its site.

    `window` is that of the visit where it is due, `proposal` what would be proposed in it. `booked`
    is the booking that the item is about, else the live ones of the visit. `open_every_day` says
    that the proposal rests on no calendar of the site.
    """

    listing: Listing
    course: str
    site: str
    state: str
    today: date
    visit: str | None = None
    number: int | None = None
    window: Window | None = None
    proposal: Proposal | NoCompliantDay | None = None
    open_every_day: bool = False
    booked: tuple[Booked, ...] = ()
    conflicts: tuple[str, ...] = ()
    lacking: tuple[Lacking, ...] = ()
    findings: tuple[Questioned, ...] = ()
    unsigned: tuple[Unsigned, ...] = ()
    soon_days: int = 7

    @property
    def due(self) -> Dueness | None:
        """Where the day lies in the window, if there is one."""
        if self.window is None:
            return None
        return dueness(self.window, self.today, soon_days=self.soon_days)

    @property
    def days(self) -> tuple[date, ...]:
        """The clinic days that it belongs to: those of its bookings, else the proposed one."""
        if self.booked:
            return tuple(dict.fromkeys(one.on for one in self.booked))
        return (self.proposal.on,) if isinstance(self.proposal, Proposal) else ()

    @property
    def why(self) -> str:
        """Why it is on the list."""
        return "; ".join(part for part in _why(self) if part)

    def json(self) -> Json:
        """The item as it is shown."""
        return {
            "kind": self.listing.value,
            "course": self.course,
            "site": self.site,
            "state": self.state,
            "as_of": self.today.isoformat(),
            "days": [day.isoformat() for day in self.days],
            "visit": self._visit_json(),
            "proposal": None if self.proposal is None else proposal_json(self.proposal),
            "open_every_day": self.open_every_day,
            "bookings": [booked_json(one) for one in self.booked],
            "conflicts": list(self.conflicts),
            "missing": [
                {
                    "rule": one.rule,
                    "inputs": [{"name": name, "why": why} for name, why in one.inputs],
                }
                for one in self.lacking
            ],
            "findings": [open_finding_json(one.finding, one.what) for one in self.findings],
            "unsigned": [one.json() for one in self.unsigned],
            "why": self.why,
        }

    def _visit_json(self) -> Json:
        if self.visit is None:
            return None
        window = None if self.window is None else window_json(self.window)
        due = None if self.due is None else self.due.value
        return {"name": self.visit, "number": self.number, "window": window, "due": due}


def window_json(window: Window) -> Json:
    """A due window as it is shown."""
    return {
        "number": window.number,
        "earliest": window.earliest.isoformat(),
        "target": window.target.isoformat(),
        "latest": window.latest.isoformat(),
        "not_before": None if window.not_before is None else instant_text(window.not_before),
    }


def open_finding_json(finding: int, what: OpenFinding) -> dict[str, Json]:
    """An open finding as it is shown."""
    return {
        "finding": finding,
        "correction": what.correction,
        "record": what.record,
        "input": what.input,
        "decisions": list(what.decisions),
    }


def booked_json(one: Booked) -> Json:
    """A booking as it is shown."""
    return {
        "booking": one.name,
        "visit": one.booking.visit,
        "number": one.booking.number,
        "start": instant_text(one.booking.start),
        "on": one.on.isoformat(),
        "minutes": one.booking.minutes,
        "status": one.booking.status,
        "changes": one.booking.changes,
    }


def proposal_json(proposal: Proposal | NoCompliantDay) -> Json:
    """What is proposed, or each day of the window with what speaks against it."""
    match proposal:
        case NoCompliantDay(days):
            return {"on": None, "no_compliant_day": [_against_json(day) for day in days]}
        case Proposal(on, not_before, instead_of):
            return {
                "on": on.isoformat(),
                "not_before": None if not_before is None else instant_text(not_before),
                "instead_of": None if instead_of is None else _against_json(instead_of),
            }


def window_words(window: Window, day: date, where: Dueness) -> str:
    """Where a day lies in a window."""
    match where:
        case Dueness.SOON | Dueness.LATER:
            return f"opens in {days_words(window.earliest - day)}, on {window.earliest}"
        case Dueness.NOW if day == window.target:
            return f"today is the target; it may be done until {window.latest}"
        case Dueness.NOW:
            ahead = days_words(window.target - day)
            return f"open since {window.earliest}; the target is in {ahead}"
        case Dueness.OVERDUE if day == window.latest:
            return f"{days_words(day - window.target)} past the target; today is the last day"
        case Dueness.OVERDUE:
            late, left = days_words(day - window.target), days_words(window.latest - day)
            return f"{late} past the target; it may be done for {left} more"
        case Dueness.MISSED:
            ago = days_words(day - window.latest)
            return f"the window closed {ago} ago, on {window.latest}"


def days_words(length: timedelta) -> str:
    """A number of days in words."""
    return "1 day" if length.days == 1 else f"{length.days} days"


def proposal_words(proposal: Proposal | NoCompliantDay) -> str:
    """What is proposed, in words."""
    match proposal:
        case NoCompliantDay(days):
            reasons = dict.fromkeys(_against_words(one) for one in days)
            return f"no day of the window can be proposed ({', '.join(reasons)})"
        case Proposal(on, not_before, instead_of):
            said = f"{on} is proposed"
            if not_before is not None:
                said += f", from {instant_text(not_before)} on"
            if instead_of is not None:
                said += f", since the target is {_against_words(instead_of)}"
            return said


def _why(item: Item) -> Sequence[str | None]:
    listing, window = item.listing, item.window
    if item.conflicts:
        return [_speaks(item, conflict) for conflict in item.conflicts]
    match listing:
        case Listing.WAITING_FOR_DATA:
            return [_lacks(one) for one in item.lacking]
        case Listing.OPEN_FINDINGS:
            return [_questions(one) for one in item.findings]
        case Listing.UNSIGNED:
            return [_unsigned(one) for one in item.unsigned]
        case Listing.WAITING_FOR_DECISION:
            return [f"in {_name(item.state)} a decision is waited for"]
        case Listing.HOLDS:
            review = None if window is None else f"{_name(item.visit)} by {window.latest}"
            return [f"on hold in {_name(item.state)}", review]
        case Listing.HOLD_PAST_REVIEW if window is not None:
            late = days_words(item.today - window.latest)
            said = f"on hold in {_name(item.state)}; its {_name(item.visit)} was to be by"
            return [f"{said} {window.latest}, {late} ago"]
    where: str | None = None
    if window is not None and item.due is not None:
        where = window_words(window, item.today, item.due)
    if item.booked:
        return [where, *(f"booked on {one.on}" for one in item.booked)]
    # Of a window that closed, all that could be said is that its days are past.
    if item.proposal is None or item.due is Dueness.MISSED:
        return [where]
    proposed = proposal_words(item.proposal)
    return [where, "not booked" if listing is Listing.UNBOOKED else None, proposed]


def _speaks(item: Item, conflict: str) -> str:
    """What speaks against the booking that the item is about."""
    (one,) = item.booked
    which = _name(one.booking.visit)
    which += "" if one.booking.number is None else f" {one.booking.number}"
    said, window = f"{which} is booked on {one.on}", item.window
    match conflict:
        case str() if conflict == OUTSIDE_WINDOW and window is not None:
            early = one.on < window.earliest
            apart = window.earliest - one.on if early else one.on - window.latest
            side = "before it opens" if early else "after its last day"
            span = f"{window.earliest} to {window.latest}"
            return f"{said}, outside its window {span}: {days_words(apart)} {side}"
        case str() if conflict == BELOW_MINIMUM_GAP and window is not None:
            ends = "" if window.not_before is None else f" at {instant_text(window.not_before)}"
            return f"{said}, before its minimum gap ends{ends}"
        case str() if conflict == ON_HOLD:
            return f"{said}, while the course is on hold in {_name(item.state)}"
        case str() if conflict == NOT_WANTED:
            return f"{said}, but the visit was omitted or ceased"
        case str() if conflict == COURSE_CLOSED:
            return f"{said}, but the course is closed in {_name(item.state)}"
    due = f": {window.number} of it is" if window is not None else ""
    return f"{said}, but that visit is not due{due}"


def _lacks(one: Lacking) -> str:
    inputs = ", ".join(f"{_name(name)} ({why})" for name, why in one.inputs)
    return f"{_name(one.rule)} waits for {inputs}"


def _questions(one: Questioned) -> str:
    return plain({**open_finding_json(one.finding, one.what), "title": _name(one.what.input)})


def _unsigned(one: Unsigned) -> str:
    owed = " and ".join(
        f"{owed.meaning} by "
        + (f"another person ({', '.join(owed.roles)})" if owed.by is None else owed.by)
        for owed in one.owed
    )
    since = instant_text(one.since)
    return f"record {one.record} {_name(one.event)} waits since {since} to be signed: {owed}"


def _against_words(against: Against) -> str:
    return _AGAINST[against.why].format(against.name)


def _against_json(against: Against) -> Json:
    return {"on": against.on.isoformat(), "why": against.why.value, "name": against.name or None}


def _name(name: str | None) -> str:
    return (name or "").replace("_", " ")


_AGAINST = {
    Why.PAST: "past",
    Why.BELOW_MINIMUM_GAP: "below the minimum gap",
    Why.CLOSED_WEEKDAY: "a {}, when the site is closed",
    Why.HOLIDAY: "a holiday: {}",
    Why.CLOSURE: "in a closure: {}",
}

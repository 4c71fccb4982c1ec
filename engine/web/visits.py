"""The types of what is answered of visits, worklists and sites, for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from engine.clinic import FORMAT, NAME_LIMIT, WEEKDAYS
from engine.core.schedule import Dueness
from engine.core.wire import LIST_LIMIT
from engine.listing import Listing
from engine.web.schemas import FindingDocument, Shape


class DueWindow(Shape):
    """Dates are those of the course's zone; `not_before` is the end of a minimum gap in hours."""

    number: int
    earliest: str
    target: str
    latest: str
    not_before: str | None


class VisitDocument(Shape):
    """A visit, and the window in which it is due; none where it is not due."""

    name: str
    number: int | None
    window: DueWindow | None
    due: Dueness | None


class AgainstDocument(Shape):
    """What speaks against a day. `name` is that of the weekday or holiday, or of the closure."""

    on: str
    why: Literal["past", "below-minimum-gap", "closed-weekday", "holiday", "closure"]
    name: str | None


class ProposalDocument(Shape):
    """A day to propose; without one, `no_compliant_day` has each day of the window."""

    on: str | None
    not_before: str | None = None
    instead_of: AgainstDocument | None = None
    no_compliant_day: list[AgainstDocument] | None = None


class BookedDocument(Shape):
    """A booking as it was last told."""

    booking: str
    visit: str
    number: int | None
    start: str
    on: Annotated[str, Field(description="The civil day of that at the site.")]
    minutes: int | None
    status: Literal["booked", "arrived", "cancelled", "no_show", "fulfilled"]
    changes: int


class JudgedBooking(BookedDocument):
    """A booking with what speaks against it, as the course stands; nothing once it is over."""

    conflicts: list[str]


class LackingInput(Shape):
    name: str
    why: str


class LackingDocument(Shape):
    """A rule that could not be weighed, and what it waits for."""

    rule: str
    inputs: list[LackingInput]


class OwedDocument(Shape):
    """A signature that a record waits for: `by` one person, or, where it is null, by another."""

    meaning: str
    by: str | None
    roles: list[str]


class UnsignedDocument(Shape):
    """A record that waits for signatures, since when, and by when its event wants them."""

    record: int
    event: str
    since: str
    until: str | None
    signatures: list[OwedDocument]


class ItemDocument(Shape):
    """One item of a list: a course, or a visit or a booking of it, and why it is there."""

    kind: Listing
    course: str
    site: str
    state: str
    as_of: Annotated[str, Field(description="The day at its site from which it is seen.")]
    days: Annotated[list[str], Field(description="The clinic days that it belongs to.")]
    visit: VisitDocument | None
    proposal: ProposalDocument | None
    open_every_day: Annotated[bool, Field(description="The site has no calendar.")]
    bookings: list[BookedDocument]
    conflicts: list[str]
    missing: list[LackingDocument]
    findings: list[FindingDocument]
    unsigned: list[UnsignedDocument]
    why: str


class ItemList(Shape):
    items: list[ItemDocument]
    next: Annotated[str | None, Field(description="The `cursor` of the next page.")]


class WorklistLine(Shape):
    """A worklist, and how many items it has: with `more`, at least so many."""

    kind: Listing
    title: str
    count: int
    more: bool


class WorklistIndex(Shape):
    worklists: list[WorklistLine]


class ArrangedDocument(Shape):
    """What was arranged of a visit: of one of its series, or of all."""

    visit: str
    how: Literal["deferred", "omitted", "ceased"]
    number: int | None
    until: str | None


class CourseVisitsDocument(Shape):
    """The due visits of a course with their proposals, and all that was ever booked."""

    course: str
    site: str
    state: str
    waits: Literal["hold", "decision"] | None
    visits: list[ItemDocument]
    bookings: list[JudgedBooking]
    arranged: list[ArrangedDocument]


class HolidayCountry(Shape):
    country: str
    subdivision: str | None = None


class ExtraHoliday(Shape):
    date: str
    name: str


class ClosureDocument(Shape):
    """Both days are closed, and those between."""

    reason: str
    first: Annotated[str, Field(alias="from")]
    last: Annotated[str, Field(alias="to")]


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class SiteCalendar(Shape):
    """When a site is open. It changes proposals, and no window."""

    format: Literal[1]
    zone: str
    open: Annotated[list[Weekday], Field(min_length=1, max_length=7)]
    holidays: HolidayCountry | None = None
    extra_holidays: list[ExtraHoliday] | None = None
    open_anyway: list[str] | None = None
    closures: list[ClosureDocument] | None = None


class SiteDocument(Shape):
    """A site; without a calendar it is open every day."""

    site: str
    calendar: SiteCalendar | None
    open_every_day: bool
    changed_at: str | None


_DAY = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_TEXT = {"type": "string", "minLength": 1, "maxLength": NAME_LIMIT}


def _object(required: tuple[str, ...], **members: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    """The schema of an object with these members and no others."""
    found = {"type": "object", "properties": members, "additionalProperties": False}
    return {**found, "required": list(required)}


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "maxItems": LIST_LIMIT, "items": items}


# Written out: a member that is not wanted is absent, and never null.
_SENT = _object(
    ("format", "zone", "open"),
    format={"const": FORMAT},
    zone={"type": "string", "description": "An IANA time zone.", "maxLength": 64},
    open={
        "type": "array",
        "items": {"enum": list(WEEKDAYS)},
        "minItems": 1,
        "uniqueItems": True,
    },
    holidays=_object(("country",), country={"type": "string"}, subdivision={"type": "string"}),
    extra_holidays=_array(_object(("date", "name"), date=_DAY, name=_TEXT)),
    open_anyway=_array(_DAY),
    closures=_array(_object(("from", "to", "reason"), **{"from": _DAY, "to": _DAY}, reason=_TEXT)),
)

CALENDAR: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": _SENT,
                "example": {
                    "format": 1,
                    "zone": "America/Los_Angeles",
                    "open": ["monday", "tuesday", "wednesday", "thursday", "friday"],
                    "holidays": {"country": "US", "subdivision": "CA"},
                    "closures": [
                        {"from": "2026-08-03", "to": "2026-08-07", "reason": "renovation"}
                    ],
                },
            }
        },
    }
}
"""What is sent to set a calendar; the engine reads it, and names what it cannot read."""

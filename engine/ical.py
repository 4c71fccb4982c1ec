"""A shared calendar as iCalendar (RFC 5545): entries without a word about why somebody comes.

- A booking is an instant, written in UTC: a local time needs a VTIMEZONE, and means two instants in
  the hour that a clock change repeats. `X-WR-TIMEZONE` says how the site reads its clock.
- A proposal is a day at the site, and takes up no time: nothing is booked yet.
- The same entries give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from icalendar import Calendar, Event

from engine.calendars import Slot, Standing

MEDIA_TYPE = "text/calendar; charset=utf-8"
PRODID = "-//Regimen//Visits//EN"
REFRESH = timedelta(minutes=15)

STATUS = {
    Standing.PROPOSED: "TENTATIVE",
    Standing.BOOKED: "CONFIRMED",
    Standing.CANCELLED: "CANCELLED",
}


def written(slots: Iterable[Slot], *, course: str | None = None) -> bytes:
    """The calendar, in lines of at most 75 octets. `course` names the only one that it shows."""
    found = list(slots)
    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", "Visits" if course is None else f"Visits of {course}")
    calendar.add("x-wr-calname", "Visits" if course is None else f"Visits of {course}")
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    zones = {slot.zone for slot in found}
    if len(zones) == 1:
        calendar.add("x-wr-timezone", zones.pop())
    for slot in found:
        calendar.add_component(_event(slot))
    return bytes(calendar.to_ical())


def _event(slot: Slot) -> Event:
    event = Event()
    event.add("uid", slot.uid)
    event.add("sequence", slot.sequence)
    event.add("dtstamp", slot.changed.replace(microsecond=0))
    event.add("last-modified", slot.changed.replace(microsecond=0))
    event.add("status", STATUS[slot.standing])
    event.add("summary", _summary(slot))
    event.add("class", "PRIVATE")
    event.add("transp", "OPAQUE" if slot.standing is Standing.BOOKED else "TRANSPARENT")
    if slot.start is not None:
        event.add("dtstart", slot.start)
        if slot.minutes is not None:
            event.add("dtend", slot.start + timedelta(minutes=slot.minutes))
    elif slot.day is not None:
        event.add("dtstart", slot.day)
        event.add("dtend", slot.day + timedelta(days=1))
    if slot.between is not None:
        first, last = slot.between
        event.add("description", f"Proposed, not booked. The window is {first} to {last}.")
    return event


def _summary(slot: Slot) -> str:
    which = "Visit" if slot.number is None else f"Visit {slot.number}"
    whose = "" if slot.course is None else f" of {slot.course}"
    return which + whose + (" (proposed)" if slot.standing is Standing.PROPOSED else "")

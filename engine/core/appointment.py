"""What an event of scheduling looks like when sent, and what it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.core.event import (
    BOOKED,
    BOOKINGS,
    CEASED,
    DEFERRED,
    MOVED,
    OMITTED,
    RESUMED,
    Scheduling,
)
from engine.core.wire import (
    IDENTIFIER,
    civil_day,
    instant,
    members,
    shown,
    whole,
    word,
)
from engine.errors import InvalidInput

LONGEST = 1440
"""How many minutes a booking may last."""

MEMBERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    BOOKED: (
        ("booking", "visit", "number", "start", "minutes"),
        ("booking", "visit", "start"),
    ),
    MOVED: (("booking", "visit", "number", "start", "minutes"), ("booking", "start")),
    **{name: (("booking",), ("booking",)) for name in BOOKINGS if name not in {BOOKED, MOVED}},
    DEFERRED: (("visit", "number", "until"), ("visit", "number", "until")),
    OMITTED: (("visit", "number"), ("visit", "number")),
    CEASED: (("visit",), ("visit",)),
    RESUMED: (("visit",), ("visit",)),
}
"""The members of each event's data, and those that must be there."""


def scheduling_of(name: str, raw: object, visits: Sequence[str]) -> Scheduling:
    """The typed data of an event of scheduling. Raises InvalidInput, naming the member."""
    known, required = MEMBERS[name]
    sent: dict[str, Any] = members({} if raw is None else raw, "data", known, required)
    found: dict[str, Any] = {}
    if "booking" in sent:
        found["booking"] = word(sent["booking"], "data.booking", IDENTIFIER, _SHAPE)
    if "visit" in sent:
        if sent["visit"] not in visits:
            listed = ", ".join(visits) or "none: this workflow has no visits"
            raise InvalidInput("data.visit", f"one of {listed}", found=shown(sent["visit"]))
        found["visit"] = sent["visit"]
    if "number" in sent:
        found["number"] = whole(sent["number"], "data.number", 0)
    if "start" in sent:
        found["start"] = instant(sent["start"], "data.start")
    if "minutes" in sent:
        found["minutes"] = whole(sent["minutes"], "data.minutes", 1)
        if found["minutes"] > LONGEST:
            raise InvalidInput("data.minutes", f"at most {LONGEST}")
    if "until" in sent:
        found["until"] = civil_day(sent["until"], "data.until")
    return Scheduling(**found)


_SHAPE = "the scheduling system's identifier of 1 to 64 letters, digits and . _ : -"

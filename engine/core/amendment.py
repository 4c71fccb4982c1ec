"""What an event looks like that speaks of records which are there already, and what it becomes.

A correction brings another value and is read beside the inputs that it may name; what is here
changes no reading: an addendum, the reason of a late entry, and what was made of an open finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.core.event import (
    ADDENDUM,
    DISPOSED,
    LATE_ENTRY,
    RECONSIDERED,
    Amendment,
    Disposal,
    Note,
    Reconsideration,
)
from engine.core.wire import NAME, free_text, members, shown, whole, word
from engine.errors import InvalidInput

ACCEPTED, ACTED = "accepted", "acted"
"""What may be made of a finding. Stored: never rename a value."""

MEMBERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    ADDENDUM: (("record", "text"), ("record", "text")),
    LATE_ENTRY: (("record",), ("record",)),
    DISPOSED: (("finding", "disposition", "record"), ("finding", "disposition")),
    RECONSIDERED: (
        ("correction", "record", "input", "late_entry", "inputs", "relied", "differing"),
        ("relied", "differing"),
    ),
}
"""The members of each event's data, and those that must be there."""

TEXT = "data.text"
"""Where an addendum has its text, which can be erased."""


def amendment_of(name: str, raw: object, *, sealed: bool) -> Amendment:
    """The typed data of such an event. Raises InvalidInput, naming the member."""
    known, required = MEMBERS[name]
    sent: dict[str, Any] = members({} if raw is None else raw, "data", known, required)
    match name:
        case _ if name == DISPOSED:
            return _disposal(sent)
        case _ if name == RECONSIDERED:
            return _reconsideration(sent)
        case _ if name == ADDENDUM:
            free_text(sent["text"], TEXT, sealed=sealed)
    return Note(record=whole(sent["record"], "data.record", 1))


def _disposal(sent: Mapping[str, Any]) -> Disposal:
    finding = whole(sent["finding"], "data.finding", 1)
    how = sent["disposition"]
    if how not in (ACCEPTED, ACTED):
        raise InvalidInput("data.disposition", f"{ACCEPTED} or {ACTED}", found=shown(how))
    if how == ACCEPTED:
        if "record" in sent:
            raise InvalidInput("data.record", f"none, since nothing {ACTED}")
        return Disposal(finding=finding, how=how)
    if "record" not in sent:
        raise InvalidInput("data.record", f"the record that {ACTED}, but it is absent")
    return Disposal(finding=finding, how=how, record=whole(sent["record"], "data.record", 1))


def _reconsideration(sent: Mapping[str, Any]) -> Reconsideration:
    """Written by the engine alone, so that only its shape is looked at."""
    relied, differing = sent["relied"], sent["differing"]
    if not isinstance(relied, list) or not isinstance(differing, list):
        raise InvalidInput("data.relied", "an array of records")
    if "late_entry" in sent:
        members(sent, "data", _OF_LATE_ENTRY, _OF_LATE_ENTRY)
        correction, name = None, None
        record = whole(sent["late_entry"], "data.late_entry", 1)
    else:
        members(sent, "data", _OF_CORRECTION, _OF_CORRECTION)
        correction = whole(sent["correction"], "data.correction", 1)
        record = whole(sent["record"], "data.record", 1)
        name = word(sent["input"], "data.input", NAME, "the name of an input")
    return Reconsideration(
        correction=correction,
        record=record,
        input=name,
        relied=tuple(whole(one, "data.relied", 1) for one in relied),
        differing=tuple(
            whole(members(one, "data.differing", _DECISION)["record"], "data.differing.record", 1)
            for one in differing
        ),
    )


_OF_CORRECTION = ("correction", "record", "input", "relied", "differing")
_OF_LATE_ENTRY = ("late_entry", "inputs", "relied", "differing")
_DECISION = ("record", "event", "recorded", "again", "guards")

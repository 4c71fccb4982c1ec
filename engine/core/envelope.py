"""The outside of every event: one JSON object with known members, read once and typed.

- Unknown members and times without zones are errors, never ignored.
- What was sent is kept as it was; its free texts are sealed before anything is hashed.
- The data of an event only its workflow can read: see `forms`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypedDict

from engine.core.amendment import amendment_of
from engine.core.definition import Workflow
from engine.core.encoding import canonical, instant_text
from engine.core.event import (
    ADOPTED,
    ENGINE,
    ENROLLED,
    FORMAT,
    RECONSIDERED,
    Actor,
    Enrolment,
    Event,
    Override,
    Reason,
)
from engine.core.wire import (
    EXACT,
    IDENTIFIER,
    LIST_LIMIT,
    NAME,
    WORKFLOW,
    ZONE,
    free_text,
    instant_or_gap,
    members,
    truth_value,
    whole,
    word,
)
from engine.errors import InvalidInput, UnknownEvent

SIZE_LIMIT = 64 * 1024

TIMER = "timer:"
"""How the ids of what the engine itself sends begin, which no sender may use."""
TIMER_ID = re.compile(rf"{TIMER}[^:]+:[0-9]+")

REQUIRED = ("format", "id", "course", "event", "at", "actor")
MEMBERS = frozenset({*REQUIRED, "data", "reason", "override", "expected_revision"})


class Outside(TypedDict):
    """Everything of an event but its data, which only the workflow can read."""

    id: str
    course: str
    name: str
    at: datetime | None
    actor: Actor
    reason: Reason | None
    override: Override | None
    expected_revision: int | None
    body: Mapping[str, Any]
    texts: tuple[str, ...]


def outside(raw: dict[str, Any], name: str, *, sealed: bool) -> Outside:
    """All of an event but its data. Raises InvalidInput, naming the member."""
    if type(raw["format"]) is not int or raw["format"] != FORMAT:
        raise InvalidInput("format", str(FORMAT))
    event_id = word(raw["id"], "id", IDENTIFIER, _SHAPE)
    if event_id.startswith(TIMER) and not (sealed and TIMER_ID.fullmatch(event_id)):
        raise InvalidInput("id", f"an identifier that does not begin with {TIMER!r}")
    reason = _reason(raw["reason"], sealed=sealed) if "reason" in raw else None
    override = _override(raw["override"], sealed=sealed) if "override" in raw else None
    texts = [] if reason is None or reason.text is None else ["reason.text"]
    if override is not None and override.text is not None:
        texts.append("override.text")
    return {
        "id": event_id,
        "course": word(raw["course"], "course", IDENTIFIER, _SHAPE),
        "name": name,
        "at": instant_or_gap(raw["at"], "at"),
        "actor": _actor(raw["actor"]),
        "reason": reason,
        "override": override,
        "expected_revision": (whole(raw["expected_revision"], "expected_revision", 0)
                              if "expected_revision" in raw else None),
        "body": raw,
        "texts": () if sealed else tuple(texts),
    }  # fmt: skip


def without_data(raw: dict[str, Any], name: str, *, sealed: bool) -> Event:
    """An event whose data, if it has any, are read elsewhere."""
    return Event(**outside(raw, name, sealed=sealed), data={}, readings=())


def measure(raw: dict[str, Any]) -> None:
    """Raises InvalidInput for a body that is too large to be recorded."""
    try:
        size = len(canonical(raw))
    except (ValueError, TypeError):  # half a surrogate pair or an endless integer
        raise InvalidInput("body", "what canonical JSON can say") from None
    if size > SIZE_LIMIT:
        raise InvalidInput("body", f"at most {SIZE_LIMIT} bytes")


def parse_enrolment(body: object, *, sealed: bool = False) -> tuple[Event, Enrolment]:
    """The first event of a course; `sealed` when it comes from a record.

    What it attests is checked by `Forms.attested`, since it names the workflow itself.
    """
    raw = members(body, "", _FIRST, _FIRST_REQUIRED)
    name = word(raw["event"], "event", NAME, f"{ENROLLED} or {ADOPTED}")
    if name not in (ENROLLED, ADOPTED):
        raise UnknownEvent(name, (ENROLLED, ADOPTED))
    event = without_data(raw, name, sealed=sealed)
    retrospective = truth_value(raw.get("retrospective", False), "retrospective")
    if event.at is None and not retrospective:
        raise InvalidInput("at", "an instant, since the course is not retrospective")
    attested: dict[str, Any] = {}
    if name == ADOPTED:
        sent = members(raw.get("data"), "data", ("state", "round", "variables"), ("state",))
        attested["state"] = word(sent["state"], "data.state", NAME, "the name of a state")
        attested["round"] = whole(sent.get("round", 1), "data.round", 1)
        attested["variables"] = _attestable(sent.get("variables", {}))
    else:
        members(raw.get("data", {}), "data", ())
    enrolment = Enrolment(
        workflow=word(raw["workflow"], "workflow", WORKFLOW, "a name, name@version or digest"),
        patient=word(raw["patient"], "patient", IDENTIFIER, _PSEUDONYM),
        site=word(raw["site"], "site", IDENTIFIER, _SHAPE),
        zone=word(raw["zone"], "zone", ZONE, 'an IANA time zone such as "America/Los_Angeles"'),
        retrospective=retrospective, **attested,
    )  # fmt: skip
    if not sealed:
        measure(raw)
    return event, enrolment


def timer_event(
    workflow: Workflow, course: str, timer_name: str, event_name: str, *,
    due: datetime, armed_seq: int,
) -> Event:  # fmt: skip
    """What a timer sends when it is due: the same arming gives the same event."""
    actor = {"id": ENGINE, "role": ENGINE}
    body = {
        "format": FORMAT,
        "id": f"{TIMER}{timer_name}:{armed_seq}",
        "course": course,
        "event": event_name,
        "at": instant_text(due),
        "actor": actor,
        "data": {},
    }
    if not any(e.timer and e.name == event_name for e in workflow.events):
        raise UnknownEvent(event_name, (e.name for e in workflow.events if e.timer))
    return replace(without_data(body, event_name, sealed=True), timer=timer_name)


def reconsidered_event(about: Event, seq: int, data: Mapping[str, Any], at: datetime) -> Event:
    """What the engine records after a correction or late entry `seq`; the same one each time.

    `at` is when a late entry was recorded: it was weighed then, and not when it happened. Its id
    begins as a timer's does, which no sender has ever been allowed to.
    """
    body = {
        "format": FORMAT,
        "id": f"{TIMER}{RECONSIDERED}:{seq}",
        "course": about.course,
        "event": RECONSIDERED,
        "at": about.body["at"] if about.correction is not None else instant_text(at),
        "actor": {"id": ENGINE, "role": ENGINE},
        "data": data,
    }
    said = amendment_of(RECONSIDERED, data, sealed=True)
    return replace(without_data(body, RECONSIDERED, sealed=True), amendment=said)


_SHAPE = "an identifier of 1 to 64 letters, digits and . _ : -"
_PSEUDONYM = f"a pseudonym, {_SHAPE}"

_FIRST_REQUIRED = (*REQUIRED, "workflow", "patient", "site", "zone")
_FIRST = frozenset({*_FIRST_REQUIRED, "retrospective", "data", "reason"})
_ACTOR = ("id", "role")
_OVERRIDE = ("code", "guards", "text")
_PARTS = ("value", "unit", "reason")


def _actor(raw: object) -> Actor:
    sent = members(raw, "actor", _ACTOR, _ACTOR)
    return Actor(id=word(sent["id"], "actor.id", IDENTIFIER, _SHAPE),
                 role=word(sent["role"], "actor.role", NAME, "the name of a role"))  # fmt: skip


def _reason(raw: object, *, sealed: bool) -> Reason:
    sent = members(raw, "reason", ("code", "text"))
    if not sent:
        raise InvalidInput("reason", "a code, a text or both")
    return Reason(
        code=word(sent["code"], "reason.code", NAME, "a reason code") if "code" in sent else None,
        text=free_text(sent["text"], "reason.text", sealed=sealed) if "text" in sent else None,
    )


def _override(raw: object, *, sealed: bool) -> Override:
    sent = members(raw, "override", _OVERRIDE, ("code", "guards"))
    named = sent["guards"]
    if not isinstance(named, list) or not 1 <= len(named) <= LIST_LIMIT:
        raise InvalidInput("override.guards", f"an array of 1 to {LIST_LIMIT} names of guards")
    guards = tuple(word(one, "override.guards", NAME, "the name of a guard") for one in named)
    if len(set(guards)) != len(guards):
        raise InvalidInput("override.guards", "each guard once")
    return Override(
        code=word(sent["code"], "override.code", NAME, "an override code"), guards=guards,
        text=free_text(sent["text"], "override.text", sealed=sealed) if "text" in sent else None,
    )  # fmt: skip


def _attestable(raw: object) -> Mapping[str, Any]:
    """Variables whose kinds only the workflow knows: here no more than their outer shape."""
    if not isinstance(raw, dict) or not all(isinstance(n, str) and NAME.fullmatch(n) for n in raw):
        raise InvalidInput("data.variables", "an object of the workflow's variables")
    for name, value in raw.items():
        place = f"data.variables.{name}"
        parts = members(value, place, _PARTS).values() if isinstance(value, dict) else (value,)
        if not all(map(_plain, parts)):
            raise InvalidInput(place, "a value, or an object of value and unit")
    return raw


def _plain(raw: object) -> bool:
    if isinstance(raw, str):
        return len(raw) <= 128 and raw.isascii()
    return raw is None or (isinstance(raw, int) and abs(raw) < EXACT)

"""The door for events: one JSON object with known members, read once and typed.

- Unknown members, numbers without units and times without zones are errors, never ignored.
- What was sent is kept as it was; its free texts are sealed before anything is hashed.
- `Forms` belongs to one workflow and is made once; its tables are what makes reading cheap.
- Nothing here asks whether the actor may send the event: that is the service's question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypedDict

from engine.core import definition
from engine.core.amendment import TEXT, amendment_of
from engine.core.appointment import scheduling_of
from engine.core.definition import Kind, Workflow
from engine.core.encoding import canonical, instant_text
from engine.core.entry import Entry, entry, input_entry, read_all, usable
from engine.core.event import (
    ADDENDUM,
    ADOPTED,
    AMENDMENTS,
    ARRANGEMENTS,
    BOOKINGS,
    CORRECTED,
    CUSTODY,
    ENGINE,
    ENROLLED,
    FORMALITIES,
    FORMAT,
    OWN,
    RECONSIDERED,
    RETRACTED,
    REVIEWED,
    REVIEWERS,
    SIGNED,
    Actor,
    Correction,
    Enrolment,
    Event,
    Override,
    Reason,
)
from engine.core.formality import custody_of, signing_of, texts_of
from engine.core.review import COMMENT, review_of
from engine.core.sealing import SealedText, same_body, seal
from engine.core.view import Reading
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
    shown,
    truth_value,
    whole,
    word,
)
from engine.errors import InvalidInput, UnknownEvent

__all__ = [
    "ADOPTED", "CORRECTED", "ENGINE", "ENROLLED", "FORMAT", "Actor", "Correction", "Enrolment",
    "Event", "Forms", "Override", "Reason", "SealedText", "parse_enrolment", "parse_event",
    "same_body", "seal", "timer_event",
]  # fmt: skip

SIZE_LIMIT = 64 * 1024


def parse_event(body: object, workflow: Workflow) -> Event:
    """One event of a running course; for many, keep a `Forms` instead.

    Raises InvalidInput, or UnknownEvent when the workflow has none of that name.
    """
    return Forms(workflow).parse(body)


def parse_enrolment(body: object, *, sealed: bool = False) -> tuple[Event, Enrolment]:
    """The first event of a course; `sealed` when it comes from a record.

    What it attests is checked by `Forms.attested`, since it names the workflow itself.
    """
    raw = members(body, "", _FIRST, _FIRST_REQUIRED)
    name = word(raw["event"], "event", NAME, f"{ENROLLED} or {ADOPTED}")
    if name not in (ENROLLED, ADOPTED):
        raise UnknownEvent(name, (ENROLLED, ADOPTED))
    event = _without_data(raw, name, sealed=sealed)
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
    _measure(raw)
    return event, enrolment


def timer_event(
    workflow: Workflow, course: str, timer_name: str, event_name: str, *,
    due: datetime, armed_seq: int,
) -> Event:  # fmt: skip
    """What a timer sends when it is due: the same arming gives the same event."""
    actor = {"id": ENGINE, "role": ENGINE}
    body = {
        "format": FORMAT,
        "id": f"{_TIMER}{timer_name}:{armed_seq}",
        "course": course,
        "event": event_name,
        "at": instant_text(due),
        "actor": actor,
        "data": {},
    }
    if not any(e.timer and e.name == event_name for e in workflow.events):
        raise UnknownEvent(event_name, (e.name for e in workflow.events if e.timer))
    return replace(_without_data(body, event_name, sealed=True), timer=timer_name)


def reconsidered_event(about: Event, seq: int, data: Mapping[str, Any], at: datetime) -> Event:
    """What the engine records after a correction or late entry `seq`; the same one each time.

    `at` is when a late entry was recorded: it was weighed then, and not when it happened. Its id
    begins as a timer's does, which no sender has ever been allowed to.
    """
    body = {
        "format": FORMAT,
        "id": f"{_TIMER}{RECONSIDERED}:{seq}",
        "course": about.course,
        "event": RECONSIDERED,
        "at": about.body["at"] if about.correction is not None else instant_text(at),
        "actor": {"id": ENGINE, "role": ENGINE},
        "data": data,
    }
    said = amendment_of(RECONSIDERED, data, sealed=True)
    return replace(_without_data(body, RECONSIDERED, sealed=True), amendment=said)


class Forms:
    """What may be sent to courses of one workflow, ready for reading."""

    def __init__(self, workflow: Workflow) -> None:
        inputs = {i.name: i for i in workflow.inputs}
        self._inputs = {name: input_entry(declared) for name, declared in inputs.items()}
        self._variables = {v.name: entry(v, inputs) for v in workflow.variables}
        self._states = tuple(s.name for s in workflow.states)
        self._forms = {e.name: _Form(e, {f.name: entry(f, inputs) for f in e.fields})
                       for e in workflow.events}  # fmt: skip
        self._sendable = [*(e.name for e in workflow.events if not e.timer), *OWN, *FORMALITIES]
        self._visits = tuple(v.name for v in workflow.visits)
        roles = {*workflow.roles, *(role for e in workflow.events for role in e.roles)}
        self._roles = frozenset(roles - {ENGINE})
        self._guards = frozenset(g.name for g in workflow.guards)

    def parse(self, body: object) -> Event:
        """An event as a caller sends it.

        Raises InvalidInput, or UnknownEvent when the workflow has none of that name.
        """
        return self._read(body, sealed=False)

    def reread(self, body: object) -> Event:
        """An event as a record holds it: texts sealed, timer events too; for deciding it again."""
        return self._read(body, sealed=True)

    def attested(self, event: Event, enrolment: Enrolment) -> dict[str, Any]:
        """The typed variables of an adopted course.

        Raises InvalidInput for a role, state or variable that the workflow does not have.
        """
        self._role(event.actor)
        if enrolment.state is not None and enrolment.state not in self._states:
            raise InvalidInput("data.state", f"one of {', '.join(self._states)}")
        sent = members(enrolment.variables, "data.variables", self._variables.keys())
        taken = {name: self._variables[name].read(raw, f"data.variables.{name}", None)
                 for name, raw in sent.items() if raw is not None}  # fmt: skip
        return {name: usable(one) for name, one in taken.items()}

    def _read(self, body: object, *, sealed: bool) -> Event:
        raw = members(body, "", _ENVELOPE, _REQUIRED)
        name = word(raw["event"], "event", NAME, "the name of an event")
        if name in _OWN or (sealed and name == RECONSIDERED):
            event = self._engine_event(raw, name, sealed=sealed)
        else:
            event = self._workflow_event(raw, name, sealed=sealed)
        if event.custody is None and not (sealed and event.actor.role == ENGINE):
            self._role(event.actor, REVIEWERS if name == REVIEWED else ())
        for guard in event.override.guards if event.override is not None else ():
            if guard not in self._guards:
                raise InvalidInput("override.guards", "guards of the workflow", found=shown(guard))
        return event

    def _engine_event(self, raw: dict[str, Any], name: str, *, sealed: bool) -> Event:
        event = _without_data(raw, name, sealed=sealed)
        if event.override is not None:
            raise InvalidInput("override", f"nothing, since {name} passes no guard")
        if name == SIGNED:
            return self._signature(event, raw, sealed=sealed)
        if name in CUSTODY:
            return replace(event, custody=custody_of(event, raw.get("data")))
        if event.reason is None and name in _WITH_REASON:
            raise InvalidInput("reason", f"why {name} is sent, but it is absent")
        if name == CORRECTED:
            return replace(event, correction=self._correction(raw.get("data"), event.at))
        if name == RETRACTED:
            return replace(event, correction=self._retraction(raw.get("data")))
        if name == REVIEWED:
            data = raw.get("data")
            commented = not sealed and isinstance(data, dict) and "comment" in data
            texts = (*event.texts, COMMENT) if commented else event.texts
            return replace(event, amendment=review_of(data, sealed=sealed), texts=texts)
        if name not in BOOKINGS and name not in ARRANGEMENTS:
            texts = (*event.texts, TEXT) if name == ADDENDUM and not sealed else event.texts
            said = amendment_of(name, raw.get("data"), sealed=sealed)
            return replace(event, amendment=said, texts=texts)
        return replace(event, scheduling=scheduling_of(name, raw.get("data"), self._visits))

    def _signature(self, event: Event, raw: dict[str, Any], *, sealed: bool) -> Event:
        signing = signing_of(raw.get("data"), lambda act: self._act(act, sealed=sealed),
                             sealed=sealed)  # fmt: skip
        _measure(raw)
        if signing.act is not None and signing.act.course != event.course:
            raise InvalidInput("data.event.course", "the course of the signature")
        texts = () if sealed else (*event.texts, *texts_of(signing))
        return replace(event, signing=signing, texts=texts)

    def _act(self, raw: object, *, sealed: bool) -> Event:
        """An event that is signed beforehand: a request that asks for it."""
        try:
            act = self._read(raw, sealed=sealed)
        except InvalidInput as wrong:
            raise InvalidInput(f"data.event.{wrong.field}", wrong.expected,
                               found=wrong.found) from wrong  # fmt: skip
        form = self._forms.get(act.name)
        if form is None or form.event.signature is None or form.event.kind is Kind.REPORT:
            raise InvalidInput("data.event.event", "a request that needs a signature; of what is "
                               "recorded already, sign the record")  # fmt: skip
        return act

    def _role(self, actor: Actor, more: tuple[str, ...] = ()) -> None:
        roles = self._roles.union(more)
        if actor.role not in roles:
            raise InvalidInput("actor.role", f"one of {', '.join(sorted(roles))}",
                               found=shown(actor.role))  # fmt: skip

    def _workflow_event(self, raw: dict[str, Any], name: str, *, sealed: bool) -> Event:
        form = self._forms.get(name)
        if form is None:
            raise UnknownEvent(name, self._sendable)
        if form.event.timer and not sealed:
            raise InvalidInput("event", "an event that may be sent; this one comes from a timer")
        return form.read(raw, _outside(raw, name, sealed=sealed), sealed=sealed)

    def _retraction(self, raw: object) -> Correction:
        sent = members(raw, "data", _RETRACTION, _RETRACTION)
        record, named = self._corrected(sent)
        return Correction(record=record, input=named, entered_in_error=True)

    def _corrected(self, sent: Mapping[str, Any]) -> tuple[int, str]:
        record = whole(sent["record"], "data.record", 1)
        named = word(sent["input"], "data.input", NAME, "the name of an input")
        if named not in self._inputs:
            raise InvalidInput(
                "data.input", f"one of {', '.join(self._inputs)}", found=shown(named)
            )
        return record, named

    def _correction(self, raw: object, at: datetime | None) -> Correction:
        sent = members(raw, "data", _CORRECTION, _RETRACTION)
        record, named = self._corrected(sent)
        if "entered_in_error" in sent and truth_value(sent["entered_in_error"], _IN_ERROR):
            if "value" in sent:
                raise InvalidInput("data.value", "no value for what was entered in error")
            return Correction(record=record, input=named, entered_in_error=True)
        if "value" not in sent:
            raise InvalidInput("data.value", "a value, or entered_in_error: true")
        taken = self._inputs[named].read(sent["value"], "data.value", at)
        own_time = isinstance(sent["value"], dict) and "at" in sent["value"]
        return Correction(record=record, input=named, value=taken.value, over=taken.over,
                          at=taken.at if own_time else None, flaw=taken.flaw)  # fmt: skip


class _Form:
    """One event of a workflow, ready for reading."""

    def __init__(self, event: definition.Event, entries: Mapping[str, Entry]) -> None:
        self.event = event
        self.entries = entries
        self.bound = [(e.name, e.input) for e in entries.values() if e.input is not None]
        self.lists = frozenset(e.name for e in entries.values() if e.kind == "list")
        self.many = len(entries) > 60

    def read(self, raw: dict[str, Any], outside: _Outside, *, sealed: bool) -> Event:
        at, event_id = outside["at"], outside["id"]
        taken, texts = read_all(self.entries, raw.get("data", {}), "data", at, sealed=sealed)
        self._reason(outside["reason"])
        if self.event.timer and not _TIMER_ID.fullmatch(event_id):
            raise InvalidInput("id", f"an identifier of the form {_TIMER}name:seq")
        texts = [*outside["texts"], *texts]
        # Every other member is short, so only these can make a body large.
        if self.many or texts or "override" in raw or not self.lists.isdisjoint(taken):
            _measure(raw)
        outside["texts"] = () if sealed else tuple(texts)
        return Event(
            **outside,
            data={name: usable(one) for name, one in taken.items()},
            readings=tuple(
                Reading(of, one.value, one.at, None, 0, one.over, one.flaw)
                for name, of in self.bound if (one := taken.get(name)) is not None
            ),
            timer=event_id.split(":")[1] if self.event.timer else None,
        )  # fmt: skip

    def _reason(self, reason: Reason | None) -> None:
        codes = self.event.reason_codes
        code = None if reason is None else reason.code
        if (code is None and self.event.reason_required) or (
            code is not None and codes and code not in codes
        ):
            expected = f"one of {', '.join(codes)}" if codes else "a reason code"
            raise InvalidInput("reason.code", expected, found=None if code is None else shown(code))


_OWN = frozenset({*OWN, *FORMALITIES})
_WITH_REASON = frozenset({*AMENDMENTS, *ARRANGEMENTS, *CUSTODY})
_TIMER = "timer:"
_TIMER_ID = re.compile(rf"{_TIMER}[^:]+:[0-9]+")
_SHAPE = "an identifier of 1 to 64 letters, digits and . _ : -"
_PSEUDONYM = f"a pseudonym, {_SHAPE}"

_REQUIRED = ("format", "id", "course", "event", "at", "actor")
_ENVELOPE = frozenset({*_REQUIRED, "data", "reason", "override", "expected_revision"})
_FIRST_REQUIRED = (*_REQUIRED, "workflow", "patient", "site", "zone")
_FIRST = frozenset({*_FIRST_REQUIRED, "retrospective", "data", "reason"})
_ACTOR = ("id", "role")
_OVERRIDE = ("code", "guards", "text")
_PARTS = ("value", "unit", "reason")
_CORRECTION = ("record", "input", "value", "entered_in_error")
_RETRACTION = ("record", "input")
_IN_ERROR = "data.entered_in_error"


class _Outside(TypedDict):
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


def _without_data(raw: dict[str, Any], name: str, *, sealed: bool) -> Event:
    return Event(**_outside(raw, name, sealed=sealed), data={}, readings=())


def _outside(raw: dict[str, Any], name: str, *, sealed: bool) -> _Outside:
    if type(raw["format"]) is not int or raw["format"] != FORMAT:
        raise InvalidInput("format", str(FORMAT))
    event_id = word(raw["id"], "id", IDENTIFIER, _SHAPE)
    if event_id.startswith(_TIMER) and not (sealed and _TIMER_ID.fullmatch(event_id)):
        raise InvalidInput("id", f"an identifier that does not begin with {_TIMER!r}")
    actor = members(raw["actor"], "actor", _ACTOR, _ACTOR)
    reason = _reason(raw["reason"], sealed=sealed) if "reason" in raw else None
    override = _override(raw["override"], sealed=sealed) if "override" in raw else None
    texts = [] if reason is None or reason.text is None else ["reason.text"]
    if override is not None and override.text is not None:
        texts.append("override.text")
    return _Outside(
        id=event_id,
        course=word(raw["course"], "course", IDENTIFIER, _SHAPE),
        name=name,
        at=instant_or_gap(raw["at"], "at"),
        actor=Actor(id=word(actor["id"], "actor.id", IDENTIFIER, _SHAPE),
                    role=word(actor["role"], "actor.role", NAME, "the name of a role")),
        reason=reason,
        override=override,
        expected_revision=(whole(raw["expected_revision"], "expected_revision", 0)
                           if "expected_revision" in raw else None),
        body=raw,
        texts=() if sealed else tuple(texts),
    )  # fmt: skip


def _measure(raw: dict[str, Any]) -> None:
    try:
        size = len(canonical(raw))
    except (ValueError, TypeError):  # half a surrogate pair or an endless integer
        raise InvalidInput("body", "what canonical JSON can say") from None
    if size > SIZE_LIMIT:
        raise InvalidInput("body", f"at most {SIZE_LIMIT} bytes")


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

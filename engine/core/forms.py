"""What may be sent to courses of one workflow: its events, and the engine's own.

- Numbers without units are errors, never ignored.
- `Forms` belongs to one workflow and is made once; its tables are what makes reading cheap.
- Nothing here asks whether the actor may send the event: that is the service's question.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.core import definition
from engine.core.amendment import TEXT, amendment_of
from engine.core.appointment import scheduling_of
from engine.core.definition import Kind, Workflow
from engine.core.entry import Entry, entry, input_entry, read_all, usable
from engine.core.envelope import (
    MEMBERS,
    REQUIRED,
    TIMER,
    TIMER_ID,
    Outside,
    measure,
    outside,
    without_data,
)
from engine.core.event import (
    ADDENDUM,
    AMENDMENTS,
    ARRANGEMENTS,
    BOOKINGS,
    CORRECTED,
    CUSTODY,
    ENGINE,
    FORMALITIES,
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
    Reason,
)
from engine.core.formality import custody_of, signing_of, texts_of
from engine.core.quick import replaced
from engine.core.review import COMMENT, review_of
from engine.core.view import Reading
from engine.core.wire import NAME, members, shown, truth_value, whole, word
from engine.errors import InvalidInput, UnknownEvent


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
        raw = members(body, "", MEMBERS, REQUIRED)
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
        event = without_data(raw, name, sealed=sealed)
        if event.override is not None:
            raise InvalidInput("override", f"nothing, since {name} passes no guard")
        if name == SIGNED:
            return self._signature(event, raw, sealed=sealed)
        if name in CUSTODY:
            return replaced(event, custody=custody_of(event, raw.get("data")))
        if event.reason is None and name in _WITH_REASON:
            raise InvalidInput("reason", f"why {name} is sent, but it is absent")
        if name == CORRECTED:
            return replaced(event, correction=self._correction(raw.get("data"), event.at))
        if name == RETRACTED:
            return replaced(event, correction=self._retraction(raw.get("data")))
        if name == REVIEWED:
            data = raw.get("data")
            commented = not sealed and isinstance(data, dict) and "comment" in data
            texts = (*event.texts, COMMENT) if commented else event.texts
            return replaced(event, amendment=review_of(data, sealed=sealed), texts=texts)
        if name not in BOOKINGS and name not in ARRANGEMENTS:
            texts = (*event.texts, TEXT) if name == ADDENDUM and not sealed else event.texts
            said = amendment_of(name, raw.get("data"), sealed=sealed)
            return replaced(event, amendment=said, texts=texts)
        return replaced(event, scheduling=scheduling_of(name, raw.get("data"), self._visits))

    def _signature(self, event: Event, raw: dict[str, Any], *, sealed: bool) -> Event:
        signing = signing_of(raw.get("data"), lambda act: self._act(act, sealed=sealed),
                             sealed=sealed)  # fmt: skip
        if not sealed:
            measure(raw)
        if signing.act is not None and signing.act.course != event.course:
            raise InvalidInput("data.event.course", "the course of the signature")
        texts = () if sealed else (*event.texts, *texts_of(signing))
        return replaced(event, signing=signing, texts=texts)

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
        if actor.role not in self._roles and actor.role not in more:
            roles = ", ".join(sorted(self._roles.union(more)))
            raise InvalidInput("actor.role", f"one of {roles}", found=shown(actor.role))

    def _workflow_event(self, raw: dict[str, Any], name: str, *, sealed: bool) -> Event:
        form = self._forms.get(name)
        if form is None:
            raise UnknownEvent(name, self._sendable)
        if form.event.timer and not sealed:
            raise InvalidInput("event", "an event that may be sent; this one comes from a timer")
        return form.read(raw, outside(raw, name, sealed=sealed), sealed=sealed)

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

    def read(self, raw: dict[str, Any], around: Outside, *, sealed: bool) -> Event:
        at, event_id = around["at"], around["id"]
        taken, texts = read_all(self.entries, raw.get("data", {}), "data", at, sealed=sealed)
        self._reason(around["reason"])
        if self.event.timer and not TIMER_ID.fullmatch(event_id):
            raise InvalidInput("id", f"an identifier of the form {TIMER}name:seq")
        texts = [*around["texts"], *texts]
        # Every other member is short, so only these can make a body large. One that was kept is
        # read again whatever its size: a digest may be longer than the text that it stands for.
        if not sealed and (
            self.many or texts or "override" in raw or not self.lists.isdisjoint(taken)
        ):
            measure(raw)
        around["texts"] = () if sealed else tuple(texts)
        return Event(
            **around,
            data={name: usable(one) for name, one in taken.items()},
            readings=tuple([
                Reading(of, one.value, one.at, None, 0, one.over, one.flaw)
                for name, of in self.bound if (one := taken.get(name)) is not None
            ]),
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
_CORRECTION = ("record", "input", "value", "entered_in_error")
_RETRACTION = ("record", "input")
_IN_ERROR = "data.entered_in_error"

"""One course, told event by event in virtual time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from datetime import date, datetime, timedelta
from typing import Any, Self, TypeAlias
from zoneinfo import ZoneInfo

from engine.answer import Answer
from engine.audit import Auditor
from engine.clock import VirtualClock
from engine.core.definition import Event, Field, Input, Workflow
from engine.core.encoding import Json, instant_text
from engine.core.event import CORRECTED, ENROLLED, RETRACTED
from engine.core.inquiry import Option
from engine.core.record import Record
from engine.core.row import snapshot_of
from engine.core.snapshot import Armed, Snapshot, Window
from engine.ports import Definition
from engine.registry import Registry, stored_form
from engine.service import Service
from engine.store.memory import MemoryStore
from engine.submission import Setting
from engine.testing.answer import said
from engine.testing.wording import When, instant, override_json, value_json
from engine.zones import Zones

TENANT, SITE = "story", "clinic"


class Story:
    """One course of a workflow, told event by event.

    `answers` are those of everything that was sent, in order; `service`, `store` and `clock` are
    there for whatever a story does not offer. The course is enrolled at `start`, a wall-clock time
    in `zone`.
    """

    def __init__(
        self,
        workflow: Workflow,
        *,
        zone: str = "America/Los_Angeles",
        start: When = "2026-03-02 08:00",
        course: str = "course-1",
        patient: str = "patient-1",
        retrospective: bool = False,
    ) -> None:
        self.workflow = workflow
        self.zone = ZoneInfo(zone)
        self.course = course
        self.answers: list[Answer] = []
        self._sent = 0
        self._events = {event.name: event for event in workflow.events}
        self._inputs = {declared.name: declared for declared in workflow.inputs}
        definition = _prepared(workflow)[1]
        store = MemoryStore()
        with store.transaction(TENANT) as tx:
            tx.define(definition)
        self._set(store, VirtualClock(instant(start, self.zone, date.min)))
        self._submit(
            {
                **self._envelope(ENROLLED, workflow.roles[0], None),
                "workflow": definition.digest,
                "patient": patient,
                "site": SITE,
                "zone": zone,
                "retrospective": retrospective,
            }
        )

    def fork(self) -> Self:
        """The story so far, to be told on in another way; this one stays as it is."""
        other = copy(self)
        other.answers = list(self.answers)
        other._set(self.store.copy(), VirtualClock(self.clock.now()))  # noqa: SLF001  # a story too
        return other

    # --- when -----------------------------------------------------------------------------------

    def sends(
        self,
        event: str,
        *,
        role: str | None = None,
        at: When | Mapping[str, Json] | None = None,
        reason: str | Mapping[str, Json] | None = None,
        override: str | Iterable[str] | Mapping[str, Json] | None = None,
        code: str | None = None,
        expecting: int | None = None,
        data: Mapping[str, Any] | None = None,
        **fields: Any,  # noqa: ANN401  # whatever the event's fields take
    ) -> Answer:
        """Send an event and return its answer.

        Without `role` it is the first that may send the event; without `at`, now. `reason` is a
        code. `override` names guards, passed with the override code `code`. `expecting` is the
        revision that a request expects, and `data` has the fields whose names are taken here. A
        mapping stands as it is.
        """
        declared = self._events.get(event)
        if role is None:
            role = declared.roles[0] if declared is not None else self.workflow.roles[0]
        body = self._envelope(event, role, at)
        body["data"] = self._data(declared, {**fields, **(data or {})})
        if reason is not None:
            body["reason"] = {"code": reason} if isinstance(reason, str) else dict(reason)
        if override is not None:
            body["override"] = override_json(override, code)
        if expecting is not None:
            body["expected_revision"] = expecting
        return self._submit(body)

    def corrects(
        self,
        wrong: Answer,
        input_name: str,
        value: Any = None,  # noqa: ANN401  # whatever the input takes
        *,
        role: str | None = None,
        reason: str = "typing-error",
    ) -> Answer:
        """Correct a reading that an answered event brought; without a value it was never true."""
        body = self._envelope(CORRECTED, role or self.workflow.roles[0], None)
        data: dict[str, Json] = {"record": wrong.seq, "input": input_name}
        if value is None:
            data["entered_in_error"] = True
        else:
            data["value"] = value_json(self._inputs[input_name], value, self.zone)
        return self._submit({**body, "data": data, "reason": {"code": reason}})

    def retracts(
        self,
        wrong: Answer,
        input_name: str,
        *,
        role: str | None = None,
        reason: str = "wrong-course",
    ) -> Answer:
        """Say that a reading which an answered event brought should never have been there."""
        body = self._envelope(RETRACTED, role or self.workflow.roles[0], None)
        data = {"record": wrong.seq, "input": input_name}
        return self._submit({**body, "data": data, "reason": {"code": reason}})

    def given(self, *parts: Part) -> Self:
        """Tell what went before. A request that is refused in it is a mistake of the story.

        Raises AssertionError with the reasons of the refusal.
        """
        for part in parts:
            before = len(self.answers)
            part(self)
            for answer in self.answers[before:]:
                if answer.refused:
                    raise AssertionError(f"given {answer.event}, but it was {said(answer)}")
        return self

    def advance(self, *, days: int = 0, hours: int = 0, minutes: int = 0) -> Self:
        """Let elapsed time pass; timers come back at their own times."""
        return self.until(self.clock.now() + timedelta(days=days, hours=hours, minutes=minutes))

    def until(self, when: When) -> Self:
        """Let time pass until then, that instant included; timers come back at their own times."""
        goal = self.at(when)
        while True:
            with self.store.transaction(TENANT, write=False) as tx:
                waiting = tx.due_timers(goal, 1)
            if not waiting:
                break
            self.clock.move(waiting[0].due)
            self.service.tick()
        self.clock.move(goal)
        return self

    # --- then -----------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The present instant of the story, on the site's wall."""
        return self.clock.now().astimezone(self.zone)

    @property
    def state(self) -> str:
        return self.snapshot.state

    @property
    def round(self) -> int:
        return self.snapshot.round

    @property
    def variables(self) -> Mapping[str, Any]:
        return self.snapshot.variables

    @property
    def questions(self) -> Mapping[str, Sequence[str]]:
        """The rules that could not be weighed, each with what it waits for."""
        return self.snapshot.questions

    @property
    def visits(self) -> Mapping[str, Window]:
        return self.snapshot.visits

    @property
    def timers(self) -> Mapping[str, Armed]:
        return self.snapshot.timers

    @property
    def options(self) -> tuple[Option, ...]:
        """What could be sent now, and what is in its way."""
        return self.service.status(self.course).options

    @property
    def records(self) -> list[Record]:
        return self.service.records(self.course)

    @property
    def snapshot(self) -> Snapshot:
        """The course as its row says; readings but the latest are not in it."""
        with self.store.transaction(TENANT, write=False) as tx:
            row = json.loads(tx.row(self.course) or b"{}")
            machine = _prepared(self.workflow)[0].machine(row["digest"], tx)
        return snapshot_of(
            machine,
            row,
            calendar=Zones().of(self.zone.key),
            decided_at=self.clock.now(),
        )

    def events(self, name: str | None = None) -> list[Mapping[str, Json]]:
        """The bodies of the records, of one event or of all, oldest first."""
        bodies = [json.loads(record.body) for record in self.records]
        return [body for body in bodies if name in (None, body["event"]["event"])]

    def on(self, when: datetime | None) -> date | None:
        """The civil date of an instant at the site."""
        return None if when is None else when.astimezone(self.zone).date()

    def at(self, when: When) -> datetime:
        """The instant that a time of this story stands for."""
        return instant(when, self.zone, self.now.date())

    def verify(self) -> Self:
        """Prove the course: chain whole, replay equal to the row, every decision made again alike.

        Raises AssertionError with everything that is wrong.
        """
        fault = self.auditor.verify(self.course)
        wrong = [str(fault)] if fault is not None else []
        wrong += [str(difference) for difference in self.auditor.decide_again(self.course)]
        if wrong:
            raise AssertionError("\n".join(wrong))
        return self

    # --- how --------------------------------------------------------------------------------------

    def _set(self, store: MemoryStore, clock: VirtualClock) -> None:
        """Where the story is told from now on."""
        registry = _prepared(self.workflow)[0]
        self.store, self.clock = store, clock
        self.service = Service(
            store,
            Setting(
                tenant=TENANT,
                registry=registry,
                clock=clock,
                calendars=Zones(),
                salt=lambda: f"{self._sent:032x}",
                version="story",
            ),
        )
        self.auditor = Auditor(store=store, registry=registry, tenant=TENANT)

    def _submit(self, body: Mapping[str, Json]) -> Answer:
        answer = self.service.submit(body)
        self.answers.append(answer)
        return answer

    def _envelope(
        self, event: str, role: str, at: When | Mapping[str, Json] | None
    ) -> dict[str, Json]:
        moment: Json
        if isinstance(at, Mapping):
            moment = dict(at)
        else:
            told = self.clock.now() if at is None else self.at(at)
            if told > self.clock.now():
                self.until(told)
            moment = instant_text(told)
        self._sent += 1
        return {
            "format": 1,
            "id": f"e{self._sent}",
            "course": self.course,
            "event": event,
            "at": moment,
            "actor": {"id": f"{role}-1", "role": role},
        }

    def _data(self, declared: Event | None, data: Mapping[str, Any]) -> dict[str, Json]:
        fields = {field.name: field for field in declared.fields} if declared is not None else {}
        sent: dict[str, Json] = {}
        for name, value in data.items():
            field: Field | Input | None = fields.get(name)
            if isinstance(field, Field) and field.input is not None:
                field = self._inputs[field.input]
            sent[name] = value if field is None else value_json(field, value, self.zone)
        return sent


Part: TypeAlias = Callable[[Story], object]
"""Some of a story, to be told by `given`."""


def step(event: str, /, **how: Any) -> Part:  # noqa: ANN401  # whatever `sends` takes
    """A part of a story that sends one event, with the arguments of `sends`."""
    return lambda story: story.sends(event, **how)


_PREPARED: dict[int, tuple[Workflow, Registry, Definition]] = {}
"""Workflows are compiled once each; the workflow is kept so that its id stays its own."""


def _prepared(workflow: Workflow) -> tuple[Registry, Definition]:
    if id(workflow) not in _PREPARED:
        registry, definition = Registry(), stored_form(workflow)
        with MemoryStore().transaction(TENANT) as tx:
            registry.install((workflow,), tx)
            registry.machine(definition.digest, tx)
        _PREPARED[id(workflow)] = workflow, registry, definition
    return _PREPARED[id(workflow)][1:]

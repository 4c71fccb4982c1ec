"""Constructed courses, really told: in memory, by the stored definition, through the usual door."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from engine.answer import Answer
from engine.canary.given import NOW
from engine.canary.staging import Script
from engine.clock import VirtualClock
from engine.core.encoding import instant_from
from engine.core.machine import Machine
from engine.errors import RegimenError
from engine.ports import Calendars, Definition
from engine.registry import Registry
from engine.store.memory import MemoryStore
from engine.submission import Desk, Setting

TENANT = "canary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The answers to a script, and what kept it from being told to its end, if anything."""

    answers: tuple[Answer, ...]
    wrong: str | None = None


class Teller:
    """Tells scripts of one stored definition, each in a store of its own."""

    def __init__(self, definition: Definition, calendars: Calendars, version: str) -> None:
        self._calendars = calendars
        self._version = version
        self._registry = Registry()
        self._store = MemoryStore()
        with self._store.transaction(TENANT) as tx:
            tx.define(definition)
            self.machine: Machine = self._registry.machine(definition.digest, tx)

    def told(self, script: Script) -> Told:
        """Everything that a script says, as far as it can be sent."""
        clock = VirtualClock(NOW - timedelta(days=400))
        setting = Setting(
            tenant=TENANT,
            registry=self._registry,
            clock=clock,
            calendars=self._calendars,
            salt=lambda: "0" * 32,
            version=self._version,
        )
        with self._store.copy().transaction(TENANT) as tx:
            desk = Desk(setting=setting, tx=tx)
            for said in script.events:
                clock.move(instant_from(said["at"]))
                try:
                    desk.submit(said)
                except RegimenError as wrong:
                    what = f"{said['event']} could not be sent: {type(wrong).__name__}"
                    return Told(answers=tuple(desk.answers), wrong=what)
        return Told(answers=tuple(desk.answers))

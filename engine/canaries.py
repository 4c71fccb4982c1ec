"""Canary courses day by day: which definitions are due to be exercised, and what came of it.

The definitions are taken as the database holds them. What came of each flight is kept, so that
pages and metrics show it, and that it can be told when there was none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from engine.canary.flight import flown
from engine.canary.result import SOUND
from engine.core.encoding import Json
from engine.errors import DefinitionError
from engine.flown import Flew, Flown, Kept
from engine.logs import log
from engine.ports import Definition
from engine.service import Service

LOOK = timedelta(minutes=15)
"""How long a worker that found nothing due asks nobody again."""


class Canaries:
    """The canary courses of one tenant. `every` is how often; `None` is never by itself."""

    def __init__(self, service: Service, kept: Kept, *, every: timedelta | None) -> None:
        self._service = service
        self._kept = kept
        self._every = every
        self._asked: datetime | None = None

    def in_use(self) -> list[Definition]:
        """The definitions that courses follow, or may begin with, as they are stored."""
        service = self._service
        used = set(self._kept.used(service.tenant))
        registry = service.setting.registry
        with service.store.transaction(service.tenant, write=False) as tx:
            return [
                one
                for one in tx.definitions()
                if one.digest in used or registry.stands_for(one.name, one.digest)
            ]

    def last(self) -> Sequence[Flown]:
        """The newest flight of each definition, by workflow."""
        return self._kept.last(self._service.tenant)

    def flights(self, limit: int) -> Sequence[Flew]:
        """The newest flights of all definitions together, the newest first."""
        return self._kept.flights(self._service.tenant, limit)

    def fly(self, definition: Definition) -> Flown:
        """Exercise a stored definition, and keep what came of it."""
        setting = self._service.setting
        label = f"{definition.name}@{definition.version}"
        try:
            found = flown(definition, setting.calendars, setting.version)
        except DefinitionError as wrong:
            why = f"this engine cannot read it: {type(wrong).__name__}"
            said: dict[str, Json] = {
                "workflow": label, "digest": definition.digest, "sound": False, "results": [],
                "why": why,
            }  # fmt: skip
        else:
            said = found.json()
        one = Flown(
            digest=definition.digest,
            workflow=label,
            at=setting.clock.now(),
            sound=said["sound"],
            flight=said,
        )
        self._kept.keep(self._service.tenant, one)
        silent = [r["guard"] for r in said["results"] if r["outcome"] not in SOUND]
        tell = log.info if one.sound else log.error
        tell("canary_flown", workflow=label, digest=definition.digest, sound=one.sound,
             exercised=len(said["results"]), silent=",".join(silent) or None)  # fmt: skip
        return one

    def due(self, stop: Callable[[], bool]) -> Iterator[Flown]:
        """Exercise what was not for so long, or until the stop."""
        now = self._service.setting.clock.now()
        if self._every is None or (self._asked is not None and now - self._asked < LOOK):
            return
        flown_at = {one.digest: one.at for one in self.last()}
        for definition in self.in_use():
            before = flown_at.get(definition.digest)
            if before is not None and now - before < self._every:
                continue
            if stop():
                return
            yield self.fly(definition)
        self._asked = now

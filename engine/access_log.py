"""The access log: who was kept out, who may come in, and what auditors and exports read.

- It is a log of its own beside the records, append-only as they are, and holds ids, roles and
  numbers: an id that could be anything is left out, so that no name gets in by a URL.
- Each entry names the hash of the one before it (`log_chain`): `verify` finds what was changed.
- Who is kept out a thousand times a minute writes a few rows: the same denial within `WINDOW` is
  counted, and so is whatever one actor is denied beyond `DISTINCT` different things.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from engine.core.encoding import Json
from engine.log_chain import Link, Standing, standing
from engine.log_entry import Entry, Logged
from engine.permission import Action, Caller, Denied, How, Role
from engine.ports import Clock

WINDOW = timedelta(minutes=1)
"""For how long the same denial is only counted."""
DISTINCT = 30
"""How many different denials of one actor are rows of their own within a window."""
REMEMBERED = 10_000
"""How many subjects' roles are kept in memory, so that the log is not asked each time."""

GIVEN, KEPT_OUT = "given", "denied"


class LogStore(Protocol):
    """Where the rows are."""

    def append(self, entries: Sequence[Entry]) -> None:
        """Add rows, all or none."""

    def entries(
        self, tenant: str, *, since: datetime | None, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Entry]:
        """Rows in the order of their time, from a time on and after a row."""

    def last(self, tenant: str, actor: str, action: Logged) -> Entry | None:
        """The last row of that action that tells of an actor."""

    def last_of_everything(self, tenant: str, action: Logged) -> Entry | None:
        """The last row of that action which was of everything, whoever's it is."""

    def unchained(self, tenant: str) -> Iterator[Entry]:
        """The rows from before there was a chain, in the order of their time."""

    def links(self, tenant: str) -> Iterator[Link]:
        """The rows of the chain by their position."""


class AccessLog:
    """What is written to the access log, and read from it.

    `identity` makes the id of a row. `tenant` gets what nobody's tenant is known of. The rows of
    something that is stored itself come from `entry`, and are appended in its transaction.
    """

    def __init__(
        self, store: LogStore, *, clock: Clock, identity: Callable[[], str], tenant: str
    ) -> None:
        self._store = store
        self._clock = clock
        self._identity = identity
        self._tenant = tenant
        self._counts: dict[_Denial, _Count] = {}
        self._roles: dict[tuple[str, str], Json] = {}
        self._lock = threading.Lock()

    def entry(
        self, caller: Caller, action: Logged, about: Mapping[str, Json], *, outcome: str = GIVEN
    ) -> Entry:
        """A row that is yet to be appended. Raises ValueError for what is no id, role or number."""
        return self._entry(caller.tenant, caller.id, action, outcome, about)

    def note(self, caller: Caller, action: Logged, about: Mapping[str, Json]) -> None:
        """Append a row about what stores nothing itself, such as an export."""
        self._store.append([self.entry(caller, action, about)])

    def read(self, caller: Caller, action: Action, **about: str | None) -> None:
        """Note what an auditor reads; what others read in their work is not noted."""
        if Role.AUDITOR in caller.roles:
            self.note(caller, Logged.READ, {"what": action.value, **_plain(about)})

    def denied(self, denied: Denied, action: Action | None = None, **about: str | None) -> None:
        """Note a denial, or count it when it was noted within the last minute."""
        now = self._clock.now()
        with self._lock:
            due = self._over(now)
            denial = _Denial(
                tenant=denied.tenant or self._tenant,
                actor=denied.actor,
                action="" if action is None else action.value,
                why=denied.why.value,
                about=tuple(sorted(_plain(about).items())),
            )
            due += self._counted(denial, now)
        if due:
            self._store.append(due)

    def flush(self) -> None:
        """Write what was only counted; to be called at the end, and now and then."""
        with self._lock:
            due = [self._total(d, count) for d, count in self._counts.items() if count.more]
            self._counts.clear()
        if due:
            self._store.append(due)

    def seen(self, caller: Caller) -> None:
        """Note when a person's roles or sites are not what they were when last seen.

        They are given by the identity provider, so nobody tells us of a change.
        """
        if caller.how is not How.OIDC:
            return
        place, now = (caller.tenant, caller.id), _scope(caller)
        with self._lock:
            if self._roles.get(place) == now:
                return
        last = self._store.last(*place, Logged.ROLES_CHANGED)
        before = None if last is None else last.about.get("now")
        if before != now:
            self.note(caller, Logged.ROLES_CHANGED, {"before": before, "now": now})
        with self._lock:
            if len(self._roles) >= REMEMBERED:
                self._roles.clear()
            self._roles[place] = now

    def entries(
        self,
        tenant: str,
        *,
        since: datetime | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Entry]:
        """A page of the log, oldest first; `after` is the time and id of the last row known."""
        return self._store.entries(tenant, since=since, after=after, limit=limit)

    def last_of_everything(self, tenant: str) -> Entry | None:
        """The last verification of the whole log."""
        return self._store.last_of_everything(tenant, Logged.VERIFIED)

    def verify(self, tenant: str, noted: tuple[int, str] | None = None) -> Standing:
        """How far the tenant's log goes, and the first entry that is not what it was.

        `noted` is a position with its hash that was kept elsewhere: without one, nobody sees that
        the last entries were cut off, or that all was computed anew.
        """
        return standing(self._store.unchained(tenant), self._store.links(tenant), noted)

    def _counted(self, denial: _Denial, now: datetime) -> list[Entry]:
        """The row of a denial that is new; one that is known, or one too many, is counted."""
        mine = sum(1 for d in self._counts if (d.tenant, d.actor) == (denial.tenant, denial.actor))
        if denial not in self._counts and mine >= DISTINCT:
            denial = replace(denial, action="", why="various", about=())
        known = self._counts.get(denial)
        if known is not None:
            known.more += 1
            return []
        self._counts[denial] = _Count(since=now)
        return [self._denial(denial, {})]

    def _over(self, now: datetime) -> list[Entry]:
        """The totals of the windows that are over."""
        over = {d: c for d, c in self._counts.items() if not timedelta() <= now - c.since < WINDOW}
        for denial in over:
            del self._counts[denial]
        return [self._total(denial, count) for denial, count in over.items() if count.more]

    def _total(self, denial: _Denial, count: _Count) -> Entry:
        return self._denial(denial, {"again": count.more})

    def _denial(self, denial: _Denial, more: Mapping[str, Json]) -> Entry:
        about = {"why": denial.why, **dict(denial.about), **more}
        if denial.action:
            about["what"] = denial.action
        return self._entry(denial.tenant, denial.actor, Logged.DENIED, KEPT_OUT, about)

    def _entry(
        self, tenant: str, actor: str, action: Logged, outcome: str, about: Mapping[str, Json]
    ) -> Entry:
        for name, value in about.items():
            _require_plain(name, value)
        return Entry(
            tenant=tenant,
            at=self._clock.now(),
            id=self._identity(),
            actor=actor,
            action=action,
            outcome=outcome,
            about=dict(about),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Denial:
    """What makes two denials the same."""

    tenant: str
    actor: str
    action: str
    why: str
    about: tuple[tuple[str, str], ...]


@dataclass(slots=True, kw_only=True)
class _Count:
    """How often a denial came again since it was noted."""

    since: datetime
    more: int = 0


def _scope(caller: Caller) -> Json:
    """How far a caller may go, as the log keeps it."""
    return {
        "roles": sorted(caller.roles),
        "actor_roles": sorted(caller.actor_roles),
        "sites": None if caller.sites is None else sorted(caller.sites),
    }


def _plain(about: Mapping[str, str | None]) -> dict[str, str]:
    """What has the shape of an id: the rest may be anything, a name too."""
    return {name: text for name, text in about.items() if text and _ID.fullmatch(text)}


def _require_plain(name: str, value: Json) -> None:
    match value:
        case None | bool() | int():
            return
        case str() if _ID.fullmatch(value):
            return
        case list() | tuple():
            for item in value:
                _require_plain(name, item)
            return
        case dict():
            for key, item in value.items():
                _require_plain(f"{name}.{key}", item)
            return
    raise ValueError(f"{name}: the access log takes ids, roles and numbers")


_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")

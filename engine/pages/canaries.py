"""Canary courses: of each definition in use, whether every stop rule acted when last exercised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from engine.canary.result import SOUND, Outcome, What
from engine.core.machine import Machine
from engine.flown import Flew, Flown
from engine.telling.lexicon import Lexicon
from engine.telling.seen import elapsed

STALE = timedelta(hours=48)
"""After how long without a flight a page says so: a worker exercises daily, unless it is told."""
SHOWN = 30
"""How many flights of a definition a page shows."""
OUTCOMES: Mapping[str, str] = {
    Outcome.SWITCHED_OFF: "switched off by a parameter",
    Outcome.SILENT: "stayed silent",
    Outcome.IMPOSSIBLE: "can never act",
    Outcome.OUT_OF_REACH: "could not be brought to act",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercised:
    """A rule or requirement, and what came of it."""

    title: str
    name: str
    asks: str
    where: str
    outcome: str
    sound: bool
    acted: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One flight of a definition, as a mark in a row of them."""

    at: str
    sound: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """A definition, and what came of exercising it."""

    label: str
    title: str
    digest: str
    in_use: bool
    at: str
    age: str
    stale: bool
    sound: bool
    why: str
    rules: tuple[Exercised, ...]
    requirements: tuple[Exercised, ...]
    days: tuple[Day, ...]

    @property
    def flown(self) -> bool:
        """Whether it was ever exercised."""
        return bool(self.at)

    @property
    def rules_off(self) -> str:
        """Of the rules that did not fire, which have a reason."""
        return switched_off(self.rules)

    @property
    def requirements_off(self) -> str:
        """Likewise of the requirements that did not refuse."""
        return switched_off(self.requirements)

    @property
    def wrong(self) -> tuple[Exercised, ...]:
        """What did not act."""
        return tuple(one for one in (*self.rules, *self.requirements) if not one.sound)


def switched_off(exercised: Sequence[Exercised]) -> str:
    """In words, how many did not act since parameters switch them off: that is nothing wrong."""
    rest = [one for one in exercised if not one.acted]
    off = sum(one.sound for one in rest)
    if not off:
        return ""
    number = "one" if off == 1 else str(off)
    which = f"the other {number}" if off == len(rest) else number
    if off == len(exercised):
        which = "it" if off == 1 else "all"
    return f"{which} {'is' if off == 1 else 'are'} switched off by parameters"


def canaries(
    machines: Mapping[str, Machine],
    used: Iterable[str],
    last: Sequence[Flown],
    flights: Sequence[Flew],
    now: datetime,
) -> tuple[Canary, ...]:
    """Every definition that is in use or was exercised: first those of which something is wrong.

    `machines` are the stored definitions by digest, `used` the digests of those in use.
    """
    in_use, found = set(used), {one.digest: one for one in last}
    told = []
    for digest in dict.fromkeys([*in_use, *found]):
        if digest in machines:
            days = [one for one in flights if one.digest == digest][:SHOWN]
            told.append(_canary(digest, machines[digest], found.get(digest), days, now,
                                in_use=digest in in_use))  # fmt: skip
    return tuple(
        sorted(told, key=lambda one: (one.sound and not one.stale, not one.in_use, one.label))
    )


def _canary(
    digest: str,
    machine: Machine,
    last: Flown | None,
    days: Sequence[Flew],
    now: datetime,
    *,
    in_use: bool,
) -> Canary:
    lexicon = Lexicon(machine)
    results = () if last is None else last.flight["results"]
    return Canary(
        label=machine.workflow.label,
        title=machine.workflow.title,
        digest=digest,
        in_use=in_use,
        at="" if last is None else f"{last.at:%Y-%m-%d %H:%M} UTC",
        age="" if last is None else elapsed(now - last.at),
        stale=in_use and (last is None or now - last.at > STALE),
        sound=last is not None and last.sound,
        why="" if last is None else str(last.flight.get("why", "")),
        rules=tuple(_exercised(results, What.RULE, lexicon)),
        requirements=tuple(_exercised(results, What.REQUIREMENT, lexicon)),
        days=tuple(
            Day(at=f"{one.at:%Y-%m-%d %H:%M} UTC", sound=one.sound) for one in reversed(days)
        ),
    )


def _exercised(
    results: Iterable[Mapping[str, Any]], what: What, lexicon: Lexicon
) -> Iterator[Exercised]:
    for one in sorted(results, key=lambda one: one["outcome"] in SOUND):
        if one["what"] != what:
            continue
        state, event = one.get("state"), one.get("event")
        where = [] if event is None else [lexicon.event(event)]
        where += [] if state is None else [f"in “{lexicon.state(state)}”"]
        action = one.get("action")
        yield Exercised(
            title=lexicon.guard(one["guard"]),
            name=one["guard"],
            asks="" if action is None else lexicon.action(action),
            where=", ".join(where),
            outcome=_outcome(what, one["outcome"]),
            sound=one["outcome"] in SOUND,
            acted=one["outcome"] == Outcome.AS_EXPECTED,
            why=one.get("why", ""),
        )


def _outcome(what: What, outcome: str) -> str:
    if outcome == Outcome.AS_EXPECTED:
        return "fired" if what is What.RULE else "refused"
    return OUTCOMES.get(outcome, outcome)

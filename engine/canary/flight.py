"""One run over a stored definition: what was brought to act, what was not, and why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from engine.answer import Answer
from engine.canary.given import Given
from engine.canary.reach import beyond
from engine.canary.result import Flight, Outcome, Result, What
from engine.canary.solving import Search
from engine.canary.staging import ZONE, Script, Stage
from engine.canary.told import Teller, Told
from engine.core.definition import Rule
from engine.core.machine import Need, Watch
from engine.ports import Calendars, Definition

WAYS = 24
"""How many ways of bringing something about are told before it is given up."""


def flown(definition: Definition, calendars: Calendars, version: str) -> Flight:
    """Exercise a stored definition. Raises DefinitionError when this engine cannot read it."""
    teller = Teller(definition, calendars, version)
    rules, requirements = _Rules(teller, calendars), _Requirements(teller, calendars)
    return Flight(
        workflow=teller.machine.workflow.label,
        digest=definition.digest,
        results=(*rules.results(), *requirements.results()),
    )


def flown_like(
    definition: Definition, other: Definition, calendars: Calendars, version: str
) -> Flight:
    """Tell the courses in which the rules of another definition act by this one.

    What a definition says of itself does not show that a threshold was moved, or that a rule is
    gone; the courses of the one that it is meant to be like do.
    """
    asked, teller = Teller(other, calendars, version), Teller(definition, calendars, version)
    label = asked.machine.workflow.label
    results = []
    for one in _Rules(asked, calendars).results():
        if one.script is None:
            continue
        told = teller.told(one.script.of(definition.digest))
        acted = _mover(told.answers, one.guard) is not None
        why = None if acted else told.wrong or _instead(told.answers, one.guard)
        results.append(
            replace(
                one,
                outcome=Outcome.AS_EXPECTED if acted else Outcome.SILENT,
                why=None if acted else f"in a course in which it acts by {label}: {why}",
            )
        )
    return Flight(
        workflow=teller.machine.workflow.label, digest=definition.digest, results=tuple(results)
    )


class _Exercise:
    def __init__(self, teller: Teller, calendars: Calendars) -> None:
        self.machine = teller.machine
        self.workflow = self.machine.workflow
        self.teller = teller
        self.stage = Stage(self.workflow, self.machine.digest)
        self.calendar = calendars.of(ZONE)
        self.sendable = {e.name for e in self.workflow.events if not e.timer}

    def search(self, code: Any, event: str | None) -> Search:  # noqa: ANN401  # a compiled tree
        return Search(self.workflow, code, self.calendar, event=event)


class _Rules(_Exercise):
    """Brings each rule whose action moves the course to fire, and to move one."""

    def results(self) -> Iterator[Result]:
        actions = {action.name: action for action in self.workflow.actions}
        for rule in self.workflow.rules:
            if actions[rule.action].targets:
                yield self._result(rule)

    def _result(self, rule: Rule) -> Result:
        tried = 0
        instead: dict[str, None] = {}
        beside: Result | None = None
        found: tuple[Outcome, str] | None = None
        for state, event, watch in self._scenes(rule):
            search = self.search(watch.code, event)
            before = tried
            for script in islice(self._scripts(search, state, event), WAYS):
                tried += 1
                told = self.teller.told(script)
                mover = _mover(told.answers, rule.guard)
                if mover is not None:
                    said = self._acted(rule, state, script, tried)
                    if mover == rule.guard:
                        return said
                    beside = beside or said
                instead[told.wrong or _instead(told.answers, rule.guard)] = None
            if tried == before:
                found = found or beyond(
                    self.machine, self.stage, watch.code,
                    wanted=True, event=event, long=search.exhausted,
                )  # fmt: skip
        if beside is not None:
            return beside
        if tried:
            return self._silent(rule, Outcome.SILENT, "; ".join(instead), tried)
        outcome, why = found or (Outcome.IMPOSSIBLE, "in no state does it look and move the course")
        return self._silent(rule, outcome, why)

    def _scenes(self, rule: Rule) -> Iterator[tuple[str, str | None, Watch]]:
        """The states in which a rule would move the course, with the events that it looks at."""
        for state in self.workflow.expand(rule.places):
            if self.machine.target(rule.action, state) is None:
                continue
            for event in rule.events or (None,):
                if event is not None and event not in self.sendable:
                    continue
                watches = self.machine.watches(state, event or next(iter(self.machine.events)))
                for watch in watches:
                    if watch.rule.guard == rule.guard:
                        yield state, event, watch

    def _scripts(self, search: Search, state: str, event: str | None) -> Iterator[Script]:
        for given in search.found(wanted=True):
            yield from self.stage.scripts(given, state, event)

    def _acted(self, rule: Rule, state: str, script: Script, tried: int) -> Result:
        return Result(
            what=What.RULE, guard=rule.guard, action=rule.action, outcome=Outcome.AS_EXPECTED,
            state=state, event=script.last, tried=tried, script=script,
        )  # fmt: skip

    def _silent(self, rule: Rule, outcome: Outcome, why: str, tried: int = 0) -> Result:
        return Result(
            what=What.RULE, guard=rule.guard, action=rule.action, outcome=outcome,
            tried=tried, why=why,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a requirement is asked for."""

    state: str
    event: str
    need: Need


class _Requirements(_Exercise):
    """Brings each guard that opens transitions to keep one closed."""

    def __init__(self, teller: Teller, calendars: Calendars) -> None:
        super().__init__(teller, calendars)
        self._kept: dict[str, _Kept] = {}
        self._asked: set[tuple[str, str]] = set()
        self._needed = {t.name: {r.guard for r in t.requires} for t in self.workflow.transitions}

    def results(self) -> Iterator[Result]:
        places: dict[str, list[_Place]] = {}
        for event in self.workflow.events:
            for state in self.workflow.states:
                for step in self.machine.steps(event.name, state.name):
                    for need in step.needs:
                        place = _Place(state.name, event.name, need)
                        places.setdefault(need.requirement.guard, []).append(place)
        for guard, where in places.items():
            yield self._result(guard, where)

    def _result(self, guard: str, places: Sequence[_Place]) -> Result:
        tried = self._unknown(guard, places)
        long = False
        for place in places:
            if guard in self._kept or tried > 4 * WAYS:
                break
            search = self.search(place.need.code, place.event)
            for given in islice(search.found(wanted=False), WAYS):
                for script in self._scripts(given, place):
                    if guard not in self._kept:
                        tried += 1
                        self._note(self.teller.told(script), place, denied=guard)
            long = long or search.exhausted
        if (kept := self._kept.get(guard)) is not None:
            return Result(
                what=What.REQUIREMENT, guard=guard, outcome=Outcome.AS_EXPECTED,
                state=kept.state, event=kept.event, tried=tried,
            )  # fmt: skip
        first = places[0]
        outcome, why = beyond(
            self.machine, self.stage, first.need.code, wanted=False, event=first.event, long=long
        )
        if tried and outcome is Outcome.OUT_OF_REACH:
            outcome, why = Outcome.SILENT, "it kept nothing closed in any course that was told"
        return Result(what=What.REQUIREMENT, guard=guard, outcome=outcome, tried=tried, why=why)

    def _unknown(self, guard: str, places: Sequence[_Place]) -> int:
        """Of a course of which nothing is known, most requirements cannot be yes."""
        tried = 0
        for place in places:
            if guard in self._kept:
                break
            if place.event in self.sendable and (place.state, place.event) not in self._asked:
                self._asked.add((place.state, place.event))
                for script in self.stage.scripts(Given(), place.state, place.event):
                    tried += 1
                    self._note(self.teller.told(script), place)
        return tried

    def _scripts(self, given: Given, place: _Place) -> Iterator[Script]:
        for one in (given, *self.stage.fuller(given)):
            if place.event in self.sendable:
                yield from self.stage.scripts(one, place.state, place.event)
                continue
            for alarm in self.machine.alarms(place.state):
                if alarm.timer.event == place.event:
                    search = self.search(alarm.due, None)
                    for due, at in islice(search.reached(alarm.due, one), 2):
                        if (script := self.stage.awaiting(due, place.state, at)) is not None:
                            yield script

    def _note(self, told: Told, place: _Place, denied: str | None = None) -> None:
        """Note what was kept closed, and by what.

        Where an event goes another way, the ways behind it are not tried: a guard that is a no
        (`denied`) did what it has to, when the way that it opens is not the one that was taken.
        """
        for answer in told.answers:
            for attempt in answer.decision.get("attempts", ()):
                for weighed in attempt["kept_by"]:
                    kept = _Kept(answer.state_before or place.state, answer.event)
                    self._kept.setdefault(weighed["guard"], kept)
        last = told.answers[-1] if told.answers else None
        if denied is None or last is None or told.wrong is not None:
            return
        taken = last.decision.get("transition")
        here = (last.event, last.state_before) == (place.event, place.state)
        if here and taken is not None and denied not in self._needed[taken]:
            self._kept.setdefault(denied, _Kept(place.state, place.event))


@dataclass(frozen=True, slots=True)
class _Kept:
    state: str
    event: str


def _mover(answers: Sequence[Answer], rule: str) -> str | None:
    """The rule that moved the course where this one was delivered; `None` where none did."""
    for answer in answers:
        fired = answer.decision.get("fired", ())
        if any(f["rule"] == rule and f.get("delivered") for f in fired):
            mover: str | None = answer.decision.get("moved_by")
            if mover is not None:
                return mover
    return None


def _instead(answers: Sequence[Answer], rule: str) -> str:
    """What the rule did instead in the last answer."""
    decision: Mapping[str, Any] = answers[-1].decision if answers else {}
    if any(f["rule"] == rule for f in decision.get("fired", ())):
        return "it fired, and the course stayed where it was"
    if rule in decision.get("unknown", {}):
        return "it could not be weighed"
    if rule in decision.get("no", ()):
        return "it weighed no"
    return "it was not in scope"

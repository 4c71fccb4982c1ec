"""Two decisions on one event, side by side: the recorded one, and another definition's.

Findings are not compared: a threshold that was changed is told otherwise by each of them. What is
compared is what became of the event, which guards weighed otherwise, what was told, what the course
remembers, and what waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from engine.core.encoding import Json, encode_value, instant_from, instant_text
from engine.core.event import Event
from engine.core.expression import Truth
from engine.core.machine import Machine
from engine.core.outcome import Attempt, Decision, Refused, Taken, Weighed, verdict
from engine.core.projection import alike
from engine.core.record import Record
from engine.core.row import window_from
from engine.core.snapshot import Snapshot, Window

NOT_WEIGHED = "not weighed"


class Use(StrEnum):
    """The two uses of a guard. Shown: never rename a value."""

    REQUIREMENT = "requirement"
    RULE = "rule"


class Aspect(StrEnum):
    """In what two decisions differ. Shown: never rename a value."""

    DECISION = "decision"
    WAY = "way"
    GUARDS = "guards"
    TOLD = "told"
    REMEMBERED = "remembered"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an event: the verdict with its reason, where the course is, and by what.

    `moved` says that it is there since the event.
    """

    verdict: str
    reason: str | None
    state: str
    moved: bool = False
    transition: str | None = None
    moved_by: str | None = None

    @property
    def said(self) -> str:
        """The verdict with the reason of a refusal."""
        return self.verdict if self.reason is None else f"{self.verdict} ({self.reason})"

    @property
    def by(self) -> tuple[str | None, str | None]:
        """The way that was taken, and the rule that moved the course on from there."""
        return self.transition, self.moved_by

    def decides_as(self, other: Outcome) -> bool:
        """Whether the event is granted or refused alike, and the course goes to the same state.

        Of a course that is elsewhere already, staying where it is is the same.
        """
        return (self.verdict, self.reason, self.moved) == (
            other.verdict,
            other.reason,
            other.moved,
        ) and (self.state == other.state or not self.moved)


class Asked(NamedTuple):
    """A guard in one of its uses."""

    guard: str
    use: Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A guard that weighs otherwise.

    `lacks` is what it waits for, where only want of it makes it unknown, or no.
    """

    guard: str
    use: Use
    recorded: str
    again: str
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A timer or a visit that waits for another time, or only by one of the definitions."""

    kind: str
    name: str
    recorded: str | None
    again: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """Where another definition parts from a record, and in what.

    `recorded` is `None` of a timer that only the other definition lets come: then `seq` is the
    record before it. `remembered` names the variables that differ after it. A decision is not
    `judged` where the other definition would only not grant it for want of what was not recorded.
    """

    seq: int
    event: str
    at: datetime | None
    recorded: Outcome | None
    again: Outcome
    aspects: tuple[Aspect, ...]
    flips: tuple[Flip, ...] = ()
    advice_gained: tuple[str, ...] = ()
    advice_lost: tuple[str, ...] = ()
    remembered: tuple[str, ...] = ()
    waits: tuple[Wait, ...] = ()

    @property
    def judged(self) -> bool:
        """Whether more than want of data keeps an event out that was accepted."""
        if self.recorded is None or self.recorded.verdict != "accepted":
            return True
        closing = [
            f for f in self.flips if f.use is Use.REQUIREMENT and f.again in ("no", "unknown")
        ]
        accepted = self.again.verdict == "accepted"
        return accepted or not closing or not all(flip.lacks for flip in closing)

    @property
    def flipped(self) -> bool:
        """Whether a recorded decision would be another one."""
        return self.recorded is not None and Aspect.DECISION in self.aspects and self.judged

    @property
    def lacks(self) -> tuple[str, ...]:
        """What the guards that turned wait for, each once."""
        return tuple(dict.fromkeys(name for flip in self.flips for name in flip.lacks))


class Case:
    """A record with its parsed bytes, the definition that decided it, and the other one."""

    __slots__ = ("body", "other", "record", "recorded")

    def __init__(
        self, record: Record, body: Mapping[str, Any], recorded: Machine, other: Machine
    ) -> None:
        self.record, self.body, self.recorded, self.other = record, body, recorded, other

    @property
    def refused(self) -> bool:
        """Whether the record is of a refusal, which changed nothing."""
        return self.record.verdict == "refused"


class Contrast:
    """What is found of one course, record after record: a difference is told when it is new."""

    def __init__(self) -> None:
        self._waits: frozenset[Wait] = frozenset()
        self._remembered: frozenset[str] = frozenset()

    def divergence(  # the two sides
        self,
        case: Case,
        event: Event,
        decision: Decision | None,
        row: Mapping[str, Json],
        after: Snapshot,
        *,
        parted: bool,
    ) -> Divergence | None:
        """In what a decision differs from the record, if it does; `after` is where it leaves.

        Of the first record, which no guard decides, there is no `decision`. Once a course has
        `parted` from the recorded one, its way and what it remembers and waits for differ for that
        reason, and are no news.
        """
        before = recorded_outcome(case.body)
        again = replace(before, state=after.state) if decision is None else outcome_of(decision)
        turned = () if decision is None else _flips_of(case, event, decision)
        gained, lost = _advice(case.body["decision"], decision)
        self._remembered = frozenset(remembered_otherwise(case.recorded, case.other, row, after))
        waits = self._news(row, after, alike=after.state == row["state"])
        remembered = tuple(sorted(self._remembered))
        if parted:
            remembered, waits = (), ()
        aspects = {
            Aspect.DECISION: not again.decides_as(before),
            Aspect.WAY: not parted and again.decides_as(before) and again.by != before.by,
            Aspect.GUARDS: bool(turned),
            Aspect.TOLD: decision is not None and not told_alike(case.body["decision"], decision),
            Aspect.REMEMBERED: bool(remembered),
            Aspect.WAITING: bool(waits),
        }
        if not any(aspects.values()):
            return None
        return Divergence(
            seq=case.record.seq,
            event=case.record.event,
            at=case.record.at,
            recorded=before,
            again=again,
            aspects=tuple(aspect for aspect, differs in aspects.items() if differs),
            flips=turned,
            advice_gained=gained,
            advice_lost=lost,
            remembered=remembered,
            waits=waits,
        )

    def apart(self) -> bool:
        """Whether the course remembered or waited for something else, when last looked at."""
        return bool(self._waits or self._remembered)

    def _news(self, row: Mapping[str, Json], after: Snapshot, *, alike: bool) -> tuple[Wait, ...]:
        """The timers and visits that wait otherwise since this record."""
        waiting = waits_between(row, after) if alike else frozenset()
        new, self._waits = waiting - self._waits, waiting
        return tuple(sorted(new, key=lambda w: (w.kind, w.name)))


def decided_alike(recorded: Mapping[str, Any], decision: Decision) -> bool:
    """Whether a decision says all that the recorded one says, findings apart.

    It is what mostly holds, so it is asked first and at little cost.
    """
    if _kept_by(recorded) != [
        (a.transition, [(w.guard, w.verdict.value) for w in a.kept_by]) for a in decision.attempts
    ]:
        return False
    if isinstance(decision, Refused):
        return (recorded["verdict"], recorded.get("reason")) == ("refused", decision.reason.value)
    return (
        recorded["verdict"] == verdict(decision)
        and recorded.get("transition") == decision.transition
        and recorded.get("moved_by") == decision.moved_by
        and recorded.get("no", []) == list(decision.no)
        and list(recorded.get("unknown", ())) == sorted(decision.unknown)
        and [(f["rule"], f["action"]) for f in recorded.get("fired", ())]
        == [(f.rule, f.action) for f in decision.fired]
        and [(w["guard"], w["verdict"]) for w in recorded.get("weighed", ())]
        == [(w.guard, w.verdict.value) for w in decision.weighed]
        and told_alike(recorded, decision)
    )


def recorded_outcome(body: Mapping[str, Any]) -> Outcome:
    """What became of an event, as its record says."""
    decision = body["decision"]
    return Outcome(
        verdict=body["verdict"],
        reason=decision.get("reason"),
        state=body["state"][1],
        moved=body["state"][0] not in (None, body["state"][1]),
        transition=decision.get("transition"),
        moved_by=decision.get("moved_by"),
    )


def outcome_of(decision: Decision) -> Outcome:
    """What became of an event by a decision."""
    if isinstance(decision, Refused):
        return Outcome(verdict="refused", reason=decision.reason.value, state=decision.state)
    return Outcome(
        verdict=verdict(decision),
        reason=None,
        state=decision.state,
        moved=decision.state != decision.state_before,
        transition=decision.transition,
        moved_by=decision.moved_by,
    )


def flips(
    recorded: Mapping[Asked, str],
    again: Mapping[Asked, str],
    lacking: Mapping[Asked, tuple[str, ...]],
    passed: frozenset[str] = frozenset(),
) -> tuple[Flip, ...]:
    """The guards that weigh otherwise, in the order of their names.

    One that only one of the two weighed counts where it matters: a rule that fired, or that now
    cannot be weighed; a requirement that is not yes. Of one that the event asks to pass (`passed`)
    a closed way does not say how it weighed.
    """
    if recorded == again:
        return ()
    found = []
    for asked in recorded.keys() | again.keys():
        before, after = recorded.get(asked, NOT_WEIGHED), again.get(asked, NOT_WEIGHED)
        hidden = NOT_WEIGHED in (before, after) and asked.guard in passed
        if before != after and not hidden and _matters(asked, before, after):
            found.append(
                Flip(
                    guard=asked.guard,
                    use=asked.use,
                    recorded=before,
                    again=after,
                    lacks=lacking.get(asked, ()),
                )
            )
    return tuple(sorted(found, key=lambda flip: (flip.guard, flip.use)))


def recorded_verdicts(machine: Machine, body: Mapping[str, Any]) -> dict[Asked, str]:
    """How each guard weighed that a record tells of, by the definition that decided it."""
    decision, needs = body["decision"], _needs(machine)
    override = body["event"].get("override")
    passed = frozenset(override["guards"]) if override else _NOBODY
    found: dict[Asked, str] = {}
    for attempt in decision.get("attempts", ()):
        kept_by = [(w["guard"], w["verdict"]) for w in attempt["kept_by"]]
        found |= _of_way(needs.get(attempt["transition"], ()), kept_by, passed)
    for weighed in decision.get("weighed", ()):
        found[Asked(weighed["guard"], Use.REQUIREMENT)] = weighed["verdict"]
    for rule in decision.get("no", ()):
        found[Asked(rule, Use.RULE)] = "no"
    for rule in decision.get("unknown", ()):
        found[Asked(rule, Use.RULE)] = "unknown"
    for fired in decision.get("fired", ()):
        found[Asked(fired["rule"], Use.RULE)] = "yes"
    return found


def verdicts_of(machine: Machine, decision: Decision, passed: frozenset[str]) -> dict[Asked, str]:
    """How each guard weighs in a decision; `passed` are those that the event asks to pass."""
    needs = _needs(machine)
    found: dict[Asked, str] = {}
    for attempt in decision.attempts:
        kept_by = [(w.guard, w.verdict.value) for w in attempt.kept_by]
        found |= _of_way(needs.get(attempt.transition, ()), kept_by, passed)
    if isinstance(decision, Taken):
        found |= {Asked(w.guard, Use.REQUIREMENT): w.verdict.value for w in decision.weighed}
        found |= {Asked(rule, Use.RULE): "no" for rule in decision.no}
        found |= {Asked(rule, Use.RULE): "unknown" for rule in decision.unknown}
        found |= {Asked(fired.rule, Use.RULE): "yes" for fired in decision.fired}
    return found


def lacking_of(decision: Decision) -> dict[Asked, tuple[str, ...]]:
    """What each guard waits for that is unknown, or is no only because nothing is there."""
    found = {
        Asked(w.guard, Use.REQUIREMENT): tuple(str(m) for m in w.missing)
        for w in _requirements(decision)
        if w.missing and (w.verdict is Truth.UNKNOWN or _absent(w))
    }
    if isinstance(decision, Taken):
        found |= {Asked(rule, Use.RULE): tuple(names) for rule, names in decision.unknown.items()}
    return found


def told_alike(recorded: Json, decision: Decision) -> bool:
    """Whether the same advice is delivered and the same messages are sent."""
    if isinstance(decision, Refused):
        return not recorded.get("advice") and not recorded.get("messages")
    said = [
        (m["kind"], m.get("about", ""), tuple(m.get("advice", ())))
        for m in recorded.get("messages", ())
    ]
    return (
        list(recorded.get("advice", ())) == list(decision.advice)
        and said == [(m.kind, m.about, m.advice) for m in decision.messages]
        and list(recorded.get("conflicts", ())) == list(decision.conflicts)
    )


def remembered_otherwise(
    recorded: Machine, other: Machine, row: Mapping[str, Json], snapshot: Snapshot
) -> Iterator[str]:
    """The variables that both definitions know, and of which the course remembers another value."""
    said = row["variables"]
    for name in alike(recorded, other):
        if encode_value(snapshot.variables.get(name)) != said.get(name):
            yield name


def waits_between(row: Mapping[str, Json], snapshot: Snapshot) -> frozenset[Wait]:
    """The timers and visits that wait otherwise than the row says."""
    found: set[Wait] = set()
    recorded = {name: instant_from(due) for name, (due, _) in row["timers"].items()}
    again = {name: armed.due for name, armed in snapshot.timers.items()}
    found.update(_waits("timer", recorded, again, instant_text))
    windows = {name: window_from(items) for name, items in row["visits"].items()}
    found.update(_waits("visit", windows, snapshot.visits, _window_text))
    return frozenset(found)


_NOBODY: frozenset[str] = frozenset()


def _flips_of(case: Case, event: Event, decision: Decision) -> tuple[Flip, ...]:
    passed = frozenset() if event.override is None else frozenset(event.override.guards)
    return flips(
        recorded_verdicts(case.recorded, case.body),
        verdicts_of(case.other, decision, passed),
        lacking_of(decision),
        passed,
    )


def _advice(
    recorded: Mapping[str, Any], decision: Decision | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The advice that only the decision delivers, and what only the record does."""
    before = tuple(recorded.get("advice", ()))
    after = decision.advice if isinstance(decision, Taken) else ()
    gained = tuple(name for name in after if name not in before)
    return gained, tuple(name for name in before if name not in after)


def _kept_by(recorded: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        (a["transition"], [(w["guard"], w["verdict"]) for w in a["kept_by"]])
        for a in recorded.get("attempts", ())
    ]


def _matters(asked: Asked, before: str, after: str) -> bool:
    if asked.use is Use.RULE:
        return (after != NOT_WEIGHED and (before, after) != (NOT_WEIGHED, "no")) or before == "yes"
    return (before, after) not in ((NOT_WEIGHED, "yes"), ("yes", NOT_WEIGHED))


def _of_way(
    needs: Iterable[str], kept_by: Iterable[tuple[str, str]], passed: frozenset[str]
) -> dict[Asked, str]:
    """The requirements of a way that stayed closed: what did not keep it so was yes, or passed."""
    closed = dict(kept_by)
    if not closed:  # kept closed by another open course: nothing was weighed
        return {}
    return {
        Asked(guard, Use.REQUIREMENT): closed.get(guard, "yes")
        for guard in needs
        if guard in closed or guard not in passed
    }


@lru_cache(maxsize=64)
def _needs(machine: Machine) -> Mapping[str, tuple[str, ...]]:
    """The guards that each transition requires."""
    return {
        transition.name: tuple(requirement.guard for requirement in transition.requires)
        for transition in machine.workflow.transitions
    }


def _absent(weighed: Weighed) -> bool:
    """Whether a no rests on nothing but that something is not known."""
    return all(finding.op == "is known" and finding.missing for finding in weighed.findings)


def _requirements(decision: Decision) -> Iterator[Weighed]:
    attempts: tuple[Attempt, ...] = decision.attempts
    for attempt in attempts:
        yield from attempt.kept_by
    if isinstance(decision, Taken):
        yield from decision.weighed


def _waits(
    kind: str,
    recorded: Mapping[str, Any],
    again: Mapping[str, Any],
    text: Any,  # noqa: ANN401
) -> Iterator[Wait]:
    for name in recorded.keys() | again.keys():
        before, after = recorded.get(name), again.get(name)
        if before != after:
            yield Wait(
                kind=kind,
                name=name,
                recorded=None if before is None else text(before),
                again=None if after is None else text(after),
            )


def _window_text(window: Window) -> str:
    days = f"{window.earliest} to {window.latest}, target {window.target}"
    gap = "" if window.not_before is None else f", not before {instant_text(window.not_before)}"
    return f"number {window.number}: {days}{gap}"

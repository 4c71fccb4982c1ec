"""Two decisions on one event, side by side: the recorded one, and another definition's.

Findings are not compared: a threshold that was changed is told otherwise by each of them. What is
compared is what became of the event, which guards weighed otherwise, what was told, what the course
remembers, and what waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from engine.core.encoding import Json, instant_text
from engine.core.event import Event
from engine.core.machine import Machine
from engine.core.outcome import Decision, Refused, Taken, verdict
from engine.core.projection import Values
from engine.core.quick import quick, replaced
from engine.core.record import Record
from engine.core.snapshot import Armed, Snapshot, Window
from engine.core.verdicts import Flip, Use, flips, lacking_of, recorded_verdicts, verdicts_of

_T = TypeVar("_T")


class Aspect(StrEnum):
    """In what two decisions differ. Shown: never rename a value."""

    DECISION = "decision"
    WAY = "way"
    GUARDS = "guards"
    TOLD = "told"
    REMEMBERED = "remembered"
    WAITING = "waiting"


@quick
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


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A timer or a visit that waits for another time, or only by one of the definitions."""

    kind: str
    name: str
    recorded: str | None
    again: str | None


@quick
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
        values: Values,
        after: Snapshot,
        *,
        parted: bool,
    ) -> Divergence | None:
        """In what a decision differs from the record, if it does; `after` is where it leaves.

        `values` are those of the course as it was recorded.
        Of the first record, which no guard decides, there is no `decision`. Once a course has
        `parted` from the recorded one, its way and what it remembers and waits for differ for that
        reason, and are no news.
        """
        before = recorded_outcome(case.body)
        again = replaced(before, state=after.state) if decision is None else outcome_of(decision)
        turned = () if decision is None else _flips_of(case, event, decision)
        gained, lost = _advice(case.body["decision"], decision)
        shared = values.shared(case.recorded, case.other)
        self._remembered = frozenset(remembered_otherwise(shared, after))
        waits = self._news(values if after.state == values.row["state"] else None, after)
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

    def _news(self, values: Values | None, after: Snapshot) -> tuple[Wait, ...]:
        """The timers and visits that wait otherwise since this record."""
        waiting = frozenset[Wait]()
        if values is not None:
            held = values.common()
            waiting = frozenset(_waits(held["timers"], held["visits"], after))
        new, self._waits = waiting - self._waits, waiting
        return in_order(new)


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


def remembered_otherwise(shared: Mapping[str, Any], snapshot: Snapshot) -> Iterator[str]:
    """The variables that both definitions know, and of which the course remembers another value."""
    for name, value in shared.items():
        if snapshot.variables.get(name) != value:
            yield name


def waits_of(before: Snapshot, after: Snapshot) -> tuple[Wait, ...]:
    """The timers and visits that wait otherwise in another snapshot, by name."""
    return in_order(_waits(before.timers, before.visits, after))


def in_order(waits: Iterable[Wait]) -> tuple[Wait, ...]:
    """Waits by kind and name."""
    return tuple(sorted(waits, key=lambda wait: (wait.kind, wait.name)))


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


def _waits(
    timers: Mapping[str, Armed], windows: Mapping[str, Window], snapshot: Snapshot
) -> Iterator[Wait]:
    if timers != snapshot.timers:
        before, after = _dues(timers), _dues(snapshot.timers)
        yield from _differing("timer", before, after, instant_text)
    if windows != snapshot.visits:
        yield from _differing("visit", windows, snapshot.visits, _window_text)


def _dues(timers: Mapping[str, Armed]) -> dict[str, datetime]:
    return {name: armed.due for name, armed in timers.items()}


def _differing(
    kind: str, before: Mapping[str, _T], after: Mapping[str, _T], text: Callable[[_T], str]
) -> Iterator[Wait]:
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if old != new:
            yield Wait(
                kind=kind,
                name=name,
                recorded=None if old is None else text(old),
                again=None if new is None else text(new),
            )


def _window_text(window: Window) -> str:
    days = f"{window.earliest} to {window.latest}, target {window.target}"
    gap = "" if window.not_before is None else f", not before {instant_text(window.not_before)}"
    return f"number {window.number}: {days}{gap}"

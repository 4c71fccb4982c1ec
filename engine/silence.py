"""Whether a rule has stopped firing: its late rate held against its own earlier one.

- The unit is the course: in how many of those in which a rule could be weighed it fired at all.
  What is weighed again and again in one course says little that is new.
- The two shares are compared by Fisher's exact test, one-sided: how likely so few or fewer of all
  the courses in which it fired would lie in the later period, if nothing had changed.
- Many rules are looked at, so each is held to a level that keeps the chance of any false alarm in
  the whole report below the declared one (Holm). Those of which not even a complete silence would
  be unlikely enough cannot raise an alarm, and make the level no stricter (Tarone).
- A rule that has not fired since, where that may well be chance, is named as one of which there is
  too little to tell: that is no all-clear.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from math import comb

from engine.core.encoding import Json
from engine.core.machine import Machine
from engine.guard_rates import Counts, Period, Use, weighings
from engine.ports import CourseLine
from engine.service import Service

LEVEL = Fraction(1, 100)
"""How likely any false alarm of a report may be, where nobody says."""


class Tone(StrEnum):
    """What is to be made of a rule. Shown: never rename a value."""

    ALARM = "stopped-firing"
    TOO_LITTLE = "too-little-data"
    NEVER_FIRED = "never-fired-before"
    STEADY = "steady"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """In how many courses a rule could be weighed, fired, and could not be weighed."""

    courses: int = 0
    fired: int = 0
    undecided: int = 0

    def json(self) -> dict[str, Json]:
        return {"courses": self.courses, "fired": self.fired, "undecided": self.undecided}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A rule of a workflow in both periods, and what is to be made of it.

    `chance` is the exact probability of so few firings or fewer, were the share the same.
    """

    workflow: str
    rule: str
    moves: bool
    before: Share
    after: Share
    chance: Fraction
    tone: Tone

    def json(self) -> dict[str, Json]:
        """The rule as it is shown."""
        return {
            "workflow": self.workflow,
            "rule": self.rule,
            "moves_the_course": self.moves,
            "before": self.before.json(),
            "after": self.after.json(),
            "chance": f"{float(self.chance):.3g}",
            "tone": self.tone.value,
        }


@dataclass(slots=True)
class _Tally:
    moves: bool
    shares: list[list[int]] = field(default_factory=lambda: [[0, 0, 0], [0, 0, 0]])


def heard(
    service: Service,
    lines: Iterable[CourseLine],
    *,
    before: Period,
    after: Period,
    level: Fraction = LEVEL,
) -> list[Heard]:
    """Every rule of every workflow that courses follow, the alarms first.

    A rule is the same in all versions of a workflow: a version that silences it shows.
    """
    hearing = Hearing()
    for _, machine, counted in weighings(service, lines, (before, after)):
        hearing.add(machine, counted)
    return hearing.judged(level)


class Hearing:
    """Takes in courses one by one, each with the counts of its guards before and after."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str], _Tally] = {}

    def add(self, machine: Machine, counted: Sequence[Mapping[tuple[Use, str], Counts]]) -> None:
        """Take in one more course of a workflow."""
        workflow = machine.workflow
        moving = {action.name for action in workflow.actions if action.targets}
        for rule in workflow.rules:
            place = (workflow.name, rule.guard)
            tally = self._tallies.setdefault(place, _Tally(rule.action in moving))
            for share, counts in zip(tally.shares, counted, strict=True):
                one = counts.get((Use.RULE, rule.guard))
                if one is not None:
                    share[0] += one.courses
                    share[1] += one.fired_in
                    share[2] += one.undecided_in

    def judged(self, level: Fraction) -> list[Heard]:
        """What is to be made of each rule, the alarms first."""
        shares = {
            place: (tally.moves, _share(tally.shares[0]), _share(tally.shares[1]))
            for place, tally in self._tallies.items()
        }
        return judged(shares, level)


def judged(
    shares: Mapping[tuple[str, str], tuple[bool, Share, Share]], level: Fraction
) -> list[Heard]:
    """What is to be made of each rule, from its shares before and after."""
    told = {
        place: (moves, before, after, chance(before, after))
        for place, (moves, before, after) in shares.items()
    }
    testable = [
        (likely, place)
        for place, (_, before, after, likely) in told.items()
        if before.fired and after.courses and _may_alarm(before, after, level)
    ]
    alarms = _alarms(testable, level)
    found = []
    for place, (moves, before, after, likely) in told.items():
        tone = Tone.STEADY
        if not before.fired:
            tone = Tone.NEVER_FIRED
        elif place in alarms:
            tone = Tone.ALARM
        elif not after.fired:
            tone = Tone.TOO_LITTLE
        found.append(
            Heard(
                workflow=place[0], rule=place[1], moves=moves, before=before, after=after,
                chance=likely, tone=tone,
            )
        )  # fmt: skip
    order = list(Tone)
    return sorted(found, key=lambda one: (order.index(one.tone), one.workflow, one.rule))


def chance(before: Share, after: Share) -> Fraction:
    """How likely so few firings, or fewer, would be in the later period at the same share.

    >>> chance(Share(courses=10, fired=5), Share(courses=10, fired=0))
    Fraction(21, 1292)
    """
    fired, courses = before.fired + after.fired, before.courses + after.courses
    few = max(0, fired - before.courses)
    ways = so_many = comb(after.courses, few) * comb(before.courses, fired - few)
    # Each number of ways from the one before: anew each, those of 100,000 courses take a minute.
    while few < after.fired:
        so_many = so_many * (after.courses - few) // (few + 1)
        few += 1
        so_many = so_many * (fired - few + 1) // (before.courses - fired + few)
        ways += so_many
    return Fraction(ways, comb(courses, fired))


def _may_alarm(before: Share, after: Share, level: Fraction) -> bool:
    """Whether a complete silence in the later period, firing as often in all, were unlikely enough.

    Its chance is a product of as many factors below 1 as there are firings, or later courses.
    """
    fired, courses = before.fired + after.fired, before.courses + after.courses
    if fired > before.courses:
        return False
    fewer, more = sorted((fired, after.courses))
    left, of = 1, 1
    for n in range(fewer):
        left, of = left * (courses - more - n), of * (courses - n)
        if left * level.denominator <= of * level.numerator:
            return True
    return False


def _alarms(
    found: Iterable[tuple[Fraction, tuple[str, str]]], level: Fraction
) -> frozenset[tuple[str, str]]:
    """Those that are too unlikely, the least likely first, each step at a milder level."""
    left, alarms = sorted(found), list[tuple[str, str]]()
    for number, (likely, place) in enumerate(left):
        if likely > level / (len(left) - number):
            break
        alarms.append(place)
    return frozenset(alarms)


def _share(counted: list[int]) -> Share:
    courses, fired, undecided = counted
    return Share(courses=courses, fired=fired, undecided=undecided)

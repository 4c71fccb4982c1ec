"""Many courses under another definition, counted; and each of them as data for a page.

Counting forgets the courses, so that any number of them can be counted. The members of the JSON are
spelled by hand and are never renamed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.core.contrast import Divergence, Outcome, Wait
from engine.core.encoding import Json, instant_text
from engine.core.supposition import Supposition
from engine.core.verdicts import Flip


@dataclass(slots=True)
class Tally:
    """What was found of all courses so far. Pairs are from what to what.

    `decisions` counts recorded decisions that would be different, `wanting` those that could not
    have been made for want of what was not recorded, with `lacks` by guard. `timers` are those that
    only the other definition lets come. `unjudged` counts records by why they could not be judged.
    """

    courses: int = 0
    diverged: int = 0
    records: int = 0
    judged: int = 0
    timers: int = 0
    wanting: int = 0
    decisions: Counter[tuple[str, str]] = field(default_factory=Counter)
    aspects: Counter[str] = field(default_factory=Counter)
    guards: dict[tuple[str, str], Counter[tuple[str, str]]] = field(default_factory=dict)
    concerned: Counter[tuple[str, str]] = field(default_factory=Counter)
    lacks: Counter[tuple[str, str]] = field(default_factory=Counter)
    unjudged: Counter[str] = field(default_factory=Counter)

    def add(self, one: Supposition) -> None:
        """Count one more course."""
        self.courses += 1
        self.records += one.records
        self.judged += one.judged
        self.diverged += bool(one.divergences)
        self.unjudged.update(unjudged.why.value for unjudged in one.unjudged)
        concerned: set[tuple[str, str]] = set()
        for divergence in one.divergences:
            concerned |= self._counted(divergence)
        self.concerned.update(concerned)

    def _counted(self, divergence: Divergence) -> set[tuple[str, str]]:
        """Count one difference; the guards that turned in it."""
        if divergence.recorded is None:
            self.timers += 1
            return set()
        self.aspects.update(aspect.value for aspect in divergence.aspects)
        self.wanting += not divergence.judged
        if divergence.flipped:
            self.decisions[_told(divergence.recorded), _told(divergence.again)] += 1
        for flip in divergence.flips:
            turned = self.guards.setdefault((flip.guard, flip.use.value), Counter())
            turned[flip.recorded, flip.again] += 1
            self.lacks.update((flip.guard, lack) for lack in flip.lacks)
        return {(flip.guard, flip.use.value) for flip in divergence.flips}

    @property
    def flipped(self) -> int:
        """How many recorded decisions would be different."""
        return self.decisions.total()

    def json(self) -> dict[str, Json]:
        return {
            "courses": self.courses,
            "diverged": self.diverged,
            "records": self.records,
            "judged": self.judged,
            "decisions_flipped": self.flipped,
            "decisions": _pairs(self.decisions),
            "aspects": _ranked(self.aspects),
            "guards": [
                {
                    "guard": guard,
                    "use": use,
                    "flipped": turned.total(),
                    "courses": self.concerned[guard, use],
                    "flips": _pairs(turned),
                }
                for (guard, use), turned in self._most_first()
            ],
            "timers_only_here": self.timers,
            "not_judged": {
                "for_want_of_data": self.wanting,
                "lacking": [
                    {"guard": guard, "lacks": lack, "times": times}
                    for (guard, lack), times in _ordered(self.lacks)
                ],
                "records": _ranked(self.unjudged),
            },
        }

    def _most_first(self) -> list[tuple[tuple[str, str], Counter[tuple[str, str]]]]:
        return sorted(self.guards.items(), key=lambda item: (-item[1].total(), item[0]))


def supposition_json(one: Supposition) -> dict[str, Json]:
    """One course: its first difference, all of them, and what could not be judged."""
    return {
        "course": one.course,
        "digest": one.digest,
        "records": one.records,
        "judged": one.judged,
        "first": None if one.first is None else one.first.seq,
        "divergences": [divergence_json(divergence) for divergence in one.divergences],
        "not_judged": [
            {"seq": u.seq, "event": u.event, "why": u.why.value, "what": u.what}
            for u in one.unjudged
        ],
    }


def divergence_json(one: Divergence) -> dict[str, Json]:
    """One difference, both sides of it. `recorded` is null of a timer that only comes here."""
    return {
        "seq": one.seq,
        "event": one.event,
        "at": None if one.at is None else instant_text(one.at),
        "recorded": None if one.recorded is None else _outcome(one.recorded),
        "again": _outcome(one.again),
        "aspects": [aspect.value for aspect in one.aspects],
        "flipped": one.flipped,
        "judged": one.judged,
        "flips": [_flip(flip) for flip in one.flips],
        "advice_gained": list(one.advice_gained),
        "advice_lost": list(one.advice_lost),
        "remembered": list(one.remembered),
        "waits": [_wait(wait) for wait in one.waits],
    }


def _outcome(outcome: Outcome) -> dict[str, Json]:
    return {
        "verdict": outcome.verdict,
        "reason": outcome.reason,
        "state": outcome.state,
        "moved": outcome.moved,
        "transition": outcome.transition,
        "moved_by": outcome.moved_by,
    }


def _flip(flip: Flip) -> dict[str, Json]:
    return {
        "guard": flip.guard,
        "use": flip.use.value,
        "recorded": flip.recorded,
        "again": flip.again,
        "lacks": list(flip.lacks),
    }


def _wait(wait: Wait) -> dict[str, Json]:
    return {
        "kind": wait.kind, "name": wait.name, "recorded": wait.recorded, "again": wait.again
    }  # fmt: skip


def _told(outcome: Outcome) -> str:
    """A verdict in words, with where it led, where it led somewhere."""
    return f"{outcome.said}, to {outcome.state}" if outcome.moved else outcome.said


def _pairs(counts: Mapping[tuple[str, str], int]) -> list[Json]:
    return [
        {"recorded": recorded, "again": again, "times": times}
        for (recorded, again), times in _ordered(counts)
    ]


def _ranked(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _ordered(
    counts: Mapping[tuple[str, str], int],
) -> Iterable[tuple[tuple[str, str], int]]:
    """The most frequent first; what is as frequent by its name, so that the answer is the same."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))

"""How guards weigh in a decision, and which of them weigh otherwise in another one.

A record names every rule that it weighed. Of requirements it names those of the way that was taken,
and of a way that stayed closed only what kept it closed: the others were yes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from engine.core.expression import Truth
from engine.core.machine import Machine
from engine.core.outcome import Attempt, Decision, Taken, Weighed
from engine.core.quick import quick

NOT_WEIGHED = "not weighed"


class Use(StrEnum):
    """The two uses of a guard. Shown: never rename a value."""

    REQUIREMENT = "requirement"
    RULE = "rule"


class Asked(NamedTuple):
    """A guard in one of its uses."""

    guard: str
    use: Use


@quick
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


_NOBODY: frozenset[str] = frozenset()


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

"""How often each guard held, did not, could not be weighed, and was overridden.

Counted from the records, over a period of recording, for each definition and site. A rule counts
as fired where it was delivered: that it goes on holding is no new firing. A requirement counts
wherever it was weighed: on the way that was taken, and on those that stayed closed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from engine.core.encoding import Json
from engine.core.machine import Machine
from engine.core.record import Record
from engine.ports import CourseLine
from engine.service import Service


class Use(StrEnum):
    """What a guard is used as. Shown: never rename a value."""

    RULE = "rule"
    REQUIREMENT = "requirement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From an instant on, and before another; an end that is `None` is open."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, instant: datetime) -> bool:
        """Whether an instant lies in it."""
        after = self.since is None or self.since <= instant
        return after and (self.until is None or instant < self.until)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a guard weighed in one decision; `passed` says that an override passed it."""

    use: Use
    guard: str
    verdict: str
    passed: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Whose counts they are."""

    workflow: str
    digest: str
    site: str
    use: Use
    guard: str


@dataclass(slots=True)
class Counts:
    """How often a guard weighed so, and in how many courses; `holding` is a rule's going on."""

    yes: int = 0
    holding: int = 0
    no: int = 0
    unknown: int = 0
    overridden: int = 0
    courses: int = 0
    fired_in: int = 0
    undecided_in: int = 0

    @property
    def weighed(self) -> int:
        return self.yes + self.holding + self.no + self.unknown

    def json(self) -> dict[str, Json]:
        """The counts as they are shown."""
        rate = None if not self.weighed else f"{self.yes / self.weighed:.4f}"
        return {
            "weighed": self.weighed,
            "yes": self.yes,
            "holding": self.holding,
            "no": self.no,
            "unknown": self.unknown,
            "overridden": self.overridden,
            "rate": rate,
            "courses": self.courses,
            "fired_in": self.fired_in,
            "undecided_in": self.undecided_in,
        }


def rates(service: Service, period: Period, lines: Iterable[CourseLine]) -> dict[Key, Counts]:
    """The counts of every guard that was weighed in the period, in the courses given."""
    found: dict[Key, Counts] = {}
    for line, machine, seen in weighings(service, lines, (period,)):
        for (use, guard), one in seen[0].items():
            key = Key(machine.workflow.label, line.digest, line.site, use, guard)
            _add(found.setdefault(key, Counts()), one)
    return dict(sorted(found.items()))


def weighings(
    service: Service, lines: Iterable[CourseLine], periods: tuple[Period, ...]
) -> Iterator[tuple[CourseLine, Machine, list[dict[tuple[Use, str], Counts]]]]:
    """Of each course in turn, the counts of its guards in each period."""
    for line in lines:
        with service.store.transaction(service.tenant, write=False) as tx:
            machine = service.setting.registry.machine(line.digest, tx)
            yield line, machine, _counted(tx.records(line.course), periods)


def verdicts(decision: Mapping[str, Any]) -> Iterator[Verdict]:
    """How each guard weighed in a decision, as recorded."""
    for fired in decision.get("fired", ()):
        word = "yes" if fired.get("delivered") else "holding"
        yield Verdict(Use.RULE, fired["rule"], word)
    for rule in decision.get("no", ()):
        yield Verdict(Use.RULE, rule, "no")
    fired_too = {fired["rule"] for fired in decision.get("fired", ())}
    for rule in decision.get("unknown", ()):
        if rule not in fired_too:  # it held at its own time, and cannot be weighed by now
            yield Verdict(Use.RULE, rule, "unknown")
    weighed = [*decision.get("weighed", ())]
    for attempt in decision.get("attempts", ()):
        weighed += attempt["kept_by"]
    for one in weighed:
        passed = bool(one.get("passed"))
        yield Verdict(Use.REQUIREMENT, one["guard"], one["verdict"], passed)


def _counted(
    records: Iterable[Record], periods: tuple[Period, ...]
) -> list[dict[tuple[Use, str], Counts]]:
    found: list[dict[tuple[Use, str], Counts]] = [{} for _ in periods]
    for record in records:
        wanted = [n for n, period in enumerate(periods) if period.holds(record.recorded_at)]
        if not wanted:
            continue
        for one in verdicts(json.loads(record.body)["decision"]):
            for n in wanted:
                _note(found[n].setdefault((one.use, one.guard), Counts()), one)
    for counts in found:
        for one_guard in counts.values():
            one_guard.courses = int(one_guard.yes + one_guard.holding + one_guard.no > 0)
            one_guard.fired_in = int(one_guard.yes > 0)
            one_guard.undecided_in = int(one_guard.unknown > 0)
    return found


def _note(counts: Counts, one: Verdict) -> None:
    setattr(counts, one.verdict, getattr(counts, one.verdict) + 1)
    counts.overridden += one.passed


def _add(counts: Counts, more: Counts) -> None:
    for name in Counts.__dataclass_fields__:
        setattr(counts, name, getattr(counts, name) + getattr(more, name))


__all__ = [
    "Counts", "Key", "Period", "Use", "Verdict", "rates", "verdicts", "weighings",
]  # fmt: skip

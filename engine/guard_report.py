"""What guards did of late, counted and kept, so that pages and metrics show it without counting.

- The unit is the course: what a rule or requirement came to in each, in two periods, by definition
  and site. Each course is counted once for each guard, by what matters most in it.
- With it stands which rules have stopped firing (`silence`), held against all before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from engine.core.encoding import Json, instant_text
from engine.counted import Report, ReportStore
from engine.guard_rates import Counts, Period, Use, weighings
from engine.logs import log
from engine.service import Service
from engine.silence import LEVEL, Hearing, Tone

WINDOW = timedelta(days=28)
"""How long the later period is, where nobody says since when."""
LOOK = timedelta(minutes=15)
"""How long a worker that found nothing due asks nobody again."""
PARTS = ("acted", "overridden", "undecided", "quiet")
"""What a guard came to in a course, what matters most first. Stored: never reorder."""


class GuardReports:
    """The reports of one tenant. `every` is how often a worker counts; `None` is never."""

    def __init__(self, service: Service, kept: ReportStore, *, every: timedelta | None) -> None:
        self._service = service
        self._kept = kept
        self._every = every
        self._asked: datetime | None = None

    def last(self) -> Report | None:
        """The newest report."""
        return self._kept.last(self._service.tenant)

    def count(self, stop: Callable[[], bool] = lambda: False) -> Report | None:
        """Count every course, and keep what came of it; `None` when it was stopped."""
        service = self._service
        now = service.setting.clock.now()
        start = now - WINDOW
        periods = (Period(until=start), Period(since=start))
        hearing, tallies = Hearing(), dict[str, _Definition]()
        lines = takewhile(lambda _: not stop(), service.courses())
        for line, machine, counted in weighings(service, lines, periods):
            hearing.add(machine, counted)
            of = tallies.setdefault(line.digest, _Definition(machine.workflow.label, {}))
            of.add(line.site, counted)
        if stop():
            return None
        rules = hearing.judged(LEVEL)
        report = Report(
            at=now,
            alarms=sum(one.tone is Tone.ALARM for one in rules),
            document={
                "since": instant_text(start),
                "level": f"{float(LEVEL):g}",
                "rules": [one.json() for one in rules],
                "definitions": {name: of.json() for name, of in sorted(tallies.items())},
            },
        )
        self._kept.keep(service.tenant, report)
        silent = ",".join(one.rule for one in rules if one.tone is Tone.ALARM)
        tell = log.error if report.alarms else log.info
        tell("guards_counted", rules=len(rules), stopped_firing=silent or None)
        return report

    def due(self, stop: Callable[[], bool]) -> Report | None:
        """Count again when that was not done for so long."""
        now = self._service.setting.clock.now()
        if self._every is None or (self._asked is not None and now - self._asked < LOOK):
            return None
        last = self.last()
        made = None if last is not None and now - last.at < self._every else self.count(stop)
        self._asked = now
        return made


@dataclass(slots=True)
class _Definition:
    """The counts of one definition, by site: of how many courses, and of each guard."""

    workflow: str
    sites: dict[str, tuple[list[int], dict[tuple[Use, str], list[list[int]]]]]

    def add(self, site: str, counted: list[dict[tuple[Use, str], Counts]]) -> None:
        courses, guards = self.sites.setdefault(site, ([0, 0], {}))
        for period, of in enumerate(counted):
            courses[period] += bool(of)
            for guard, counts in of.items():
                parts = guards.setdefault(guard, [[0] * len(PARTS), [0] * len(PARTS)])
                parts[period][PARTS.index(part_of(guard[0], counts))] += 1

    def json(self) -> dict[str, Json]:
        return {
            "workflow": self.workflow,
            "sites": {
                site: {
                    "courses": courses,
                    "guards": [[use.value, name, *parts] for (use, name), parts in guards.items()],
                }
                for site, (courses, guards) in sorted(self.sites.items())
            },
        }


def part_of(use: Use, counts: Counts) -> str:
    """What a guard came to in one course.

    A rule acted where it was delivered, a requirement where it kept something out.

    >>> part_of(Use.RULE, Counts(yes=1, unknown=3)), part_of(Use.REQUIREMENT, Counts(yes=5))
    ('acted', 'quiet')
    """
    if counts.overridden:
        return "overridden"
    if counts.yes if use is Use.RULE else counts.no:
        return "acted"
    return "undecided" if counts.unknown else "quiet"

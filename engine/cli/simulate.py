"""`regimen simulate`: plausible courses in virtual time, stored like any others."""

from __future__ import annotations

import os
import shlex
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from engine.cli.ink import mark
from engine.cli.progress import over_courses
from engine.cli.session import Session, command
from engine.cli.times import civil_day
from engine.core.encoding import Json
from engine.core.machine import Machine
from engine.errors import Conflict, InvalidInput
from engine.scenario import Scenario
from engine.service import Service
from engine.simulation import Told, scenario_of, simulate
from engine.telling.lexicon import Lexicon
from engine.telling.marks import VERDICT_TONES

MANY = 40
"""From so many courses on it pays to start other processes."""
SHOWN = 10
"""How many guards and rules are shown to a person, the most frequent first."""
START = "2024-01-01"


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("simulate", rich_help_panel="Start here")(simulate_courses)


@dataclass(slots=True, kw_only=True)
class Summary:
    """What became of the courses so far, counted. `begun` are those that have records."""

    courses: int = 0
    begun: int = 0
    records: int = 0
    first: str | None = None
    stages: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    kept_by: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)

    def add(self, told: Told) -> None:
        """Count one more course."""
        self.courses += 1
        self.records += told.records
        if told.state is None or told.stage is None:
            return
        self.begun += 1
        self.first = self.first or told.course
        self.stages[told.stage] += 1
        self.states[told.state] += 1
        for counts, more in (
            (self.verdicts, told.verdicts),
            (self.kept_by, told.kept_by),
            (self.passed, told.passed),
            (self.rules, told.rules),
        ):
            counts.update(more)

    def json(self) -> dict[str, Json]:
        return {
            "courses": self.courses,
            "begun": self.begun,
            "records": self.records,
            "verdicts": _ranked(self.verdicts),
            "final_stages": _ranked(self.stages),
            "final_states": _ranked(self.states),
            "refused_by": _ranked(self.kept_by),
            "overridden": _ranked(self.passed),
            "rules_fired": _ranked(self.rules),
        }


@command
def simulate_courses(
    session: Session,
    courses: Annotated[int, typer.Option(min=1, max=99_999, metavar="N")] = 20,
    seed: Annotated[
        int, typer.Option(min=0, max=10**9, metavar="S", help="The same seed, the same log.")
    ] = 1,
    *,
    workflow: Annotated[
        str | None, typer.Option(metavar="NAME", help="Else the first that can be simulated.")
    ] = None,
    start: Annotated[
        str, typer.Option(metavar="DATE", help="The courses begin within months of it.")
    ] = START,
    until: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Nothing happens after it: courses are left half-way."),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, max=64, metavar="N", help="Else one for each core.")
    ] = None,
) -> None:
    """Tell plausible courses in virtual time: toxicities, refusals and deviations included.

    They are constructed: how often something happens in them says nothing of patients. They are
    decided, recorded and proved like all others, in a tenant or database that is best their own.
    """
    begins = civil_day("--start", start)
    ends = None if until is None else civil_day("--until", until)
    scenario = scenario_of(session.settings.workflows, workflow)
    service = session.service(writes=True)
    summary, began = Summary(), time.monotonic()
    telling = simulate(
        service,
        scenario,
        courses=courses,
        seed=seed,
        start=begins,
        until=ends,
        processes=processes or ((os.cpu_count() or 1) if courses >= MANY else 1),
    )
    try:
        with closing(telling), over_courses(session.err, "Simulating", courses) as advance:
            for told in telling:
                summary.add(told)
                advance()
    except Conflict as there:
        free = "one whose courses are not in this database yet, or another --db or --tenant"
        raise InvalidInput("--seed", free, found=f"course {there.course!r}") from there
    machine, seconds = _machine(service, scenario), time.monotonic() - began
    steps = _next_steps(session, summary, until)
    session.answer(
        {
            "workflow": machine.workflow.label,
            "digest": machine.digest,
            "seed": seed,
            "start": start,
            "until": until,
            **summary.json(),
            "next": steps,
        },
        lambda out: _tell(out, summary, Lexicon(machine), seconds, steps),
    )


def _tell(
    out: Console, summary: Summary, lexicon: Lexicon, seconds: float, steps: Iterable[str]
) -> None:
    speed = f"{summary.begun / seconds:.0f} courses and {summary.records / seconds:.0f} records/s"
    out.print(
        f"{summary.begun} simulated courses of {lexicon.workflow.title}: {summary.records} "
        f"records in {seconds:.1f} s ({speed}).",
        style="bold",
        soft_wrap=True,
    )
    out.print(_standing(summary, lexicon))
    verdicts = Table("", "Verdict", "Records", box=None)
    verdicts.columns[2].justify = "right"
    for verdict, count in summary.verdicts.most_common():
        verdicts.add_row(mark(VERDICT_TONES[verdict]), verdict, str(count))
    out.print(verdicts)
    for title, counts in (
        ("What kept requests out", summary.kept_by),
        ("What overrides passed", summary.passed),
        ("Rules that were delivered", summary.rules),
    ):
        if counts:
            out.print(_most_frequent(title, counts, lexicon))
    out.print("Next:", style="bold")
    for step in steps:
        out.print(f"  {step}", soft_wrap=True)


def _standing(summary: Summary, lexicon: Lexicon) -> Table:
    table = Table("Where they ended", "Stage", "Courses", box=None)
    table.columns[2].justify = "right"
    for state, count in summary.states.most_common():
        stage = lexicon.stage(state).replace("_", " ")
        table.add_row(lexicon.state(state), stage, str(count))
    return table


def _most_frequent(title: str, counts: Mapping[str, int], lexicon: Lexicon) -> Table:
    table = Table(title, "Name", "Times", box=None)
    table.columns[2].justify = "right"
    ranked = _ranked(counts)
    for guard in list(ranked)[:SHOWN]:
        table.add_row(lexicon.guard(guard), guard, str(ranked[guard]))
    if len(ranked) > SHOWN:
        table.add_row(f"and {len(ranked) - SHOWN} more: --json", "", "", style="dim")
    return table


def _ranked(counts: Mapping[str, int]) -> dict[str, int]:
    """The most frequent first; what is as frequent by its name, so that the answer is the same."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _next_steps(session: Session, summary: Summary, until: str | None) -> list[str]:
    """Commands that go on from here, as they can be typed."""
    chosen = (("--db", session.database), ("--tenant", session.tenant))
    here = " ".join(["regimen", *(f"{o} {shlex.quote(v)}" for o, v in chosen if v is not None)])
    return [
        *(f"{here} show {course}" for course in (summary.first,) if course is not None),
        *(f"{here} due --as-of {day}" for day in (until,) if day is not None),
        f"{here} verify",
        f"{here} replay --re-decide",
    ]


def _machine(service: Service, scenario: Scenario) -> Machine:
    registry = service.setting.registry
    with service.store.transaction(service.tenant, write=False) as tx:
        return registry.machine(registry.digest(scenario.workflow, site=""), tx)

"""What-if over many simulated courses: its counts against a brute-force count, rates and memory.

    python -m benchmarks.what_if --gauges 10000 --il2 1000 --every-policy

Not one of the figures of `python -m benchmarks`: at ten thousand courses it takes a quarter of an
hour, most of it for simulating them. A database that is named is kept, and used again.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from benchmarks.measure import per_second
from engine import bootstrap, logs
from engine.core.definition import Workflow
from engine.core.record import Record
from engine.core.setting import with_settings
from engine.core.supposition import Supposition
from engine.core.tally import Tally
from engine.core.what_if import Policy
from engine.registry import compiled, stored_form
from engine.service import Service
from engine.settings import Settings
from engine.simulation import simulate
from engine.what_if import Amendment, Question, supposed
from tests.workflows.brute_force import Counts, each_by_itself, instruments
from workflows import SIMULATIONS, instrument_calibration, intralesional_il2

GAUGES, IL2 = instrument_calibration.WORKFLOW, intralesional_il2.WORKFLOW
ASKED: dict[str, dict[str, str]] = {
    GAUGES.name: {"deviation_limit": "3"},
    IL2.name: {"platelet_limit": "50", "tolerated_grade": "1"},
}


def main() -> int:
    asked = _asked()
    logs.configure(form="json", level="error")
    folder = (
        Path(tempfile.mkdtemp(prefix="regimen-what-if-")) if asked.folder is None else asked.folder
    )
    good = True
    for workflow, courses in ((GAUGES, asked.gauges), (IL2, asked.il2)):
        if courses:
            path = folder / f"{workflow.name}.db"
            good &= _looked_at(path, workflow, courses, asked)
    return 0 if good else 1


def _looked_at(path: Path, workflow: Workflow, courses: int, asked: argparse.Namespace) -> bool:
    settings = Settings(database_url=f"sqlite:///{path}", workflows=("workflows",))
    service = _told(settings, workflow, courses, max(asked.processes))
    names = [line.course for line in service.courses()][:courses]
    amendment = Amendment(settings=ASKED[workflow.name])
    question = Question(amendment=amendment, policy=Policy.FOLLOW_RECORDED)
    tallies = [_timed(settings, service, names, question, number) for number in asked.processes]
    for policy in (Policy.STOP, Policy.FOLLOW_NEW) if asked.every_policy else ():
        other = Question(amendment=amendment, policy=policy)
        _timed(settings, service, names, other, max(asked.processes))
    began = time.perf_counter()
    counts = _brute(service, workflow, names)
    found = tallies[0]
    flat = {
        (guard, use, was, now): times
        for (guard, use), turned in found.guards.items()
        for (was, now), times in turned.items()
    }
    same = (found.flipped + found.wanting, flat) == (counts.flipped, dict(counts.turned))
    alike = all(tally.json() == found.json() for tally in tallies)
    print(
        f"  brute force in {time.perf_counter() - began:,.0f} s: {counts.flipped} decisions, "
        f"{sum(counts.turned.values())} guards: {'the same' if same else 'NOT THE SAME'}; "
        f"{'alike' if alike else 'NOT ALIKE'} with any number of processes",
        flush=True,
    )
    service.store.close()  # type: ignore[attr-defined]  # a database has connections
    return same and alike


def _told(settings: Settings, workflow: Workflow, courses: int, processes: int) -> Service:
    bootstrap.migrate(settings)
    service = bootstrap.service(settings)
    there = sum(1 for _ in service.courses())
    if there >= courses:
        print(f"{workflow.name}: {there} courses from before", flush=True)
        return service
    began, records = time.perf_counter(), 0
    for told in simulate(
        service,
        SIMULATIONS[workflow.name],
        courses=courses,
        seed=2026,
        start=date(2024, 1, 1),
        processes=processes,
    ):
        records += told.records
    seconds = time.perf_counter() - began
    print(
        f"{workflow.name}: {courses} courses, {records} records told in {seconds:,.0f} s",
        flush=True,
    )
    return service


def _timed(
    settings: Settings, service: Service, names: Sequence[str], question: Question, processes: int
) -> Tally:
    tally = Tally()
    memory: list[int] = []
    began, cpu = time.perf_counter(), _cpu()
    found = supposed(
        question,
        names,
        open_store=bootstrap.reader(settings),
        tenant=service.tenant,
        processes=processes,
    )
    for n, one in enumerate(found):
        if not isinstance(one, Supposition):
            raise TypeError(f"expected a supposition, found {one}")
        tally.add(one)
        if n % max(1, len(names) // 5) == 0:
            memory.append(_resident())
    wall, used = time.perf_counter() - began, _cpu() - cpu
    mebibytes = " ".join(f"{kib / 1024:.0f}" for kib in memory)
    print(
        f"  {question.policy}, {processes} process{'es' if processes > 1 else ''}: "
        f"{tally.records} records, {per_second(tally.records / wall)} by the clock, "
        f"{per_second(tally.records / used)} a core by the time given; {tally.diverged} courses "
        f"diverge, {tally.flipped} decisions; MiB on the way {mebibytes}",
        flush=True,
    )
    return tally


def _brute(service: Service, workflow: Workflow, names: Sequence[str]) -> Counts:
    setting = ASKED[workflow.name]
    total = Counts()
    other = compiled(stored_form(with_settings(workflow, setting)))
    recorded = compiled(stored_form(workflow))
    for course, records in _courses(service, names):
        one = (
            instruments({course: records}, Decimal(setting["deviation_limit"]))
            if workflow is GAUGES
            else each_by_itself({course: records}, recorded, other)
        )
        total.flipped += one.flipped
        total.turned.update(one.turned)
    return total


def _courses(service: Service, names: Sequence[str]) -> Iterator[tuple[str, list[Record]]]:
    for name in names:
        yield name, service.records(name)


def _cpu() -> float:
    """The time that this process was given, and those that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _resident() -> int:
    """What of this process is in memory, in KiB."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.what_if", description=__doc__)
    parser.add_argument("--gauges", type=int, default=1000, help="courses of the small workflow")
    parser.add_argument("--il2", type=int, default=100, help="courses of the IL-2 protocol")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--every-policy", action="store_true", help="time the other policies too")
    parser.add_argument("--folder", type=Path, help="where the databases are, and stay")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

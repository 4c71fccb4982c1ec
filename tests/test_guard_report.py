"""What a worker counts of guards, held against the records, and what a page shows of it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest

from engine.core.machine import Machine
from engine.counted import Report
from engine.guard_report import PARTS, GuardReports
from engine.pages.guards import WIDE, Guards, guards
from engine.service import Service
from engine.silence import Tone
from engine.simulation import simulate
from tests.test_simulation import IL2, in_memory


@dataclass
class Kept:
    reports: list[Report] = field(default_factory=list)

    def last(self, _: str) -> Report | None:
        return self.reports[-1] if self.reports else None

    def keep(self, _: str, report: Report) -> None:
        self.reports.append(report)


@pytest.fixture(scope="module")
def simulated() -> Service:
    service = in_memory()
    list(simulate(service, IL2, courses=8, seed=5, start=date(2024, 1, 1)))
    return service


@pytest.fixture(scope="module")
def report(simulated: Service) -> Report:
    kept = Kept()
    made = GuardReports(simulated, kept, every=None).count()
    assert made is kept.last("")
    assert made is not None
    return made


def shown(service: Service, report: Report, sites: frozenset[str] | None = None) -> Guards:
    machines = {one.digest: one.machine for one in service.workflows()}
    return guards(report, machines, chosen="", sites=sites, now=report.at + timedelta(hours=3))


def test_in_as_many_courses_a_rule_fired_as_the_records_say(simulated: Service, report: Report):
    fired: Counter[str] = Counter()
    for line in simulated.courses():
        rules = {
            one["rule"]
            for record in simulated.records(line.course)
            for one in json.loads(record.body)["decision"].get("fired", ())
            if one.get("delivered")
        }
        fired.update(rules)
    page = shown(simulated, report)
    counted = {one.name: one.later.acted + one.earlier.acted for one in page.rules}

    assert fired
    assert {name: number for name, number in counted.items() if number} == fired


def test_in_as_many_courses_a_requirement_was_overridden_as_the_records_say(
    simulated: Service, report: Report
):
    passed: Counter[str] = Counter()
    for line in simulated.courses():
        passed.update(
            {
                one["guard"]
                for record in simulated.records(line.course)
                for one in json.loads(record.body)["decision"].get("weighed", ())
                if one.get("passed")
            }
        )
    page = shown(simulated, report)
    counted = {one.name: one.later.overridden + one.earlier.overridden for one in page.requirements}

    assert passed
    assert {name: number for name, number in counted.items() if number} == passed


def test_each_course_is_in_one_part_of_each_bar_and_a_bar_is_never_wider_than_its_room(
    simulated: Service, report: Report
):
    page = shown(simulated, report)
    for one in (*page.rules, *page.requirements):
        for share, courses in zip((one.later, one.earlier), page.courses, strict=True):
            assert sum(getattr(share, kind) for kind in PARTS) + share.not_asked == courses
            assert sum(piece.width for piece in share.pieces()) <= WIDE + 1.5 * len(PARTS)


def test_every_guard_of_the_definition_is_there_those_that_nobody_asked_too(
    simulated: Service, report: Report
):
    machine = followed(simulated)
    page = shown(simulated, report)

    assert {one.name for one in page.rules} == {one.guard for one in machine.workflow.rules}
    assert any(not one.later.asked and not one.earlier.asked for one in page.requirements)


def test_whoever_sees_one_site_gets_the_counts_of_that_and_no_alarm(
    simulated: Service, report: Report
):
    sites = {line.site for line in simulated.courses()}
    site = min(sites)
    mine = shown(simulated, report, frozenset({site}))
    of_site = sum(line.site == site for line in simulated.courses())

    assert sum(mine.courses) == of_site
    assert (mine.alarms, mine.unsure) == (None, ())
    nobody = shown(simulated, report, frozenset({"elsewhere"}))
    assert (nobody.courses, nobody.rules, nobody.versions) == ((0, 0), (), ())


def test_an_alarm_is_told_by_the_title_of_the_rule_with_what_it_was_before(
    simulated: Service, report: Report
):
    machine = followed(simulated)
    guard = machine.workflow.rules[0].guard
    silent = {
        "workflow": machine.workflow.name, "rule": guard, "moves_the_course": True,
        "before": {"courses": 40, "fired": 12, "undecided": 0},
        "after": {"courses": 30, "fired": 0, "undecided": 2},
        "chance": "0.0004", "tone": Tone.ALARM.value,
    }  # fmt: skip
    found = Report(at=report.at, alarms=1, document={**report.document, "rules": [silent]})
    page = shown(simulated, found)

    assert page.alarms is not None
    (alarm,) = page.alarms
    assert alarm.title == titled(machine, guard)
    assert (alarm.before, alarm.after, alarm.undecided) == ((12, 40), (0, 30), 2)


def followed(service: Service) -> Machine:
    """The definition of the courses."""
    (digest,) = {line.digest for line in service.courses()}
    return next(one.machine for one in service.workflows() if one.digest == digest)


def titled(machine: Machine, guard: str) -> str:
    return machine.guards[guard].title or guard


def test_a_worker_counts_when_that_was_not_done_for_so_long(simulated: Service):
    kept = Kept([Report(at=simulated.setting.clock.now(), alarms=0, document={})])
    daily = timedelta(hours=24)

    assert GuardReports(simulated, kept, every=daily).due(lambda: False) is None
    kept.reports = [Report(at=datetime(2020, 1, 1, tzinfo=UTC), alarms=0, document={})]
    assert GuardReports(simulated, kept, every=None).due(lambda: False) is None
    assert GuardReports(simulated, kept, every=daily).due(lambda: True) is None
    assert len(kept.reports) == 1
    assert GuardReports(simulated, kept, every=daily).due(lambda: False) is not None
    assert len(kept.reports) == 2

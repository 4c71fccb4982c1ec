"""What-if counts of simulated courses against counts that were made in another way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from engine.core.contrast import Divergence
from engine.core.definition import Workflow
from engine.core.event import RECONSIDERED
from engine.core.machine import Machine
from engine.core.quantity import q
from engine.core.record import Record
from engine.core.supposition import Supposition, Why
from engine.core.tally import Tally
from engine.core.what_if import Policy, what_if
from engine.registry import compiled, stored_form
from engine.simulation import simulate
from engine.store.memory import MemoryStore
from engine.zones import Zones
from tests.tenant import tenant_service
from tests.workflows.brute_force import (
    Counts,
    Lived,
    each_by_itself,
    instruments,
    lived_again,
)
from workflows import SIMULATIONS, instrument_calibration, intralesional_il2

pytestmark = pytest.mark.no_cover
"""Shorter tests run the same lines; measuring these takes as long as running them."""

Courses = Mapping[str, Sequence[Record]]
GAUGES, IL2 = instrument_calibration.WORKFLOW, intralesional_il2.WORKFLOW

STRICTER: dict[str, Any] = {
    "platelet_limit": q("100", "10*3/uL"),
    "creatinine_limit": q("1", "mg/dL"),
    "hematocrit_limit": q("30", "%"),
    "tolerated_grade": 1,
}

AMENDED: dict[str, tuple[Workflow, dict[str, Any]]] = {
    "another_limit": (GAUGES, {"deviation_limit": q("3", "um")}),
    "half_a_year": (GAUGES, {"months_between": 6}),
    "stricter_limits": (IL2, STRICTER),
    "shorter_tail": (IL2, {"tail_days": 14, "observe_every_visit": False}),
    "labs_each_visit": (IL2, {"labs_each_visit": True}),
}  # fmt: skip
amended = pytest.mark.parametrize("name", AMENDED)


def told(workflow: Workflow, courses: int) -> Courses:
    service = tenant_service(MemoryStore(), "clinic", workflow)
    scenario = SIMULATIONS[workflow.name]
    begun = simulate(service, scenario, courses=courses, seed=11, start=date(2024, 1, 1))
    return {one.course: service.records(one.course) for one in begun}


@pytest.fixture(scope="module")
def courses() -> Mapping[str, Courses]:
    return {GAUGES.name: told(GAUGES, 40), IL2.name: told(IL2, 12)}


@pytest.fixture(scope="module")
def decided_again(courses: Mapping[str, Courses]) -> Callable[[str], Counts]:
    """The counts of one amendment, each decision made again from its snapshot."""

    @cache
    def counts(name: str) -> Counts:
        workflow, changes = AMENDED[name]
        return each_by_itself(
            courses[workflow.name], machine(workflow), machine(workflow, **changes)
        )

    return counts


def machine(workflow: Workflow, **changes: Any) -> Machine:
    return compiled(stored_form(workflow.with_parameters(**changes)))


def asked(
    courses: Courses, workflow: Workflow, policy: Policy, changes: Mapping[str, Any]
) -> dict[str, Supposition]:
    recorded, other = machine(workflow), machine(workflow, **changes)
    return {
        course: what_if(
            records,
            recorded=lambda _: recorded,
            other=lambda _: other,
            zones=Zones().of,
            policy=policy,
        )
        for course, records in courses.items()
    }


def counted(found: Mapping[str, Supposition]) -> Tally:
    tally = Tally()
    for one in found.values():
        tally.add(one)
    return tally


def flat(tally: Tally) -> dict[tuple[str, str, str, str], int]:
    return {
        (guard, use, was, now): times
        for (guard, use), turned in tally.guards.items()
        for (was, now), times in turned.items()
    }


@pytest.mark.parametrize("workflow", [GAUGES, IL2], ids=lambda w: w.name)
@pytest.mark.parametrize("policy", Policy)
def test_the_definition_that_decided_diverges_nowhere(
    courses: Mapping[str, Courses], workflow: Workflow, policy: Policy
) -> None:
    found = asked(courses[workflow.name], workflow, policy, {})

    tally = counted(found)
    assert tally.records == tally.judged == sum(map(len, courses[workflow.name].values()))
    assert not any(one.divergences or one.unjudged for one in found.values())


@pytest.mark.parametrize("limit", ["2", "3", "8"])
def test_the_counts_of_another_limit_are_those_of_plain_arithmetic(
    courses: Mapping[str, Courses], limit: str
) -> None:
    mine = courses[GAUGES.name]
    counts = instruments(mine, Decimal(limit))

    found = asked(mine, GAUGES, Policy.FOLLOW_RECORDED, {"deviation_limit": q(limit, "um")})
    tally = counted(found)

    assert counts.flipped > 20
    assert (tally.flipped + tally.wanting, flat(tally)) == (counts.flipped, dict(counts.turned))
    assert {c: s.first.seq for c, s in found.items() if s.first is not None} == counts.first


@amended
def test_each_decision_by_itself_is_as_if_its_snapshot_were_decided_again(
    courses: Mapping[str, Courses], decided_again: Callable[[str], Counts], name: str
) -> None:
    workflow, changes = AMENDED[name]
    mine, counts = courses[workflow.name], decided_again(name)

    tally = counted(asked(mine, workflow, Policy.FOLLOW_RECORDED, changes))

    assert counts.diverged
    assert (tally.flipped + tally.wanting, flat(tally)) == (counts.flipped, dict(counts.turned))


@amended
def test_the_first_difference_is_where_a_snapshot_decided_again_first_differs(
    courses: Mapping[str, Courses], decided_again: Callable[[str], Counts], name: str
) -> None:
    workflow, changes = AMENDED[name]
    mine, counts = courses[workflow.name], decided_again(name)

    found = asked(mine, workflow, Policy.STOP, changes)

    assert {c: s.first.seq for c, s in found.items() if s.first is not None} == counts.first
    assert all(len(s.divergences) <= 1 for s in found.values())


@amended
def test_the_course_that_it_would_have_made_is_that_of_a_service_which_has_it(
    courses: Mapping[str, Courses], name: str
) -> None:
    """Until an event comes that belongs to the recorded way: that one a service would judge."""
    workflow, changes = AMENDED[name]
    mine = courses[workflow.name]
    lived = lived_again(mine, workflow.with_parameters(**changes))

    found = asked(mine, workflow, Policy.FOLLOW_NEW, changes)

    differing = 0
    for course, records in mine.items():
        end = next(
            (u.seq for u in found[course].unjudged if u.why is Why.OTHER_WAY), len(records) + 1
        )
        assert outcomes(found[course], records, end) == lived[course], course
        differing += bool(found[course].divergences)
    assert differing


def outcomes(found: Supposition, records: Sequence[Record], end: int) -> list[Lived]:
    """The course as supposed, up to a record: what diverges and, between, what was recorded."""
    silent = {one.seq for one in found.unjudged}
    here: dict[int, list[Divergence]] = {}
    for one in found.divergences:
        here.setdefault(one.seq + (one.recorded is None), []).append(one)
    said: list[Lived] = []
    for record in records:
        if record.seq >= end:
            break
        if record.event == RECONSIDERED:
            continue
        told = sorted(here.get(record.seq, []), key=lambda one: one.recorded is not None)
        for one in told:
            where = one.again.state if one.again.moved else None
            said.append((record.seq if one.recorded else None, one.again.verdict, where))
        if record.seq not in silent and not any(one.recorded for one in told):
            before, after = json.loads(record.body)["state"]
            said.append(
                (record.seq, record.verdict, after if before not in (None, after) else None)
            )
    return said

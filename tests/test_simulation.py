"""Simulated courses: the same seed tells the same ones, and each is proved like any other."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from engine import bootstrap
from engine.audit import Auditor
from engine.core.record import Record
from engine.errors import Conflict, InvalidInput, UnknownWorkflow
from engine.registry import Registry
from engine.scenario import Scenario, Telling, Wait
from engine.service import Service
from engine.settings import Settings
from engine.simulation import Told, scenario_of, simulate
from engine.store.memory import MemoryStore
from tests.tenant import tenant_service
from workflows import ALL, SIMULATIONS

IL2, GAUGES = SIMULATIONS["intralesional_il2"], SIMULATIONS["instrument_calibration"]
START = date(2024, 1, 1)


def in_memory() -> Service:
    """A service on an empty store."""
    return tenant_service(MemoryStore(), "clinic", *ALL)


def told(
    service: Service, scenario: Scenario, courses: int = 1, seed: int = 7, **how: Any
) -> list[Told]:
    return list(simulate(service, scenario, courses=courses, seed=seed, start=START, **how))


def records_of(service: Service) -> dict[str, list[Record]]:
    return {line.course: service.records(line.course) for line in service.courses()}


def digest_of(service: Service) -> str:
    """One hash of every record of every course."""
    every = (r for records in records_of(service).values() for r in records)
    return hashlib.sha256(b"\n".join(record.body for record in every)).hexdigest()


def digest(scenario: Scenario, **how: Any) -> str:
    service = in_memory()
    told(service, scenario, **how)
    return digest_of(service)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, list[Told]]]:
    """Fifty courses of the IL-2 protocol in a database."""
    settings = Settings(
        database_url=f"sqlite:///{tmp_path_factory.mktemp('simulated') / 'courses.db'}"
    )
    bootstrap.migrate(settings)
    service = bootstrap.service(settings)
    yield service, told(service, IL2, courses=50)
    service.store.close()  # type: ignore[attr-defined]  # a database has connections


@pytest.fixture(scope="module")
def bodies(many: tuple[Service, list[Told]]) -> list[dict[str, Any]]:
    """The records of the fifty courses, as JSON."""
    return [json.loads(r.body) for records in records_of(many[0]).values() for r in records]


# --- the same seed, the same log ----------------------------------------------------------------


@pytest.mark.parametrize("scenario", [IL2, GAUGES], ids=["il2", "gauges"])
def test_the_same_seed_gives_the_same_bytes(scenario: Scenario):
    assert digest(scenario) == digest(scenario)


@pytest.mark.parametrize("scenario", [IL2, GAUGES], ids=["il2", "gauges"])
def test_another_seed_gives_other_courses(scenario: Scenario):
    service = in_memory()
    first, second = told(service, scenario, seed=1), told(service, scenario, seed=2)

    assert [one.records for one in first] != [one.records for one in second]


def test_a_course_does_not_depend_on_how_many_are_told_beside_it():
    few, more = in_memory(), in_memory()
    told(few, IL2)
    told(more, IL2, courses=2)

    (course,) = records_of(few).items()
    assert course in records_of(more).items()


def test_other_processes_tell_the_same_courses():
    assert digest(GAUGES, courses=6, processes=2) == digest(GAUGES, courses=6)


def test_a_database_holds_the_bytes_that_memory_holds(many: tuple[Service, list[Told]]):
    service, _ = many
    memory = in_memory()
    memory.setting = replace(memory.setting, tenant=service.tenant, version=service.setting.version)
    with memory.store.transaction(service.tenant) as tx:
        memory.setting.registry.install(ALL, tx)
    told(memory, IL2)

    stored = records_of(service)
    for course, records in records_of(memory).items():
        assert [record.body for record in records] == [record.body for record in stored[course]]


# --- each is proved -----------------------------------------------------------------------------


def test_every_course_is_whole_and_is_decided_again_alike(many: tuple[Service, list[Told]]):
    service, courses = many
    auditor = Auditor(store=service.store, registry=service.setting.registry, tenant=service.tenant)

    faults = {one.course: auditor.verify(one.course) for one in courses}
    differences = {one.course: auditor.decide_again(one.course) for one in courses[:25]}

    assert {course: fault for course, fault in faults.items() if fault is not None} == {}
    assert {course: found for course, found in differences.items() if found} == {}


def test_the_summary_is_that_of_the_records(many: tuple[Service, list[Told]]):
    service, courses = many
    records = records_of(service)

    for one in courses:
        assert one.verdicts == Counter(record.verdict for record in records[one.course])
        assert one.records == len(records[one.course])
        assert one.state == json.loads(records[one.course][-1].body)["state"][1]


def test_every_timer_comes_back_at_its_own_time(bodies: list[dict[str, Any]]):
    recorded = {(body["course"], body["seq"]): body["recorded_at"] for body in bodies}
    timers = [body for body in bodies if body["event"]["id"].startswith("timer:")]

    assert len(timers) > 500
    for body in timers:
        armed_by = int(body["event"]["id"].split(":")[2])
        # One that is armed for a time that has passed comes back at once.
        due = max(body["event"]["at"], recorded[body["course"], armed_by])
        assert body["recorded_at"] == due


# --- what happens in them -----------------------------------------------------------------------


def test_fifty_courses_walk_through_every_state(bodies: list[dict[str, Any]]):
    states = {state for body in bodies for state in body["state"]}

    assert states >= {
        *("baseline", "observing_test_dose", "assessing_tolerance", "test_dose_review"),
        *("escalation", "observing_dose", "dose_hold", "dose_review"),
        *("il2_discontinued", "tail", "maintenance", "follow_up", "restart_baseline"),
        *("completed", "lost_to_follow_up", "withdrawn"),
    }


@pytest.mark.parametrize(
    "happens",
    [
        pytest.param(lambda b: b["verdict"] == "refused", id="a refusal"),
        pytest.param(lambda b: b["verdict"] == "deviation", id="a deviation"),
        pytest.param(lambda b: b["decision"].get("late"), id="a late entry"),
        pytest.param(
            lambda b: any(w.get("passed") for w in b["decision"].get("weighed", ())),
            id="an override",
        ),
        pytest.param(lambda b: b["event"]["event"] == "course.corrected", id="a correction"),
        pytest.param(lambda b: b["event"]["event"] == "slot_lapsed", id="a missed visit"),
        pytest.param(lambda b: b["event"]["event"] == "contact_regained", id="a return"),
        pytest.param(
            lambda b: b["event"].get("data", {}).get("outcome") == "missed", id="a missed cycle"
        ),
        pytest.param(
            lambda b: b["decision"].get("transition") == "test_dose_of_new_round_given",
            id="a second round",
        ),
        pytest.param(
            lambda b: (
                b["state"][0] in _HOLDS
                and b["event"]["event"] == "release_hold"
                and b["verdict"] == "accepted"
            ),
            id="a released hold",
        ),
        *(
            pytest.param(
                lambda b, go_on=go_on: (
                    b["event"]["event"] == "confirm_topicals"
                    and b["event"]["data"]["continue_topicals"] is go_on
                ),
                id=f"topicals {'continued' if go_on else 'ended'} after a discontinuation",
            )
            for go_on in (True, False)
        ),
    ],
)
def test_fifty_courses_tell_of(
    happens: Callable[[dict[str, Any]], bool], bodies: list[dict[str, Any]]
):
    assert any(happens(body) for body in bodies)


def test_no_simulated_order_is_granted_in_a_hold_or_above_the_limit(bodies: list[dict[str, Any]]):
    granted = [
        body
        for body in bodies
        if body["event"]["event"] == "order_dose" and body["verdict"] != "refused"
    ]

    assert {body["state"][0] for body in granted} == {"escalation"}
    assert max(float(body["event"]["data"]["amount"]["value"]) for body in granted) <= 22


# --- how it is done -----------------------------------------------------------------------------


def test_nothing_is_stored_where_a_course_of_the_name_is():
    service = in_memory()
    told(service, GAUGES, courses=2)
    before = digest_of(service)

    with pytest.raises(Conflict, match="GAUGE-7-00001.*exists already"):
        told(service, GAUGES, courses=4)
    assert digest_of(service) == before


def test_after_the_end_nothing_happens_and_courses_are_left_half_way():
    service = in_memory()
    courses = told(service, IL2, courses=8, until=date(2024, 3, 31))

    last = max(r.recorded_at for records in records_of(service).values() for r in records)
    assert last < datetime(2024, 4, 1, tzinfo=UTC)
    assert any(one.records == 0 and one.state is None for one in courses)
    assert len({one.stage for one in courses}) > 2


def test_time_that_is_left_at_the_end_lets_timers_come_back():
    def waits(_: Random, course: str, start: datetime) -> Telling[None]:
        yield from _released(course, start)
        yield Wait(until=start + timedelta(days=4000))

    service = in_memory()
    scenario = Scenario(workflow=GAUGES.workflow, prefix="T", tell=waits)
    (one,) = told(service, scenario, until=date(2025, 3, 1))

    assert (one.state, one.stage) == ("overdue", "service")


def test_what_is_seen_is_the_course_as_it_stands():
    seen = []

    def looks(_: Random, course: str, start: datetime) -> Telling[None]:
        seen.append((yield from _released(course, start)))
        refused = yield {**_actor(), "event": "release_instrument", "data": {}}
        seen.append(refused)

    told(in_memory(), Scenario(workflow=GAUGES.workflow, prefix="T", tell=looks))

    released, refused = seen
    assert (released.state, released.verdict, released.seq) == ("in_service", "accepted", 3)
    assert (released.variables["due_on"], released.round) == ("2025-01-01", 1)
    assert refused.refused


def test_a_mistake_of_a_scenario_names_the_course_and_the_event():
    def errs(_: Random, course: str, start: datetime) -> Telling[None]:
        yield from _released(course, start)
        yield {**_actor(), "event": "instrument_polished", "data": {}}

    scenario = Scenario(workflow=GAUGES.workflow, prefix="T", tell=errs)
    with pytest.raises(InvalidInput) as wrong:
        told(in_memory(), scenario)
    assert "T-7-00001" in wrong.value.__notes__[0]
    assert "instrument_polished" in wrong.value.__notes__[0]


def test_a_scenario_that_does_not_end_is_found():
    def idles(_: Random, course: str, start: datetime) -> Telling[None]:
        while True:
            yield Wait(until=start)

    with pytest.raises(RuntimeError, match="does not end"):
        told(in_memory(), Scenario(workflow=GAUGES.workflow, prefix="T", tell=idles))


def test_a_scenario_is_found_by_its_workflow_or_is_the_first():
    assert scenario_of(["workflows"], "instrument_calibration") is GAUGES
    assert scenario_of(["workflows"]) is IL2
    with pytest.raises(UnknownWorkflow, match="instrument_calibration, intralesional_il2"):
        scenario_of(["workflows"], "baking")
    with pytest.raises(UnknownWorkflow):
        scenario_of(["tests"])
    with pytest.raises(InvalidInput, match="one that can be imported"):
        scenario_of(["no_such_package"])


def test_a_service_without_the_workflow_simulates_nothing():
    service = in_memory()
    service.setting = replace(service.setting, registry=Registry())

    with pytest.raises(UnknownWorkflow):
        told(service, GAUGES)


_HOLDS = ("test_dose_hold", "dose_hold")


def _actor() -> dict[str, Any]:
    return {"actor": {"id": "m", "role": "metrologist"}}


def _released(course: str, _: datetime) -> Telling[Any]:
    """An instrument on the first day, measured and released."""
    yield {
        **_actor(), "event": "course.enrolled", "patient": course, "site": "here", "zone": "UTC",
    }  # fmt: skip
    measured = {
        "deviation": {"value": "3", "unit": "um"},
        "room_temperature": {"value": "20", "unit": "Cel"},
    }
    yield {**_actor(), "event": "measurement_recorded", "data": measured}
    return (yield {**_actor(), "event": "release_instrument", "data": {}})

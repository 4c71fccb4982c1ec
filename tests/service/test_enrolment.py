"""How courses begin: in the initial state or an attested one, by which definition, and how many."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from engine.answer import Answer
from engine.core.blueprint import workflow_digest
from engine.core.definition import Timer, Transition, Variable
from engine.core.expression import Now, hours
from engine.core.quantity import q
from engine.errors import Conflict, InvalidInput, NotPermitted, RegimenError, UnknownWorkflow
from engine.registry import Registry
from engine.store.sql import SqlStore, open_store
from engine.store.transaction import SqlTransaction
from engine.testing import missing
from tests.core.tiny import n_of, tiny, way
from tests.service.bench import INSTRUMENT, Bench

doses, since = n_of("doses"), Variable(name="since", kind="instant")

TINY = tiny(
    variables=[doses, since],
    updates={"noted": {"doses": doses + 1, "since": Now()}},
    guards={"few": doses < 3},
    ways=[
        way("rise", "few"),
        way("fell", sources=("over",), target="low", reopens=True),
        way("resume", event="rise", sources=("over",), target="low", reopens=True),
        Transition(name="rang", event="rang", sources=("running",)),
    ],
    timers=[Timer(name="bell", event="rang", due=since + hours(6), places=("running",))],
)
STRICT = replace(
    INSTRUMENT,
    parameters=tuple(
        replace(p, value=q("2", "um")) if p.name == "deviation_limit" else p
        for p in INSTRUMENT.parameters
    ),
)


@pytest.fixture
def bench(store: SqlStore, tenant: str) -> Bench:
    """A tenant that knows two workflows."""
    bench = Bench(store, tenant)
    bench.install(INSTRUMENT, TINY)
    return bench


def begins(bench: Bench, course: str, event: str = "course.enrolled", **more: Any) -> Answer:
    """A course of the tiny workflow."""
    body = bench.enrolment(course, workflow="tiny", event=event)
    return bench.service.submit(body | {"actor": {"id": "c", "role": "chief"}} | more)


def adopted(bench: Bench, state: str = "low", **variables: Any) -> Answer:
    return begins(bench, "c", "course.adopted", data={"state": state, "variables": variables})


def sends(bench: Bench, course: str, event: str) -> Answer:
    return bench.service.submit(bench.body(course, event, role="chief"))


# --- adopted ------------------------------------------------------------------------------------


def test_an_adopted_course_starts_in_the_attested_state_and_round(bench: Bench):
    body = {"state": "high", "round": 3, "variables": {"doses": 2}}
    answer = begins(bench, "c", "course.adopted", data=body)

    assert (answer.verdict, answer.state_before, answer.state) == ("accepted", None, "high")
    assert bench.row("c")["round"] == 3
    assert bench.row("c")["variables"] == {"doses": "2"}
    assert bench.events("c") == ["course.adopted"]
    assert bench.proved("c")


def test_what_nobody_attested_is_unknown_and_a_guard_on_it_is_undecided(bench: Bench):
    adopted(bench)

    answer = sends(bench, "c", "rise")

    assert (answer.verdict, answer.decision["reason"]) == ("refused", "guard-undecided")
    assert missing(answer) == ("doses",)
    assert bench.proved("c")


def test_what_nobody_attested_is_not_taken_for_the_initial_value(bench: Bench):
    begins(bench, "enrolled")
    adopted(bench)
    sends(bench, "c", "noted")

    assert sends(bench, "enrolled", "rise").verdict == "accepted"
    assert "doses" not in bench.row("c")["variables"]


def test_a_guard_on_what_was_attested_is_weighed(bench: Bench):
    adopted(bench, doses=2)

    assert sends(bench, "c", "rise").verdict == "accepted"


def test_the_timers_of_an_adopted_course_follow_from_what_was_attested(bench: Bench):
    adopted(bench, since="2026-03-02T08:00:00Z")

    assert bench.row("c")["timers"] == {"bell": ["2026-03-02T14:00:00Z", 1]}
    bench.clock.advance(hours=5)
    assert bench.service.tick() == 1
    assert bench.proved("c")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"state": "nowhere"}, "data.state"),
        ({}, "data.state"),
        ({"state": "low", "variables": {"unheard_of": 1}}, "data.variables.unheard_of"),
        ({"state": "low", "variables": {"doses": "many"}}, "data.variables.doses"),
        ({"state": "low", "round": 0}, "data.round"),
    ],
)
def test_what_cannot_be_attested_is_named_and_no_course_begins(
    bench: Bench, data: dict[str, Any], field: str
):
    with pytest.raises(InvalidInput) as raised:
        begins(bench, "c", "course.adopted", data=data)

    assert raised.value.field == field
    assert list(bench.service.courses()) == []


def test_a_role_that_the_workflow_lacks_begins_no_course(bench: Bench):
    with pytest.raises((InvalidInput, NotPermitted), match="role"):
        begins(bench, "c", actor={"id": "m", "role": "metrologist"})


# --- one open course ----------------------------------------------------------------------------


def test_a_patient_has_one_open_course_of_a_workflow(bench: Bench):
    begins(bench, "c", patient="p")

    with pytest.raises(Conflict, match="open course of this workflow") as raised:
        begins(bench, "d", patient="p")

    assert not raised.value.retriable
    assert [line.course for line in bench.service.courses()] == ["c"]


def test_an_adopted_course_is_open_too(bench: Bench):
    begins(bench, "c", "course.adopted", patient="p", data={"state": "high"})

    with pytest.raises(Conflict, match="open course"):
        begins(bench, "d", patient="p")


def test_a_patient_may_begin_again_after_a_course_that_was_closed(bench: Bench):
    begins(bench, "c", patient="p")
    sends(bench, "c", "ended")

    assert begins(bench, "d", patient="p").verdict == "accepted"
    assert [(line.course, line.open) for line in bench.service.courses()] == [
        ("c", False),
        ("d", True),
    ]


def test_a_report_that_would_reopen_a_course_beside_an_open_one_is_recorded_and_reopens_nothing(
    bench: Bench,
):
    begins(bench, "c", patient="p")
    sends(bench, "c", "ended")
    begins(bench, "d", patient="p")

    answer = sends(bench, "c", "fell")

    assert (answer.verdict, answer.state) == ("deviation", "over")
    assert answer.decision["another_open"] is True
    assert bench.events("c") == ["course.enrolled", "ended", "fell"]
    assert bench.proved("c", "d")


@pytest.mark.parametrize("many", [False, True])
def test_a_report_is_recorded_though_another_course_opens_while_it_is_decided(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, many: bool
):
    """The first look comes too early to see it."""
    begins(bench, "c", patient="p")
    sends(bench, "c", "ended")
    begins(bench, "d", patient="p")
    looks = looking_too_early(monkeypatch, lambda: None)

    sent = bench.body("c", "fell", role="chief")
    answer = bench.service.submit_many([sent])[0] if many else bench.service.submit(sent)

    assert isinstance(answer, Answer)
    assert (answer.verdict, answer.state) == ("deviation", "over")
    assert answer.decision["another_open"] is True
    assert looks == [False, True]
    assert bench.events("c") == ["course.enrolled", "ended", "fell"]
    assert bench.proved("c", "d")


def test_a_course_that_opens_between_the_look_and_the_write_costs_a_report_nothing(
    migrated_postgres_url: str, tenant: str, monkeypatch: pytest.MonkeyPatch
):
    store = open_store(migrated_postgres_url)
    bench, other = Bench(store, tenant), Bench(store, tenant)
    other.install(TINY)
    bench.install(TINY)
    begins(bench, "c", patient="p")
    sends(bench, "c", "ended")
    opening = [partial(begins, other, "d", patient="p")]
    looks = looking_too_early(monkeypatch, lambda: opening.pop()() if opening else None)

    answer = sends(bench, "c", "fell")

    assert (answer.verdict, answer.state) == ("deviation", "over")
    assert looks == [False, True]
    assert bench.proved("c", "d")
    store.close()


def looking_too_early(monkeypatch: pytest.MonkeyPatch, then: Callable[[], object]) -> list[bool]:
    """What each look for another open course found; the first finds none, and `then` one opens."""
    found: list[bool] = []
    look = SqlTransaction.another_open

    def early(tx: SqlTransaction, course: str, patient: str, workflow: str) -> bool:
        found.append(bool(found) and look(tx, course, patient, workflow))
        then()
        return found[-1]

    monkeypatch.setattr(SqlTransaction, "another_open", early)
    return found


def test_once_the_other_course_is_closed_the_next_report_reopens_it(bench: Bench):
    begins(bench, "c", patient="p")
    sends(bench, "c", "ended")
    begins(bench, "d", patient="p")
    sends(bench, "c", "fell")
    sends(bench, "d", "ended")

    answer = sends(bench, "c", "fell")

    assert (answer.verdict, answer.state) == ("accepted", "low")
    assert "another_open" not in answer.decision
    assert bench.proved("c", "d")


def test_a_request_that_would_reopen_a_course_beside_an_open_one_conflicts(bench: Bench):
    begins(bench, "c", patient="p")
    sends(bench, "c", "ended")
    begins(bench, "d", patient="p")

    with pytest.raises(Conflict, match="open course") as raised:
        bench.service.submit(bench.body("c", "rise", role="chief"))

    assert not raised.value.retriable
    assert bench.events("c") == ["course.enrolled", "ended"]


def test_a_patient_may_have_courses_of_two_workflows_at_once(bench: Bench):
    begins(bench, "c", patient="p")

    answer = bench.service.submit(bench.enrolment("d", patient="p"))

    assert answer.verdict == "accepted"


def test_another_version_of_a_workflow_is_the_same_workflow(bench: Bench):
    bench.enrolled("gauge")
    bench.install(replace(INSTRUMENT, version="2"))

    with pytest.raises(Conflict, match="open course"):
        bench.service.submit(bench.enrolment("again", patient="patient-of-gauge"))


def test_a_patient_of_two_tenants_is_two_patients(bench: Bench):
    other = bench.beside()
    other.install(TINY)

    for one in (bench, other):
        assert begins(one, "c", patient="p").verdict == "accepted"


def test_of_two_who_enrol_a_patient_at_once_one_does(bench: Bench):
    def attempt(body: dict[str, Any]) -> Answer | RegimenError:
        try:
            return bench.service.submit(body)
        except RegimenError as lost:
            return lost

    with ThreadPoolExecutor(2) as pool:
        for n in range(10):
            bodies = [bench.enrolment(f"{name}-{n}", patient=f"p-{n}") for name in "ab"]
            ends = list(pool.map(attempt, bodies))
            (won,) = [end for end in ends if isinstance(end, Answer)]
            (lost,) = [end for end in ends if isinstance(end, Conflict)]
            assert won.verdict == "accepted"
            assert not lost.retriable


# --- which definition ---------------------------------------------------------------------------


def measured(bench: Bench, course: str) -> str:
    """The verdict on a release at 3 um, which the strict definition does not permit."""
    bench.service.submit(bench.measurement(course))
    return bench.service.submit(bench.release(course)).verdict


def test_a_site_with_a_parameter_of_its_own_decides_by_a_definition_of_its_own(bench: Bench):
    (strict,) = bench.install(STRICT, site="south")
    north = bench.service.submit(bench.enrolment("n", site="north"))
    south = bench.service.submit(bench.enrolment("s", site="south"))

    assert (north.digest, south.digest) == (workflow_digest(INSTRUMENT), strict)
    assert north.digest != south.digest
    assert (measured(bench, "n"), measured(bench, "s")) == ("accepted", "refused")
    assert bench.proved("n", "s")


def test_a_course_stays_with_its_definition_when_the_default_changes(bench: Bench):
    bench.enrolled("before")
    (strict,) = bench.install(STRICT)
    bench.enrolled("after")

    assert (measured(bench, "before"), measured(bench, "after")) == ("accepted", "refused")
    assert bench.row("before")["digest"] == workflow_digest(INSTRUMENT)
    assert bench.row("after")["digest"] == strict
    assert bench.proved("before", "after")


@pytest.mark.parametrize("named", ["instrument_calibration@1", workflow_digest(INSTRUMENT)])
def test_a_course_may_begin_by_a_version_or_by_a_digest(bench: Bench, named: str):
    bench.install(replace(STRICT, version="2"))

    answer = bench.service.submit(bench.enrolment("gauge", workflow=named))

    assert answer.digest == workflow_digest(INSTRUMENT)


@pytest.mark.parametrize("named", ["unheard_of", "tiny@2", "sha256:" + "0" * 64])
def test_a_workflow_that_nobody_stored_begins_no_course(bench: Bench, named: str):
    with pytest.raises(UnknownWorkflow, match="tiny@1") as raised:
        bench.service.submit(bench.enrolment("gauge", workflow=named))

    assert raised.value.workflow == named
    assert list(bench.service.courses()) == []


def test_a_definition_of_another_tenant_is_not_ours(bench: Bench):
    other = bench.beside()

    with pytest.raises(UnknownWorkflow):
        other.service.submit(other.enrolment("gauge", workflow=workflow_digest(INSTRUMENT)))


def test_a_registry_that_was_never_told_a_workflow_goes_on_with_its_courses(bench: Bench):
    bench.in_service("gauge")
    later = replace(bench, registry=Registry())
    later.clock.advance(days=400)

    assert later.service.tick() == 1
    assert later.state("gauge") == "overdue"
    assert later.proved("gauge")
    with pytest.raises(UnknownWorkflow, match="none is loaded"):
        later.service.submit(later.enrolment("caliper"))
    named = workflow_digest(INSTRUMENT)
    assert later.service.submit(later.enrolment("caliper", workflow=named)).verdict == "accepted"


WITHOUT_THE_FILE = """
import json, sys
sys.modules["workflows"] = None  # whoever imports it fails

from engine.audit import Auditor
from engine.bootstrap import SystemClock
from engine.registry import Registry
from engine.service import Service
from engine.store.sql import open_store
from engine.submission import Setting
from engine.zones import Zones

url, tenant, body = sys.argv[1:]
store, registry = open_store(url), Registry()
service = Service(store, Setting(tenant=tenant, registry=registry, clock=SystemClock(),
                                 calendars=Zones(), salt=lambda: "0", version="later"))
auditor = Auditor(store=store, registry=registry, tenant=tenant)
answer = service.submit(json.loads(body))
print("said", answer.verdict, answer.state, auditor.verify("gauge"), auditor.decide_again("gauge"))
"""


def test_an_engine_that_no_longer_has_the_python_file_decides_and_replays(
    bench: Bench, database_url: str
):
    bench.in_service("gauge")
    body = json.dumps(bench.body("gauge", "returned_to_bench"))

    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_FILE, database_url, bench.tenant, body],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert ran.stdout.splitlines()[-1] == "said accepted on_bench None []"

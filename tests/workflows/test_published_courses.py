"""The courses that are shipped: what was published goes through, and nothing more is claimed.

What is expected of each is written by hand from protocol and sources, not from what was seen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

import workflows
from engine.answer import Answer
from engine.audit import Auditor
from engine.core.definition import Workflow
from engine.core.encoding import Json, parse
from engine.core.quantity import q
from engine.core.snapshot import Snapshot
from engine.errors import RegimenError
from engine.ports import Definition
from engine.registry import Registry, stored_form
from engine.store.memory import MemoryStore
from tests.tenant import HandClock, tenant_service
from workflows.intralesional_il2 import WORKFLOW

Bodies = Sequence[Mapping[str, Json]]
NOT_PUBLISHED = {"value": None, "reason": "not-published"}
FILES = {file.name.removesuffix(".jsonl"): file for file in workflows.COURSES}
PUBLISHED = [name for name in FILES if name.startswith("GAR")]
CONSTRUCTED = [name for name in FILES if not name.startswith("GAR")]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What must become of a course: its refusals by line, its overrides, where it ends."""

    state: str
    round: int = 1
    refused: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    overridden: Mapping[str, Sequence[str]] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)


UNKNOWN_TOLERANCE = (
    "N09_pressure_above_goal_after_dose",
    "N10_tolerated_test_dose_at_most_7",
    "N19_readings_of_last_observation",
)

EXPECTED = {
    "GAR-X": Expected(
        state="follow_up",
        # Brain metastases are distant: they enable no restart, with or without an override.
        refused={
            14: ("request_restart", "guard-failed"),
            15: ("request_restart", "override-not-permitted"),
        },
        overridden={"confirm_tolerated": UNKNOWN_TOLERANCE, "end_il2": ["topicals_continue"]},
        variables={"dose_total": None, "cutaneous_finding": "none", "distant_progression": True},
    ),
    "GAR-Y": Expected(
        state="maintenance",
        overridden={"confirm_tolerated": UNKNOWN_TOLERANCE, "end_il2": ["topicals_continue"]},
        variables={"dose_total": None, "cutaneous_finding": "none"},
    ),
    "GAR-Z": Expected(
        state="tail",
        round=2,
        overridden={
            "confirm_tolerated": UNKNOWN_TOLERANCE,
            "end_il2": ["topicals_continue"],
            "request_restart": ["E22_twelve_weeks_since_test_dose"],
        },
        variables={"dose_total": None, "test_doses": Decimal(1), "doses_given": Decimal(1)},
    ),
    "SHI-constructed": Expected(
        state="maintenance",
        overridden={
            "order_test_dose": ["N10_test_dose_is_7"],
            "extend_window": ["at_most_4_weeks"],
        },
        # 3, then 7, 11 and ten times 15; twelve visits in six weeks, nothing missed.
        variables={
            "dose_total": Decimal(171),
            "doses_given": Decimal(12),
            "missed_slots": Decimal(0),
            "last_dose": Decimal(15),
            "d0": date(2013, 3, 4),
            "window_ends_on": date(2013, 4, 15),
            "tail_ends_on": date(2013, 5, 6),
            "topical_nights": Decimal(5),
            "il2_ended_by": "visits_done",
        },
    ),
    "DEH-constructed": Expected(
        state="tail",
        # 7, then 10, 13, 16 and five times 18.
        variables={
            "dose_total": Decimal(136),
            "doses_given": Decimal(8),
            "last_dose": Decimal(18),
            "d0": date(2008, 3, 3),
            "tail_ends_on": date(2008, 4, 21),
        },
    ),
    "DEMO-constructed": Expected(
        state="tail",
        refused={
            12: ("order_test_dose", "guard-undecided"),
            23: ("order_dose", "guard-failed"),
            39: ("order_dose", "illegal-transition"),
            41: ("release_hold", "guard-undecided"),
            57: ("order_dose", "guard-failed"),
        },
        overridden={
            "order_test_dose": ["E18_brain_mri", "E19_no_cns_metastasis"],
            "order_dose": ["dose_not_above_tolerated_after_intolerance"],
        },
        # 7, then 10, 13 and 13; the third visit fell into the hold.
        variables={
            "dose_total": Decimal(43),
            "doses_given": Decimal(3),
            "missed_slots": Decimal(1),
            "stopped_by": "N06",
            "il2_over_on": date(2024, 3, 22),
            # Three weeks from the later of the last dose, 18 March, and the decision.
            "tail_ends_on": date(2024, 4, 12),
        },
    ),
}


@dataclass(frozen=True)
class Offer:
    """A workflow, checked and compiled once."""

    registry: Registry
    definition: Definition

    @classmethod
    def of(cls, workflow: Workflow) -> Offer:
        registry = Registry()
        with MemoryStore().transaction("clinic") as tx:
            registry.install((workflow,), tx)
        return cls(registry, stored_form(workflow))


class Clinic:
    """A service in memory, some years after every course."""

    def __init__(self, offer: Offer, store: MemoryStore | None = None) -> None:
        self.offer, self.store = offer, store or MemoryStore()
        with self.store.transaction("clinic") as tx:
            tx.define(offer.definition)
        self.service = tenant_service(
            self.store,
            "clinic",
            registry=offer.registry,
            clock=HandClock(datetime(2030, 1, 1, tzinfo=UTC)),
        )
        self.auditor = Auditor(store=self.store, registry=offer.registry, tenant="clinic")

    def apply(self, bodies: Bodies) -> list[Answer]:
        """The answers; a line that is malformed is a mistake of the file."""
        answers = []
        for answer in self.service.submit_many(bodies):
            assert not isinstance(answer, RegimenError), answer
            answers.append(answer)
        return answers

    def snapshot(self, course: str) -> Snapshot:
        return self.service.status(course).snapshot


@cache
def ordinary() -> Offer:
    return Offer.of(WORKFLOW)


@cache
def told(name: str) -> tuple[Clinic, list[Answer]]:
    """A course that was applied once; who writes more takes `later`."""
    clinic = Clinic(ordinary())
    return clinic, clinic.apply(read(name))


def answers_of(name: str) -> list[Answer]:
    return told(name)[1]


def later(name: str) -> Clinic:
    """The clinic after the course, to go on with."""
    return Clinic(ordinary(), told(name)[0].store.copy())


def read(name: str) -> Bodies:
    return [parse(line) for line in FILES[name].read_text("utf-8").splitlines()]


def leaves(value: Json, place: str = "") -> Iterator[tuple[str, Json]]:
    """Every value of a body with its place."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from leaves(part, f"{place}.{name}" if place else name)
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part, place)
    else:
        yield place, value


def test_every_shipped_course_is_expected_here():
    assert set(FILES) == set(EXPECTED)


@pytest.mark.parametrize("name", FILES)
def test_every_answer_is_the_one_that_was_expected(name: str):
    lines = dict(enumerate(answers_of(name), start=1))
    refused = {n: (a.event, a.decision["reason"]) for n, a in lines.items() if a.refused}

    assert refused == EXPECTED[name].refused
    assert {a.verdict for n, a in lines.items() if n not in refused} == {"accepted"}


@pytest.mark.parametrize("name", FILES)
def test_every_override_is_the_one_that_was_expected(name: str):
    passed: dict[str, set[str]] = {}
    for answer in answers_of(name):
        for weighed in answer.decision.get("weighed", ()):
            if weighed.get("passed"):
                passed.setdefault(answer.event, set()).add(weighed["guard"])

    assert passed == {event: set(guards) for event, guards in EXPECTED[name].overridden.items()}


@pytest.mark.parametrize("name", FILES)
def test_the_course_ends_where_it_should(name: str):
    snapshot, expected = told(name)[0].snapshot(name), EXPECTED[name]

    assert (snapshot.state, snapshot.round) == (expected.state, expected.round)
    assert {n: snapshot.variables[n] for n in expected.variables} == expected.variables


@pytest.mark.parametrize("name", FILES)
def test_a_file_applied_twice_changes_nothing(name: str):
    clinic = later(name)
    records = clinic.service.records(name)
    again = clinic.apply(read(name))

    assert all(answer.repeated for answer in again)
    assert [answer.seq for answer in again] == [answer.seq for answer in answers_of(name)]
    assert clinic.service.records(name) == records


@pytest.mark.parametrize("name", FILES)
def test_the_course_is_whole_and_would_be_decided_so_again(name: str):
    clinic = later(name)
    clinic.service.tick()

    assert clinic.auditor.verify(name) is None
    assert clinic.auditor.decide_again(name) == []


@pytest.mark.parametrize("name", FILES)
def test_ids_and_course_are_those_of_the_file(name: str):
    bodies = read(name)

    assert {body["course"] for body in bodies} == {name}
    assert [body["id"] for body in bodies] == [f"{name}.{n + 1:03d}" for n in range(len(bodies))]


# --- what is published, and what is not -----------------------------------------------------------


@pytest.mark.parametrize("name", PUBLISHED)
def test_no_date_and_no_dose_is_claimed_that_was_not_published(name: str):
    for body in read(name):
        assert body["at"] == NOT_PUBLISHED
        data = body.get("data", {})
        assert data.get("amount", NOT_PUBLISHED) == NOT_PUBLISHED
        assert all(data.get(lesions, NOT_PUBLISHED) == NOT_PUBLISHED
                   for lesions in ("treated_lesions", "regressed_lesions"))  # fmt: skip
        assert not re.search(r"\d{4}-\d\d", json.dumps(data))


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_only_numbers_of_a_published_course_are_published_ones(name: str):
    numbers = {
        value
        for body in read(name)
        for place, value in leaves(body.get("data", {}), "data")
        if isinstance(value, int | str) and not isinstance(value, bool) and str(value).isdigit()
    }

    # Months from the first dose, of GAR-X: metastases at 18, alive at 27.
    assert numbers == ({"18", "27"} if name == "GAR-X" else set())


@pytest.mark.parametrize("name", PUBLISHED)
def test_only_unknowns_are_passed_as_not_published(name: str):
    for answer in answers_of(name):
        for weighed in answer.decision.get("weighed", ()):
            assert not weighed.get("passed") or weighed["verdict"] == "unknown"


def test_the_published_restart_opens_a_second_round_of_the_same_course():
    answers = answers_of("GAR-Z")
    states = [answer.state for answer in answers]

    assert states[states.index("maintenance") :][3:6] == [
        "restart_baseline", "observing_test_dose", "assessing_tolerance",
    ]  # fmt: skip


def test_distant_progression_advises_a_consult_and_no_restart():
    answers = answers_of("GAR-X")
    found = [a for a in answers if a.event == "lesion_finding_reported"]

    for answer in found:
        assert [f["rule"] for f in answer.decision["fired"]] == ["E19_distant_progression_found"]
    kept = [a.decision["attempts"][0]["kept_by"] for a in answers if a.refused]
    assert all(
        ("E22_cutaneous_metastasis_found", "no") in [(w["guard"], w["verdict"]) for w in one]
        for one in kept
    )


@pytest.mark.parametrize("name", CONSTRUCTED)
def test_a_constructed_course_says_so_in_its_name_and_in_its_first_event(name: str):
    first = read(name)[0]

    assert name.endswith("-constructed")
    assert first["reason"]["text"].startswith("CONSTRUCTED")
    assert "constructed" in (first["patient"], first["site"], first["actor"]["id"])


# --- what each constructed course is there for ----------------------------------------------------


def test_the_series_of_shi_reports_rigors_late_and_reduces_topicals():
    clinic, answers = told("SHI-constructed")
    rigors = [a for a in answers if a.event == "adverse_event_reported"]

    assert len(rigors) == 3
    assert all(answer.decision["late"] for answer in rigors)
    assert clinic.snapshot("SHI-constructed").variables["worst_grade"] == 0


def test_the_series_of_dehesa_passes_a_site_whose_ceiling_is_18():
    clinic = Clinic(Offer.of(WORKFLOW.with_parameters(max_dose=q(18, "M[IU]"))))
    bodies = [dict(body) for body in read("DEH-constructed")]
    ordered = next(
        n for n, body in enumerate(bodies)
        if body["event"] == "order_dose" and body["data"]["amount"]["value"] == "18"
    )  # fmt: skip
    higher = {
        **bodies[ordered],
        "id": "above-the-ceiling",
        "data": {
            "amount": {"value": "19", "unit": "M[IU]"},
            "split": [{"lesion": "1", "amount": {"value": "19", "unit": "M[IU]"}}],
        },
    }
    answers = clinic.apply([*bodies[:ordered], higher, *bodies[ordered:]])

    refused = [answer for answer in answers if answer.verdict != "accepted"]
    assert [answer.event_id for answer in refused] == ["above-the-ceiling"]
    (attempt,) = refused[0].decision["attempts"]
    assert [kept["guard"] for kept in attempt["kept_by"]] == ["N11_dose_at_most_22"]


def test_the_demonstration_holds_releases_and_discontinues():
    answers = answers_of("DEMO-constructed")
    moved = [
        (answer.event, answer.decision["moved_by"], answer.state)
        for answer in answers
        if answer.decision.get("moved_by")
    ]

    assert moved == [
        ("cardiac_enzymes_recorded", "E03_cardiac_enzymes_elevated", "dose_hold"),
        ("labs_recorded", "N06_platelets_below_30_sustained", "il2_discontinued"),
    ]
    released = [a for a in answers if a.event == "release_hold" and not a.refused]
    assert [answer.state for answer in released] == ["escalation"]


@pytest.mark.parametrize("name", CONSTRUCTED)
def test_after_a_year_of_timers_a_constructed_course_is_in_follow_up(name: str):
    clinic = later(name)
    clinic.service.tick()
    snapshot = clinic.snapshot(name)

    assert snapshot.state == "follow_up"
    assert snapshot.variables["cycle"] == 13
    assert snapshot.timers == {}

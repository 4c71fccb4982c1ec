"""Two threads and two processes on both databases: one wins, the other is told, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from engine.store.sql import open_store
from tests.store import race
from tests.store.race import ROUNDS
from tests.store.writing import Clinic

Race = Callable[[race.Run, str, str], dict[str, list[str]]]


@pytest.fixture(params=[race.threads, race.processes], ids=["threads", "processes"])
def compete(request: pytest.FixtureRequest) -> Race:
    found: Race = request.param
    return found


@pytest.fixture
def begun(database_url: str, tenant: str) -> Iterator[Clinic]:
    """A tenant with the course C-1, for reading what became of it."""
    store = open_store(database_url)
    clinic = Clinic(store, tenant)
    clinic.begun()
    yield clinic
    store.close()


def rounds(ends: dict[str, list[str]]) -> list[tuple[str, ...]]:
    """How each round ended, whoever won it."""
    return [tuple(sorted(pair)) for pair in zip(ends["one"], ends["other"], strict=True)]


def test_of_two_decisions_on_one_version_exactly_one_is_stored(
    compete: Race, begun: Clinic, database_url: str
):
    ends = compete(race.one_version, database_url, begun.tenant)

    assert rounds(ends) == [("retriable", "won")] * ROUNDS
    with begun.reading() as tx:
        assert [r.seq for r in tx.records("C-1")] == list(range(1, ROUNDS + 2))


def test_a_patient_who_is_enrolled_twice_at_once_has_one_course(
    compete: Race, begun: Clinic, database_url: str
):
    ends = compete(race.one_patient, database_url, begun.tenant)

    assert rounds(ends) == [("final", "won")] * ROUNDS
    with begun.reading() as tx:
        assert len(tx.courses()) == 1 + ROUNDS


def test_a_course_that_begins_twice_at_once_begins_once(
    compete: Race, begun: Clinic, database_url: str
):
    ends = compete(race.one_name, database_url, begun.tenant)

    assert rounds(ends) == [("retriable", "won")] * ROUNDS


def test_of_two_courses_of_a_patient_that_reopen_at_once_one_does(
    compete: Race, begun: Clinic, database_url: str
):
    ends = compete(race.one_reopening, database_url, begun.tenant)

    # Who meets the other's open course is told so; who met it in the act may try again.
    assert set(rounds(ends)) <= {("final", "won"), ("retriable", "won")}
    with begun.reading() as tx:
        reopened = [line.patient for line in tx.courses() if line.open and line.course != "C-1"]
    assert len(reopened) == len(set(reopened)) == ROUNDS


def test_an_event_that_is_sent_twice_at_once_is_recorded_once_and_known_to_the_other(
    compete: Race, begun: Clinic, database_url: str
):
    ends = compete(race.one_event, database_url, begun.tenant)

    assert rounds(ends) == [("known", "won")] * ROUNDS


def test_writers_who_read_the_head_first_wait_for_each_other_and_lose_nothing(
    compete: Race, begun: Clinic, database_url: str
):
    ends = compete(race.no_increment_lost, database_url, begun.tenant)

    assert {end for of_one in ends.values() for end in of_one} == {"won"}
    with begun.reading() as tx:
        assert len(list(tx.records("C-1"))) == 1 + 4 * ROUNDS


def test_a_definition_that_is_stored_twice_at_once_is_stored(
    compete: Race, begun: Clinic, database_url: str
):
    ends = compete(race.one_definition, database_url, begun.tenant)

    assert rounds(ends) == [("won", "won")] * ROUNDS
    with begun.reading() as tx:
        assert len(tx.definitions()) == 1 + ROUNDS

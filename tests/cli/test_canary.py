"""Canary courses from the shell."""

from __future__ import annotations

import pytest

from engine.core.definition import Workflow
from engine.core.expression import all_of
from engine.registry import stored_form
from engine.store.sql import open_store
from tests.canary.test_flight import GAUGES, altered
from tests.cli.conftest import Regimen


def stored(workflow: Workflow) -> str:
    """Put a definition into the database of the folder, whatever anybody thinks of it."""
    store = open_store("sqlite:///regimen.db")
    found = stored_form(workflow)
    with store.transaction("default") as tx:
        tx.define(found)
    store.close()
    return found.digest


def test_the_definitions_in_use_are_exercised_as_they_are_stored(gauges: Regimen):
    ran = gauges("canary", "--json")
    told = ran.json()

    assert ran.code == 0
    assert told["sound"] is True
    assert [one["workflow"] for one in told["flights"]] == ["instrument_calibration@1"]


def test_a_broken_definition_in_the_database_is_an_alarm(gauges: Regimen):
    broken = altered(
        GAUGES, "deviation_above_limit", lambda one: all_of(one.condition, ~one.condition)
    )
    ran = gauges("canary", stored(broken))

    assert ran.code == 1
    assert "deviation_above_limit" in ran.out
    assert "impossible" in ran.out


def test_nothing_is_written(gauges: Regimen):
    before = gauges("verify", "--json").json()
    gauges("canary")

    assert gauges("verify", "--json").json() == before


def test_a_definition_is_compared_with_another(gauges: Regimen):
    ran = gauges("canary", "instrument_calibration@1", "--like", "instrument_calibration@1")

    assert ran.code == 0
    assert "rules that move a course: 1 of 1 acted as expected" in ran.out


def test_what_the_worker_found_last_is_shown(gauges: Regimen):
    before = gauges("canary", "--last")
    worked = gauges("work", "--once", "--json").json()
    after = gauges("canary", "--last", "--json")

    assert before.out == "Nothing was exercised yet.\n"
    assert (worked["canaries"], worked["canaries_unsound"]) == (2, 0)
    assert after.code == 0
    assert len(after.json()["flights"]) == 2
    assert all(flight["at"] for flight in after.json()["flights"])


@pytest.mark.parametrize("asked", [("nothing",), ("--like", "nothing")])
def test_a_definition_that_is_not_stored_is_named(gauges: Regimen, asked: tuple[str, ...]):
    ran = gauges("canary", *asked)

    assert ran.code == 2
    assert "expected one stored definition" in ran.err

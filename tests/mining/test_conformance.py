"""The log held against the net, from the files alone."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.mining.conftest import IL2
from tests.mining.replaying import Log, PetriNet, Trace, replayed

TEST_DOSE = {"test_dose_given", "order_test_dose"}


def conformant(log: Log) -> Log:
    return [trace for trace in log if not trace.deviates]


def without_the_test_dose(trace: Trace) -> list[str]:
    """A trace from which everything is gone that happened between baseline and escalation."""
    stage = {state.name for state in IL2.states if state.stage == "test_dose"}
    return [
        event["concept:name"]
        for event in trace.events
        if event.get("state_before") not in stage and event["state_after"] not in stage
    ]


def test_a_conformant_course_that_is_finished_fits(log: Log, finished_net: PetriNet, net: PetriNet):
    over = [trace for trace in conformant(log) if trace.finished]

    assert len(over) > 10
    for trace in over:
        assert replayed(net, trace.activities).fitness == 1
        assert replayed(finished_net, trace.activities).fitness == 1


def test_a_course_that_is_on_its_way_is_not_flagged(log: Log, net: PetriNet):
    running = [trace for trace in conformant(log) if not trace.finished]

    assert len(running) > 5
    assert all(replayed(net, trace.activities).fits for trace in running)


def test_no_beginning_of_a_conformant_course_is_flagged(log: Log, net: PetriNet):
    for trace in conformant(log)[:6]:
        for length in range(1, len(trace.events), 5):
            assert replayed(net, trace.activities[:length]).fits


def test_where_only_closed_states_are_ends_a_running_course_does_not_fit(
    log: Log, finished_net: PetriNet
):
    running = [trace for trace in conformant(log) if not trace.finished]
    found = [replayed(finished_net, trace.activities) for trace in running]

    assert not any(one.fits or one.missing for one in found)


def test_a_skipped_test_dose_is_flagged_where_the_escalation_begins(log: Log, net: PetriNet):
    tested = [trace for trace in conformant(log) if "visit_dose_given" in trace.activities]
    found = [replayed(net, without_the_test_dose(trace)) for trace in tested]

    assert len(found) > 5
    assert not any(one.fits for one in found)
    assert all(one.fitness < 1 for one in found)


def test_a_dose_that_was_reported_instead_of_the_test_dose_is_flagged(log: Log, net: PetriNet):
    reported = [trace for trace in log if "unordered_test_dose" in trace.activities]

    assert reported
    for trace in reported:
        assert "unordered_test_dose" in replayed(net, trace.activities).wrong


def test_every_deviation_is_flagged_and_nothing_else(log: Log, net: PetriNet):
    flagged = [trace for trace in log if not replayed(net, trace.activities).fits]

    assert flagged == [trace for trace in log if trace.deviates]


def test_what_happened_follows_on_what_happened_before(log: Log):
    for trace in log:
        for before, after in pairwise(trace.events):
            assert after["state_before"] == before["state_after"]
            assert after["time:timestamp"] >= before["time:timestamp"]


@pytest.mark.parametrize("swapped", ["order_test_dose", "test_dose_given"])
def test_a_step_that_comes_twice_too_early_is_flagged(log: Log, net: PetriNet, swapped: str):
    trace = next(t for t in conformant(log) if "visit_dose_given" in t.activities)
    place = trace.activities.index("visit_dose_given")
    wrong = [*trace.activities[:place], swapped, *trace.activities[place:]]

    assert not replayed(net, wrong).fits

"""Counts of guards, held against what the records say when they are counted in another way."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from engine.guard_rates import Period, Use, rates
from engine.service import Service
from engine.silence import Tone, heard
from engine.simulation import simulate
from tests.test_simulation import IL2, in_memory


@pytest.fixture(scope="module")
def simulated() -> Service:
    service = in_memory()
    list(simulate(service, IL2, courses=12, seed=5, start=date(2024, 1, 1)))
    return service


def test_the_counts_of_a_rule_are_those_of_its_records(simulated: Service):
    counted: Counter[tuple[str, str]] = Counter()
    for line in simulated.courses():
        for record in simulated.records(line.course):
            decision = json.loads(record.body)["decision"]
            for fired in decision.get("fired", ()):
                counted[fired["rule"], "yes" if fired.get("delivered") else "holding"] += 1
            counted.update((rule, "no") for rule in decision.get("no", ()))
    found: Counter[tuple[str, str]] = Counter()
    for key, one in rates(simulated, Period(), simulated.courses()).items():
        if key.use is Use.RULE:
            found.update({(key.guard, "yes"): one.yes, (key.guard, "no"): one.no})
            found[key.guard, "holding"] += one.holding

    assert +found == +counted


def test_a_refused_request_counts_for_the_guards_that_kept_it_out(simulated: Service):
    refused = Counter(
        weighed["guard"]
        for line in simulated.courses()
        for record in simulated.records(line.course)
        if record.verdict == "refused"
        for attempt in json.loads(record.body)["decision"].get("attempts", ())
        for weighed in attempt["kept_by"]
    )
    found: Counter[str] = Counter()
    for key, one in rates(simulated, Period(), simulated.courses()).items():
        if key.use is Use.REQUIREMENT:
            found[key.guard] += one.no + one.unknown - one.overridden

    assert refused
    assert all(found[guard] >= number for guard, number in refused.items())


def test_overrides_are_counted(simulated: Service):
    found = rates(simulated, Period(), simulated.courses())
    overridden = sum(one.overridden for one in found.values())
    passed = sum(
        bool(weighed.get("passed"))
        for line in simulated.courses()
        for record in simulated.records(line.course)
        for weighed in json.loads(record.body)["decision"].get("weighed", ())
    )

    assert overridden == passed > 0


def test_two_halves_of_a_period_add_up_to_it(simulated: Service):
    middle = datetime(2024, 5, 1, tzinfo=UTC)
    whole = rates(simulated, Period(), simulated.courses())
    halves = [
        rates(simulated, period, simulated.courses())
        for period in (Period(until=middle), Period(since=middle))
    ]

    for key, one in whole.items():
        assert one.weighed == sum(half[key].weighed for half in halves if key in half)


def test_each_site_has_its_own_counts(simulated: Service):
    sites = {line.site for line in simulated.courses()}
    found = rates(simulated, Period(), simulated.courses())

    assert {key.site for key in found} == sites


def test_a_period_without_any_record_is_no_all_clear(simulated: Service):
    begun = min(simulated.records(line.course)[0].recorded_at for line in simulated.courses())
    middle = begun + timedelta(days=3650)
    found = heard(
        simulated,
        simulated.courses(),
        before=Period(until=middle),
        after=Period(since=middle),
    )
    tones = {one.tone for one in found}

    assert tones == {Tone.TOO_LITTLE, Tone.NEVER_FIRED}

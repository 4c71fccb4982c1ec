"""Whether a rule has stopped firing, told from chance by an exact test."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from math import comb
from random import Random

import pytest

from engine.silence import LEVEL, Share, Tone, chance, judged


def tone(before: tuple[int, int], after: tuple[int, int], level: Fraction = LEVEL) -> Tone:
    """What is made of one rule: in so many courses, fired in so many of them."""
    return tones({"rule": (before, after)}, level)["rule"]


def tones(
    rules: dict[str, tuple[tuple[int, int], tuple[int, int]]], level: Fraction = LEVEL
) -> dict[str, Tone]:
    shares = {
        ("workflow", name): (
            True,
            Share(courses=before[0], fired=before[1]),
            Share(courses=after[0], fired=after[1]),
        )
        for name, (before, after) in rules.items()
    }
    return {one.rule: one.tone for one in judged(shares, level)}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((100, 30), (50, 0), Tone.ALARM),
        ((100, 30), (50, 12), Tone.STEADY),
        ((100, 30), (4, 0), Tone.TOO_LITTLE),
        ((100, 30), (0, 0), Tone.TOO_LITTLE),
        ((100, 1), (50, 0), Tone.TOO_LITTLE),
        ((100, 0), (50, 0), Tone.NEVER_FIRED),
        ((100, 0), (50, 5), Tone.NEVER_FIRED),
        ((4, 1), (200, 60), Tone.STEADY),
        ((0, 0), (0, 0), Tone.NEVER_FIRED),
    ],
)
def test_a_silence_is_an_alarm_only_where_it_is_no_chance(
    before: tuple[int, int], after: tuple[int, int], expected: Tone
):
    assert tone(before, after) is expected


def test_the_chance_is_that_of_fishers_exact_test():
    """By counting every way in which the firings could lie among the courses."""
    before, after = Share(courses=5, fired=3), Share(courses=4, fired=1)
    ways = list(combinations(range(9), 4))
    few = sum(1 for way in ways if sum(one >= 5 for one in way) <= 1)

    assert chance(before, after) == Fraction(few, len(ways))


@pytest.mark.parametrize("courses", [(0, 3), (1, 1), (3, 5), (6, 4), (7, 0)])
def test_the_chance_of_few_firings_is_the_share_of_the_ways_that_have_so_few(
    courses: tuple[int, int],
):
    """Whatever fired in however many, also where more fired than there were courses before."""
    before, after = courses
    for fired_before, fired_after in product(range(before + 1), range(after + 1)):
        fired = fired_before + fired_after
        ways = [
            comb(after, few) * comb(before, fired - few) for few in range(min(fired, after) + 1)
        ]
        found = chance(
            Share(courses=before, fired=fired_before), Share(courses=after, fired=fired_after)
        )

        assert found == Fraction(sum(ways[: fired_after + 1]), sum(ways))


def test_a_rule_of_a_hundred_thousand_courses_is_told_from_chance_as_any_other():
    """Weighed in seconds; the numbers of ways have thirty thousand digits."""
    steady, fallen = ((90_000, 18_000), (10_000, 2_000)), ((90_000, 18_000), (10_000, 1_800))

    assert tones({"steady": steady, "fallen": fallen}) == {
        "steady": Tone.STEADY,
        "fallen": Tone.ALARM,
    }


def test_a_drop_that_is_no_complete_silence_is_an_alarm_too():
    assert tone((400, 200), (100, 10)) is Tone.ALARM


def test_many_rules_that_could_be_silent_by_chance_make_each_alarm_stricter():
    alone, among = ((60, 18), (16, 0)), {f"steady_{n}": ((60, 30), (60, 30)) for n in range(30)}

    assert tone(*alone) is Tone.ALARM
    assert tones({"rule": alone, **among})["rule"] is Tone.TOO_LITTLE


def test_rules_that_could_raise_no_alarm_make_no_other_stricter():
    alone, idle = ((60, 18), (16, 0)), {f"rare_{n}": ((60, 1), (60, 0)) for n in range(30)}

    assert tones({"rule": alone, **idle})["rule"] is Tone.ALARM


def test_where_nothing_changed_false_alarms_are_as_rare_as_declared():
    """A thousand reports of twenty rules that go on firing as before."""
    rng, level = Random(11), Fraction(1, 20)
    false = 0
    for _ in range(1000):
        rules = {}
        for n in range(20):
            rate = rng.choice((0.02, 0.1, 0.3, 0.6))
            fired = [sum(rng.random() < rate for _ in range(courses)) for courses in (40, 25)]
            rules[f"rule_{n}"] = ((40, fired[0]), (25, fired[1]))
        false += Tone.ALARM in tones(rules, level).values()

    assert false <= 50

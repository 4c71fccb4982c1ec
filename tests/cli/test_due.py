"""Visits as of a day: where it lies in their window, and why."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from engine.bootstrap import SystemClock
from tests.cli.conftest import Regimen


@pytest.mark.parametrize(
    ("as_of", "due", "why"),
    [
        ("2026-01-24", None, None),
        ("2026-01-25", "soon", "opens in 7 days, on 2026-02-01"),
        ("2026-01-31", "soon", "opens in 1 day, on 2026-02-01"),
        ("2026-02-01", "now", "open since 2026-02-01; the target is in 30 days"),
        ("2026-03-03", "now", "today is the target; it may be done until 2026-03-10"),
        ("2026-03-04", "overdue", "1 day past the target; it may be done for 6 days more"),
        ("2026-03-10", "overdue", "7 days past the target; today is the last day"),
        ("2026-03-11", "missed", "the window closed 1 day ago, on 2026-03-10"),
    ],
)
def test_a_visit_is_due_by_where_the_day_lies_in_its_window(
    gauges: Regimen, as_of: str, due: str | None, why: str | None
):
    answer = gauges("due", "--as-of", as_of, "--site", "north", "--json").json()
    found = [(visit["due"], visit["why"]) for visit in answer["visits"]]

    assert found == ([] if due is None else [(due, why)])


def test_a_visit_names_its_course_and_its_window(gauges: Regimen):
    (visit,) = gauges("due", "--as-of=2026-02-01", "--site=north", "--json").json()["visits"]

    assert (visit["course"], visit["visit"], visit["number"]) == ("gauge-1", "recalibration", 1)
    assert (visit["earliest"], visit["latest"]) == ("2026-02-01", "2026-03-10")
    assert (visit["site"], visit["state"]) == ("north", "in_service")


def test_what_is_missed_comes_first(gauges: Regimen):
    ran = gauges("due", "--as-of", "2026-02-01")

    assert ran.code == 0
    assert ran.out.index("missed") < ran.out.index("now")
    assert ran.out.index("gauge-2") < ran.out.index("gauge-1")


def test_how_far_ahead_is_soon_can_be_said(gauges: Regimen):
    answer = gauges("due", "--as-of=2026-01-01", "--soon=31", "--site=north", "--json").json()

    assert [visit["due"] for visit in answer["visits"]] == ["soon"]


def test_without_a_day_it_is_today(gauges: Regimen):
    (visit,) = gauges("due", "--site", "south", "--json").json()["visits"]
    today = SystemClock().now().date()

    assert date.fromisoformat(visit["as_of"]) - today in (timedelta(0), timedelta(days=1))


def test_nothing_due_is_said(gauges: Regimen):
    assert "No visit is due" in gauges("due", "--as-of", "2024-01-01").out


@pytest.mark.parametrize("day", ["today", "2026-13-01", "01.02.2026"])
def test_a_day_that_is_none_is_named(gauges: Regimen, day: str):
    ran = gauges("due", "--as-of", day)

    assert ran.code == 2
    assert f"--as-of: expected a date such as 2026-03-02, found {day!r}" in ran.err

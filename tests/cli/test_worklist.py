"""Worklists from the shell."""

from __future__ import annotations

import json
import shlex
from collections import Counter

import pytest

from engine.worklist import WORKLISTS
from tests.cli.conftest import Regimen


def test_without_a_kind_every_list_is_given(gauges: Regimen):
    answer = gauges("worklist", "--as-of", "2026-02-01", "--json").json()
    shown = {one["kind"]: [item["course"] for item in one["items"]] for one in answer["worklists"]}

    assert list(shown) == [one.value for one in WORKLISTS]
    assert (shown["due_now"], shown["missed"]) == (["gauge-1"], ["gauge-2"])
    assert shown["unbooked"] == ["gauge-1"]


def test_an_item_says_why_and_what_is_proposed(gauges: Regimen):
    calendar = {"format": 1, "zone": "Europe/Vienna", "open": ["monday"]}
    gauges("site", "set", "north", "-", stdin=json.dumps(calendar))
    ran = gauges("worklist", "--kind", "unbooked", "--as-of", "2026-02-01")

    assert ran.code == 0
    assert "2026-03-09 is proposed, since the target is a tuesday, when the site is closed" in (
        " ".join(ran.out.split())
    )


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (("--site", "north"), ["gauge-1"]),
        (("--site", "south"), []),
        (("--site", "south", "--site", "north"), ["gauge-1"]),
        (("--day", "2026-03-03"), ["gauge-1"]),
        (("--day", "2026-03-04"), []),
        (("--workflow", "instrument_calibration"), ["gauge-1"]),
        (("--workflow", "intralesional_il2"), []),
    ],
)
def test_a_list_is_of_sites_of_a_day_and_of_a_workflow(
    gauges: Regimen, asked: tuple[str, ...], found: list[str]
):
    told = gauges("worklist", "--kind=unbooked", "--as-of=2026-02-01", "--json", *asked).json()

    assert [item["course"] for item in told["worklists"][0]["items"]] == found


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--kind", "late"), "--kind: expected one of missed, overdue"),
        (("--as-of", "today"), "--as-of: expected a date"),
        (("--day", "today"), "--day: expected a date"),
        (("--cursor", "x"), "--cursor: expected one --kind beside it"),
        (("--cursor", "x", "--kind", "missed"), "cursor: expected the `next` of a page of missed"),
    ],
)
def test_what_cannot_be_asked_is_named(gauges: Regimen, asked: tuple[str, ...], said: str):
    ran = gauges("worklist", *asked)

    assert ran.code == 2
    assert said in ran.err


def test_the_command_that_shows_the_next_page_runs_as_it_is_printed(gauges: Regimen):
    """With every option that the first page was asked with: else it would be of another list."""
    gauges("simulate", "--workflow=instrument_calibration", "--courses=6", "--seed=3")
    missed = gauges("worklist", "--kind=missed", "--as-of=2030-01-01", "--json").json()
    sites = Counter(one["site"] for one in missed["worklists"][0]["items"])
    ((site, _),) = sites.most_common(1)
    asked = ("--kind=missed", f"--site={site}", "--site=hall 1", "--as-of=2030-01-01", "--soon=3",
             "--workflow=instrument_calibration")  # fmt: skip
    ran = gauges("--db=regimen.db", "worklist", *asked, "--limit=1")
    whole = gauges("worklist", *asked, "--json").json()["worklists"][0]["items"]
    (hint,) = [line for line in ran.out.splitlines() if line.startswith("There are more: ")]
    program, *arguments = shlex.split(hint.removeprefix("There are more: "))
    following = gauges(*arguments, "--json").json()

    assert (program, *arguments[:3]) == ("regimen", "--db", "regimen.db", "worklist")
    assert (following["as_of"], following["soon_days"]) == ("2030-01-01", 3)
    assert following["workflow"] == "instrument_calibration"
    assert following["sites"] == [site, "hall 1"]
    assert following["worklists"][0]["items"] == whole[1:2]


def test_nothing_to_do_is_said(gauges: Regimen):
    assert "Nothing is to be done." in gauges("worklist", "--kind", "overdue").out

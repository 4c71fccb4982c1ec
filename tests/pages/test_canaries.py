"""What the page of canary courses says of each definition."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from engine.core.blueprint import workflow_digest
from engine.flown import Flew, Flown
from engine.pages.canaries import Canary, canaries
from engine.pages.press import page
from engine.registry import Registry
from engine.testing import Story
from workflows import instrument_calibration

WORKFLOW = instrument_calibration.WORKFLOW
DIGEST = workflow_digest(WORKFLOW)
NOW = datetime(2026, 3, 2, 16, tzinfo=UTC)


def shown(*results: dict[str, Any], ago: timedelta | None = timedelta(hours=1)) -> Canary:
    service = Story(WORKFLOW).service
    with service.store.transaction(service.tenant, write=False) as tx:
        machine = Registry().machine(DIGEST, tx)
    sound = all(one["outcome"] in ("as-expected", "switched-off") for one in results)
    flown = [] if ago is None else [
        Flown(digest=DIGEST, workflow=WORKFLOW.label, at=NOW - ago, sound=sound,
              flight={"results": list(results), "sound": sound})
    ]  # fmt: skip
    days = [Flew(digest=one.digest, at=one.at, sound=one.sound) for one in flown]
    (found,) = canaries({DIGEST: machine}, [DIGEST], flown, days, NOW)
    return found


RULE = {
    "what": "rule",
    "guard": "deviation_above_limit",
    "action": "withdraw",
    "outcome": "as-expected",
    "event": "measurement_recorded",
    "state": "in_service",
}


def test_a_stop_rule_that_fired_is_told_by_its_title_with_where_and_by_what():
    (rule,) = shown(RULE).rules

    assert (rule.title, rule.outcome, rule.sound) == (
        "The deviation is above the limit", "fired", True,
    )  # fmt: skip
    assert rule.where == "measurement recorded, in “In service”"


def test_one_that_stayed_silent_is_named_before_those_that_fired():
    silent = RULE | {"outcome": "silent", "guard": "other"}
    found = shown(RULE, silent)

    assert [one.name for one in found.rules] == ["other", "deviation_above_limit"]
    assert [one.outcome for one in found.wrong] == ["stayed silent"]
    assert not found.sound


def test_what_a_parameter_switched_off_is_not_wrong_and_did_not_act():
    (rule,) = shown(RULE | {"outcome": "switched-off"}).rules

    assert (rule.sound, rule.acted) == (True, False)


OFF = RULE | {"outcome": "switched-off"}
SILENT = RULE | {"outcome": "silent"}


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([RULE], ""),
        ([RULE, OFF], "the other one is switched off by parameters"),
        ([RULE, OFF, OFF], "the other 2 are switched off by parameters"),
        ([RULE, OFF, OFF, SILENT], "2 are switched off by parameters"),
        ([RULE, SILENT], ""),
        ([OFF], "it is switched off by parameters"),
        ([OFF, OFF], "all are switched off by parameters"),
    ],
)
def test_a_count_that_is_not_full_says_what_parameters_switch_off(
    results: list[dict[str, Any]], said: str
):
    assert shown(*results).rules_off == said
    asked = [one | {"what": "requirement"} for one in results]
    assert shown(*asked).requirements_off == said


def test_the_page_says_it_beside_the_count():
    told = unescape(page("canaries.html", found=(shown(RULE, OFF, OFF),), frame=None))
    figure = re.search(r'<p class="figure yes">(.*?)</p>', told)

    assert figure is not None
    assert figure[1] == (
        "<b>1</b> of 3 stop rules fired; the other 2 are switched off by parameters"
    )


def test_a_definition_in_use_that_was_not_exercised_for_two_days_is_said_to_be():
    assert not shown(RULE, ago=timedelta(hours=47)).stale
    assert shown(RULE, ago=timedelta(hours=49)).stale
    never = shown(ago=None)
    assert (never.stale, never.flown, never.sound) == (True, False, False)

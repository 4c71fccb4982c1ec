"""Parameters are set from text as a site may set them, and refused by name where it may not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.core.expression import Span
from engine.core.quantity import q
from engine.core.setting import settings_of, with_settings
from engine.errors import InvalidInput
from workflows.instrument_calibration import WORKFLOW as GAUGES
from workflows.intralesional_il2 import WORKFLOW as IL2


def value(name: str, text: str) -> Any:
    found = with_settings(IL2, {name: text})
    return next(p.value for p in found.parameters if p.name == name)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("platelet_limit", "50", q("50", "10*3/uL")),
        ("platelet_limit", "50 10*3/uL", q("50", "10*3/uL")),
        ("platelet_limit", "50000 /mm3", q("50", "10*3/uL")),
        ("tail_days", "14", Decimal(14)),
        ("observe_for", "8 hours", timedelta(hours=8)),
        ("heart_rate_span", "45 minutes", timedelta(minutes=45)),
        ("labs_each_visit", "yes", True),
        ("observe_every_visit", "false", False),
        ("cycle_period", "2 months", Span(months=2)),
    ],
)
def test_a_text_is_read_as_a_value_of_the_parameters_own_kind(
    name: str, text: str, expected: object
) -> None:
    assert value(name, text) == expected


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("platelets_stop", "50", "platelet_span, platelet_limit"),
        ("platelet_limit", "50 mL", "platelet_limit: expected a number in 10*3/uL"),
        ("platelet_limit", "fifty", "platelet_limit: expected a number in 10*3/uL"),
        ("platelet_limit", "500", "platelet_limit: expected at least 30 10*3/uL and at most 100"),
        ("tail_days", "14 days", "tail_days: expected a number"),
        ("observe_for", "6", "observe_for: expected an elapsed time such as"),
        ("observe_for", "6 months", "observe_for: expected an elapsed time such as"),
        ("labs_each_visit", "maybe", "labs_each_visit: expected yes or no"),
        ("cycle_period", "3 hours", "cycle_period: expected a calendar span"),
    ],
)
def test_what_cannot_be_set_is_refused_by_name(name: str, text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        with_settings(IL2, {name: text})

    assert said in str(refused.value)


def test_what_was_set_is_told_with_its_unit() -> None:
    (one,) = settings_of(GAUGES, with_settings(GAUGES, {"deviation_limit": "3"}))

    assert (one.parameter, one.before, one.after) == ("deviation_limit", "5 um", "3 um")

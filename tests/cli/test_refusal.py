"""What a refusal tells: everything that is lacking, and only what somebody can change."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.core.encoding import instant_text
from tests.cli.conftest import Regimen

NOW = datetime.now(UTC)  # a request may not be old
ORDER = json.dumps(
    {
        "amount": {"value": "7", "unit": "M[IU]"},
        "split": [{"lesion": 1, "amount": {"value": "7", "unit": "M[IU]"}}],
    }
)
PRESSURE = {"value": "128", "unit": "mm[Hg]"}
COUNT = "\N{MULTIPLICATION SIGN}10³/µL"
RATE = {"value": "72", "unit": "/min"}


def sent(name: str, ago: timedelta, role: str = "nurse", **more: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "id": f"{name}-{int(ago.total_seconds())}",
        "course": "C-1",
        "event": name,
        "at": instant_text(NOW - ago),
        "actor": {"id": "a-1", "role": role},
        **more,
    }


@pytest.fixture
def il2(regimen: Regimen) -> Regimen:
    """A course before its test dose; two days ago pressure and pulse were taken, and no fever."""
    begun = {"workflow": "intralesional_il2", "patient": "P-1", "site": "north", "zone": "UTC"}
    vitals = {"systolic": PRESSURE, "heart_rate": RATE, "setting": "clinic"}
    counts = {"platelets": {"value": "-3", "unit": "10*3/uL"}}
    lines = [
        sent("course.enrolled", timedelta(days=3), **begun),
        sent("vital_signs_recorded", timedelta(days=2), data=vitals),
        sent("labs_recorded", timedelta(days=2), "laboratory", data=counts),
    ]
    ran = regimen("apply", "-", stdin="\n".join(map(json.dumps, lines)))
    assert ran.code == 0, ran
    return regimen


def kept(regimen: Regimen, guard: str, *more: str) -> dict[str, Any]:
    """What a guard that refuses the test dose says as data."""
    told = regimen("why-not", "C-1", "order_test_dose", "--json", *more).json()
    (found,) = [k for way in told["ways"] for k in way["kept_by"] if k["guard"] == guard]
    return dict(found)


def test_what_is_missing_beside_what_is_wrong_is_named(il2: Regimen):
    out = " ".join(il2("why-not", "C-1", "order_test_dose").out.split())
    vital_signs = kept(il2, "E18_vital_signs")

    assert "Body temperature: not recorded; vital_signs_recorded would bring it" in out
    assert vital_signs["verdict"] == "no"
    assert [lack["name"] for lack in vital_signs["missing"]] == ["temperature"]


def test_what_is_missing_beside_what_is_wrong_is_named_on_applying_and_in_the_log(il2: Regimen):
    # The impossible count keeps every dose, so it is corrected first.
    right = {"record": 3, "input": "platelets", "value": {"value": "150", "unit": "10*3/uL"}}
    mended = sent("course.corrected", timedelta(hours=1), "laboratory",
                  data=right, reason={"code": "typing-error"})  # fmt: skip
    order = sent("order_test_dose", timedelta(0), "clinician", data=json.loads(ORDER))
    lines = "\n".join(map(json.dumps, (mended, order)))
    ran = il2("apply", "--json", "-", stdin=lines)
    (refused,) = ran.json()["refusals"]
    (again,) = il2("apply", "--json", "-", stdin=lines).json()["refusals"]
    _, record = il2("log", "C-1", "--findings", "--json", "--after", "4").json()["records"]
    (vital_signs,) = [
        one
        for way in record["findings"]["ways"]
        for one in way["kept_by"]
        if one["guard"] == "E18_vital_signs"
    ]

    assert "temperature" in refused["missing"]
    assert (again["repeated"], again["missing"]) == (True, refused["missing"])
    assert [lack["name"] for lack in vital_signs["missing"]] == ["temperature"]


def test_an_impossible_value_is_told_with_what_is_possible(il2: Regimen):
    out = " ".join(il2("why-not", "C-1", "order_test_dose").out.split())
    (lack,) = kept(il2, "no_implausible_value")["missing"]

    assert f"Platelets: -3 {COUNT} is physically impossible, possible is 0 to 10000 {COUNT}" in out
    assert (lack["why"], lack["value"]) == ("impossible", "-3 10*3/uL")
    assert (lack["range"], lack["record"]) == ("0 to 10000 10*3/uL", 3)


def test_a_request_from_long_ago_is_told_how_long_ago_it_may_be(il2: Regimen):
    at = instant_text(datetime.now(UTC) - timedelta(days=2))
    ran = il2("why-not", "C-1", "order_test_dose", "--data", ORDER, "--at", at)

    assert ran.code == 1
    assert "further back than this request allows. At most 24 hours; it lies 48 hours" in ran.out


def test_nothing_that_a_clinician_reads_is_in_the_notation_of_programs(il2: Regimen):
    out = il2("why-not", "C-1", "order_test_dose").out
    told = il2("why-not", "C-1", "order_test_dose", "--json").json()
    compared = [c for way in told["ways"] for k in way["kept_by"] for c in k["comparisons"]]

    assert "None" not in out
    assert not [line for line in out.splitlines() if "asks:" in line and "_" in line]
    assert not [c["threshold"] for c in compared if "None" in (c["threshold"] or "")]
    assert "amount" in [c["threshold_name"] for c in compared]

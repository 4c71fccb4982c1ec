"""Whole courses of the IL-2 protocol, day by day; kept as golden histories too."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.testing import Story, step
from tests.workflows.il2 import (
    ITEMS,
    at_home,
    baseline,
    begun,
    day_of_visit,
    gives,
    in_tail,
    labs,
    observed,
    on_day_of_visit,
    orders,
    orders_test_dose,
    until,
    visit,
    waits,
)

REFRESHED = tuple(name for name in ITEMS if name not in {"stage", "imaging_body", "imaging_brain"})
DOSES = ("10", "13", "13", "13", "16", "16", "16", "16")


def plain() -> Story:
    """Test dose on 2 March 2026, eight visits, tail, twelve cycles."""
    return in_tail().until("2027-04-28 09:00")


def plain_2024() -> Story:
    """The same from 1 January 2024, through a leap day."""
    story = begun("2024-01-01 08:00").given(baseline()).until("2024-01-01 10:00")
    story.given(orders_test_dose(), gives("7 M[IU]"), observed, step("confirm_tolerated"))
    for day, amount in zip(("04", "08", "11", "15", "18", "22", "25", "29"), DOSES, strict=True):
        story.given(visit(f"{amount} M[IU]", on=f"2024-01-{day}", tolerated=day != "29"))
    return story.until("2025-02-27 09:00")


def enzyme_hold() -> Story:
    """Enzymes rise after the first visit; an echocardiogram on 10 March lets IL-2 go on."""
    story = on_day_of_visit().given(orders("10 M[IU]"), gives("10 M[IU]"), observed)
    story.given(step("cardiac_enzymes_recorded", role="laboratory", troponin="60 ng/L",
                     troponin_upper_limit="14 ng/L"))  # fmt: skip
    story.until("2026-03-10 09:00")
    assert story.sends("release_hold").refused, "no echocardiogram yet"
    story.given(
        step("echocardiogram_recorded", echocardiogram="no_dysfunction"),
        step("release_hold"),
        step("not_tolerated_reported"),
        step("toxicity_resolved"),
        until("2026-03-12 09:00"),
        day_of_visit,
    )
    assert story.sends("order_dose", amount="10 M[IU]",
                       split=[{"lesion": 1, "amount": "10 M[IU]"}]).refused  # fmt: skip
    return story.given(orders("7 M[IU]"), gives("7 M[IU]"), observed, step("confirm_tolerated"))


def falling_platelets() -> Story:
    """29 once blocks the dose, 31 reopens it; later 28 and 27 a day apart discontinue."""
    story = on_day_of_visit().given(labs(platelets="29 10*3/uL"))
    assert story.given().sends("order_dose", amount="10 M[IU]",
                               split=[{"lesion": 1, "amount": "10 M[IU]"}]).refused  # fmt: skip
    story.given(waits(hours=3), labs(platelets="31 10*3/uL"), orders("10 M[IU]"),
                gives("10 M[IU]"), observed, step("confirm_tolerated"))  # fmt: skip
    return story.given(until("2026-03-09 09:00"), labs(platelets="28 10*3/uL"),
                       waits(hours=24), labs(platelets="27 10*3/uL"))  # fmt: skip


def restart() -> Story:
    """A new cutaneous metastasis in July: refreshed baseline, second round from 6 July 2026."""
    story = in_tail().until("2026-07-01 09:00")
    story.given(step("lesion_finding_reported", finding="new_cutaneous", count=1),
                step("request_restart", finding="new_cutaneous"))  # fmt: skip
    story.until("2026-07-06 08:00").given(
        baseline(without=tuple(set(ITEMS) - set(REFRESHED) - {"imaging_body", "imaging_brain"})),
        until("2026-07-06 10:00"),
        orders_test_dose(),
        gives("7 M[IU]"),
        observed,
        step("confirm_tolerated"),
    )
    return story.given(visit("10 M[IU]", on="2026-07-09"))


def restart_abandoned() -> Story:
    """A restart is granted in July and abandoned in August; the maintenance has gone on."""
    story = in_tail().until("2026-07-01 09:00")
    story.given(step("lesion_finding_reported", finding="recurrent"),
                step("request_restart", finding="recurrent"))  # fmt: skip
    return story.until("2026-08-22 09:00").given(step("restart_abandoned"))


def clock_change() -> Story:
    """A test dose at 22:00 on the eve of the change of the clocks, 7 March 2026."""
    story = begun("2026-03-07 20:00").given(baseline(), until("2026-03-07 22:00"))
    story.given(orders_test_dose(), gives("7 M[IU]"), waits(hours=2), at_home(), waits(hours=4),
                at_home(), step("confirm_tolerated"))  # fmt: skip
    return story.given(visit("10 M[IU]", on="2026-03-10"))


COURSES: Mapping[str, Callable[[], Story]] = {
    "plain": plain,
    "plain-2024": plain_2024,
    "enzyme-hold": enzyme_hold,
    "falling-platelets": falling_platelets,
    "restart": restart,
    "restart-abandoned": restart_abandoned,
    "clock-change": clock_change,
}
"""The golden histories by name."""

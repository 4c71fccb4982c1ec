"""Leaving a course: from everywhere, correctable, and what comes after is still recorded."""

from __future__ import annotations

from datetime import date

import pytest

from engine.testing import step
from tests.workflows import courses
from tests.workflows.il2 import (
    after_dose,
    begun,
    gives,
    in_dose_hold,
    in_maintenance,
    in_tail,
    on_day_of_visit,
    waits,
)

BEGINNINGS = {
    "baseline": begun,
    "observing_dose": after_dose,
    "escalation": on_day_of_visit,
    "dose_hold": in_dose_hold,
    "tail": in_tail,
    "maintenance": in_maintenance,
    "il2_discontinued": courses.falling_platelets,
}


@pytest.mark.parametrize("state", BEGINNINGS)
@pytest.mark.parametrize(
    ("event", "fields", "end"),
    [
        ("death_reported", {}, "died"),
        ("withdrawal_reported", {"scope": "all"}, "withdrawn"),
        ("contact_lost", {}, "lost_to_follow_up"),
        ("transfer_reported", {}, "transferred"),
        ("follow_up_ended", {}, "completed"),
    ],
    ids=["death", "withdrawal", "lost", "transfer", "end"],
)
def test_every_exit_is_open_from_everywhere_and_cancels_what_waits(
    state: str, event: str, fields: dict[str, str], end: str
) -> None:
    story = BEGINNINGS[state]()
    assert story.state == state
    answer = story.sends(event, **fields)

    assert answer.verdict == "accepted"
    assert story.state == end
    assert story.timers == {}
    assert story.visits == {}
    story.verify()


@pytest.mark.parametrize("end", ["death_reported", "contact_lost", "transfer_reported"])
def test_what_comes_after_an_exit_is_still_recorded(end: str) -> None:
    story = after_dose().given(step(end), waits(hours=20))
    late = story.sends("labs_recorded", role="laboratory", platelets="120 10*3/uL")
    event = story.sends("adverse_event_reported", term="confusion", grade=2, at="2026-03-05 12:00")

    assert not late.refused
    assert not event.refused
    assert story.state not in {"observing_dose", "il2_discontinued"}
    story.verify()


def test_who_was_lost_and_is_found_again_goes_on_where_the_course_stood() -> None:
    story = in_maintenance().given(step("contact_lost"), waits(days=40), step("contact_regained"))
    story.advance(minutes=1)

    assert story.state == "maintenance"
    assert story.visits["maintenance_cycle"].target == date(2026, 6, 20)


def test_a_death_entered_in_error_is_corrected() -> None:
    story = in_maintenance().given(
        step("death_reported"), step("exit_corrected", reason="entered-in-error")
    )

    assert story.state == "maintenance"
    story.verify()


def test_a_withdrawal_from_il2_leaves_the_topicals_to_a_clinician() -> None:
    story = on_day_of_visit().given(step("withdrawal_reported", role="patient", scope="il2"))

    assert story.state == "il2_discontinued"
    assert story.sends("confirm_topicals", continue_topicals=True).state == "tail"


def test_a_withdrawal_from_the_topicals_ends_them_and_not_the_il2() -> None:
    story = on_day_of_visit().given(step("withdrawal_reported", scope="topicals"))

    assert story.state == "escalation"
    assert story.variables["topical_mode"] == "stopped"


def test_a_withdrawal_from_the_topicals_in_maintenance_is_followed_up() -> None:
    story = in_maintenance().given(step("withdrawal_reported", scope="topicals"))

    assert story.state == "follow_up"
    assert story.visits == {}


def test_an_injection_after_an_exit_is_a_deviation_that_is_observed() -> None:
    story = on_day_of_visit().given(step("transfer_reported"), waits(hours=20))
    answer = gives("7 M[IU]")(story)

    assert answer.verdict == "deviation"  # type: ignore[attr-defined]  # an answer
    assert story.state == "observing_dose"
    story.verify()


def test_the_dead_stay_dead_whatever_is_reported_after() -> None:
    story = after_dose().given(step("death_reported"), waits(hours=2))
    for part in (gives("7 M[IU]"), step("contact_lost"), step("symptoms_reviewed")):
        part(story)

    assert story.state == "died"
    story.verify()

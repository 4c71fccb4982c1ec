"""The protocol day by day: what is due when, what a hold delays, what a restart supersedes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.testing import Story, kept_by, step
from tests.workflows import courses
from tests.workflows.il2 import (
    after_dose,
    at_home,
    begun,
    day_of_visit,
    escalating,
    in_dose_hold,
    in_tail,
    split,
    until,
    visit,
    waits,
)


def kinds(body: Any) -> list[str]:
    return [message["kind"] for message in body["decision"].get("messages", ())]


def targets(story: Story, visit_name: str, days: list[str]) -> list[tuple[int, date]]:
    """Which visit of a series was due on each of these mornings."""
    found = []
    for day in days:
        window = story.until(f"{day} 08:00").visits[visit_name]
        found.append((window.number, window.target))
    return found


# --- plain ------------------------------------------------------------------------------------


def test_eight_visits_are_due_on_the_mondays_and_thursdays_of_four_weeks() -> None:
    story = escalating()
    due = []
    for n in range(8):
        window = story.visits["escalation_visit"]
        due.append(window.target)
        assert window.number == n + 1
        story.given(visit("7 M[IU]", on=window.target.isoformat(), tolerated=n < 7))

    assert due == [date(2026, 3, day) for day in (5, 9, 12, 16, 19, 23, 26, 30)]
    assert story.state == "tail"


def test_the_tail_ends_three_weeks_after_the_last_dose_given() -> None:
    story = in_tail()
    assert story.variables["tail_ends_on"] == date(2026, 4, 20)

    assert story.until("2026-04-20 23:58").state == "tail"
    assert story.until("2026-04-21 00:00").state == "maintenance"


def test_twelve_cycles_of_seven_nights_begin_a_calendar_month_apart() -> None:
    story = in_tail()
    months = [(2026, m) for m in range(5, 13)] + [(2027, m) for m in range(1, 5)]
    for n, (year, month) in enumerate(months, 1):
        window = story.until(f"{year}-{month:02}-20 08:00").visits["maintenance_cycle"]
        assert (window.number, window.target) == (n, date(year, month, 20))
        assert window.latest == date(year, month, 26)
        assert story.variables["topical_mode"] == "maintenance_on"
        story.until(f"{year}-{month:02}-27 08:00")
        if n < 12:
            assert story.variables["topical_mode"] == "maintenance_off"

    assert story.state == "follow_up"
    story.verify()


def test_the_last_cycle_ends_on_26_april_2027() -> None:
    story = in_tail().until("2027-04-26 23:58")
    assert story.state == "maintenance"

    assert story.until("2027-04-27 00:00").state == "follow_up"
    assert story.timers == {}
    assert story.visits == {}


def test_the_dates_of_a_course_that_begins_on_1_january_2024() -> None:
    story = courses.plain_2024()
    doses = [b["event"]["at"][:10] for b in story.events("dose_given")]
    begun_on = [story.on(story.at(b["event"]["at"])) for b in story.events("cycle_began")]
    ended_on = [story.on(story.at(b["event"]["at"])) for b in story.events("cycle_over")]
    (tail_over,) = story.events("tail_over")

    assert doses == [f"2024-01-{d:02}" for d in (1, 4, 8, 11, 15, 18, 22, 25, 29)]
    assert story.on(story.at(tail_over["event"]["at"])) == date(2024, 2, 19)
    assert begun_on[0] == date(2024, 3, 19)
    assert begun_on[-1] == date(2025, 2, 19)
    assert ended_on[-1] == date(2025, 2, 25)
    assert len(begun_on) == 12
    story.verify()


def test_a_missed_cycle_is_recorded_and_shifts_nothing() -> None:
    story = in_tail().until("2026-05-27 09:00")
    story.sends("maintenance_cycle_reported", cycle=1, outcome="missed")
    window = story.until("2026-06-20 09:00").visits["maintenance_cycle"]

    assert story.variables["cycles_missed"] == 1
    assert (window.number, window.target) == (2, date(2026, 6, 20))


def test_a_month_without_the_day_is_clamped_to_its_end() -> None:
    """A tail that ends on 31 January is followed by cycles on 28 February, 31 March, 30 April."""
    story = begun("2025-12-12 08:00").given(courses.baseline(), until("2025-12-13 10:00"))
    story.given(day_of_visit, step("medications_reviewed", medications=True),
                courses.orders_test_dose(), courses.gives("7 M[IU]"), courses.observed,
                step("confirm_tolerated"))  # fmt: skip
    story.given(visit("7 M[IU]", on="2026-01-10", tolerated=False))
    assert story.variables["tail_ends_on"] == date(2026, 1, 31)

    due = targets(story, "maintenance_cycle", ["2026-02-28", "2026-03-31", "2026-04-30"])
    assert due == [(1, date(2026, 2, 28)), (2, date(2026, 3, 31)), (3, date(2026, 4, 30))]


def test_an_early_end_starts_the_tail_at_the_decision_when_it_is_later_than_the_last_dose() -> None:
    story = escalating().given(visit("7 M[IU]", on="2026-03-05"), until("2026-03-08 09:00"))
    story.sends("end_il2", continue_topicals=True, reason="patient-wish")

    assert story.state == "tail"
    assert story.variables["tail_ends_on"] == date(2026, 3, 29)


def test_a_last_visit_that_was_missed_does_not_move_the_tail_before_its_decision() -> None:
    """The window ends on 30 March; the last dose was on 26 March: the later one counts."""
    story = escalating()
    for day in ("05", "09", "12", "16", "19", "23", "26"):
        story.given(visit("7 M[IU]", on=f"2026-03-{day}"))
    story.until("2026-04-01 09:00")

    assert story.state == "tail"
    assert story.variables["doses_given"] == 7
    assert story.variables["tail_ends_on"] == date(2026, 4, 20)


# --- observation and pressure at home ---------------------------------------------------------


def test_six_hours_after_each_dose_the_observation_ends_by_itself() -> None:
    story = after_dose().until("2026-03-05 15:00")
    (over, *earlier) = reversed(story.events("observation_over"))

    assert over["event"]["at"] == "2026-03-05T23:00:00Z"
    assert len(earlier) == 1
    assert story.state == "escalation"


def test_a_low_pressure_at_home_that_nobody_repeats_is_expedited_after_15_minutes() -> None:
    story = after_dose().given(waits(hours=2), at_home(90))
    low_at = story.clock.now()
    story.advance(minutes=14)
    assert story.events("repeat_pressure_overdue") == []

    (overdue,) = story.advance(minutes=1).events("repeat_pressure_overdue")
    assert story.at(overdue["event"]["at"]) - low_at == story.clock.now() - low_at
    assert "patient.expedite" in kinds(overdue)
    story.verify()


def test_a_low_pressure_at_home_that_has_recovered_expedites_nobody() -> None:
    story = after_dose().given(waits(hours=2), at_home(90), waits(minutes=10), at_home(91))
    story.advance(hours=2)

    assert not [b for b in story.events() if "patient.expedite" in kinds(b)]


def test_a_low_pressure_in_the_clinic_waits_for_no_repetition() -> None:
    story = after_dose().given(
        waits(hours=2), step("vital_signs_recorded", setting="clinic", systolic="88 mm[Hg]")
    )

    assert not [b for b in story.advance(hours=2).events() if "patient.expedite" in kinds(b)]


# --- enzyme hold ------------------------------------------------------------------------------


def test_a_hold_lasts_until_a_clinician_releases_it_after_an_echocardiogram() -> None:
    story = courses.enzyme_hold()
    states = [(b["event"]["event"], b["state"][1], b["verdict"]) for b in story.events()]

    assert ("cardiac_enzymes_recorded", "dose_hold", "accepted") in states
    assert ("release_hold", "dose_hold", "refused") in states
    assert ("echocardiogram_recorded", "dose_hold", "accepted") in states
    assert ("release_hold", "escalation", "accepted") in states
    story.verify()


def test_a_visit_that_lapsed_during_a_hold_is_not_made_up() -> None:
    story = courses.enzyme_hold()

    assert story.variables["missed_slots"] == 1
    assert story.variables["doses_given"] == 2
    assert story.variables["window_ends_on"] == date(2026, 3, 30)
    assert story.visits["escalation_visit"].target == date(2026, 3, 16)


def test_after_a_hold_the_last_tolerated_dose_is_the_limit() -> None:
    story = courses.enzyme_hold()
    refusals = [b for b in story.events("order_dose") if b["verdict"] == "refused"]
    (guards,) = [
        [w["guard"] for a in b["decision"]["attempts"] for w in a["kept_by"]] for b in refusals
    ]

    assert guards == ["dose_not_above_tolerated_after_intolerance"]
    assert story.variables["last_tolerated_dose"] == 7


def test_enzymes_are_due_every_eight_hours_until_a_clinician_ends_the_trend() -> None:
    story = in_dose_hold()
    rise = story.clock.now()
    story.advance(hours=8)
    (due,) = story.events("enzyme_check_due")
    assert (story.at(due["event"]["at"]) - rise).total_seconds() == 8 * 3600

    story.sends("cardiac_enzymes_recorded", role="laboratory", cardiac_enzymes="elevated_falling")
    story.advance(hours=8)
    assert len(story.events("enzyme_check_due")) == 2

    story.sends("cardiac_enzymes_recorded", role="laboratory", cardiac_enzymes="elevated_falling")
    story.sends("enzyme_trend_ended")
    story.advance(hours=48)
    assert len(story.events("enzyme_check_due")) == 2
    assert story.state == "dose_hold", "the trend is not the hold"


def test_topicals_and_vital_signs_go_on_during_a_hold() -> None:
    story = in_dose_hold().given(at_home(), step("topicals_reduced"))

    assert story.state == "dose_hold"
    assert story.variables["topical_nights"] == 5


# --- platelets --------------------------------------------------------------------------------


def test_platelets_block_reopen_and_discontinue() -> None:
    story = courses.falling_platelets()
    orders_ = [b["verdict"] for b in story.events("order_dose")]

    assert orders_ == ["refused", "accepted"]
    assert story.state == "il2_discontinued"
    assert story.variables["stopped_by"] == "N06"
    assert story.variables["doses_given"] == 1
    story.verify()


def test_after_a_discontinuation_nothing_of_the_round_is_due() -> None:
    story = courses.falling_platelets()

    assert "escalation_visit" not in story.visits
    assert not {"slot", "window"} & set(story.timers)
    for amount in ("3 M[IU]", "7 M[IU]"):
        answer = story.given(day_of_visit).sends("order_dose", amount=amount, split=split(amount))
        assert answer.refused


# --- restart ----------------------------------------------------------------------------------


def test_a_restart_supersedes_the_old_maintenance_when_its_test_dose_is_given() -> None:
    story = in_tail().until("2026-07-01 09:00")
    story.given(step("lesion_finding_reported", finding="new_cutaneous"),
                step("request_restart", finding="new_cutaneous"))  # fmt: skip
    assert story.state == "restart_baseline"
    assert story.round == 1
    assert story.visits["maintenance_cycle"].target == date(2026, 7, 20), "it goes on until then"

    second = courses.restart()
    assert second.round == 2
    assert "maintenance_cycle" not in second.visits
    assert second.variables["d0"] == date(2026, 7, 6)
    assert second.variables["window_ends_on"] == date(2026, 8, 3)


def test_a_new_round_forgets_its_own_and_keeps_the_life_s() -> None:
    story = courses.restart()

    assert story.variables["round_dose_total"] == 17
    assert story.variables["dose_total"] == 137
    assert story.variables["doses_given"] == 1
    assert story.variables["slot"] == 2
    assert story.variables["last_tolerated_dose"] == 10
    assert story.variables["cycle"] == 0
    story.verify()


def test_the_cycles_of_the_second_round_count_from_its_own_tail() -> None:
    story = courses.restart().until("2026-08-04 09:00")
    assert story.state == "tail"
    assert story.variables["tail_ends_on"] == date(2026, 8, 24)

    window = story.until("2026-09-24 09:00").visits["maintenance_cycle"]
    assert (window.number, window.target) == (1, date(2026, 9, 24))


def test_an_abandoned_restart_returns_to_the_maintenance_as_it_has_gone_on() -> None:
    story = courses.restart_abandoned()

    assert story.state == "maintenance"
    assert story.round == 1
    assert story.variables["cycle"] == 4
    assert story.visits["maintenance_cycle"].target == date(2026, 8, 20)
    assert story.until("2027-04-27 00:00").state == "follow_up"
    story.verify()


def test_a_restart_after_a_discontinuation_needs_an_override() -> None:
    story = courses.falling_platelets()
    story.given(step("confirm_topicals", continue_topicals=False), until("2026-09-01 09:00"))
    story.given(step("lesion_finding_reported", finding="new_cutaneous"))
    answer = story.sends("request_restart", finding="new_cutaneous")
    assert kept_by(answer) == ("E22_no_stop_rule_open",)

    answer = story.sends("request_restart", finding="new_cutaneous",
                         override="E22_no_stop_rule_open", code="clinical-judgement")  # fmt: skip
    assert answer.verdict == "accepted"
    assert story.state == "restart_baseline"


# --- the change of the clocks -----------------------------------------------------------------


def test_six_hours_over_the_change_of_the_clocks_are_six_hours() -> None:
    """From 22:00 on 7 March to 05:00 on 8 March by the wall."""
    story = courses.clock_change()
    given_, *_ = story.events("dose_given")
    over, *_ = story.events("observation_over")
    ended = story.at(over["event"]["at"]).astimezone(story.zone)

    assert (story.at(over["event"]["at"]) - story.at(given_["event"]["at"])).seconds == 6 * 3600
    assert ended.strftime("%Y-%m-%d %H:%M") == "2026-03-08 05:00"


def test_the_schedule_counts_civil_days_over_the_change_of_the_clocks() -> None:
    story = courses.clock_change()

    assert story.variables["d0"] == date(2026, 3, 7)
    assert story.variables["window_ends_on"] == date(2026, 4, 4)
    assert story.visits["escalation_visit"].target == date(2026, 3, 14)
    assert story.timers["window"].due == story.at("2026-04-04 23:59")
    story.verify()


@pytest.mark.parametrize("zone", ["Europe/Zurich", "Asia/Kolkata", "Pacific/Auckland"])
def test_the_dates_are_those_of_the_site_wherever_it_is(zone: str) -> None:
    story = begun("2026-03-02 08:00", zone=zone).given(courses.baseline())
    story.until("2026-03-02 10:00").given(
        courses.orders_test_dose(), courses.gives("7 M[IU]"), courses.observed,
        step("confirm_tolerated"),
    )  # fmt: skip

    assert story.variables["d0"] == date(2026, 3, 2)
    assert story.visits["escalation_visit"].target == date(2026, 3, 5)
    assert story.until("2026-03-31 00:00").state == "tail"

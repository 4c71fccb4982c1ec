"""What is corrected, retracted or entered late counts where it belongs, and nowhere else."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.answer import Answer
from engine.testing import Story, kept_by, said, step
from tests.workflows.il2 import (
    after_dose,
    after_test_dose,
    baseline,
    begun,
    day_of_visit,
    escalating,
    gives,
    in_dose_hold,
    in_maintenance,
    in_tail,
    labs,
    observed,
    on_day_of_visit,
    orders,
    orders_test_dose,
    until,
    visit,
    vital_signs,
)
from tests.workflows.test_no_way_around import asks, asks_with_every_reason, reason


def dose(story: Story, amount: str, **how: Any) -> Answer:
    return story.sends("dose_given", role="nurse", amount=amount, **how)


def dose_corrected(story: Story, wrong: Answer, value: Any = None) -> Answer:
    """A correction of the amount (and the time, where it is said); without a value, an error."""
    answer = story.corrects(wrong, "il2_dose", value, role="clinician")
    assert answer.verdict == "accepted", said(answer)
    return answer


def given(story: Story, number: int = -1) -> Answer:
    """What was answered to one of the injections."""
    return [answer for answer in story.answers if answer.event == "dose_given"][number]


def totals(story: Story) -> tuple[Any, Any, Any, Any]:
    """Doses after the test dose, test doses, IL-2 of the round, IL-2 in all."""
    known = story.variables
    return (
        known["doses_given"], known["test_doses"], known["round_dose_total"], known["dose_total"]
    )  # fmt: skip


def two_visits() -> Story:
    """7, then 10 and 13 million units, all tolerated; it is the evening of 9 March."""
    return escalating().given(
        visit("10 M[IU]", on="2026-03-05"), visit("13 M[IU]", on="2026-03-09")
    )


# --- the amount of a dose ------------------------------------------------------------------------


def test_the_corrected_amount_of_an_earlier_dose_moves_the_totals():
    story = two_visits()
    assert totals(story) == (2, 1, 30, 30)

    dose_corrected(story, given(story, 1), "1 M[IU]")

    assert totals(story) == (2, 1, 21, 21)
    assert story.variables["last_dose"] == 13
    story.verify()


def test_the_corrected_amount_of_the_dose_before_is_what_a_step_is_measured_from():
    story = two_visits()
    dose_corrected(story, given(story, 1), "12 M[IU]")

    assert story.variables["previous_tolerated_dose"] == 12
    assert story.variables["last_tolerated_dose"] == 13


def test_an_amount_of_an_earlier_dose_above_the_limit_is_reviewed():
    story = two_visits()
    answer = dose_corrected(story, given(story, 1), "23 M[IU]")

    assert answer.state == "dose_review"
    assert story.variables["review_needed"] is True


def test_an_amount_that_cannot_be_leaves_the_totals_unknown_until_it_is_corrected():
    story = on_day_of_visit().given(orders("10 M[IU]"))
    wrong = dose(story, "10000 M[IU]")
    assert totals(story) == (1, 1, None, None)

    dose_corrected(story.advance(minutes=5), wrong, "10 M[IU]")
    assert totals(story) == (1, 1, 17, 17)


def test_a_dose_whose_amount_cannot_be_is_one_of_two_in_seven_days():
    story = escalating().given(visit("7 M[IU]", on="2026-03-05"))
    story.until("2026-03-07 09:00").given(day_of_visit)
    dose(story, "7000 M[IU]")
    observed(story)
    story.given(step("resume_escalation")).until("2026-03-11 09:00").given(day_of_visit)

    assert "at_most_2_doses_in_7_days" in kept_by(asks(story, "7 M[IU]"))


# --- a dose that was none ------------------------------------------------------------------------


def test_a_visit_dose_entered_in_error_falls_back_to_the_one_before():
    story = two_visits()
    answer = dose_corrected(story, given(story))

    known = story.variables
    assert totals(story) == (1, 1, 17, 17)
    assert (known["last_dose"], known["last_dose_on"]) == (10, date(2026, 3, 5))
    assert (known["last_tolerated_dose"], known["previous_tolerated_dose"]) == (10, None)
    assert known["visit_tolerance"] == "unassessed"
    assert known["review_needed"] is True
    assert answer.state == "dose_review"
    story.verify()


def test_a_dose_entered_twice_counts_once_and_the_course_goes_on():
    story = on_day_of_visit().given(orders("10 M[IU]"), gives("10 M[IU]")).advance(minutes=5)
    twice = dose(story, "10 M[IU]", at="2026-03-05 09:01")
    assert totals(story) == (2, 1, 27, 27)
    dose_corrected(story, twice)
    observed(story)

    assert totals(story) == (1, 1, 17, 17)
    assert story.variables["slot"] == 2
    assert story.sends("confirm_tolerated", role="clinician").verdict == "accepted"
    assert story.sends("resume_escalation", role="clinician").verdict == "accepted"
    story.until("2026-03-09 09:00").given(day_of_visit)
    assert asks(story, "13 M[IU]").verdict == "accepted"


def test_the_spacing_is_counted_from_the_last_dose_that_was_given():
    story = escalating().given(visit("10 M[IU]", on="2026-03-05"))
    story.until("2026-03-08 09:00")
    wrong = dose(story, "10 M[IU]")
    story.until("2026-03-09 09:00").given(day_of_visit)
    dose_corrected(story, wrong)
    story.given(step("confirm_tolerated"), step("resume_escalation"))

    assert asks(story, "13 M[IU]").verdict == "accepted"


def test_the_observation_that_runs_is_that_of_the_last_dose_that_was_given():
    story = on_day_of_visit().given(orders("10 M[IU]"), gives("10 M[IU]")).advance(hours=2)
    twice = dose(story, "10 M[IU]")
    story.advance(minutes=1)
    dose_corrected(story, twice)

    assert story.variables["observation_open"] is True
    assert str(story.variables["observation_ends_at"]).startswith("2026-03-05 23:00")  # 15:00 there
    assert story.until("2026-03-05 15:30").variables["observation_open"] is False


def test_a_visit_that_was_not_made_may_be_made_while_its_days_last():
    story = on_day_of_visit()
    wrong = dose(story, "10 M[IU]")
    assert story.variables["slot"] == 2
    story.advance(minutes=5)
    dose_corrected(story, wrong)
    assert (story.variables["slot"], story.variables["missed_slots"]) == (1, 0)

    story.given(step("confirm_tolerated"), step("resume_escalation"), day_of_visit)
    assert asks(story, "10 M[IU]").verdict == "accepted"


def test_a_visit_that_was_not_made_is_missed_once_its_days_are_over():
    story = escalating().given(visit("10 M[IU]", on="2026-03-05")).until("2026-03-07 09:00")
    dose_corrected(story, given(story))

    assert (story.variables["slot"], story.variables["missed_slots"]) == (2, 1)


def test_what_followed_the_dose_before_counts_again():
    """An emergency visit after the first dose is not forgotten with a second that was none."""
    story = on_day_of_visit().given(orders("10 M[IU]"), gives("10 M[IU]"), observed)
    story.given(step("emergency_visit_reported"), step("not_tolerated_reported"))
    story.until("2026-03-09 09:00")
    wrong = dose(story, "7 M[IU]")
    observed(story)
    dose_corrected(story, wrong)

    assert story.variables["visit_tolerance"] == "not_tolerated"
    assert story.variables["emergency_since_dose"] is True
    assert story.sends("confirm_tolerated", **reason("confirm_tolerated")).refused


def test_without_its_test_dose_there_is_no_escalation():
    story = two_visits()
    answer = dose_corrected(story, given(story, 0))

    assert answer.state == "test_dose_review"
    assert story.variables["d0"] is None
    assert asks_with_every_reason(story).refused
    assert story.sends("confirm_tolerated", **reason("confirm_tolerated")).refused
    story.verify()


def test_of_two_test_doses_of_which_one_was_none_the_other_stands():
    story = after_test_dose().advance(minutes=5)
    twice = dose(story, "7 M[IU]", at="2026-03-02 10:02")
    dose_corrected(story, twice)
    observed(story)

    assert totals(story) == (0, 1, 7, 7)
    assert story.state == "test_dose_review"
    assert story.sends("confirm_tolerated", role="clinician").verdict == "accepted"


def test_a_first_test_dose_that_was_none_is_ordered_anew():
    story = after_test_dose().advance(minutes=5)
    answer = dose_corrected(story, given(story))
    assert answer.state == "test_dose_review"
    assert (story.variables["last_dose_at"], story.variables["observation_open"]) == (None, False)
    assert totals(story) == (0, 0, 0, 0)
    assert story.sends("confirm_tolerated", **reason("confirm_tolerated")).refused

    story.given(day_of_visit, orders_test_dose())
    assert dose(story, "7 M[IU]").verdict == "accepted"
    observed(story)
    assert story.sends("confirm_tolerated", role="clinician").verdict == "accepted"
    story.verify()


def test_a_last_dose_that_was_none_moves_the_tail():
    story = in_tail()
    assert story.variables["tail_ends_on"] == date(2026, 4, 20)
    dose_corrected(story, given(story))

    assert story.variables["last_dose_on"] == date(2026, 3, 26)
    assert story.variables["tail_ends_on"] == date(2026, 4, 16)
    assert story.variables["missed_slots"] == 1


# --- amount and time together, and late entries --------------------------------------------------


def test_amount_and_time_of_a_dose_are_corrected_together():
    story = on_day_of_visit().given(orders("10 M[IU]"), gives("10 M[IU]")).advance(hours=1)
    dose_corrected(
        story, given(story), {"value": "12", "unit": "M[IU]", "at": "2026-03-05T08:30:00-08:00"}
    )

    known = story.variables
    assert (known["last_dose"], known["dose_total"]) == (12, 19)
    assert str(known["last_dose_at"]).startswith("2026-03-05 16:30")
    assert known["visit_tolerance"] == "unassessed"
    story.verify()


def test_the_time_of_the_test_dose_is_corrected():
    story = after_test_dose().advance(hours=1)
    dose_corrected(
        story, given(story), {"value": "7", "unit": "M[IU]", "at": "2026-03-02T09:00:00-08:00"}
    )

    assert totals(story) == (0, 1, 7, 7)
    assert str(story.variables["observation_ends_at"]).startswith("2026-03-02 23:00")
    assert story.variables["first_injection_at"] == story.variables["last_dose_at"]


def test_a_dose_of_an_earlier_round_that_is_entered_late_is_of_that_round():
    story = in_maintenance().until("2026-07-01 09:00")
    before = story.variables["dose_total"]
    story.given(step("lesion_finding_reported", finding="recurrent"),
                step("request_restart", finding="recurrent"))  # fmt: skip
    story.until("2026-07-06 08:00").given(baseline(), until("2026-07-06 10:00"))
    story.given(orders_test_dose(), gives("7 M[IU]"), observed, step("confirm_tolerated"))
    story.given(visit("10 M[IU]", on="2026-07-09"))
    assert dose(story, "12 M[IU]", at="2026-03-31 09:00").verdict == "deviation"

    assert totals(story) == (1, 1, 17, before + 29)
    assert (story.state, story.variables["review_needed"]) == ("escalation", False)
    assert story.variables["last_dose"] == 10
    story.verify()


def test_a_dose_from_before_the_tolerated_test_dose_is_no_visit():
    story = two_visits()
    dose(story, "3 M[IU]", at="2026-03-02 08:00")

    assert totals(story) == (2, 2, 33, 33)
    assert str(story.variables["first_injection_at"]).startswith("2026-03-02 16:00")


def test_a_dose_of_the_escalation_that_is_entered_late_is_a_visit():
    story = escalating().given(visit("10 M[IU]", on="2026-03-09"))
    dose(story, "10 M[IU]", at="2026-03-05 09:00")

    assert totals(story) == (2, 1, 27, 27)
    assert story.variables["missed_slots"] == 0
    story.until("2026-03-11 09:00").given(day_of_visit)
    assert "at_most_2_doses_in_7_days" in kept_by(asks(story, "10 M[IU]"))


# --- the end of the weeks ------------------------------------------------------------------------


def test_the_last_planned_visit_is_missed_like_any_other():
    story = escalating()
    for day in ("05", "09", "12", "16", "19", "23", "26"):
        story.given(visit("7 M[IU]", on=f"2026-03-{day}"))
    story.until("2026-04-02 09:00")

    assert story.state == "tail"
    assert (story.variables["doses_given"], story.variables["missed_slots"]) == (7, 1)


def test_of_a_round_without_a_visit_all_eight_were_missed():
    story = escalating().until("2026-04-02 09:00")

    assert story.variables["missed_slots"] == 8


def test_more_weeks_after_the_end_miss_no_visit_twice():
    story = escalating().until("2026-03-31 09:00")
    assert story.state == "tail"
    story.given(step("extend_window", weeks=6, **reason("extend_window")))

    assert (story.variables["slot"], story.variables["missed_slots"]) == (9, 8)
    assert story.until("2026-04-14 09:00").variables["missed_slots"] == 12


def test_a_review_that_is_open_when_the_weeks_are_over_discontinues_nothing():
    story = on_day_of_visit().given(orders("10 M[IU]"), gives("10 M[IU]"))
    story.sends("vasopressor_given", drug="phenylephrine", rate="1 ug/kg/min")
    observed(story)
    assert story.state == "dose_review"
    story.until("2026-04-02 09:00")

    assert story.state == "dose_review"
    assert story.variables["review_needed"] is True
    assert story.variables["il2_ended_by"] is None
    assert asks_with_every_reason(story).refused
    assert story.sends("resume_escalation", **reason("resume_escalation")).refused
    ended = story.sends("end_il2", continue_topicals=True, reason="clinical-decision")
    assert ended.state == "tail"


def test_a_hold_that_is_open_when_the_weeks_are_over_discontinues():
    assert in_dose_hold().until("2026-04-02 09:00").state == "il2_discontinued"


def test_a_rise_that_is_open_in_a_review_discontinues_as_a_hold_does():
    story = in_dose_hold().advance(hours=7)
    story.given(step("cardiac_enzymes_recorded", role="laboratory", cardiac_enzymes="normal"))
    story.given(step("contact_lost")).advance(hours=1).given(step("contact_regained"))
    assert story.state == "dose_review"

    assert story.until("2026-04-02 09:00").state == "il2_discontinued"


@pytest.mark.parametrize("term", ["atrial_fibrillation", "confusion"])
def test_a_stop_that_is_learnt_of_late_ends_il2_on_the_day_that_it_is_learnt_of(term: str):
    """Clarification 13: the tail starts at the later of the last dose and the decision."""
    story = two_visits().until("2026-03-11 09:00").given(step("symptoms_reviewed"))
    story.sends("adverse_event_reported", term=term, grade=2, at="2026-03-06 12:00")
    assert story.state == "il2_discontinued"
    story.given(step("confirm_topicals", continue_topicals=True))

    assert story.variables["il2_over_on"] == date(2026, 3, 11)
    assert story.variables["tail_ends_on"] == date(2026, 4, 1)


@pytest.mark.parametrize("weeks", ["4.5", "5.9"])
def test_more_weeks_are_whole_weeks(weeks: str):
    story = escalating()

    answer = story.sends("extend_window", weeks=weeks, **reason("extend_window"))
    assert "weeks_are_whole" in kept_by(answer), said(answer)


# --- cycles --------------------------------------------------------------------------------------


def cycle(story: Story, number: Any, outcome: str = "completed") -> None:
    story.given(step("maintenance_cycle_reported", cycle=number, outcome=outcome))


def test_a_cycle_that_is_reported_twice_counts_once():
    story = in_maintenance().until("2026-07-30 09:00")
    cycle(story, 1)
    cycle(story, 1)
    cycle(story, 2, "missed")
    assert (story.variables["cycles_completed"], story.variables["cycles_missed"]) == (1, 1)


def test_the_later_word_on_a_cycle_counts():
    story = in_maintenance().until("2026-07-30 09:00")
    cycle(story, 1, "missed")
    cycle(story, 1)
    assert (story.variables["cycles_completed"], story.variables["cycles_missed"]) == (1, 0)


def test_a_part_of_a_cycle_is_none():
    story = in_maintenance().until("2026-07-30 09:00")
    cycle(story, "1.5")

    assert (story.variables["cycles_completed"], story.variables["cycles_missed"]) == (0, 0)


# --- values in error -----------------------------------------------------------------------------


def test_after_a_count_in_error_the_one_before_it_counts_again():
    story = on_day_of_visit().given(labs(platelets="200 10*3/uL")).advance(minutes=5)
    wrong = story.sends("labs_recorded", role="laboratory", platelets="2 10*3/uL")
    story.advance(minutes=5)
    assert "N06_no_count_awaiting_repetition" in kept_by(asks(story))
    story.corrects(wrong, "platelets", role="clinician")

    assert asks(story).verdict == "accepted"


def test_a_value_that_cannot_be_blocks_until_it_is_corrected():
    story = on_day_of_visit().given(labs(platelets="200 10*3/uL")).advance(minutes=5)
    wrong = story.sends("labs_recorded", role="laboratory", platelets="200000 10*3/uL")
    answer = asks(story)
    assert "no_implausible_value" in kept_by(answer)

    story.corrects(wrong, "platelets", "200 10*3/uL", role="clinician")
    assert asks(story).verdict == "accepted"


def test_the_baseline_counts_again_after_a_panel_in_error():
    story = begun().given(baseline()).advance(minutes=5)
    wrong = story.sends("labs_recorded", role="laboratory", creatinine="3.9 mg/dL")
    story.corrects(wrong, "creatinine", role="clinician")
    story.given(step("consult_recorded", specialty="oncology"))

    assert asks(story, "7 M[IU]", "order_test_dose").verdict == "accepted"


# --- what was reported in error ------------------------------------------------------------------


def retracts(story: Story, what: str) -> None:
    story.given(step("report_entered_in_error", what=what, reason="entered-in-error"))


def test_a_cutaneous_finding_that_was_none_is_no_reason_for_a_restart():
    story = in_maintenance()
    story.given(step("lesion_finding_reported", finding="recurrent"))
    retracts(story, "cutaneous_finding")

    answer = story.sends("request_restart", finding="recurrent", **reason("request_restart"))
    assert kept_by(answer) == ("E22_cutaneous_metastasis_found",)


def test_a_distant_progression_that_was_none_is_not_asked_about():
    story = in_maintenance().until("2026-07-01 09:00")
    story.given(step("lesion_finding_reported", finding="brain"),
                step("lesion_finding_reported", finding="recurrent"))  # fmt: skip
    retracts(story, "distant_progression")

    assert story.sends("request_restart", finding="recurrent").verdict == "accepted"


# --- doubts --------------------------------------------------------------------------------------


def test_new_symptoms_are_asked_about_before_the_next_dose():
    story = on_day_of_visit().given(step("symptoms_reviewed", new_symptoms=True))

    assert kept_by(asks(story)) == ("no_new_symptoms",)
    assert asks(story, **reason("order_dose")).verdict == "accepted"
    story.given(step("symptoms_reviewed", new_symptoms=False))
    assert asks(story).verdict == "accepted"


def test_new_symptoms_after_which_a_clinician_judges_the_dose_are_looked_at():
    story = on_day_of_visit().given(orders("10 M[IU]"), gives("10 M[IU]"), observed)
    story.until("2026-03-09 09:00").given(day_of_visit)
    story.given(step("symptoms_reviewed", new_symptoms=True))
    story.given(step("adverse_event_reported", term="fever", grade=1), step("confirm_tolerated"))

    assert asks(story, "13 M[IU]").verdict == "accepted"


def test_whether_symptoms_are_new_is_said():
    story = escalating().until("2026-03-05 09:00").given(vital_signs(), step("symptoms_reviewed"))

    answer = asks(story)
    assert answer.decision["reason"] == "guard-undecided"
    assert kept_by(answer) == ("no_new_symptoms",)


def test_a_pressure_of_which_nobody_says_where_it_was_taken_was_taken_at_home():
    story = escalating().until("2026-03-04 09:00")
    answer = story.sends("vital_signs_recorded", role="patient", systolic="80 mm[Hg]",
                         symptoms=True)  # fmt: skip

    assert "N09_low_at_home_with_symptoms" in [f["rule"] for f in answer.decision["fired"]]


def test_unless_an_observation_in_the_clinic_is_running():
    story = after_dose().advance(hours=1)
    answer = story.sends("vital_signs_recorded", role="nurse", systolic="80 mm[Hg]", symptoms=True)

    rules = [f["rule"] for f in answer.decision["fired"]]
    assert "N09_low_in_clinic" in rules
    assert "N09_low_at_home_with_symptoms" not in rules


def test_an_abandoned_restart_brings_back_what_was_attested_before():
    story = in_maintenance().until("2026-07-01 09:00")
    story.given(step("lesion_finding_reported", finding="recurrent"),
                step("request_restart", finding="recurrent"))  # fmt: skip
    assert story.variables["few_comorbidities"] is None
    story.given(step("comorbidities_attested", relatively_healthy=False),
                step("restart_abandoned"))  # fmt: skip

    assert story.variables["few_comorbidities"] is True
    assert story.variables["relatively_healthy"] is False, "the later word"


def test_an_exit_from_a_restart_brings_it_back_too():
    story = in_maintenance().until("2026-07-01 09:00")
    story.given(step("lesion_finding_reported", finding="recurrent"),
                step("request_restart", finding="recurrent"),
                step("contact_lost"), step("contact_regained"))  # fmt: skip

    assert story.state == "maintenance"
    assert story.variables["few_comorbidities"] is True

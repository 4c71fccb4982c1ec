"""Ways around a stop, a hold, an observation or a restart, each of which is closed.

Every one of them was found by trying to get a dose that the protocol forbids.
"""

from __future__ import annotations

from typing import Any

from engine.answer import Answer
from engine.testing import Story, kept_by, said, step
from tests.workflows.anything import GUARDS
from tests.workflows.il2 import (
    after_test_dose,
    at_baseline,
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
    split,
    visit,
    vital_signs,
)


def reason(event: str) -> dict[str, Any]:
    """Every guard of an event named, with a clinician's reason."""
    return {"role": "clinician", "override": GUARDS[event], "code": "clinical-judgement"}


def asks(story: Story, amount: str = "10 M[IU]", event: str = "order_dose", **how: Any) -> Answer:
    return story.sends(event, amount=amount, split=split(amount), **how)


def asks_with_every_reason(story: Story, amount: str = "7 M[IU]") -> Answer:
    return asks(story, amount, **reason("order_dose"))


def enzymes(story: Story, troponin: str, **how: Any) -> Answer:
    return story.sends("cardiac_enzymes_recorded", role="laboratory", troponin=f"{troponin} ng/L",
                       troponin_upper_limit="14 ng/L", **how)  # fmt: skip


def echo(story: Story) -> None:
    story.given(step("echocardiogram_recorded", echocardiogram="no_dysfunction"))


def preparing_a_restart(story: Story) -> Story:
    story.sends("lesion_finding_reported", finding="persistent")
    answer = story.sends("request_restart", finding="persistent", **reason("request_restart"))
    assert answer.verdict == "accepted", said(answer)
    return story


def resumed(story: Story) -> Story:
    """Back in the escalation with more weeks, as far as the course allows it, on another day."""
    story.sends("extend_window", weeks=6, **reason("extend_window"))
    story.advance(days=2)
    story.sends("comorbidities_attested", few_comorbidities=True)
    return story.given(day_of_visit)


# --- a stop --------------------------------------------------------------------------------------


def test_a_stop_while_a_restart_is_prepared_holds_in_the_round_that_is_gone_back_to():
    story = preparing_a_restart(in_tail().until("2026-04-01 09:00")).advance(hours=1)
    story.sends("adverse_event_reported", term="atrial_fibrillation", grade=2,
                at="2026-03-30 20:00")  # fmt: skip
    story.given(step("restart_abandoned"))

    assert story.variables["stop_rule_ever"] is True
    assert resumed(story).state == "tail"
    assert asks_with_every_reason(story).refused


def test_a_rise_while_a_restart_is_prepared_is_open_in_the_round_that_is_gone_back_to():
    story = preparing_a_restart(in_tail().until("2026-04-01 09:00")).advance(hours=1)
    enzymes(story, "20")
    enzymes(story.advance(hours=8), "5")
    story.given(step("restart_abandoned"))

    assert story.variables["enzyme_hold_open"] is True
    assert resumed(story).state == "tail"


def test_an_injection_after_a_discontinuation_opens_no_escalation():
    story = on_day_of_visit()
    story.sends("adverse_event_reported", term="confusion", grade=3)
    story.given(step("confirm_topicals", continue_topicals=False))
    story.until("2026-03-07 09:00").given(day_of_visit)
    assert story.sends("dose_given", amount="7 M[IU]").verdict == "deviation"
    observed(story)

    answer = story.sends("confirm_tolerated", **reason("confirm_tolerated"))

    assert "round_was_granted" in kept_by(answer)
    assert asks(story, "7 M[IU]", "order_test_dose", **reason("order_test_dose")).refused


def test_an_injection_in_maintenance_that_no_restart_was_granted_for_opens_no_escalation():
    story = in_maintenance()
    story.sends("lesion_finding_reported", finding="brain")
    story.given(day_of_visit)
    story.sends("dose_given", amount="7 M[IU]")
    observed(story)

    assert story.sends("confirm_tolerated", **reason("confirm_tolerated")).refused
    ended = story.sends("end_il2", continue_topicals=True, reason="clinical-decision")
    assert ended.verdict == "accepted", "the clinician has a way on"


def test_an_unordered_test_dose_is_reviewed():
    story = begun()
    story.given(step("pet_ct_recorded", visceral_metastasis=True), vital_signs())
    story.sends("dose_given", amount="7 M[IU]")
    observed(story)

    assert story.variables["review_needed"] is True
    assert story.state == "test_dose_review"


def test_what_was_reported_of_a_closed_course_before_any_injection_stops_no_round():
    story = at_baseline()
    story.given(step("contact_lost"))
    story.sends("adverse_event_reported", term="confusion", grade=1)
    story.given(step("contact_regained"), step("consult_recorded", specialty="oncology"))
    story.given(orders_test_dose(**reason("order_test_dose")), gives("7 M[IU]"))

    assert story.variables["stop_rules_fired"] == 0
    assert story.variables["stop_rule_open"] is False


# --- an observation ------------------------------------------------------------------------------


def test_an_injection_that_is_reported_after_an_exit_is_the_last_dose_all_the_same():
    story = on_day_of_visit().given(orders("10 M[IU]")).advance(minutes=30)
    story.given(step("transfer_reported"))
    story.advance(minutes=15).sends("dose_given", amount="10 M[IU]", at="2026-03-05 09:10")
    story.advance(minutes=5).given(step("exit_corrected", reason="entered-in-error"))
    story.sends("resume_escalation", **reason("resume_escalation"))
    story.given(day_of_visit)

    assert story.variables["doses_given"] == 1
    assert story.variables["slot"] == 2
    answer = asks_with_every_reason(story, "12 M[IU]")
    assert "N19_observed_6_hours" in kept_by(answer), said(answer)


def test_a_first_injection_that_is_reported_after_an_exit_begins_the_round():
    story = at_baseline().given(orders_test_dose()).advance(minutes=30)
    story.given(step("contact_lost"))
    story.advance(minutes=10).sends("dose_given", amount="7 M[IU]", at="2026-03-02 08:15")
    story.given(step("contact_regained"))

    assert story.state == "test_dose_review"
    assert story.variables["first_injection_at"] is not None
    assert asks(story, "7 M[IU]", "order_test_dose", **reason("order_test_dose")).refused


def test_the_test_dose_of_a_restart_waits_for_the_observation_of_the_last_dose():
    story = on_day_of_visit().given(orders("10 M[IU]"), gives("10 M[IU]")).advance(minutes=30)
    story.given(step("end_il2", continue_topicals=True, reason="clinical-decision"))
    preparing_a_restart(story).given(baseline())

    answer = asks(story, "7 M[IU]", "order_test_dose", **reason("order_test_dose"))

    assert "N19_observed_6_hours" in kept_by(answer), said(answer)


def test_a_retrospective_course_passes_no_known_no_on_the_six_hours():
    story = begun(retrospective=True).given(baseline()).until("2026-03-02 10:00")
    story.given(orders_test_dose(), gives("7 M[IU]")).advance(minutes=30)
    story.sends("observation_completed", role="clinician")

    answer = story.sends("confirm_tolerated", role="clinician",
                         override=GUARDS["confirm_tolerated"], code="not-published")  # fmt: skip

    assert answer.refused, said(answer)
    assert story.advance(hours=6).given(vital_signs()).state == "assessing_tolerance"


# --- dated back ----------------------------------------------------------------------------------


def test_an_order_that_is_dated_back_does_not_hide_from_a_count_that_came_since():
    story = on_day_of_visit().advance(minutes=30).given(labs(platelets="29 10*3/uL"))
    story.advance(minutes=10)

    answer = asks(story, at="2026-03-05 09:05")

    assert "N06_no_count_awaiting_repetition" in kept_by(answer), said(answer)


def test_tolerance_that_is_dated_back_does_not_hide_from_a_pressure_that_came_since():
    story = after_test_dose().until("2026-03-02 12:00").given(vital_signs(125))
    story.until("2026-03-02 15:00").given(vital_signs(70)).until("2026-03-02 16:05")

    answer = story.sends("confirm_tolerated", at="2026-03-02 13:00", **reason("confirm_tolerated"))

    assert answer.refused


def test_an_order_that_is_dated_to_yesterday_needs_signs_of_today():
    story = escalating().until("2026-03-05 22:00").given(day_of_visit).until("2026-03-06 00:10")
    story.sends("medications_reviewed", medications=True, antihypertensive=False,
                antihypertensive_is_antiarrhythmic=False)  # fmt: skip

    answer = asks(story, at="2026-03-05 23:55", **reason("order_dose"))

    assert "vital_signs_of_the_day" in kept_by(answer), said(answer)


# --- before the first dose -----------------------------------------------------------------------


def test_before_the_first_dose_a_fast_heart_is_explained():
    story = begun().given(baseline(vital_signs=vital_signs(heart_rate=150)))

    answer = asks(story, "7 M[IU]", "order_test_dose", **reason("order_test_dose"))

    assert "E29_fast_heart_before_first_dose_reviewed" in kept_by(answer), said(answer)


def test_before_the_first_dose_symptoms_are_asked_for_and_a_toxicity_is_asked_about():
    story = begun().given(baseline(without=("symptoms",)))
    story.sends("adverse_event_reported", term="dyspnea", grade=4)

    answer = asks(story, "7 M[IU]", "order_test_dose")

    assert {"symptoms_of_the_day", "no_open_toxicity"} <= set(kept_by(answer))
    assert asks(story, "7 M[IU]", "order_test_dose", **reason("order_test_dose")).verdict == (
        "accepted"
    )


# --- a hold --------------------------------------------------------------------------------------


def test_an_echocardiogram_from_before_a_later_rise_releases_no_hold():
    story = in_dose_hold().advance(hours=2)
    echo(story)
    enzymes(story.advance(hours=8), "5")
    enzymes(story.advance(hours=8), "900")

    assert story.sends("release_hold", role="clinician").refused
    echo(story.advance(hours=1))
    assert story.sends("release_hold", role="clinician").verdict == "accepted"


def test_values_that_go_on_falling_during_a_hold_ask_for_no_other_echocardiogram():
    story = on_day_of_visit().given(orders("10 M[IU]"), gives("10 M[IU]"))
    enzymes(story, "80")
    echo(story.advance(hours=2))
    enzymes(story.advance(hours=6), "60")
    enzymes(story.advance(hours=8), "40")

    assert story.sends("release_hold", role="clinician").verdict == "accepted"


def test_a_rise_that_was_drawn_before_the_release_and_reported_after_it_holds_again():
    story = in_dose_hold()
    enzymes(story.advance(hours=8), "5")
    echo(story.advance(hours=1))
    story.advance(hours=2).given(step("release_hold"))
    drawn = story.at("2026-03-05 19:00")
    answer = enzymes(story.advance(hours=1), "900", at=drawn)

    assert answer.state == "dose_hold", said(answer)


def test_a_dose_after_which_il2_was_held_is_not_the_one_to_rise_from():
    story = on_day_of_visit().given(orders("10 M[IU]"), gives("10 M[IU]"))
    enzymes(story, "80")
    observed(story)
    echo(story)
    story.given(step("release_hold"), step("confirm_tolerated"), step("toxicity_resolved"))
    story.until("2026-03-09 09:00").given(day_of_visit)

    assert story.variables["last_tolerated_dose"] == 7
    answer = asks(story, "10 M[IU]")
    assert kept_by(answer) == ("dose_not_above_tolerated_after_intolerance",)


def test_after_an_exit_from_a_hold_an_echocardiogram_lets_the_course_go_on():
    story = in_dose_hold()
    enzymes(story.advance(hours=8), "5")
    story.given(step("cardiac_enzymes_recorded", role="laboratory", cardiac_enzymes="normal"))
    story.given(step("contact_lost")).advance(hours=1).given(step("contact_regained"))
    echo(story)

    assert story.variables["enzyme_hold_open"] is True
    answer = story.sends("release_hold", role="clinician")
    assert answer.verdict == "accepted", said(answer)
    assert story.variables["enzyme_hold_open"] is False


# --- what is remembered --------------------------------------------------------------------------


def test_a_review_that_came_in_the_tail_is_asked_about_before_the_next_dose():
    story = in_tail()
    story.sends("vasopressor_given", drug="phenylephrine", rate="1 ug/kg/min")
    story.given(step("toxicity_resolved"))
    resumed(story)

    assert story.state == "escalation"
    assert "no_review_open" in kept_by(asks(story, "16 M[IU]"))


def test_a_pressure_that_is_entered_late_does_not_move_the_frozen_goal():
    story = after_test_dose().advance(hours=1)
    story.given(vital_signs(95, at="2026-03-02 09:58")).given(vital_signs(125))

    assert str(story.variables["pressure_goal"]) == "90"


def test_an_amount_that_cannot_be_is_counted_once_it_is_corrected():
    story = on_day_of_visit().given(orders("10 M[IU]"))
    wrong = story.sends("dose_given", role="nurse", amount="10000 M[IU]")
    assert (story.variables["dose_total"], story.variables["last_dose"]) == (None, None)

    story.advance(minutes=5).corrects(wrong, "il2_dose", "10 M[IU]", role="clinician")
    story.given(vital_signs())

    assert (story.variables["dose_total"], story.variables["last_dose"]) == (17, 10)


def test_weeks_that_are_over_already_move_no_tail():
    story = in_tail().until("2026-04-16 09:00")
    ends = story.variables["tail_ends_on"]

    answer = story.sends("extend_window", weeks=6, **reason("extend_window"))

    assert "extended_window_is_not_over" in kept_by(answer)
    assert story.variables["tail_ends_on"] == ends


def test_no_visit_is_less_missed_than_none():
    story = escalating().until("2026-03-08 09:00")
    for at in ("2026-03-04 09:00", "2026-03-05 09:00"):
        story.sends("dose_given", role="nurse", amount="7 M[IU]", at=at)

    assert story.variables["missed_slots"] == 0


def test_a_stop_after_a_dose_in_the_tail_counts_the_tail_from_that_dose():
    story = on_day_of_visit()
    story.given(step("end_il2", continue_topicals=True, reason="clinical-decision"))
    story.until("2026-03-10 09:00").given(day_of_visit)
    story.sends("dose_given", role="nurse", amount="7 M[IU]")
    story.until("2026-03-16 09:00")
    story.sends("adverse_event_reported", term="atrial_fibrillation", grade=1)
    story.given(step("confirm_topicals", continue_topicals=True))

    assert str(story.variables["tail_ends_on"]) == "2026-04-06"


def test_fluid_is_not_refused_for_a_low_pressure_before_any_goal_is_frozen():
    story = at_baseline().given(vital_signs(60))
    story.sends("fluid_given", volume="1.2 L")

    assert story.sends("order_fluid", volume="0.5 L").verdict == "accepted"
    story.given(vital_signs(81))
    assert "N12_fluid_at_most_1_5_L" in kept_by(story.sends("order_fluid", volume="0.5 L"))


def test_a_visit_may_follow_as_planned():
    """The ways around are closed, the way is not."""
    story = escalating().given(
        visit("10 M[IU]", on="2026-03-05"), visit("13 M[IU]", on="2026-03-09")
    )

    assert story.variables["doses_given"] == 2

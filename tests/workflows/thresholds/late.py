"""What is entered late or corrected afterwards: it must count as it would have in its time."""

from __future__ import annotations

from typing import Any

from engine.testing import Part, Story, step
from tests.workflows.il2 import (
    adverse,
    after_dose,
    after_test_dose,
    at_baseline,
    at_home,
    baseline,
    begun,
    day_of_visit,
    escalating,
    gives,
    in_tail,
    labs,
    observed,
    on_day_of_visit,
    orders,
    orders_test_dose,
    until,
    visit,
    vital_signs,
    waits,
)
from tests.workflows.thresholds.row import (
    deviates,
    ends_in,
    fires,
    granted,
    has,
    kept_closed_by,
    not_fired,
    recorded,
    refused_by,
    row,
    silent,
)
from tests.workflows.thresholds.support import acetaminophen, acetaminophen_given, loperamide

RESOLVED = step("toxicity_resolved")
VASOPRESSOR = {"drug": "phenylephrine"}


def corrected(input_name: str, value: str | None = None, *, of: str = "") -> Part:
    """The last reading sent, or that of the last event of a name, is corrected."""

    def tell(story: Story) -> object:
        wrong = [a for a in story.answers if of in ("", a.event) and a.event != "course.corrected"]
        return story.corrects(wrong[-1], input_name, value)

    return tell


def _corrects_first(input_name: str, value: str) -> Part:
    """The first laboratory value after the dose is corrected, though another followed."""

    def tell(story: Story) -> object:
        sent = [answer for answer in story.answers if answer.event == "labs_recorded"]
        return story.corrects(sent[-2], input_name, value)

    return tell


def at_baseline_with(systolic: int) -> Story:
    story = begun().given(baseline(vital_signs=vital_signs(systolic)))
    return story.until("2026-03-02 10:00").given(orders_test_dose(), gives("7 M[IU]"))


def after_two_visits() -> Story:
    """10 and 13 million units on 5 and 9 March; the second is observed and not yet judged."""
    return escalating().given(
        visit("10 M[IU]", on="2026-03-05"), visit("13 M[IU]", on="2026-03-09", tolerated=False)
    )


def _before_16() -> Story:
    """On 12 March, after 12 million units were tolerated on the 9th."""
    return escalating().given(
        visit("9 M[IU]", on="2026-03-05"),
        visit("12 M[IU]", on="2026-03-09"),
        until("2026-03-12 09:00"),
        day_of_visit,
    )


def order(amount: str) -> Any:
    return orders(f"{amount} M[IU]")


ROWS = (
    row("N05", "a creatinine of 0.9 is corrected to 3.9 although a later one is 1.0", after_dose,
        waits(hours=1), labs(creatinine="0.9 mg/dL"), waits(hours=2), labs(creatinine="1.0 mg/dL"),
        _corrects_first("creatinine", "3.9 mg/dL"),
        then=(ends_in("il2_discontinued"), fires("N05"))),
    # --- what is counted by the day -----------------------------------------------------------
    row("N17", "4 g today, then 650 mg of yesterday is entered: the day's limit stands",
        after_dose, *[acetaminophen_given("1000")] * 4,
        step("acetaminophen_given", dose="650 mg", at="2026-03-04 20:00"), waits(hours=4),
        acetaminophen("650")(), then=refused_by("N17_acetaminophen_at_most_4_g_a_day")),
    row("N13", "16 mg today, then 4 mg of yesterday are entered: the day's limit stands",
        after_dose, *[step("loperamide_given", dose="4 mg")] * 4,
        step("loperamide_given", dose="4 mg", at="2026-03-04 20:00"), loperamide("2")(),
        then=refused_by("N13_loperamide_at_most_16_mg_a_day")),
    # --- a low pressure at home ---------------------------------------------------------------
    row("N09", "low at home at 11:00, then a normal one of 10:00 is entered: still to be repeated",
        after_dose, waits(hours=2), at_home(90), at_home(125, at="2026-03-05 10:00"),
        waits(minutes=16), step("symptoms_reviewed"), then=has(repeat_due_at="None")),
    row("N09", "low at 11:10, then one of 11:00 that was low too is entered", after_dose,
        waits(hours=2, minutes=10), at_home(90), at_home(90, at="2026-03-05 11:00"),
        then=has(toxicity_open=True)),
    row("N09", "a normal pressure is corrected to one at the goal", after_dose, waits(hours=2),
        at_home(125), corrected("systolic", "90 mm[Hg]"), then=fires("N09")),
    row("N09", "a pressure at the goal is corrected to a normal one: no hypotension is left",
        after_dose, waits(hours=2), at_home(90), corrected("systolic", "125 mm[Hg]"),
        waits(minutes=16), at_home(120), then=(not_fired("N09"), has(toxicity_open=False))),
    row("N09", "the pressure of the baseline is corrected: the goal is that of the true one",
        lambda: at_baseline_with(99),
        corrected("systolic", "130 mm[Hg]", of="vital_signs_recorded"),
        then=has(pressure_goal="90")),
    row("N09", "an older pressure of the baseline, entered late, does not change the goal",
        lambda: at_baseline_with(99), waits(hours=1), vital_signs(135, at="2026-03-02 07:30"),
        then=has(pressure_goal="80")),
    row("N09", "a later pressure does not change the goal", lambda: at_baseline_with(99),
        waits(minutes=1), vital_signs(135), then=has(pressure_goal="80")),
    # --- a dose -------------------------------------------------------------------------------
    row("N11", "the amount of the last dose is corrected: totals and the last dose follow",
        after_dose, corrected("il2_dose", "13 M[IU]"),
        then=has(last_dose="13", dose_total="20", round_dose_total="20")),
    row("N11", "the amount of a dose that was tolerated is corrected", after_dose, observed,
        step("confirm_tolerated"), corrected("il2_dose", "7 M[IU]", of="dose_given"),
        then=has(last_dose="7", last_tolerated_dose="7", suggested_dose="10", dose_total="14")),
    row("N11", "the amount is corrected to more than 22: a clinician must decide", after_dose,
        corrected("il2_dose", "23 M[IU]"), then=has(review_needed=True, last_dose="23")),
    # --- toxicity -----------------------------------------------------------------------------
    row("7.14", "a toxicity of 14:00 is not closed by a word of 11:00", after_dose, waits(hours=5),
        adverse("fever", 3), waits(hours=1), step("toxicity_resolved", at="2026-03-05 11:00"),
        then=has(toxicity_open=True)),
    row("7.14", "a toxicity of 14:00 is closed by a word of 14:30, entered at 16:00", after_dose,
        waits(hours=5), adverse("fever", 3), waits(hours=2), vital_signs(),
        step("toxicity_resolved", at="2026-03-05 14:30"), then=has(toxicity_open=False)),
    row("7.7", "a vasopressor of the dose before is entered late: this dose may be tolerated",
        after_two_visits, step("vasopressor_given", **VASOPRESSOR, at="2026-03-05 12:00"),
        step("confirm_tolerated"), then=granted),
    row("7.7 7.9", "an event of grade 3 after an earlier visit, found late: a clinician decides",
        after_two_visits, adverse("fever", 3, at="2026-03-05 13:00"), then=ends_in("dose_review")),
    row("7.33", "the symptoms of yesterday, entered after those of today, take nothing away",
        on_day_of_visit, step("symptoms_reviewed", at="2026-03-04 10:00"), order("10"),
        then=granted),
    row("E29", "a tachycardia reviewed yesterday, entered after today's review, takes nothing away",
        on_day_of_visit, vital_signs(120, 135), step("tachycardia_reviewed", corrected=False),
        step("tachycardia_reviewed", corrected=False, at="2026-03-04 10:00"), order("10"),
        then=refused_by("N01_heart_rate_at_most_130")),
    # --- what was not so ----------------------------------------------------------------------
    row("7.16", "creatinine 9.0 stopped IL-2 and was 0.9: a clinician takes it back, to a review",
        after_dose, labs(creatinine="9.0 mg/dL"), corrected("creatinine", "0.9 mg/dL"),
        step("revoke_discontinuation", reason="entered-in-error"),
        then=(granted, ends_in("dose_review"), has(stop_rule_open=False, stopped_by="None"))),
    row("7.16", "creatinine 9.0 stopped IL-2 and nobody corrected it", after_dose,
        labs(creatinine="9.0 mg/dL"), step("revoke_discontinuation", reason="entered-in-error"),
        then=kept_closed_by("no_stop_rule_holds")),
    row("7.16 E02", "a delirium that stopped IL-2 was mistyped: back to a review", after_dose,
        adverse("delirium", 2), step("revoke_discontinuation", reason="entered-in-error"),
        then=(granted, ends_in("dose_review"))),
    row("7.16 E01", "mistyped after the test dose: back to the review of the test dose",
        after_test_dose, adverse("atrial_fibrillation", 2),
        step("revoke_discontinuation", reason="entered-in-error"),
        then=(granted, ends_in("test_dose_review"))),
    row("7.16", "two stop rules fired: one mistake takes nothing back by itself", after_dose,
        adverse("delirium", 2), adverse("atrial_fibrillation", 2),
        step("revoke_discontinuation", reason="entered-in-error"),
        then=kept_closed_by("only_one_stop_rule_fired")),
    row("7.16", "a hold that was open when IL-2 was stopped by mistake is open again", after_dose,
        step("cardiac_enzymes_recorded", role="laboratory", cardiac_enzymes="elevated"),
        adverse("delirium", 2), step("revoke_discontinuation", reason="entered-in-error"),
        then=(granted, ends_in("dose_hold"))),
    row("7.16", "what a withdrawal ended is not taken back by this", after_dose,
        step("withdrawal_reported", scope="il2"),
        step("revoke_discontinuation", reason="entered-in-error"),
        then=kept_closed_by("il2_ended_by_stop_rule")),
    row("7.16", "after the mistake the next dose waits for the clinician", after_dose,
        labs(creatinine="9.0 mg/dL"), corrected("creatinine", "0.9 mg/dL"),
        step("revoke_discontinuation", reason="entered-in-error"), waits(hours=6), at_home(),
        step("resume_escalation"), then=refused_by("no_open_toxicity")),
    row("7.16", "the mistake is found in the tail: back to a review, and topicals as before",
        after_dose, labs(creatinine="9.0 mg/dL"), step("confirm_topicals", continue_topicals=True),
        corrected("creatinine", "0.9 mg/dL", of="labs_recorded"),
        step("revoke_discontinuation", reason="entered-in-error"),
        then=(granted, ends_in("dose_review"), has(topical_mode="treatment", tail_ends_on="None"))),
    row("7.16", "a tail that follows a whole plan is not taken back", in_tail,
        step("revoke_discontinuation", reason="entered-in-error"),
        then=kept_closed_by("il2_ended_by_stop_rule")),
    row("7.16", "after the window, the review that it goes back to stays open", after_dose,
        labs(creatinine="9.0 mg/dL"), corrected("creatinine", "0.9 mg/dL"),
        until("2026-04-15 09:00"), step("revoke_discontinuation", reason="entered-in-error"),
        waits(minutes=1), step("symptoms_reviewed"), then=ends_in("dose_review")),
    row("7.7", "a fever of grade 3 that was grade 1: the test dose may be tolerated",
        after_test_dose, waits(hours=2), adverse("fever", 3), waits(hours=4), at_home(),
        step("report_entered_in_error", what="adverse_event", worst_grade=1,
             reason="entered-in-error"),
        step("confirm_tolerated"), then=granted),
    row("7.7", "what was entered in error is taken back, and an event of grade 3 remains",
        after_test_dose, waits(hours=2), adverse("fever", 3), waits(hours=4), at_home(),
        step("report_entered_in_error", what="adverse_event", worst_grade=3,
             reason="entered-in-error"),
        step("confirm_tolerated"), then=refused_by("E21_no_event_above_grade_2")),
    row("7.7", "a retraction closes no toxicity by itself", after_test_dose, waits(hours=2),
        adverse("fever", 3),
        step("report_entered_in_error", what="adverse_event", reason="entered-in-error"),
        then=has(toxicity_open=True, worst_grade="0")),
    row("7.7", "a tolerance that was revoked by a mistake may be confirmed again", escalating,
        adverse("fever", 3),
        step("report_entered_in_error", what="adverse_event", reason="entered-in-error"),
        step("confirm_tolerated"), then=(granted, ends_in("escalation"))),
    row("7.7", "an emergency visit of another patient", after_test_dose, waits(hours=2),
        step("emergency_visit_reported"), waits(hours=4), at_home(),
        step("report_entered_in_error", what="emergency_visit", reason="entered-in-error"),
        step("confirm_tolerated"), then=granted),
    row("7.7", "a vasopressor of another patient", after_test_dose, waits(hours=2),
        step("vasopressor_given", drug="phenylephrine"), waits(hours=4), at_home(),
        step("report_entered_in_error", what="vasopressor", reason="entered-in-error"),
        step("confirm_tolerated"), then=granted),
    row("7.10", "an order of 16 waits, and few comorbidities are denied: it is void",
        _before_16, order("16"), step("comorbidities_attested", few_comorbidities=False),
        gives("16 M[IU]"), then=deviates),
    # --- urine --------------------------------------------------------------------------------
    row("N04", "600 mL in 8 hours after the last dose asks nothing of the next", after_dose,
        waits(hours=8), step("urine_output_recorded", urine_output="600 mL over 8 h"), at_home(),
        step("home_readings_attested"), step("confirm_tolerated"), until("2026-03-09 09:00"),
        day_of_visit, order("10"), then=(granted, silent("N04"))),
    row("N04", "600 mL in one hour are no 10 mL an hour, whatever the other seven had",
        after_dose, waits(hours=2), step("urine_output_recorded", urine_output="600 mL over 1 h"),
        then=silent("N04")),
    row("N04", "5 mL in one hour: the rest is not known", after_dose, waits(hours=2),
        step("urine_output_recorded", urine_output="5 mL over 1 h"), then=not_fired("N04")),
    row("N04", "150 mL in 24 hours are 50 mL in 8", after_dose, waits(hours=26),
        step("urine_output_recorded", urine_output="150 mL over 24 h"), then=fires("N04")),
    # --- at the baseline ----------------------------------------------------------------------
    row("N05", "creatinine of the baseline is corrected to 3.1: a consult", at_baseline,
        corrected("creatinine", "3.1 mg/dL", of="labs_recorded"),
        then=(ends_in("baseline"), fires("N05"))),
    row("N06", "platelets of the baseline are corrected after the test dose: they stop nothing",
        after_test_dose, corrected("platelets", "25 10*3/uL", of="labs_recorded"),
        then=(recorded, ends_in("observing_test_dose"))),
    row("7.6", "an order is void once the pressure is at the goal", on_day_of_visit, order("10"),
        vital_signs(90), gives("10 M[IU]"), then=deviates),
    row("7.6", "an order is void once the heart rate is above 130", on_day_of_visit, order("10"),
        vital_signs(120, 131), gives("10 M[IU]"), then=deviates),
    row("7.6", "an order stands when the signs are taken again and are normal", on_day_of_visit,
        order("10"), vital_signs(), gives("10 M[IU]"), then=granted),
)  # fmt: skip

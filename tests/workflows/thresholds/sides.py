"""The other side of guards that the other tables try on one side only."""

from __future__ import annotations

from functools import cache

from engine.testing import Story, step
from tests.workflows.anything import GUARDS
from tests.workflows.il2 import (
    adverse,
    after_dose,
    at_baseline,
    baseline,
    begun,
    day_of_visit,
    escalating,
    gives,
    in_maintenance,
    in_tail,
    labs,
    observed,
    on_day_of_visit,
    orders,
    orders_test_dose,
    split,
    until,
    vital_signs,
    waits,
)
from tests.workflows.thresholds.row import (
    advises,
    deviates,
    ends_in,
    fires,
    has,
    kept_closed_by,
    not_fired,
    recorded,
    row,
)

EXTENDS = step("extend_window", weeks=6)
RESTARTS = step("request_restart", finding="new_cutaneous")
CONFIRMS = step("confirm_tolerated")


@cache
def _on_antihypertensives() -> Story:
    takes = step(
        "medications_reviewed",
        medications=True,
        antihypertensive=True,
        antihypertensive_is_antiarrhythmic=False,
    )
    story = begun().given(baseline(medications=takes)).until("2026-03-02 10:00")
    return story.given(orders_test_dose(), gives("7 M[IU]"))


def on_antihypertensives() -> Story:
    """As after the test dose, in a patient who takes an antihypertensive."""
    return _on_antihypertensives().fork()


def discontinued() -> Story:
    """IL-2 was discontinued for its creatinine after the first visit's dose."""
    return after_dose().given(labs(creatinine="3.1 mg/dL"))


def without_vital_signs() -> Story:
    """The evaluation of the baseline, but for the vital signs; it is 10:00."""
    return begun().given(baseline(without=("vital_signs",))).until("2026-03-02 10:00")


ROWS = (
    # --- Table 3: what is reported by its name ------------------------------------------------
    row("E13", "an ulcer is reported", after_dose, adverse("skin_ulcer", 2),
        then=(ends_in("observing_dose"), fires("E13"))),
    row("E03", "myocarditis is reported", after_dose, adverse("myocarditis", 2),
        then=(fires("E03"), advises("cardiology"))),
    row("E28", "capillary leak is reported", after_dose, adverse("capillary_leak_syndrome", 2),
        then=(ends_in("observing_dose"), fires("E28"))),
    row("E04", "hypotension after a dose in a patient who takes an antihypertensive",
        on_antihypertensives, adverse("hypotension", 2),
        then=(fires("E04_antihypertensive_on_treatment_day"), advises("hold antihypertensives"))),
    row("E04", "hypotension after a dose in a patient who takes none", after_dose,
        adverse("hypotension", 2), then=not_fired("E04_antihypertensive_on_treatment_day")),
    # --- doses --------------------------------------------------------------------------------
    row("N10", "a test dose of 7.1, given against the order, is called tolerated", at_baseline,
        orders_test_dose(), gives("7.1 M[IU]"), observed, CONFIRMS,
        then=kept_closed_by("N10_tolerated_test_dose_at_most_7")),
    row("N10", "10 are given, but only 9 in a lesion", on_day_of_visit, orders("10 M[IU]"),
        gives("10 M[IU]", split=split("9 M[IU]")), then=fires("N10_given_split_differs")),
    row("N10", "10 are given, and 10 in a lesion", on_day_of_visit, orders("10 M[IU]"),
        gives("10 M[IU]", split=split("10 M[IU]")), then=not_fired("N10_given_split_differs")),
    row("E21", "a dose before the last one was said to be tolerated", after_dose, observed,
        until("2026-03-09 09:00"), day_of_visit, orders("10 M[IU]"),
        then=kept_closed_by("last_visit_assessed")),
    row("E21", "the test dose is called not tolerated after it was confirmed", escalating,
        step("not_tolerated_reported"), then=ends_in("test_dose_review")),
    row("E21", "grade 3 on the day of the test dose, entered after the first visit", after_dose,
        adverse("nausea", 3, at="2026-03-02 14:00"), then=fires("E21")),
    # --- E25: the window ----------------------------------------------------------------------
    row("E25", "the window is extended on day 43, to day 42", in_tail, until("2026-04-14 09:00"),
        EXTENDS, then=kept_closed_by("extended_window_is_not_over")),
    row("E25", "the window is extended by half a week", escalating,
        step("extend_window", weeks="4.5"), then=kept_closed_by("weeks_are_whole")),
    row("E25", "the window is extended after the patient ended IL-2", escalating,
        step("end_il2", continue_topicals=True, reason="patient-wish"), EXTENDS,
        then=kept_closed_by("il2_ended_by_plan")),
    # --- N09: the pressure of the baseline ----------------------------------------------------
    row("N09", "the pressure of the baseline, 130, is entered after the test dose",
        without_vital_signs,
        orders_test_dose(role="clinician", override=GUARDS["order_test_dose"],
                         code="clinical-judgement"),
        gives("7 M[IU]"), vital_signs(130, at="2026-03-02 09:00"), then=has(pressure_goal="90")),
    # --- E22: restart -------------------------------------------------------------------------
    row("E22", "a restart while a stop rule is open", after_dose, labs(creatinine="3.1 mg/dL"),
        until("2026-06-01 09:00"), RESTARTS, then=kept_closed_by("E22_no_stop_rule_open")),
    row("E22", "a restart after confusion, without a consult", after_dose, adverse("confusion", 2),
        until("2026-06-01 09:00"), RESTARTS,
        then=kept_closed_by("E22_consult_after_severe_toxicity")),
    # --- topicals and maintenance -------------------------------------------------------------
    row("7.33", "topicals are reduced before there are any", at_baseline,
        step("topicals_reduced"), then=deviates),
    # --- 7.14: leaving, and coming back -------------------------------------------------------
    row("7.14", "a withdrawal from everything", in_tail,
        step("withdrawal_reported", scope="all"), then=ends_in("withdrawn")),
    row("7.14", "a withdrawal from the topicals in the tail", in_tail,
        step("withdrawal_reported", scope="topicals"), then=recorded),
    row("7.14", "a withdrawal from the topicals between two visits", escalating,
        step("withdrawal_reported", scope="topicals"), then=ends_in("escalation")),
    row("7.14", "contact is regained after a discontinuation", discontinued,
        step("contact_lost"), step("contact_regained"), then=ends_in("il2_discontinued")),
    row("7.14", "contact is regained in the tail", in_tail, step("contact_lost"),
        step("contact_regained"), then=ends_in("tail")),
    row("7.14", "a death in error in the follow-up", in_maintenance, until("2027-07-01 09:00"),
        vital_signs(), step("death_reported"),
        step("exit_corrected", reason="entered-in-error"), then=ends_in("follow_up")),
    row("7.14", "an injection after an exit from the tail", in_tail, step("transfer_reported"),
        gives("7 M[IU]"), then=deviates),
    row("7.14", "an injection after an exit before the first dose", at_baseline,
        step("transfer_reported"), gives("7 M[IU]"), then=deviates),
    row("7.14", "an injection of before a discontinuation, entered after it", discontinued,
        gives("7 M[IU]", at="2026-03-05 08:00"), then=recorded),
    row("7.14", "an injection of the day of a discontinuation, entered on the next", discontinued,
        waits(hours=20), gives("7 M[IU]", at="2026-03-05 12:00"), then=recorded),
    row("N13", "twelve months of maintenance pass", in_maintenance, until("2027-07-01 09:00"),
        vital_signs(), then=ends_in("follow_up")),
)  # fmt: skip

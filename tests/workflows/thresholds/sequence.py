"""The order of events: what one of them means depends on what came before."""

from __future__ import annotations

import pytest

from engine.errors import InvalidInput
from engine.testing import Part, Story, step
from tests.workflows.il2 import (
    VISIT_DAYS,
    adverse,
    after_dose,
    after_test_dose,
    at_baseline,
    at_home,
    baseline,
    begun,
    blood,
    day_of_visit,
    escalating,
    gives,
    in_maintenance,
    in_tail,
    observed,
    on_day_of_visit,
    orders,
    orders_test_dose,
    split,
    until,
    visit,
    vital_signs,
    waits,
)
from tests.workflows.thresholds.row import (
    ends_in,
    granted,
    has,
    refused,
    refused_by,
    row,
    softly,
)

RISE = step("cardiac_enzymes_recorded", role="laboratory", cardiac_enzymes="elevated")
CLEARED = (
    waits(hours=1),
    step("echocardiogram_recorded", echocardiogram="no_dysfunction"),
    step("release_hold"),
)


def found(finding: str, **how: object) -> Part:
    return step("lesion_finding_reported", finding=finding, **how)


def before_last_visit() -> Story:
    """Seven visits were made; the eighth dose was just given, on 30 March at 09:00."""
    story = escalating()
    for day in VISIT_DAYS[:-1]:
        story.given(visit("10 M[IU]", on=day.isoformat()))
    return story.until("2026-03-30 09:00").given(
        day_of_visit, orders("10 M[IU]"), gives("10 M[IU]")
    )


def with_creatinine_of_3_1() -> Story:
    return begun().given(baseline(blood=blood(creatinine="3.1 mg/dL")))


CONSULT = step("consult_recorded", specialty="oncology")

ROWS = (
    # --- the amount of an order ---------------------------------------------------------------
    row("7.29", "a part of the division below zero", on_day_of_visit,
        lambda story: _malformed(story, "10 M[IU]", ["-3 M[IU]", "13 M[IU]"]), day_of_visit,
        then=has(ordered_dose="None")),
    row("7.29", "an order of nothing", on_day_of_visit,
        lambda story: _malformed(story, "0 M[IU]", ["0 M[IU]"]), day_of_visit,
        then=has(ordered_dose="None")),
    # --- tolerance ----------------------------------------------------------------------------
    row("7.7", "admitted to hospital after the test dose: not tolerated", after_test_dose,
        waits(hours=2), step("admission_reported"), waits(hours=4), at_home(),
        step("confirm_tolerated"), then=refused_by("E21_no_emergency_visit")),
    row("7.7", "admitted to hospital after a visit: a clinician decides", after_dose,
        waits(hours=2), step("admission_reported"), waits(hours=4), then=ends_in("dose_review")),
    row("7.8 E03", "not tolerated, said during the hold of the test dose: review after the hold",
        after_test_dose, RISE, waits(hours=6), at_home(), step("not_tolerated_reported"), *CLEARED,
        then=(granted, ends_in("test_dose_review"))),
    row("7.8", "a test dose revoked after a visit lapsed: the new one begins its own plan",
        escalating, until("2026-03-10 09:00"), adverse("fever", 3, at="2026-03-02 14:00"),
        step("toxicity_resolved"), day_of_visit, orders_test_dose(), gives("7 M[IU]"), observed,
        step("confirm_tolerated"),
        then=(granted, has(slot="1", missed_slots="0", d0="2026-03-10"))),
    # --- the end of the plan ------------------------------------------------------------------
    row("7.2", "a vasopressor after the last planned dose: the plan is over, and the tail begins",
        before_last_visit, waits(hours=2), step("vasopressor_given", drug="phenylephrine"),
        until("2026-03-31 00:00"), step("symptoms_reviewed"),
        then=(ends_in("tail"), has(il2_ended_by="visits_done", tail_ends_on="2026-04-20"))),
    # --- before the first injection -----------------------------------------------------------
    softly("N05", "creatinine 3.1 at the baseline, nobody consulted", with_creatinine_of_3_1,
           orders_test_dose, kept="consulted_before_il2"),
    row("N05", "creatinine 3.1 at the baseline, an oncologist was consulted",
        with_creatinine_of_3_1, CONSULT, orders_test_dose(), then=granted),
    softly("E02", "a confusion before the first injection, nobody consulted", at_baseline,
           adverse("confusion", 1), orders_test_dose,
           kept="consulted_before_il2"),
    row("E01", "atrial fibrillation while a restart is prepared, nobody consulted",
        in_maintenance, until("2026-06-15 09:00"), found("new_cutaneous"),
        step("request_restart", finding="new_cutaneous"), adverse("atrial_fibrillation", 2),
        baseline(), orders_test_dose(),
        then=refused_by("consulted_before_il2", "no_open_toxicity")),
    # --- restart ------------------------------------------------------------------------------
    row("E22", "a new lesion during the escalation enables no restart later", after_dose,
        found("new_cutaneous"), observed,
        step("end_il2", continue_topicals=True, reason="complete-response"),
        until("2026-08-01 09:00"), step("request_restart", finding="new_cutaneous"),
        then=refused),
    row("E22", "a lesion of the escalation that is entered afterwards enables none", in_tail,
        until("2026-06-15 09:00"), found("persistent", at="2026-03-20 09:00"),
        step("request_restart", finding="persistent"), then=refused),
    row("E22", "a lesion found after IL-2 enables one", in_tail, until("2026-06-15 09:00"),
        found("persistent"), step("request_restart", finding="persistent"), then=granted),
    # --- a reading in an emergency department -------------------------------------------------
    row("7.7", "vital signs taken in an emergency department are a visit to it", after_test_dose,
        waits(hours=3), vital_signs(setting="emergency"), waits(hours=3), at_home(),
        step("confirm_tolerated"), then=refused_by("E21_no_emergency_visit")),
)  # fmt: skip


def _malformed(story: Story, amount: str, parts: list[str]) -> None:
    """Such an order is turned back at the door."""
    before = story.records
    with pytest.raises(InvalidInput, match="amount"):
        story.sends(
            "order_dose", amount=amount, split=[part for one in parts for part in split(one)]
        )
    assert story.records == before, "an order that is malformed leaves no record"

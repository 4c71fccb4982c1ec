"""What a site may set, and what then becomes of a course."""

from __future__ import annotations

from engine.testing import Story, step
from tests.workflows.il2 import baseline, day_of_visit, gives, observed, orders, orders_test_dose
from workflows.intralesional_il2 import WORKFLOW


def test_a_hold_that_outlives_the_window_is_released_to_a_clinician_and_not_to_a_dose() -> None:
    """Where a site does not discontinue for it, no timer would end the escalation any more."""
    site = WORKFLOW.with_parameters(discontinue_unresolved_hold=False)
    story = Story(site, start="2026-03-02 08:00").given(
        baseline(), orders_test_dose(), gives("7 M[IU]"), observed, step("confirm_tolerated")
    )
    story.until("2026-03-26 09:00").given(day_of_visit, orders("10 M[IU]"), gives("10 M[IU]"))
    story.given(step("cardiac_enzymes_recorded", role="laboratory", cardiac_enzymes="elevated"))
    story.until("2026-04-02 09:00")
    assert story.state == "dose_hold"

    story.given(
        step("echocardiogram_recorded", echocardiogram="no_dysfunction"), step("release_hold")
    )

    assert story.state == "dose_review"
    assert story.sends("resume_escalation").refused
    story.given(step("end_il2", continue_topicals=True, reason="clinical-decision"))
    assert story.state == "tail"
    story.verify()

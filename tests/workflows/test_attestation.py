"""A course that began elsewhere: what nobody attested asks, and can be attested later."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.core.definition import Field
from engine.core.encoding import instant_text
from engine.core.event import ADOPTED
from engine.testing import Story, kept_by, missing, said, step
from engine.testing.wording import value_json
from tests.workflows.il2 import (
    day_of_visit,
    escalating,
    gives,
    labs,
    observed,
    orders_test_dose,
    vital_signs,
)
from tests.workflows.test_no_way_around import asks, reason
from workflows.intralesional_il2 import WORKFLOW
from workflows.intralesional_il2.states import STATES

KNOWN = {
    variable.name: Field(name=variable.name, kind=variable.kind, unit=variable.unit)
    for variable in WORKFLOW.variables
}
PLAIN: dict[str, Any] = {
    "test_doses": 1,
    "doses_given": 0,
    "last_dose": "7 M[IU]",
    "last_dose_at": "2026-03-02T10:00:00-08:00",
    "last_dose_on": "2026-03-02",
    "first_injection_at": "2026-03-02T10:00:00-08:00",
    "visit_tolerance": "tolerated",
    "slot": 1,
    "missed_slots": 0,
    "observation_open": False,
    "review_needed": False,
    "unplanned_round": False,
    "stop_rules_fired": 0,
    "enzyme_hold_open": False,
    "hold_since_tolerated": False,
    "toxicity_open": False,
    "pressure_goal": "90 mm[Hg]",
}
ESCALATING: dict[str, Any] = {
    **PLAIN,
    "d0": "2026-03-02",
    "escalation_began_at": "2026-03-02T17:00:00-08:00",
    "last_tolerated_dose": "7 M[IU]",
}


def adopted(state: str, start: str = "2026-03-05 09:00", **variables: Any) -> Story:
    """A course of which only its state is attested, unless more is said."""
    story = Story(WORKFLOW, start=start)
    digest, story.course = story.snapshot.digest, "course-2"
    story.service.submit(
        {
            "format": 1, "id": "adopted", "course": story.course, "event": ADOPTED,
            "at": instant_text(story.now), "actor": {"id": "clinician-1", "role": "clinician"},
            "workflow": digest, "patient": "patient-2", "site": "clinic", "zone": story.zone.key,
            "data": {"state": state, "round": 1, "variables": {
                name: value_json(KNOWN[name], value, story.zone)
                for name, value in variables.items()
            }},
        }
    )  # fmt: skip
    return story


def attests(story: Story, **facts: Any) -> None:
    answer = story.sends("facts_attested", role="clinician", **facts)
    assert answer.verdict == "accepted", said(answer)


def test_what_was_not_attested_is_attested_later_and_the_course_goes_on():
    story = adopted("escalation").given(day_of_visit)
    story.given(step("comorbidities_attested", few_comorbidities=True))
    assert asks(story, **reason("order_dose")).refused

    attests(story, **ESCALATING, observation_ends_at="2026-03-02T16:00:00-08:00")
    story.given(step("home_readings_attested"))

    assert asks(story, "10 M[IU]").verdict == "accepted"
    assert story.variables["window_ends_on"] == date(2026, 3, 30)
    story.verify()


def test_what_is_known_is_never_overwritten():
    story = adopted("escalation", stop_rules_fired=1, d0="2026-03-02")
    attests(story, stop_rules_fired=0, d0="2026-03-04", slot=1)

    assert story.variables["stop_rules_fired"] == 1
    assert story.variables["d0"] == date(2026, 3, 2)
    assert story.variables["slot"] == 1


def test_a_stop_that_came_here_is_not_attested_away():
    story = adopted("escalation")
    story.sends("adverse_event_reported", term="confusion", grade=1)
    attests(story, stop_rules_fired=0)

    assert story.variables["stop_rules_fired"] == 1
    assert story.state == "il2_discontinued"


def test_a_course_that_began_here_has_nothing_to_attest():
    story = escalating()
    before = story.variables
    answer = story.sends("facts_attested", role="clinician", d0="2026-03-20", stop_rules_fired=0)

    assert answer.verdict == "deviation"
    assert story.variables == before


def test_a_round_that_began_here_has_nothing_to_attest():
    story = adopted("baseline", phase="before_il2").given(day_of_visit)
    story.given(step("home_readings_attested"), orders_test_dose(**reason("order_test_dose")))
    story.given(gives("7 M[IU]"))

    assert story.sends("facts_attested", role="clinician", d0="2026-03-02").verdict == "deviation"
    assert story.variables["d0"] is None
    assert story.variables["unplanned_round"] is False


def test_a_test_dose_is_not_attested_as_tolerated_where_it_is_still_to_be_confirmed():
    story = adopted("assessing_tolerance")
    attests(story, **ESCALATING)

    assert story.variables["phase"] == "testing"
    assert story.variables["d0"] is None


def test_whether_the_round_was_granted_is_asked_where_nobody_said():
    story = adopted("assessing_tolerance")
    facts = {name: value for name, value in PLAIN.items() if name != "unplanned_round"}
    attests(story, **{**facts, "visit_tolerance": "unassessed"},
            observation_ends_at="2026-03-02T16:00:00-08:00", test_dose_on="2026-03-02",
            worst_grade=0, emergency_since_dose=False, vasopressor_since_dose=False)  # fmt: skip
    story.given(vital_signs(), step("home_readings_attested"))
    answer = story.sends("confirm_tolerated", **reason("confirm_tolerated"))
    assert kept_by(answer) == ("round_was_granted",)
    assert missing(answer) == ("unplanned_round",)

    attests(story, unplanned_round=False)
    assert story.sends("confirm_tolerated", role="clinician").verdict == "accepted"
    assert story.variables["d0"] == date(2026, 3, 2)


def test_a_hold_is_released_once_it_is_attested_when_the_enzymes_rose():
    story = adopted("dose_hold").given(
        step("echocardiogram_recorded", echocardiogram="no_dysfunction")
    )
    assert story.sends("release_hold", role="clinician").refused
    attests(story, **{**ESCALATING, "enzyme_hold_open": True},
            enzyme_rise_at="2026-03-04T09:00:00-08:00")  # fmt: skip

    assert story.sends("release_hold", role="clinician").state == "escalation"


def test_an_adopted_maintenance_may_be_restarted():
    story = adopted("maintenance", start="2026-07-01 09:00")
    story.given(step("lesion_finding_reported", finding="recurrent"))
    assert story.sends("request_restart", finding="recurrent", **reason("request_restart")).refused

    attests(story, d0="2026-03-02", cutaneous_finding="none", distant_progression=False,
            stop_rule_open=False, stop_rule_ever=False, consult_needed=False,
            enzyme_hold_open=False, tail_ends_on="2026-04-20", cycle=3)  # fmt: skip
    story.given(step("lesion_finding_reported", finding="recurrent"))

    assert story.sends("request_restart", finding="recurrent").verdict == "accepted"
    assert story.variables["phase"] == "maintenance"


def test_a_mild_event_says_nothing_of_those_before_it():
    story = adopted("escalation", last_dose_at="2026-03-02T10:00:00-08:00", phase="escalating")
    story.sends("adverse_event_reported", term="fever", grade=1)
    assert story.variables["worst_grade"] is None

    story.sends("adverse_event_reported", term="fever", grade=3)
    assert story.variables["worst_grade"] == 3


def test_a_corrected_dose_of_which_not_everything_is_attested_leaves_the_counts_unknown():
    story = adopted("escalation").given(day_of_visit)
    attests(story, **ESCALATING)
    wrong = story.sends("dose_given", role="nurse", amount="10 M[IU]")
    assert story.variables["doses_given"] == 1
    story.advance(hours=1).corrects(wrong, "il2_dose", role="clinician")
    assert story.variables["doses_given"] is None
    assert story.variables["last_dose"] is None

    attests(story, doses_given=0, test_doses=1, last_dose="7 M[IU]", dose_elsewhere="7 M[IU]",
            last_dose_at="2026-03-02T10:00:00-08:00", last_dose_on="2026-03-02")  # fmt: skip
    assert story.variables["doses_given"] == 0
    story.verify()


def test_late_readings_of_an_adopted_course_stop_it_once_its_first_injection_is_attested():
    story = adopted("escalation")
    attests(story, **ESCALATING)
    story.given(labs(creatinine="3.1 mg/dL"))

    assert story.state == "il2_discontinued"


@pytest.mark.parametrize("state", [state.name for state in STATES])
def test_every_state_can_be_attested(state: str):
    story = adopted(state)
    attests(story, stop_rules_fired=0, phase="escalating")

    assert story.variables["stop_rules_fired"] == 0
    assert story.variables["phase"] is not None


def test_an_adoption_that_attests_everything_needs_no_more():
    story = adopted(
        "escalation", **ESCALATING, phase="escalating", begun_here=True, planned_slots=8,
        window_ends_on="2026-03-30", observation_ends_at="2026-03-02T16:00:00-08:00",
        home_readings_attested=True,
    )  # fmt: skip
    story.given(day_of_visit)

    assert asks(story, "10 M[IU]").verdict == "accepted"
    observed(story)

"""E21, E26, N19: what a tolerated dose is, six hours, and who may go home."""

from __future__ import annotations

from functools import cache, partial

from engine.testing import Story, step
from tests.workflows.il2 import (
    VISIT_DAYS,
    adverse,
    after_dose,
    after_test_dose,
    assessing,
    at_home,
    baseline,
    begun,
    day_of_visit,
    escalating,
    gives,
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
    ends_in,
    granted,
    has,
    recorded,
    refused,
    row,
    softly,
    undecided,
)

CONFIRM = step("confirm_tolerated")
NOT = step("not_tolerated_reported")
FOUR_HOURS = (waits(hours=2), at_home(), waits(hours=4))


@cache
def _not_healthy() -> Story:
    comorbidities = step("comorbidities_attested", relatively_healthy=False, few_comorbidities=True,
                         medically_complicated=False)  # fmt: skip
    story = begun().given(baseline(comorbidities=comorbidities)).until("2026-03-02 10:00")
    return story.given(orders_test_dose(), gives("7 M[IU]"))


def not_healthy() -> Story:
    """A test dose was given to a patient who is not relatively healthy."""
    return _not_healthy().fork()


@cache
def _not_instructed() -> Story:
    counselling = step("counselling_given", vitiligo=True)
    story = begun().given(baseline(counselling=counselling)).until("2026-03-02 10:00")
    return story.given(orders_test_dose(), gives("7 M[IU]"))


def not_instructed() -> Story:
    """A test dose was given, and nobody has given instructions for the six hours."""
    return _not_instructed().fork()


@cache
def _after_last_dose() -> Story:
    story = escalating()
    for day in VISIT_DAYS[:-1]:
        story.given(visit("7 M[IU]", on=day.isoformat()))
    return story.given(until("2026-03-30 09:00"), day_of_visit, orders("7 M[IU]"), gives("7 M[IU]"))


def after_last_dose() -> Story:
    """The eighth visit's dose was just given, on 30 March."""
    return _after_last_dose().fork()


def half_observed(*, attested: bool) -> Story:
    """At the last visit nobody took the temperature; a clinician attests the readings, or not."""
    story = on_day_of_visit().given(orders("7 M[IU]"), gives("7 M[IU]"))
    story.advance(hours=6).given(at_home(temperature=None))
    if attested:
        return story.given(step("home_readings_attested"), CONFIRM)
    waived = {"override": "N19_readings_of_last_observation", "code": "clinical-judgement"}
    return story.given(step("confirm_tolerated", **waived))


ROWS = (
    # --- N19: six hours -----------------------------------------------------------------------
    row("N19", "five hours and 59 minutes after the test dose", after_test_dose,
        waits(hours=5, minutes=59), step("symptoms_reviewed"), then=ends_in("observing_test_dose")),
    row("N19", "six hours after the test dose", after_test_dose, waits(hours=6),
        step("symptoms_reviewed"), then=ends_in("assessing_tolerance")),
    row("N19", "five hours and 59 minutes after a later dose", after_dose,
        waits(hours=5, minutes=59), step("symptoms_reviewed"), then=ends_in("observing_dose")),
    row("N19", "six hours after a later dose", after_dose, waits(hours=6),
        step("symptoms_reviewed"), then=ends_in("escalation")),
    row("N19", "an observation is said to be complete after five hours: recorded, and it goes on",
        after_test_dose, waits(hours=5), step("observation_completed"),
        then=(recorded, ends_in("observing_test_dose"))),
    row("N19", "the test dose is confirmed as tolerated after five hours", after_test_dose,
        waits(hours=5), at_home(), CONFIRM, then=refused),
    softly("N19", "the next dose when nobody took the temperature during the last observation",
           partial(half_observed, attested=False), until("2026-03-09 09:00"), day_of_visit,
           partial(orders, "7 M[IU]"), kept="N19_readings_of_last_observation"),
    row("N19", "the next dose when a clinician attests the readings",
        partial(half_observed, attested=True), until("2026-03-09 09:00"), day_of_visit,
        orders("7 M[IU]"), then=granted),
    # --- E21: tolerated, confirmed by a clinician ---------------------------------------------
    row("E21", "six quiet hours, and the clinician confirms", assessing, CONFIRM,
        then=(granted, ends_in("escalation"), has(d0="2026-03-02", visit_tolerance="tolerated"))),
    row("E21", "six quiet hours, and nobody confirms", assessing, until("2026-03-05 09:00"),
        step("symptoms_reviewed"), then=ends_in("assessing_tolerance")),
    row("E21", "an event of grade 2", after_test_dose, waits(hours=3), adverse("rigor", 2),
        *FOUR_HOURS, at_home(), CONFIRM, then=(granted, ends_in("escalation"))),
    row("E21", "an event of grade 3", after_test_dose, waits(hours=3), adverse("rigor", 3),
        *FOUR_HOURS, at_home(), CONFIRM, then=refused),
    row("E21", "an emergency visit", after_test_dose, waits(hours=3),
        step("emergency_visit_reported"), *FOUR_HOURS, at_home(), CONFIRM, then=refused),
    row("E21", "a vasopressor", after_test_dose, waits(hours=3),
        step("vasopressor_given", drug="phenylephrine", rate="0.5 ug/kg/min"),
        *FOUR_HOURS, at_home(), CONFIRM, then=refused),
    row("E21", "the last pressure of the observation is at the goal", after_test_dose,
        waits(hours=5), vital_signs(90), waits(hours=1), CONFIRM, then=refused),
    row("E21", "the pressure fell to the goal and is above it again", after_test_dose,
        waits(hours=4), vital_signs(90), waits(hours=1), vital_signs(95), waits(hours=1), CONFIRM,
        then=(granted, ends_in("escalation"))),
    row("E21", "nobody has measured the pressure during the observation", after_test_dose,
        waits(hours=6), CONFIRM, then=undecided("systolic")),
    row("E21", "the readings are those of the observation, however late it is confirmed", assessing,
        until("2026-03-04 09:00"), CONFIRM, then=(granted, ends_in("escalation"))),
    row("E21", "a clinician says that it was not tolerated", assessing, NOT,
        then=ends_in("test_dose_review")),
    row("E21", "an event of grade 3, reported after the confirmation, revokes it", escalating,
        until("2026-03-03 09:00"), adverse("rigor", 3, at="2026-03-02 14:00"),
        then=(recorded, ends_in("test_dose_review"))),
    row("E21", "an event of grade 2, reported after the confirmation, does not", escalating,
        until("2026-03-03 09:00"), adverse("rigor", 2, at="2026-03-02 14:00"),
        then=ends_in("escalation")),
    row("E21", "an event of grade 3 from before the injection, reported after it, does not",
        escalating, until("2026-03-03 09:00"), adverse("rigor", 3, at="2026-03-02 08:30"),
        then=ends_in("escalation")),
    row("E21", "an event of grade 3 at a later visit leaves the test dose tolerated", after_dose,
        waits(hours=3), adverse("rigor", 3), waits(hours=3), step("not_tolerated_reported"),
        then=has(last_tolerated_dose="7", d0="2026-03-02")),
    row("E21", "the day after, a dose is refused whose test dose was revoked", escalating,
        until("2026-03-03 09:00"), adverse("rigor", 3, at="2026-03-02 14:00"),
        until("2026-03-05 09:00"), day_of_visit, orders("7 M[IU]"), then=refused),
    row("E21", "a test dose may be repeated after the review", assessing, NOT,
        step("toxicity_resolved"), until("2026-03-05 09:00"), day_of_visit, orders_test_dose(),
        gives("7 M[IU]"), then=(granted, ends_in("observing_test_dose"), has(test_doses="2"))),
    row("E21", "D0 is the day of the tolerated test dose, not of the first one", assessing, NOT,
        step("toxicity_resolved"), until("2026-03-05 09:00"), day_of_visit, orders_test_dose(),
        gives("7 M[IU]"), observed, CONFIRM, then=has(d0="2026-03-05")),
    row("E21", "IL-2 may be ended after the review", assessing, NOT,
        step("end_il2", continue_topicals=False, reason="not-tolerated"),
        then=(granted, ends_in("follow_up"))),
    row("E21", "without confirmation no dose is ordered", assessing, until("2026-03-05 09:00"),
        day_of_visit, orders("7 M[IU]"), then=refused),
    # --- a later visit ------------------------------------------------------------------------
    row("E21", "an event of grade 3 at a later visit", after_dose, waits(hours=3),
        adverse("rigor", 3), waits(hours=3), at_home(), CONFIRM, then=refused),
    row("E21", "a later visit, quiet and confirmed", after_dose, observed, CONFIRM,
        then=(granted, has(last_tolerated_dose="10"))),
    row("E21", "a later visit that nobody confirmed raises nothing", after_dose, observed,
        step("symptoms_reviewed"), then=has(last_tolerated_dose="7")),
    row("E21", "a vasopressor at a later visit: a clinician decides before the next dose",
        after_dose, waits(hours=2), step("vasopressor_given", drug="phenylephrine"), waits(hours=5),
        step("symptoms_reviewed"), then=ends_in("dose_review")),
    row("E21", "after the last visit the tail does not wait for a confirmation", after_last_dose,
        waits(hours=6), step("symptoms_reviewed"), then=ends_in("tail")),
    # --- E26: home only if relatively healthy and instructed ----------------------------------
    row("E26", "relatively healthy and instructed", after_test_dose, step("discharge_home"),
        then=granted),
    row("E26", "not relatively healthy: observation in the clinic", not_healthy,
        step("discharge_home"), then=refused),
    row("E26", "relatively healthy, but not instructed", not_instructed, step("discharge_home"),
        then=refused),
)  # fmt: skip

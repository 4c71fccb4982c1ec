"""7.1 to 7.4, 7.18: civil days between doses, two in any seven days, the window, its extension."""

from __future__ import annotations

from functools import cache, partial

from engine.testing import Part, Story, step
from tests.workflows.il2 import (
    adverse,
    assessing,
    at_baseline,
    at_home,
    day_of_visit,
    escalating,
    gives,
    in_tail,
    labs,
    orders,
    orders_test_dose,
    until,
    visit,
    waits,
)
from tests.workflows.thresholds.row import (
    advises,
    ends_in,
    firmly,
    granted,
    has,
    kept_closed_by,
    not_fired,
    refused,
    row,
    softly,
)

GAP, ROLLING, WINDOW = (
    "at_least_2_days_since_last_dose",
    "at_most_2_doses_in_7_days",
    "within_the_window",
)


@cache
def _visits(*days: str) -> Story:
    story = escalating()
    for day in days:
        story.given(visit("7 M[IU]", on=f"2026-03-{day}"))
    return story


def visits_on(*days: str) -> Story:
    """Visits on these days of March, with 7 million units each, tolerated."""
    return _visits(*days).fork()


def morning(day: str, time: str = "09:00") -> tuple[Part, ...]:
    return until(f"2026-{day} {time}"), day_of_visit


SEVEN = partial(orders, "7 M[IU]")

ROWS = (
    # --- civil days between two doses ---------------------------------------------------------
    softly("7.4", "the day after the last dose", partial(visits_on, "05"), *morning("03-06"), SEVEN,
           kept=GAP),
    row("7.4", "two civil days after the last dose", partial(visits_on, "05"), *morning("03-07"),
        SEVEN(), then=granted),
    row("7.4", "Tuesday afternoon to Thursday morning is 43 hours, and normal", escalating,
        *morning("03-10", "14:00"), SEVEN(), gives("7 M[IU]"), waits(hours=6), at_home(),
        step("confirm_tolerated"), *morning("03-12"),
        SEVEN(), then=granted),
    softly("7.4", "the day after the test dose", escalating, *morning("03-03"), SEVEN, kept=GAP),
    row("7.4", "two civil days after the test dose", escalating, *morning("03-04"), SEVEN(),
        then=granted),
    row("7.4", "less than 72 hours are advised against", partial(visits_on, "05"),
        *morning("03-07"), SEVEN(), then=(granted, advises("72 hours"))),
    row("7.4", "three days after the last dose", partial(visits_on, "05"), *morning("03-08"),
        SEVEN(), then=(granted, not_fired("dose_sooner_than_72_hours"))),
    row("7.4", "the schedule's own three and four days over the change of the clocks",
        partial(visits_on, "05"), *morning("03-09"), SEVEN(), then=granted),
    # --- two in any seven days, the test dose not counted -------------------------------------
    softly("7.4", "a third dose within seven days", partial(visits_on, "05", "09"),
           *morning("03-11"), SEVEN, kept=ROLLING),
    row("7.4", "a third dose on the eighth day", partial(visits_on, "05", "09"), *morning("03-12"),
        SEVEN(), then=granted),
    row("7.4", "the second dose of a week that began with the test dose", partial(visits_on, "05"),
        *morning("03-07"), SEVEN(), then=granted),
    softly("7.4", "the third dose of a week that began with the test dose",
           partial(visits_on, "05", "07"), *morning("03-09"), SEVEN, kept=ROLLING),
    # --- the window of 28 days ----------------------------------------------------------------
    row("7.3", "a dose on day 28", escalating, *morning("03-30"), SEVEN(), then=granted),
    row("7.3", "at the end of day 28 the escalation is over", escalating,
        until("2026-03-30 23:58"), step("symptoms_reviewed"), then=ends_in("escalation")),
    row("7.3", "after day 28 the tail has begun", escalating, until("2026-03-31 00:00"),
        step("symptoms_reviewed"), then=ends_in("tail")),
    row("7.3", "a dose on day 29 without an extension", escalating, *morning("03-31"), SEVEN(),
        then=refused),
    row("7.3", "the window counts from the tolerated test dose, not from its confirmation",
        assessing, until("2026-03-03 09:00"), step("confirm_tolerated"),
        then=(granted, has(d0="2026-03-02", window_ends_on="2026-03-30"))),
    row("7.3", "an observation is not cut by the end of the window", escalating,
        *morning("03-30", "20:00"), SEVEN(), gives("7 M[IU]"), until("2026-03-31 01:00"),
        step("symptoms_reviewed"), then=ends_in("observing_dose")),
    row("7.3", "and the tail begins when it is over", escalating,
        *morning("03-30", "20:00"), SEVEN(), gives("7 M[IU]"), until("2026-03-31 02:01"),
        step("symptoms_reviewed"), then=ends_in("tail")),
    # --- extension ----------------------------------------------------------------------------
    row("7.18", "four weeks are no extension", escalating, step("extend_window", weeks=4),
        then=granted),
    softly("7.18", "an extension to five weeks", escalating,
           partial(step, "extend_window", weeks=5), kept="at_most_4_weeks"),
    softly("7.18", "an extension to six weeks", escalating,
           partial(step, "extend_window", weeks=6), kept="at_most_4_weeks"),
    firmly("7.18", "an extension to seven weeks", escalating,
           partial(step, "extend_window", weeks=7), kept="at_most_4_weeks at_most_6_weeks"),
    row("7.18", "a dose on day 29 after an extension", escalating,
        step("extend_window", weeks=5, override="at_most_4_weeks", code="clinical-judgement"),
        *morning("03-31"), SEVEN(), then=granted),
    firmly("7.16", "a stop rule fired in the tail: no more weeks in this round", in_tail,
           adverse("confusion"), partial(step, "extend_window", weeks=6),
           kept="at_most_4_weeks no_stop_rule_in_this_round"),
    row("7.16", "but what was entered in error did not stop", in_tail, adverse("confusion"),
        step("revoke_discontinuation", reason="entered-in-error"),
        step("extend_window", weeks=6, override="at_most_4_weeks", code="clinical-judgement"),
        then=(granted, ends_in("escalation"))),
    row("7.16", "a stop in the tail is not taken back while it holds on what is recorded", in_tail,
        labs(creatinine="3.1 mg/dL"), step("revoke_discontinuation", reason="entered-in-error"),
        then=kept_closed_by("no_stop_rule_holds")),
    row("7.18", "a missed visit is not a dose, and is not made up", escalating,
        until("2026-03-07 09:00"), step("symptoms_reviewed"),
        then=has(slot="2", doses_given="0", missed_slots="1")),
    # --- counters -----------------------------------------------------------------------------
    row("7.2", "eight visits end the escalation", in_tail, step("symptoms_reviewed"),
        then=(ends_in("tail"), has(doses_given="8", test_doses="1", missed_slots="0"))),
    row("7.2", "the test dose is no visit", escalating, step("symptoms_reviewed"),
        then=has(doses_given="0", slot="1", test_doses="1")),
    row("N11", "total and cumulative dose are kept", in_tail, step("symptoms_reviewed"),
        then=has(dose_total="120", round_dose_total="120")),
    row("7.4", "a test dose may be given on any day", at_baseline, orders_test_dose(),
        then=granted),
)  # fmt: skip

"""N10, N11, E23 and the limits of a dose: amount, division, comorbidities, steps, stacking."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from engine.testing import Part, Story, step
from tests.workflows.il2 import (
    adverse,
    after_test_dose,
    at_baseline,
    at_home,
    baseline,
    begun,
    day_of_visit,
    escalating,
    gives,
    in_dose_hold,
    observed,
    on_day_of_visit,
    orders,
    orders_test_dose,
    split,
    until,
    visit,
    waits,
)
from tests.workflows.thresholds.row import (
    advises,
    deviates,
    ends_in,
    fires,
    firmly,
    granted,
    not_fired,
    refused,
    refused_for,
    row,
    softly,
)

ATTESTED = step("comorbidities_attested", few_comorbidities=True)
MANY = step("comorbidities_attested", few_comorbidities=False)
HEALTHY = "N11_few_comorbidities_above_19"
CAUTION = "E23_few_comorbidities_above_15"
STEP = "dose_step_at_most_5"


def asks_for(amount: str) -> Any:
    return partial(orders, f"{amount} M[IU]")


def asks_for_test(amount: str) -> Any:
    return partial(orders_test_dose, f"{amount} M[IU]")


@cache
def _tolerated(*amounts: str) -> Story:
    days = ("2026-03-05", "2026-03-09", "2026-03-12", "2026-03-16")
    story = escalating()
    for day, amount in zip(days, amounts, strict=False):
        story.given(visit(f"{amount} M[IU]", on=day))
    return story.until(f"{days[len(amounts)]} 09:00").given(day_of_visit)


def tolerated(*amounts: str) -> Story:
    """Visits with these doses, each tolerated; the morning of the next one."""
    return _tolerated(*amounts).fork()


@cache
def _unattested() -> Story:
    comorbidities = step("comorbidities_attested", medically_complicated=False,
                         relatively_healthy=True)  # fmt: skip
    story = begun().given(baseline(comorbidities=comorbidities)).until("2026-03-02 10:00")
    story.given(orders_test_dose(), gives("7 M[IU]"), observed, step("confirm_tolerated"))
    for day, amount in (("2026-03-05", "11"), ("2026-03-09", "15")):
        story.given(visit(f"{amount} M[IU]", on=day))
    return story.until("2026-03-12 09:00").given(day_of_visit)


def unattested() -> Story:
    """15 was tolerated; nobody has said anything about comorbidities."""
    return _unattested().fork()


def not_tolerated(story: Story) -> None:
    """The visit's dose was followed by an event of grade 3; a clinician has closed it since."""
    story.advance(hours=3).given(adverse("rigor", 3)).advance(hours=3).given(at_home())
    story.given(step("not_tolerated_reported"), step("toxicity_resolved"))
    if story.state == "dose_review":
        story.given(step("resume_escalation"))


@cache
def _after_intolerance() -> Story:
    story = on_day_of_visit().given(orders("10 M[IU]"), gives("10 M[IU]"), not_tolerated)
    return story.until("2026-03-09 09:00").given(day_of_visit)


def after_intolerance() -> Story:
    """7 was tolerated, 10 was not; the morning of the next visit."""
    return _after_intolerance().fork()


@cache
def _after_hold() -> Story:
    story = in_dose_hold().until("2026-03-06 09:00")
    story.given(
        step("echocardiogram_recorded", echocardiogram="no_dysfunction"), step("release_hold"),
        step("not_tolerated_reported"), step("toxicity_resolved"), step("home_readings_attested"),
    )  # fmt: skip
    return story.until("2026-03-09 09:00").given(day_of_visit)


def after_hold() -> Story:
    """7 was tolerated; after 10 enzymes rose, and the hold was released by an echocardiogram."""
    return _after_hold().fork()


def divided(amount: str, *parts: str) -> Part:
    return step("order_test_dose", amount=amount, split=[
        {"lesion": n, "amount": part} for n, part in enumerate(parts, 1)
    ])  # fmt: skip


ROWS = (
    # --- N10: the test dose -------------------------------------------------------------------
    row("N10", "a test dose of 7", at_baseline, asks_for_test("7")(), then=granted),
    firmly("N10", "a test dose of 7.1", at_baseline, asks_for_test("7.1"),
           kept="N10_test_dose_at_most_7"),
    firmly("N10", "a test dose of 7.2, a third of a vial", at_baseline, asks_for_test("7.2"),
           kept="N10_test_dose_at_most_7"),
    softly("N10", "a test dose of 6.9", at_baseline, asks_for_test("6.9"),
           kept="N10_test_dose_is_7"),
    softly("N10", "a test dose of 3", at_baseline, asks_for_test("3"), kept="N10_test_dose_is_7"),
    firmly("N10", "a test dose of 2.9", at_baseline, asks_for_test("2.9"),
           kept="N10_test_dose_is_7 N10_test_dose_at_least_3"),
    row("N10", "a test dose of 7000000 international units", at_baseline,
        step("order_test_dose", amount="7000000 [IU]", split=split("7000000 [IU]")), then=granted),
    row("N10", "7 divided as 4 and 3", at_baseline, divided("7 M[IU]", "4 M[IU]", "3 M[IU]"),
        then=granted),
    row("N10", "7 divided as 4 and 2.9", at_baseline, divided("7 M[IU]", "4 M[IU]", "2.9 M[IU]"),
        then=refused),
    row("N10", "7 divided as 4 and 3.1", at_baseline, divided("7 M[IU]", "4 M[IU]", "3.1 M[IU]"),
        then=refused),
    row("N10", "7 divided among no lesion", at_baseline, divided("7 M[IU]"), then=refused),
    row("N10", "8 given as a test dose although 7 were ordered: recorded, a deviation", at_baseline,
        asks_for_test("7")(), gives("8 M[IU]"), then=(deviates, ends_in("observing_test_dose"))),
    row("N10", "a second test dose while the first is observed", after_test_dose,
        asks_for_test("7")(), then=refused),
    # --- N11: at most 22, and few comorbidities -----------------------------------------------
    row("N11 E23", "15, few comorbidities attested", partial(tolerated, "12"), ATTESTED,
        asks_for("15")(), then=granted),
    row("N11 E23", "15, nobody has said anything about comorbidities", unattested,
        asks_for("15")(), then=granted),
    softly("N11 E23", "15.1, nobody has said anything about comorbidities", unattested,
           asks_for("15.1"), kept=CAUTION),
    softly("N11 E23", "15.1 with comorbidities", unattested, MANY, asks_for("15.1"), kept=CAUTION),
    softly("N11 E23", "19 with comorbidities", unattested, MANY, asks_for("19"), kept=CAUTION),
    firmly("N11 E23", "19.1 with comorbidities", unattested, MANY, asks_for("19.1"),
           kept=f"{HEALTHY} {CAUTION}"),
    firmly("N11 E23", "19.1, nobody has said anything about comorbidities", unattested,
           asks_for("19.1"), kept=f"{HEALTHY} {CAUTION}"),
    row("N11", "19, few comorbidities attested", partial(tolerated, "12", "16"), asks_for("19")(),
        then=granted),
    row("N11", "19.1, few comorbidities attested", partial(tolerated, "12", "16"),
        asks_for("19.1")(), then=granted),
    row("N11", "21.6, one vial, few comorbidities attested", partial(tolerated, "12", "17"),
        asks_for("21.6")(), then=granted),
    firmly("N11", "21.6, one vial, with comorbidities", partial(tolerated, "12", "17"), MANY,
           asks_for("21.6"), kept=f"{HEALTHY} {CAUTION}"),
    row("N11", "22, few comorbidities attested", partial(tolerated, "12", "17"), asks_for("22")(),
        then=granted),
    firmly("N11", "22 with comorbidities", partial(tolerated, "12", "17"), MANY, asks_for("22"),
           kept=f"{HEALTHY} {CAUTION}"),
    firmly("N11", "22.1, whatever anybody attests", partial(tolerated, "12", "17", "20"),
           asks_for("22.1"), kept="N11_dose_at_most_22"),
    row("N11", "23 given: recorded, a deviation, observed and reviewed", on_day_of_visit,
        asks_for("10")(), gives("23 M[IU]"), waits(hours=6), step("symptoms_reviewed"),
        then=ends_in("dose_review")),
    row("N11", "23 given is a deviation", on_day_of_visit, asks_for("10")(), gives("23 M[IU]"),
        then=(deviates, ends_in("observing_dose"))),
    row("N11", "22 given as ordered is none", partial(tolerated, "12", "17"), asks_for("22")(),
        gives("22 M[IU]"), then=(granted, ends_in("observing_dose"))),
    row("N11", "a dose without anybody having ordered it", on_day_of_visit, gives("10 M[IU]"),
        then=(deviates, ends_in("observing_dose"))),
    row("E23", "16 with comorbidities: advice to stay below 22", unattested, MANY,
        asks_for("16")(override=CAUTION, code="clinical-judgement"),
        then=(granted, fires("E23"), advises("22"))),
    # --- the step from the last tolerated dose ------------------------------------------------
    row("N11", "12 after 7, a step of 5", on_day_of_visit, asks_for("12")(), then=granted),
    softly("N11", "12.1 after 7, a step above 5", on_day_of_visit, asks_for("12.1"), kept=STEP),
    softly("N11", "22 after 7, a step of 15", on_day_of_visit, asks_for("22"), kept=STEP),
    row("N11", "the same dose again", on_day_of_visit, asks_for("7")(), then=granted),
    # --- after an intolerable visit, or a hold ------------------------------------------------
    row("N11", "7 after 7 was tolerated and 10 was not", after_intolerance, asks_for("7")(),
        then=granted),
    softly("N11", "7.1 after 7 was tolerated and 10 was not", after_intolerance, asks_for("7.1"),
           kept="dose_not_above_tolerated_after_intolerance"),
    row("N11 E03", "7 after a hold, 7 being the last tolerated dose", after_hold, asks_for("7")(),
        then=granted),
    softly("N11 E03", "7.1 after a hold, 7 being the last tolerated dose", after_hold,
           asks_for("7.1"), kept="dose_not_above_tolerated_after_intolerance"),
    # --- drastic reduction: advice only -------------------------------------------------------
    row("N11", "3.5 after 7, which is half", on_day_of_visit, asks_for("3.5")(),
        then=(granted, not_fired("drastic_dose_reduction"))),
    row("N11", "3.4 after 7, less than half", on_day_of_visit, asks_for("3.4")(),
        then=(granted, advises("drastic reduction"))),
    row("N11", "2.9, less than 3", on_day_of_visit, asks_for("2.9")(),
        then=(granted, advises("drastic reduction"))),
    row("N11", "5 after 10, which is half", partial(tolerated, "10"), asks_for("5")(),
        then=(granted, not_fired("drastic_dose_reduction"))),
    row("N11", "4.9 after 10, less than half", partial(tolerated, "10"), asks_for("4.9")(),
        then=(granted, advises("drastic reduction"))),
    # --- stacking, from week 2 on -------------------------------------------------------------
    row("N11", "the same dose in the first week", on_day_of_visit, asks_for("7")(),
        then=(granted, not_fired("dose_may_stack"))),
    row("N11", "the same dose in the second week", partial(tolerated, "10"), asks_for("10")(),
        then=(granted, advises("stack"))),
    row("N11", "a higher dose in the second week", partial(tolerated, "10"), asks_for("13")(),
        then=(granted, advises("stack"))),
    row("N11", "a lower dose in the second week", partial(tolerated, "10"), asks_for("9")(),
        then=(granted, not_fired("dose_may_stack"))),
    # --- nothing is given while something else is going on ------------------------------------
    row("E03", "an order during a hold", in_dose_hold, until("2026-03-09 09:00"), day_of_visit,
        asks_for("7")(), then=refused),
    row("E21", "an order before the test dose is confirmed as tolerated", after_test_dose,
        observed, day_of_visit, asks_for("7")(), then=refused),
    row("N19", "an order while a dose is observed", on_day_of_visit, asks_for("10")(),
        gives("10 M[IU]"), asks_for("10")(), then=refused),
    row("N11", "an order without vital signs of the day", escalating, until("2026-03-05 09:00"),
        step("symptoms_reviewed"), asks_for("10")(), then=refused),
    row("N11", "an order without any symptom having been asked for", escalating,
        until("2026-03-05 09:00"),
        step("vital_signs_recorded", systolic="130 mm[Hg]", heart_rate="72 /min",
             temperature="36.8 Cel"),
        asks_for("10")(), then=refused),
    row("N11", "an order whose vital signs are impossible", on_day_of_visit,
        step("vital_signs_recorded", systolic="1300 mm[Hg]"), asks_for("10")(),
        then=refused_for("systolic")),
)  # fmt: skip

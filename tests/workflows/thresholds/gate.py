"""The gate before a dose: what must be known on the day, and what is impossible is named."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from engine.testing import Part, Story, step
from tests.workflows.il2 import (
    adverse,
    after_dose,
    after_test_dose,
    assessing,
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
    until,
    vital_signs,
    waits,
)
from tests.workflows.thresholds.row import (
    deviates,
    ends_in,
    firmly,
    granted,
    refused,
    refused_for,
    row,
    softly,
)

SEVEN = partial(orders, "7 M[IU]")
NORMAL = {"systolic": "130 mm[Hg]", "heart_rate": "72 /min", "temperature": "36.8 Cel"}
IMPOSSIBLE: dict[str, tuple[str, dict[str, Any]]] = {
    "systolic": ("vital_signs_recorded", {"systolic": "1300 mm[Hg]"}),
    "heart_rate": ("vital_signs_recorded", {"heart_rate": "7200 /min"}),
    "temperature": ("vital_signs_recorded", {"temperature": "98.6 Cel"}),
    "spo2": ("vital_signs_recorded", {"spo2": "970 %"}),
    "platelets": ("labs_recorded", {"platelets": "250000 10*3/uL"}),
    "hematocrit": ("labs_recorded", {"hematocrit": "420 %"}),
    "creatinine": ("labs_recorded", {"creatinine": "900 mg/dL"}),
}


def signs(*names: str, **how: Any) -> Part:
    """Only these vital signs, all normal."""
    return step("vital_signs_recorded", role="nurse",
                **{name: NORMAL[name] for name in names}, **how)  # fmt: skip


def signs_but(missing: str) -> tuple[Part, ...]:
    """The morning of a visit on which one vital sign was not taken."""
    return (
        until("2026-03-05 09:00"),
        signs(*(name for name in NORMAL if name != missing)),
        step("symptoms_reviewed", new_symptoms=False),
    )


@cache
def _reviewing() -> Story:
    story = assessing().given(step("not_tolerated_reported"), step("toxicity_resolved"))
    return story.until("2026-03-05 09:00").given(day_of_visit)


def reviewing() -> Story:
    """The test dose was not tolerated; the morning on which it may be repeated."""
    return _reviewing().fork()


@cache
def _reviewing_unread() -> Story:
    story = after_test_dose().advance(hours=7)
    story.given(step("not_tolerated_reported"), step("toxicity_resolved"))
    return story.until("2026-03-05 09:00").given(day_of_visit)


def reviewing_unread() -> Story:
    """The same, but nobody has read anything during the six hours."""
    return _reviewing_unread().fork()


def again(amount: str) -> Any:
    return partial(orders_test_dose, f"{amount} M[IU]")


def stopped(story: Story) -> None:
    story.given(adverse("confusion", 1), waits(hours=20))


ROWS = (
    # --- of the day, each by itself, and no reason passes it ----------------------------------
    *(
        firmly("N19", f"a dose, {name} was taken yesterday", escalating, *signs_but(name), SEVEN,
               kept="vital_signs_of_the_day")
        for name in NORMAL
    ),
    firmly("N19", "a dose, symptoms were asked for yesterday", escalating,
           until("2026-03-04 09:00"), step("symptoms_reviewed", new_symptoms=False),
           until("2026-03-05 09:00"),
           signs(*NORMAL), SEVEN, kept="symptoms_of_the_day"),
    row("N19", "a dose, everything is of the day", escalating, until("2026-03-05 09:00"),
        signs(*NORMAL), step("symptoms_reviewed", new_symptoms=False), SEVEN(), then=granted),
    *(
        softly("E18", f"a test dose, {name} was taken yesterday", at_baseline,
               until("2026-03-03 09:00"),
               baseline(without=("stage", "imaging_body", "imaging_brain"),
                        vital_signs=signs(*(n for n in NORMAL if n != name))),
               orders_test_dose, kept="E18_vital_signs")
        for name in NORMAL
    ),
    # --- what is impossible blocks, and is named ----------------------------------------------
    *(
        row("N11", f"a dose after a physically impossible {name}", on_day_of_visit,
            waits(minutes=5), step(event, role="nurse", **value), SEVEN(), then=refused_for(name))
        for name, (event, value) in IMPOSSIBLE.items()
    ),
    *(
        row("N10", f"a test dose after a physically impossible {name}", at_baseline,
            waits(minutes=5), step(event, role="nurse", **value), orders_test_dose(),
            then=refused_for(name))
        for name, (event, value) in IMPOSSIBLE.items()
    ),
    row("N11", "a dose after an impossible value was corrected", on_day_of_visit, waits(minutes=5),
        vital_signs("1300"), lambda story: story.corrects(story.answers[-1], "systolic",
                                                          "130 mm[Hg]"),
        SEVEN(), then=granted),
    # --- a fast heart: the electrocardiogram or the review of another day explains nothing
    firmly("E29 N01", "131 before a dose, electrocardiogram of yesterday", on_day_of_visit,
           step("electrocardiogram_recorded", rhythm="sinus", at="2026-03-04 12:00"),
           waits(minutes=5), vital_signs(130, 131), SEVEN,
           kept="E29_fast_heart_reviewed N01_heart_rate_at_most_130"),
    firmly("E29 N01", "131 before a dose, causes were looked for yesterday", on_day_of_visit,
           step("tachycardia_reviewed", cause="fever", corrected=True, at="2026-03-04 12:00"),
           waits(minutes=5), vital_signs(130, 131), SEVEN,
           kept="E29_fast_heart_reviewed N01_heart_rate_at_most_130"),
    # --- the same gate before a test dose that is repeated ------------------------------------
    row("N10", "a repeated test dose of 7", reviewing, again("7")(), then=granted),
    firmly("N10", "a repeated test dose of 7.1", reviewing, again("7.1"),
           kept="N10_test_dose_at_most_7"),
    softly("N10", "a repeated test dose of 3", reviewing, again("3"), kept="N10_test_dose_is_7"),
    firmly("N10", "a repeated test dose of 2.9", reviewing, again("2.9"),
           kept="N10_test_dose_is_7 N10_test_dose_at_least_3"),
    firmly("N06", "a repeated test dose after one count of 29", reviewing,
           labs(platelets="29 10*3/uL"), again("7"), kept="N06_no_count_awaiting_repetition"),
    softly("N09", "a repeated test dose at the goal", reviewing, waits(minutes=5), vital_signs(90),
           again("7"), kept="N09_pressure_above_goal"),
    softly("N01 E29", "a repeated test dose at 131 a minute, reviewed", reviewing, waits(minutes=5),
           vital_signs(130, 131), step("tachycardia_reviewed", corrected=False), again("7"),
           kept="N01_heart_rate_at_most_130"),
    softly("N19", "a repeated test dose, nobody has read anything in the six hours",
           reviewing_unread, again("7"), kept="N19_readings_of_last_observation"),
    softly("E24", "a repeated test dose while a toxicity is open", reviewing, adverse("rigor", 3),
           again("7"), kept="no_open_toxicity"),
    row("N19", "a repeated test dose, symptoms not asked for that day", assessing,
        step("not_tolerated_reported"), step("toxicity_resolved"), until("2026-03-05 09:00"),
        signs(*NORMAL), again("7")(), then=refused),
    softly("7.4", "a repeated test dose on the next day", assessing, step("not_tolerated_reported"),
           step("toxicity_resolved"), until("2026-03-03 09:00"), day_of_visit, again("7"),
           kept="at_least_2_days_since_last_dose"),
    # --- what was given without leave ---------------------------------------------------------
    row("N11", "the dose of yesterday's order is given today", on_day_of_visit, SEVEN(),
        until("2026-03-06 09:00"), gives("7 M[IU]"), then=(deviates, ends_in("observing_dose"))),
    row("N11", "another amount than ordered is given", on_day_of_visit, SEVEN(), gives("8 M[IU]"),
        then=(deviates, ends_in("observing_dose"))),
    row("N11", "a dose during a hold: recorded, and the hold stays", in_dose_hold, waits(hours=20),
        gives("7 M[IU]"), then=(deviates, ends_in("dose_hold"))),
    row("N11", "a dose after a discontinuation: recorded, and it stays discontinued", after_dose,
        stopped, gives("7 M[IU]"), then=(deviates, ends_in("il2_discontinued"))),
    row("N11", "a dose before any evaluation: recorded and observed", begun, gives("7 M[IU]"),
        then=(deviates, ends_in("observing_test_dose"))),
    row("N11", "a dose in the tail: recorded and observed", in_tail, until("2026-04-02 09:00"),
        gives("7 M[IU]"), then=(deviates, ends_in("observing_dose"))),
    row("N11", "a dose in maintenance: recorded and observed as a test dose", in_maintenance,
        gives("7 M[IU]"), then=(deviates, ends_in("observing_test_dose"))),
    row("N11", "a second dose during the observation: recorded, and it begins anew", after_dose,
        waits(hours=5), gives("7 M[IU]"), waits(hours=2), step("symptoms_reviewed"),
        then=ends_in("observing_dose")),
    # --- a hold of the test dose ends with an echocardiogram, like any other ------------------
    *(
        firmly("E03", f"release of the hold of a test dose, {found}", assessing,
               step("cardiac_enzymes_recorded", cardiac_enzymes="elevated"), waits(hours=2), *parts,
               partial(step, "release_hold"),
               kept="E03_echocardiogram_after_rise_without_dysfunction review_is_needed")
        for found, parts in (
            ("no echocardiogram", ()),
            ("an inconclusive one",
             (step("echocardiogram_recorded", echocardiogram="inconclusive"),)),
        )
    ),
    # --- topicals that were given up have no tail ---------------------------------------------
    row("E14", "the last visit of a patient who has given up the topicals", on_day_of_visit,
        step("withdrawal_reported", scope="topicals"), SEVEN(), gives("7 M[IU]"), observed,
        step("confirm_tolerated"), until("2026-03-31 00:00"), step("symptoms_reviewed"),
        then=ends_in("follow_up")),
)  # fmt: skip

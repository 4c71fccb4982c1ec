"""N03, N09, E04, E10, E28: pressure against its goal, oxygen, edema of the lungs."""

from __future__ import annotations

from functools import partial

from engine.answer import Answer
from engine.testing import Part, Story, step
from tests.workflows.il2 import (
    adverse,
    after_dose,
    after_test_dose,
    at_baseline,
    at_home,
    in_dose_hold,
    in_maintenance,
    on_day_of_visit,
    orders,
    vital_signs,
    waits,
)
from tests.workflows.thresholds.row import (
    Expectation,
    Row,
    advises,
    ends_in,
    fires,
    firmly,
    granted,
    has,
    not_fired,
    recorded,
    refused,
    row,
    silent,
    softly,
    undecided,
)


def expedited(*, expected: bool) -> Expectation:
    """Whether the patient is sent to the emergency department now."""

    def look(_: Story, answer: Answer) -> None:
        sent = {message["kind"] for message in answer.decision.get("messages", ())}
        assert ("patient.expedite" in sent) is expected, sent

    return look


TO_EMERGENCY, NOT_YET = expedited(expected=True), expedited(expected=False)


def spo2(value: str, **how: object) -> Part:
    return step("vital_signs_recorded", role="nurse", spo2=f"{value} %", **how)


def goal_rows() -> tuple[Row, ...]:
    """By the pressure before the first injection: below 100, 80; to 120, 85; above, 90."""
    rows = []
    for before, goal in ((99, 80), (100, 85), (110, 85), (120, 85), (121, 90), (160, 90)):
        begins = partial(after_test_dose, before)
        for reading, low in ((goal - 1, True), (goal, True), (goal + 1, False)):
            rows.append(
                row(
                    "N09 E04",
                    f"{before} before, {reading} in the clinic: {'low' if low else 'above goal'}",
                    begins,
                    waits(minutes=60),
                    vital_signs(reading),
                    then=(
                        (recorded, fires("N09"), advises("fluid", "colloid", "phenylephrine"))
                        if low
                        else (recorded, silent("N09"), not_fired("E04"))
                    )
                    + (ends_in("observing_test_dose"),),
                )
            )
    return tuple(rows)


LOW = at_home(90)  # the goal after a pressure of 130 is 90

ROWS = (
    *goal_rows(),
    row("N09", "a fraction above the goal", after_test_dose, waits(minutes=60),
        vital_signs("90.1"), then=silent("N09")),
    row("N09", "the goal is frozen: a low pressure during the observation does not lower it",
        partial(after_test_dose, 130), waits(minutes=60), vital_signs(95), waits(minutes=60),
        vital_signs(90), then=fires("N09")),
    row("N09", "a pressure of 45 is real and acts", after_dose, vital_signs(45),
        then=(recorded, fires("N09"))),
    # --- at home ------------------------------------------------------------------------------
    row("N09 E04", "at home, at the goal, with symptoms", after_dose, waits(hours=3),
        at_home(90, symptoms=True), then=(recorded, fires("N09"), TO_EMERGENCY)),
    row("N09", "in the clinic, at the goal, with symptoms: managed there", after_dose,
        waits(hours=3), vital_signs(90, symptoms=True), then=(recorded, fires("N09"), NOT_YET)),
    row("N09", "at home, at the goal: no fluids are ordered there", after_dose, waits(hours=3),
        LOW, then=(recorded, not_fired("N09_low_in_clinic"))),
    row("N09", "at home, above the goal, with symptoms", after_dose, waits(hours=3),
        at_home(91, symptoms=True), then=(recorded, not_fired("N09"), NOT_YET)),
    row("N09", "at home, at the goal, once, without symptoms: repeat it", after_dose,
        waits(hours=3), LOW, then=(recorded, NOT_YET, advises("repeat", "5 to 15 minutes"))),
    row("N09", "at home, at the goal, nobody says whether there are symptoms", after_dose,
        waits(hours=3),
        step("vital_signs_recorded", role="patient", systolic="90 mm[Hg]", setting="home"),
        then=(recorded, advises("repeat"))),
    row("N09", "at home, still low after 4 minutes: too soon", after_dose, waits(hours=3),
        LOW, waits(minutes=4), LOW, then=(recorded, NOT_YET)),
    row("N09 E04", "at home, still low after 5 minutes", after_dose, waits(hours=3),
        LOW, waits(minutes=5), LOW, then=(recorded, fires("N09"), TO_EMERGENCY)),
    row("N09", "at home, still low after 14 minutes", after_dose, waits(hours=3),
        LOW, waits(minutes=14), LOW, then=(recorded, TO_EMERGENCY)),
    row("N09", "at home, recovered after 10 minutes", after_dose, waits(hours=3),
        LOW, waits(minutes=10), at_home(91), then=(recorded, not_fired("N09"), NOT_YET)),
    # --- pressure before a dose ---------------------------------------------------------------
    softly("N09", "at the goal before a dose", on_day_of_visit, vital_signs(90),
           lambda **how: orders("10 M[IU]", **how), kept="N09_pressure_above_goal"),
    row("N09", "above the goal before a dose", on_day_of_visit, vital_signs(91),
        orders("10 M[IU]"), then=granted),
    # --- 7.15: clinically significant, twice 5 to 15 minutes apart or once with symptoms
    row("E04", "at the goal once in the clinic, without symptoms: no toxicity is open", after_dose,
        vital_signs(90, symptoms=False), then=has(toxicity_open=False)),
    row("E04", "at the goal once in the clinic, with symptoms: a toxicity is open", after_dose,
        vital_signs(90, symptoms=True), then=has(toxicity_open=True)),
    row("E04", "at the goal twice, 4 minutes apart: no toxicity is open", after_dose,
        vital_signs(90), waits(minutes=4), vital_signs(90), then=has(toxicity_open=False)),
    row("E04", "at the goal twice, 5 minutes apart: a toxicity is open", after_dose,
        vital_signs(90), waits(minutes=5), vital_signs(90), then=has(toxicity_open=True)),
    # --- E04: no stop rule for hypotension ----------------------------------------------------
    row("E04", "hypotension is reported as an adverse event", after_dose,
        adverse("hypotension", 2),
        then=(ends_in("observing_dose"), fires("E04"), advises("fluid", "colloid"))),
    row("E04", "hypotension is no reason to discontinue", after_dose, vital_signs(60),
        waits(minutes=10), vital_signs(58), then=(ends_in("observing_dose"), fires("E04"))),
    # --- N03: < 90 % --------------------------------------------------------------------------
    row("N03", "saturation 90", after_dose, spo2("90"), then=(recorded, silent("N03"))),
    row("N03", "saturation 89", after_dose, spo2("89"),
        then=(ends_in("observing_dose"), fires("N03"), advises("oxygen"))),
    row("N03", "saturation 89.9", after_dose, spo2("89.9"), then=fires("N03")),
    row("N03", "saturation is not measured", after_dose, vital_signs(), then=silent("N03")),
    row("N03", "saturation 89 with hypotension: oxygen is never withheld", after_dose,
        vital_signs(70), spo2("89"), then=(fires("N03"), advises("oxygen"))),
    row("N03", "saturation 89 in maintenance", in_maintenance, spo2("89"), then=fires("N03")),
    # --- E09, E10: dyspnea, edema of the lungs ------------------------------------------------
    row("E09", "dyspnea", after_dose, adverse("dyspnea", 1),
        then=(ends_in("observing_dose"), fires("E09"), advises("saturation", "x-ray"))),
    row("E10", "edema of the lungs on an X-ray, pressure normal", after_dose,
        waits(minutes=60), vital_signs(120),
        step("chest_x_ray_recorded", pulmonary_edema=True),
        then=(fires("E10"), advises("furosemide", "morphine", "nitroglycerin", "upright"))),
    row("E10", "no edema on an X-ray", after_dose, vital_signs(120),
        step("chest_x_ray_recorded", pulmonary_edema=False), then=not_fired("E10")),
    row("E10", "edema of the lungs is reported, pressure normal", after_dose,
        waits(minutes=60), vital_signs(120), adverse("pulmonary_edema", 2),
        then=(fires("E10"), advises("furosemide"))),
    row("E10", "edema of the lungs is reported, pressure at the goal: oxygen, and no diuretic",
        after_dose, waits(minutes=60), vital_signs(90), adverse("pulmonary_edema", 2),
        then=(fires("E10_pulmonary_edema_with_hypotension"), advises("oxygen", "no diuretic"),
              not_fired("E10_pulmonary_edema_without_hypotension"))),
    row("E10", "dyspnea is no edema of the lungs", after_dose, vital_signs(120),
        adverse("dyspnea", 2), then=not_fired("E10")),
    # --- E28: two of hypotension, tachycardia, falling urine ----------------------------------
    row("E28", "hypotension alone", after_dose, vital_signs(85), then=not_fired("E28")),
    row("E28", "tachycardia alone", after_dose, vital_signs(130, 140), then=not_fired("E28")),
    row("E28", "hypotension and tachycardia", after_dose, vital_signs(85, 140),
        then=(ends_in("observing_dose"), fires("E28"), advises("capillary leak", "excess fluid"))),
    row("E28", "hypotension and oliguria, reported one after the other", after_dose,
        adverse("hypotension", 2), adverse("oliguria", 2), then=fires("E28")),
    row("E28", "tachycardia and oliguria", after_dose,
        adverse("sinus_tachycardia", 1), adverse("oliguria", 2), then=fires("E28")),
    row("E28", "hypotension, and urine that falls below 10 mL an hour", after_dose,
        vital_signs(85), waits(hours=1),
        step("urine_output_recorded", urine_output="8 mL over 1 h"), then=fires("E28")),
    row("E28", "hypotension, and 60 mL of urine over the last 8 hours", after_dose,
        vital_signs(85), waits(hours=8),
        step("urine_output_recorded", urine_output="60 mL over 8 h"), then=fires("E28")),
    row("E28", "hypotension, and 8 mL of urine in ten minutes, which is plenty", after_dose,
        vital_signs(85), waits(hours=1),
        step("urine_output_recorded", urine_output="8 mL over 10 min"), then=not_fired("E28")),
    # --- orders of E10 ------------------------------------------------------------------------
    *(
        each
        for event, dose in (
            ("order_furosemide", {"dose": "80 mg"}),
            ("order_morphine", {"dose": "2 mg"}),
            ("order_nitroglycerin", {"rate": "50 ug/min"}),
        )
        for each in (
            row("E10 N18", f"{event} for edema with a pressure above the goal", after_dose,
                vital_signs(91), step("chest_x_ray_recorded", pulmonary_edema=True),
                step(event, **dose), then=granted),
            firmly("E10 N18", f"{event} when hypotensive", after_dose,
                   vital_signs(90), step("chest_x_ray_recorded", pulmonary_edema=True),
                   partial(step, event, **dose), kept="E10_not_hypotensive"),
            row("E10 N18", f"{event} when nobody has measured the pressure for hours", after_dose,
                vital_signs(120), step("chest_x_ray_recorded", pulmonary_edema=True),
                waits(hours=5), step(event, **dose), then=undecided("systolic")),
            row("E10 N18", f"{event} without any edema of the lungs", after_dose,
                vital_signs(120), step("chest_x_ray_recorded", pulmonary_edema=False),
                step(event, **dose), then=refused),
        )
    ),
    row("E10", "oxygen given to a hypotensive patient", in_dose_hold, vital_signs(70),
        step("treatment_given", kind="oxygen"), then=granted),
    row("N09", "a pressure at the goal before any injection is no matter of goals", at_baseline,
        vital_signs(90), then=not_fired("N09")),
)  # fmt: skip

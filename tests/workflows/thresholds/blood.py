"""N05 to N08: creatinine, platelets and hematocrit."""

from __future__ import annotations

from engine.testing import Part, step
from tests.workflows.il2 import (
    after_dose,
    after_test_dose,
    assessing,
    at_baseline,
    baseline,
    begun,
    blood,
    escalating,
    gives,
    in_dose_hold,
    in_maintenance,
    in_tail,
    labs,
    on_day_of_visit,
    orders,
    orders_test_dose,
    until,
    waits,
)
from tests.workflows.thresholds.row import (
    asks,
    ends_in,
    fires,
    firmly,
    granted,
    has,
    not_fired,
    refused_for,
    row,
    silent,
)


def count(thousands: str) -> Part:
    return labs(platelets=f"{thousands} 10*3/uL")


def creatinine(value: str) -> Part:
    return labs(creatinine=f"{value} mg/dL")


def hematocrit(value: str) -> Part:
    return labs(hematocrit=f"{value} %")


ON_DAY = (step("symptoms_reviewed"),)
ORDER = orders("10 M[IU]")
BLOCKED = "N06_no_count_awaiting_repetition"
CONSULT = step("consult_recorded", specialty="oncology")

ROWS = (
    # --- N05: > 3 mg/dL, once -----------------------------------------------------------------
    row("N05", "creatinine 2.9", after_dose, creatinine("2.9"),
        then=(ends_in("observing_dose"), silent("N05"))),
    row("N05", "creatinine 3.0", after_dose, creatinine("3.0"),
        then=(ends_in("observing_dose"), silent("N05"))),
    row("N05", "creatinine 3.01", after_dose, creatinine("3.01"), then=ends_in("il2_discontinued")),
    row("N05", "creatinine 3.1", after_dose, creatinine("3.1"),
        then=(ends_in("il2_discontinued"), fires("N05"), has(stopped_by="N05"))),
    row("N05", "creatinine 30 mg/L, which is 3.0 mg/dL", after_dose, labs(creatinine="30 mg/L"),
        then=(ends_in("observing_dose"), silent("N05"))),
    row("N05", "creatinine 31 mg/L, which is 3.1 mg/dL", after_dose, labs(creatinine="31 mg/L"),
        then=ends_in("il2_discontinued")),
    row("N05", "no creatinine since the first injection: a question, and no discontinuation",
        after_dose, step("symptoms_reviewed"),
        then=(ends_in("observing_dose"), asks("N05", "creatinine"))),
    row("N05", "creatinine 5000, physically impossible: a question, and no discontinuation",
        after_dose, creatinine("5000"),
        then=(ends_in("observing_dose"), asks("N05", "creatinine"))),
    row("N05", "creatinine 5000 before a dose: nothing is given and it is named", on_day_of_visit,
        creatinine("5000"), ORDER, then=refused_for("creatinine")),
    row("N05", "creatinine 3.1 after the test dose", after_test_dose, creatinine("3.1"),
        then=ends_in("il2_discontinued")),
    row("N05", "creatinine 3.1 while tolerance is assessed", assessing, creatinine("3.1"),
        then=ends_in("il2_discontinued")),
    row("N05", "creatinine 3.1 between two visits", escalating, creatinine("3.1"),
        then=ends_in("il2_discontinued")),
    row("N05", "creatinine 3.1 during a hold", in_dose_hold, creatinine("3.1"),
        then=ends_in("il2_discontinued")),
    row("N05", "creatinine 3.1 at the baseline: a consult", at_baseline, creatinine("3.1"),
        then=(ends_in("baseline"), fires("N05"))),
    row("N05", "creatinine 3.1 at the baseline does not discontinue after the injection", begun,
        baseline(blood=blood(creatinine="3.1 mg/dL")), waits(hours=1), CONSULT, orders_test_dose(),
        gives("7 M[IU]"), then=(ends_in("observing_test_dose"), not_fired("N05"))),
    row("N05", "creatinine 3.1 in the tail", in_tail, creatinine("3.1"),
        then=(ends_in("tail"), fires("N05"), has(stop_rule_open=True))),
    row("N05", "creatinine 3.1 in maintenance", in_maintenance, creatinine("3.1"),
        then=(ends_in("maintenance"), fires("N05"), has(stop_rule_open=True))),
    row("N05", "a creatinine of 3.1 of the morning is entered after a later one of 1.0",
        after_dose, waits(hours=4), creatinine("1.0"),
        labs(creatinine="3.1 mg/dL", at="2026-03-05 11:00"),
        then=(ends_in("il2_discontinued"), fires("N05"))),
    # --- N06: < 30, sustained -----------------------------------------------------------------
    row("N06", "platelets 30", after_dose, count("30"),
        then=(ends_in("observing_dose"), silent("N06"))),
    row("N06", "platelets 29 once: no discontinuation", after_dose, count("29"),
        then=(ends_in("observing_dose"), not_fired("N06_platelets_below_30_sustained"))),
    row("N06", "platelets 29 thousand as printed, in cubic millimetres", after_dose,
        labs(platelets="29000 /mm3"), waits(hours=24), labs(platelets="29999 /mm3"),
        then=(ends_in("il2_discontinued"), fires("N06"))),
    row("N06", "platelets 29 twice, 23 hours apart", after_dose,
        count("29"), waits(hours=23), count("29"),
        then=(ends_in("escalation"), not_fired("N06_platelets_below_30_sustained"))),
    row("N06", "platelets 29 twice, 24 hours apart", after_dose,
        count("29"), waits(hours=24), count("29"),
        then=(ends_in("il2_discontinued"), fires("N06"), has(stopped_by="N06"))),
    row("N06", "platelets 29, 30, 29 over 24 hours", after_dose,
        count("29"), waits(hours=12), count("30"), waits(hours=12), count("29"),
        then=(ends_in("escalation"), not_fired("N06_platelets_below_30_sustained"))),
    row("N06", "platelets 29, 25, 29 over 24 hours", after_dose,
        count("29"), waits(hours=12), count("25"), waits(hours=12), count("29"),
        then=ends_in("il2_discontinued")),
    row("N06", "platelets 29 at 0 and 12 hours, and again a day after the second", after_dose,
        count("29"), waits(hours=12), count("29"), waits(hours=24), count("29"),
        then=ends_in("il2_discontinued")),
    row("N06", "platelets 29 at the baseline and 29 a day later: the run starts at the injection",
        begun, baseline(blood=blood(platelets="29 10*3/uL")), waits(hours=1), CONSULT,
        orders_test_dose(), gives("7 M[IU]"), waits(hours=24), count("29"),
        then=(ends_in("assessing_tolerance"), not_fired("N06_platelets_below_30_sustained"))),
    row("N06", "platelets 29 sustained after the test dose", after_test_dose,
        count("29"), waits(hours=24), count("29"), then=ends_in("il2_discontinued")),
    row("N06", "platelets 29 sustained during a hold", in_dose_hold,
        count("29"), waits(hours=24), count("29"), then=ends_in("il2_discontinued")),
    row("N06", "platelets 29 sustained in the tail", in_tail,
        count("29"), waits(hours=24), count("29"),
        then=(ends_in("tail"), fires("N06"), has(stop_rule_open=True))),
    row("N06", "counts below 30 of long ago are no question in maintenance", in_tail, count("29"),
        until("2026-08-01 09:00"), step("symptoms_reviewed"),
        then=(ends_in("maintenance"), silent("N06_platelets_below_30_sustained"))),
    row("N06", "a count of 29 of the day before, entered late, completes the run", after_dose,
        waits(hours=30), count("29"), labs(platelets="29 10*3/uL", at="2026-03-05 15:00"),
        then=(ends_in("il2_discontinued"), fires("N06"))),
    row("N06", "platelets 29 at the baseline: a consult", at_baseline, count("29"),
        then=(ends_in("baseline"), fires("N06"))),
    # --- N06: dosing is blocked after one count below 30 --------------------------------------
    firmly("N06", "a dose after one count of 29", on_day_of_visit, count("29"),
           lambda **how: orders("10 M[IU]", **how), kept=BLOCKED),
    firmly("N06", "a dose after one count of 29, however long ago", escalating,
           count("29"), until("2026-03-09 09:00"),
           step("vital_signs_recorded", systolic="130 mm[Hg]", heart_rate="72 /min",
                temperature="36.8 Cel"),
           *ON_DAY, lambda **how: orders("10 M[IU]", **how), kept=BLOCKED),
    row("N06", "a dose after a count of 30", on_day_of_visit, count("30"), ORDER, then=granted),
    row("N06", "a dose after 29 and then 30", on_day_of_visit, count("29"), waits(minutes=30),
        count("30"), ORDER, then=granted),
    firmly("N06", "a dose after 30 and then 29", on_day_of_visit, count("30"), waits(minutes=30),
           count("29"), lambda **how: orders("10 M[IU]", **how), kept=BLOCKED),
    row("N06", "a dose without any count since the baseline", on_day_of_visit, ORDER, then=granted),
    row("N06", "a dose after a count that is physically impossible", on_day_of_visit,
        count("90000"), ORDER, then=refused_for("platelets")),
    # --- N07: < 20, once ----------------------------------------------------------------------
    row("N07", "platelets 20", after_dose, count("20"), then=silent("N07")),
    row("N07", "platelets 19.9", after_dose, count("19.9"), then=fires("N07")),
    row("N07 N06", "platelets 19 once: transfusion advice, no discontinuation", after_dose,
        count("19"), then=(ends_in("observing_dose"), fires("N07"),
                           not_fired("N06_platelets_below_30_sustained"))),
    firmly("N07 N06", "a dose after platelets of 19 once", on_day_of_visit, count("19"),
           lambda **how: orders("10 M[IU]", **how), kept=BLOCKED),
    row("N07", "platelets 19 in the tail", in_tail, count("19"), then=fires("N07")),
    row("N07", "no platelets are measured", after_dose, hematocrit("40"), then=silent("N07")),
    row("N07", "platelets of 4 are real and act", after_dose, count("4"), then=fires("N07")),
    # --- N08: < 28 % --------------------------------------------------------------------------
    row("N08", "hematocrit 28", after_dose, hematocrit("28"), then=silent("N08")),
    row("N08", "hematocrit 27.9", after_dose, hematocrit("27.9"),
        then=(ends_in("observing_dose"), fires("N08"))),
    row("N08", "hematocrit 0.28 as a fraction", after_dose, labs(hematocrit="0.28 1"),
        then=silent("N08")),
    row("N08", "hematocrit is not measured", after_dose, count("200"), then=silent("N08")),
)  # fmt: skip

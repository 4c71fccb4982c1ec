"""N04 and E12: urine output, in total over eight hours that are completely covered."""

from __future__ import annotations

from engine.testing import Part, Story, step
from tests.workflows.il2 import (
    adverse,
    after_dose,
    after_test_dose,
    at_baseline,
    in_dose_hold,
    in_tail,
    waits,
)
from tests.workflows.thresholds.row import (
    asks,
    ends_in,
    fires,
    has,
    not_fired,
    row,
    silent,
)

STOP = "N04_urine_below_10_sustained"


def urine(volume: str, over: str = "8 h", **how: object) -> Part:
    return step("urine_output_recorded", urine_output=f"{volume} mL over {over}", **how)


def hourly(*volumes: int) -> Part:
    """One hour after the other; the last one is looked at."""

    def tell(story: Story) -> object:
        for volume in volumes[:-1]:
            story.advance(hours=1).given(urine(str(volume), "1 h"))
        return urine(str(volumes[-1]), "1 h")(story.advance(hours=1))

    return tell


ROWS = (
    row("N04", "80 mL in 8 hours", after_dose, waits(hours=8), urine("80"),
        then=(ends_in("escalation"), silent(STOP))),
    row("N04", "79 mL in 8 hours", after_dose, waits(hours=8), urine("79"),
        then=(ends_in("il2_discontinued"), fires("N04"), has(stopped_by="N04"))),
    row("N04", "79.9 mL in 8 hours", after_dose, waits(hours=8), urine("79.9"),
        then=ends_in("il2_discontinued")),
    row("N04", "exactly 10 mL in each of 8 hours", after_dose, hourly(*[10] * 8),
        then=(ends_in("escalation"), silent(STOP))),
    row("N04", "79 mL, hour by hour for 8 hours", after_dose, hourly(*[10] * 7, 9),
        then=(ends_in("il2_discontinued"), fires("N04"))),
    row("N04", "much in the first hour, then 9 mL in each of 8 hours", after_dose,
        hourly(300, *[9] * 8), then=ends_in("il2_discontinued")),
    row("N04", "9 mL in each of 7 hours: not yet eight hours", after_dose, hourly(*[9] * 7),
        then=(ends_in("escalation"), not_fired(STOP), asks("N04", "urine_output"))),
    row("N04", "30 and 10 mL with an hour between that nobody measured", after_dose,
        waits(hours=4), urine("30", "4 h"), waits(hours=4), urine("10", "3 h"),
        then=(ends_in("escalation"), not_fired(STOP), asks("N04", "urine_output"))),
    row("N04", "40 and 39 mL in four hours each", after_dose,
        waits(hours=4), urine("40", "4 h"), waits(hours=4), urine("39", "4 h"),
        then=ends_in("il2_discontinued")),
    row("N04", "79 mL in 8 hours, given in litres", after_dose, waits(hours=8),
        step("urine_output_recorded", urine_output="0.079 L over 480 min"),
        then=ends_in("il2_discontinued")),
    row("N04", "nobody measured: a question, and no discontinuation", after_dose, waits(hours=8),
        step("symptoms_reviewed"), then=(ends_in("escalation"), asks("N04", "urine_output"))),
    row("N04", "no urine at all in 8 hours, catheter placed or not", after_dose, waits(hours=8),
        urine("0"), then=ends_in("il2_discontinued")),
    row("N04", "79 mL in the 8 hours before the first injection", at_baseline, urine("79"),
        then=(ends_in("baseline"), not_fired(STOP))),
    row("N04", "79 mL in 8 hours after the test dose", after_test_dose, waits(hours=8),
        urine("79"), then=ends_in("il2_discontinued")),
    row("N04", "79 mL in 8 hours during a hold", in_dose_hold, waits(hours=8), urine("79"),
        then=ends_in("il2_discontinued")),
    row("N04", "79 mL in 8 hours in the tail", in_tail, urine("79"),
        then=(ends_in("tail"), fires("N04"), has(stop_rule_open=True))),
    # --- an early alert, no condition ---------------------------------------------------------
    row("N04 E12", "9 mL in two consecutive hours: managed, not stopped", after_dose,
        hourly(9, 9), then=(ends_in("observing_dose"), fires("N04"), not_fired(STOP))),
    row("N04 E12", "9 mL in one hour", after_dose, hourly(9), then=not_fired("N04")),
    row("N04 E12", "10 mL in two consecutive hours", after_dose, hourly(10, 10),
        then=not_fired("N04")),
    row("E12", "acute kidney injury is reported", after_dose, adverse("acute_kidney_injury", 1),
        then=(ends_in("observing_dose"), fires("E12"))),
    row("E12", "oliguria is reported", after_dose, adverse("oliguria", 2),
        then=(ends_in("observing_dose"), fires("E12"))),
)  # fmt: skip

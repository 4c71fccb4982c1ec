"""N01, N02, E01, E29: the heart rate with and without a sinus rhythm."""

from __future__ import annotations

from engine.testing import Part, Story, step
from tests.workflows.il2 import (
    adverse,
    after_dose,
    after_test_dose,
    assessing,
    at_baseline,
    escalating,
    in_dose_hold,
    in_maintenance,
    in_tail,
    on_day_of_visit,
    orders,
    vital_signs,
    waits,
)
from tests.workflows.thresholds.row import (
    asks,
    ends_in,
    fires,
    firmly,
    granted,
    has,
    row,
    silent,
    softly,
)

SINUS = step("electrocardiogram_recorded", rhythm="sinus")
AF = step("electrocardiogram_recorded", rhythm="atrial_fibrillation", heart_rate="80 /min")
CORRECTED = step("tachycardia_reviewed", cause="fever", corrected=True)
NOT_CORRECTED = step("tachycardia_reviewed", cause="fever", corrected=False)


def rate(value: int) -> Part:
    return vital_signs(None, value, None)


def rates(*values: int, every: int = 15) -> Part:
    """Readings so many minutes apart; the last one is looked at."""

    def tell(story: Story) -> object:
        for value in values[:-1]:
            rate(value)(story)
            story.advance(minutes=every)
        return rate(values[-1])(story)

    return tell


ROWS = (
    # --- N01: > 130, sinus, despite correction, sustained (3 readings over 30 minutes) --------
    row("N01", "130 three times in 30 minutes, sinus, causes corrected", after_dose,
        SINUS, CORRECTED, rates(130, 130, 130), then=(ends_in("observing_dose"), silent("N01"))),
    row("N01 E29", "131 in fever that is not corrected", after_dose,
        SINUS, NOT_CORRECTED, rates(131, 131, 131),
        then=(ends_in("observing_dose"), silent("N01"), fires("E29"))),
    row("N01 E29", "131 without anybody having looked for causes", after_dose,
        SINUS, rates(131, 131, 131),
        then=(ends_in("observing_dose"), silent("N01"), fires("E29"), )),
    row("N01", "131 once after correction", after_dose,
        SINUS, CORRECTED, rate(131), then=(ends_in("observing_dose"), silent("N01"))),
    row("N01", "131 twice over 40 minutes after correction", after_dose,
        SINUS, CORRECTED, rates(131, 131, every=40),
        then=(ends_in("observing_dose"), silent("N01"))),
    row("N01", "131 three times in 29 minutes after correction", after_dose,
        SINUS, CORRECTED, rate(131), waits(minutes=15), rate(131), waits(minutes=14), rate(131),
        then=(ends_in("observing_dose"), silent("N01"))),
    row("N01", "131 three times in 30 minutes after correction", after_dose,
        SINUS, CORRECTED, rates(131, 131, 131),
        then=(ends_in("il2_discontinued"), fires("N01"), has(stopped_by="N01"))),
    row("N01", "131 five times in 30 minutes after correction", after_dose,
        SINUS, CORRECTED, rates(131, 140, 133, 131, 150, every=8),
        then=(ends_in("il2_discontinued"), fires("N01"))),
    row("N01", "131 with one 130 between, after correction", after_dose,
        SINUS, CORRECTED, rates(131, 130, 131, 131),
        then=(ends_in("observing_dose"), silent("N01"))),
    row("N01", "131 three times in 30 minutes, the first before the correction", after_dose,
        SINUS, rate(131), waits(minutes=1), CORRECTED, waits(minutes=14), rate(131),
        waits(minutes=15), rate(131), then=(ends_in("observing_dose"), silent("N01"))),
    row("N01", "131 sustained after correction, rhythm never recorded", after_dose,
        CORRECTED, rates(131, 131, 131),
        then=(ends_in("observing_dose"), asks("N01", "rhythm"))),
    row("N01", "131 sustained after correction, and then the rhythm is recorded as sinus",
        after_dose, CORRECTED, rates(131, 131, 131), SINUS,
        then=(ends_in("il2_discontinued"), fires("N01"))),
    row("N01", "no heart rate at all after the dose", after_dose,
        step("symptoms_reviewed"), then=(ends_in("observing_dose"), silent("N01"))),
    row("N01", "sustained after the test dose", after_test_dose,
        SINUS, CORRECTED, rates(131, 131, 131), then=ends_in("il2_discontinued")),
    row("N01", "sustained while tolerance is assessed", assessing,
        SINUS, CORRECTED, rates(131, 131, 131), then=ends_in("il2_discontinued")),
    row("N01", "sustained between two visits", escalating,
        SINUS, CORRECTED, rates(131, 131, 131), then=ends_in("il2_discontinued")),
    row("N01", "sustained during a hold", in_dose_hold,
        SINUS, CORRECTED, rates(131, 131, 131), then=ends_in("il2_discontinued")),
    row("N01", "sustained in the tail: recorded, and a restart must override it", in_tail,
        SINUS, CORRECTED, rates(131, 131, 131),
        then=(ends_in("tail"), fires("N01"), has(stop_rule_open=True))),
    row("N01", "a rate that is physically impossible is no rate", after_dose,
        SINUS, CORRECTED, rates(3000, 3000, 3000), then=(ends_in("observing_dose"))),
    # --- N01 before a dose: a rate above 130 of any cause -------------------------------------
    row("N01 E29", "130 before a dose", on_day_of_visit,
        rate(130), orders("10 M[IU]"), then=granted),
    softly("N01 E29", "131 before a dose, sinus rhythm on an electrocardiogram of the day",
           on_day_of_visit, rate(131), SINUS, lambda **how: orders("10 M[IU]", **how),
           kept="N01_heart_rate_at_most_130"),
    softly("N01 E29", "131 before a dose, reviewed the same day",
           on_day_of_visit, rate(131), NOT_CORRECTED, lambda **how: orders("10 M[IU]", **how),
           kept="N01_heart_rate_at_most_130"),
    firmly("N01 E29", "131 before a dose, with an electrocardiogram of the day from before it rose",
           on_day_of_visit, SINUS, waits(hours=1), rate(131),
           lambda **how: orders("10 M[IU]", **how),
           kept="N01_heart_rate_at_most_130 E29_fast_heart_reviewed"),
    firmly("N01 E29", "131 before a dose, neither electrocardiogram nor review",
           on_day_of_visit, rate(131), lambda **how: orders("10 M[IU]", **how),
           kept="N01_heart_rate_at_most_130 E29_fast_heart_reviewed"),
    # --- E01: supraventricular tachycardia, any rate ------------------------------------------
    row("E01", "atrial fibrillation at 80 a minute", after_dose,
        AF, then=(ends_in("il2_discontinued"), fires("E01"), has(stopped_by="E01"))),
    row("E01", "atrial flutter", after_dose,
        step("electrocardiogram_recorded", rhythm="atrial_flutter"),
        then=(ends_in("il2_discontinued"), fires("E01"))),
    row("E01", "supraventricular tachycardia", after_dose,
        step("electrocardiogram_recorded", rhythm="supraventricular_tachycardia"),
        then=(ends_in("il2_discontinued"), fires("E01"))),
    row("E01", "sinus rhythm at 80 a minute", after_dose,
        step("electrocardiogram_recorded", rhythm="sinus", heart_rate="80 /min"),
        then=(ends_in("observing_dose"), silent("E01"))),
    row("E01", "atrial fibrillation on a monitor, told with the vital signs", after_dose,
        vital_signs(rhythm="atrial_fibrillation"), then=ends_in("il2_discontinued")),
    row("E01", "atrial fibrillation told as an adverse event of grade 1", after_dose,
        adverse("atrial_fibrillation", 1), then=(ends_in("il2_discontinued"), fires("E01"))),
    row("E01", "supraventricular tachycardia told as an adverse event", after_dose,
        adverse("supraventricular_tachycardia", 2), then=ends_in("il2_discontinued")),
    row("E01", "atrial fibrillation after the test dose", after_test_dose,
        AF, then=ends_in("il2_discontinued")),
    row("E01", "atrial fibrillation while tolerance is assessed", assessing,
        AF, then=ends_in("il2_discontinued")),
    row("E01", "atrial fibrillation between two visits", escalating,
        AF, then=ends_in("il2_discontinued")),
    row("E01", "atrial fibrillation during a hold", in_dose_hold,
        AF, then=ends_in("il2_discontinued")),
    row("E01", "an atrial fibrillation of yesterday is told late and acts now", on_day_of_visit,
        adverse("atrial_fibrillation", 2, at="2026-03-04 20:00"),
        then=(ends_in("il2_discontinued"), fires("E01"))),
    row("E01", "an electrocardiogram of yesterday is entered after one of today", on_day_of_visit,
        SINUS, step("electrocardiogram_recorded", rhythm="atrial_fibrillation",
                    at="2026-03-04 20:00"),
        then=(ends_in("il2_discontinued"), fires("E01"))),
    row("E01", "chronic atrial fibrillation at the baseline: a consult, no discontinuation",
        at_baseline, AF, then=(ends_in("baseline"), fires("E01"))),
    row("E01", "sinus rhythm at the baseline", at_baseline, SINUS, then=silent("E01")),
    row("E29", "131 in sinus rhythm: causes are looked for", after_dose, SINUS, rate(131),
        then=(ends_in("observing_dose"), fires("E29"))),
    row("E29", "130 in sinus rhythm", after_dose, SINUS, rate(130), then=silent("E29")),
    row("E01", "atrial fibrillation in the tail", in_tail,
        AF, then=(ends_in("tail"), fires("E01"), has(stop_rule_open=True))),
    row("E01", "atrial fibrillation in maintenance", in_maintenance,
        AF, then=(ends_in("maintenance"), fires("E01"), has(stop_rule_open=True))),
    # --- N02: a fast supraventricular rhythm --------------------------------------------------
    row("N02", "atrial fibrillation at 150 a minute, three times in 30 minutes", after_dose,
        AF, rates(150, 150, 150), then=(ends_in("il2_discontinued"), silent("N02"))),
    row("N02", "atrial fibrillation at 151 a minute, three times in 30 minutes", after_dose,
        AF, rates(151, 151, 151), then=(ends_in("il2_discontinued"), fires("N02"))),
    row("N02", "sinus rhythm at 151 a minute, three times in 30 minutes", after_dose,
        SINUS, rates(151, 151, 151), then=silent("N02")),
    # --- E29: sinus tachycardia at any rate is looked into ------------------------------------
    row("E29", "sinus tachycardia told as an adverse event of grade 1", after_dose,
        adverse("sinus_tachycardia", 1), then=(ends_in("observing_dose"), fires("E29"))),
    row("E29", "a heart rate of 72", after_dose, rate(72), then=silent("E29")),
)  # fmt: skip

"""E03: cardiac enzymes hold IL-2 until an echocardiogram has ruled out myocardial dysfunction."""

from __future__ import annotations

from functools import partial

from engine.testing import Part, step
from tests.workflows.anything import GUARDS
from tests.workflows.il2 import (
    after_dose,
    after_test_dose,
    assessing,
    at_baseline,
    at_home,
    escalating,
    gives,
    in_dose_hold,
    in_tail,
    orders_test_dose,
    until,
    waits,
)
from tests.workflows.thresholds.row import (
    advises,
    asks,
    ends_in,
    fires,
    firmly,
    granted,
    has,
    not_fired,
    refused,
    row,
    silent,
)


def enzymes(**values: object) -> Part:
    return step("cardiac_enzymes_recorded", role="laboratory", **values)


def troponin(value: str, limit: str | None = "14") -> Part:
    if limit is None:
        return enzymes(troponin=f"{value} ng/L")
    return enzymes(troponin=f"{value} ng/L", troponin_upper_limit=f"{limit} ng/L")


def echo(found: str, **how: object) -> Part:
    return step("echocardiogram_recorded", echocardiogram=found, **how)


def ck_mb(value: str) -> Part:
    return enzymes(ck_mb=f"{value} ng/mL", ck_mb_upper_limit="5 ng/mL")


WAIVED = {"override": GUARDS["order_test_dose"], "code": "clinical-judgement"}
RELEASE = step("release_hold")
CLEARED = (waits(hours=2), echo("no_dysfunction"), RELEASE)

ROWS = (
    # --- elevated: above the laboratory's own limit, or coded so by a clinician ---------------
    row("E03", "troponin below the laboratory's limit", after_dose, troponin("13"),
        then=(ends_in("observing_dose"), silent("E03"))),
    row("E03", "troponin at the laboratory's limit", after_dose, troponin("14"),
        then=(ends_in("observing_dose"), silent("E03"))),
    row("E03", "troponin above the laboratory's limit", after_dose, troponin("14.1"),
        then=(ends_in("dose_hold"), fires("E03"),
              advises("electrocardiogram", "every 8 hours", "cardiology", "echocardiogram"))),
    row("E03", "the same troponin where the laboratory has a higher limit", after_dose,
        troponin("14.1", "34"), then=(ends_in("observing_dose"), silent("E03"))),
    row("E03", "troponin in another unit than its limit", after_dose,
        enzymes(troponin="0.015 ug/L", troponin_upper_limit="14 ng/L"), then=ends_in("dose_hold")),
    row("E03", "troponin without a limit: a question, and no hold", after_dose,
        troponin("14.1", None), then=(ends_in("observing_dose"), asks("E03", "troponin_upper"))),
    row("E03", "CK-MB at its limit", after_dose,
        enzymes(ck_mb="5 ng/mL", ck_mb_upper_limit="5 ng/mL"),
        then=(ends_in("observing_dose"), silent("E03"))),
    row("E03", "CK-MB above its limit", after_dose,
        enzymes(ck_mb="5.1 ng/mL", ck_mb_upper_limit="5 ng/mL"), then=ends_in("dose_hold")),
    row("E03", "CK-MB above, troponin below", after_dose,
        enzymes(ck_mb="5.1 ng/mL", ck_mb_upper_limit="5 ng/mL", troponin="3 ng/L",
                troponin_upper_limit="14 ng/L"), then=ends_in("dose_hold")),
    row("E03", "coded as elevated by a clinician", after_dose, enzymes(cardiac_enzymes="elevated"),
        then=(ends_in("dose_hold"), fires("E03"))),
    row("E03", "coded as normal by a clinician", after_dose, enzymes(cardiac_enzymes="normal"),
        then=(ends_in("observing_dose"), silent("E03"))),
    row("E03", "enzymes are not measured: a question, and no hold", after_dose, at_home(),
        then=(ends_in("observing_dose"), asks("E03", "cardiac_enzymes"))),
    # --- where it holds -----------------------------------------------------------------------
    row("E03", "after the test dose", after_test_dose, troponin("20"),
        then=ends_in("test_dose_hold")),
    row("E03", "while tolerance is assessed", assessing, troponin("20"),
        then=ends_in("test_dose_hold")),
    row("E03", "between two visits", escalating, troponin("20"), then=ends_in("dose_hold")),
    row("E03", "at the baseline: a consult", at_baseline, troponin("20"),
        then=(ends_in("baseline"), fires("E03"))),
    row("E03", "in the tail: recorded", in_tail, troponin("20"),
        then=(ends_in("tail"), fires("E03"))),
    # --- release ------------------------------------------------------------------------------
    row("E03", "release without an echocardiogram", in_dose_hold, waits(hours=2), RELEASE,
        then=refused),
    row("E03", "release with an echocardiogram from before the rise", in_dose_hold,
        echo("no_dysfunction", at="2026-03-05 08:00"), waits(hours=2), RELEASE, then=refused),
    row("E03", "release with an echocardiogram that is inconclusive", in_dose_hold, waits(hours=2),
        echo("inconclusive"), RELEASE, then=refused),
    row("E03", "an echocardiogram without dysfunction does not release by itself", in_dose_hold,
        waits(hours=2), echo("no_dysfunction"), then=ends_in("dose_hold")),
    row("E03", "release with an echocardiogram after the rise", in_dose_hold, *CLEARED,
        then=(granted, ends_in("escalation"))),
    row("E03", "release of the hold of a test dose goes back to the assessment", after_test_dose,
        troponin("20"), *CLEARED, then=(granted, ends_in("assessing_tolerance"))),
    row("E03", "dysfunction on the echocardiogram discontinues", in_dose_hold, waits(hours=2),
        echo("dysfunction"),
        then=(ends_in("il2_discontinued"), fires("E03"), has(stopped_by="E03"))),
    row("E03", "dysfunction without any hold discontinues", after_dose, echo("dysfunction"),
        then=ends_in("il2_discontinued")),
    # --- after the release --------------------------------------------------------------------
    row("E03", "values that go on falling do not hold again", after_dose, troponin("80"), *CLEARED,
        waits(hours=8), troponin("60"), waits(hours=8), troponin("40"),
        then=(ends_in("escalation"), not_fired("E03"))),
    row("E03", "a new rise holds again", after_dose, troponin("80"), *CLEARED,
        waits(hours=8), troponin("60"), waits(hours=8), troponin("90"), then=ends_in("dose_hold")),
    row("E03", "a rise from a fallen value that stays below the first one holds again", after_dose,
        troponin("80"), *CLEARED, waits(hours=8), troponin("40"), waits(hours=8), troponin("60"),
        then=ends_in("dose_hold")),
    row("E03", "a new rise coded by a clinician holds again", in_dose_hold, *CLEARED,
        waits(hours=8), enzymes(cardiac_enzymes="elevated"), then=ends_in("dose_hold")),
    row("E03", "coded as falling, it does not hold again", in_dose_hold, *CLEARED,
        waits(hours=8), enzymes(cardiac_enzymes="elevated_falling"), then=ends_in("escalation")),
    row("E03", "the echocardiogram of the first hold does not release the second", in_dose_hold,
        *CLEARED, waits(hours=8), enzymes(cardiac_enzymes="elevated"), waits(hours=1), RELEASE,
        then=refused),
    row("E03", "the same value again after the release is no rise", after_dose, troponin("80"),
        *CLEARED, waits(hours=8), troponin("60"), waits(hours=8), troponin("60"),
        then=(ends_in("escalation"), not_fired("E03"))),
    row("E03", "CK-MB that goes on falling does not hold again", after_dose, ck_mb("9"), *CLEARED,
        waits(hours=8), ck_mb("7"), waits(hours=8), ck_mb("7"),
        then=(ends_in("escalation"), not_fired("E03"))),
    row("E03", "CK-MB that rises again holds again", after_dose, ck_mb("9"), *CLEARED,
        waits(hours=8), ck_mb("7"), waits(hours=8), ck_mb("7.1"), then=ends_in("dose_hold")),
    # --- before the first injection ---------------------------------------------------------------
    row("E03", "troponin at its limit at the baseline", at_baseline, troponin("14"),
        then=silent("E03")),
    row("E03", "CK-MB at its limit at the baseline", at_baseline, ck_mb("5"), then=silent("E03")),
    row("E03", "CK-MB above its limit at the baseline", at_baseline, ck_mb("5.1"),
        then=(ends_in("baseline"), fires("E03"))),
    row("E03", "enzymes coded as normal at the baseline", at_baseline,
        enzymes(cardiac_enzymes="normal"), then=silent("E03")),
    row("E03", "an echocardiogram without dysfunction at the baseline", at_baseline,
        echo("no_dysfunction"), then=silent("E03")),
    row("E03", "dysfunction at the baseline: a consult", at_baseline, echo("dysfunction"),
        then=(ends_in("baseline"), fires("E03"))),
    row("E03", "dysfunction known at the baseline does not discontinue by itself after the dose",
        at_baseline, step("consult_recorded", specialty="cardiology"), echo("dysfunction"),
        waits(hours=1), orders_test_dose(**WAIVED), gives("7 M[IU]"),
        then=ends_in("observing_test_dose")),
    row("E03", "enzymes elevated at the baseline do not hold by themselves after the dose",
        at_baseline, step("consult_recorded", specialty="cardiology"), troponin("20"),
        waits(hours=1), orders_test_dose(**WAIVED), gives("7 M[IU]"),
        then=ends_in("observing_test_dose")),
    # --- during the hold ----------------------------------------------------------------------
    row("E03", "enzymes are due again eight hours after the rise", in_dose_hold,
        waits(hours=7, minutes=59), at_home(), then=ends_in("dose_hold")),
    row("E03", "a hold unresolved when the window ends discontinues", in_dose_hold,
        until("2026-03-31 00:00"), step("symptoms_reviewed"), then=ends_in("il2_discontinued")),
    row("E03", "a hold on the last evening of the window is still one", in_dose_hold,
        until("2026-03-30 23:58"), step("symptoms_reviewed"), then=ends_in("dose_hold")),
    row("E03", "a rise that was cleared is not cleared again in the tail", in_tail, troponin("20"),
        *CLEARED, waits(hours=1), RELEASE, then=refused),
    # --- a rise that no hold kept: the course had been left, or IL-2 was over ---------------------
    row("E03", "enzymes rose while the patient was lost: who comes back is held", escalating,
        step("contact_lost"), waits(hours=2), troponin("20"), step("contact_regained"),
        then=ends_in("dose_hold")),
    firmly("E03", "enzymes rose in the tail: no more weeks before an echocardiogram", in_tail,
           troponin("20"), partial(step, "extend_window", weeks=6),
           kept="E03_no_rise_open at_most_4_weeks"),
    row("E03", "and more weeks by a reason once it is cleared", in_tail, troponin("20"), *CLEARED,
        step("extend_window", weeks=6, override="at_most_4_weeks", code="clinical-judgement"),
        then=(granted, ends_in("escalation"))),
    row("E03", "topicals go on during a hold", in_dose_hold, step("symptoms_reviewed"),
        then=has(topical_mode="treatment", topical_nights="7")),
)  # fmt: skip

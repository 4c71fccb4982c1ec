"""The gate before a dose: what is latched, and what must be of the same day.

It looks at marks, at the signs and symptoms of the day, and at stop rules that could not be
weighed; never at laboratory values beyond the baseline unless the site asks for them.
"""

from __future__ import annotations

from engine.core.definition import Guard, Input
from engine.core.expression import Expression, OpenQuestion, Today, all_of, any_of
from engine.core.quantity import q
from workflows.intralesional_il2 import inputs as i
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.conditions import (
    FAST_NOW,
    NOBODY_INJECTED,
    OBSERVATION_OVER,
    RHYTHM_WHILE_FAST,
    brought,
    in_observation,
    since_injection,
    taken_since_injection,
    today,
)
from workflows.intralesional_il2.sources import (
    PRESSURE_GOALS,
    SELF_MONITORING,
    decision,
    table_3,
)

VITAL_SIGNS = Guard(
    name="vital_signs_of_the_day",
    condition=all_of(today(i.systolic), today(i.heart_rate), today(i.temperature)),
    title="Pressure, heart rate and temperature are of the same day",
    cite=decision("7.33", "Vital signs of the same day."),
)
SYMPTOMS = Guard(
    name="symptoms_of_the_day",
    condition=v.symptoms_reviewed_on.is_(Today()),
    title="Symptoms were asked for the same day",
    cite=decision("7.33", "Symptoms are reviewed the same day."),
)
NO_NEW_SYMPTOMS = Guard(
    name="no_new_symptoms",
    condition=~v.new_symptoms,
    title="No symptom is new, or a clinician has judged the last dose since",
    cite=decision("7.33", "Symptoms are reviewed the same day; a new one is asked about."),
)
PRESSURE = Guard(
    name="N09_pressure_above_goal",
    condition=i.systolic > v.pressure_goal,
    title="The systolic pressure is above the goal",
    cite=PRESSURE_GOALS,
)
HEART_RATE = Guard(
    name="N01_heart_rate_at_most_130",
    condition=~FAST_NOW,
    title="The heart rate is at most 130, whatever the cause",
    cite=decision("7.11", "A rate above 130 of any cause is asked about before a dose."),
)
FAST_EXPLAINED = Guard(
    name="E29_fast_heart_reviewed",
    condition=any_of(
        ~FAST_NOW,
        all_of(RHYTHM_WHILE_FAST.known(), today(i.rhythm)),
        all_of(v.tachycardia_reviewed_on.known(), v.tachycardia_reviewed_on.is_(Today())),
    ),
    title="A heart rate above 130 has an electrocardiogram or a review of the same day",
    cite=table_3("Sinus tachycardia", "Evaluate for underlying etiology"),
)
NO_TOXICITY = Guard(
    name="no_open_toxicity",
    condition=~v.toxicity_open,
    title="No toxicity is open",
    cite=decision("7.14", "A clinician closes a toxicity before the next dose."),
)
HOME_READINGS = Guard(
    name="N19_readings_of_last_observation",
    condition=any_of(
        NOBODY_INJECTED,
        v.home_readings_attested,
        # Compared rather than asked for, so that what is missing is named.
        all_of(
            v.observation_ends_at.known(),
            in_observation(i.systolic) > q("0", "mm[Hg]"),
            in_observation(i.temperature) > q("0", "Cel"),
        ),
    ),
    title="Pressure and temperature of the last observation are known or attested",
    cite=SELF_MONITORING,
)
OBSERVED = Guard(
    name="N19_observed_6_hours",
    condition=OBSERVATION_OVER,
    title="The six hours after the last dose are over",
    cite=SELF_MONITORING,
)
PLATELETS = Guard(
    name="N06_no_count_awaiting_repetition",
    condition=~since_injection(i.platelets, i.platelets < p.platelet_limit),
    title="No platelet count below 30 awaits its repetition",
    cite=p.SUSTAINED_PLATELETS,
)
ROUND_GRANTED = Guard(
    name="round_was_granted",
    condition=~v.unplanned_round,
    title="The round began as granted, and not with an injection after IL-2 was over",
    cite=decision(
        "7.26", "A restart is requested; an injection that nobody asked for is no restart."
    ),
)
NO_REVIEW = Guard(
    name="no_review_open",
    condition=~v.review_needed,
    title="No review by a clinician is open",
    cite=decision("7.14", "What a clinician has to decide is decided before the next dose."),
)
NOT_STOPPED = Guard(
    name="no_stop_rule_in_this_round",
    condition=v.stop_rules_fired <= 0,
    title="No stop rule fired in this round",
    cite=decision("7.16", "A discontinuation holds for the round, whenever it is learnt of."),
)
NO_RISE = Guard(
    name="E03_no_rise_open",
    condition=~v.enzyme_hold_open,
    title="No rise of cardiac enzymes is open",
    cite=table_3(
        "Elevated Cardiac Enzymes",
        "Discontinue IL-2 therapy until echocardiogram has ruled out myocardial dysfunction",
    ),
)


def _in_question(rule: str, *measured: Input) -> Expression:
    """Whether a rule could not be weighed although something was measured.

    What nobody measured is an open question on the course and asks nothing of a dose: laboratory
    values beyond the baseline are asked for by `labs_each_visit` alone.
    """
    return all_of(OpenQuestion(rule), any_of(*(taken_since_injection(m) for m in measured)))


NO_STOP_QUESTION = Guard(
    name="no_stop_rule_in_question",
    condition=~any_of(
        OpenQuestion("N01_sinus_tachycardia_sustained"),
        OpenQuestion("E03_myocardial_dysfunction"),
        _in_question("N04_urine_below_10_sustained", i.urine_output),
        _in_question("N05_creatinine_above_3", i.creatinine),
        _in_question("N06_platelets_below_30_sustained", i.platelets),
        _in_question("E01_svt_or_af_on_ecg", i.rhythm),
        _in_question("E03_cardiac_enzymes_elevated", i.troponin, i.ck_mb, i.cardiac_enzymes),
    ),
    title="Every stop and hold rule on what was measured could be weighed",
    cite=decision("7.34", "A stop rule that cannot be weighed asks before the next dose."),
)
FAST_EXPLAINED_IF_KNOWN = Guard(
    name="E29_fast_heart_before_first_dose_reviewed",
    # That it was taken at all is asked for by the item of the evaluation, which may be waived.
    condition=any_of(~brought(i.heart_rate), FAST_EXPLAINED.condition),
    title="Before the first dose, a heart rate above 130 has an electrocardiogram or a review",
    cite=FAST_EXPLAINED.cite,
)
LABS = Guard(
    name="labs_of_the_day",
    condition=any_of(
        p.labs_each_visit.tree().is_(False),  # the value compared with
        all_of(today(i.platelets), today(i.creatinine)),
    ),
    title="Laboratory values are of the same day, where the site asks for them",
    cite=p.LABS_AT_BASELINE,
)

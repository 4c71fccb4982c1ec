"""What an order of IL-2 is measured against: the amount, its division and spacing.

An order is a request, so it can be refused; what was injected is a report and never is.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from engine.core.definition import Field, Guard
from engine.core.expression import (
    Constant,
    Count,
    Retrospective,
    Sent,
    SumOf,
    Today,
    Truth,
    all_of,
    any_of,
    least,
)
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.conditions import NOBODY_INJECTED
from workflows.intralesional_il2.gate import (
    FAST_EXPLAINED,
    FAST_EXPLAINED_IF_KNOWN,
    HEART_RATE,
    HOME_READINGS,
    LABS,
    NO_NEW_SYMPTOMS,
    NO_REVIEW,
    NO_RISE,
    NO_STOP_QUESTION,
    NO_TOXICITY,
    NOT_STOPPED,
    OBSERVED,
    PLATELETS,
    PRESSURE,
    ROUND_GRANTED,
    SYMPTOMS,
    VITAL_SIGNS,
)
from workflows.intralesional_il2.sources import (
    FEW_COMORBIDITIES,
    FOUR_WEEKS,
    STACKING,
    TOP_DOSE,
    decision,
)

MILLION = "M[IU]"
SEVEN_DAYS = Constant(Decimal(7))
AMOUNT = Sent("amount")
SPLIT = Field(
    name="split",
    kind="list",
    required=True,
    members=(
        Field(name="lesion", kind="number", required=True, title="Number of the lesion"),
        Field(name="amount", kind="quantity", unit=MILLION, required=True, low=Decimal(0)),
    ),
    title="How the dose is divided among the lesions",
)
ORDERED = (
    Field(
        name="amount",
        kind="quantity",
        unit=MILLION,
        required=True,
        low=Decimal("0.1"),
        title="Dose in all",
    ),
    SPLIT,
)

# --- the amount ----------------------------------------------------------------------------------

SPLIT_ADDS_UP = Guard(
    name="N10_split_adds_up",
    condition=SumOf("split", "amount").is_(AMOUNT),
    title="The amounts for the lesions add up to the dose",
    cite=decision("7.29", "The division among lesions is free; its sum is the dose of the visit."),
)
TEST_DOSE_AT_MOST_7 = Guard(
    name="N10_test_dose_at_most_7",
    condition=p.test_dose >= AMOUNT,
    title="A test dose is 7 million international units at most",
    cite=p.TEST_DOSE,
)
TEST_DOSE_IS_7 = Guard(
    name="N10_test_dose_is_7",
    condition=p.test_dose <= AMOUNT,
    title="A test dose is 7 million international units, no less",
    cite=p.TEST_DOSE,
)
TEST_DOSE_AT_LEAST_3 = Guard(
    name="N10_test_dose_at_least_3",
    condition=p.min_test_dose <= AMOUNT,
    title="A test dose is 3 million international units at least",
    cite=decision("7.8", "The clinician may lower the test dose, down to 3."),
)
AT_MOST_22 = Guard(
    name="N11_dose_at_most_22",
    condition=p.max_dose >= AMOUNT,
    title="A dose is 22 million international units at most",
    cite=TOP_DOSE,
)
ABOVE_19 = Guard(
    name="N11_few_comorbidities_above_19",
    condition=any_of(p.comorbidity_limit >= AMOUNT, v.few_comorbidities),
    title="Above 19, few comorbidities are attested",
    cite=FEW_COMORBIDITIES,
)
ABOVE_15 = Guard(
    name="E23_few_comorbidities_above_15",
    condition=any_of(p.caution_dose >= AMOUNT, v.few_comorbidities),
    title="Above 15, few comorbidities are attested",
    cite=decision("7.10", "Few comorbidities are attested by the clinician: soft above 15."),
)
STEP = Guard(
    name="dose_step_at_most_5",
    condition=v.last_tolerated_dose + p.warn_step >= AMOUNT,
    title="The dose is at most 5 above the last tolerated one",
    cite=decision("7.5", "Free steps; a step above 5 is asked about."),
)
NOT_ABOVE_TOLERATED = Guard(
    name="dose_not_above_tolerated_after_intolerance",
    condition=any_of(
        all_of(v.visit_tolerance.is_not("not_tolerated"), ~v.hold_since_tolerated),
        v.last_tolerated_dose >= AMOUNT,
    ),
    title="After an intolerable visit or a hold, the dose is at most the last tolerated one",
    cite=decision("7.9", "The previous tolerated dose, no automatic rise in that week."),
)
ASSESSED = Guard(
    name="last_visit_assessed",
    condition=v.visit_tolerance.one_of("tolerated", "not_tolerated"),
    title="A clinician has judged whether the last dose was tolerated",
    cite=decision("7.7", "The clinician's confirmation is mandatory."),
)

# --- spacing -------------------------------------------------------------------------------------

GAP = Guard(
    name="at_least_2_days_since_last_dose",
    condition=any_of(NOBODY_INJECTED, Today() - v.last_dose_on >= p.min_gap_days),
    title="At least two civil days since the last dose",
    cite=decision("7.4", "48 hours, in civil days: Tuesday afternoon to Thursday morning is fine."),
)
ROLLING = Guard(
    name="at_most_2_doses_in_7_days",
    condition=Count(
        "il2_dose", SEVEN_DAYS, timedelta(days=8), Truth.NO,
        since=v.escalation_began_at.tree(),
    ) < p.max_visits_in_7_days,
    title="At most two doses in any seven days, the test dose not counted",
    cite=decision("7.4", "At most two in any seven days; the test dose does not count."),
)  # fmt: skip
WINDOW = Guard(
    name="within_the_window",
    condition=Today() <= v.window_ends_on,
    title="Within four weeks of the tolerated test dose",
    cite=FOUR_WEEKS,
)

HARD_FOR_ORDER = (SPLIT_ADDS_UP, AT_MOST_22, ABOVE_19, VITAL_SIGNS, SYMPTOMS, FAST_EXPLAINED,
                  OBSERVED, PLATELETS, NOT_STOPPED, NO_RISE)  # fmt: skip
SOFT_FOR_ORDER = (ABOVE_15, STEP, NOT_ABOVE_TOLERATED, ASSESSED, GAP, ROLLING, WINDOW,
                  NO_NEW_SYMPTOMS, PRESSURE, HEART_RATE, NO_TOXICITY, NO_REVIEW, HOME_READINGS,
                  NO_STOP_QUESTION, LABS)  # fmt: skip
HARD_FOR_TEST_DOSE = (SPLIT_ADDS_UP, TEST_DOSE_AT_MOST_7, TEST_DOSE_AT_LEAST_3)
HARD_FOR_REPEAT = (*HARD_FOR_TEST_DOSE, VITAL_SIGNS, SYMPTOMS, FAST_EXPLAINED, OBSERVED, PLATELETS,
                   NOT_STOPPED, NO_RISE, ROUND_GRANTED)  # fmt: skip
SOFT_FOR_REPEAT = (TEST_DOSE_IS_7, GAP, NO_NEW_SYMPTOMS, PRESSURE, HEART_RATE, NO_TOXICITY,
                   HOME_READINGS, NO_STOP_QUESTION)  # fmt: skip

# --- what was given ------------------------------------------------------------------------------

AS_ORDERED = Guard(
    name="dose_as_ordered",
    condition=any_of(
        # A course told after the fact has no orders.
        Retrospective(),
        all_of(
            v.ordered_dose.known(),
            v.ordered_on.is_(Today()),
            AMOUNT.known(),
            AMOUNT.is_(v.ordered_dose),
        ),
    ),
    title="The dose given is the one that was ordered for the day",
    cite=decision("7.6", "Nothing is given by itself: each dose has an order."),
)
GIVEN_AT_MOST_22 = Guard(
    name="N11_given_at_most_22",
    condition=any_of(
        all_of(AMOUNT.known(), p.max_dose >= AMOUNT), all_of(Retrospective(), ~AMOUNT.known())
    ),
    title="The dose given is 22 million international units at most, or not published",
    cite=TOP_DOSE,
)
GIVEN_AT_MOST_7 = Guard(
    name="N10_given_at_most_7",
    condition=any_of(
        all_of(AMOUNT.known(), p.test_dose >= AMOUNT), all_of(Retrospective(), ~AMOUNT.known())
    ),
    title="The test dose given is 7 million international units at most, or not published",
    cite=p.TEST_DOSE,
)

SPLIT_DIFFERS = Guard(
    name="N10_given_split_differs",
    condition=all_of(
        SumOf("split", "amount").known(),
        AMOUNT.known(),
        SumOf("split", "amount").is_not(AMOUNT),
    ),
    title="The amounts for the lesions do not add up to the dose given",
    cite=SPLIT_ADDS_UP.cite,
)

# --- what is advised with an order ----------------------------------------------------------------

STACKS = Guard(
    name="dose_may_stack",
    condition=all_of(
        v.d0.known(),
        Today() - v.d0 >= SEVEN_DAYS,
        v.last_dose.known(),
        v.last_dose <= AMOUNT,
    ),
    title="From week 2 on, the same or a higher dose may stack",
    cite=STACKING,
)
DRASTIC = Guard(
    name="drastic_dose_reduction",
    condition=any_of(
        p.low_dose_advice > AMOUNT,
        all_of(v.last_tolerated_dose.known(), v.last_tolerated_dose > AMOUNT * 2),
    ),
    title="Less than 3, or less than half of the last tolerated dose",
    cite=p.NOT_DRASTIC,
)
ABOVE_SUGGESTED = Guard(
    name="dose_above_suggested",
    condition=all_of(v.suggested_dose.known(), least(v.suggested_dose, p.max_dose) < AMOUNT),
    title="More than suggested",
    cite=decision("7.5", "Suggested ladder 7, 10, 13, 16, 19, 22."),
)
SOONER = Guard(
    name="dose_sooner_than_72_hours",
    condition=all_of(v.last_dose_on.known(), Today() - v.last_dose_on < p.suggested_gap_days),
    title="Less than three days since the last dose",
    cite=decision("7.4", "72 hours are suggested."),
)
ADVISED = (STACKS, DRASTIC, ABOVE_SUGGESTED, SOONER)
GUARDS = tuple(
    dict.fromkeys(
        (
            *HARD_FOR_ORDER,
            *SOFT_FOR_ORDER,
            *HARD_FOR_REPEAT,
            *SOFT_FOR_REPEAT,
            FAST_EXPLAINED_IF_KNOWN,
            AS_ORDERED,
            GIVEN_AT_MOST_22,
            GIVEN_AT_MOST_7,
            SPLIT_DIFFERS,
            *ADVISED,
        )
    )
)

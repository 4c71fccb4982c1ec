"""The thresholds and choices that a site may set. Each says from where its default comes.

A threshold that the paper prints may only be made stricter; where the paper is silent, the bounds
are those of good sense, and the default is a recorded decision.
"""

from __future__ import annotations

from decimal import Decimal

from engine.core.definition import Citation, Parameter
from engine.core.expression import hours, minutes, months
from engine.core.quantity import q
from workflows.intralesional_il2.sources import (
    ADMINISTRATION,
    FEW_COMORBIDITIES,
    INTRODUCTION,
    PRESSURE_GOALS,
    SELF_MONITORING,
    SEVERE,
    TOP_DOSE,
    TOPICAL_COURSE,
    decision,
    inferred,
    local,
    paper,
    published,
    table_3,
)

MILLION = "M[IU]"
TEST_DOSE = paper(
    ADMINISTRATION,
    "On the first day of treatment, a “test” dose of 7 million […] of IL-2 is distributed between "
    "the cutaneous melanoma metastases.",
)


def _number(name: str, values: tuple[int, int, int], title: str, cite: Citation) -> Parameter:
    """A plain number: its default, then the least and the most that a site may set."""
    value, low, high = map(Decimal, values)
    return Parameter(name=name, value=value, low=low, high=high, title=title, cite=cite)


def _amount(
    name: str, values: tuple[str, str, str], unit: str, title: str, cite: Citation
) -> Parameter:
    """A quantity: its default, then the least and the most that a site may set."""
    value, low, high = (q(one, unit) for one in values)
    return Parameter(name=name, value=value, low=low, high=high, title=title, cite=cite)


def _choice(name: str, title: str, cite: Citation, *, value: bool) -> Parameter:
    return Parameter(name=name, value=value, title=title, cite=cite)


# --- doses -------------------------------------------------------------------------------------

test_dose = _amount("test_dose", ("7", "3", "7"), MILLION, "Test dose in all", TEST_DOSE)
min_test_dose = _amount(
    "min_test_dose", ("3", "3", "7"), MILLION, "Lowest test dose",
    decision("7.8", "A lower test dose may be repeated by the clinician, down to 3 million "
             "international units; a published series of the group started at 3 to 7."),
)  # fmt: skip
max_dose = _amount("max_dose", ("22", "7", "22"), MILLION, "Highest dose of a visit", TOP_DOSE)
comorbidity_limit = _amount(
    "comorbidity_limit", ("19", "7", "22"), MILLION,
    "Above this, few comorbidities must be attested", FEW_COMORBIDITIES,
)  # fmt: skip
caution_dose = _amount(
    "caution_dose", ("15", "7", "22"), MILLION, "Above this, caution",
    decision("7.10", "Few comorbidities are attested by the clinician: asked softly above 15, "
             "firmly above 19, so that 21.6 from one vial does not slip under the 22."),
)  # fmt: skip
warn_step = _amount(
    "warn_step", ("5", "1", "15"), MILLION, "A rise above this is asked for twice",
    decision("7.5", "The clinician chooses the dose; a step above 5 is soft. No step is printed."),
)  # fmt: skip
suggested_step = _amount(
    "suggested_step", ("3", "1", "15"), MILLION, "Suggested rise from a tolerated dose",
    decision("7.5", "Suggested ladder 7, 10, 13, 16, 19, 22; 10 is the only dose the paper names."),
)  # fmt: skip
NOT_DRASTIC = paper(
    INTRODUCTION,
    "drastically reducing the administered dose of IL-2 in the hopes of making "
    "the therapy more tolerable for the patient is not recommended",
)
low_dose_advice = _amount(
    "low_dose_advice", ("3", "1", "7"), MILLION, "Below this, drastic reduction is advised against",
    NOT_DRASTIC,
)  # fmt: skip

# --- schedule ----------------------------------------------------------------------------------

visits_per_week = _number(
    "visits_per_week", (2, 1, 3), "Visits a week",
    decision("7.1", "Two visits a week: the paper's word may mean either, but a rise at each visit "
             "to 22 and the stacking example need more than one visit in a fortnight."),
)  # fmt: skip
planned_visits = _number(
    "planned_visits", (8, 1, 12), "Planned visits after the test dose",
    decision("7.2", "The test dose and eight visits."),
)  # fmt: skip
induction_days = _number(
    "induction_days", (28, 7, 42), "Days of the escalation, counted from the test dose",
    decision("7.3", "The day of the tolerated test dose is day 0; the window is days 1 to 28."),
)  # fmt: skip
max_weeks = _number(
    "max_weeks", (6, 4, 6), "Longest escalation, in weeks",
    decision("7.18", "Missed visits are skipped; an extension to six weeks needs an override."),
)  # fmt: skip
SLOT_DAYS = (3, 7, 10, 14, 17, 21, 24, 28, 31, 35, 38, 42)
slot_days = tuple(
    _number(
        f"slot_{n}_day", (day, 1, 42), f"Day of planned visit {n}",
        decision("7.4", "Twice a week, three and four days apart in turn, from the test dose on."),
    )
    for n, day in enumerate(SLOT_DAYS, start=1)
)  # fmt: skip
visit_window_days = _number(
    "visit_window_days", (1, 0, 1), "Days by which a visit may be early or late",
    local("A planned visit is due from the day before to the day after, then it lapses."),
)  # fmt: skip
min_gap_days = _number(
    "min_gap_days", (2, 1, 7), "Least civil days between two doses",
    decision("7.4", "48 hours, counted in civil days for planning."),
)  # fmt: skip
suggested_gap_days = _number(
    "suggested_gap_days", (3, 1, 7), "Suggested civil days between two doses",
    decision("7.4", "72 hours suggested, since doses stack."),
)  # fmt: skip
max_visits_in_7_days = _number(
    "max_visits_in_7_days", (2, 1, 3), "Most doses in any seven days, the test dose not counted",
    decision("7.4", "At most two in any seven days."),
)  # fmt: skip

# --- observation and tolerance -----------------------------------------------------------------

observe_for = Parameter(
    name="observe_for", value=hours(6), low=hours(6), high=hours(24),
    title="Observation after a dose", cite=SELF_MONITORING,
)  # fmt: skip
observe_every_visit = _choice(
    "observe_every_visit", "Observe after every visit", value=True,
    cite=decision("7.31", "The paper says it of the test dose; later doses are higher."),
)  # fmt: skip
tolerated_grade = _number(
    "tolerated_grade", (2, 1, 2), "Worst grade of an adverse event that is still tolerated",
    decision("7.7", "No stop or hold rule, no emergency visit, pressure above the goal without a "
             "vasopressor, no adverse event above grade 2, and the clinician confirms."),
)  # fmt: skip
goal_bound_low = _amount("goal_bound_low", ("100", "80", "120"), "mm[Hg]",
                         "Below this, the lowest goal", PRESSURE_GOALS)  # fmt: skip
goal_bound_high = _amount("goal_bound_high", ("120", "100", "160"), "mm[Hg]",
                          "Above this, the highest goal", PRESSURE_GOALS)  # fmt: skip
goal_low = _amount(
    "goal_low", ("80", "70", "100"), "mm[Hg]", "Goal of a low baseline: above", PRESSURE_GOALS
)
goal_middle = _amount(
    "goal_middle", ("85", "70", "100"), "mm[Hg]", "Goal of a usual baseline: above", PRESSURE_GOALS
)
goal_high = _amount(
    "goal_high", ("90", "70", "120"), "mm[Hg]", "Goal of a high baseline: above", PRESSURE_GOALS
)
repeat_after = Parameter(
    name="repeat_after", value=minutes(5), low=minutes(5), high=minutes(15),
    title="A low pressure is repeated after at least",
    cite=decision("7.15", "At or below the goal on two readings 5 to 15 minutes apart, or one with "
                  "symptoms."),
)  # fmt: skip
repeat_within = Parameter(
    name="repeat_within", value=minutes(15), low=minutes(10), high=minutes(30),
    title="A low pressure at home is repeated within", cite=repeat_after.cite,
)  # fmt: skip

# --- toxicity ----------------------------------------------------------------------------------

heart_rate_limit = _amount(
    "heart_rate_limit", ("130", "100", "130"), "/min", "Sinus tachycardia that stops IL-2: above",
    table_3("Sinus tachycardia", "If sustained (>130 beats per minute despite correction of "
            "possible underlying etiologies), discontinue IL-2"),
)  # fmt: skip
SUSTAINED_RATE = decision(
    "7.11", "At least 3 readings over at least 30 minutes, all above, after causes were corrected."
)
heart_rate_count = _number("heart_rate_count", (3, 2, 10), "Readings of a sustained rate",
                           SUSTAINED_RATE)  # fmt: skip
heart_rate_span = Parameter(
    name="heart_rate_span", value=minutes(30), low=minutes(10), high=hours(2),
    title="Duration of a sustained rate", cite=SUSTAINED_RATE,
)  # fmt: skip
svt_limit = _amount(
    "svt_limit", ("150", "100", "150"), "/min", "Supraventricular rate that is treated: above",
    table_3("Supraventricular tachycardia", "If heart rate is sustained > 150 beats per minute"),
)  # fmt: skip
spo2_limit = _amount(
    "spo2_limit", ("90", "90", "95"), "%", "Oxygen is given below",
    table_3("Dyspnea", "administer supplemental oxygen if sat <90%"),
)  # fmt: skip
SUSTAINED_URINE = decision(
    "7.12", "Below 80 mL in 8 hours, completely covered: the printed 10 mL an hour, as graded."
)
urine_limit = _amount(
    "urine_limit", ("80", "80", "160"), "mL", "Urine of the span that stops IL-2: below",
    SUSTAINED_URINE,
)  # fmt: skip
urine_span = Parameter(
    name="urine_span", value=hours(8), low=hours(4), high=hours(12),
    title="Over which urine is totalled", cite=SUSTAINED_URINE,
)  # fmt: skip
creatinine_limit = _amount(
    "creatinine_limit", ("3", "1", "3"), "mg/dL", "Creatinine that stops IL-2: above",
    table_3("Acute Kidney Injury or Oliguria", "creatinine > 3 mg/dl, discontinue IL-2 therapy"),
)  # fmt: skip
platelet_limit = _amount(
    "platelet_limit", ("30", "30", "100"), "10*3/uL",
    "Platelets that stop IL-2 when sustained: below",
    table_3("Thrombocytopenia", "Discontinue IL-2 therapy if platelet count sustained at <30,000 "
            "mm3"),
)  # fmt: skip
SUSTAINED_PLATELETS = decision(
    "7.13", "Two counts below the limit at least 24 hours apart, none at or above it between; "
    "after the first, no dose until it is repeated."
)  # fmt: skip
platelet_count = _number("platelet_count", (2, 2, 3), "Counts of a sustained fall",
                         SUSTAINED_PLATELETS)  # fmt: skip
platelet_span = Parameter(
    name="platelet_span", value=hours(24), low=hours(12), high=hours(48),
    title="Time from first to last count of a sustained fall", cite=SUSTAINED_PLATELETS,
)  # fmt: skip
transfusion_platelets = _amount(
    "transfusion_platelets", ("20", "20", "30"), "10*3/uL", "Transfusion is considered below",
    table_3("Thrombocytopenia", "Consider platelet transfusion if count <20,000/mm3"),
)  # fmt: skip
hematocrit_limit = _amount(
    "hematocrit_limit", ("28", "28", "30"), "%", "Transfuse as indicated below",
    table_3("Anemia", "Transfuse as medically indicated for hematocrit < 28%"),
)  # fmt: skip
enzyme_interval = Parameter(
    name="enzyme_interval", value=hours(8), low=hours(4), high=hours(8),
    title="Between two measurements of cardiac enzymes",
    cite=table_3("Elevated Cardiac Enzymes", "trend cardiac enzymes every 8 hours"),
)  # fmt: skip
FLUID = paper(
    SEVERE,
    "Crystalloid or colloid fluid administration should be limited to 1-1.5 liters",
)
fluid_warning = _amount(
    "fluid_warning", ("1", "0.5", "1.5"), "L", "Fluid in an episode: warning above", FLUID
)
fluid_limit = _amount("fluid_limit", ("1.5", "1", "1.5"), "L", "Fluid in an episode: limit", FLUID)
review_after_vasopressor = _choice(
    "review_after_vasopressor", "A clinician decides before the next dose after a vasopressor",
    value=True,
    cite=decision("7.14", "The paper has no stop rule for hypotension; two published protocols "
                  "stop when a vasopressor is needed. Here a clinician must decide."),
)  # fmt: skip
UNRESOLVED = decision(
    "7.17",
    "An echocardiogram without dysfunction releases; dysfunction, or a hold "
    "unresolved at the end of the window, discontinues; visits are not made up.",
)
discontinue_unresolved_hold = _choice(
    "discontinue_unresolved_hold", "A hold unresolved when the window ends discontinues IL-2",
    value=True,
    cite=UNRESOLVED,
)  # fmt: skip
LABS_AT_BASELINE = decision("7.30", "The paper asks for laboratory values at baseline only.")
labs_each_visit = _choice(
    "labs_each_visit", "Laboratory values of the same day before every dose", value=False,
    cite=LABS_AT_BASELINE,
)  # fmt: skip

# --- baseline, topicals, restart -----------------------------------------------------------------

labs_days = _number(
    "labs_days", (14, 1, 28), "Laboratory values of the baseline are valid for, days",
    decision("7.33", "Labs 14 days, imaging 28 days, vital signs and medications of the same day."),
)  # fmt: skip
imaging_days = _number(
    "imaging_days", (28, 1, 90), "Imaging of the baseline is valid for, days",
    decision("7.33", "Imaging 28 days."),
)  # fmt: skip
restart_imaging_days = _number(
    "restart_imaging_days", (90, 1, 180), "Imaging is valid at a restart for, days",
    decision("7.26", "Baseline refreshed, imaging if older than 90 days, a new test dose."),
)  # fmt: skip
topical_nights_full = _number(
    "topical_nights_full", (7, 7, 7), "Nights a week",
    paper(ADMINISTRATION, "Topical therapy with imiquimod and a retinoid (tazarotene 0.1%) should "
          "be applied nightly"),
)  # fmt: skip
topical_nights_less = _number(
    "topical_nights_less", (5, 4, 6), "Nights a week after the first reduction",
    published("Clinical Oncology, September 2015, on Shi et al.",
              "reduced to 5 times per week once intolerably erythematous"),
)  # fmt: skip
topical_nights_least = _number(
    "topical_nights_least", (3, 1, 3), "Nights a week after the second reduction",
    decision("7.25", "7, then 5, then 3, then pause; restored upward when tolerated."),
)  # fmt: skip
topicals_on_hold = _choice(
    "topicals_on_hold", "Topicals go on while IL-2 is held", value=True,
    cite=decision("7.21", "The paper is silent; toxicity rules act on IL-2 only."),
)  # fmt: skip
tail_days = _number("tail_days", (21, 7, 28), "Days of topicals after IL-2", TOPICAL_COURSE)
maintenance_cycles = _number(
    "maintenance_cycles", (12, 12, 13), "Monthly cycles of topicals",
    decision("7.23", "Twelve cycles of seven nights; cycle k begins k calendar months after the "
             "tail; a missed cycle is recorded, not shifted."),
)  # fmt: skip
cycle_nights = _number("cycle_nights", (7, 7, 7), "Nights of a cycle",
                       decision("7.24", "Nightly within the week, unless reduced."))  # fmt: skip
cycle_period = Parameter(
    name="cycle_period", value=months(1), title="From one cycle to the next",
    cite=decision("7.23", "A calendar month, clamped to the month's end."),
)  # fmt: skip
restart_days = _number(
    "restart_days", (84, 0, 180), "A restart is early before this many days from the test dose",
    decision("7.27", "From the end of the tail on; before 12 weeks a lesion may still respond. "
             "There is no limit to the number of restarts."),
)  # fmt: skip
acetaminophen_dose = _amount(
    "acetaminophen_dose", ("650", "325", "1000"), "mg", "Highest single dose of acetaminophen",
    inferred("Paper, prose 325-1000 mg against Table 3 325-650 mg", "The narrower of the two."),
)  # fmt: skip

PARAMETERS = (
    test_dose, min_test_dose, max_dose, comorbidity_limit, caution_dose, warn_step,
    suggested_step, low_dose_advice, visits_per_week, planned_visits, induction_days, max_weeks,
    visit_window_days, min_gap_days, suggested_gap_days, max_visits_in_7_days, observe_for,
    observe_every_visit, tolerated_grade, goal_bound_low, goal_bound_high, goal_low,
    goal_middle, goal_high, repeat_after, repeat_within, heart_rate_limit, heart_rate_count,
    heart_rate_span, svt_limit, spo2_limit, urine_limit, urine_span, creatinine_limit,
    platelet_limit, platelet_count, platelet_span, transfusion_platelets, hematocrit_limit,
    enzyme_interval, fluid_warning, fluid_limit, review_after_vasopressor,
    discontinue_unresolved_hold, labs_each_visit, labs_days, imaging_days, restart_imaging_days,
    topical_nights_full, topical_nights_less, topical_nights_least, topicals_on_hold, tail_days,
    maintenance_cycles, cycle_nights, cycle_period, restart_days, acetaminophen_dose,
    *slot_days,
)  # fmt: skip

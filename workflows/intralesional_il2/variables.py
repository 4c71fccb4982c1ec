"""What a course remembers.

- Those of the round are forgotten when the first injection of the next round is given; until then
  an abandoned restart finds everything as it was.
- A statement that somebody must make begins unset, hence unknown: it asks, and it may be passed in
  a retrospective course. A mark that something has happened begins as no.
"""

from __future__ import annotations

from decimal import Decimal

from engine.core.definition import Variable
from engine.core.expression import Value
from engine.core.quantity import q

MILLION = "M[IU]"


def _round(
    name: str, kind: str, title: str, initial: Value = None, *, unit: str | None = None
) -> Variable:
    return Variable(name=name, kind=kind, title=title, initial=initial, per_round=True, unit=unit)


def _mark(name: str, title: str) -> Variable:
    return _round(name, "yesno", title, False)  # noqa: FBT003  # the value of a mark


def _counter(name: str, title: str, start: int = 0) -> Variable:
    return _round(name, "number", title, Decimal(start))


def _stated(name: str, title: str, kind: str = "yesno") -> Variable:
    return Variable(name=name, kind=kind, title=title)


# --- where the course is -------------------------------------------------------------------------

phase = Variable(
    name="phase",
    kind="code",
    codes=(
        "before_il2",
        "testing",
        "escalating",
        "discontinued",
        "tail",
        "maintenance",
        "follow_up",
    ),
    initial="before_il2",
    title="Where the course stands, whatever interrupts it",
)
left_at = Variable(name="left_at", kind="instant", title="When the course was left")
begun_here = _round(
    "begun_here",
    "yesno",
    "The round began here, so that nothing is left to attest",
    True,  # noqa: FBT003  # the value of a mark
)

# --- doses of the round --------------------------------------------------------------------------

round_since = _round(
    "round_since", "instant", "An injection before this is of an earlier round; unset in the first"
)
latest_injection_at = Variable(
    name="latest_injection_at", kind="instant", title="The latest injection of any round"
)
first_injection_at = _round("first_injection_at", "instant", "First injection of the round")
first_visit_at = _round("first_visit_at", "instant", "First dose after the test dose")
test_dose_on = _round("test_dose_on", "date", "Date of the last test dose")
d0 = _round("d0", "date", "Date of the tolerated test dose")
unplanned_round = _mark(
    "unplanned_round", "The round began with an injection that no restart had been granted for"
)
escalation_began_at = _round("escalation_began_at", "instant", "When tolerance was confirmed")
window_ends_on = _round("window_ends_on", "date", "Last day of the escalation")
planned_slots = _round("planned_slots", "number", "Planned visits of this round")
slot = _counter("slot", "Next planned visit", 1)
missed_slots = _counter("missed_slots", "Planned visits that lapsed without a dose")
lapsed_on = _round("lapsed_on", "date", "Last day of the visit that lapsed last")
test_doses = _counter("test_doses", "Test doses given")
doses_given = _counter("doses_given", "Doses given after the test dose")
last_dose = _round("last_dose", "quantity", "Last dose given", unit=MILLION)
last_dose_at = _round("last_dose_at", "instant", "When the last dose was given")
last_dose_on = _round("last_dose_on", "date", "Date of the last dose given")
last_tolerated_at = _round(
    "last_tolerated_at", "instant", "When the last dose confirmed as tolerated was given"
)
previous_tolerated_at = _round(
    "previous_tolerated_at", "instant", "When the tolerated dose before that was given"
)
last_tolerated_dose = _round(
    "last_tolerated_dose", "quantity", "Last dose confirmed as tolerated", unit=MILLION
)
previous_tolerated_dose = _round(
    "previous_tolerated_dose", "quantity", "The tolerated dose before that", unit=MILLION
)
suggested_dose = _round(
    "suggested_dose", "quantity", "Suggested, never given by itself", unit=MILLION
)
round_dose_total = _round(
    "round_dose_total", "quantity", "IL-2 given in this round", q(0, MILLION), unit=MILLION
)
dose_total = Variable(
    name="dose_total",
    kind="quantity",
    unit=MILLION,
    initial=q(0, MILLION),
    title="IL-2 given in all",
)
test_doses_elsewhere = _counter("test_doses_elsewhere", "Test doses given before it came here")
doses_elsewhere = _counter("doses_elsewhere", "Doses after the test dose, before it came here")
round_dose_elsewhere = _round(
    "round_dose_elsewhere",
    "quantity",
    "IL-2 of this round given before the course came here",
    q(0, MILLION),
    unit=MILLION,
)
dose_elsewhere = Variable(
    name="dose_elsewhere",
    kind="quantity",
    unit=MILLION,
    initial=q(0, MILLION),
    title="IL-2 in all given before the course came here",
)

# --- the order that waits ------------------------------------------------------------------------

ordered_dose = Variable(
    name="ordered_dose", kind="quantity", unit=MILLION, title="Dose ordered and not yet given"
)
ordered_on = Variable(name="ordered_on", kind="date", title="Date of that order")

# --- the last observation ------------------------------------------------------------------------

observation_open = _mark("observation_open", "An observation after a dose is running")
observation_ends_at = _round("observation_ends_at", "instant", "End of the last observation")
observed_at_home = _mark("observed_at_home", "Discharged home for the last observation")
home_readings_attested = _round(
    "home_readings_attested", "yesno", "A clinician attests the readings of the last observation"
)
visit_tolerance = Variable(
    name="visit_tolerance",
    kind="code",
    codes=("unassessed", "tolerated", "not_tolerated"),
    initial="unassessed",
    per_round=True,
    title="Whether the last dose was tolerated",
)
tolerance_before = Variable(
    name="tolerance_before",
    kind="code",
    codes=visit_tolerance.codes,
    initial="unassessed",
    per_round=True,
    title="Whether the dose before the last was tolerated",
)
worst_grade = _counter("worst_grade", "Worst adverse event since the last dose")
worst_grade_before = _counter("worst_grade_before", "The same of the dose before the last")
emergency_before = _mark("emergency_before", "Emergency visit after the dose before the last")
vasopressor_before = _mark("vasopressor_before", "Vasopressor after the dose before the last")
emergency_since_dose = _mark("emergency_since_dose", "Emergency visit since the last dose")
vasopressor_since_dose = _mark("vasopressor_since_dose", "Vasopressor since the last dose")
low_pressure_seen = _mark("low_pressure_seen", "Hypotension since the last dose")
fast_heart_seen = _mark("fast_heart_seen", "Tachycardia since the last dose")
low_urine_seen = _mark("low_urine_seen", "Oliguria reported since the last dose")
symptoms_reviewed_on = Variable(
    name="symptoms_reviewed_on", kind="date", title="Symptoms last reviewed on"
)
new_symptoms = Variable(
    name="new_symptoms", kind="yesno", title="New symptoms at the last review of symptoms"
)
review_needed = _mark("review_needed", "A clinician must decide before the next dose")

# --- toxicity ------------------------------------------------------------------------------------

pressure_goal = _round(
    "pressure_goal", "quantity", "Systolic pressure stays above this", unit="mm[Hg]"
)
goal_reading_at = _round(
    "goal_reading_at", "instant", "When the pressure was taken that the goal was frozen from"
)
repeat_due_at = _round("repeat_due_at", "instant", "A low pressure at home is repeated by")
toxicity_open = _mark("toxicity_open", "A toxicity that no clinician has closed")
toxicity_at = _round("toxicity_at", "instant", "When the latest toxicity was")
fast_heart_at = _round("fast_heart_at", "instant", "Heart rate above the limit since")
causes_corrected_at = _round(
    "causes_corrected_at", "instant", "Causes of a tachycardia corrected since"
)
tachycardia_reviewed_on = _round("tachycardia_reviewed_on", "date", "Tachycardia reviewed on")
hold_since_tolerated = _mark("hold_since_tolerated", "A hold since the last tolerated dose")
enzyme_hold_open = _mark("enzyme_hold_open", "Cardiac enzymes rose and were not cleared")
enzyme_rise_at = _round("enzyme_rise_at", "instant", "When they rose")
enzymes_due_at = _round("enzymes_due_at", "instant", "When they are next due")
enzymes_taken_on = _round("enzymes_taken_on", "date", "On which day they were last taken")
enzymes_cleared_at = _round(
    "enzymes_cleared_at", "instant", "When the echocardiogram that cleared the last rise was taken"
)
troponin_floor = _round(
    "troponin_floor", "quantity", "Lowest troponin since the rise or the release", unit="ng/L"
)
ck_mb_floor = _round(
    "ck_mb_floor", "quantity", "Lowest CK-MB since the rise or the release", unit="ng/mL"
)
fluid_total = _round(
    "fluid_total", "quantity", "Resuscitation fluid since the last dose", q(0, "L"), unit="L"
)
loperamide_on = Variable(name="loperamide_on", kind="date", title="Loperamide counted for")
loperamide_total = Variable(
    name="loperamide_total",
    kind="quantity",
    unit="mg",
    initial=q(0, "mg"),
    title="Loperamide that day",
)
acetaminophen_on = Variable(name="acetaminophen_on", kind="date", title="Acetaminophen counted for")
acetaminophen_total = Variable(
    name="acetaminophen_total",
    kind="quantity",
    unit="mg",
    initial=q(0, "mg"),
    title="Acetaminophen that day",
)
acetaminophen_at = Variable(
    name="acetaminophen_at", kind="instant", title="When acetaminophen was last given"
)
stopped_by = Variable(
    name="stopped_by",
    kind="code",
    codes=("N01", "N04", "N05", "N06", "E01", "E02", "E03"),
    per_round=True,
    title="The stop rule of this round",
)
stop_rules_fired = _counter("stop_rules_fired", "How often stop rules fired in this round")
stop_rule_ever = Variable(
    name="stop_rule_ever",
    kind="yesno",
    initial=False,
    title="A stop rule fired after an injection, ever",
)
stop_rule_open = Variable(
    name="stop_rule_open",
    kind="yesno",
    initial=False,
    title="A stop rule fired since the last restart: a restart must override it",
)
consult_needed = Variable(
    name="consult_needed",
    kind="yesno",
    initial=False,
    title="A consult comes before the next first injection",
)

# --- IL-2 is over --------------------------------------------------------------------------------

il2_over_on = _round("il2_over_on", "date", "When it was decided that IL-2 is over")
il2_ended_by = Variable(
    name="il2_ended_by",
    kind="code",
    codes=("visits_done", "window", "clinician", "stop_rule", "unresolved", "withdrawal"),
    per_round=True,
    title="Why IL-2 of this round is over",
)
tail_ends_on = _round("tail_ends_on", "date", "Last night of the tail")
cycle = _counter("cycle", "Cycle that is due or running; 0 before the first")
cycles_completed = _counter("cycles_completed", "Cycles reported as completed")
cycles_missed = _counter("cycles_missed", "Cycles reported as missed")
cycle_outcomes = tuple(
    Variable(
        name=f"cycle_{n}_outcome",
        kind="code",
        codes=("completed", "missed"),
        per_round=True,
        title=f"What became of cycle {n}",
    )
    for n in range(1, 14)
)
topical_mode = Variable(
    name="topical_mode",
    kind="code",
    codes=("not_started", "treatment", "tail", "maintenance_on", "maintenance_off", "stopped"),
    initial="not_started",
    per_round=True,
    title="What the topicals are applied for",
)
topical_nights = _counter("topical_nights", "Nights a week; 0 is a pause", 7)
topical_occluded = _mark("topical_occluded", "Applied under occlusion")

# --- what was stated at the baseline -------------------------------------------------------------

lesion_count = _stated("lesion_count", "Lesions to be treated", "number")
medically_complicated = _stated("medically_complicated", "Medically more complicated")
few_comorbidities = _stated("few_comorbidities", "Few comorbidities")
relatively_healthy = _stated("relatively_healthy", "Relatively healthy")
co_managed = _stated("co_managed", "An oncologist or primary care physician co-manages")
vitiligo_counselled = _stated("vitiligo_counselled", "Counselled about vitiligo")
monitoring_instructed = _stated("monitoring_instructed", "Instructed in self-monitoring")
antihypertensive = _stated("antihypertensive", "Takes an antihypertensive")
antihypertensive_is_antiarrhythmic = _stated(
    "antihypertensive_is_antiarrhythmic", "The antihypertensive is also an antiarrhythmic"
)
cardiology_consulted = _stated("cardiology_consulted", "Cardiology was consulted")
restart_requested_at = _stated("restart_requested_at", "When a restart was granted", "instant")
cutaneous_finding = Variable(
    name="cutaneous_finding",
    kind="code",
    codes=("none", "persistent", "recurrent", "new_cutaneous"),
    initial="none",
    title="Cutaneous metastasis found after IL-2",
)
distant_progression = Variable(
    name="distant_progression",
    kind="yesno",
    initial=False,
    title="Lymph-node, visceral or brain metastasis found",
)

STATED_AT_BASELINE = (
    lesion_count,
    medically_complicated,
    few_comorbidities,
    relatively_healthy,
    co_managed,
    vitiligo_counselled,
    monitoring_instructed,
    antihypertensive,
    antihypertensive_is_antiarrhythmic,
    cardiology_consulted,
)
"""What a restart asks anew."""

STATED_EARLIER = tuple(
    Variable(
        name=f"earlier_{stated.name}",
        kind=stated.kind,
        title=f"Before the restart that is prepared: {stated.title}",
    )
    for stated in STATED_AT_BASELINE
)
"""What an abandoned restart gives back."""

VARIABLES = (
    phase, left_at, begun_here, round_since, latest_injection_at, first_injection_at,
    first_visit_at, test_dose_on, d0, escalation_began_at, window_ends_on, planned_slots, slot,
    missed_slots, lapsed_on, test_doses, doses_given, last_dose, last_dose_at, last_dose_on,
    last_tolerated_dose, previous_tolerated_dose, last_tolerated_at, previous_tolerated_at,
    test_doses_elsewhere, doses_elsewhere, round_dose_elsewhere, dose_elsewhere, suggested_dose,
    round_dose_total, dose_total, ordered_dose, ordered_on, observation_open, observation_ends_at,
    observed_at_home, home_readings_attested, visit_tolerance, worst_grade, tolerance_before,
    worst_grade_before, emergency_before, vasopressor_before, new_symptoms, emergency_since_dose,
    vasopressor_since_dose, low_pressure_seen, fast_heart_seen, low_urine_seen,
    symptoms_reviewed_on, review_needed, pressure_goal, goal_reading_at, unplanned_round,
    repeat_due_at, fast_heart_at, toxicity_open, toxicity_at, causes_corrected_at,
    tachycardia_reviewed_on, hold_since_tolerated, enzyme_hold_open, enzyme_rise_at,
    enzymes_due_at, enzymes_taken_on, enzymes_cleared_at, troponin_floor, ck_mb_floor,
    fluid_total, loperamide_on, loperamide_total, acetaminophen_on, acetaminophen_total,
    acetaminophen_at, stopped_by, stop_rules_fired, stop_rule_ever, stop_rule_open,
    consult_needed, il2_over_on, il2_ended_by,
    tail_ends_on, cycle, cycles_completed, cycles_missed, *cycle_outcomes, topical_mode,
    topical_nights, topical_occluded, *STATED_AT_BASELINE, *STATED_EARLIER, restart_requested_at,
    cutaneous_finding, distant_progression,
)  # fmt: skip

"""Where a course can be, who may send what, and what rules ask for.

A stage has another name than its states wherever it has several, because a place is named by
either.
"""

from __future__ import annotations

from engine.core.definition import Action, State, Waits

CLINICIAN = "clinician"
PRESCRIBER = "prescriber"
NURSE = "nurse"
PHARMACIST = "pharmacist"
LABORATORY = "laboratory"
SCHEDULER = "scheduler"
PATIENT = "patient"

ROLES = (CLINICIAN, PRESCRIBER, NURSE, PHARMACIST, LABORATORY, SCHEDULER, PATIENT)
DECIDERS = (CLINICIAN, PRESCRIBER)
STAFF = (CLINICIAN, PRESCRIBER, NURSE)
OBSERVERS = (*STAFF, PATIENT)
ANYBODY = (*STAFF, PHARMACIST, SCHEDULER, PATIENT)

OVERRIDE_ROLES = DECIDERS
OVERRIDE_CODES = (
    "clinical-judgement",
    "contraindicated",
    "unavailable",
    "patient-preference",
    "documented-elsewhere",
    "schedule",
    "entered-in-error",
)
NOT_PUBLISHED = "not-published"

STATES = (
    State(name="baseline", stage="baseline", title="Baseline evaluation"),
    State(name="observing_test_dose", stage="test_dose", title="Six hours after the test dose"),
    State(
        name="assessing_tolerance",
        stage="test_dose",
        title="Was the test dose tolerated?",
        waits=Waits.DECISION,
    ),
    State(
        name="test_dose_hold",
        stage="test_dose",
        title="Held for cardiac enzymes, test dose",
        waits=Waits.HOLD,
    ),
    State(
        name="test_dose_review",
        stage="test_dose",
        title="Clinician decides, test dose",
        waits=Waits.DECISION,
    ),
    State(name="escalation", stage="dose_escalation", title="Between two visits"),
    State(name="observing_dose", stage="dose_escalation", title="Six hours after a dose"),
    State(
        name="dose_hold",
        stage="dose_escalation",
        title="Held for cardiac enzymes",
        waits=Waits.HOLD,
    ),
    State(
        name="dose_review",
        stage="dose_escalation",
        title="Clinician decides",
        waits=Waits.DECISION,
    ),
    State(name="il2_discontinued", stage="discontinuation", title="IL-2 discontinued"),
    State(name="tail", stage="topical_tail", title="Topicals for three more weeks"),
    State(name="maintenance", stage="maintenance", title="Topicals one week a month"),
    State(name="follow_up", stage="follow_up", title="Follow-up"),
    State(name="restart_baseline", stage="restart", title="Baseline refreshed for a restart"),
    State(name="withdrawn", stage="closed", title="Withdrawn", closed=True),
    State(name="died", stage="closed", title="Died", closed=True),
    State(name="lost_to_follow_up", stage="closed", title="Lost to follow-up", closed=True),
    State(name="transferred", stage="closed", title="Transferred", closed=True),
    State(name="completed", stage="closed", title="Follow-up ended", closed=True),
)

TREATED = ("test_dose", "dose_escalation")
"""The stages in which IL-2 is being given."""

OVER = ("discontinuation", "topical_tail", "maintenance", "follow_up")
"""The stages after IL-2 of the round."""

PREPARING = ("baseline", "restart")
"""The stages in which a first injection is being prepared."""

AFTER_FIRST_INJECTION = (*TREATED, *OVER, "restart", "closed")
"""While a restart is prepared the old round is still watched: it may be gone back to."""

OPEN = ("baseline", *TREATED, *OVER, "restart")
LEFT = ("withdrawn", "lost_to_follow_up", "transferred", "completed")
"""The closed states of a patient who may be alive."""

REVIEWS = {
    "observing_test_dose": "test_dose_review",
    "assessing_tolerance": "test_dose_review",
    "escalation": "dose_review",
    "observing_dose": "dose_review",
}

# The order D > H > X > C > M > A is a decision of ours (7.34); "review" moves last of all.
ACTIONS = (
    Action(
        name="discontinue",
        rank=1,
        targets=dict.fromkeys(TREATED, "il2_discontinued"),
        message="il2.discontinue",
        title="D: discontinue IL-2",
    ),
    Action(
        name="hold",
        rank=2,
        targets={"test_dose": "test_dose_hold", "dose_escalation": "dose_hold"},
        message="il2.hold",
        title="H: hold IL-2 until a condition is met",
    ),
    Action(name="expedite", rank=3, message="patient.expedite", title="X: to the emergency room"),
    Action(name="consult", rank=4, message="consult.ask", title="C: consult"),
    Action(name="manage", rank=5, message="toxicity.manage", title="M: manage"),
    Action(name="advise", rank=6, message="advice.given", title="A: advise"),
    Action(
        name="review",
        rank=7,
        targets=REVIEWS,
        message="review.needed",
        title="A clinician must decide before the next dose",
    ),
    Action(
        name="revoke",
        rank=8,
        targets={
            "escalation": "test_dose_review",
            "dose_review": "test_dose_review",
            "observing_dose": "observing_test_dose",
            "dose_hold": "test_dose_hold",
        },
        message="review.needed",
        title="The test dose is not tolerated after all",
    ),
)

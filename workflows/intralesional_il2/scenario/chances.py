"""How often things happen in simulated courses.

Constructed: none of these numbers is a claim about patients. They are chosen so that every path of
the protocol is walked by some course out of a hundred, which makes severe events far more frequent
here than anybody has published.
"""

from __future__ import annotations

from collections.abc import Mapping

# --- who comes ------------------------------------------------------------------------------------

FEW_COMORBIDITIES = 0.7
RELATIVELY_HEALTHY = 0.85
MEDICALLY_COMPLICATED = 0.2
ANTIHYPERTENSIVE = 0.3
ALSO_ANTIARRHYTHMIC = 0.2
RAISED_LDH = 0.08
DISTANT_AT_BASELINE = 0.05
STAGES: Mapping[str, int] = {"IIIC": 60, "IV_M1a": 34, "IIIB": 3, "IV_M1b": 3}

# --- what goes wrong in the clinic ----------------------------------------------------------------

ITEM_FORGOTTEN = 0.05
NO_SHOW = 0.06
ORDER_CANCELLED = 0.03
DOSE_NOT_AS_ORDERED = 0.02
DOSE_WITHOUT_ORDER = 0.01
DOSE_ELSEWHERE = 0.06
"""Of a hold, a discontinuation and the like: an injection where none should be."""
DOSE_ENTERED_AFTER_A_LATER_ONE = 0.005
VISIT_MOVED = 0.2
SPLIT_MISCOUNTED = 0.02
ENTERED_LATE = 0.06
TYPING_ERROR = 0.015
NO_HOME_READINGS = 0.08
CONFIRMED_TOO_EARLY = 0.04
UNREASONABLE_DOSE = 0.05
IMPATIENT_IN_HOLD = 0.3
OVERRIDES = 0.6
"""That a clinician passes a soft requirement with a reason rather than doing what it asks."""

# --- what the patient has -------------------------------------------------------------------------

MILD_EVENT = 0.45
SEVERE_EVENT = 0.03
LOW_PRESSURE = 0.05
FAST_HEART = 0.03
RISING_ENZYMES = 0.035
ARRHYTHMIA = 0.009
NEUROTOXICITY = 0.008
KIDNEY = 0.006
FALLING_PLATELETS = 0.06
"""Of a course; the others are of a dose."""
SKIN_REACTION = 0.25
DYSFUNCTION_ON_ECHO = 0.15
INCONCLUSIVE_ECHO = 0.2

MILD: Mapping[str, int] = {
    "fever": 20,
    "chills": 12,
    "rigor": 14,
    "myalgia": 6,
    "flu_like": 12,
    "nausea": 8,
    "vomiting": 3,
    "diarrhea": 3,
    "peripheral_edema": 3,
    "rash": 4,
    "pruritus": 4,
    "injection_site_reaction": 10,
    "vitiligo": 2,
    "skin_ulcer": 3,
}
SEVERE: Mapping[str, int] = {
    "hypotension": 4,
    "fever": 3,
    "dyspnea": 2,
    "capillary_leak_syndrome": 1,
    "pulmonary_edema": 1,
    "skin_infection": 2,
    "anemia": 1,
}

# --- how it goes on -------------------------------------------------------------------------------

TOPICALS_CONTINUE = 0.6
TOPICALS_STOPPED = 0.01
EXTENDED = 0.06
IL2_ENDED_EARLY = 0.01
CYCLE_MISSED = 0.12
CYCLE_REPORTED = 0.85
NEW_LESION = 0.014
"""Of a month after IL-2."""
DISTANT_PROGRESSION = 0.006
RESTART_ABANDONED = 0.1
RESTARTS_AT_MOST = 2

DIES = 0.002
"""This and the next ones: of a visit or a month."""
WITHDRAWS = 0.004
IS_LOST = 0.007
IS_TRANSFERRED = 0.002
COMES_BACK = 0.7
DIED_ELSEWHERE = 0.15
EXIT_WAS_AN_ERROR = 0.2

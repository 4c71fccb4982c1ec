"""From the baseline to the end of IL-2: what the clinic does next, by where the course stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from engine.scenario import Seen, Telling
from workflows.intralesional_il2.parameters import SLOT_DAYS
from workflows.intralesional_il2.scenario import chances, toxicity
from workflows.intralesional_il2.scenario.clinic import Clinic
from workflows.intralesional_il2.scenario.dosing import (
    cancelled,
    elsewhere,
    given,
    ladder,
    lowered,
    ordered,
    unordered,
)
from workflows.intralesional_il2.scenario.evaluation import evaluated, mended, of_the_day
from workflows.intralesional_il2.scenario.measuring import (
    adverse_event,
    blood,
    electrocardiogram,
    enzymes,
    symptoms,
    vital_signs,
)
from workflows.intralesional_il2.scenario.observation import judged, observed


def prepared(clinic: Clinic) -> Telling[None]:
    """The baseline, the test dose and its six hours; or the patient is not treated."""
    yield from evaluated(clinic)
    if (yield from tested(clinic)):
        return
    kind = clinic.rng.choice(("follow_up_ended", "transfer_reported", "withdrawal_reported"))
    if kind == "withdrawal_reported":
        yield from clinic.says(kind, scope="il2")
    else:
        yield from clinic.says(kind)


def tested(clinic: Clinic) -> Telling[bool]:
    """A first injection of a round, if it is ordered; whether anything was given."""
    yield from clinic.days_pass(1, 6)
    if not clinic.chance(chances.ITEM_FORGOTTEN):
        yield from of_the_day(clinic)
    amount = float(clinic.rng.choice((7, 7, 7, 7, 7, 7, 7, 7, 5, 9)))
    if clinic.chance(chances.DOSE_WITHOUT_ORDER):
        given_at = yield from unordered(clinic, 7)
        yield from observed(clinic, given_at)
        return True
    granted = yield from ordered(
        clinic, "order_test_dose", amount, mended=mended, smaller=_test_dose
    )
    if granted is None:
        return False
    given_at = yield from given(clinic, granted)
    yield from observed(clinic, given_at)
    return True


def assessed(clinic: Clinic) -> Telling[None]:
    """After the six hours of a test dose: tolerated, or a clinician must decide."""
    if clinic.chance(0.5):
        yield from clinic.days_pass(1, 2)
    yield from judged(clinic)
    if clinic.state == "assessing_tolerance":
        yield from clinic.says("not_tolerated_reported")


def reviewed_test_dose(clinic: Clinic) -> Telling[None]:
    """A test dose that was not tolerated: repeated, lowered, or the end of IL-2."""
    yield from clinic.days_pass(2, 6)
    yield from _toxicity_closed(clinic)
    if clinic.remembers("visit_tolerance", "unassessed") and clinic.chance(0.6):
        yield from judged(clinic)
        if clinic.state != "test_dose_review":
            return
    if clinic.chance(0.4):
        yield from _ended(clinic, "not-tolerated")
        return
    yield from vital_signs(clinic)
    yield from symptoms(clinic)
    granted = yield from ordered(
        clinic,
        "order_test_dose",
        clinic.rng.choice((7.0, 5.0, 3.0)),
        mended=_mended,
        smaller=_test_dose,
    )
    if granted is None:
        yield from _ended(clinic, "clinical-decision")
        return
    given_at = yield from given(clinic, granted)
    yield from observed(clinic, given_at)


def escalating(clinic: Clinic) -> Telling[None]:
    """The next planned visit: kept, moved by a day, or missed."""
    d0, slot = clinic.day("d0"), round(clinic.number("slot") or 1)
    if clinic.chance(chances.IL2_ENDED_EARLY):
        yield from _ended(clinic, clinic.rng.choice(("complete-response", "progression")))
        return
    if clinic.chance(chances.EXTENDED) and slot > 5:
        yield from _extended(clinic)
    if clinic.chance(chances.ENTERED_LATE / 4):
        # What was confirmed as tolerated was not, as it turns out.
        happened = clinic.now - timedelta(hours=clinic.rng.randint(1, 40))
        yield from adverse_event(clinic, clinic.drawn(chances.SEVERE), 3, at=happened)
        return
    if d0 is None or slot > min(len(SLOT_DAYS), clinic.number("planned_slots") or 0):
        yield from clinic.days_pass(2, 4)
        return
    target = d0 + timedelta(days=SLOT_DAYS[slot - 1])
    if clinic.chance(chances.NO_SHOW):
        yield from clinic.morning(max(target + timedelta(days=2), clinic.today))
        if clinic.chance(0.5):
            yield from clinic.days_pass(1, 1)
        return
    moved = clinic.rng.choice((-1, 1, 1)) if clinic.chance(chances.VISIT_MOVED) else 0
    yield from clinic.morning(max(target + timedelta(days=moved), clinic.today + timedelta(days=1)))
    if clinic.state == "escalation":
        yield from _visited(clinic)


def _visited(clinic: Clinic) -> Telling[None]:
    """One visit, from the vital signs to the end of the six hours."""
    yield from vital_signs(clinic)
    if clinic.patient.platelets_fall or clinic.chance(0.5):
        yield from toxicity.counted(clinic)
    if clinic.chance(0.8):
        yield from _toxicity_closed(clinic)
    if clinic.chance(0.9):
        yield from judged(clinic)
    if not clinic.chance(chances.ITEM_FORGOTTEN):
        yield from symptoms(clinic)
    if clinic.state != "escalation":
        return
    amount = ladder(clinic, clinic.number("last_tolerated_dose") or 7)
    if clinic.chance(chances.DOSE_WITHOUT_ORDER):
        given_at = yield from unordered(clinic, min(amount, 22))
        yield from observed(clinic, given_at)
        return
    granted = yield from ordered(clinic, "order_dose", amount, mended=_mended, smaller=lowered)
    if granted is None:
        return
    if clinic.chance(chances.ORDER_CANCELLED):
        yield from cancelled(clinic)
        return
    given_at = yield from given(clinic, granted)
    yield from observed(clinic, given_at)
    if clinic.chance(0.3):
        yield from toxicity.skin(clinic)


def held(clinic: Clinic) -> Telling[None]:
    """Held for cardiac enzymes, until an echocardiogram lets the clinician decide."""
    yield from electrocardiogram(clinic)
    if clinic.chance(chances.IMPATIENT_IN_HOLD):
        yield from clinic.says("release_hold")
        yield from clinic.says("order_dose", amount=_SEVEN, split=[{"lesion": 1, "amount": _SEVEN}])
    yield from elsewhere(clinic)
    troponin = 60
    for _ in range(clinic.rng.randint(2, 5)):
        yield from clinic.waits(hours=clinic.rng.randint(7, 9))
        troponin = troponin * 2 // 3
        yield from enzymes(clinic, troponin)
    yield from clinic.days_pass(1, 2)
    if clinic.chance(chances.INCONCLUSIVE_ECHO):
        yield from clinic.says("echocardiogram_recorded", echocardiogram="inconclusive")
        yield from clinic.says("release_hold")
        yield from clinic.days_pass(1, 2)
    bad = clinic.chance(chances.DYSFUNCTION_ON_ECHO)
    yield from clinic.says(
        "echocardiogram_recorded", echocardiogram="dysfunction" if bad else "no_dysfunction"
    )
    if not clinic.state.endswith("_hold"):
        return
    yield from clinic.says("enzyme_trend_ended")
    if clinic.chance(0.85):
        yield from clinic.says("release_hold")
    elif clinic.state == "test_dose_hold":
        yield from _ended(clinic, "toxicity")
    else:
        # Nobody decides, so the end of the weeks does.
        yield from clinic.days_pass(28, 44)


def reviewed(clinic: Clinic) -> Telling[None]:
    """A clinician decides whether the escalation goes on."""
    yield from clinic.days_pass(0, 2)
    yield from _toxicity_closed(clinic)
    yield from judged(clinic)
    if clinic.state != "dose_review":
        return
    if clinic.chance(0.75):
        seen = yield from clinic.says("resume_escalation")
        if not seen.refused:
            return
    yield from _ended(clinic, "toxicity")


def discontinued(clinic: Clinic) -> Telling[None]:
    """IL-2 is over against the plan: whether topicals go on is for the clinician."""
    if clinic.chance(chances.IMPATIENT_IN_HOLD):
        yield from clinic.says("order_dose", amount=_SEVEN, split=[{"lesion": 1, "amount": _SEVEN}])
    yield from clinic.days_pass(1, 12)
    yield from elsewhere(clinic)
    yield from _toxicity_closed(clinic)
    if clinic.chance(0.85):
        go_on = clinic.chance(chances.TOPICALS_CONTINUE)
        yield from clinic.says("confirm_topicals", continue_topicals=go_on)
    else:
        yield from clinic.days_pass(20, 60)
        yield from clinic.says("contact_lost", "scheduler")


def observing(clinic: Clinic) -> Telling[None]:
    """Whoever came here otherwise than by a visit is observed too."""
    yield from clinic.waits(hours=7)


def _extended(clinic: Clinic) -> Telling[Seen]:
    """More weeks than four, by a reason; more than six are refused whatever is said."""
    seen = yield from clinic.says("extend_window", weeks=clinic.rng.choice((5, 6, 6, 7)))
    if seen.refused:
        seen = yield from clinic.says("extend_window", weeks=6, override=seen.kept_by)
    return seen


def _ended(clinic: Clinic, why: str) -> Telling[Seen]:
    go_on = clinic.chance(chances.TOPICALS_CONTINUE)
    return (yield from clinic.says("end_il2", reason=why, continue_topicals=go_on))


def _toxicity_closed(clinic: Clinic) -> Telling[None]:
    if clinic.marked("toxicity_open"):
        yield from clinic.says("toxicity_resolved")


def _test_dose(clinic: Clinic, guard: str, amount: float) -> float | None:
    """The amount that a guard of the test dose would let pass."""
    if guard == "N10_test_dose_at_most_7":
        return 7.0
    if guard == "N10_test_dose_at_least_3":
        return 3.0
    if guard == "N10_test_dose_is_7" and amount < 7 and clinic.chance(0.4):
        return 7.0
    return None


def _mended(clinic: Clinic, guard: str) -> Telling[bool]:
    """Do what a guard of the gate before a dose asks for; whether there is anything to do."""
    action = _ANSWERS.get(guard)
    if action is None:
        return False
    yield from clinic.waits(minutes=20)
    yield from action(clinic)
    return True


def _reviewed_heart(clinic: Clinic) -> Telling[Seen]:
    return (yield from clinic.says("tachycardia_reviewed", cause="pain", corrected=False))


_ANSWERS: Mapping[str, Callable[[Clinic], Telling[object]]] = {
    "vital_signs_of_the_day": vital_signs,
    "N09_pressure_above_goal": vital_signs,
    "N01_heart_rate_at_most_130": vital_signs,
    "no_implausible_value": vital_signs,
    "symptoms_of_the_day": symptoms,
    "E29_fast_heart_reviewed": _reviewed_heart,
    "last_visit_assessed": judged,
    "no_open_toxicity": _toxicity_closed,
    "N19_readings_of_last_observation": lambda c: c.says("home_readings_attested"),
    "no_stop_rule_in_question": electrocardiogram,
    "labs_of_the_day": blood,
}
_SEVEN = {"value": "7", "unit": "M[IU]"}

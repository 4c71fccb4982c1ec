"""What a dose may do to a constructed patient, and what the clinic does about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from engine.core.encoding import Json
from engine.scenario import Telling
from workflows.intralesional_il2.scenario import chances
from workflows.intralesional_il2.scenario.clinic import Clinic, of
from workflows.intralesional_il2.scenario.measuring import (
    adverse_event,
    blood,
    electrocardiogram,
    enzymes,
    vital_signs,
)

FEVERISH = ("fever", "chills", "rigor", "myalgia", "flu_like")


def treated(clinic: Clinic, term: str) -> Telling[None]:
    """The treatment that the protocol's table names, if anybody orders it."""
    if not clinic.chance(0.6):
        return
    if term in FEVERISH:
        yield from _relieved(clinic)
    elif term in ("nausea", "vomiting"):
        yield from _settled(clinic)
    elif term == "diarrhea":
        yield from _slowed(clinic)
    elif term in ("rash", "pruritus"):
        yield from clinic.says("treatment_given", "nurse", kind="emollient")
    elif term == "peripheral_edema":
        yield from clinic.says("treatment_given", "nurse", kind="compression_stockings")


def _relieved(clinic: Clinic) -> Telling[None]:
    seen = yield from clinic.says(
        "order_acetaminophen", dose=of(clinic.rng.choice((500, 650, 650, 1000)), "mg")
    )
    if not seen.refused:
        yield from clinic.says("acetaminophen_given", "nurse", dose=of(650, "mg"))


def _settled(clinic: Clinic) -> Telling[None]:
    if clinic.chance(0.1):
        # A habit from elsewhere: the protocol asks why.
        habit: dict[str, Json] = {"purpose": "nausea", "steroid": True, "alcohol_based": False}
        seen = yield from clinic.says("order_medication", **habit)
        if seen.refused and clinic.chance(0.5):
            yield from clinic.says("order_medication", override=seen.kept_by, **habit)
    yield from clinic.says("order_ondansetron", dose=of(8, "mg"), hours_between=8)


def _slowed(clinic: Clinic) -> Telling[None]:
    for _ in range(clinic.rng.randint(1, 5)):
        seen = yield from clinic.says("order_loperamide", dose=of(4, "mg"))
        if seen.refused:
            return
        yield from clinic.says("loperamide_given", "nurse", dose=of(4, "mg"))


# --- what stops, holds or is managed --------------------------------------------------------------


def _low_pressure(clinic: Clinic) -> Telling[None]:
    """A pressure at the goal or below: repeated at home or not, treated in the clinic."""
    low = round(clinic.number("pressure_goal") or 90) - clinic.rng.randint(0, 8)
    at_home = clinic.marked("observed_at_home")
    setting = "home" if at_home else "clinic"
    yield from vital_signs(clinic, systolic=low, setting=setting, symptoms=clinic.chance(0.2))
    if at_home:
        yield from _at_home(clinic, low)
    else:
        yield from _resuscitated(clinic)


def _at_home(clinic: Clinic, low: int) -> Telling[None]:
    if clinic.chance(0.25):
        # Nobody measured again: the clock will say so.
        yield from clinic.waits(minutes=25)
    else:
        yield from clinic.waits(minutes=clinic.rng.randint(4, 8))
        still = clinic.chance(0.4)
        yield from vital_signs(
            clinic, systolic=low if still else None, setting="home", symptoms=still
        )
        if not still:
            return
    if clinic.chance(0.8):
        yield from clinic.waits(minutes=30)
        yield from clinic.says("emergency_visit_reported", "nurse")
        yield from vital_signs(clinic, setting="emergency")


def _resuscitated(clinic: Clinic) -> Telling[None]:
    litres = clinic.rng.choice(("0.5", "0.5", "1", "1.75"))
    seen = yield from clinic.says("order_fluid", volume=of(litres, "L"))
    if not seen.refused:
        yield from clinic.says("fluid_given", "nurse", volume=of(litres, "L"))
    if clinic.chance(0.15):
        yield from _edema(clinic)
    if clinic.chance(0.2):
        rate = of("0.5", "ug/kg/min")
        yield from clinic.says("order_phenylephrine", rate=rate)
        yield from clinic.says("vasopressor_given", "nurse", drug="phenylephrine", rate=rate)
    yield from clinic.waits(minutes=15)
    yield from vital_signs(clinic)


def _edema(clinic: Clinic) -> Telling[None]:
    """Edema of the lungs while the pressure is low: what is usual is refused."""
    yield from clinic.says("chest_x_ray_recorded", pulmonary_edema=True)
    yield from adverse_event(clinic, "pulmonary_edema", 2)
    yield from clinic.says("order_furosemide", dose=of(80, "mg"))
    yield from clinic.says("treatment_given", "nurse", kind="oxygen")


def _fast_heart(clinic: Clinic) -> Telling[None]:
    """A rate above 130: looked into, and mostly over with its cause."""
    fast = clinic.rng.randint(131, 148)
    yield from vital_signs(clinic, heart_rate=fast, temperature=38.9)
    if clinic.chance(0.8):
        yield from electrocardiogram(clinic, heart_rate=fast)
    sustained = clinic.chance(0.25)
    yield from clinic.says("tachycardia_reviewed", cause="fever", corrected=sustained)
    for _ in range(4 if sustained else 1):
        yield from clinic.waits(minutes=14)
        rate = fast if sustained else clinic.patient.heart_rate
        yield from vital_signs(clinic, heart_rate=rate)


def _rising_enzymes(clinic: Clinic) -> Telling[None]:
    yield from adverse_event(clinic, "other", 1)
    yield from enzymes(clinic, clinic.rng.randint(18, 90))


def _arrhythmia(clinic: Clinic) -> Telling[None]:
    if clinic.chance(0.5):
        rhythm = clinic.rng.choice(("atrial_fibrillation", "supraventricular_tachycardia"))
        yield from electrocardiogram(clinic, rhythm, clinic.rng.randint(78, 165))
    else:
        yield from adverse_event(clinic, "atrial_fibrillation", 2)


def _neurotoxicity(clinic: Clinic) -> Telling[None]:
    yield from adverse_event(clinic, clinic.rng.choice(("confusion", "delirium")), 1)
    if clinic.chance(0.5):
        yield from clinic.says("consult_recorded", specialty="neurology", opinion="Will follow.")


def _kidney(clinic: Clinic) -> Telling[None]:
    """Urine falls: in the hospital it is measured by the hour."""
    yield from adverse_event(clinic, "oliguria", 2)
    yield from clinic.says("admission_reported", "nurse")
    yield from clinic.says("order_fluid", volume=of("0.5", "L"))
    yield from clinic.says("fluid_given", "nurse", volume=of("0.5", "L"))
    hours = 9 if clinic.chance(0.4) else 3
    for _ in range(hours):
        yield from clinic.waits(minutes=clinic.rng.randint(50, 54))
        # Read a little late, for the hour until then: together they leave no gap.
        passed: dict[str, Json] = {
            **of(clinic.rng.randint(4, 9) if hours == 9 else 35, "mL"),
            "over": of(1, "h"),
        }
        yield from clinic.says("urine_output_recorded", "nurse", urine_output=passed)
    if clinic.chance(0.5):
        yield from blood(clinic, creatinine=clinic.rng.choice((2.1, 2.6, 3.0, 3.4)))


def _severe(clinic: Clinic) -> Telling[None]:
    """An event above grade 2: it stays open until a clinician closes it."""
    term = clinic.drawn(chances.SEVERE)
    yield from adverse_event(clinic, term, clinic.rng.choice((3, 3, 3, 4)))
    yield from treated(clinic, term)
    if clinic.chance(0.4):
        yield from clinic.says("emergency_visit_reported", "nurse")
    if term == "dyspnea":
        yield from vital_signs(clinic, spo2=of(clinic.rng.randint(85, 95), "%"))


AFTER_A_DOSE: Sequence[tuple[float, Callable[[Clinic], Telling[None]]]] = (
    (chances.SEVERE_EVENT, _severe),
    (chances.LOW_PRESSURE, _low_pressure),
    (chances.FAST_HEART, _fast_heart),
    (chances.RISING_ENZYMES, _rising_enzymes),
    (chances.ARRHYTHMIA, _arrhythmia),
    (chances.NEUROTOXICITY, _neurotoxicity),
    (chances.KIDNEY, _kidney),
)


# --- the skin, and the blood between two visits ---------------------------------------------------


def skin(clinic: Clinic) -> Telling[None]:
    """How the skin takes the topicals, and what is changed for it."""
    if not clinic.chance(chances.SKIN_REACTION):
        return
    kind = clinic.drawn({"not_intense": 3, "as_expected": 5, "intolerable": 3})
    yield from clinic.says(
        "topical_reaction_reported",
        clinic.rng.choice(("patient", "nurse")),
        inflammation=kind,
        ulcer=clinic.chance(0.3),
        infection_concern=clinic.chance(0.08),
    )
    if change := _CHANGES.get(kind):
        yield from clinic.says(clinic.rng.choice(change), "nurse")


_CHANGES: Mapping[str, Sequence[str]] = {
    "not_intense": ("occlusion_started",),
    "intolerable": ("topicals_reduced", "topicals_reduced", "topicals_paused", "occlusion_ended"),
    "as_expected": ("topicals_restored", "topicals_resumed"),
}


def counted(clinic: Clinic) -> Telling[None]:
    """The blood of a visit; of some patients platelets fall from one visit to the next."""
    slot = round(clinic.number("slot") or 1)
    if not clinic.patient.platelets_fall or slot < 4:
        yield from blood(clinic)
        return
    falling = {4: 74, 5: 41, 6: 28}
    yield from blood(clinic, platelets=falling.get(slot, 90))
    if slot != 6:
        return
    # Below 30 once: no dose before it is repeated, and the second count decides.
    yield from clinic.days_pass(1, 2)
    again = clinic.rng.choice((19, 26, 34))
    yield from blood(clinic, platelets=again, hematocrit=27.4)
    if again < 20:
        yield from clinic.says("treatment_given", "nurse", kind="transfusion")

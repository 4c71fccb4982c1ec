"""Parts of stories of the intralesional IL-2 protocol, as a clinic would tell them.

The day of the tolerated test dose (D0) is Monday 2 March 2026, in Los Angeles, unless a story
begins on another one. Everything is normal unless a part says otherwise.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

from engine.testing import Part, Story, step
from workflows.intralesional_il2 import WORKFLOW

NORMAL_BLOOD: dict[str, Any] = {
    "platelets": "250 10*3/uL",
    "hematocrit": "42 %",
    "creatinine": "0.9 mg/dL",
    "bilirubin": "0.6 mg/dL",
    "ldh": "180 U/L",
    "ldh_upper_limit": "250 U/L",
    "complete_blood_count": True,
    "metabolic_panel": True,
}
ITEMS = (
    "stage",
    "examination",
    "imaging_body",
    "imaging_brain",
    "medications",
    "blood",
    "comorbidities",
    "lesions",
    "photographs",
    "counselling",
    "vital_signs",
    "symptoms",
)


def vital_signs(
    systolic: int | str | None = 130,
    heart_rate: int | str | None = 72,
    temperature: str | None = "36.8",
    **more: Any,
) -> Part:
    """Pressure, heart rate and temperature in the clinic, unless another setting is said."""
    sent: dict[str, Any] = {"setting": "clinic"}
    if systolic is not None:
        sent["systolic"] = f"{systolic} mm[Hg]"
    if heart_rate is not None:
        sent["heart_rate"] = f"{heart_rate} /min"
    if temperature is not None:
        sent["temperature"] = f"{temperature} Cel"
    return step("vital_signs_recorded", **{"role": "nurse", **sent, **more})


def at_home(systolic: int = 125, *, symptoms: bool = False, **more: Any) -> Part:
    """What a patient measures at home."""
    return vital_signs(
        systolic, **{"setting": "home", "role": "patient", "symptoms": symptoms, **more}
    )


def blood(**changed: Any) -> Part:
    return step("labs_recorded", role="laboratory", **{**NORMAL_BLOOD, **changed})


def labs(**values: Any) -> Part:
    """Only these laboratory values."""
    return step("labs_recorded", role="laboratory", **values)


def adverse(term: str, grade: int = 1, **how: Any) -> Part:
    return step("adverse_event_reported", term=term, grade=grade, **how)


def baseline(*, without: tuple[str, ...] = (), **changed: Part) -> Part:
    """The whole evaluation of one day; items by name may be left out or changed."""
    parts: dict[str, Part] = {
        "stage": step("stage_recorded", disease_stage="IIIC"),
        "examination": step(
            "examination_recorded", physical_examination=True, lymph_nodes_examined=True, ecog=0
        ),
        "imaging_body": step("pet_ct_recorded", visceral_metastasis=False),
        "imaging_brain": step("brain_mri_recorded", cns_metastasis=False),
        "medications": step(
            "medications_reviewed",
            medications=True,
            antihypertensive=False,
            antihypertensive_is_antiarrhythmic=False,
        ),
        "blood": blood(),
        "comorbidities": step(
            "comorbidities_attested",
            medically_complicated=False,
            few_comorbidities=True,
            relatively_healthy=True,
        ),
        "lesions": step("lesions_listed", count=2),
        "photographs": step("lesions_photographed", photographs=True),
        "counselling": step("counselling_given", vitiligo=True, home_monitoring=True),
        "vital_signs": vital_signs(),
        "symptoms": step("symptoms_reviewed", new_symptoms=False),
    }
    parts |= changed

    def tell(story: Story) -> None:
        for name, part in parts.items():
            if name not in without:
                part(story)

    return tell


def split(amount: str) -> list[dict[str, Any]]:
    """A dose in one lesion, which is the least that a division may be."""
    return [{"lesion": 1, "amount": amount}]


def orders_test_dose(amount: str = "7 M[IU]", **how: Any) -> Part:
    return step("order_test_dose", amount=amount, split=split(amount), **how)


def orders(amount: str, **how: Any) -> Part:
    return step("order_dose", amount=amount, split=split(amount), **how)


def gives(amount: str, **how: Any) -> Part:
    return step("dose_given", amount=amount, **{"role": "nurse", **how})


def waits(**span: int) -> Part:
    return lambda story: story.advance(**span)


def until(when: str) -> Part:
    return lambda story: story.until(when)


def observed(story: Story) -> None:
    """Six quiet hours: readings at home after two and at six hours."""
    story.advance(hours=2).given(at_home())
    story.advance(hours=4).given(at_home())


def day_of_visit(story: Story) -> None:
    """What must be of the same day before a dose."""
    story.given(vital_signs(), step("symptoms_reviewed", new_symptoms=False))


def visit(amount: str, *, on: str | None = None, tolerated: bool = True, **how: Any) -> Part:
    """One visit: same-day signs, order, injection, six quiet hours, and the clinician's word."""

    def tell(story: Story) -> None:
        if on is not None:
            story.until(f"{on} 09:00")
        story.given(day_of_visit, orders(amount, **how), gives(amount), observed)
        if tolerated:
            story.given(step("confirm_tolerated"))

    return tell


def begun(start: str = "2026-03-02 08:00", **how: Any) -> Story:
    return Story(WORKFLOW, start=start, **how)


# --- where stories part; each is told once, and forked ----------------------------------------


@cache
def _at_baseline() -> Story:
    return begun().given(baseline())


@cache
def _after_test_dose(systolic: int) -> Story:
    story = begun().given(baseline(vital_signs=vital_signs(systolic)))
    return story.until("2026-03-02 10:00").given(orders_test_dose(), gives("7 M[IU]"))


@cache
def _assessing() -> Story:
    return after_test_dose().given(observed)


@cache
def _escalating() -> Story:
    return assessing().given(step("confirm_tolerated"))


@cache
def _on_day_of_visit(day: str) -> Story:
    return escalating().until(f"{day} 09:00").given(day_of_visit)


@cache
def _after_dose() -> Story:
    return on_day_of_visit().given(orders("10 M[IU]"), gives("10 M[IU]"))


@cache
def _in_dose_hold() -> Story:
    return after_dose().given(
        step("cardiac_enzymes_recorded", role="laboratory", cardiac_enzymes="elevated")
    )


@cache
def _in_tail() -> Story:
    story = escalating()
    doses = ("10", "13", "13", "13", "16", "16", "16", "16")
    for day, amount in zip(VISIT_DAYS, doses, strict=True):
        last = day == VISIT_DAYS[-1]
        story.given(visit(f"{amount} M[IU]", on=day.isoformat(), tolerated=not last))
    return story


@cache
def _in_maintenance() -> Story:
    return in_tail().until("2026-05-01 09:00")


D0 = date(2026, 3, 2)
VISIT_DAYS = tuple(D0 + timedelta(days=n) for n in (3, 7, 10, 14, 17, 21, 24, 28))


def at_baseline() -> Story:
    """The evaluation is complete, on the morning of 2 March 2026."""
    return _at_baseline().fork()


def after_test_dose(systolic: int = 130) -> Story:
    """7 million units given at 10:00, with this pressure at the baseline."""
    return _after_test_dose(systolic).fork()


def assessing() -> Story:
    """The six hours after the test dose were quiet; it is 16:00."""
    return _assessing().fork()


def escalating() -> Story:
    """The test dose is confirmed as tolerated."""
    return _escalating().fork()


def on_day_of_visit(day: str = "2026-03-05") -> Story:
    """The morning of a visit: vital signs taken, symptoms asked for."""
    return _on_day_of_visit(day).fork()


def after_dose() -> Story:
    """The first visit's 10 million units were just given, on 5 March at 09:00."""
    return _after_dose().fork()


def in_dose_hold() -> Story:
    """Cardiac enzymes rose after the first visit's dose."""
    return _in_dose_hold().fork()


def in_tail() -> Story:
    """Eight visits were made and tolerated; the last on 30 March."""
    return _in_tail().fork()


def in_maintenance() -> Story:
    """1 May 2026, after the tail and before the first cycle."""
    return _in_maintenance().fork()

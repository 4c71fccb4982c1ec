"""The six hours after a dose, and what is told of them afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from engine.scenario import Telling
from workflows.intralesional_il2.scenario import chances, toxicity
from workflows.intralesional_il2.scenario.clinic import Clinic
from workflows.intralesional_il2.scenario.measuring import adverse_event, vital_signs

HOURS = 6

Happening = tuple[int, Callable[[Clinic], Telling[None]]]
"""So many minutes after the dose, and what happens then."""


def observed(clinic: Clinic, given_at: datetime) -> Telling[None]:
    """Six hours at home or in the clinic, with what happens in them; then they are over."""
    at_home = False
    if clinic.chance(0.6):
        seen = yield from clinic.says("discharge_home", "nurse")
        at_home = not seen.refused
    if clinic.chance(chances.CONFIRMED_TOO_EARLY):
        yield from clinic.says("confirm_tolerated")
    for minutes, happening in sorted(_planned(clinic, at_home=at_home), key=lambda one: one[0]):
        yield from clinic.until(given_at + timedelta(minutes=minutes))
        yield from happening(clinic)
    yield from clinic.until(given_at + timedelta(hours=HOURS, minutes=clinic.rng.randint(1, 50)))
    yield from _told_later(clinic, given_at)


def judged(clinic: Clinic) -> Telling[None]:
    """A clinician says whether the last dose was tolerated."""
    if not clinic.remembers("visit_tolerance", "unassessed"):
        return
    if (clinic.number("worst_grade") or 0) > 2:
        yield from clinic.says("not_tolerated_reported")
        return
    for _ in range(3):
        seen = yield from clinic.says("confirm_tolerated")
        if not seen.refused:
            return
        if "N19_readings_of_last_observation" in seen.kept_by:
            yield from clinic.says("home_readings_attested")
        elif "N09_pressure_above_goal_after_dose" in seen.kept_by:
            yield from vital_signs(clinic)
        else:
            yield from clinic.says("not_tolerated_reported")
            return


def _planned(clinic: Clinic, *, at_home: bool) -> list[Happening]:
    """What happens in the six hours: readings, and sometimes what is not wished for."""
    rng, frailty = clinic.rng, clinic.patient.frailty
    planned: list[Happening] = []
    if not clinic.chance(chances.NO_HOME_READINGS):
        planned += [
            (hour * 60 - rng.randint(5, 30), lambda c: _reading(c, at_home=at_home))
            for hour in (3, 6)
        ]
    if clinic.chance(chances.MILD_EVENT):
        planned.append((rng.randint(110, 340), lambda c: _mild(c, at_home=at_home)))
    for chance, happening in toxicity.AFTER_A_DOSE:
        if clinic.chance(chance * frailty):
            planned.append((rng.randint(60, 330), happening))
    return planned


def _reading(clinic: Clinic, *, at_home: bool) -> Telling[None]:
    setting = "home" if at_home else "clinic"
    yield from vital_signs(
        clinic, temperature=clinic.rng.randint(364, 379) / 10, setting=setting, symptoms=False
    )


def _mild(clinic: Clinic, *, at_home: bool) -> Telling[None]:
    """A mild event, and now and then a treatment of it."""
    term, grade = clinic.drawn(chances.MILD), clinic.rng.choice((1, 1, 1, 2))
    yield from adverse_event(clinic, term, grade, role="patient" if at_home else "nurse")
    yield from toxicity.treated(clinic, term)


def _told_later(clinic: Clinic, given_at: datetime) -> Telling[None]:
    """An event of the evening that is told by phone the next day, and entered late."""
    if not clinic.chance(chances.ENTERED_LATE):
        return
    yield from clinic.days_pass(1, 1)
    term = clinic.drawn(chances.SEVERE if clinic.chance(0.15) else chances.MILD)
    grade = 3 if term in chances.SEVERE and clinic.chance(0.5) else clinic.rng.choice((1, 2))
    happened = given_at + timedelta(minutes=clinic.rng.randint(180, 700))
    yield from adverse_event(clinic, term, grade, at=happened)

"""How a simulated course is left, and how it is sometimes taken up again."""

from __future__ import annotations

from engine.scenario import Telling
from workflows.intralesional_il2.scenario import chances
from workflows.intralesional_il2.scenario.clinic import Clinic
from workflows.intralesional_il2.scenario.measuring import adverse_event, blood


def perhaps(clinic: Clinic) -> Telling[None]:
    """Once a visit or a month: mostly nothing."""
    if clinic.chance(chances.DIES):
        yield from clinic.says("death_reported", "nurse")
    elif clinic.chance(chances.WITHDRAWS):
        scope = clinic.drawn({"all": 3, "il2": 2, "topicals": 2})
        yield from clinic.says("withdrawal_reported", "patient", scope=scope)
    elif clinic.chance(chances.IS_LOST):
        yield from clinic.says("contact_lost", "scheduler")
    elif clinic.chance(chances.IS_TRANSFERRED):
        yield from clinic.says("transfer_reported")


def left(clinic: Clinic) -> Telling[bool]:
    """What comes after the end: a late result, or a way back; whether there was one."""
    if clinic.state in ("lost_to_follow_up", "transferred") and clinic.chance(
        chances.DIED_ELSEWHERE
    ):
        yield from clinic.days_pass(30, 200)
        yield from clinic.says("death_reported", "nurse")
        return False
    if clinic.state == "lost_to_follow_up":
        if not clinic.chance(chances.COMES_BACK):
            return False
        yield from clinic.days_pass(15, 150)
        yield from clinic.says("contact_regained", "scheduler")
        return True
    if clinic.state != "completed" and clinic.chance(chances.EXIT_WAS_AN_ERROR):
        yield from clinic.days_pass(1, 3)
        yield from clinic.says("exit_corrected", reason="entered-in-error")
        return True
    if clinic.chance(0.3):
        yield from clinic.days_pass(1, 5)
        yield from blood(clinic)
    elif clinic.chance(0.2):
        yield from adverse_event(clinic, "rash", 1, at=clinic.now)
    return False

"""After IL-2: topicals, months of maintenance, follow-up, and IL-2 once more."""

from __future__ import annotations

from engine.scenario import Telling
from workflows.intralesional_il2.scenario import chances
from workflows.intralesional_il2.scenario.clinic import SOFT, Clinic
from workflows.intralesional_il2.scenario.evaluation import evaluated
from workflows.intralesional_il2.scenario.measuring import blood
from workflows.intralesional_il2.scenario.toxicity import skin
from workflows.intralesional_il2.scenario.treatment import tested

CUTANEOUS = {"persistent": 2, "recurrent": 3, "new_cutaneous": 4}
DISTANT = {"lymph_node": 2, "visceral": 2, "brain": 1}
VISITS = 3
"""On average, before a clinician ends follow-up."""


def in_tail(clinic: Clinic) -> Telling[None]:
    """Three weeks of topicals, seen once a week."""
    yield from skin(clinic)
    if clinic.chance(chances.EXTENDED):
        seen = yield from clinic.says("extend_window", weeks=6)
        if seen.refused and clinic.chance(chances.OVERRIDES):
            seen = yield from clinic.says("extend_window", weeks=6, override=seen.kept_by)
        if not seen.refused:
            return
    if clinic.chance(0.15):
        yield from blood(clinic)
    if clinic.chance(0.01):
        yield from clinic.says("tail_completed")
    if clinic.chance(chances.TOPICALS_STOPPED):
        yield from clinic.says("topicals_stopped")
    yield from clinic.days_pass(6, 9)


def in_maintenance(clinic: Clinic) -> Telling[None]:
    """A month, with its week of topicals done or missed."""
    cycle = round(clinic.number("cycle") or 1)
    yield from clinic.days_pass(29, 32)
    if clinic.chance(chances.CYCLE_REPORTED):
        missed = clinic.chance(chances.CYCLE_MISSED)
        yield from clinic.says(
            "maintenance_cycle_reported",
            clinic.rng.choice(("patient", "nurse")),
            cycle=min(cycle, 12),
            outcome="missed" if missed else "completed",
            nights=clinic.rng.randint(0, 3) if missed else 7,
        )
    if cycle in (3, 6, 12):
        yield from _followed(clinic)
    if clinic.chance(0.1):
        yield from skin(clinic)
    if clinic.chance(chances.TOPICALS_STOPPED):
        yield from clinic.says("topicals_stopped")
    yield from _found(clinic)


def in_follow_up(clinic: Clinic) -> Telling[None]:
    """A visit every quarter, until a clinician ends follow-up."""
    yield from clinic.days_pass(80, 100)
    yield from _followed(clinic)
    yield from _found(clinic)
    if clinic.state == "follow_up" and clinic.chance(1 / VISITS):
        yield from clinic.says("follow_up_ended")


def restarting(clinic: Clinic) -> Telling[None]:
    """The refreshed baseline, and a test dose; or the restart is abandoned."""
    if clinic.chance(chances.RESTART_ABANDONED):
        yield from clinic.days_pass(3, 20)
        yield from clinic.says("restart_abandoned")
        return
    yield from evaluated(clinic, refreshed=True)
    if not (yield from tested(clinic)):
        yield from clinic.says("restart_abandoned")


def _followed(clinic: Clinic) -> Telling[None]:
    yield from clinic.says("follow_up_recorded", "nurse", alive=True, cutaneous_recurrence=False)
    response = clinic.drawn({"complete": 6, "partial": 3, "stable": 2, "progressive": 1})
    treated = clinic.patient.lesions
    yield from clinic.says(
        "response_recorded",
        response=response,
        treated_lesions=treated,
        regressed_lesions=treated if response == "complete" else treated // 2,
    )
    if clinic.chance(0.2):
        sites = clinic.rng.randint(1, 4)
        yield from clinic.says("biopsy_recorded", sites=sites, tumour_free=sites)


def _found(clinic: Clinic) -> Telling[None]:
    """A metastasis is found, and IL-2 is asked for once more where the clinician wants it."""
    months = 3 if clinic.state == "follow_up" else 1
    if clinic.chance(chances.DISTANT_PROGRESSION * months):
        kind = clinic.drawn(DISTANT)
        yield from clinic.says("lesion_finding_reported", finding=kind, count=1)
        if clinic.chance(0.3):
            # Distant alone enables nothing.
            yield from clinic.says("request_restart", finding="new_cutaneous")
    if clinic.chance(chances.NEW_LESION * months):
        kind = clinic.drawn(CUTANEOUS)
        yield from clinic.says(
            "lesion_finding_reported", finding=kind, count=clinic.rng.randint(1, 5)
        )
        if clinic.round <= chances.RESTARTS_AT_MOST and clinic.chance(0.8):
            yield from _asked_again(clinic, kind)


def _asked_again(clinic: Clinic, kind: str) -> Telling[None]:
    """A restart, with whatever its guards ask for."""
    passing: set[str] = set()
    for _ in range(4):
        seen = yield from clinic.says("request_restart", finding=kind, override=sorted(passing))
        if not seen.refused:
            return
        for guard in seen.kept_by:
            if guard == "E22_consult_after_severe_toxicity" and clinic.chance(0.8):
                yield from clinic.says("consult_recorded", specialty="neurology")
            elif guard == "E22_no_enzyme_rise_open":
                yield from clinic.says("echocardiogram_recorded", echocardiogram="no_dysfunction")
                yield from clinic.says("release_hold")
            elif guard in SOFT and clinic.chance(chances.OVERRIDES):
                passing.add(guard)
            else:
                return

"""Orders and injections: how a clinician words them, and what goes otherwise than ordered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from engine.core.encoding import Json
from engine.scenario import Seen, Telling
from workflows.intralesional_il2.scenario import chances
from workflows.intralesional_il2.scenario.clinic import SOFT, Clinic, of

MILLION = "M[IU]"
ATTEMPTS = 6

Mending = Callable[[Clinic, str], Telling[bool]]
"""Does what a guard asks for, and says whether there was anything to do."""


def ordered(
    clinic: Clinic,
    event: str,
    amount: float,
    *,
    mended: Mending,
    smaller: Callable[[Clinic, str, float], float | None],
) -> Telling[float | None]:
    """An order until it is granted, and for which amount; `None` when the clinician lets it be.

    What a guard asks for is done once. Where that does not help, or cannot be done, a smaller
    amount is tried, or a soft guard is passed with a reason.
    """
    tried: set[str] = set()
    passing: set[str] = set()
    for _ in range(ATTEMPTS):
        miscounted = clinic.chance(chances.SPLIT_MISCOUNTED)
        seen = yield from clinic.says(
            event,
            amount=of(amount, MILLION),
            split=divided(clinic, amount + (1 if miscounted else 0)),
            override=sorted(passing),
        )
        if not seen.refused:
            return amount
        if not seen.kept_by:
            return None
        for guard in seen.kept_by:
            if guard == "N10_split_adds_up" or guard in passing:
                continue
            if (less := smaller(clinic, guard, amount)) is not None:
                amount = less
            elif guard not in tried and (yield from mended(clinic, guard)):
                tried.add(guard)
            elif guard in SOFT and clinic.chance(chances.OVERRIDES):
                passing.add(guard)
            else:
                return None
    return None


def divided(clinic: Clinic, amount: float) -> list[Json]:
    """A dose divided among some of the lesions, in tenths."""
    tenths, lesions = round(amount * 10), min(clinic.patient.lesions, 4)
    share = tenths // lesions
    parts = [share] * (lesions - 1) + [tenths - share * (lesions - 1)]
    return [{"lesion": n, "amount": of(part / 10, MILLION)} for n, part in enumerate(parts, 1)]


def given(clinic: Clinic, amount: float) -> Telling[datetime]:
    """The injection, mostly as ordered; when it happened."""
    yield from clinic.waits(minutes=clinic.rng.randint(15, 50))
    given_at = clinic.now
    if clinic.chance(chances.ENTERED_LATE):
        yield from clinic.waits(minutes=clinic.rng.randint(40, 200))
    if clinic.chance(chances.DOSE_NOT_AS_ORDERED):
        amount = max(2, amount + clinic.rng.choice((-3, -1, 1, 4)))
    yield from _injected(clinic, amount, at=given_at)
    if clinic.chance(chances.DOSE_ENTERED_AFTER_A_LATER_ONE):
        yield from _injected(clinic, 7, at=given_at - timedelta(days=2))
    return given_at


def elsewhere(clinic: Clinic) -> Telling[None]:
    """An injection given by somebody who did not know where the course stands."""
    if clinic.chance(chances.DOSE_ELSEWHERE):
        yield from unordered(clinic, 7)


def unordered(clinic: Clinic, amount: float) -> Telling[datetime]:
    """An injection that nobody ordered: a report, so it is recorded, and reviewed."""
    yield from _injected(clinic, amount, at=clinic.now)
    return clinic.now


def cancelled(clinic: Clinic) -> Telling[Seen]:
    """An order is given up before anything was injected."""
    return (yield from clinic.says("order_cancelled", "nurse"))


def ladder(clinic: Clinic, last: float) -> float:
    """The next dose as a clinician chooses it: mostly the step that is suggested."""
    draw = clinic.rng.random()
    if draw < chances.UNREASONABLE_DOSE:
        return clinic.rng.choice((last + 8, 23, 24, 21.6))
    if draw < 0.60:
        return min(last + 3, 22)
    if draw < 0.85:
        return last
    if draw < 0.95:
        return min(last + clinic.rng.choice((1, 2, 5)), 22)
    return max(3, last - 3)


def lowered(clinic: Clinic, guard: str, amount: float) -> float | None:
    """The amount that a guard of the amount would let pass."""
    last = clinic.number("last_tolerated_dose") or 7
    if guard == "N11_dose_at_most_22":
        return min(22.0, last + 3)
    if guard == "N11_few_comorbidities_above_19":
        return 19.0
    if guard == "dose_step_at_most_5" and clinic.chance(0.6):
        return last + 3
    if guard == "E23_few_comorbidities_above_15" and clinic.chance(0.5):
        return 15.0
    if guard == "dose_not_above_tolerated_after_intolerance" and clinic.chance(0.7):
        return min(last, amount)
    return None


def _injected(clinic: Clinic, amount: float, *, at: datetime) -> Telling[Seen]:
    return (
        yield from clinic.says(
            "dose_given",
            "nurse",
            at=at,
            amount=of(amount, MILLION),
            split=divided(clinic, amount),
            lot=f"L{clinic.rng.randrange(1000, 9999)}",
        )
    )

"""Who is treated: what stays the same through a simulated course."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Self

from workflows.intralesional_il2.scenario import chances


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A constructed patient. `frailty` multiplies the chance of every toxicity."""

    stage: str
    lesions: int
    systolic: int
    heart_rate: int
    platelets: int
    creatinine: float
    few_comorbidities: bool
    relatively_healthy: bool
    complicated: bool
    antihypertensive: bool
    antiarrhythmic: bool
    raised_ldh: bool
    distant: bool
    platelets_fall: bool
    frailty: float

    @classmethod
    def drawn(cls, rng: Random) -> Self:
        """Somebody."""

        def yes(chance: float) -> bool:
            return rng.random() < chance

        antihypertensive = yes(chances.ANTIHYPERTENSIVE)
        return cls(
            stage=rng.choices(list(chances.STAGES), list(chances.STAGES.values()))[0],
            lesions=rng.randint(1, 9),
            systolic=rng.randint(96, 150),
            heart_rate=rng.randint(58, 88),
            platelets=rng.randint(160, 340),
            creatinine=rng.randint(6, 12) / 10,
            few_comorbidities=yes(chances.FEW_COMORBIDITIES),
            relatively_healthy=yes(chances.RELATIVELY_HEALTHY),
            complicated=yes(chances.MEDICALLY_COMPLICATED),
            antihypertensive=antihypertensive,
            antiarrhythmic=antihypertensive and yes(chances.ALSO_ANTIARRHYTHMIC),
            raised_ldh=yes(chances.RAISED_LDH),
            distant=yes(chances.DISTANT_AT_BASELINE),
            platelets_fall=yes(chances.FALLING_PLATELETS),
            frailty=rng.choice((0.5, 0.5, 1.0, 1.0, 1.0, 2.5)),
        )

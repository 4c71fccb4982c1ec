"""What would stop or hold IL-2, found before the first injection of a round: a consult first.

Each rule is the twin of one in `toxicity`. Nothing has been injected, so nothing is discontinued;
what nobody measured is no question here, since the evaluation asks for it by its items.
"""

from __future__ import annotations

from engine.core.definition import Advice, Guard, Rule
from engine.core.expression import Operand, Sent, all_of, any_of
from workflows.intralesional_il2 import inputs as i
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import toxicity
from workflows.intralesional_il2.chapter import Chapter
from workflows.intralesional_il2.conditions import YES, brought
from workflows.intralesional_il2.sources import decision
from workflows.intralesional_il2.states import PREPARING

_ELEVATED_BEFORE = any_of(
    all_of(brought(i.troponin), i.troponin > i.troponin_upper_limit),
    all_of(brought(i.ck_mb), i.ck_mb > i.ck_mb_upper_limit),
    all_of(brought(i.cardiac_enzymes), i.cardiac_enzymes.one_of("elevated", "elevated_falling")),
)


def _before(guard: Guard, name: str, condition: Operand) -> Guard:
    return Guard(
        name=f"{name}_before_il2",
        condition=condition.tree(),
        title=f"Before the first injection: {guard.title}",
        cite=guard.cite,
    )


BEFORE = (
    _before(toxicity.N05, "N05_creatinine_above_3",
            all_of(brought(i.creatinine), i.creatinine > p.creatinine_limit)),
    _before(toxicity.N06, "N06_platelets_below_30",
            all_of(brought(i.platelets), i.platelets < p.platelet_limit)),
    _before(toxicity.E01_ON_ECG, "E01_svt_or_af_on_ecg",
            all_of(brought(i.rhythm), i.rhythm.one_of(*toxicity.FAST_RHYTHMS))),
    _before(toxicity.E03_ELEVATED, "E03_cardiac_enzymes_elevated", _ELEVATED_BEFORE),
    _before(toxicity.E03_DYSFUNCTION, "E03_myocardial_dysfunction",
            all_of(brought(i.echocardiogram), i.echocardiogram.is_("dysfunction"))),
)  # fmt: skip
BEFORE_REPORTED = (
    _before(
        toxicity.E01_REPORTED, "E01_svt_or_af_reported", Sent("term").one_of(*toxicity.ARRHYTHMIAS)
    ),
    _before(toxicity.E02, "E02_neurotoxicity_reported", Sent("term").one_of(*toxicity.NEUROTOXIC)),
)

CHAPTER = Chapter(
    guards=(*BEFORE, *BEFORE_REPORTED),
    rules=(
        *(
            Rule(
                guard=guard.name,
                action="consult",
                places=PREPARING,
                updates={"consult_needed": YES},
                advice=("consult_before_il2",),
            )
            for guard in BEFORE
        ),
        *(
            Rule(
                guard=guard.name,
                action="consult",
                places=PREPARING,
                events=toxicity.AT_EVENTS,
                updates={"consult_needed": YES},
                advice=("consult_before_il2",),
            )
            for guard in BEFORE_REPORTED
        ),
    ),
    advice=(
        Advice(
            name="consult_before_il2",
            text="A finding that would stop IL-2 is present before the first injection: consult "
            "before starting.",
            cite=decision("7.34", "Before the first injection a stop rule means consult."),
        ),
    ),
)

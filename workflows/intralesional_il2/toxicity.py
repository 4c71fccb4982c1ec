"""The rules that discontinue or hold IL-2, in every state from the first injection on.

- While IL-2 is given they move the course. Afterwards they are recorded, advise, and leave a flag
  that a restart must override.
- Before the first injection of a round they mean a consult: each has a twin in `before_il2`.
- They watch readings and what is reported alike, and act whatever the time of what they learn.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from engine.core.definition import Advice, Citation, Guard, Input, Rule
from engine.core.expression import (
    Constant,
    Expression,
    LatestDay,
    Now,
    Operand,
    Sent,
    Sustained,
    Today,
    Total,
    Truth,
    all_of,
    any_of,
    choose,
    greatest,
    hours,
    lift,
)
from workflows.intralesional_il2 import inputs as i
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter
from workflows.intralesional_il2.conditions import (
    BEING_TREATED,
    DATED,
    HORIZON,
    RHYTHM_WHILE_FAST,
    TOXIC,
    UNSET,
    VOID,
    YES,
    brought,
    first,
    since_injection,
    taken_since_injection,
    watched,
    watched_window,
)
from workflows.intralesional_il2.sources import decision, table_3
from workflows.intralesional_il2.states import AFTER_FIRST_INJECTION

SVT_STOPS = table_3(
    "Supraventricular tachycardia (including atrial fibrillation)", "Discontinue IL-2 therapy"
)
NEURO_STOPS = table_3("Neurotoxicity (i.e. confusion, delirium)", "Discontinue IL-2 therapy.")
ENZYMES_HOLD = table_3(
    "Elevated Cardiac Enzymes",
    "Discontinue IL-2 therapy until echocardiogram has ruled out myocardial dysfunction",
)
URINE_STOPS = table_3(
    "Acute Kidney Injury or Oliguria",
    "If urine output is sustained at < 10 mL/h or creatinine > 3 mg/dl, discontinue IL-2 therapy.",
)
FAST_RHYTHMS = ("atrial_fibrillation", "atrial_flutter", "supraventricular_tachycardia")
ARRHYTHMIAS = ("supraventricular_tachycardia", "atrial_fibrillation")
NEUROTOXIC = ("confusion", "delirium", "encephalopathy", "other_neurotoxicity")
AT_EVENTS = ("adverse_event_reported",)
_DAY = timedelta(days=1)
_ONCE = Constant(Decimal(1))


def _stop(code: str, *, consult: bool = False) -> Mapping[str, Expression]:
    """What a stop rule leaves behind; the first one of a round gives its name."""
    updates: dict[str, Expression] = {
        **VOID,
        "stopped_by": first(v.stopped_by, code),
        # Of an adopted course nobody may have said how often; from now on it is at least once.
        "stop_rules_fired": choose(v.stop_rules_fired.known(), v.stop_rules_fired + 1, _ONCE),
        "stop_rule_ever": YES,
        "stop_rule_open": YES,
        **TOXIC,
        # The decision is of the day on which the reason is learnt, however old that is.
        "il2_over_on": first(v.il2_over_on, choose(DATED, LatestDay(), UNSET)),
        "il2_ended_by": first(v.il2_ended_by, "stop_rule"),
        "phase": choose(BEING_TREATED, Constant("discontinued"), v.phase.tree()),
    }
    if consult:
        updates["consult_needed"] = YES
    return updates


def _reported(*terms: str) -> Expression:
    return Sent("term").one_of(*terms)


def _new_rise(value: Input, limit: Input, floor: Operand) -> Expression:
    """Above the limit that came with it; after a release, only when it rises again."""
    return all_of(
        value > limit.between(value.taken_at, horizon=HORIZON),
        any_of(
            ~v.enzymes_cleared_at.known(),
            all_of(
                value.taken_at > v.enzymes_cleared_at,
                _above_floor(value, floor),
            ),
        ),
    )


def _above_floor(value: Input, floor: Operand) -> Expression:
    return choose(floor.tree().known(), value > floor.tree(), Constant(value=True))


def _urine(op: str, span: Expression, few: Truth) -> Expression:
    """The total over a span that ends with the latest reading, against the limit of the whole."""
    return Total(
        "urine_output", op, p.urine_limit.tree(), span, HORIZON, few, few,
        since=v.first_injection_at.tree(),
    )  # fmt: skip


_ELEVATED = any_of(
    since_injection(i.troponin, _new_rise(i.troponin, i.troponin_upper_limit, v.troponin_floor)),
    since_injection(i.ck_mb, _new_rise(i.ck_mb, i.ck_mb_upper_limit, v.ck_mb_floor)),
    since_injection(
        i.cardiac_enzymes,
        all_of(
            i.cardiac_enzymes.one_of("elevated", "elevated_falling"),
            any_of(
                ~v.enzymes_cleared_at.known(),
                all_of(
                    i.cardiac_enzymes.taken_at > v.enzymes_cleared_at,
                    i.cardiac_enzymes.is_("elevated"),
                ),
            ),
        ),
    ),
    # Without any of the three since the first injection, while IL-2 is given, it is unknown.
    all_of(
        BEING_TREATED,
        ~taken_since_injection(i.troponin),
        ~taken_since_injection(i.ck_mb),
        ~taken_since_injection(i.cardiac_enzymes),
        i.cardiac_enzymes.between(v.first_injection_at, horizon=HORIZON).is_("elevated"),
    ),
)
N01 = Guard(
    name="N01_sinus_tachycardia_sustained",
    condition=all_of(
        v.causes_corrected_at.known(),
        Sustained(
            "heart_rate", ">", p.heart_rate_limit.tree(), p.heart_rate_count.tree(),
            p.heart_rate_span.tree(), _DAY, Truth.NO, Truth.NO, since=v.causes_corrected_at.tree(),
        ),
        RHYTHM_WHILE_FAST.is_("sinus"),
    ),
    title="Sinus tachycardia above 130, sustained after causes were corrected",
    cite=table_3("Sinus tachycardia", "If sustained (>130 beats per minute despite correction of "
                 "possible underlying etiologies), discontinue IL-2"),
)  # fmt: skip
N04 = Guard(
    name="N04_urine_below_10_sustained",
    condition=watched_window(i.urine_output, _DAY, all_of(
        # Enough within a part of the span is enough, whatever is not known of the rest.
        *(~_urine(">=", lift(hours(span)), Truth.NO) for span in (1, 2, 4)),
        _urine("<", p.urine_span.tree(), Truth.UNKNOWN),
    )),
    title="Urine below 10 mL an hour, sustained: below 80 mL in 8 hours, completely covered",
    cite=URINE_STOPS,
)  # fmt: skip
N05 = Guard(
    name="N05_creatinine_above_3",
    condition=watched(i.creatinine, lambda reading: reading > p.creatinine_limit),
    title="Creatinine above 3 mg/dL; once is enough",
    cite=URINE_STOPS,
)
N06 = Guard(
    name="N06_platelets_below_30_sustained",
    condition=watched_window(i.platelets, HORIZON, Sustained(
        "platelets", "<", p.platelet_limit.tree(), p.platelet_count.tree(),
        p.platelet_span.tree(), HORIZON, Truth.UNKNOWN, Truth.NO,
        since=v.first_injection_at.tree(),
    )),
    title="Platelets below 30, sustained",
    cite=table_3("Thrombocytopenia", "Discontinue IL-2 therapy if platelet count sustained at "
                 "<30,000 mm3"),
)  # fmt: skip
E01_ON_ECG = Guard(
    name="E01_svt_or_af_on_ecg",
    condition=watched(i.rhythm, lambda reading: reading.one_of(*FAST_RHYTHMS)),
    title="Supraventricular tachycardia or atrial fibrillation, at any rate",
    cite=SVT_STOPS,
)
E01_REPORTED = Guard(
    name="E01_svt_or_af_reported",
    condition=_reported(*ARRHYTHMIAS),
    title="Supraventricular tachycardia or atrial fibrillation reported",
    cite=SVT_STOPS,
)
E02 = Guard(
    name="E02_neurotoxicity_reported",
    condition=_reported(*NEUROTOXIC),
    title="Neurotoxicity, at any grade",
    cite=NEURO_STOPS,
)
E03_DYSFUNCTION = Guard(
    name="E03_myocardial_dysfunction",
    condition=since_injection(i.echocardiogram, i.echocardiogram.is_("dysfunction")),
    title="Myocardial dysfunction on echocardiogram",
    cite=decision("7.17", "Dysfunction on the echocardiogram discontinues IL-2."),
)
E03_ELEVATED = Guard(
    name="E03_cardiac_enzymes_elevated",
    condition=_ELEVATED,
    title="Cardiac enzymes above the laboratory's own limit, or coded so; after a release, risen",
    cite=ENZYMES_HOLD,
)


_HELD_ALREADY = all_of(v.enzyme_hold_open.known(), v.enzyme_hold_open, v.enzyme_rise_at.known())


def _rose_again(value: Input, limit: Input, floor: Operand) -> Expression:
    """During a hold, above its limit and above what it had fallen to."""
    return all_of(
        brought(value),
        brought(limit),
        value.taken_at > v.enzyme_rise_at,
        value > limit.between(value.taken_at, horizon=HORIZON),
        _above_floor(value, floor),
    )


_TROPONIN_AGAIN = _rose_again(i.troponin, i.troponin_upper_limit, v.troponin_floor)
_CK_MB_AGAIN = _rose_again(i.ck_mb, i.ck_mb_upper_limit, v.ck_mb_floor)


def _floor(value: Input, floor: Operand, again: Expression) -> Expression:
    """What a later value is held against: the value of the rise, and what it fell to since."""
    return choose(all_of(_HELD_ALREADY, floor.tree().known(), ~again), floor.tree(), value.tree())


_HELD: Mapping[str, Expression] = {
    **VOID,
    "enzyme_hold_open": YES,
    # The echocardiogram must be later than the last rise; values that go on falling are none.
    "enzyme_rise_at": choose(
        _HELD_ALREADY,
        choose(
            any_of(_TROPONIN_AGAIN, _CK_MB_AGAIN),
            greatest(v.enzyme_rise_at, Now()),
            v.enzyme_rise_at.tree(),
        ),
        Now(),
    ),
    "troponin_floor": _floor(i.troponin, v.troponin_floor, _TROPONIN_AGAIN),
    "ck_mb_floor": _floor(i.ck_mb, v.ck_mb_floor, _CK_MB_AGAIN),
    "enzymes_due_at": Now() + p.enzyme_interval,
    "enzymes_taken_on": choose(
        v.enzymes_taken_on.known(), greatest(v.enzymes_taken_on, Today()), Today()
    ),
    "hold_since_tolerated": YES,
    "topical_nights": choose(
        any_of(p.topicals_on_hold, v.topical_mode.is_not("treatment")),
        v.topical_nights.tree(),
        Constant(Decimal(0)),
    ),
}


def _d(
    guard: Guard,
    code: str,
    *advice: str,
    events: tuple[str, ...] = (),
    consult: bool = False,
) -> Rule:
    return Rule(
        guard=guard.name,
        action="discontinue",
        places=AFTER_FIRST_INJECTION,
        events=events,
        updates=_stop(code, consult=consult),
        advice=(*advice, "D_discontinue"),
    )


def _text(name: str, text: str, cite: Citation) -> Advice:
    return Advice(name=name, text=text, cite=cite)


CHAPTER = Chapter(
    guards=(
        N01,
        N04,
        N05,
        N06,
        E01_ON_ECG,
        E01_REPORTED,
        E02,
        E03_DYSFUNCTION,
        E03_ELEVATED,
    ),
    rules=(
        _d(N01, "N01", "N01_evaluate"),
        _d(N04, "N04", "E12_kidney"),
        _d(N05, "N05", "E12_kidney"),
        _d(N06, "N06"),
        _d(E01_ON_ECG, "E01", "N02_fast_svt"),
        _d(E01_REPORTED, "E01", "N02_fast_svt", events=AT_EVENTS),
        _d(E02, "E02", events=AT_EVENTS, consult=True),
        _d(E03_DYSFUNCTION, "E03", "E03_myocarditis", consult=True),
        Rule(
            guard=E03_ELEVATED.name,
            action="hold",
            places=AFTER_FIRST_INJECTION,
            updates=_HELD,
            advice=("E03_hold", "E03_myocarditis"),
        ),
    ),
    advice=(
        _text(
            "D_discontinue",
            "Discontinue IL-2. A restart in a later round needs an override with a reason. A "
            "clinician decides whether tail and maintenance of the topicals go on.",
            decision("7.16", "A discontinuation holds for the round; the paper names lesions, not "
                     "toxicity, as reasons to restart."),
        ),
        _text(
            "E03_hold",
            "Hold IL-2 until an echocardiogram rules out myocardial dysfunction. Electrocardiogram "
            "now, cardiac enzymes every 8 hours.",
            ENZYMES_HOLD,
        ),
        _text(
            "E03_myocarditis",
            "Consider a cardiology consult for evaluation of myocarditis.",
            table_3(
                "Elevated Cardiac Enzymes",
                "Consider cardiology consult for evaluation of myocarditis",
            ),
        ),
    ),
)  # fmt: skip

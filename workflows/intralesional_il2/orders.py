"""Supportive treatment: what is ordered is checked against Table 3, what was given is recorded.

Limits that the table calls limits are firm, except resuscitation fluid, which is never refused for
a hypotensive patient. Doses and rates outside the printed range may be ordered with a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.core.definition import (
    ANYWHERE,
    Advice,
    Citation,
    Event,
    Field,
    Guard,
    Kind,
    Requirement,
    Rule,
    Transition,
    Variable,
)
from engine.core.expression import (
    Expression,
    Liftable,
    Now,
    Operand,
    Sent,
    Today,
    all_of,
    any_of,
    choose,
    greatest,
    hours,
)
from engine.core.quantity import q
from workflows.intralesional_il2 import inputs as i
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, hard, soft
from workflows.intralesional_il2.conditions import (
    AFTER_LAST_DOSE,
    HYPOTENSIVE,
    PRESSURE_NOW,
    TOXIC,
    brought,
)
from workflows.intralesional_il2.management import EDEMA, FEVER, KIDNEY, NAUSEA
from workflows.intralesional_il2.sources import inferred, table_3
from workflows.intralesional_il2.states import DECIDERS, OPEN, STAFF

RATE = "ug/kg/min"
FLUID = table_3("Hypotension", "Fluid resuscitation (limit to 1-1.5L) to meet blood pressure goals")
PHENYLEPHRINE = table_3(
    "Hypotension",
    "Administer phenylephrine 0.1-2.0 mcg/kg/min if fluid administration is insufficient to "
    "increase blood pressure.",
)
LOPERAMIDE = table_3("Diarrhea", "loperamide 2 mg- 4 mg (do not exceed 16mg/day)")
DAILY = inferred("General knowledge", "Acetaminophen: at most 4 g a day.")


def _between(name: str, low: Liftable, high: Liftable) -> Expression:
    return all_of(Sent(name) >= low, Sent(name) <= high)


def _guard(name: str, title: str, condition: Operand, cite: Citation) -> Guard:
    return Guard(name=name, condition=condition.tree(), title=title, cite=cite)


def _of_today(on: Variable, total: Variable, dose: str) -> Expression:
    """The amount of the day with one more dose."""
    return choose(all_of(on.known(), on.is_(Today())), total + Sent(dose), Sent(dose))


def _counted(on: Variable, total: Variable, of_today: Expression) -> tuple[Expression, Expression]:
    """Total and date after a dose; one of an earlier day, entered late, leaves both."""
    later = all_of(on.known(), Today() < on)
    return choose(later, total.tree(), of_today), choose(later, on.tree(), Today())


_loperamide_today = _of_today(v.loperamide_on, v.loperamide_total, "dose")
_acetaminophen_today = _of_today(v.acetaminophen_on, v.acetaminophen_total, "dose")
_loperamide = _counted(v.loperamide_on, v.loperamide_total, _loperamide_today)
_acetaminophen = _counted(v.acetaminophen_on, v.acetaminophen_total, _acetaminophen_today)

N12_LIMIT = _guard(
    "N12_fluid_at_most_1_5_L", "At most 1.5 L in the episode, unless hypotensive",
    any_of(
        HYPOTENSIVE,
        # Where no goal is frozen, or nobody attested one: at or below the lowest of them.
        all_of(brought(i.systolic), i.systolic <= p.goal_low),
        v.fluid_total + Sent("volume") <= p.fluid_limit,
    ),
    FLUID,
)  # fmt: skip
N13_DAY = _guard(
    "N13_loperamide_at_most_16_mg_a_day", "At most 16 mg of loperamide a day",
    _loperamide_today <= q("16", "mg"), LOPERAMIDE,
)  # fmt: skip
N13_DOSE = _guard(
    "N13_loperamide_2_to_4_mg", "Loperamide 2 to 4 mg",
    _between("dose", q("2", "mg"), q("4", "mg")), LOPERAMIDE,
)  # fmt: skip
N14 = _guard(
    "N14_phenylephrine_0_1_to_2", "Phenylephrine 0.1 to 2.0 micrograms/kg/min",
    _between("rate", q("0.1", RATE), q("2.0", RATE)), PHENYLEPHRINE,
)  # fmt: skip
N15 = _guard(
    "N15_dopamine_2", "Dopamine 2 micrograms/kg/min",
    Sent("rate").is_(q("2", RATE)), KIDNEY,
)  # fmt: skip
N16 = _guard(
    "N16_ondansetron_4_to_8_mg", "Ondansetron 4 to 8 mg, 8 hours apart",
    all_of(_between("dose", q("4", "mg"), q("8", "mg")),
           any_of(~Sent("hours_between").known(), Sent("hours_between") >= 8)), NAUSEA,
)  # fmt: skip
N17_DOSE = _guard(
    "N17_acetaminophen_325_to_650_mg", "Acetaminophen 325 to 650 mg, at least 4 hours apart",
    all_of(Sent("dose") >= q("325", "mg"), Sent("dose") <= p.acetaminophen_dose,
           any_of(~Sent("hours_between").known(), Sent("hours_between") >= 4)), FEVER,
)  # fmt: skip
N17_DAY = _guard(
    "N17_acetaminophen_at_most_4_g_a_day", "At most 4 g of acetaminophen a day",
    _acetaminophen_today <= q("4000", "mg"), DAILY,
)  # fmt: skip
N17_APART = _guard(
    "N17_acetaminophen_4_hours_apart", "At least 4 hours since acetaminophen was last given",
    any_of(~v.acetaminophen_at.known(), Now() - v.acetaminophen_at >= hours(4)), FEVER,
)  # fmt: skip
N18_FUROSEMIDE = _guard("N18_furosemide_80_mg", "Furosemide at most 80 mg",
                        Sent("dose") <= q("80", "mg"), EDEMA)  # fmt: skip
N18_MORPHINE = _guard("N18_morphine_1_to_3_mg", "Morphine 1 to 3 mg",
                      _between("dose", q("1", "mg"), q("3", "mg")), EDEMA)  # fmt: skip
N18_NITROGLYCERIN = _guard(
    "N18_nitroglycerin_5_to_200", "Nitroglycerin 5 to 200 micrograms a minute",
    _between("rate", q("5", "ug/min"), q("200", "ug/min")), EDEMA,
)  # fmt: skip
E10_NOT_HYPOTENSIVE = _guard(
    "E10_not_hypotensive", "The pressure of the last hour is above the goal",
    v.pressure_goal < PRESSURE_NOW, EDEMA,
)  # fmt: skip
E10_EDEMA = _guard(
    "E10_pulmonary_edema_present", "Pulmonary edema is documented", i.pulmonary_edema.tree(), EDEMA
)
E07_STEROID = _guard("E07_no_steroid", "No steroid", ~Sent("steroid"), NAUSEA)
E17_ALCOHOL = _guard(
    "E17_no_alcohol_on_skin", "No alcohol-based product on the skin",
    any_of(Sent("purpose").is_not("skin"), ~Sent("alcohol_based")),
    table_3("Rash or Pruritus", "Avoid steroid or alcohol based medications and lotions."),
)  # fmt: skip
E17_STEROID = _guard(
    "E17_no_steroid_on_skin", "No steroid on the skin",
    any_of(Sent("purpose").is_not("skin"), ~Sent("steroid")),
    table_3("Rash or Pruritus", "Avoid steroid or alcohol based medications and lotions."),
)  # fmt: skip

N12_ORDERED_ABOVE_1 = _guard(
    "N12_fluid_ordered_above_1_L", "More than 1 L of fluid with this order",
    v.fluid_total + Sent("volume") > p.fluid_warning, FLUID,
)  # fmt: skip
N12_ORDERED_ABOVE_1_5 = _guard(
    "N12_fluid_ordered_above_1_5_L", "More than 1.5 L of fluid with this order",
    v.fluid_total + Sent("volume") > p.fluid_limit, FLUID,
)  # fmt: skip
N12_GIVEN_ABOVE_1 = _guard(
    "N12_fluid_given_above_1_L", "More than 1 L of fluid given",
    v.fluid_total > p.fluid_warning, FLUID,
)  # fmt: skip
N12_GIVEN_ABOVE_1_5 = _guard(
    "N12_fluid_given_above_1_5_L", "More than 1.5 L of fluid given",
    v.fluid_total > p.fluid_limit, FLUID,
)  # fmt: skip

_VOLUME = Field(name="volume", kind="quantity", unit="L", required=True, low=Decimal(0))
_DOSE = Field(name="dose", kind="quantity", unit="mg", required=True, low=Decimal(0))
_RATE = Field(name="rate", kind="quantity", unit=RATE, required=True, low=Decimal(0))
_HOURS = Field(name="hours_between", kind="number", low=Decimal(0), title="Hours between doses")
_FLOW = Field(name="rate", kind="quantity", unit="ug/min", required=True, low=Decimal(0))
_YES_NO = tuple(
    Field(name=name, kind="yesno", required=True) for name in ("steroid", "alcohol_based")
)
_PURPOSE = Field(name="purpose", kind="code", codes=("nausea", "skin", "other"), required=True)
_DRUG = Field(name="drug", kind="text")

_ORDERS: Mapping[str, tuple[str, tuple[Field, ...], tuple[Requirement, ...]]] = {
    "order_fluid": ("Resuscitation fluid", (_VOLUME,), soft(N12_LIMIT)),
    "order_loperamide": ("Loperamide", (_DOSE,), (*hard(N13_DAY), *soft(N13_DOSE))),
    "order_phenylephrine": ("Phenylephrine", (_RATE,), soft(N14)),
    "order_dopamine": ("Dopamine", (_RATE,), soft(N15)),
    "order_ondansetron": ("Ondansetron", (_DOSE, _HOURS), soft(N16)),
    "order_acetaminophen": (
        "Acetaminophen", (_DOSE, _HOURS), (*hard(N17_DAY), *soft(N17_DOSE, N17_APART))
    ),
    "order_furosemide": (
        "Furosemide", (_DOSE,), (*hard(E10_NOT_HYPOTENSIVE), *soft(N18_FUROSEMIDE, E10_EDEMA))
    ),
    "order_morphine": (
        "Morphine", (_DOSE,), (*hard(E10_NOT_HYPOTENSIVE), *soft(N18_MORPHINE, E10_EDEMA))
    ),
    "order_nitroglycerin": (
        "Nitroglycerin", (_FLOW,),
        (*hard(E10_NOT_HYPOTENSIVE), *soft(N18_NITROGLYCERIN, E10_EDEMA)),
    ),
    "order_medication": (
        "Another medication", (_PURPOSE, *_YES_NO, _DRUG),
        soft(E07_STEROID, E17_STEROID, E17_ALCOHOL),
    ),
}  # fmt: skip


def _given(
    name: str, title: str, fields: tuple[Field, ...], updates: Mapping[str, Expression]
) -> Event:
    return Event(
        name=name, kind=Kind.REPORT, roles=STAFF, fields=fields, updates=updates, title=title
    )


_GIVEN = (
    _given("fluid_given", "Resuscitation fluid given", (_VOLUME,),
           {"fluid_total": v.fluid_total + Sent("volume")}),
    _given("loperamide_given", "Loperamide given", (_DOSE,),
           {"loperamide_total": _loperamide[0], "loperamide_on": _loperamide[1]}),
    _given("acetaminophen_given", "Acetaminophen given", (_DOSE,),
           {"acetaminophen_total": _acetaminophen[0], "acetaminophen_on": _acetaminophen[1],
            "acetaminophen_at": choose(v.acetaminophen_at.known(),
                                       greatest(v.acetaminophen_at, Now()), Now())}),
    _given("vasopressor_given", "Vasopressor given",
           (Field(name="drug", kind="code", codes=("phenylephrine", "dopamine", "other"),
                  required=True),
            Field(name="rate", kind="quantity", unit=RATE, low=Decimal(0))),
           {"vasopressor_since_dose": any_of(v.vasopressor_since_dose, AFTER_LAST_DOSE),
            **TOXIC}),
    _given("treatment_given", "Other treatment given",
           (Field(name="kind", kind="code", required=True,
                  codes=("oxygen", "catheter", "transfusion", "diuretic", "morphine",
                         "nitroglycerin", "ondansetron", "h2_blocker", "antihistamine",
                         "emollient", "antibiotic", "compression_stockings", "other")),
            Field(name="detail", kind="text")), {}),
)  # fmt: skip

CHAPTER = Chapter(
    events=(
        *(
            Event(
                name=name,
                kind=Kind.REQUEST,
                roles=DECIDERS,
                fields=fields,
                max_age=hours(24),
                title=title,
            )
            for name, (title, fields, _) in _ORDERS.items()
        ),
        *_GIVEN,
    ),
    guards=(
        N12_LIMIT,
        N13_DAY,
        N13_DOSE,
        N14,
        N15,
        N16,
        N17_DOSE,
        N17_DAY,
        N17_APART,
        N18_FUROSEMIDE,
        N18_MORPHINE,
        N18_NITROGLYCERIN,
        E10_NOT_HYPOTENSIVE,
        E10_EDEMA,
        E07_STEROID,
        E17_ALCOHOL,
        E17_STEROID,
        N12_ORDERED_ABOVE_1,
        N12_ORDERED_ABOVE_1_5,
        N12_GIVEN_ABOVE_1,
        N12_GIVEN_ABOVE_1_5,
    ),
    transitions=(
        *(
            Transition(name=name, event=name, sources=OPEN, requires=requires)
            for name, (_, _, requires) in _ORDERS.items()
        ),
        *(Transition(name=event.name, event=event.name, sources=(ANYWHERE,)) for event in _GIVEN),
    ),
    rules=(
        *(
            Rule(guard=guard.name, action="advise", events=(event,), advice=(advice,))
            for guard, event, advice in (
                (N12_ORDERED_ABOVE_1, "order_fluid", "N12_above_1_L"),
                (N12_ORDERED_ABOVE_1_5, "order_fluid", "N12_above_1_5_L"),
                (N12_GIVEN_ABOVE_1, "fluid_given", "N12_above_1_L"),
                (N12_GIVEN_ABOVE_1_5, "fluid_given", "N12_above_1_5_L"),
            )
        ),
    ),
    advice=(
        Advice(
            name="N12_above_1_L",
            text="More than 1 L of fluid: beware of edema of the lungs; consider a vasopressor.",
            cite=p.FLUID,
        ),
        Advice(
            name="N12_above_1_5_L",
            text="More than 1.5 L of fluid, the limit: strong warning. Further fluid only for a "
            "hypotensive patient; prefer a vasopressor.",
            cite=p.FLUID,
        ),
    ),
)

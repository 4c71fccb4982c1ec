"""What a first injection asks of the baseline: one guard for each item.

So one item may be passed with a reason, a brain MRI that is contraindicated for instance, without
passing the others. An item that was never recorded leaves its guard unknown, and is named.
"""

from __future__ import annotations

from engine.core.definition import Guard, Input, Rule
from engine.core.expression import Expression, Operand, Today, all_of, any_of, choose
from workflows.intralesional_il2 import inputs as i
from workflows.intralesional_il2 import parameters as p
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.baseline import CO_MANAGE, EVALUATION, VITILIGO
from workflows.intralesional_il2.chapter import Chapter
from workflows.intralesional_il2.conditions import brought, present, today
from workflows.intralesional_il2.sources import (
    BASELINE,
    PRESSURE_GOALS,
    decision,
    inferred,
    local,
    paper,
)
from workflows.intralesional_il2.states import PREPARING

RESTARTING = v.restart_requested_at.known()
IMAGING = paper(
    BASELINE,
    "Imaging is necessary to screen for visceral and CNS metastases, which would lessen the "
    "enthusiasm for therapy with intralesional IL-2.",
)


def _refreshed(source: Input) -> Expression:
    """Recorded, and at a restart recorded anew."""
    return all_of(present(source), any_of(~RESTARTING, source.taken_at >= v.restart_requested_at))


def _of_last_days(source: Input, days: Operand) -> Expression:
    return Today() - source.taken_on <= days


_IMAGING_DAYS = choose(RESTARTING, p.restart_imaging_days, p.imaging_days)


def _item(name: str, title: str, condition: Operand) -> Guard:
    return Guard(name=f"E18_{name}", condition=condition.tree(), title=title, cite=EVALUATION)


ITEMS = (
    _item("physical_examination", "Physical examination is recorded",
          all_of(i.physical_examination, _refreshed(i.physical_examination))),
    _item("lymph_nodes", "Lymph nodes are examined",
          all_of(i.lymph_nodes_examined, _refreshed(i.lymph_nodes_examined))),
    _item("vital_signs", "Pressure, heart rate and temperature are of the same day",
          all_of(today(i.systolic), today(i.heart_rate), today(i.temperature))),
    _item("complete_blood_count", "Complete blood count is recorded and valid",
          all_of(i.complete_blood_count, _of_last_days(i.complete_blood_count, p.labs_days),
                 _of_last_days(i.platelets, p.labs_days))),
    _item("metabolic_panel", "Complete metabolic panel is recorded and valid",
          all_of(i.metabolic_panel, _of_last_days(i.metabolic_panel, p.labs_days),
                 _of_last_days(i.creatinine, p.labs_days))),
    _item("lactate_dehydrogenase", "LDH is recorded and valid",
          any_of(_of_last_days(i.ldh, p.labs_days), _of_last_days(i.ldh_level, p.labs_days))),
    _item("ecog", "ECOG status is recorded", _refreshed(i.ecog)),
    _item("pet_ct", "Whole-body PET/CT is recorded and valid",
          _of_last_days(i.visceral_metastasis, _IMAGING_DAYS)),
    _item("brain_mri", "Brain MRI is recorded and valid",
          _of_last_days(i.cns_metastasis, _IMAGING_DAYS)),
    _item("medications", "Medications are reviewed the same day",
          all_of(i.medications, today(i.medications))),
    _item("photographs", "Lesions to be treated are photographed",
          all_of(i.photographs, _refreshed(i.photographs))),
    _item("lesions_listed", "Lesions to be treated are listed", v.lesion_count >= 1),
)  # fmt: skip

STAGE = Guard(
    name="stage_IIIC_or_IV_M1a",
    condition=i.disease_stage.one_of("IIIC", "IV_M1a"),
    title="Stage IIIC or IV M1a",
    cite=paper(
        "Conclusion",
        "Intralesional IL-2 therapy should be considered for Stage IIIc and IV M1a melanoma.",
    ),
)
LDH = Guard(
    name="LDH_not_raised_at_IV_M1a",
    condition=any_of(
        i.disease_stage.is_not("IV_M1a"),
        # What a clinician said of an older value says nothing of a newer one.
        choose(
            all_of(
                i.ldh_level.known(),
                any_of(~i.ldh.known(), i.ldh_level.taken_at >= i.ldh.taken_at),
            ),
            i.ldh_level.is_("normal"),
            i.ldh <= i.ldh_upper_limit,
        ),
    ),
    title="LDH is not raised at stage IV M1a",
    cite=decision(
        "7.32",
        "In the staging of that date (AJCC 7) any distant metastasis with raised LDH is M1c; a "
        "raised LDH is therefore asked about.",
    ),
)
E19_VISCERAL = Guard(
    name="E19_no_visceral_metastasis",
    condition=i.visceral_metastasis.is_(False),  # the value compared with
    title="No visceral metastasis on imaging",
    cite=IMAGING,
)
E19_CNS = Guard(
    name="E19_no_cns_metastasis",
    condition=i.cns_metastasis.is_(False),  # the value compared with
    title="No brain metastasis on imaging",
    cite=IMAGING,
)
E20 = Guard(
    name="E20_co_management_if_complicated",
    condition=any_of(~v.medically_complicated, v.co_managed),
    title="A medically complicated patient is co-managed",
    cite=CO_MANAGE,
)
E27 = Guard(
    name="E27_vitiligo_counselled",
    condition=v.vitiligo_counselled.tree(),
    title="Counselled about vitiligo",
    cite=VITILIGO,
)
PRESSURE = Guard(
    name="baseline_pressure_above_80",
    condition=i.systolic > p.goal_low,
    title="The pressure at rest is above the lowest goal",
    cite=inferred(
        PRESSURE_GOALS.source, "At 80 or below no goal can be met at rest: consult, do not start."
    ),
)
# Same-day values and symptoms must make sense before a dose; what is impossible is named.
PLAUSIBLE = Guard(
    name="no_implausible_value",
    condition=all_of(
        *(
            any_of(~source.taken_at.known(), source.known())
            for source in (
                i.systolic, i.heart_rate, i.temperature, i.spo2, i.platelets, i.hematocrit,
                i.creatinine, i.troponin, i.ck_mb,
            )
        )
    ),
    title="No latest value is physically impossible",
    cite=local("What is physically impossible was mistyped, and may hide a value that must act."),
)  # fmt: skip

SOFT_AT_BASELINE = (*ITEMS, STAGE, LDH, E19_VISCERAL, E19_CNS, E20, E27, PRESSURE)

_E19_FOUND = Guard(
    name="E19_metastasis_on_imaging",
    condition=any_of(
        all_of(brought(i.visceral_metastasis), i.visceral_metastasis),
        all_of(brought(i.cns_metastasis), i.cns_metastasis),
    ),
    title="Visceral or brain metastasis on imaging",
    cite=IMAGING,
)
_E20_COMPLICATED = Guard(
    name="E20_medically_complicated",
    condition=all_of(
        v.medically_complicated.known(), v.medically_complicated, ~v.co_managed.known()
    ),
    title="Medically complicated and not yet co-managed",
    cite=CO_MANAGE,
)
_E05_ANTIARRHYTHMIC = Guard(
    name="E05_antihypertensive_is_antiarrhythmic",
    condition=all_of(
        v.antihypertensive_is_antiarrhythmic.known(),
        v.antihypertensive_is_antiarrhythmic,
        ~v.cardiology_consulted.known(),
    ),
    title="An antihypertensive is also an antiarrhythmic",
    cite=paper(
        "Table 3, Hypotension", "Confirm with cardiology if also being used as an antiarrhythmic."
    ),
)

CHAPTER = Chapter(
    guards=(*SOFT_AT_BASELINE, PLAUSIBLE, _E19_FOUND, _E20_COMPLICATED, _E05_ANTIARRHYTHMIC),
    rules=(
        Rule(guard=_E19_FOUND.name, action="consult", places=PREPARING, advice=("E19_imaging",)),
        Rule(guard=_E20_COMPLICATED.name, action="consult", advice=("E20_co_manage",)),
        Rule(guard=_E05_ANTIARRHYTHMIC.name, action="consult", advice=("E05_cardiology",)),
    ),
)

"""The evaluation before a first injection: what is recorded, and by whom."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.definition import ANYWHERE, Event, Field, Guard, Input, Kind, Transition
from engine.core.expression import Expression, Sent, all_of, any_of, hours
from workflows.intralesional_il2 import inputs as i
from workflows.intralesional_il2 import variables as v
from workflows.intralesional_il2.chapter import Chapter, soft
from workflows.intralesional_il2.conditions import NO, UNSET, YES, keep, sent
from workflows.intralesional_il2.sources import ADMINISTRATION, BASELINE, SEVERE, paper
from workflows.intralesional_il2.states import DECIDERS, OPEN, STAFF

EVALUATION = paper(
    BASELINE,
    "a baseline evaluation (Table 1) consisting of a complete physical examination, including "
    "lymph node exam, vital signs, complete blood count, complete metabolic panel, lactate "
    "dehydrogenase, Eastern Cooperative Oncology Group (ECOG) assessment, whole body PET/CT, and a "
    "brain MRI (preferably T1 MRI with contrast) should be performed",
)
CO_MANAGE = paper(
    SEVERE,
    "it is reasonable to request additional support from an oncologist or primary care physician "
    "to help co-manage patients that are medically more complicated prior to starting IL-2 therapy",
)
VITILIGO = paper(
    ADMINISTRATION,
    "Patients should also be aware that treatment with intralesional IL-2 usually causes "
    "vitiligo, which may be permanent",
)
CARDIOLOGY = paper(
    ADMINISTRATION,
    "if the antihypertensive agent is prescribed for its antiarrhythmic properties, a cardiology "
    "consultation should be obtained to ensure that the medication may be safely discontinued, "
    "mainly because atrial fibrillation is known to be triggered by IL-2",
)


def _reading(source: Input, *, required: bool = False) -> Field:
    return Field(name=source.name, input=source.name, required=required)


def _said(name: str, title: str) -> Field:
    return Field(name=name, kind="yesno", title=title)


def _stated(*names: str) -> Mapping[str, Expression]:
    """What is said replaces what was said before; what is not said stays."""
    declared = {variable.name: variable for variable in v.VARIABLES}
    return {name: keep(declared[name], sent(name), Sent(name)) for name in names}


_DENIED = all_of(sent("few_comorbidities"), ~Sent("few_comorbidities"))

_RECORDED = (
    Event(
        name="stage_recorded",
        kind=Kind.REPORT,
        roles=STAFF,
        fields=(_reading(i.disease_stage, required=True),),
        title="Stage of the melanoma",
    ),
    Event(
        name="examination_recorded",
        kind=Kind.REPORT,
        roles=STAFF,
        fields=(
            _reading(i.physical_examination),
            _reading(i.lymph_nodes_examined),
            _reading(i.ecog),
        ),
        title="Physical examination",
        cite=EVALUATION,
    ),
    Event(
        name="pet_ct_recorded",
        kind=Kind.REPORT,
        roles=STAFF,
        fields=(_reading(i.visceral_metastasis, required=True),),
        title="Whole-body PET/CT",
        cite=EVALUATION,
    ),
    Event(
        name="brain_mri_recorded",
        kind=Kind.REPORT,
        roles=STAFF,
        fields=(_reading(i.cns_metastasis, required=True),),
        title="Brain MRI",
        cite=EVALUATION,
    ),
    Event(
        name="chest_x_ray_recorded",
        kind=Kind.REPORT,
        roles=STAFF,
        fields=(_reading(i.pulmonary_edema, required=True),),
        title="Chest X-ray",
    ),
    Event(
        name="medications_reviewed",
        kind=Kind.REPORT,
        roles=STAFF,
        fields=(
            _reading(i.medications, required=True),
            _said("antihypertensive", "Takes an antihypertensive"),
            _said("antihypertensive_is_antiarrhythmic", "It is also an antiarrhythmic"),
        ),
        updates=_stated("antihypertensive", "antihypertensive_is_antiarrhythmic"),
        title="Current medications reviewed",
        cite=paper(
            BASELINE,
            "Current medications should be reviewed, in particular, antihypertensives.",
        ),
    ),
    Event(
        name="comorbidities_attested",
        kind=Kind.REPORT,
        roles=DECIDERS,
        fields=(
            _said("medically_complicated", "Medically more complicated"),
            _said("few_comorbidities", "Few comorbidities"),
            _said("relatively_healthy", "Relatively healthy"),
        ),
        updates={
            **_stated("medically_complicated", "few_comorbidities", "relatively_healthy"),
            "ordered_dose": keep(v.ordered_dose, _DENIED, UNSET),
            "ordered_on": keep(v.ordered_on, _DENIED, UNSET),
        },
        title="Comorbidities attested by a clinician",
        cite=CO_MANAGE,
    ),
    Event(
        name="lesions_listed",
        kind=Kind.REPORT,
        roles=STAFF,
        fields=(
            Field(name="count", kind="number", required=True, title="How many will be treated"),
            Field(
                name="lesions",
                kind="list",
                members=(
                    Field(name="lesion", kind="number", title="Number of the lesion"),
                    Field(name="depth", kind="code", codes=("cutaneous", "subcutaneous")),
                    Field(name="diameter", kind="quantity", unit="mm"),
                    Field(name="site", kind="text"),
                ),
            ),
        ),
        updates={"lesion_count": Sent("count")},
        title="Lesions to be treated",
    ),
    Event(
        name="lesions_photographed",
        kind=Kind.REPORT,
        roles=STAFF,
        fields=(_reading(i.photographs, required=True),),
        title="Lesions photographed",
        cite=paper(
            BASELINE, "The lesions to be treated should be photographed prior to starting therapy."
        ),
    ),
    Event(
        name="counselling_given",
        kind=Kind.REPORT,
        roles=STAFF,
        fields=(
            _said("vitiligo", "About vitiligo"),
            _said("home_monitoring", "Self-monitoring of temperature and blood pressure"),
        ),
        updates={
            "vitiligo_counselled": keep(v.vitiligo_counselled, sent("vitiligo"), Sent("vitiligo")),
            "monitoring_instructed": keep(
                v.monitoring_instructed, sent("home_monitoring"), Sent("home_monitoring")
            ),
        },
        title="Counselling and instructions",
        cite=VITILIGO,
    ),
    Event(
        name="consult_recorded",
        kind=Kind.REPORT,
        roles=STAFF,
        fields=(
            Field(
                name="specialty",
                kind="code",
                codes=("cardiology", "oncology", "primary_care", "neurology", "other"),
                required=True,
            ),
            Field(name="opinion", kind="text"),
        ),
        updates={
            "cardiology_consulted": keep(
                v.cardiology_consulted, Sent("specialty").is_("cardiology"), YES
            ),
            "co_managed": keep(
                v.co_managed, Sent("specialty").one_of("oncology", "primary_care"), YES
            ),
            "consult_needed": NO,
        },
        title="A consult took place",
        cite=CO_MANAGE,
    ),
)

E05_CARDIOLOGY = Guard(
    name="E05_cardiology_before_holding_antiarrhythmic",
    condition=any_of(~v.antihypertensive_is_antiarrhythmic, v.cardiology_consulted),
    title="No antiarrhythmic is held before cardiology was consulted",
    cite=CARDIOLOGY,
)

HOLD_ANTIHYPERTENSIVE = Event(
    name="hold_antihypertensive",
    kind=Kind.REQUEST,
    roles=DECIDERS,
    max_age=hours(24),
    title="Hold antihypertensives on days of treatment",
    cite=CARDIOLOGY,
)

CHAPTER = Chapter(
    events=(*_RECORDED, HOLD_ANTIHYPERTENSIVE),
    guards=(E05_CARDIOLOGY,),
    transitions=(
        *(
            Transition(name=event.name, event=event.name, sources=(ANYWHERE,))
            for event in _RECORDED
        ),
        Transition(
            name="hold_antihypertensive",
            event="hold_antihypertensive",
            sources=OPEN,
            requires=soft(E05_CARDIOLOGY),
            messages=("antihypertensive.hold",),
        ),
    ),
)

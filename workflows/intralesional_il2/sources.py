"""Whence each statement comes: the paper, another publication, an inference or a local decision.

- `paper` and `table_3` quote the source; the quotation is short enough to be found there.
- `published` names another public text; `inferred` says what was concluded and from what.
- `decision` names a numbered decision of this workflow's authors on what the paper leaves open.
"""

from __future__ import annotations

from engine.core.definition import Citation, Provenance

PAPER = "Patel et al., Dermatology Online Journal 2014"


def paper(section: str, text: str) -> Citation:
    """A sentence of the paper."""
    return Citation(source=f"{PAPER}, {section}", text=text)


def table_3(row: str, text: str) -> Citation:
    """A row of the paper's Table 3, management of adverse events."""
    return Citation(source=f"{PAPER}, Table 3, {row}", text=text)


def published(source: str, text: str) -> Citation:
    """Another public text."""
    return Citation(source=source, text=text, provenance=Provenance.PUBLISHED)


def inferred(source: str, text: str) -> Citation:
    """What was concluded, and from what."""
    return Citation(source=source, text=text, provenance=Provenance.INFERRED)


def decision(number: str, text: str) -> Citation:
    """A decision on what the paper leaves open; the number is that of the list of decisions."""
    return Citation(source=f"Decision {number}", text=text, provenance=Provenance.LOCAL)


def local(text: str) -> Citation:
    """Housekeeping of this workflow, without any clinical claim."""
    return Citation(source="This workflow", text=text, provenance=Provenance.LOCAL)


BASELINE = "Baseline Evaluation"
ADMINISTRATION = "Administration of IL-2 combination therapy"
SEVERE = "Management of severe IL-2 toxicities"
INTRODUCTION = "Introduction"

PRESSURE_GOALS = inferred(
    "Proleukin high-dose guideline card 2007, adapted from Schwartzentruber, J Immunother 2001",
    "Goal by normal systolic pressure: below 100, above 80; 100 to 120, above 85; above 120, "
    "above 90. Stands for the paper's Table 2, which is not in its text (inferred:table2).",
)
FOUR_WEEKS = paper(
    ADMINISTRATION, "intralesional IL-2 injections may be continued for the next 4 weeks"
)
STACKING = paper(
    ADMINISTRATION,
    "a “stacking” effect may occur, i.e. 10 million units successfully administered during the "
    "first week of therapy may be intolerable during the second week of therapy",
)
TOP_DOSE = paper(
    ADMINISTRATION,
    "the dose of IL-2 can be incrementally increased to a maximum of 22 million units",
)
FEW_COMORBIDITIES = paper(
    ADMINISTRATION,
    "the 22 million-unit dose should be reserved for patients with few co-morbidities and even "
    "then, only administered cautiously",
)
SELF_MONITORING = paper(
    ADMINISTRATION,
    "they can be discharged home following their test dose with instructions to self-monitor "
    "their temperature and blood pressure for the next 6 hours",
)
EMERGENCY_ROOM = paper(
    ADMINISTRATION,
    "Patients should be advised to go to the emergency room if they experience a significant "
    "drop in their blood pressure (Table 2).",
)
TOPICAL_COURSE = paper(
    ADMINISTRATION,
    "Topical therapy should be continued for an additional three weeks after completion of "
    "intralesional IL-2, and then for one week every month for one additional year",
)
RESTART = paper(
    ADMINISTRATION,
    "Patients may be restarted on intralesional IL-2 therapy for persistent, recurrent, or new "
    "metastatic cutaneous lesions.",
)
NOT_ALONE = paper(INTRODUCTION, "we do not recommend imiquimod as monotherapy")

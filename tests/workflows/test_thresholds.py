"""Every threshold of the protocol, below, at and above, against what the paper says."""

from __future__ import annotations

import pytest

from tests.workflows.thresholds import ROWS, TABLES
from tests.workflows.thresholds.row import Row
from workflows.intralesional_il2 import WORKFLOW

FACTS = tuple(f"N{n:02}" for n in range(1, 20)) + tuple(f"E{n:02}" for n in range(1, 30))
"""The numbered facts of the protocol, and E25 to E29 that clarify it."""

TABLE_3 = {
    "Hypotension": "E04 E05 N09 N12 N14",
    "Sinus tachycardia": "N01 E29",
    "Supraventricular tachycardia": "E01 N02",
    "Fever": "E06 N17",
    "Nausea": "E07 N16",
    "Diarrhea": "E08 N13",
    "Dyspnea": "E09 E10 N03 N18",
    "Peripheral edema": "E11",
    "Acute Kidney Injury or Oliguria": "E12 N04 N05 N15",
    "Anemia": "N08",
    "Thrombocytopenia": "N06 N07",
    "Infection or Cutaneous Ulcerations": "E13",
    "Transient Cholestasis": "E16",
    "Elevated Cardiac Enzymes": "E03",
    "Neurotoxicity": "E02",
    "Rash or Pruritus": "E17",
}
"""The rows of the paper's Table 3 with the facts that stand for them, written from the paper."""

NAMED = [
    pytest.param(row, id=f"{name}: {' '.join(row.of)}: {row.what}")
    for name, rows in TABLES.items()
    for row in rows
]


@pytest.mark.parametrize("row", NAMED)
def test_what_the_protocol_says_is_what_happens(row: Row) -> None:
    row.tell()


@pytest.mark.parametrize("fact", FACTS)
def test_every_numbered_fact_has_a_guard_and_is_tried(fact: str) -> None:
    assert [guard.name for guard in WORKFLOW.guards if guard.name.startswith(f"{fact}_")]
    assert [row.what for row in ROWS if fact in row.of]


@pytest.mark.parametrize("printed", TABLE_3)
def test_every_row_of_table_3_is_cited_and_tried(printed: str) -> None:
    citations = [guard.cite for guard in WORKFLOW.guards]
    citations += [advice.cite for advice in WORKFLOW.advice if advice.cite is not None]

    assert [c for c in citations if f"Table 3, {printed}".lower() in c.source.lower()]
    for fact in TABLE_3[printed].split():
        assert fact in FACTS
        assert [row.what for row in ROWS if fact in row.of]


def test_no_two_rows_say_the_same() -> None:
    said = [(row.of, row.what) for row in ROWS]

    assert len(said) == len(set(said))

"""The page that explains FHIR, held against the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.fhir import page
from engine.fhir.capability import DOES
from workflows.intralesional_il2 import WORKFLOW

PAGE = Path(__file__).parents[2] / "docs" / "fhir.md"


@pytest.mark.parametrize("heading", list(page.tables()))
def test_the_page_has_the_table_of_each_mapping(heading: str):
    _, _, after = PAGE.read_text().partition(f"### {heading}\n")

    assert page.tables()[heading] in after.partition("\n#")[0]


def test_the_page_has_the_codes_of_the_protocol():
    assert page.codes(WORKFLOW) in PAGE.read_text()


def test_the_page_names_every_resource():
    assert all(f"`{name}`" in PAGE.read_text() for name in DOES)

"""The page that explains FHIR, held against the code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from engine.fhir import page
from engine.fhir.capability import DOES
from engine.fhir.shape import SHAPES
from tests.fhir.resources import appointment, observation, pressure
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


@pytest.mark.parametrize(
    ("kind", "body"),
    [("Appointment", appointment()), ("Observation", observation()), ("Observation", pressure())],
)
def test_what_the_document_describes_is_what_is_read(kind: str, body: dict[str, Any]):
    """The shape of each resource holds for those that the other tests send."""
    plain = json.loads(json.dumps(body, default=float))
    plain.pop("subject", None)  # also read, and left to whoever sends it
    for one in plain.get("participant", ()):
        one.pop("actor")

    checker = jsonschema_rs.validator_for(SHAPES[kind])
    assert [error.message for error in checker.iter_errors(plain)] == []

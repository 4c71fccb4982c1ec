"""The OpenAPI document says what the service does: tried by schemathesis, and checked in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.bootstrap import engine_version
from engine.core.schema import event_schema
from engine.web.app import described
from workflows import ALL

FILE = Path(__file__).parents[2] / "docs" / "openapi.json"


def test_the_checked_in_document_is_that_of_the_code():
    expected = described(ALL, version=engine_version())

    assert json.loads(FILE.read_text()) == json.loads(json.dumps(expected)), (
        "write it anew: regimen openapi > docs/openapi.json"
    )


@pytest.mark.parametrize("workflow", ALL, ids=lambda workflow: workflow.name)
def test_every_event_of_a_workflow_has_a_type_of_its_own_with_an_example(workflow: Any):
    schemas = json.loads(FILE.read_text())["components"]["schemas"]
    sendable = [event.name for event in workflow.events if not event.timer]

    for name in (*sendable, "course.enrolled", "course.corrected", "course.booked"):
        found = schemas[f"{workflow.name}-{workflow.version}.{name}"]
        assert found["properties"]["event"] == {"const": name}
        (example,) = found["examples"]
        (own,) = event_schema(workflow, name)["examples"]
        assert example["event"] == own["event"] == name


def test_it_is_openapi_3_1():
    assert json.loads(FILE.read_text())["openapi"].startswith("3.1.")

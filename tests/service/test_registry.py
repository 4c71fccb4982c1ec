"""Definitions come from the database, and one that cannot be read is said to be so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.core.encoding import canonical, parse
from engine.errors import DefinitionError
from engine.registry import compiled, stored_form
from workflows import instrument_calibration


def test_a_stored_definition_compiles_without_its_python_file() -> None:
    definition = stored_form(instrument_calibration.WORKFLOW)

    assert compiled(definition).workflow == instrument_calibration.WORKFLOW


def test_a_definition_of_a_newer_engine_is_an_error_that_says_so() -> None:
    definition = stored_form(instrument_calibration.WORKFLOW)
    newer = canonical({**parse(definition.semantic), "semantics": 99})

    with pytest.raises(DefinitionError, match="99"):
        compiled(replace(definition, semantic=newer))

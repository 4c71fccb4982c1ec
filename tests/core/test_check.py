"""Every problem of a definition is found at once, and each is named with its place."""

from __future__ import annotations

from dataclasses import replace

import pytest

import workflows
from engine.core.check import check, ensure
from engine.core.definition import (
    Workflow,
)
from engine.errors import DefinitionError
from tests.core.crane import (
    CRANE,
    amended,
    said,
)


@pytest.mark.parametrize("workflow", workflows.ALL, ids=lambda w: w.name)
def test_every_workflow_that_comes_with_the_engine_is_well_formed(workflow: Workflow) -> None:
    assert said(workflow) == []


def test_a_well_formed_workflow_has_no_problem() -> None:
    assert check(CRANE) == ()
    ensure(CRANE)


def test_all_problems_are_told_at_once_in_the_order_of_the_definition() -> None:
    broken = amended("inputs", "load", amended("rules", "gale", action="halt"), unit="lb_av")
    broken = replace(broken, initial="start")

    with pytest.raises(DefinitionError) as raised:
        ensure(broken)

    assert raised.value.workflow == "crane@1"
    assert [p.partition(":")[0] for p in raised.value.problems] == [
        "workflow",
        *["state idle", "state lifting", "state stopped", "state retired"],
        "input load",
        "action stop",
        "rule gale",
    ]

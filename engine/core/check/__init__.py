"""What makes a workflow well formed: every problem, all at once, each with its place.

`check` reads a definition and changes nothing. What it finds would otherwise show up while a course
is running: a name that means nothing, a state that cannot be left, a guard that no reading can ever
answer, two ways that open together.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from engine.core.check.declarations import declared
from engine.core.check.graph import connected
from engine.core.check.problem import Problem
from engine.core.check.references import referred
from engine.core.check.trees import typed
from engine.core.definition import Workflow
from engine.errors import DefinitionError

__all__ = ["Problem", "check", "ensure"]


def check(workflow: Workflow) -> tuple[Problem, ...]:
    """Every problem of a definition, in the order of its sections; empty when it is well formed.

    A workflow whose parameters a site has set is another definition, to be checked anew.
    """
    found = chain(declared(workflow), referred(workflow), connected(workflow), typed(workflow))
    order = {place: number for number, place in enumerate(_places(workflow))}
    last = len(order)
    return tuple(
        sorted(dict.fromkeys(found), key=lambda p: order.get(p.place.partition(",")[0], last))
    )


def ensure(workflow: Workflow) -> None:
    """Raise DefinitionError with every problem, unless the workflow is well formed."""
    if problems := check(workflow):
        raise DefinitionError(workflow.label, map(str, problems))


def _places(workflow: Workflow) -> Iterator[str]:
    """The declarations as problems name them, in the order in which a reader meets them."""
    yield "workflow"
    for section in _SECTIONS:
        for item in getattr(workflow, f"{section}s" if section != "advice" else section):
            yield f"{section} {item.guard if section == 'rule' else item.name}"


_SECTIONS = (
    "state",
    "input",
    "variable",
    "parameter",
    "event",
    "guard",
    "transition",
    "action",
    "rule",
    "advice",
    "timer",
    "visit",
)

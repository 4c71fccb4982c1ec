"""The workflows of the packages that an installation names; the engine itself knows none.

A package offers `ALL`, a tuple of workflows, and may carry `published.json`, which maps
`name@version` to the digest that was published under it. It may also offer `COURSES`, files of
JSON Lines with events of courses to look at.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable
from importlib import resources
from importlib.resources.abc import Traversable
from traceback import extract_tb
from types import ModuleType

from engine.core.definition import Workflow
from engine.errors import InvalidInput, UnknownWorkflow

PUBLISHED = "published.json"
VARIABLE = "REGIMEN_WORKFLOWS"
"""The setting that names the packages, for messages."""


def workflows_of(packages: Iterable[str]) -> tuple[Workflow, ...]:
    """Every workflow that the packages offer, in their order.

    Raises InvalidInput, naming the package, when one cannot be imported or offers none.
    """
    return tuple(workflow for package in packages for workflow in _all_of(package))


def named(workflows: Iterable[Workflow], wanted: str) -> Workflow:
    """The workflow of a name (the last one offered) or of `name@version`.

    Raises UnknownWorkflow, listing those that are known.
    """
    offered = tuple(workflows)
    for workflow in reversed(offered):
        if wanted in (workflow.name, workflow.label):
            return workflow
    raise UnknownWorkflow(wanted, (workflow.label for workflow in offered))


def published_of(packages: Iterable[str]) -> dict[str, str]:
    """The digests that were published, by `name@version`; a package may have published none."""
    found: dict[str, str] = {}
    for package in packages:
        module = _imported(package)
        if hasattr(module, "__path__"):  # a single file has nothing beside it
            listed = resources.files(module) / PUBLISHED
            found |= json.loads(listed.read_bytes()) if listed.is_file() else {}
    return found


def courses_of(packages: Iterable[str]) -> tuple[Traversable, ...]:
    """The files of courses that the packages ship, in their order; a package may ship none."""
    return tuple(
        course for package in packages for course in getattr(_imported(package), "COURSES", ())
    )


def _all_of(package: str) -> tuple[Workflow, ...]:
    offered = getattr(_imported(package), "ALL", None)
    if not isinstance(offered, tuple) or not all(isinstance(w, Workflow) for w in offered):
        raise InvalidInput(VARIABLE, "packages with a tuple ALL of workflows", found=package)
    return offered


def _imported(package: str) -> ModuleType:
    try:
        return importlib.import_module(package)
    except Exception as wrong:  # whatever is wrong in the file of an author
        found = f"{package!r} ({_told(wrong)})"
        expected = "packages that can be imported, from this folder or as installed"
        raise InvalidInput(VARIABLE, expected, found=found) from wrong


def _told(wrong: Exception) -> str:
    """What is wrong with a package, and where."""
    if isinstance(wrong, ImportError):
        return str(wrong)
    if isinstance(wrong, SyntaxError):
        return f"{wrong.filename}:{wrong.lineno}: {wrong.msg}"
    last = extract_tb(wrong.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}: {type(wrong).__name__}: {wrong}"

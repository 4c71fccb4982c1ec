"""Workflows that this process knows: compiled once each, by digest, from stored JSON.

The service decides from what the database holds, never from the Python object that was once
published: an engine that has lost the file goes on deciding and replaying.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Protocol

from engine.core.blueprint import (
    prose_digest,
    prose_json,
    semantic_json,
    workflow_digest,
    workflow_from,
)
from engine.core.check import ensure
from engine.core.definition import Workflow
from engine.core.encoding import canonical, parse
from engine.core.machine import Machine
from engine.errors import DefinitionError, InvalidInput, UnknownWorkflow
from engine.ports import Definition, Transaction


class Defined(Protocol):
    """Where the stored definitions of a tenant are read, such as a transaction."""

    @property
    def tenant(self) -> str: ...

    def definition(self, digest: str) -> Definition | None:
        """The definition that is stored under a digest, if any."""


class Registry:
    """Compiled workflows by digest, and which digest a name stands for at a site.

    What is compiled for one tenant is none for another, who may not have it.
    `defaults` maps `name` and `name@version` to a digest; `sites` maps a site to such a mapping of
    its own. Machines are never dropped: a course may need any of them at any time.
    """

    def __init__(
        self,
        defaults: Mapping[str, str] | None = None,
        sites: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._defaults = dict(defaults or {})
        self._sites = {site: dict(chosen) for site, chosen in (sites or {}).items()}
        self._machines: dict[tuple[str, str], Machine] = {}

    def install(
        self, workflows: Iterable[Workflow], tx: Transaction, *, site: str | None = None
    ) -> tuple[str, ...]:
        """Check and store workflows, and let their names stand for them (at one site, or at all).

        Raises DefinitionError with every problem of a workflow that is not well formed.
        """
        digests: list[str] = []
        for workflow in workflows:
            ensure(workflow)
            definition = stored_form(workflow)
            tx.define(definition)
            names = self._defaults if site is None else self._sites.setdefault(site, {})
            names[workflow.name] = names[workflow.label] = definition.digest
            digests.append(definition.digest)
        return tuple(digests)

    def digest(self, workflow: str, site: str) -> str:
        """The digest that a name, `name@version` or digest stands for at a site.

        Raises UnknownWorkflow when it stands for none.
        """
        if workflow.startswith("sha256:"):
            return workflow
        found = self._sites.get(site, {}).get(workflow) or self._defaults.get(workflow)
        if found is None:
            raise UnknownWorkflow(workflow, self._defaults)
        return found

    def stands_for(self, name: str, digest: str) -> bool:
        """Whether a name stands for this digest, at any site that chose none of its own."""
        return self._defaults.get(name) == digest

    def machine(self, digest: str, tx: Defined) -> Machine:
        """The tenant's compiled stored definition. Raises UnknownWorkflow when it has none."""
        known = self._machines.get((tx.tenant, digest))
        if known is None:
            definition = tx.definition(digest)
            if definition is None:
                raise UnknownWorkflow(digest, self._defaults)
            known = self._machines[tx.tenant, digest] = compiled(definition)
        return known


def stored_form(workflow: Workflow) -> Definition:
    """A workflow as the database keeps it."""
    return Definition(
        digest=workflow_digest(workflow),
        name=workflow.name,
        version=workflow.version,
        semantic=canonical(semantic_json(workflow)),
        prose_digest=prose_digest(workflow),
        prose=canonical(prose_json(workflow)),
    )


def read_definition(data: bytes) -> Definition:
    """A definition from a file, as `regimen workflow show --json` writes it.

    Digests may be left out, as of a file that was edited; where they are said, they must be right.
    Raises InvalidInput, naming the member, and DefinitionError when it is not well formed.
    """
    try:
        said = parse(data)
    except ValueError as wrong:
        raise InvalidInput("definition", "JSON as `workflow show --json` writes it",
                           found=str(wrong)) from wrong  # fmt: skip
    if not isinstance(said, dict) or not said.keys() >= {"semantic", "prose"}:
        raise InvalidInput("definition", "an object with `semantic` and `prose`")
    for name in said:
        if name not in _SAID:
            raise InvalidInput(name, f"one of {', '.join(_SAID)}")
    try:
        workflow = workflow_from(said["semantic"], said["prose"])
    except ValueError as wrong:
        raise DefinitionError("definition", [str(wrong)]) from wrong
    ensure(workflow)
    found = stored_form(workflow)
    for name in ("name", "version", "digest", "prose_digest"):
        if said.get(name, getattr(found, name)) != getattr(found, name):
            expected = f"{getattr(found, name)}, as the rest of the file says, or nothing"
            raise InvalidInput(name, expected, found=repr(said[name]))
    return found


_SAID = ("name", "version", "digest", "prose_digest", "semantic", "prose")


@lru_cache(maxsize=32)
def compiled(definition: Definition) -> Machine:
    """The machine of a stored definition, which is made once for the same bytes.

    Making it takes longer than weighing a course, and it says nothing but what is in these bytes:
    whoever has them may share it.
    Raises DefinitionError for one that this engine cannot read, such as one of a newer engine.
    """
    try:
        workflow = workflow_from(json.loads(definition.semantic), json.loads(definition.prose))
    except ValueError as wrong:
        raise DefinitionError(f"{definition.name}@{definition.version}", [str(wrong)]) from wrong
    return Machine(workflow, definition.digest, definition.prose_digest)

"""Which definition is meant: one that is offered, one that is stored, or one in a file."""

from __future__ import annotations

from pathlib import Path

from engine import packages
from engine.cli.session import Session
from engine.core.definition import Workflow
from engine.errors import InvalidInput, UnknownWorkflow
from engine.ports import Definition
from engine.registry import compiled, read_definition, stored_form


def workflow_of(session: Session, name: str) -> Workflow:
    """A workflow that is offered, or of that digest one that the database holds."""
    if not name.startswith("sha256:"):
        return packages.named(packages.workflows_of(session.settings.workflows), name)
    return compiled(_stored(session, name)).workflow


def definition_of(session: Session, name: str) -> Definition:
    """The same as it is stored; also from a file that `workflow show --json` wrote.

    Raises InvalidInput and DefinitionError for a file that holds none.
    """
    if name.startswith("sha256:"):
        return _stored(session, name)
    if Path(name).suffix == ".json" or "/" in name:
        try:
            return read_definition(Path(name).read_bytes())
        except OSError as wrong:
            raise InvalidInput(name, "a file that can be read", found=str(wrong)) from wrong
    return stored_form(workflow_of(session, name))


def _stored(session: Session, digest: str) -> Definition:
    service = session.service()
    with service.store.transaction(service.tenant, write=False) as tx:
        found = tx.definition(digest)
    if found is None:
        raise UnknownWorkflow(digest, ())
    return found

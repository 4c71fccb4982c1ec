"""Which definition is meant: one that is offered, one that is stored, or one in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine import packages
from engine.cli.session import Session
from engine.core.definition import Workflow
from engine.errors import InvalidInput, StoreUnavailable, UnknownWorkflow
from engine.ports import Definition
from engine.registry import compiled, read_definition, stored_form


def workflow_of(session: Session, name: str) -> Workflow:
    """A workflow that is offered, or one that the database holds, by digest or `name@version`.

    Raises InvalidInput, naming those that are known.
    """
    if name.startswith("sha256:"):
        return compiled(_stored(session, name)).workflow
    found = _named(session, name)
    return found if isinstance(found, Workflow) else compiled(found).workflow


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
    found = _named(session, name)
    return stored_form(found) if isinstance(found, Workflow) else found


def _named(session: Session, name: str) -> Workflow | Definition:
    """What is offered under a name, else what is stored: courses outlast the file of a version."""
    offered = packages.workflows_of(session.settings.workflows)
    try:
        return packages.named(offered, name)
    except UnknownWorkflow:
        stored = _all_stored(session)
    found = [one for one in stored if name == f"{one.name}@{one.version}"]
    if len(found) == 1:
        return found[0]
    if found:
        expected = f"one of its digests: {', '.join(one.digest for one in found)}"
        raise InvalidInput("workflow", expected, found=repr(name))
    known = {one.label for one in offered} | {f"{one.name}@{one.version}" for one in stored}
    expected = f"a known workflow ({', '.join(sorted(known)) or 'none is loaded'})"
    where = ", offered here or stored in the database" if stored else ""
    raise InvalidInput("workflow", f"{expected}{where}", found=repr(name))


def _all_stored(session: Session) -> Sequence[Definition]:
    """What the database holds; nothing where there is none."""
    try:
        service = session.service()
    except StoreUnavailable:
        return ()
    with service.store.transaction(service.tenant, write=False) as tx:
        return tx.definitions()


def _stored(session: Session, digest: str) -> Definition:
    service = session.service()
    with service.store.transaction(service.tenant, write=False) as tx:
        found = tx.definition(digest)
    if found is None:
        raise UnknownWorkflow(digest, ())
    return found

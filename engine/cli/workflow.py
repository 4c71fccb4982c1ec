"""`regimen workflow`: the definitions that this installation offers, and those that it stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from engine import packages
from engine.cli.definition import workflow_of
from engine.cli.difference import diff
from engine.cli.exits import Exit
from engine.cli.session import Session, command
from engine.cli.workflow_page import page
from engine.core.blueprint import prose_digest, prose_json, semantic_json, workflow_digest
from engine.core.check import check as problems_of
from engine.core.definition import Workflow
from engine.core.diagram import graphviz, mermaid
from engine.core.encoding import Json
from engine.core.event import OWN
from engine.core.schema import FIRST, event_schema
from engine.core.sheet import parameter_sheet, sheet, sheet_markdown
from engine.errors import InvalidInput

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="A name, name@version, or a stored digest.")
]


class Drawing(StrEnum):
    """The languages of a diagram."""

    MERMAID = "mermaid"
    DOT = "dot"


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    workflow = typer.Typer(
        name="workflow", no_args_is_help=True, help="Look at the workflows and check them."
    )
    workflow.command("list")(list_all)
    workflow.command()(show)
    workflow.command()(check)
    workflow.command()(schema)
    workflow.command()(diagram)
    workflow.command("sheet")(sheet_of)
    workflow.command()(diff)
    app.add_typer(workflow, rich_help_panel="Workflows")


@command
def list_all(
    session: Session,
    *,
    stored: Annotated[
        bool, typer.Option("--stored", help="Those that the database holds instead.")
    ] = False,
) -> None:
    """List the workflows that a course can be enrolled in."""
    rows = list(_stored(session) if stored else _offered(session))

    def tell(out: Console) -> None:
        table = Table("Workflow", "Title", "Digest", *([] if stored else ["Published"]), box=None)
        for row in rows:
            cells = [f"{row['name']}@{row['version']}", row["title"], row["digest"][:19]]
            table.add_row(*cells, *([] if stored else [row["published"]]))
        out.print(table if rows else "There is none.")

    session.answer({"workflows": rows}, tell)


@command
def show(session: Session, name: Name) -> None:
    """Show a definition: states, inputs, events, guards, rules, timers and visits."""
    workflow = workflow_of(session, name)
    session.answer(
        {
            "name": workflow.name,
            "version": workflow.version,
            "digest": workflow_digest(workflow),
            "prose_digest": prose_digest(workflow),
            "semantic": semantic_json(workflow),
            "prose": prose_json(workflow),
        },
        lambda out: page(out, workflow, workflow_digest(workflow)),
    )


@command
def check(
    session: Session,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Else every workflow.")
    ] = None,
) -> None:
    """Find every problem of a definition, each with its place; exits with 1 when there is one."""
    offered = packages.workflows_of(session.settings.workflows)
    wanted = [packages.named(offered, name) for name in names] if names else offered
    published = packages.published_of(session.settings.workflows)
    found = {workflow.label: list(_problems(workflow, published)) for workflow in wanted}

    def tell(out: Console) -> None:
        for label, problems in found.items():
            if not problems:
                out.print(f"{label}: well formed")
            for problem in problems:
                out.print(f"{label}: {problem}", style="red", soft_wrap=True)

    session.answer(
        {
            "ok": not any(found.values()),
            "workflows": [{"workflow": k, "problems": v} for k, v in found.items()],
        },
        tell,
    )
    if any(found.values()):
        raise typer.Exit(Exit.NO)


@command
def schema(
    session: Session,
    name: Name,
    event: Annotated[
        str | None, typer.Argument(metavar="[EVENT]", help="Else every event that may be sent.")
    ] = None,
) -> None:
    """Print the JSON Schema of an event, or of all of them by name."""
    workflow = workflow_of(session, name)
    if event is not None:
        session.document(event_schema(workflow, event))
        return
    sendable = [e.name for e in workflow.events if not e.timer]
    session.document({name: event_schema(workflow, name) for name in (*FIRST, *sendable, *OWN)})


@command
def diagram(
    session: Session,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A workflow, unless --course is given.")
    ] = None,
    course: Annotated[
        str | None, typer.Option(metavar="COURSE", help="Show where this course is and has been.")
    ] = None,
    form: Annotated[Drawing, typer.Option("--format", help="The language.")] = Drawing.MERMAID,
) -> None:
    """Draw the states and the events between them, for Mermaid or Graphviz."""
    draw = mermaid if form is Drawing.MERMAID else graphviz
    if course is not None:
        text = draw(*_walked(session, course))
    elif name is not None:
        text = draw(workflow_of(session, name))
    else:
        raise InvalidInput("NAME", "the name of a workflow, or --course COURSE")
    session.answer({"format": form.value, "text": text}, lambda _: typer.echo(text, nl=False))


@command
def sheet_of(session: Session, name: Name) -> None:
    """Print the protocol sheet: one row per guard, as Markdown for a clinician to sign."""
    workflow = workflow_of(session, name)
    text = sheet_markdown(workflow)
    session.answer(
        {
            "workflow": workflow.label,
            "digest": workflow_digest(workflow),
            "guards": [asdict(row) for row in sheet(workflow)],
            "parameters": [asdict(row) for row in parameter_sheet(workflow)],
        },
        lambda _: typer.echo(text, nl=False),
    )


def _offered(session: Session) -> Iterator[Json]:
    names = session.settings.workflows
    published = packages.published_of(names)
    for workflow in packages.workflows_of(names):
        digest = workflow_digest(workflow)
        known = published.get(workflow.label)
        yield {
            "name": workflow.name,
            "version": workflow.version,
            "title": workflow.title,
            "digest": digest,
            "published": "no" if known is None else "yes" if known == digest else "as another",
        }


def _stored(session: Session) -> Iterator[Json]:
    service = session.service()
    with service.store.transaction(service.tenant, write=False) as tx:
        found = tx.definitions()
    for one in found:
        title = json.loads(one.prose).get("title", "")
        yield {"name": one.name, "version": one.version, "title": title, "digest": one.digest}


def _problems(workflow: Workflow, published: dict[str, str]) -> Iterator[str]:
    yield from map(str, problems_of(workflow))
    known = published.get(workflow.label)
    if known is not None and known != workflow_digest(workflow):
        yield "workflow: published under another digest: give what has changed another version"


def _walked(session: Session, course: str) -> tuple[Workflow, str, set[tuple[str, str]]]:
    """The workflow that a course is pinned to, where the course is, and the moves that it made."""
    service = session.service()
    status = service.status(course)
    states = [json.loads(record.body)["state"] for record in service.records(course)]
    moves = {(before, after) for before, after in states if before not in (None, after)}
    return status.machine.workflow, status.snapshot.state, moves

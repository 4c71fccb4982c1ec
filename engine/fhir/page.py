"""The tables of `docs/fhir.md`, made from what each mapping says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine.core.definition import Workflow
from engine.fhir import audit, booking, observation, plan, proposal, visit
from engine.fhir.table import Line, markdown

MAPPINGS: Mapping[str, Sequence[Line]] = {
    "Appointment, proposed": proposal.MAPPING,
    "Task": visit.MAPPING,
    "CarePlan": plan.MAPPING,
    "AuditEvent": audit.MAPPING,
    "Appointment, booked": booking.MAPPING,
    "Observation": observation.MAPPING,
}
"""Each mapping by the heading of its table."""


def tables() -> Mapping[str, str]:
    """The tables by their headings."""
    return {name: "\n".join(markdown(lines)) for name, lines in MAPPINGS.items()} | {
        "Status of an appointment": "\n".join(_statuses())
    }


def codes(workflow: Workflow) -> str:
    """The inputs of a workflow with their codes and units, and those that have no code."""
    return "\n".join(_codes(workflow))


def _statuses() -> Iterator[str]:
    yield "| Status | Event |"
    yield "|---|---|"
    for status, event in booking.STATUS.items():
        also = " or `course.moved`" if status == "booked" else ""
        yield f"| `{status}` | `{event}`{also} |"


def _codes(workflow: Workflow) -> Iterator[str]:
    yield "| LOINC | Input | Kind | Unit |"
    yield "|---|---|---|---|"
    for one in workflow.inputs:
        yield f"| {one.loinc or 'none'} | `{one.name}` | {one.kind} | {one.unit or ''} |"

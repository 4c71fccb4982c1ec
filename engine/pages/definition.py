"""A definition as a clinician reads it: the sheet with its titles, and what differs in another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from engine.core.definition import Workflow
from engine.core.difference import Change, DefinitionDiff
from engine.core.names import spoken, titles
from engine.core.sheet import parameter_sheet, sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRow:
    """One guard of the sheet, in words."""

    name: str
    title: str
    what: str
    threshold: str
    unit: str
    actions: tuple[str, ...]
    required: str
    source: str
    citation: str
    provenance: str
    overridable: str
    advice: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What differs within one section of a definition."""

    name: str
    changes: tuple[Change, ...]


def guard_rows(workflow: Workflow) -> Iterator[GuardRow]:
    """The guards of the sheet, in the order of the definition."""
    called = titles(workflow) | {guard.name: guard.title for guard in workflow.guards}
    for row in sheet(workflow):
        yield GuardRow(
            name=row.guard,
            title=row.title,
            what=spoken(row.what, called.get),
            threshold=spoken(row.threshold, called.get),
            unit=row.unit,
            actions=row.actions,
            required=", ".join(use.transition.replace("_", " ") for use in row.uses),
            source=row.source,
            citation=row.citation,
            provenance=row.provenance,
            overridable=spoken(row.overridable, lambda _: None),
            advice=row.advice,
        )


parameter_rows = parameter_sheet


def sections(found: DefinitionDiff) -> tuple[tuple[str, tuple[Section, ...]], ...]:
    """What differs, by halves: what decides, then titles and citations."""
    halves = (
        ("What can change a decision, or what a clinician is told", found.semantic),
        ("Titles and citations only", found.prose),
    )
    return tuple((title, _grouped(changes)) for title, changes in halves if changes)


def _grouped(changes: Sequence[Change]) -> tuple[Section, ...]:
    grouped = groupby(changes, key=lambda change: change.section)
    return tuple(Section(name=name, changes=tuple(of_section)) for name, of_section in grouped)

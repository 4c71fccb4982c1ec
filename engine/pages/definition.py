"""A definition as a clinician reads it: the sheet with its titles, and what differs in another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from engine.core.definition import Workflow
from engine.core.difference import Change, DefinitionDiff
from engine.core.names import spoken, titles
from engine.core.sheet import ParameterRow, parameter_sheet, sheet
from engine.telling.units import written


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
            what=written(spoken(row.what, called.get)),
            threshold=spoken(row.threshold, called.get),
            unit=", ".join(map(written, row.unit.split(", "))),
            actions=row.actions,
            required=", ".join(use.transition.replace("_", " ") for use in row.uses),
            source=row.source,
            citation=row.citation,
            provenance=row.provenance,
            overridable=spoken(row.overridable, lambda _: None),
            advice=row.advice,
        )


def parameter_rows(workflow: Workflow) -> tuple[ParameterRow, ...]:
    """The parameters of the sheet, their units as people write them."""
    return tuple(
        replace(row, value=written(row.value), unit=written(row.unit), range=written(row.range))
        for row in parameter_sheet(workflow)
    )


def sections(found: DefinitionDiff) -> tuple[tuple[str, tuple[Section, ...]], ...]:
    """What differs, by halves: what decides, then titles and citations."""
    halves = (
        ("What can change a decision, or what a clinician is told", found.semantic),
        ("Titles and citations only", found.prose),
    )
    return tuple((title, _grouped(changes)) for title, changes in halves if changes)


def _grouped(changes: Sequence[Change]) -> tuple[Section, ...]:
    grouped = groupby(map(_written, changes), key=lambda change: change.section)
    return tuple(Section(name=name, changes=tuple(of_section)) for name, of_section in grouped)


def _written(change: Change) -> Change:
    details = (
        replace(
            one,
            before=one.before and written(one.before),
            after=one.after and written(one.after),
        )
        for one in change.details
    )
    return replace(change, details=tuple(details))

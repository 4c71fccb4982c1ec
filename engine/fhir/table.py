"""What each mapping says of itself, for the page that explains it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """An element of a resource, and what it is here."""

    element: str
    ours: str


def markdown(lines: Sequence[Line]) -> Iterator[str]:
    """A mapping as a table in Markdown."""
    yield "| Element | Here |"
    yield "|---|---|"
    for line in lines:
        yield f"| `{line.element}` | {line.ours} |"

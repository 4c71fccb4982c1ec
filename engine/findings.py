"""An open finding in words: which decisions are in question, and why; with where each number leads.

The terminal writes the pieces one after the other, a page makes links of those that name a record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.core.encoding import Json


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a sentence; `record` is the one that it names, `aside` what is told in small."""

    text: str
    record: int | None = None
    aside: bool = False


def finding(found: Mapping[str, Json]) -> tuple[Piece, ...]:
    """The pieces of a finding as `Overview.open_findings` gives it."""
    return (*_questioned(found), Piece(" "), *_why(found))


def plain(found: Mapping[str, Json]) -> str:
    """A finding where nothing can be told in small."""
    said = "".join(piece.text for piece in _questioned(found))
    return f"{said} ({''.join(piece.text for piece in _why(found))})"


def _questioned(found: Mapping[str, Json]) -> Iterator[Piece]:
    """The finding itself, and the decisions that it puts in question."""
    yield Piece(f"finding {found['finding']}", found["finding"])
    decisions = found["decisions"]
    yield Piece(f": {'record' if len(decisions) == 1 else 'records'} ")
    for place, seq in enumerate(decisions):
        if place:
            yield Piece(", ")
        yield Piece(f"{seq}", seq)
    yield Piece(" would have been decided otherwise")


def _why(found: Mapping[str, Json]) -> Iterator[Piece]:
    """What was not known when they were decided."""
    record, correction = found["record"], found["correction"]
    if correction is None:
        yield Piece(f"record {record}", record, aside=True)
        yield Piece(" was entered late", aside=True)
        return
    yield Piece(f"{found['title']} of ", aside=True)
    yield Piece(f"record {record}", record, aside=True)
    yield Piece(", corrected by ", aside=True)
    yield Piece(f"{correction}", correction, aside=True)

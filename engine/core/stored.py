"""The course row as the bytes that are stored, said again only where it changed.

An event changes a few members of a row of some thousand bytes. What did not change is the same
object as before (`row.patched` sees to that), and its text is the text from before. The bytes are
those of `encoding.canonical`, however they came about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring

from engine.core.encoding import Json, canonical
from engine.core.quick import quick
from engine.core.row import SECTIONS

_WORDS = {None: "null", True: "true", False: "false"}


@quick
@dataclass(frozen=True, slots=True)
class Part:
    """A member of the row and its text; of a section that changed before, each entry's too."""

    value: Json
    text: str
    entries: Mapping[str, str] | None = None


Parts = Mapping[str, Part]
"""The members of a row, in the order in which canonical JSON has them."""


def stored(row: Mapping[str, Json], before: Parts) -> tuple[bytes, Parts]:
    """The canonical bytes of a row, and its parts for the next time.

    `before` are the parts of an earlier version of the row; without any, all is said.
    """
    if before.keys() != row.keys():
        before = {}
    parts = {name: _part(name, row[name], before.get(name)) for name in before or sorted(row)}
    text = ",".join([f'"{name}":{part.text}' for name, part in parts.items()])
    return f"{{{text}}}".encode(), parts


def _part(name: str, value: Json, known: Part | None) -> Part:
    if known is None:
        return Part(value, _text(value))
    if known.value is value:
        return known
    if name not in SECTIONS:
        return Part(value, _text(value))
    entries = _entries(value, known)
    if entries is None:
        return Part(value, _text(value))
    return Part(value, f"{{{','.join(entries.values())}}}", entries)


def _entries(section: Mapping[str, Json], known: Part) -> Mapping[str, str] | None:
    """The entries of a section in their order, said again only where they changed.

    `None` where their order is not that of Python's: see `encoding.canonical`.
    """
    said, old = (known.entries, known.value) if known.entries is not None else ({}, {})
    if said.keys() == section.keys():
        names: Iterable[str] = said
    elif all(map(str.isascii, section)):
        names = sorted(section)
    else:
        return None
    return {
        name: said[name]
        if old.get(name) is section[name]
        else f"{_text(name)}:{_text(section[name])}"
        for name in names
    }


def _text(value: Json) -> str:
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is int:
        return int.__repr__(value)
    if kind is list:
        return f"[{','.join([_text(item) for item in value])}]"
    if value is None or kind is bool:
        return _WORDS[value]
    return canonical(value).decode()

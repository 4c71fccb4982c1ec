"""JSON Lines as they come from files and pipes: every line with its place, good or bad."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.core.encoding import Json, parse

STDIN = "-"
LENGTH = 1 << 20
"""No event is nearly as long; a longer line is none, and is not held in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line that is not blank: the event as JSON, or in `wrong` why it is none."""

    source: str
    number: int
    body: Json = None
    wrong: str | None = None

    @property
    def place(self) -> str:
        return f"{self.source}:{self.number}"


def lines_of(sources: Iterable[Path], read: Callable[[int], None]) -> Iterator[Line]:
    """The lines of files, or of stdin for `-`; `read` hears of the bytes that were read."""
    for source in sources:
        name = "stdin" if str(source) == STDIN else str(source)
        opened = nullcontext(sys.stdin.buffer) if str(source) == STDIN else source.open("rb")
        with opened as stream:
            for number, raw in enumerate(_raw(stream, read), start=1):
                if raw is None:
                    wrong = f"expected a line of at most {LENGTH} bytes"
                    yield Line(source=name, number=number, wrong=wrong)
                # Some editors begin a file with the mark that says it is UTF-8.
                elif text := raw.removeprefix(b"\xef\xbb\xbf" if number == 1 else b"").strip():
                    yield _line(name, number, text)


def _line(name: str, number: int, text: bytes) -> Line:
    try:
        return Line(source=name, number=number, body=parse(text))
    except ValueError as wrong:
        return Line(source=name, number=number, wrong=f"expected one JSON object, but {wrong}")


def _raw(stream: BinaryIO, read: Callable[[int], None]) -> Iterator[bytes | None]:
    while raw := stream.readline(LENGTH):
        read(len(raw))
        if len(raw) < LENGTH or raw.endswith(b"\n"):
            yield raw
            continue
        while raw and not raw.endswith(b"\n"):
            raw = stream.readline(LENGTH)
            read(len(raw))
        yield None

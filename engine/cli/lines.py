"""JSON Lines as they come from files and pipes: every line with its place, good or bad."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.core.encoding import Json, parse
from engine.errors import InvalidInput

STDIN = "-"
_JSON = "expected one JSON object"
_PLACED = re.compile(r"at (character|byte|byte) (\d+)$")
_COLUMNS = {"character": "at column", "byte": "at byte"}
LENGTH = 1 << 20
"""No event is nearly as long; a longer line is none, and is not held in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line that is not blank: the event as JSON, or in `wrong` why it is none."""

    source: str
    number: int
    body: Json = None
    wrong: str | None = None


def require_readable(source: str) -> None:
    """Raises InvalidInput unless there is such a file, or it is stdin."""
    if source != STDIN and (not Path(source).exists() or Path(source).is_dir()):
        raise InvalidInput("FILE", "a file of JSON Lines, or - for stdin", found=repr(source))


def lines_of(sources: Iterable[str], read: Callable[[int], None]) -> Iterator[Line]:
    """The lines of files, or of stdin for `-`; `read` hears of the bytes that were read."""
    for source in sources:
        name = "stdin" if source == STDIN else source
        with _opened(source) as stream:
            for number, raw in enumerate(_raw(stream, read), start=1):
                if raw is None:
                    wrong = f"event: expected a line of at most {LENGTH} bytes"
                    yield Line(source=name, number=number, wrong=wrong)
                # Some editors begin a file with the mark that says it is UTF-8.
                elif text := raw.removeprefix(b"\xef\xbb\xbf" if number == 1 else b"").strip():
                    yield _line(name, number, text)


def _opened(source: str) -> AbstractContextManager[BinaryIO]:
    if source == STDIN:
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(source).open("rb")
    except OSError as wrong:
        raise InvalidInput("FILE", "a file that can be read", found=str(wrong)) from wrong


def _line(name: str, number: int, text: bytes) -> Line:
    try:
        body = parse(text)
    except ValueError as error:
        said = str(error)
        # What is JSON, and has no place here, is told with its place; all else has none.
        placed = ": " in said or said.startswith("not ")
        wrong = _columned(said) if placed else f"event: {_JSON}, {said}"
        return Line(source=name, number=number, wrong=wrong)
    return Line(source=name, number=number, body=body)


def _columned(said: str) -> str:
    """People count columns from 1, where a parser counts characters from 0."""
    return _PLACED.sub(lambda at: f"{_COLUMNS[at[1]]} {int(at[2]) + 1}", said)


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

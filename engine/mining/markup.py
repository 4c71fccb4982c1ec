"""XML as it is written here: elements one after the other, and nothing kept in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

_UNSAYABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document can say."""


class Markup:
    """An XML document on its way out, indented."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._depth = 0
        self._out.write('<?xml version="1.0" encoding="UTF-8"?>\n')

    @contextmanager
    def inside(self, name: str, /, **attributes: object) -> Iterator[None]:
        """An element around what is written meanwhile."""
        self._line(f"<{name}{_written(attributes)}>")
        self._depth += 1
        yield
        self._depth -= 1
        self._line(f"</{name}>")

    def element(self, name: str, text: str | None = None, /, **attributes: object) -> None:
        """An element, empty or with a text."""
        if text is None:
            self._line(f"<{name}{_written(attributes)}/>")
        else:
            self._line(f"<{name}{_written(attributes)}>{escape(_clean(text))}</{name}>")

    def _line(self, text: str) -> None:
        self._out.write("  " * self._depth + text + "\n")


def _written(attributes: dict[str, object]) -> str:
    """The attributes: two underscores stand for a colon, one at the end is left out."""
    return "".join(
        f" {name.rstrip('_').replace('__', ':')}={quoteattr(_clean(str(value)))}"
        for name, value in attributes.items()
    )


def _clean(text: str) -> str:
    return _UNSAYABLE.sub("\ufffd", text)

"""Words for a terminal: what a file names can neither move the cursor nor hide a line.

A bundle comes from somebody who is not trusted. A course of it may be called anything, also what
clears the screen and writes there that all is whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_COMMANDS = re.compile(
    # What terminals obey, what turns the direction of writing, and halves of pairs. No tab, no end
    # of a line.
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def plain(text: str) -> str:
    r"""A text in which a terminal finds nothing to obey: such characters are spelled out.

    >>> plain("\x1b[2J all is whole")
    '\\x1b[2J all is whole'
    """
    return _COMMANDS.sub(lambda found: ascii(found[0])[1:-1], text)


def on_one_line(text: str) -> str:
    r"""Likewise, and no name begins a line of its own.

    >>> on_one_line("crane\nWHOLE")
    'crane\\nWHOLE'
    """
    return plain(text).replace("\n", "\\n")


class PlainConsole(Console):
    """Styles are ours to give; texts are shown as they are."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            safe = segment.text if segment.control else plain(segment.text)
            yield segment if safe == segment.text else segment._replace(text=safe)

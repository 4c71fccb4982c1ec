"""How lines look in a terminal: colours and indentation. What they say comes from `telling`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from engine.telling.marks import MARKS, VERDICT_TONES
from engine.telling.wording import Said, Tone

STYLES = {
    Tone.HEAD: "bold",
    Tone.QUIET: "dim",
    Tone.YES: "green",
    Tone.NO: "bold red",
    Tone.UNKNOWN: "bold yellow",
    Tone.DEVIATION: "bold magenta",
    Tone.OVERRIDE: "bold cyan",
    Tone.RULE: "bold",
    Tone.SOURCE: "dim",
    Tone.OWN: "dim italic",
}
QUIET = "dim"
CORRECTED = "strike dim"


class Lines:
    """Lines with lines below them, wrapped to the width that there is."""

    def __init__(self, said: Iterable[Said], *, sources: bool = True) -> None:
        self.said = tuple(said)
        self.sources = sources

    def __rich_console__(self, _: Console, __: ConsoleOptions) -> RenderResult:
        yield from self._drawn(self.said, 0)

    def _drawn(self, said: Iterable[Said], depth: int) -> Iterator[Padding]:
        for line in said:
            if not self.sources and line.tone is Tone.SOURCE:
                continue
            yield Padding(_row(line), (0, 0, 0, 2 * depth))
            yield from self._drawn(line.below, depth + 1)


def mark(tone: Tone) -> Text:
    """The mark of a tone in its colour; a blank where it has none."""
    return Text(MARKS.get(tone, " "), style=STYLES.get(tone, ""))


def verdict_mark(verdict: str) -> Text:
    """The mark of a verdict."""
    return mark(VERDICT_TONES.get(verdict, Tone.PLAIN))


def verdict_style(verdict: str) -> str:
    """The colour of a verdict."""
    return STYLES.get(VERDICT_TONES.get(verdict, Tone.PLAIN), "")


def _row(line: Said) -> Table:
    row = Table.grid(padding=(0, 1), expand=False)
    text = Text(line.text, style=STYLES.get(line.tone, ""))
    if line.aside:
        text.append(f"  {line.aside}", style="not bold dim")
    if line.tone in MARKS:
        row.add_column(width=1)
        row.add_column(overflow="fold")
        row.add_row(mark(line.tone), text)
    else:
        row.add_column(overflow="fold")
        row.add_row(text)
    return row

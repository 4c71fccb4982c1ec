"""A course as a picture in a terminal: states as bars over time, events as marks below them.

Where no time was published the axis counts records, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from engine.cli.ink import QUIET, STYLES, mark
from engine.core.definition import Kind
from engine.core.encoding import Json, instant_text
from engine.core.event import ADDENDUM, DISPOSED, ENGINE, LATE_ENTRY, RECONSIDERED
from engine.core.snapshot import Window
from engine.telling.axis import FOLD, Axis
from engine.telling.entry import Entry
from engine.telling.lexicon import Lexicon
from engine.telling.marks import MARKS
from engine.telling.passage import FIRST, Stay, dated, placed, stays
from engine.telling.wording import Tone, Wording

LABEL = 26
BAR, DUE, PLAIN = "█", "░", "·"
COLOURS = ("blue", "cyan", "green", "magenta", "yellow", "bright_blue", "bright_green")
SHORT = timedelta(days=3)
"""What lasts less is labelled with times of the day."""


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """What is drawn: entries in order, and the visits that are due."""

    entries: Sequence[Entry]
    lexicon: Lexicon
    wording: Wording
    visits: Mapping[str, Window]

    def json(self) -> dict[str, Json]:
        """The same as data; without times, where none were published."""
        return {
            "dated": self.dated,
            "states": [
                {
                    "state": stay.state,
                    "title": self.lexicon.state(stay.state),
                    "start": instant_text(stay.start) if self.dated else None,
                    "end": instant_text(stay.end) if self.dated else None,
                }
                for stay in self.stays
            ],
            "moments": [
                {"seq": entry.seq, "at": entry.body["event"]["at"], "said": said}
                for entry, _, said in self.moments()
            ],
        }

    @cached_property
    def dated(self) -> bool:
        """Whether there are times to draw."""
        return dated(self.entries)

    @cached_property
    def placed(self) -> list[tuple[Entry, datetime]]:
        """The entries with where they stand: at their time, or one after the other."""
        return placed(self.entries)

    @cached_property
    def stays(self) -> list[Stay]:
        """The states in their order."""
        return stays(self.entries)

    def moments(self) -> Iterator[tuple[Entry, Tone, str]]:
        """What a reader should notice: stages, refusals, deviations, overrides, corrections."""
        stage = None
        for entry in self.entries:
            before, stage = stage, self.lexicon.stage(entry.states[1])
            title = self.lexicon.event(entry.event)
            if entry.verdict == "refused":
                yield entry, Tone.NO, f"refused: {title}"
                continue
            if entry.verdict == "deviation":
                yield entry, Tone.DEVIATION, f"deviation: {title}"
            for guard in entry.overridden:
                yield entry, Tone.OVERRIDE, f"override: {self.lexicon.guard(guard)}"
            if entry.opens_round is not None:
                yield entry, Tone.HEAD, f"round {entry.opens_round} begins"
            if entry.corrects is not None:
                taken_back = entry.seq in self._retractions
                how = "was entered in error" if taken_back else "is corrected"
                yield entry, Tone.OVERRIDE, f"record {entry.corrects} {how}"
            if said := _said_of_records(entry):
                yield entry, *said
            if entry.moved_by is not None:
                rule, state = (
                    self.lexicon.guard(entry.moved_by),
                    self.lexicon.state(entry.states[1]),
                )
                yield entry, Tone.RULE, f"{rule} → {state}"
            elif stage != before:
                yield entry, Tone.PLAIN, f"→ {self.lexicon.state(entry.states[1])}"

    @cached_property
    def _retractions(self) -> frozenset[int]:
        return frozenset(seq for entry in self.entries for seq in entry.marks.retracted)

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        axis = self._axis(max(20, options.max_width - LABEL - 1))
        yield self._ticks(axis)
        yield Text(" " * (LABEL + 1) + axis.line(), style=QUIET)
        yield from self._bars(axis)
        yield from self._visits(axis)
        for label, style, sign, belongs in _ROWS:
            if (row := self._marks(axis, label, style, sign, belongs)) is not None:
                yield row
        if any(axis.folded):
            days = axis.longest.days
            yield Text(f"{FOLD} folded: nothing but timers for more than {days} days", style=QUIET)
        if not self.dated:
            timed = any(entry.at is not None for entry in self.entries)
            why = "All has one time" if timed else "No times were published"
            yield Text(f"{why}: the axis counts records.", style=STYLES[Tone.UNKNOWN])
        yield Text()
        for entry, tone, said in self.moments():
            yield self._moment(entry, tone, said)

    def _axis(self, width: int) -> Axis:
        sent = [at for entry, at in self.placed if entry.role != ENGINE]
        ends = [self.placed[-1][1], *(at for _, at in self.placed[:1])]
        windows = [edge for pair in self._windows() for edge in pair] if self.dated else []
        return Axis.over([*sent, *ends, *windows], width=width)

    def _ticks(self, axis: Axis) -> Text:
        line = [" "] * (LABEL + 1 + axis.width)
        for column in axis.ticks():
            label = self._label(axis, column)
            # The last one ends at the edge, the others begin at their tick.
            start = LABEL + 1 + min(column, axis.width - len(label))
            line[start : start + len(label)] = label
        return Text("".join(line), style=QUIET)

    def _label(self, axis: Axis, column: int) -> str:
        at = axis.instant(column)
        if self.dated:
            return self._date(at, axis)
        n = min(round((at - FIRST) / timedelta(days=1)), len(self.entries) - 1)
        return f"record {self.entries[n].seq}"

    def _date(self, at: datetime, axis: Axis) -> str:
        said = self.wording.instant(at)
        return said[5:] if axis.marks[-1] - axis.marks[0] < SHORT else said[:10]

    def _bars(self, axis: Axis) -> Iterator[Text]:
        stages = list(dict.fromkeys(self.lexicon.stage(stay.state) for stay in self.stays))
        for state in dict.fromkeys(stay.state for stay in self.stays):
            drawn = [" "] * axis.width
            for stay in self.stays:
                if stay.state == state:
                    first, last = axis.column(stay.start), axis.column(stay.end)
                    drawn[first : last + 1] = [BAR] * (last + 1 - first)
            colour = COLOURS[stages.index(self.lexicon.stage(state)) % len(COLOURS)]
            current = state == self.stays[-1].state
            yield Text.assemble(
                (_label(self.lexicon.state(state)), "bold" if current else ""),
                ("".join(drawn), colour),
            )

    def _visits(self, axis: Axis) -> Iterator[Text]:
        if not self.dated:
            return
        for name, (opens, closes) in zip(self.visits, self._windows(), strict=True):
            first, last = axis.column(opens), axis.column(closes)
            drawn = " " * first + DUE * (last + 1 - first)
            titles = {visit.name: visit.title for visit in self.lexicon.workflow.visits}
            label = f"due: {titles.get(name) or name} {self.visits[name].number}"
            yield Text.assemble(_label(label), (drawn, STYLES[Tone.YES]))

    def _windows(self) -> list[tuple[datetime, datetime]]:
        zone = self.wording.zone
        return [
            (
                datetime(*w.earliest.timetuple()[:3], tzinfo=zone).astimezone(UTC),
                datetime(*w.latest.timetuple()[:3], 23, 59, tzinfo=zone).astimezone(UTC),
            )
            for w in self.visits.values()
        ]

    def _marks(
        self, axis: Axis, label: str, style: str, sign: str, belongs: Callable[[Entry, Kind], bool]
    ) -> Text | None:
        counts: dict[int, int] = {}
        for entry, at in self.placed:
            if belongs(entry, self._kind(entry)):
                column = axis.column(at)
                counts[column] = counts.get(column, 0) + 1
        if not counts:
            return None
        drawn = "".join(
            " " if n not in counts else sign if counts[n] == 1 else _many(counts[n])
            for n in range(max(counts) + 1)
        )
        return Text.assemble((_label(label), style), (drawn, style))

    def _kind(self, entry: Entry) -> Kind:
        declared = self.lexicon.machine.events.get(entry.event)
        return declared.kind if declared is not None else Kind.REPORT

    def _moment(self, entry: Entry, tone: Tone, said: str) -> Table:
        at = self.wording.instant(entry.at) if entry.at is not None else ""
        style = STYLES.get(tone, "")
        row = Table.grid(padding=(0, 1, 0, 0))
        row.add_column(width=16)
        row.add_column(width=1)
        row.add_column()
        text = Text.assemble((said, style), (f"  record {entry.seq}", "not bold dim"))
        row.add_row(Text(at, style=QUIET), mark(tone), text)
        return row


_ROWS: tuple[tuple[str, str, str, Callable[[Entry, Kind], bool]], ...] = (
    (f"{MARKS[Tone.YES]} requests granted", STYLES[Tone.YES], MARKS[Tone.YES],
     lambda e, kind: kind is Kind.REQUEST and e.verdict == "accepted"),
    (f"{MARKS[Tone.NO]} requests refused", STYLES[Tone.NO], MARKS[Tone.NO],
     lambda e, _: e.verdict == "refused"),
    (f"{MARKS[Tone.OVERRIDE]} overrides", STYLES[Tone.OVERRIDE], MARKS[Tone.OVERRIDE],
     lambda e, _: bool(e.overridden)),
    (f"{MARKS[Tone.DEVIATION]} deviations", STYLES[Tone.DEVIATION], MARKS[Tone.DEVIATION],
     lambda e, _: e.verdict == "deviation"),
    (f"{MARKS[Tone.RULE]} moved by a rule", STYLES[Tone.RULE], MARKS[Tone.RULE],
     lambda e, _: e.moved_by is not None),
    (f"{PLAIN} reports", "", PLAIN,
     lambda e, kind: kind is Kind.REPORT and e.verdict == "accepted" and e.role != ENGINE),
    ("○ timers", QUIET, "○", lambda e, _: e.role == ENGINE),
)  # fmt: skip


def _said_of_records(entry: Entry) -> tuple[Tone, str] | None:
    """What an amendment says, that a reader should notice."""
    data = entry.body["event"].get("data", {})
    match entry.event:
        case _ if entry.event == ADDENDUM:
            return Tone.OVERRIDE, f"more is said of record {data['record']}"
        case _ if entry.event == LATE_ENTRY:
            return Tone.UNKNOWN, f"why record {data['record']} was entered late"
        case _ if entry.event == RECONSIDERED and data["differing"]:
            which = ", ".join(str(one["record"]) for one in data["differing"])
            return Tone.DEVIATION, f"open finding {entry.seq}: would differ: {which}"
        case _ if entry.event == DISPOSED:
            return Tone.OVERRIDE, f"finding {data['finding']}: {data['disposition']}"
        case _:
            return None


def _label(said: str) -> str:
    short = said if len(said) <= LABEL else f"{said[: LABEL - 1]}…"
    return f"{short:<{LABEL}} "


def _many(count: int) -> str:
    return str(count) if count < 10 else "+"

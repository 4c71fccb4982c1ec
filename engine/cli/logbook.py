"""The records of a course as people read them: one entry each, with marks for what is unusual.

A corrected value stays where it was recorded; it is struck out, and names the record that corrects
it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.text import Text

from engine.cli.ink import CORRECTED, QUIET, STYLES, Lines, verdict_style
from engine.core.finding import Missing
from engine.telling.entry import Entry
from engine.telling.explanation import Explained
from engine.telling.lexicon import Lexicon
from engine.telling.seen import Seen
from engine.telling.sent import corrected, lateness, sent
from engine.telling.wording import Said, Tone, Wording, plain

FEW = 3
"""How many guards a refusal names in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logbook:
    """Entries as a table; `findings` tells with each what it rests on.

    `lacking` is what requirements lacked, by record and guard; `texts` are free texts.
    """

    entries: Sequence[Entry]
    lexicon: Lexicon
    wording: Wording
    findings: bool = False
    lacking: Mapping[int, Mapping[str, tuple[Missing, ...]]] = field(default_factory=dict)
    texts: Mapping[int, Mapping[str, str]] = field(default_factory=dict)

    def explained(self, entry: Entry) -> Explained:
        """The decision of a record, joined with the definition."""
        before, after = entry.states
        age = None if entry.at is None else entry.recorded_at - entry.at
        seen = Seen(at=entry.at, age=age, lacking=self.lacking.get(entry.seq, {}))
        return self.lexicon.explained(
            entry.event, entry.body["decision"], state_before=before, state=after, seen=seen
        )

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        rows = [_HEADS, *(self._cells(entry) for entry in self.entries)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        if sum(widths) + len(widths) > options.max_width:
            widths[_HEADS.index("Recorded")] = 0
        yield _line(widths, _HEADS, ["bold"] * len(_HEADS))
        for entry, cells in zip(self.entries, rows[1:], strict=True):
            yield _line(widths, cells, _styles(entry))
            if notes := self._notes(entry):
                yield Padding(notes, _BELOW)
            if self.findings and entry.states[0] is not None:
                yield Padding(Lines(self._findings(entry)), _BELOW)

    def _cells(self, entry: Entry) -> tuple[str, ...]:
        return (
            str(entry.seq),
            self._at(entry),
            self._recorded(entry),
            entry.event,
            entry.role,
            entry.verdict,
            entry.states[1].replace("_", " "),
        )

    def _findings(self, entry: Entry) -> tuple[Said, ...]:
        before, after = entry.states
        states = (self.lexicon.state(before), self.lexicon.state(after))
        return self.wording.decision(self.explained(entry), states).below

    def _notes(self, entry: Entry) -> Text:
        """What was sent, then what is unusual about it."""
        told = self._sent(entry)
        marks: list[tuple[str, str]] = []
        if entry.verdict == "refused":
            marks.append((self._refusal(entry), STYLES[Tone.NO]))
        if entry.body["decision"].get("another_open"):
            marks.append(("stays closed: another course is open", STYLES[Tone.NO]))
        if late := lateness(entry):
            marks.append((late, STYLES[Tone.UNKNOWN]))
        for guard, verdict in entry.overridden.items():
            code = entry.body["event"]["override"]["code"]
            marks.append((f"override of {guard} ({verdict}): {code}", STYLES[Tone.OVERRIDE]))
        if entry.moved_by is not None:
            marks.append((f"moved by {entry.moved_by}", STYLES[Tone.RULE]))
        if entry.corrects is not None:
            marks.append((f"corrects record {entry.corrects}", STYLES[Tone.OVERRIDE]))
        marks += [
            (f"would differ with correction {seq}", STYLES[Tone.DEVIATION])
            for seq in entry.marks.differs_by
        ]
        marks += [
            (f"would differ with late entry {seq}", STYLES[Tone.DEVIATION])
            for seq in entry.marks.differs_by_late
        ]
        marks += [(f"addendum in {seq}", STYLES[Tone.OVERRIDE]) for seq in entry.marks.addenda]
        marks += _signatures(entry)
        reason = entry.body["event"].get("reason") or {}
        if "code" in reason:
            marks.append((f"reason: {reason['code']}", QUIET))
        marks += [(f"“{text}”", "italic") for text in self.texts.get(entry.seq, {}).values()]
        for text, style in marks:
            if told:
                told.append("; ", style=QUIET)
            told.append(text, style=style)
        return told

    def _refusal(self, entry: Entry) -> str:
        decision = entry.body["decision"]
        kept = [w["guard"] for a in decision.get("attempts", ()) for w in a["kept_by"]]
        names = list(dict.fromkeys(kept))
        more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
        listed = f": {', '.join(names[:FEW])}{more}" if names else ""
        return f"{decision['reason']}{listed}"

    def _sent(self, entry: Entry) -> Text:
        fields = self.lexicon.bound(entry.event)
        event = entry.body["event"]
        impossible = self.lexicon.impossible(event)
        told = Text()
        for name, value in sent(entry).items():
            if told:
                told.append(", ", style=QUIET)
            of_input = fields.get(name, name)
            struck = entry.corrected.get(of_input)
            said = self.wording.value(plain(value)).replace("_", " ")
            told.append(f"{name.replace('_', ' ')} ", style=QUIET)
            told.append(said, style=CORRECTED if struck is not None else "")
            if of_input in impossible:
                range_ = self.wording.value(self.lexicon.range_of(of_input))
                told.append(f" impossible, not used ({range_})", style=STYLES[Tone.NO])
            if struck is not None:
                told.append(f" {corrected(entry, struck)}", style=STYLES[Tone.OVERRIDE])
        return told

    def _at(self, entry: Entry) -> str:
        if entry.at is not None:
            return self.wording.instant(entry.at)
        at = entry.body["event"]["at"]
        return plain(at) if isinstance(at, dict) else "not published"

    def _recorded(self, entry: Entry) -> str:
        recorded = self.wording.instant(entry.recorded_at)
        same_day = entry.at is not None and recorded[:10] == self.wording.instant(entry.at)[:10]
        return recorded[11:] if same_day else recorded[:10]


def _signatures(entry: Entry) -> list[tuple[str, str]]:
    """Who signed a record with which meaning, whether that holds, and what is lacking."""
    marks = []
    for one in entry.signed.given:
        late = ", late" if one.late else ""
        holds = "" if one.holds else ": DOES NOT HOLD"
        said = f"signed by {one.actor} ({one.meaning}{late}, record {one.seq}){holds}"
        marks.append((said, STYLES[Tone.OVERRIDE if one.holds else Tone.NO]))
    if entry.signed.missing:
        marks.append((f"unsigned: {', '.join(entry.signed.missing)}", STYLES[Tone.UNKNOWN]))
    return marks


_HEADS = ("#", "At", "Recorded", "Event", "Role", "Verdict", "State")
_BELOW = (0, 0, 0, 5)


def _styles(entry: Entry) -> list[str]:
    verdict = verdict_style(entry.verdict)
    event = verdict if entry.verdict != "accepted" else ""
    return [QUIET, "", QUIET, event, QUIET, verdict, "bold" if entry.moved else QUIET]


def _line(widths: Sequence[int], cells: Sequence[str], styles: Sequence[str]) -> Text:
    """Cells side by side; a column without width is left out."""
    line = Text(no_wrap=True, overflow="ellipsis")
    for width, cell, style in zip(widths, cells, styles, strict=True):
        if width:
            line.append(cell.ljust(width), style=style)
            line.append(" ")
    line.rstrip()
    return line

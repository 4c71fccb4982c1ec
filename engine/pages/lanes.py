"""A course under two definitions as a picture: its states as lanes on one time axis, and between
them a mark for each record that would be otherwise. The first of them is the line where they part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from engine.core.definition import Waits
from engine.core.machine import Machine
from engine.core.supposition import Pair
from engine.pages.scale import TimeScale
from engine.pages.svg import cut, element, joined, length, told
from engine.pages.what_if import QUIET, Beside, Kind, kind_of, seq_of
from engine.telling.entry import Entry
from engine.telling.lexicon import Lexicon
from engine.telling.passage import dated, placed, stays

LEFT, WIDTH, RIGHT = 110, 1090, 20
WHOLE = LEFT + WIDTH + RIGHT
BAR, BETWEEN, TOP = 16, 26, 24
SAID: Mapping[Kind, str] = {
    Kind.FLIPPED: "another decision",
    Kind.DIFFERS: "the same decision, and something else is otherwise",
    Kind.UNJUDGED: "cannot be judged",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stay in a state, as a bar."""

    state: str
    start: datetime
    end: datetime


def lanes(beside: Beside, label: str) -> Markup | None:
    """The picture; `None` where no times were published, so that there is no axis."""
    entries = beside.book.entries
    return _Lanes(beside, entries).whole(label) if dated(entries) else None


class _Lanes:
    def __init__(self, beside: Beside, entries: Sequence[Entry]) -> None:
        self.beside = beside
        self.places = {entry.seq: at for entry, at in placed(entries)}
        self.recorded = [Stretch(state=s.state, start=s.start, end=s.end) for s in stays(entries)]
        self.supposed = list(self._supposed()) if beside.followed else []
        instants = [*self.places.values(), *(self._at(pair) for pair in beside.pairs)]
        self.time = TimeScale.over(instants, left=LEFT, width=WIDTH, zone=beside.book.wording.zone)

    def whole(self, label: str) -> Markup:
        middle = TOP + BAR + BETWEEN / 2
        below = TOP + BAR + BETWEEN
        height = (below + BAR if self.beside.followed else below - 2) + 16
        drawn = [
            *self._axis(height - 13),
            self._name("As recorded", TOP + 12),
            *self._bars(self.recorded, self.beside.book.lexicon.machine, TOP),
            self._name("Otherwise", middle + 4),
            *self._unasked(middle),
        ]
        if self.beside.followed:
            drawn.append(self._name("As supposed", below + 12))
            drawn += self._bars(self.supposed, self.beside.other, below)
        drawn += [*self._parting(height), *self._marks(middle)]
        return element(
            "svg", joined(drawn), xmlns="http://www.w3.org/2000/svg", class_="timeline lanes",
            viewBox=f"0 0 {WHOLE} {height:g}", role="group", aria_label=label,
        )  # fmt: skip

    def _supposed(self) -> Iterator[Stretch]:
        steps = [(self._at(pair), pair.state) for pair in self.beside.pairs]
        since, state = steps[0]
        latest = since
        for at, after in steps[1:]:
            latest = max(latest, at)
            if after != state:
                if state is not None:
                    yield Stretch(state=state, start=since, end=latest)
                since, state = latest, after
        if state is not None:
            yield Stretch(state=state, start=since, end=latest)

    def _at(self, pair: Pair) -> datetime:
        if pair.record is None and pair.divergence is not None and pair.divergence.at is not None:
            return pair.divergence.at
        return self.places[seq_of(pair)]

    def _axis(self, height: float) -> Iterator[Markup]:
        for tick in self.time.ticks():
            kind, anchor = "tick major" if tick.major else "tick", "end" if tick.leftward else None
            yield element("line", x1=tick.x, x2=tick.x, y1=16, y2=height, class_="grid-line")
            yield element("text", tick.label, x=tick.x, y=12, class_=kind, text_anchor=anchor)
        for start, end, silent in self.time.folds:
            said = told(f"folded: nothing for {silent.days} days")
            yield element("rect", said, x=start, y=16, width=max(end - start, 2),
                          height=height - 16, class_="fold")  # fmt: skip

    def _name(self, name: str, y: float) -> Markup:
        return element("text", name, x=0, y=y, class_="lane")

    def _bars(self, stretches: Sequence[Stretch], machine: Machine, y: float) -> Iterator[Markup]:
        lexicon = Lexicon(machine)
        for one in stretches:
            title = lexicon.state(one.state)
            declared = machine.states.get(one.state)
            waits = None if declared is None else declared.waits
            kind = {Waits.HOLD: " hold", Waits.DECISION: " decision", None: ""}[waits]
            start, end = self.time.x(one.start), self.time.x(one.end)
            wide = max(end - start, 2)
            said = f"{title}\n{self._day(one.start)} to {self._day(one.end)}"
            yield element("rect", told(said), x=start, y=y, width=wide, height=BAR, rx=1.5,
                          class_=f"stay{kind}")  # fmt: skip
            words = cut(title, wide - 8, 10)
            if len(words) > 4:
                yield element("text", words, x=start + 4, y=y + 11.5, class_=f"in-bar{kind}")

    def _marks(self, y: float) -> Iterator[Markup]:
        for pair in self.beside.pairs:
            kind = kind_of(pair)
            if kind in QUIET:
                continue
            x, seq = self.time.x(self._at(pair)), seq_of(pair)
            place = f"record {seq}" if pair.record is not None else f"after record {seq}"
            name = pair.record.event if pair.record is not None else (
                pair.divergence.event if pair.divergence is not None else ""
            )  # fmt: skip
            said = told(f"{place}: {self.beside.title(name)}\n{SAID[kind]}")
            anchor = f"#record-{seq}" if pair.record is not None else f"#after-{seq}"
            yield element("a", said, _mark(kind, x, y), href=anchor, tabindex="-1")

    def _parting(self, height: float) -> Iterator[Markup]:
        first = next((p for p in self.beside.pairs if p.divergence is not None), None)
        if first is None:
            return
        x = self.time.x(self._at(first))
        yield element("line", x1=x, x2=x, y1=16, y2=height, class_="parting")
        words = "first difference"
        left = x + 6 + length(words, 10) > LEFT + WIDTH
        yield element("text", words, x=x - 5 if left else x + 5, y=height - 3,
                      class_="parting-text", text_anchor="end" if left else None)  # fmt: skip

    def _unasked(self, y: float) -> Iterator[Markup]:
        """What the policy leaves out."""
        out = [self._at(pair) for pair in self.beside.pairs if kind_of(pair) is Kind.UNASKED]
        if out:
            start, end = self.time.x(min(out)), self.time.x(max(out))
            yield element("rect", told("not asked any more"), x=start, y=y - 5,
                          width=max(end - start, 2), height=10, class_="fold")  # fmt: skip

    def _day(self, at: datetime) -> str:
        return self.beside.book.wording.instant(at)


def _mark(kind: Kind, x: float, y: float) -> Markup:
    if kind is Kind.FLIPPED:
        arms = f"M{x - 4:.1f} {y - 4:.1f}l8 8M{x + 4:.1f} {y - 4:.1f}l-8 8"
        return element("path", d=arms, class_="mark no")
    if kind is Kind.UNJUDGED:
        return element("text", "?", x=x, y=y + 4, class_="unknown", text_anchor="middle")
    return element("circle", cx=x, cy=y, r=3.4, class_="mark override")

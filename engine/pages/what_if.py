"""A course side by side: left as it was recorded, right as another definition would have it.

A row is a record, or a timer that only the other definition lets come. What is alike is told once
for all of a stretch, unless every record is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from engine.core.contrast import Divergence, Outcome, Wait
from engine.core.encoding import Json
from engine.core.machine import Machine
from engine.core.outcome import Decision
from engine.core.record import decision_json
from engine.core.setting import Set
from engine.core.supposition import Pair, Supposition, Why
from engine.core.tally import Tally
from engine.core.verdicts import Flip, Use
from engine.core.what_if import Policy
from engine.pages.records import Book
from engine.telling.lexicon import Lexicon
from engine.telling.marks import VERDICT_TONES
from engine.telling.seen import Seen
from engine.telling.supposing import DIFFERS, MEANING, cannot
from engine.telling.units import written
from engine.telling.wording import Said, Tone, Wording

PAGE = 100
"""How many rows one page shows."""


class Kind(StrEnum):
    """What a row says of its record; also how it looks."""

    ALIKE = "alike"
    FLIPPED = "flipped"
    DIFFERS = "differs"
    UNJUDGED = "unjudged"
    UNASKED = "unasked"


QUIET = (Kind.ALIKE, Kind.UNASKED)
"""There is nothing to tell of these."""


def kind_of(pair: Pair) -> Kind:
    """What there is to say of a record, or of a timer."""
    one = pair.divergence
    if pair.unjudged is not None or (one is not None and not one.judged):
        return Kind.UNJUDGED
    if one is None:
        return Kind.UNASKED if pair.state is None else Kind.ALIKE
    return Kind.FLIPPED if one.flipped else Kind.DIFFERS


def seq_of(pair: Pair) -> int:
    """The record of a pair; of a timer the one before it."""
    if pair.record is not None:
        return pair.record.seq
    return 0 if pair.divergence is None else pair.divergence.seq


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one of the two definitions made of an event."""

    verdict: str
    tone: Tone
    state: str
    moved: bool
    why: Said | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A record with both sides; a timer of the other definition has no left one and no `seq`.

    `after` is the record that it stands at, or behind; `lines` say in what the sides differ, or
    why there is no right one.
    """

    kind: Kind
    seq: int | None
    after: int
    at: str
    title: str
    left: Side | None
    right: Side | None
    differs: str = ""
    lines: tuple[Said, ...] = ()
    first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Records one after the other of which there is nothing to tell: alike, or not asked."""

    kind: Kind
    start: int
    end: int

    @property
    def many(self) -> int:
        return self.end - self.start + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardLine:
    """How often a guard weighs otherwise, from what to what."""

    title: str
    name: str
    use: str
    recorded: str
    again: str
    tone: Tone
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """What cannot be judged, why, and of which records."""

    why: str
    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A parameter that is supposed to be otherwise."""

    title: str
    name: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A course under two definitions, to be shown a page of rows at a time."""

    found: Supposition
    pairs: Sequence[Pair]
    policy: Policy
    book: Book
    other: Machine

    @property
    def meaning(self) -> str:
        return MEANING[self.policy]

    @property
    def followed(self) -> bool:
        """Whether the course goes on as the other definition decides."""
        return self.policy is Policy.FOLLOW_NEW

    @property
    def tally(self) -> Mapping[str, Json]:
        """The counts, as the terminal has them."""
        tally = Tally()
        tally.add(self.found)
        return tally.json()

    @property
    def first(self) -> Row | None:
        """The first difference."""
        return next((self._row(p) for p in self.pairs if p.divergence is not None), None)

    @property
    def ends(self) -> tuple[str, str] | None:
        """The states in which the course ends by either side; `None` where nobody asked so far."""
        state = self.pairs[-1].state
        if state is None:
            return None
        return self._own.state(self.book.entries[-1].states[1]), self._new.state(state)

    def rows(self, *, whole: bool, start: int = 0) -> tuple[tuple[Row | Run, ...], int | None]:
        """A page of rows from one on, and where the next page starts."""
        shown = self.pairs if whole else list(self._told())
        end = start + PAGE
        rows = (one if isinstance(one, Run) else self._row(one) for one in shown[start:end])
        return tuple(rows), end if end < len(shown) else None

    def guards(self) -> Iterator[GuardLine]:
        """The guards that weigh otherwise, the most frequent first."""
        for guard in self.tally["guards"]:
            for flip in guard["flips"]:
                yield GuardLine(
                    title=self._guard(guard["guard"]),
                    name=guard["guard"],
                    use=guard["use"],
                    recorded=flip["recorded"],
                    again=flip["again"],
                    tone=_tone(flip["again"], Use(guard["use"])),
                    times=flip["times"],
                )

    def silent(self) -> Iterator[Silent]:
        """What cannot be judged, and why."""
        wanting: dict[str, list[int]] = {}
        for one in self.found.divergences:
            if not one.judged:
                wanting.setdefault(self._wanting(one), []).append(one.seq)
        for said, seqs in wanting.items():
            yield Silent(why=said, seqs=tuple(seqs))
        reasons: dict[Why, list[int]] = {}
        for unjudged in self.found.unjudged:
            reasons.setdefault(unjudged.why, []).append(unjudged.seq)
        for why, seqs in reasons.items():
            yield Silent(why=cannot(why, len(seqs)), seqs=tuple(seqs))

    def title(self, event: str) -> str:
        """What an event is called."""
        said = self._new.event(event)
        return self._own.event(event) if said == event else said

    # --- how ----------------------------------------------------------------------------------

    @property
    def _own(self) -> Lexicon:
        return self.book.lexicon

    @property
    def _new(self) -> Lexicon:
        return Lexicon(self.other)

    @property
    def _wording(self) -> Wording:
        return self.book.wording

    def _told(self) -> Iterator[Pair | Run]:
        """Pairs of which there is something to tell, and runs of the others."""
        for kind, pairs in groupby(self.pairs, key=kind_of):
            found = list(pairs)
            if kind in QUIET:
                yield Run(kind=kind, start=seq_of(found[0]), end=seq_of(found[-1]))
            else:
                yield from found

    def _row(self, pair: Pair) -> Row:
        kind, divergence = kind_of(pair), pair.divergence
        first = divergence is not None and divergence == self.found.first
        if pair.record is None:
            return self._timer(pair, divergence, first=first)
        line = self.book.line(pair.record.seq)
        told = kind not in QUIET
        left = Side(
            verdict=line.verdict, tone=line.tone, state=line.after, moved=line.moved,
            why=line.said if told else None,
        )  # fmt: skip
        return Row(
            kind=kind,
            seq=line.seq,
            after=line.seq,
            at=line.at,
            title=line.title,
            left=left,
            right=self._right(pair, left),
            differs="" if divergence is None else _in_what(divergence),
            lines=tuple(self._lines(pair)),
            first=first,
        )

    def _timer(self, pair: Pair, divergence: Divergence | None, *, first: bool) -> Row:
        assert divergence is not None  # noqa: S101  # a timer of its own is a difference
        return Row(
            kind=Kind.DIFFERS,
            seq=None,
            after=divergence.seq,
            at=self._wording.instant(divergence.at),
            title=self.title(divergence.event),
            left=None,
            right=self._decided(pair, divergence.event, divergence.at, divergence.again),
            differs="a timer that is not in the record",
            lines=tuple(self._lines(pair)),
            first=first,
        )

    def _right(self, pair: Pair, left: Side) -> Side | None:
        record, divergence = pair.record, pair.divergence
        if divergence is not None and record is not None:
            return self._decided(pair, record.event, record.at, divergence.again)
        if pair.unjudged is not None or pair.state is None:
            return None
        state = self._new.state(pair.state)
        return Side(
            verdict=left.verdict, tone=left.tone, state=state,
            moved=left.moved and state == left.state,
        )  # fmt: skip

    def _decided(self, pair: Pair, event: str, at: datetime | None, outcome: Outcome) -> Side:
        why = None if pair.decision is None else self._why(pair.decision, event, at, outcome)
        return Side(
            verdict=outcome.verdict,
            tone=VERDICT_TONES.get(outcome.verdict, Tone.PLAIN),
            state=self._new.state(outcome.state),
            moved=outcome.moved,
            why=why,
        )

    def _why(self, decision: Decision, event: str, at: datetime | None, outcome: Outcome) -> Said:
        before = getattr(decision, "state_before", outcome.state)
        lacking = {w.guard: w.missing for a in decision.attempts for w in a.kept_by if w.missing}
        told = self._new.explained(
            event,
            decision_json(decision),
            state_before=before,
            state=outcome.state,
            seen=Seen(at=at, lacking=lacking),
        )
        states = (self._new.state(before), self._new.state(outcome.state))
        return self._wording.decision(told, states, would=True)

    def _lines(self, pair: Pair) -> Iterator[Said]:
        if pair.unjudged is not None:
            yield Said(_capital(cannot(pair.unjudged.why)), Tone.UNKNOWN, aside=pair.unjudged.what)
        one = pair.divergence
        if one is None:
            return
        if not one.judged:
            yield Said(f"Not judged: {self._wanting(one)}", Tone.UNKNOWN)
        for flip in one.flips:
            yield self._flip(flip)
        for name in one.advice_gained:
            yield Said(f"Told as well: {self._advice(name)}", Tone.ADVICE)
        for name in one.advice_lost:
            yield Said(f"No longer told: {self._advice(name)}", Tone.ADVICE)
        if one.remembered:
            names = "; ".join(map(self._called, one.remembered))
            yield Said(f"Remembered otherwise: {names}")
        for wait in one.waits:
            yield Said(self._wait(wait))

    def _flip(self, flip: Flip) -> Said:
        tone = _tone(flip.again, flip.use)
        lacks = f", for want of {self._named(flip.lacks)}" if flip.lacks else ""
        return Said(
            f"{self._guard(flip.guard)}: {flip.recorded} → {flip.again}{lacks}", tone,
            aside=flip.use.value,
        )  # fmt: skip

    def _wanting(self, one: Divergence) -> str:
        return f"nobody recorded {self._named(one.lacks)}"

    def _named(self, lacks: Iterable[str]) -> str:
        return ", ".join(dict.fromkeys(self._new.lack(one)["title"] for one in lacks))

    def _wait(self, wait: Wait) -> str:
        before, after = (
            self._wording.value(said) if said else "not at all"
            for said in (wait.recorded, wait.again)
        )
        return f"{_capital(wait.kind)} “{self._called(wait.name)}”: {before} → {after}"

    def _advice(self, name: str) -> str:
        told = [*self._new.advised([name]), *self._own.advised([name])]
        return told[0]["text"] if told else name

    def _called(self, name: str) -> str:
        return _capital(self._new.called(name))

    def _guard(self, name: str) -> str:
        said = self._new.guard(name)
        return self._own.guard(name) if said == name else said


def changed(machine: Machine, settings: Iterable[Set]) -> Iterator[Changed]:
    """The parameters that are supposed to be otherwise, in words."""
    titles = {parameter.name: parameter.title for parameter in machine.workflow.parameters}
    for one in settings:
        yield Changed(
            title=titles.get(one.parameter) or one.parameter.replace("_", " "),
            name=one.parameter,
            before=written(one.before),
            after=written(one.after),
        )


def _tone(again: str, use: Use) -> Tone:
    """A requirement that is met is good news, a rule that holds is not."""
    if use is Use.RULE and again in ("yes", "no"):
        return Tone.RULE if again == "yes" else Tone.PLAIN
    return VERDICT_TONES.get(again, Tone.QUIET)


def _in_what(one: Divergence) -> str:
    return ", ".join(DIFFERS[aspect] for aspect in one.aspects)


def _capital(said: str) -> str:
    return f"{said[:1].upper()}{said[1:]}"

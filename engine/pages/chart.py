"""What is drawn of a course over time, gathered from its records and its own definition.

Nothing here knows a workflow. What a definition counts or sums up is an amount that was given, and
stands on its own feet; every other number is a measurement, drawn with the limits that the guards
hold it against. An event that brought anything else has a row. What was corrected stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from engine.core.definition import Input, Kind, Waits
from engine.core.encoding import Json
from engine.core.event import ENGINE, Event
from engine.core.phrase import value_text
from engine.core.row import booking_from, window_from
from engine.core.view import Reading
from engine.errors import InvalidInput
from engine.pages.digest import ByDigest
from engine.pages.limits import NUMERIC, Limit, amounts_of, limits_of
from engine.telling.entry import Entry
from engine.telling.lexicon import Lexicon
from engine.telling.marks import VERDICT_TONES
from engine.telling.passage import dated, is_afterwards, placed, stays
from engine.telling.wording import Tone, Wording, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stay in a state, as a bar; `waits` says for what treatment waits there."""

    state: str
    title: str
    stage: str
    start: datetime
    end: datetime
    waits: Waits | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A visit with its window, and the instant from which it was no longer due."""

    visit: str
    title: str
    number: int
    earliest: date
    target: date
    latest: date
    over: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened: a tone, a few words beside it and all of it when pointed at.

    `really` is when it was, where it stands elsewhere: at the end of what happened.
    """

    at: datetime
    seq: int
    tone: Tone
    label: str
    said: str
    really: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Marks of one kind in a line."""

    name: str
    title: str
    marks: tuple[Mark, ...]
    quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A value of an input at a time. `corrected` is the record that says it was wrong, `corrects`
    the one that this is instead of; `flaw` says why it cannot be used.
    """

    at: datetime
    seq: int
    value: Decimal | None
    said: str
    flaw: str | None = None
    corrected: int | None = None
    corrects: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The values of one input over time; `given` says that they are amounts."""

    name: str
    title: str
    unit: str
    points: tuple[Point, ...]
    limits: tuple[Limit, ...]
    given: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All that is drawn of a course, or of a part of it."""

    zone: ZoneInfo
    dated: bool
    timed: bool
    spans: tuple[Span, ...]
    rounds: tuple[tuple[int, datetime], ...]
    visits: tuple[Due, ...]
    bookings: tuple[Mark, ...]
    given: tuple[Panel, ...]
    rows: tuple[Row, ...]
    panels: tuple[Panel, ...]
    sent: tuple[datetime, ...]
    """When anything was sent: the axis folds what lies far between."""


def chart(entries: Sequence[Entry], lexicon: Lexicon, wording: Wording) -> Chart:
    """The chart of some entries of a course, oldest first; there is at least one."""
    places = {entry.seq: at for entry, at in placed(entries)}
    gatherer = _Gatherer(lexicon, wording, places)
    for entry in entries:
        gatherer.take(entry)
    real = dated(entries)
    return Chart(
        zone=wording.zone,
        dated=real,
        timed=any(entry.at is not None for entry in entries),
        spans=tuple(
            Span(
                state=stay.state,
                title=lexicon.state(stay.state),
                stage=lexicon.stage(stay.state),
                start=stay.start,
                end=stay.end,
                waits=_waits(lexicon, stay.state),
            )
            for stay in stays(entries)
        ),
        rounds=tuple(
            (entry.opens_round, places[entry.seq])
            for entry in entries
            if entry.opens_round is not None
        ),
        visits=tuple(gatherer.visits()) if real else (),
        bookings=tuple(gatherer.bookings) if real else (),
        given=tuple(gatherer.panels(given=True)),
        rows=tuple(gatherer.rows()),
        panels=tuple(gatherer.panels(given=False)),
        sent=tuple(
            dict.fromkeys(
                places[entry.seq]
                for n, entry in enumerate(entries)
                if entry.role != ENGINE or n in (0, len(entries) - 1)
            )
        ),
    )


class _Gatherer:
    def __init__(self, lexicon: Lexicon, wording: Wording, places: Mapping[int, datetime]) -> None:
        self._lexicon, self._wording, self._places = lexicon, wording, places
        self._workflow = ByDigest(lexicon.machine.digest, lexicon.workflow)
        self._rows: dict[str, list[Mark]] = {}
        self._points: dict[str, list[Point]] = {}
        self._due: dict[tuple[str, int], Due] = {}
        self._current: dict[str, tuple[str, int]] = {}
        self.bookings: list[Mark] = []

    def take(self, entry: Entry) -> None:
        changes = entry.body["changes"]
        self._take_visits(entry, changes.get("visits", {}))
        self._take_bookings(entry, changes.get("bookings", {}))
        event = self._event(entry)
        if event is not None and entry.verdict != "refused":
            for reading in event.readings:
                self._add(entry, reading, self._places[entry.seq])
            self._correct(entry, event)
        if event is None or not self._plotted(event, entry):
            self._rows.setdefault(entry.event, []).append(self._mark(entry))

    def visits(self) -> Iterator[Due]:
        order = {visit.name: n for n, visit in enumerate(self._lexicon.workflow.visits)}
        yield from sorted(
            self._due.values(), key=lambda one: (order.get(one.visit, 0), one.earliest)
        )

    def panels(self, *, given: bool) -> Iterator[Panel]:
        amounts, limits = amounts_of(self._workflow), limits_of(self._workflow)
        for declared in self._lexicon.workflow.inputs:
            points = self._points.get(declared.name)
            if points and (declared.name in amounts) is given:
                yield Panel(
                    name=declared.name,
                    title=declared.title or declared.name.replace("_", " "),
                    unit=_unit(self._wording, declared),
                    points=tuple(sorted(points, key=lambda one: (one.at, one.seq))),
                    limits=limits.get(declared.name, ()),
                    given=given,
                )

    def rows(self) -> Iterator[Row]:
        """Requests, reports, what the engine itself knows, and the timers as one."""
        events = self._lexicon.machine.events
        ranked = sorted(self._rows, key=lambda name: (_rank(events.get(name)), self._first(name)))
        timers: list[Mark] = []
        for name in ranked:
            declared = events.get(name)
            if declared is not None and declared.timer:
                timers += self._rows[name]
                continue
            yield Row(name=name, title=self._lexicon.event(name), marks=self._marks(name))
        if timers:
            marks = tuple(sorted(timers, key=lambda one: (one.at, one.seq)))
            yield Row(name=ENGINE, title="Timers", marks=marks, quiet=True)

    def _marks(self, name: str) -> tuple[Mark, ...]:
        return tuple(sorted(self._rows[name], key=lambda one: (one.at, one.seq)))

    def _first(self, name: str) -> datetime:
        return min(mark.at for mark in self._rows[name])

    def _event(self, entry: Entry) -> Event | None:
        """The event as typed; `None` where it opened the course, or cannot be read any more."""
        if entry.states[0] is None:
            return None
        try:
            return self._lexicon.machine.forms.reread(entry.body["event"])
        except (
            InvalidInput,
            LookupError,
            ValueError,
        ):  # a record that was changed: `verify` says so
            return None

    def _plotted(self, event: Event, entry: Entry) -> bool:
        """Whether all that it brought is drawn as values, and nothing else is to be seen of it."""
        if entry.verdict != "accepted" or entry.moved_by is not None or event.correction:
            return False
        fields = self._lexicon.bound(event.name)
        inputs = self._lexicon.machine.inputs
        sent = entry.body["event"].get("data", {})
        return bool(sent) and all(
            name in fields and inputs[fields[name]].kind in NUMERIC for name in sent
        )

    def _add(
        self, entry: Entry, reading: Reading, at: datetime, *, corrects: int | None = None
    ) -> None:
        declared = self._lexicon.machine.inputs[reading.input]
        if declared.kind not in NUMERIC:
            return
        value = reading.value if isinstance(reading.value, Decimal) else None
        said = "not known" if value is None else self._said(value, declared)
        self._points.setdefault(reading.input, []).append(
            Point(
                at=at,
                seq=entry.seq,
                value=value,
                said=said,
                flaw=reading.flaw,
                corrected=entry.corrected.get(reading.input),
                corrects=corrects,
            )
        )

    def _correct(self, entry: Entry, event: Event) -> None:
        correction = event.correction
        if correction is None or entry.corrects is None:
            return
        known = self._points.get(correction.input, [])
        before = next((one for one in known if one.seq == entry.corrects), None)
        if before is None or correction.entered_in_error:
            return
        at = correction.at or before.at
        reading = Reading(
            correction.input, correction.value, at, None, entry.seq, flaw=correction.flaw
        )
        self._add(entry, reading, at, corrects=entry.corrects)

    def _afterwards(self, entry: Entry) -> str:
        """Of what was said long after all that happened, beside which it stands: when."""
        if entry.at is None or not is_afterwards(entry, self._places[entry.seq]):
            return ""
        return f"said {entry.at.astimezone(self._wording.zone):%Y-%m-%d}"

    def _mark(self, entry: Entry) -> Mark:
        tone = VERDICT_TONES.get(entry.verdict, Tone.PLAIN)
        if entry.overridden:
            tone = Tone.OVERRIDE
        elif entry.moved_by is not None:
            tone = Tone.RULE
        elif entry.verdict == "accepted" and self._kind(entry.event) is Kind.REPORT:
            tone = Tone.PLAIN
        sent = self._sent(entry)
        at = self._wording.instant(entry.at)
        words = [at, self._lexicon.event(entry.event), f"record {entry.seq}", entry.verdict]
        if entry.moved_by is not None:
            words.append(f"moved by: {self._lexicon.guard(entry.moved_by)}")
        words += [f"override: {self._lexicon.guard(guard)}" for guard in entry.overridden]
        if entry.moved:
            words.append(f"→ {self._lexicon.state(entry.states[1])}")
        words += [f"{name.replace('_', ' ')}: {value}" for name, value in sent.items()]
        return Mark(
            at=self._places[entry.seq],
            seq=entry.seq,
            tone=tone,
            label=self._afterwards(entry) or self._label(entry, sent),
            said="\n".join(words),
            really=entry.at if self._afterwards(entry) else None,
        )

    def _label(self, entry: Entry, sent: Mapping[str, str]) -> str:
        """A few words beside a mark: what kind it was, where the definition has kinds."""
        declared = self._lexicon.machine.events.get(entry.event)
        if declared is None:
            return ""
        inputs = self._lexicon.machine.inputs
        kinds = {
            f.name: inputs[f.input].kind if f.input is not None else f.kind for f in declared.fields
        }
        said = {kind: [sent[n] for n, one in kinds.items() if one == kind and n in sent]
                for kind in ("code", "number", "quantity")}  # fmt: skip
        chosen, numbers, amounts = said.values()
        lone = [amounts[0].partition(" ")[0]] if len(amounts) == 1 else numbers[:1]
        words = [*chosen[:2], *numbers[:1]] if chosen else lone
        return " ".join(words)

    def _sent(self, entry: Entry) -> dict[str, str]:
        sent = entry.body["event"].get("data", {})
        return {
            name: self._wording.value(plain(value)).replace("_", " ")
            for name, value in sent.items()
            if not isinstance(value, list)
        }

    def _kind(self, event: str) -> Kind:
        declared = self._lexicon.machine.events.get(event)
        return Kind.REPORT if declared is None else declared.kind

    def _said(self, value: Decimal, declared: Input) -> str:
        unit = "" if declared.unit in (None, "1") else f" {declared.unit}"
        return self._wording.value(f"{value_text(value)}{unit}")

    def _take_visits(self, entry: Entry, changed: Mapping[str, Json]) -> None:
        titles = {visit.name: visit.title for visit in self._lexicon.workflow.visits}
        for name, items in changed.items():
            known = self._current.pop(name, None)
            if items is None:
                self._end(known, entry)
                continue
            window = window_from(items)
            key = (name, window.number)
            if known != key:
                self._end(known, entry)
            self._current[name] = key
            self._due[key] = Due(
                visit=name,
                title=titles.get(name) or name.replace("_", " "),
                number=window.number,
                earliest=window.earliest,
                target=window.target,
                latest=window.latest,
                over=None,
            )

    def _end(self, key: tuple[str, int] | None, entry: Entry) -> None:
        if key is not None:
            self._due[key] = replace(self._due[key], over=self._places[entry.seq])

    def _take_bookings(self, entry: Entry, changed: Mapping[str, Json]) -> None:
        for name, items in changed.items():
            if items is not None:
                one = booking_from(items)
                visit = one.visit.replace("_", " ")
                which = "" if one.number is None else f" {one.number}"
                self.bookings.append(
                    Mark(
                        at=one.start,
                        seq=entry.seq,
                        tone=Tone.PLAIN,
                        label="",
                        said=f"{self._wording.instant(one.start)}\n{visit}{which}, booking {name}: "
                        f"{one.status}",
                    )
                )


def within(
    entries: Sequence[Entry], *, first: datetime | None, last: datetime | None
) -> list[Entry]:
    """The entries that stand from an instant on, and before another."""
    return [
        entry
        for entry, at in placed(entries)
        if (first is None or first <= at) and (last is None or at < last)
    ]


def _rank(declared: object) -> int:
    kind = getattr(declared, "kind", None)
    return 0 if kind is Kind.REQUEST else 1 if kind is Kind.REPORT else 2


def _waits(lexicon: Lexicon, state: str) -> Waits | None:
    declared = lexicon.machine.states.get(state)
    return None if declared is None else declared.waits


def _unit(wording: Wording, declared: Input) -> str:
    return "" if declared.unit in (None, "1") else wording.value(f" {declared.unit}").strip()


def all_points(panels: Iterable[Panel]) -> Iterator[tuple[Panel, Point]]:
    """Every value with its panel, in time."""
    found = [(panel, point) for panel in panels for point in panel.points]
    yield from sorted(found, key=lambda one: (one[1].at, one[1].seq))

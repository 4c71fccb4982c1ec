"""A course at a glance: where it stands, what keeps it there, and its whole time in one picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from engine.core.definition import Waits
from engine.core.encoding import Json
from engine.findings import Piece, finding
from engine.pages.chart import Chart, all_points, chart, within
from engine.pages.plot import plot
from engine.service import Status
from engine.telling.entry import Entry
from engine.telling.lexicon import Lexicon
from engine.telling.overview import Overview
from engine.telling.passage import dated, placed
from engine.telling.signing import signature_said
from engine.telling.wording import Said, Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What every page of a course says first."""

    course: str
    patient: str
    site: str
    zone: str
    workflow: str
    digest: str
    title: str
    state: str
    stage: str
    round: int
    records: int
    revision: int
    last_at: str
    closed: bool
    waits: str
    retrospective: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a course's time that can be looked at by itself."""

    name: str
    query: str
    here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A line of the table that says what the picture shows."""

    at: str
    what: str
    value: str
    note: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The timeline of a course, or of a part of it, and the same as a table."""

    drawn: Markup
    parts: tuple[Part, ...]
    happenings: tuple[Happening, ...]
    dated: bool
    timed: bool


def head(status: Status) -> Head:
    """What every page of a course says first."""
    row, lexicon = status.row, Lexicon(status.machine)
    state = status.machine.states[row["state"]]
    wording = wording_of(status)
    return Head(
        course=row["course"],
        patient=row["patient"],
        site=row["site"],
        zone=row["zone"],
        workflow=status.machine.workflow.label,
        digest=row["digest"],
        title=status.machine.workflow.title,
        state=lexicon.state(row["state"]),
        stage=lexicon.stage(row["state"]).replace("_", " "),
        round=row["round"],
        records=row["seq"],
        revision=row["revision"],
        last_at=wording.instant(row["last_at"]),
        closed=state.closed,
        waits={Waits.HOLD: "on hold", Waits.DECISION: "waits for a decision", None: ""}[
            state.waits
        ],
        retrospective=row["retrospective"],
    )


def wording_of(status: Status) -> Wording:
    """The sentences of a course, with times as its site's wall shows them."""
    return Wording.of(status.row, status.machine, called=Lexicon(status.machine).event)


def questions(overview: Overview) -> list[Said]:
    """The rules that could not be weighed, and what each waits for."""
    return [wording_of(overview.status).question(one) for one in overview.json()["questions"]]


def findings(overview: Overview) -> list[tuple[Piece, ...]]:
    """The decisions that are in question, and why."""
    return [finding(one) for one in overview.open_findings()]


def options(overview: Overview) -> list[dict[str, Json]]:
    """What could be sent now, with what is in the way of it in words."""
    wording = wording_of(overview.status)
    return [
        {
            **option,
            "said": [wording.unmet(one) for one in option["requirements"]],
            "short": "; ".join(map(wording.short, option["requirements"])),
            "signed": option["signature"] and signature_said(option["signature"]),
        }
        for option in overview.options()
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which part of its time is looked at: a round, or from one instant to another."""

    round: int | None = None
    first: datetime | None = None
    last: datetime | None = None


def picture(
    status: Status, entries: Sequence[Entry], choice: Choice, *, query: str = ""
) -> Picture | None:
    """The timeline of a course; `None` where nothing happened in what was chosen."""
    lexicon, wording = Lexicon(status.machine), wording_of(status)
    bounds = _rounds(entries)
    first, last = bounds.get(choice.round or 0, (choice.first, choice.last))
    shown = within(entries, first=first, last=last)
    if not shown:
        return None
    drawn = chart(shown, lexicon, wording)
    whole = len(shown) == len(entries)
    count = "all records" if whole else f"{len(shown)} of {len(entries)} records"
    label = f"Course {status.row['course']} over time, {count}; the table below says the same"
    crowd = crowded(entries, wording.zone)
    return Picture(
        drawn=plot(drawn, status.row["course"], label),
        parts=tuple(_parts(bounds, choice, query, crowd)),
        happenings=tuple(_happenings(drawn, wording)),
        dated=drawn.dated,
        timed=drawn.timed,
    )


def busiest(status: Status, entries: Sequence[Entry]) -> Markup | None:
    """The part of a course that has no room in a picture of the whole; `None` where all has."""
    crowd = crowded(entries, wording_of(status).zone)
    if crowd is None:
        return None
    found = picture(status, entries, Choice(first=crowd[0], last=crowd[1]))
    return None if found is None else found.drawn


def _rounds(entries: Sequence[Entry]) -> dict[int, tuple[datetime | None, datetime | None]]:
    """From when to when each round lasted; nothing where there was one."""
    opened = [(e.opens_round, at) for e, at in placed(entries) if e.opens_round is not None]
    if not opened:
        return {}
    begun = int(entries[0].body["changes"].get("round", 1))
    starts: list[tuple[int, datetime | None]] = [(begun, None), *opened]
    ends = [at for _, at in starts[1:]] + [None]
    return {number: (start, end) for (number, start), end in zip(starts, ends, strict=True)}


def _parts(
    bounds: Mapping[int, object],
    choice: Choice,
    query: str,
    crowd: tuple[datetime, datetime] | None,
) -> Iterator[Part]:
    if not bounds and crowd is None and choice == Choice():
        return
    yield Part(name="Whole course", query=query or "?", here=choice == Choice())
    for number in bounds:
        yield Part(name=f"Round {number}", query=f"?round={number}", here=choice.round == number)
    if crowd is not None:
        first, last = (f"{at:%Y-%m-%d}" for at in (crowd[0], crowd[1] - timedelta(days=1)))
        here = (choice.first, choice.last) == crowd
        yield Part(name="The busiest days", query=f"?from={first}&until={last}", here=here)


CROWD, NARROW = 0.5, 0.2
"""Where so many of the records lie within so little of the time, it is shown by itself as well."""
MANY = 12
"""Fewer records have room anywhere."""


def crowded(entries: Sequence[Entry], zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """From which midnight to which most of a course happened, where that is a small part of it."""
    if not dated(entries):
        return None
    places = sorted(at for _, at in placed(entries))
    many = ceil(len(places) * CROWD)
    windows = ((places[n + many - 1] - at, at) for n, at in enumerate(places[: 1 - many or None]))
    length, start = min(windows)
    if many < MANY or length > (places[-1] - places[0]) * NARROW:
        return None
    first, last = (at.astimezone(zone).date() for at in (start, start + length))
    return (
        datetime.combine(first, time(), tzinfo=zone),
        datetime.combine(last + timedelta(days=1), time(), tzinfo=zone),
    )


def _happenings(drawn: Chart, wording: Wording) -> Iterator[Happening]:
    lines: list[tuple[datetime, Happening]] = []
    for panel, point in all_points((*drawn.given, *drawn.panels)):
        notes = []
        if point.corrected is not None:
            notes.append(f"corrected by record {point.corrected}")
        if point.corrects is not None:
            notes.append(f"corrects record {point.corrects}")
        if point.flaw is not None:
            notes.append(point.flaw.replace("-", " "))
        at = wording.instant(point.at) if drawn.dated else ""
        line = Happening(
            at=at, what=panel.title, value=point.said, note="; ".join(notes), seq=point.seq
        )
        lines.append((point.at, line))
    for row in drawn.rows:
        for mark in row.marks:
            when = mark.really or mark.at
            at = wording.instant(when) if drawn.dated else ""
            note = "; ".join(mark.said.split("\n")[3:])
            line = Happening(at=at, what=row.title, value=mark.label, note=note, seq=mark.seq)
            lines.append((when, line))
    yield from (line for _, line in sorted(lines, key=lambda one: (one[0], one[1].seq)))


def readings(overview: Overview) -> list[dict[str, Any]]:
    """The latest reading of each input, with the time on the site's wall."""
    wording = overview.wording
    return [
        {**one, "when": one["at"] and wording.instant(one["at"])} for one in overview.readings()
    ]

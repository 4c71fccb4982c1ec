"""How the demo looks: within a hundred columns, honest about what is published and what is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from engine.cli.demonstration import Demonstration, Shown
from engine.cli.ink import QUIET, STYLES, Lines, mark
from engine.cli.timeline import Timeline
from engine.service import Status
from engine.telling.entry import Entry
from engine.telling.lexicon import Lexicon
from engine.telling.wording import Said, Tone, Wording

WIDEST = 100
QUOTING = 120
HONEST = (
    "Software for looking at protocols, not a medical device: it advises, records and proves, and "
    "never orders anything. Courses that are told after the fact leave unknown what was not "
    "published; constructed ones are no patients."
)


def tell(out: Console, done: Demonstration, database: str, steps: Sequence[str]) -> None:
    """Print what the demo did."""
    width = min(out.width, WIDEST)
    for part in _page(done, database):
        out.print(part, width=width)
    out.print(_heading("Where to go next"), width=width)
    for step in steps:
        # Never wrapped: what is copied must still be one command.
        out.print(Text(step, style="bold"), soft_wrap=True)


def _page(done: Demonstration, database: str) -> Iterator[RenderableType]:
    events = sum(len(one.bodies) for one in done.shown)
    yield Text("Regimen demo", style="bold reverse")
    yield Text(HONEST, style=QUIET)
    yield _heading(f"{len(done.shown)} courses, {events} events, applied to {database}")
    yield from _courses(done.shown)
    yield Text(f"in {done.applying:.1f} s", style=QUIET)
    for one in done.shown:
        yield from (Text(f"{one.course}: {wrong}", STYLES[Tone.NO]) for wrong in one.wrong)
    if done.featured.status is not None:
        yield from _featured(done.featured, done.featured.status)
    yield _heading("Time passes")
    yield from _waited(done)
    yield _heading("Proof")
    yield from _proof(done)


def _heading(title: str) -> RenderableType:
    return Group(Text(), Rule(Text(title, style="bold"), align="left", style=QUIET))


def _courses(shown: Sequence[Shown]) -> Iterator[RenderableType]:
    """A line of counts for each, and below it whence it comes."""
    for one in shown:
        rounds = one.status.row["round"] if one.status is not None else 0
        counts = (
            (len(one.entries), "records"),
            (len(one.refused), "refused"),
            (len(one.overridden), "with an override"),
        )
        told = "".join(f"{count:>6} {word}" for count, word in counts) + f"   round {rounds}"
        yield Text.assemble((f"{one.course:<18}", "bold"), told)
        yield Padding(Text(_first_sentence(one.label), style=QUIET), _IN)


def _featured(one: Shown, status: Status) -> Iterator[RenderableType]:
    lexicon = Lexicon(status.machine)
    wording = replace(
        Wording.of(status.row, status.machine),
        quoting=QUOTING,
    )
    yield _heading(f"{one.course} over time")
    yield Text(one.label, style=STYLES[Tone.DEVIATION])
    yield Text()
    yield Timeline(
        entries=one.entries, lexicon=lexicon, wording=wording, visits=status.snapshot.visits
    )
    yield _heading("A refusal, with its reasons")
    yield from (_decision(entry, lexicon, wording) for entry in _refusals(one))
    yield _heading("An override: a soft requirement passed, with a reason, on record")
    yield from (_decision(entry, lexicon, wording) for entry in one.overridden[:1])
    yield _heading("Rules that moved the course")
    yield from (_moving(entry, lexicon, wording) for entry in one.moved)


_IN = (0, 0, 0, 2)


def _decision(entry: Entry, lexicon: Lexicon, wording: Wording) -> RenderableType:
    before, after = entry.states
    told = lexicon.explained(entry.event, entry.body["decision"], state_before=before, state=after)
    said = wording.decision(told, (lexicon.state(before), lexicon.state(after)))
    # What is advised with a granted request is not what is looked for here.
    kept = tuple(line for line in said.below if line.tone is not Tone.ADVICE)
    lines = Lines([Said(said.text, said.tone, kept, said.aside)])
    return Group(_where(entry, wording), Padding(lines, _IN))


def _moving(entry: Entry, lexicon: Lexicon, wording: Wording) -> RenderableType:
    fired = entry.body["decision"]["fired"]
    moving = next(found for found in fired if found["rule"] == entry.moved_by)
    said = wording.rule(lexicon.told(moving, entry.moved_by))
    before, after = (lexicon.state(state) for state in entry.states)
    below = (Said(f"{before} → {after}"), *said.below)
    lines = Lines([Said(said.text, said.tone, below, said.aside)])
    return Group(_where(entry, wording), Padding(lines, _IN))


def _where(entry: Entry, wording: Wording) -> Text:
    override = entry.body["event"].get("override")
    reason = f", override code {override['code']}" if override is not None else ""
    sent = f"{entry.role} sends {entry.event}{reason}"
    return Text(f"Record {entry.seq}, {wording.instant(entry.at)}: {sent}", style=QUIET)


def _refusals(one: Shown) -> list[Entry]:
    """The first refusal of each kind that has reasons."""
    found: dict[str, Entry] = {}
    for entry in one.refused:
        decision = entry.body["decision"]
        if "attempts" in decision:
            found.setdefault(decision["reason"], entry)
    return list(found.values())


def _waited(done: Demonstration) -> Iterator[RenderableType]:
    yield Text(
        f"{done.timers} timers were due by now. They came back as events, each a record with its "
        f"own due time, in {done.waiting:.1f} s."
    )
    for one in done.shown:
        before = one.entries[-1].states[1] if one.entries else ""
        if one.now is not None and before != one.state:
            titles = Lexicon(one.now.machine)
            moved = f"{titles.state(before)} → {titles.state(one.state)}"
            yield Text.assemble((f"{one.course:<18} ", "bold"), moved)


def _proof(done: Demonstration) -> Iterator[RenderableType]:
    records = sum(one.records for one in done.shown)
    faults = [f"{one.course}: {one.fault}" for one in done.shown if one.fault]
    differences = [f"{one.course}: {d}" for one in done.shown for d in one.differences]
    chains = f"{records} records in {len(done.shown)} chains, every hash and link right"
    row = "every row is what its records add up to, byte for byte"
    again = "every guard weighed again from the stored definition alone, every decision alike"
    told = (
        (faults, f"verify: {chains}"),
        (faults, f"replay: {row}"),
        (differences, f"replay --re-decide: {again}"),
    )
    for wrong, said in told:
        yield Text.assemble(mark(Tone.NO if wrong else Tone.YES), " ", said)
    yield from (Text(wrong, style=STYLES[Tone.NO]) for wrong in (*faults, *differences))
    yield Text(f"in {done.proving:.1f} s", style=QUIET)


def _first_sentence(label: str) -> str:
    return label.split(". ", 1)[0].removesuffix(".") + "."

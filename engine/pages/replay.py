"""One step of a course as it was lived: what was known, what was decided, and what is said by now.

Everything is told by links from step to step; the slider only goes there faster.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.core.axes import Known
from engine.core.encoding import Json, encode_value
from engine.core.machine import Machine
from engine.core.phrase import value_text
from engine.core.playback import Playback, Sense
from engine.telling.lexicon import Lexicon
from engine.telling.marks import VERDICT_TONES
from engine.telling.played import TITLES, others, told
from engine.telling.wording import Said, Tone, Wording, why


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A reading in force at a step; `struck` where it was corrected since."""

    title: str
    value: str
    taken: str
    recorded: str
    record: int
    struck: bool
    own: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What a step changed of what the course remembers."""

    title: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tooth:
    """A step among all of them: where to go, and whether something is unusual about it."""

    number: int
    tone: Tone
    said: str
    here: bool
    differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPage:
    """One step in one sense."""

    number: int
    count: int
    sense: Sense
    senses: tuple[tuple[Sense, str], ...]
    title: str
    at: str
    recorded: str
    verdict: str
    tone: Tone
    state: str
    said: Said | None
    others: tuple[Said, ...]
    held: tuple[Held, ...]
    changed: tuple[Changed, ...]
    teeth: tuple[Tooth, ...]

    def query(self, number: int | None = None, sense: Sense | None = None) -> str:
        """The address of a step, or of the same one in another sense."""
        return f"?step={number or self.number}&sense={(sense or self.sense).value}"


def step_of(playback: Playback, number: int, sense: Sense) -> StepPage:
    """A step as a page shows it. Raises InvalidInput for one that is not there."""
    lexicon, first = Lexicon(playback.machine), playback.step(1).row
    wording = Wording.of(first, playback.machine, called=lexicon.event)
    step = told(playback, number, sense, lexicon, wording)
    record = step.record
    return StepPage(
        number=number,
        count=len(playback),
        sense=sense,
        senses=tuple(TITLES.items()),
        title=lexicon.event(record["event"]),
        at=wording.instant(playback.step(number).record.at),
        recorded=wording.instant(record["recorded_at"]),
        verdict=record["verdict"],
        tone=VERDICT_TONES.get(record["verdict"], Tone.PLAIN),
        state=lexicon.state(step.state),
        said=step.said,
        others=tuple(others(playback, number, sense, lexicon)),
        held=tuple(_held(one, lexicon, wording, number) for one in _newest_first(step.held)),
        changed=tuple(_changed(playback, number, lexicon, wording)),
        teeth=tuple(_teeth(playback, number, lexicon)),
    )


def _newest_first(held: Iterable[Known]) -> list[Known]:
    return sorted(held, key=lambda one: one.record, reverse=True)


def _held(one: Known, lexicon: Lexicon, wording: Wording, number: int) -> Held:
    reading = one.reading
    value = why(reading.flaw or "") if reading.value is None else lexicon.measured(reading)
    notes = [] if one.corrected_by is None else [f"corrected by record {one.corrected_by}"]
    notes += [why(reading.flaw)] if reading.flaw is not None and reading.value is not None else []
    notes += [f"corrects record {one.first}"] if reading.corrects is not None else []
    return Held(
        title=lexicon.called(reading.input),
        value=wording.value(value).replace("_", " "),
        taken=wording.instant(reading.at),
        recorded=wording.instant(one.recorded_at),
        record=one.record,
        struck=one.corrected_by is not None,
        own=one.record == number,
        notes=tuple(notes),
    )


def _changed(
    playback: Playback, number: int, lexicon: Lexicon, wording: Wording
) -> Iterator[Changed]:
    after = playback.step(number).row.get("variables", {})
    before: Mapping[str, Json] = (
        playback.step(number - 1).row.get("variables", {})
        if number > 1
        else _initial(playback.machine)
    )
    for name in after.keys() | before.keys():
        if after.get(name) != before.get(name):
            yield Changed(
                title=lexicon.called(name),
                before=_value(before.get(name), wording),
                after=_value(after.get(name), wording),
            )


def _initial(machine: Machine) -> Mapping[str, Json]:
    held = machine.initial_values.items()
    return {name: encode_value(value) for name, value in held if value is not None}


def _value(value: Json, wording: Wording) -> str:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return value_text(value)
    return wording.value(str(value)).replace("_", " ")


def _teeth(playback: Playback, number: int, lexicon: Lexicon) -> Iterator[Tooth]:
    differing = set(playback.differing())
    for step in playback:
        yield Tooth(
            number=step.seq,
            tone=VERDICT_TONES.get(step.record.verdict, Tone.PLAIN),
            said=f"{step.seq}: {lexicon.event(step.record.event)}, {step.record.verdict}",
            here=step.seq == number,
            differs=step.seq in differing,
        )

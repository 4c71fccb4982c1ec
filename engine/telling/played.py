"""What a sense of a replay says of one step, and the others beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.core.axes import Known
from engine.core.hindsight import Outcome
from engine.core.playback import Playback, Sense
from engine.telling.lexicon import Lexicon
from engine.telling.wording import Said, Tone, Wording

TITLES: Mapping[Sense, str] = {
    Sense.RECORDED: "as recorded",
    Sense.KNOWN: "as it was known then",
    Sense.BELIEVED: "as now believed",
    Sense.AGAIN: "weighed again",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A step in one sense: its record, the state after it, and what was decided, if anything was.

    `held` are the readings in force.
    """

    record: Mapping[str, Any]
    state: str
    said: Said | None
    held: Sequence[Known]


def told(playback: Playback, number: int, sense: Sense, lexicon: Lexicon, wording: Wording) -> Told:
    """A step as a sense has it. Raises InvalidInput for one that is not there."""
    step, believed = playback.step(number), playback.believed(number)
    shown = playback.shown(number, sense)
    record, known = shown["record"], step.readings
    before, state = record["state_before"], record["state"]
    if sense is Sense.BELIEVED:
        known = believed.readings
        if believed.outcome is not None:
            state = believed.outcome.state
    said = None
    if before is not None:
        explained = lexicon.explained(
            record["event"],
            shown["decision"] or {"verdict": record["verdict"]},
            state_before=before,
            state=state,
        )
        would = sense is Sense.BELIEVED and believed.outcome != step.outcome
        states = (lexicon.state(before), lexicon.state(state))
        said = wording.decision(explained, states, would=would)
    held = [one.as_of(number) if sense is Sense.KNOWN else one for one in known.values()]
    return Told(record=record, state=state, said=said, held=held)


def others(playback: Playback, number: int, sense: Sense, lexicon: Lexicon) -> Iterator[Said]:
    """What the other senses say of the step."""
    step, believed, again = (
        playback.step(number),
        playback.believed(number),
        playback.again(number),
    )
    if sense is not Sense.BELIEVED:
        if believed.outcome == step.outcome:
            yield Said("As now believed: the same", Tone.QUIET)
        else:
            said = came_to(believed.outcome, lexicon)
            yield Said(f"As now believed it would have been {said}", Tone.DEVIATION)
    elif believed.outcome != step.outcome:
        yield Said(f"Recorded was {came_to(step.outcome, lexicon)}", Tone.DEVIATION)
    marked = [one for one in step.readings.values() if one.corrected_by is not None]
    if sense is not Sense.KNOWN and marked:
        names = ", ".join(lexicon.called(k.reading.input) for k in marked)
        yield Said(f"Corrected since: {names}", Tone.OVERRIDE)
    if again.differences:
        yield Said("Weighed again it is another:", Tone.NO, tuple(_lines(again.differences)))
    else:
        yield Said("Weighed again: alike", Tone.QUIET)


def _lines(differences: Iterable[Any]) -> Iterator[Said]:
    for one in differences:
        yield Said(f"{one.place}: recorded {one.recorded}, weighed again {one.again}")


def came_to(outcome: Outcome | None, lexicon: Lexicon) -> str:
    """What a decision came to, in half a line."""
    if outcome is None:
        return "what cannot be weighed"
    rules = ", ".join(lexicon.guard(rule) for rule in outcome.fired)
    said = f"{outcome.verdict}, in “{lexicon.state(outcome.state)}”"
    return f"{said}, with {rules}" if rules else said

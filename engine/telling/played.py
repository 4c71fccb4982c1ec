"""What the senses of a replay say of one step, beside the one that is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.core.hindsight import Outcome
from engine.core.playback import Playback, Sense
from engine.telling.lexicon import Lexicon
from engine.telling.wording import Said, Tone

TITLES: Mapping[Sense, str] = {
    Sense.RECORDED: "as recorded",
    Sense.KNOWN: "as it was known then",
    Sense.BELIEVED: "as now believed",
    Sense.AGAIN: "weighed again",
}


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

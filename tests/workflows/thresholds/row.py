"""One row of the table: what is told, and what must follow from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.answer import Answer
from engine.testing import (
    Part,
    Story,
    advised,
    delivered,
    fired,
    kept_by,
    missing,
    passed,
    said,
    unweighed,
)

Expectation = Callable[[Story, Answer], None]
Request = Callable[..., Part]
"""Makes a part that asks for something, with an override or without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`of` are the numbered facts; the answer to the last of `parts` is what is looked at."""

    of: tuple[str, ...]
    what: str
    begins: Callable[[], Story]
    parts: tuple[Part, ...]
    expects: tuple[Expectation, ...]

    def tell(self) -> None:
        story = self.begins().given(*self.parts[:-1])
        answer = self.parts[-1](story)
        if not isinstance(answer, Answer):
            answer = story.answers[-1]
        for expectation in self.expects:
            expectation(story, answer)
        story.verify()


def row(
    of: str, what: str, begins: Callable[[], Story], *told: Part | tuple[Part, ...],
    then: Expectation | tuple[Expectation, ...],
) -> Row:  # fmt: skip
    """A row: parts in their order, the last one being looked at."""
    parts = tuple(part for each in told for part in (each if isinstance(each, tuple) else (each,)))
    expects = then if isinstance(then, tuple) else (then,)
    return Row(of=tuple(of.split()), what=what, begins=begins, parts=parts, expects=expects)


def softly(
    of: str, what: str, begins: Callable[[], Story], *told: Part | Request, kept: str,
    reasons: str = "clinical-judgement",
) -> Row:  # fmt: skip
    """A request, the last of what is told, that is refused unless a clinician gives a reason."""
    *parts, request = told
    named = kept.split()

    def asks(story: Story, answer: Answer) -> None:
        refused_by(*named)(story, answer)
        again = request(role="clinician", override=named, code=reasons)(story)
        assert isinstance(again, Answer)
        assert again.verdict == "accepted", said(again)
        assert set(passed(again)) == set(named), "the override is recorded with what it passed"

    return row(of, what, begins, *parts, request(), then=asks)


def firmly(
    of: str, what: str, begins: Callable[[], Story], *told: Part | Request, kept: str
) -> Row:
    """A request, the last of what is told, that is refused whatever reason is given."""
    *parts, request = told
    named = kept.split()

    def asks(story: Story, answer: Answer) -> None:
        refused_by(*named)(story, answer)
        again = request(role="clinician", override=named, code="clinical-judgement")(story)
        assert isinstance(again, Answer)
        assert again.refused, f"no reason may pass it: {said(again)}"

    return row(of, what, begins, *parts, request(), then=asks)


# --- what must follow -------------------------------------------------------------------------


def ends_in(state: str) -> Expectation:
    def look(story: Story, answer: Answer) -> None:
        assert answer.verdict != "refused", said(answer)
        assert story.state == state, f"expected {state}: {said(answer)}, now {story.state}"

    return look


def fires(*ids: str) -> Expectation:
    """At least one rule of each numbered fact was delivered."""

    def look(_: Story, answer: Answer) -> None:
        for one in ids:
            assert any(name.startswith(f"{one}_") or name == one for name in delivered(answer)), (
                f"expected {one}: {said(answer)}, fired {fired(answer)}"
            )

    return look


def silent(*ids: str) -> Expectation:
    """No rule of these numbered facts holds, and none is in question."""

    def look(_: Story, answer: Answer) -> None:
        heard = (*fired(answer), *unweighed(answer))
        for one in ids:
            loud = [name for name in heard if name.startswith(f"{one}_") or name == one]
            assert not loud, f"expected no {one}: {loud}, {said(answer)}"

    return look


def not_fired(*ids: str) -> Expectation:
    """No rule of these numbered facts holds; one may be in question."""

    def look(_: Story, answer: Answer) -> None:
        for one in ids:
            loud = [name for name in fired(answer) if name.startswith(f"{one}_") or name == one]
            assert not loud, f"expected no {one}: {loud}, {said(answer)}"

    return look


def asks(one: str, what: str) -> Expectation:
    """A rule of this numbered fact could not be weighed, and says what it waits for."""

    def look(_: Story, answer: Answer) -> None:
        waiting = {n: w for n, w in unweighed(answer).items() if n.startswith(f"{one}_")}
        assert waiting, f"expected a question of {one}: {unweighed(answer)}, {said(answer)}"
        assert any(what in name for names in waiting.values() for name in names), waiting

    return look


def advises(*words: str) -> Expectation:
    """The texts delivered say these words."""

    def look(story: Story, answer: Answer) -> None:
        texts = {advice.name: advice.text for advice in story.workflow.advice}
        delivered_text = " ".join(texts[name] for name in advised(answer))
        for word in words:
            assert word.lower() in delivered_text.lower(), f"{word!r} not in {delivered_text!r}"

    return look


def granted(_: Story, answer: Answer) -> None:
    assert answer.verdict == "accepted", said(answer)


def recorded(_: Story, answer: Answer) -> None:
    assert answer.verdict in ("accepted", "deviation"), said(answer)


def deviates(_: Story, answer: Answer) -> None:
    assert answer.verdict == "deviation", said(answer)


def refused(_: Story, answer: Answer) -> None:
    assert answer.refused, said(answer)


def refused_by(*guards: str) -> Expectation:
    """Refused, and these guards and no others kept the way closed."""

    def look(_: Story, answer: Answer) -> None:
        assert answer.refused, said(answer)
        assert set(kept_by(answer)) == set(guards), said(answer)

    return look


def kept_closed_by(guard: str) -> Expectation:
    """Refused, and this guard is among what kept the ways closed."""

    def look(_: Story, answer: Answer) -> None:
        assert answer.refused, said(answer)
        assert guard in kept_by(answer), said(answer)

    return look


def undecided(*names: str) -> Expectation:
    """Refused because these could not be weighed; they are named."""

    def look(_: Story, answer: Answer) -> None:
        assert answer.decision.get("reason") == "guard-undecided", said(answer)
        assert set(names) <= set(missing(answer)), said(answer)

    return look


def refused_for(*names: str) -> Expectation:
    """Refused, and these are named as what could not be used."""

    def look(_: Story, answer: Answer) -> None:
        assert answer.refused, said(answer)
        assert set(names) <= set(missing(answer)), said(answer)

    return look


def has(**variables: object) -> Expectation:
    """What the course remembers afterwards, as text."""

    def look(story: Story, _: Answer) -> None:
        held = story.variables
        for name, value in variables.items():
            found = held[name]
            assert (found if isinstance(value, bool) else str(found)) == value, (name, found)

    return look

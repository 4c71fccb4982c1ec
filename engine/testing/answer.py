"""What an answer says, in the words of a test."""

from __future__ import annotations

from collections.abc import Mapping

from engine.answer import Answer
from engine.core.encoding import Json


def fired(answer: Answer) -> tuple[str, ...]:
    """The rules that hold after the event, whether they were delivered again or not."""
    return tuple(found["rule"] for found in answer.decision.get("fired", ()))


def delivered(answer: Answer) -> tuple[str, ...]:
    """The rules that hold and were delivered: they are new, or the event brought what they read."""
    return tuple(f["rule"] for f in answer.decision.get("fired", ()) if f.get("delivered"))


def advised(answer: Answer) -> tuple[str, ...]:
    """The names of the advice that was delivered."""
    return tuple(answer.decision.get("advice", ()))


def unweighed(answer: Answer) -> dict[str, tuple[str, ...]]:
    """The rules that could not be weighed, each with what it waits for."""
    return {rule: tuple(names) for rule, names in answer.decision.get("unknown", {}).items()}


def kept_by(answer: Answer) -> tuple[str, ...]:
    """The guards that kept every way closed, each once."""
    return tuple(dict.fromkeys(weighed["guard"] for weighed in _closed(answer)))


def missing(answer: Answer) -> tuple[str, ...]:
    """What the guards that kept every way closed could not weigh, each name once."""
    lacking = (
        said.rsplit(" (", 1)[0]
        for weighed in _closed(answer)
        for finding in weighed.get("findings", ())
        for said in finding.get("missing", ())
    )
    return tuple(dict.fromkeys(lacking))


def passed(answer: Answer) -> dict[str, str]:
    """The guards that an override passed, each with the verdict as which it was passed."""
    return {w["guard"]: w["verdict"] for w in answer.decision.get("weighed", ()) if w.get("passed")}


def said(answer: Answer) -> str:
    """An answer in one line, for the message of a failed test."""
    words = [answer.verdict, answer.decision.get("reason"), f"in {answer.state}"]
    if answer.verdict != "accepted" and (closed := kept_by(answer)):
        words.append(f"kept by {', '.join(closed)}")
    if lacking := missing(answer):
        words.append(f"missing {', '.join(lacking)}")
    return " ".join(word for word in words if word)


def _closed(answer: Answer) -> list[Mapping[str, Json]]:
    return [w for attempt in answer.decision.get("attempts", ()) for w in attempt["kept_by"]]

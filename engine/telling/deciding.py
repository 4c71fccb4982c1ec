"""Which comparisons decide a requirement that is not met, and what they would have to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.telling.explanation import Comparison

TIMES = ("time of ", "date of ")
"""How what was compared begins when it is when a reading was taken."""


def deciding(compared: list[Comparison], verdict: str) -> list[Comparison]:
    """Which comparisons decide: not that a reading is there, nor when it was taken.

    Where nothing else was compared, those do.
    """
    if verdict != "no":
        return compared
    changeable = [one for one in compared if not _stands(one)]
    if not changeable:
        return compared
    return [{**one, "decides": False, "needed": None} if _stands(one) else one for one in compared]


def _stands(one: Comparison) -> bool:
    there = one["op"] == "is known" and one["verdict"] == "yes"
    return there or any((one[side] or "").startswith(TIMES) for side in ("what", "threshold_name"))


def needed(op: str, threshold: str | None, verdict: str) -> str | None:
    """What a comparison that kept a guard at no would have to say."""
    if op in _NEGATED:
        # A comparison that holds below a "not" is the one that must not hold.
        wanted = _NEGATED[op] if verdict == "yes" else op
        return f"{wanted} {threshold}"
    known: Mapping[str, Callable[[str], str]] = {
        "is": lambda v: "no" if v == "yes" else "yes",
        "is one of": lambda v: f"{'none' if v == 'yes' else 'one'} of {threshold}",
        "is known": lambda v: "unknown" if v == "yes" else "known",
    }
    return known[op](verdict) if op in known else None


_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}

"""A compiled tree: what it gives, how to weigh it, and its parts for the explanation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from engine.core.expression import Expression, Truth
from engine.core.kind import Type
from engine.core.view import View

Datum: TypeAlias = Any
"""A value as guards see it: of any type, and `None` where it is not known."""

Answer: TypeAlias = bool | None
"""Yes, no, or not known."""

Run = Callable[[View], Datum]


@dataclass(frozen=True, slots=True)
class Code:
    """A compiled tree: its type, how to weigh it, and its compiled parts for the explanation."""

    node: Expression
    type: Type
    run: Run
    parts: tuple[Code, ...] = ()

    def weigh(self, view: View) -> Truth:
        """Yes, no or unknown."""
        return truth(self.run(view))


def truth(value: Answer, /) -> Truth:
    """The word for an inner answer."""
    if value is None:
        return Truth.UNKNOWN
    return Truth.YES if value else Truth.NO

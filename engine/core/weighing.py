"""A compiled tree: what it gives, how to weigh it, and its parts for the explanation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from engine.core.expression import Expression, Latest, TakenAt, TakenOn, Truth, walk
from engine.core.kind import Type
from engine.core.phrase import text
from engine.core.view import View

Datum: TypeAlias = Any
"""A value as guards see it: of any type, and `None` where it is not known."""

Answer: TypeAlias = bool | None
"""Yes, no, or not known."""

Run = Callable[[View], Datum]


@dataclass(frozen=True)
class Code:
    """A compiled tree: its type, how to weigh it, and its compiled parts for the explanation.

    Not slotted: what explanations ask of a tree is found once and kept beside it.
    """

    node: Expression
    type: Type
    run: Run
    parts: tuple[Code, ...] = ()

    @cached_property
    def said(self) -> str:
        """The tree in words."""
        return text(self.node)

    @cached_property
    def source(self) -> str | None:
        """The one input whose latest reading the tree looks at; `None` when not exactly one."""
        looked = {
            node.input for node in walk(self.node) if isinstance(node, Latest | TakenAt | TakenOn)
        }
        return looked.pop() if len(looked) == 1 else None

    def weigh(self, view: View) -> Truth:
        """Yes, no or unknown."""
        return truth(self.run(view))


def truth(value: Answer, /) -> Truth:
    """The word for an inner answer."""
    if value is None:
        return Truth.UNKNOWN
    return Truth.YES if value else Truth.NO

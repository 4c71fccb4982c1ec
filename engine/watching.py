"""Who looks on while use cases run, and hears of decisions: nobody, unless an operator wants it.

What is told names no course and has no clinical value.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Watch(Protocol):
    """Looks on."""

    def doing(self, use_case: str) -> AbstractContextManager[object]:
        """Around a use case; an error passes through."""

    def decided(self, verdict: str) -> None:
        """A decision was recorded."""


class Unwatched:
    """Nobody looks on."""

    def doing(self, use_case: str) -> AbstractContextManager[object]:  # noqa: ARG002  # nobody asks
        return _NOTHING

    def decided(self, verdict: str) -> None:
        """Nobody hears of it."""


class Watched(Protocol):
    """Something whose use cases are looked on at."""

    @property
    def watch(self) -> Watch: ...


_S = TypeVar("_S", bound=Watched)


def use_case(
    method: Callable[Concatenate[_S, _P], _T],
) -> Callable[Concatenate[_S, _P], _T]:
    """A use case that is looked on at, under its own name."""
    name = method.__name__

    @wraps(method)
    def run(watched: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        with watched.watch.doing(name):
            return method(watched, *args, **kwargs)

    return run


_NOTHING = nullcontext()

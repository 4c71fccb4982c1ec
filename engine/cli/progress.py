"""A bar over courses, where a person watches; a pipe or a file gets none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Advance(Protocol):
    """One more course is done, of so many where that is told only then."""

    def __call__(self, courses: int | None = None, /) -> None: ...


@contextmanager
def over_courses(console: Console, doing: str, total: int | None = None) -> Iterator[Advance]:
    """What is called after each course."""
    with Progress(
        TextColumn(doing),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("", total=total)

        def advance(courses: int | None = None, /) -> None:
            progress.update(task, total=courses, advance=1)

        yield advance

"""`regimen apply`: events from files, decided in order and recorded.

What is wrong with one line keeps no other from being applied, and a file may be applied again:
what is there already is not decided twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from engine.answer import Answer
from engine.cli.exits import Exit
from engine.cli.lines import STDIN, Line, lines_of, require_readable
from engine.cli.session import ADVICE, Session, command
from engine.core.encoding import Json
from engine.core.event import SIGNED
from engine.errors import (
    Conflict,
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    RegimenError,
    StoreUnavailable,
    UnknownEvent,
)
from engine.service import Service
from engine.telling.lexicon import Lexicon
from engine.telling.seen import Lacked, Lacking, lacked

AT_ONCE = 50
"""How many events share a transaction: most of what a commit costs, it costs once."""

Result = Answer | RegimenError


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Courses")(apply)


@command
def apply(
    session: Session,
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="JSON Lines, one event a line; - is stdin."),
    ],
    *,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 when a request is refused.")
    ] = False,
) -> None:
    """Apply events, each decided and recorded; applying a file again changes nothing.

    A line that is malformed, or that cannot be taken, is reported with its number and why; the
    others are applied. Exits with 2 when there was one.
    """
    for name in files:
        require_readable(name)
    service = session.service(writes=True)
    tally = Tally()
    try:
        with _progress(session.err, files) as bar:
            for batch in _batches(lines_of(files, bar)):
                for line, result in zip(batch, _applied(service, batch), strict=True):
                    tally.add(line, result, service)
    except (StoreUnavailable, KeyboardInterrupt):
        session.say(f"{tally.summary()} These stand; apply the same files again for the rest.")
        raise
    for problem in tally.problems if not session.as_json else ():
        session.say(f"{_place(problem)}: {problem['message']}", style="red")
    session.answer(tally.json(), tally.tell)
    if tally.problems:
        raise typer.Exit(Exit.BAD)
    if strict and tally.refusals:
        raise typer.Exit(Exit.NO)


@dataclass(slots=True)
class Tally:
    """What became of the lines. `refusals` count those of earlier times too."""

    lines: int = 0
    applied: int = 0
    already_there: int = 0
    refused: int = 0
    deviations: int = 0
    malformed: int = 0
    not_taken: int = 0
    conflicting: int = 0
    refusals: list[Json] = field(default_factory=list)
    deviating: list[Json] = field(default_factory=list)
    problems: list[Json] = field(default_factory=list)
    unusable: list[Json] = field(default_factory=list)
    lacked: dict[str, Lacked] = field(default_factory=dict)

    def add(self, line: Line, result: Result, service: Service) -> None:
        self.lines += 1
        if isinstance(result, RegimenError):
            self._problem(line, result)
            return
        if result.repeated:
            self.already_there += 1
        elif result.refused:
            self.refused += 1
        elif result.verdict == "deviation":
            self.deviations += 1
        else:
            self.applied += 1
        self.unusable += _unusable(line, result, service)
        if result.refused:
            self.refusals.append(_told(line, result, self._lacking(result, service)))
        elif result.verdict == "deviation" and not result.repeated:
            self.deviating.append(_told(line, result, result.lacking))

    def _lacking(self, answer: Answer, service: Service) -> Lacking:
        """What a refusal lacked; of an earlier one worked out again, once for each course."""
        if not answer.repeated or not answer.decision.get("attempts"):
            return answer.lacking
        if answer.course not in self.lacked:
            self.lacked[answer.course] = lacked(service, answer.course)
        return self.lacked[answer.course].get(answer.seq, {})

    def summary(self) -> str:
        """The counts in one sentence."""
        counts = {
            "applied": self.applied,
            "already there": self.already_there,
            "refused": self.refused,
            "deviations" if self.deviations != 1 else "deviation": self.deviations,
            "malformed": self.malformed,
            "not taken": self.not_taken,
            "conflicting": self.conflicting,
        }
        told = ", ".join(f"{n} {word}" for word, n in counts.items() if n or word == "applied")
        return f"{self.lines} {'event' if self.lines == 1 else 'events'}: {told}."

    def json(self) -> Json:
        return {
            "events": self.lines,
            "applied": self.applied,
            "already_there": self.already_there,
            "refused": self.refused,
            "deviations": self.deviations,
            "malformed": self.malformed,
            "not_taken": self.not_taken,
            "conflicting": self.conflicting,
            "refusals": self.refusals,
            "deviating": self.deviating,
            "problems": self.problems,
            "unusable": self.unusable,
        }

    def tell(self, out: Console) -> None:
        for told in self.refusals:
            out.print(_sentence(told, "refused"), style="yellow", soft_wrap=True)
        for told in self.deviating:
            out.print(_sentence(told, "deviation"), style="yellow", soft_wrap=True)
        for told in self.unusable:
            out.print(_warning(told), style="yellow", soft_wrap=True)
        out.print(self.summary(), soft_wrap=True)
        if self.lines and self.already_there == self.lines:
            out.print("Nothing changed: every event was there already.")

    def _problem(self, line: Line, error: RegimenError) -> None:
        match error:
            case Conflict() | IdempotencyConflict():
                self.conflicting += 1
                kind = "conflicting"
            case NotFound() | NotPermitted():
                self.not_taken += 1
                kind = "not taken"
            case _:
                self.malformed += 1
                kind = "malformed"
        advice = f"; {ADVICE[UnknownEvent]}" if isinstance(error, UnknownEvent) else ""
        self.problems.append(
            {
                "file": line.source,
                "line": line.number,
                "kind": kind,
                "error": type(error).__name__,
                "message": f"{error}{advice}",
                **(
                    {"field": error.field, "expected": error.expected}
                    if isinstance(error, InvalidInput)
                    else {}
                ),
            }
        )


def _applied(service: Service, batch: Sequence[Line]) -> list[Result]:
    """The answer to each line of a batch, or what is wrong with it."""
    told = [_wrong(line) for line in batch]
    good = [line for line, wrong in zip(batch, told, strict=True) if wrong is None]
    try:
        answers = iter(service.submit_many([line.body for line in good]))
    except StoreUnavailable:
        raise
    except RegimenError:
        # Something spoiled the transaction that they share: each has its own, then.
        answers = iter([_alone(service, line) for line in good])
    return [next(answers) if wrong is None else wrong for wrong in told]


def _wrong(line: Line) -> RegimenError | None:
    """What keeps a line from being sent at all, if anything does."""
    if line.wrong is not None:
        return InvalidLine(line.wrong)
    if isinstance(line.body, dict) and line.body.get("event") == SIGNED:
        # A file could make up what a person proved, and to whom.
        return InvalidInput("event", "no signature: `regimen sign` gives one", found=SIGNED)
    return None


def _alone(service: Service, line: Line) -> Result:
    try:
        return service.submit(line.body)
    except StoreUnavailable:
        raise
    except RegimenError as wrong:
        return wrong


class InvalidLine(RegimenError):
    """A line that is no JSON, so that it has no field to name."""


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    while batch := list(islice(lines, AT_ONCE)):
        yield batch


def _told(line: Line, answer: Answer, lacking: Lacking) -> Json:
    attempts = answer.decision.get("attempts", ())
    closed = [weighed for attempt in attempts for weighed in attempt["kept_by"]]
    recorded = [
        name
        for weighed in closed
        for finding in weighed.get("findings", ())
        for name in finding.get("missing", ())
    ]
    known = [str(one) for names in lacking.values() for one in names]
    missing = [name.removesuffix(" (missing)") for name in known or recorded]
    return {
        "file": line.source,
        "line": line.number,
        "course": answer.course,
        "event": answer.event,
        "event_id": answer.event_id,
        "seq": answer.seq,
        "repeated": answer.repeated,
        "reason": answer.decision.get("reason"),
        "kept_by": list(dict.fromkeys(weighed["guard"] for weighed in closed)),
        "missing": list(dict.fromkeys(missing)),
    }


def _unusable(line: Line, answer: Answer, service: Service) -> list[Json]:
    """What was taken as reported and lies outside what is physically possible."""
    if not answer.unusable:
        return []
    with service.store.transaction(service.tenant, write=False) as tx:
        lexicon = Lexicon(service.setting.registry.machine(answer.digest, tx))
    return [
        {
            "file": line.source,
            "line": line.number,
            "course": answer.course,
            "event": answer.event,
            "seq": answer.seq,
            "input": reading.input,
            "value": lexicon.measured(reading),
            "range": lexicon.range_of(reading.input),
        }
        for reading in answer.unusable
    ]


def _warning(told: Json) -> str:
    return (
        f"{_place(told)}: accepted: {told['course']} {told['event']}; {told['input']} "
        f"{told['value']} is outside what is possible ({told['range']}) and will not be used"
    )


def _sentence(told: Json, word: str) -> str:
    parts = [f"{_place(told)}: {word}: {told['course']} {told['event']}"]
    if told["reason"] is not None:
        parts.append(str(told["reason"]).replace("-", " "))
    if told["kept_by"]:
        parts.append(f"kept by {', '.join(told['kept_by'])}")
    if told["missing"]:
        parts.append(f"missing {', '.join(told['missing'])}")
    return "; ".join(parts) + (" (as before)" if told["repeated"] else "")


def _place(told: Json) -> str:
    return f"{told['file']}:{told['line']}"


@contextmanager
def _progress(console: Console, files: Sequence[str]) -> Iterator[Callable[[int], None]]:
    """A bar over the bytes of the files, where a person watches."""
    sizes = [None if name == STDIN else Path(name).stat().st_size for name in files]
    known = [size for size in sizes if size is not None]
    total = sum(known) if len(known) == len(sizes) else None
    with Progress(
        TextColumn("Applying"), BarColumn(), DownloadColumn(), TimeRemainingColumn(),
        console=console, transient=True, redirect_stdout=False, redirect_stderr=False,
        disable=not console.is_terminal,
    ) as progress:  # fmt: skip
        task = progress.add_task("", total=total)
        yield lambda read: progress.advance(task, read)

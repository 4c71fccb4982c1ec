"""`regimen replay --step` and `regimen readings`: a course step by step, and on both time axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.audit import NOT_TOLD
from engine.cli.checked import Origin
from engine.cli.ink import CORRECTED, STYLES, Lines
from engine.cli.session import Session, command
from engine.cli.times import instant_at, moment_at
from engine.core.axes import Known
from engine.core.encoding import Json, encode_value
from engine.core.playback import Playback, Sense
from engine.errors import InvalidInput
from engine.telling.lexicon import Lexicon
from engine.telling.played import TITLES, others, told
from engine.telling.wording import Tone, Wording, why

Happened = Annotated[
    str | None,
    typer.Option("--happened-by", metavar="INSTANT", help="Only what had happened by then."),
]
Recorded = Annotated[
    str | None,
    typer.Option("--recorded-by", metavar="INSTANT", help="Only what had been recorded by then."),
]


SIGNS = (
    "+ a rule that would have acted, − one that would not; "  # noqa: RUF001  # a minus
    "with ?, one that would have been an open question"
)
"""What the signs of the rules of a finding mean."""


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Audit")(readings)
    app.command(rich_help_panel="Audit")(findings)
    app.command(rich_help_panel="Audit")(reconsider)


@command
def readings(
    session: Session,
    course: Annotated[str, typer.Argument(metavar="COURSE")],
    *,
    happened_by: Happened = None,
    recorded_by: Recorded = None,
    input_name: Annotated[
        str | None, typer.Option("--input", metavar="INPUT", help="Only the readings of this one.")
    ] = None,
) -> None:
    """List the readings of a course on both time axes, each with its record.

    What was corrected later is marked where the correction was not yet known.
    """
    playback = session.auditor().playback(course)
    lexicon = Lexicon(playback.machine)
    if input_name is not None and input_name not in playback.machine.inputs:
        known = ", ".join(playback.machine.inputs)
        raise InvalidInput("--input", f"one of {known}", found=repr(input_name))
    by = {
        "happened_by": instant_at("--happened-by", happened_by),
        "recorded_by": instant_at("--recorded-by", recorded_by),
    }
    held = playback.readings(**by)
    shown = [one for name, several in held.items() if input_name in (None, name) for one in several]
    session.answer(
        {
            "course": course,
            "happened_by": happened_by,
            "recorded_by": recorded_by,
            "readings": [playback.reading_json(one) for one in shown],
        },
        lambda out: out.print(
            _table(shown, lexicon, _wording(playback)) if shown else "No reading."
        ),
    )


@command
def findings(session: Session, course: Annotated[str, typer.Argument(metavar="COURSE")]) -> None:
    """List decisions that corrections and late entries put in question, and what became of it.

    A clinician disposes of an open finding with the event `course.finding_disposed`.
    """
    auditor = session.auditor()
    found, left = auditor.findings(course), auditor.unreconsidered(course)
    believed = auditor.believed_variables(course)

    def tell(out: Console) -> None:
        table = Table("Finding", "Raised by", "Input", "Would differ", "Status", box=None)
        for one in found:
            table.add_row(
                str(one.finding),
                *_raised_by(one.data),
                "\n".join(map(_would, one.data["differing"])),
                one.status if one.by is None else f"{one.status}, record {one.by}",
            )
        out.print(table if found else "No correction or late entry puts a decision in question.")
        if any(_signs(differing) for one in found for differing in one.data["differing"]):
            out.print(SIGNS)
        if believed is None:
            out.print(NOT_TOLD)
        elif believed:
            remembered = ", ".join(name.replace("_", " ") for name in sorted(believed))
            out.print(
                f"The course remembers otherwise than is believed now: {remembered}. "
                f"`regimen show {course} --all` tells how."
            )
        if left:
            listed = ", ".join(map(str, left))
            out.print(f"Not weighed again: {listed}. `regimen reconsider {course}` does so.")

    session.answer(
        {
            "course": course,
            "findings": [one.json() for one in found],
            "believed_variables": None
            if believed is None
            else {name: encode_value(value) for name, value in sorted(believed.items())},
            "not_weighed": left,
        },
        tell,
    )


@command
def reconsider(
    session: Session, courses: Annotated[list[str], typer.Argument(metavar="COURSE...")]
) -> None:
    """Weigh again what corrections and late entries changed that an engine of before recorded.

    Those of today are weighed when they are recorded: of these there is nothing to do.
    """
    service = session.service()
    done = {course: service.reconsider(course) for course in courses}

    def tell(out: Console) -> None:
        for course, number in done.items():
            out.print(f"{course}: {number} {'record' if number == 1 else 'records'} weighed again")

    session.answer({"courses": [{"course": c, "weighed": n} for c, n in done.items()]}, tell)


def _raised_by(data: Mapping[str, Json]) -> tuple[str, str]:
    """What put decisions in question, and of which inputs."""
    if "late_entry" in data:
        inputs = ", ".join(name.replace("_", " ") for name in data["inputs"])
        return f"late entry {data['late_entry']}", inputs
    said = f"correction {data['correction']} of record {data['record']}"
    return said, data["input"].replace("_", " ")


def _would(one: Mapping[str, Json]) -> str:
    """A decision that would have been another, in a line."""
    again, recorded = one["again"], one["recorded"]
    if again is None:
        return f"{one['record']} {one['event']}: cannot be weighed"
    turned = [name for name in ("verdict", "state", "transition", "moved_by") if
              recorded.get(name) != again.get(name)]  # fmt: skip
    said = [f"{recorded.get(name) or 'none'} → {again.get(name) or 'none'}" for name in turned]
    return f"{one['record']} {one['event']}: {', '.join(said + _signs(one))}"


def _signs(one: Mapping[str, Json]) -> list[str]:
    """The rules that would have acted or been open questions, and those that would not."""
    again, said = one["again"] or {}, list[str]()
    for name, sign in (("fired", ""), ("questions", "? ")) if again else ():
        before, now = one["recorded"].get(name, []), again.get(name, [])
        said += [f"+ {sign}{rule}" for rule in now if rule not in before]
        said += [f"− {sign}{rule}" for rule in before if rule not in now]  # noqa: RUF001  # a minus
    return said


def played_back(  # what one replay is asked
    session: Session,
    playback: Playback,
    step: int | None,
    at: str | None,
    sense: Sense | None,
    *,
    origin: Origin | None = None,
) -> None:
    """Answer with one step of a course, or with all of them in a few words each.

    Of a file it is told below by whose keys it is signed. Raises InvalidInput for a step that is
    not there.
    """
    if step is not None and at is not None:
        raise InvalidInput("--at", "nothing beside --step")
    document: dict[str, Json]
    if step is None and at is None:
        number, chosen = None, sense or Sense.RECORDED
        document = {
            "course": playback.course,
            "sense": chosen.value,
            "steps": [_brief(playback, n, chosen) for n in range(1, len(playback) + 1)],
        }
    else:
        chosen = sense or Sense.RECORDED if step is not None else sense or Sense.KNOWN
        instant = moment_at("--at", at)
        number = step or 0 if instant is None else playback.at(instant).seq
        document = playback.shown(number, chosen)

    def tell(out: Console) -> None:
        if number is None:
            _tell_all(out, playback, chosen)
        else:
            _tell(out, playback, number, chosen)
        for line in origin.lines() if origin is not None else ():
            out.print(line, soft_wrap=True)

    session.answer(document if origin is None else {**document, **origin.json()}, tell)


def _brief(playback: Playback, number: int, sense: Sense) -> dict[str, Json]:
    step = playback.step(number)
    found: dict[str, Json] = {
        "step": number,
        "event": step.record.event,
        "at": step.body["event"]["at"],
        "recorded_at": step.body["recorded_at"],
        "outcome": step.outcome.json(),
    }
    if sense is Sense.BELIEVED:
        now = playback.believed(number).outcome
        found |= {"outcome": None if now is None else now.json(), "differs": now != step.outcome}
    if sense is Sense.AGAIN:
        found |= {"differs": bool(playback.again(number).differences)}
    return found


def _tell_all(out: Console, playback: Playback, sense: Sense) -> None:
    table, wording = (
        Table("Step", "At", "Event", "Verdict", "State", "", box=None),
        _wording(playback),
    )
    for n in range(1, len(playback) + 1):
        step, brief = playback.step(n), _brief(playback, n, sense)
        said = brief["outcome"]
        mark = ""
        if brief.get("differs"):
            mark = f"recorded: {step.outcome.verdict}, {step.outcome.state.replace('_', ' ')}"
        table.add_row(
            str(n),
            wording.instant(step.record.at),
            step.record.event,
            "cannot be weighed" if said is None else said["verdict"],
            "" if said is None else said["state"].replace("_", " "),
            Text(mark, style=STYLES[Tone.DEVIATION]),
        )
    out.print(f"{playback.course}, {TITLES[sense]}: {len(playback)} steps")
    out.print(table)


def _tell(out: Console, playback: Playback, number: int, sense: Sense) -> None:
    out.print(f"{playback.course}, step {number} of {len(playback)}, {TITLES[sense]}")
    lexicon, wording = Lexicon(playback.machine), _wording(playback)
    step = told(playback, number, sense, lexicon, wording)
    at = wording.instant(playback.step(number).record.at)
    recorded_at = wording.instant(step.record["recorded_at"])
    out.print(f"{lexicon.event(step.record['event'])}: happened {at}, recorded {recorded_at}")
    if step.said is not None:
        out.print(Lines([step.said]))
    if step.held:
        out.print("Readings in force:")
        out.print(_table(step.held, lexicon, wording))
    out.print(Lines(list(others(playback, number, sense, lexicon))))


def _table(held: Sequence[Known], lexicon: Lexicon, wording: Wording) -> Table:
    table = Table("Input", "Value", "Taken", "Recorded", "Record", "", box=None)
    for one in held:
        reading = one.reading
        struck = _since(one)
        flawed = reading.flaw is not None
        value = why(reading.flaw or "") if reading.value is None else lexicon.measured(reading)
        marks = [f"corrected by {one.corrected_by}"] if struck else []
        marks += [why(reading.flaw or "")] if flawed and reading.value is not None else []
        marks += [f"corrects {one.first}"] if reading.corrects is not None else []
        table.add_row(
            lexicon.called(reading.input),
            Text(wording.value(value), style=CORRECTED if struck else ""),
            wording.instant(reading.at),
            wording.instant(one.recorded_at),
            str(one.record),
            Text("; ".join(marks), style=STYLES[Tone.OVERRIDE]),
        )
    return table


def _since(one: Known) -> bool:
    return one.corrected_by is not None


def _wording(playback: Playback) -> Wording:
    return Wording.of(playback.step(1).row, playback.machine)

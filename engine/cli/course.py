"""`regimen show`, `log`, `timeline` and `why-not`: one course, looked at and never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated

import typer
from rich.console import Console

from engine.audit import NOT_TOLD
from engine.cli.exits import Exit
from engine.cli.ink import Lines
from engine.cli.logbook import Logbook
from engine.cli.playback import Happened, Recorded
from engine.cli.screen import screen
from engine.cli.session import Session, command
from engine.cli.timeline import Timeline
from engine.cli.times import civil_day, instant_at
from engine.core.encoding import Json, instant_text, parse
from engine.core.event import FORMAT
from engine.core.inquiry import asked_json
from engine.core.machine import Machine
from engine.core.outcome import Reason
from engine.errors import Divergence, InvalidInput, NotPermitted, UnknownEvent, UnknownWorkflow
from engine.service import Service, Status
from engine.signatures import Signatures
from engine.telling.entry import Entry, entries
from engine.telling.explanation import Explained
from engine.telling.lexicon import Lexicon
from engine.telling.overview import Overview
from engine.telling.seen import Seen, lacked, texts_of
from engine.telling.signing import signature_said
from engine.telling.wording import Wording

Course = Annotated[str, typer.Argument(metavar="COURSE", help="The course's pseudonym.")]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="INSTANT",
        help="When it would have happened, such as 2026-03-02T09:00:00-08:00; else now.",
    ),
]
Then = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="INSTANT",
        help="The course as it was known then, such as 2026-03-02T09:00:00-08:00; else now.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Courses")(show)
    app.command(rich_help_panel="Courses")(log)
    app.command(rich_help_panel="Courses")(timeline)
    app.command("why-not", rich_help_panel="Courses")(why_not)


@command
def show(
    session: Session,
    course: Course,
    *,
    at: Then = None,
    happened_by: Happened = None,
    recorded_by: Recorded = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Leave nothing out, however long it gets.")
    ] = False,
) -> None:
    """Show a course on one screen: where it stands, what is due, what could come next."""
    service = session.service()
    when = instant_at("--at", at) or service.setting.clock.now()
    by = {
        "happened_by": instant_at("--happened-by", happened_by),
        "recorded_by": instant_at("--recorded-by", recorded_by),
    }
    axes = [instant for instant in by.values() if instant is not None]
    if at is not None and axes:
        raise InvalidInput("--at", "nothing beside --happened-by and --recorded-by")
    records = service.records(course)
    if at is None and not axes:
        status = service.status(course, at=when)
        believed = session.auditor().believed_variables(course)
        if believed is None:
            session.say(NOT_TOLD)
        overview = Overview.of(status, records, when, believed=believed)
    else:
        when = min(axes, default=when)
        status, known = _standing(service, course, when, by)
        overview = Overview.of(status, records[:known], when, later=len(records) - known)
    session.answer(overview.json(), lambda out: out.print(screen(overview, everything=everything)))


@command
def log(
    session: Session,
    course: Course,
    *,
    findings: Annotated[
        bool, typer.Option("--findings", help="With each record, what its decision rests on.")
    ] = False,
    texts: Annotated[
        bool, typer.Option("--texts", help="With each record, its free texts unless erased.")
    ] = False,
    after: Annotated[int, typer.Option(min=0, metavar="SEQ", help="Only later records.")] = 0,
) -> None:
    """List the records of a course. A corrected value is struck out and names its correction."""
    service = session.service()
    status = service.status(course)
    records = service.records(course)
    signed = Signatures(service).of(course, records)
    shown = [entry for entry in entries(records, signed) if entry.seq > after]
    lexicon = Lexicon(status.machine)
    lacking = lacked(service, course) if findings else {}
    book = Logbook(
        entries=shown,
        lexicon=lexicon,
        wording=_wording(status),
        findings=findings,
        lacking=lacking,
        texts=texts_of(service, course, [one.seq for one in shown]) if texts else {},
    )
    told = [
        {
            **entry.json(),
            **({"findings": book.explained(entry)} if findings else {}),
            **({"texts": dict(book.texts.get(entry.seq, {}))} if texts else {}),
        }
        for entry in shown
    ]
    session.answer({"course": course, "records": told}, lambda out: out.print(book))


@command
def timeline(
    session: Session,
    course: Course,
    *,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only what happened from this day on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only what happened to this day.")
    ] = None,
) -> None:
    """Draw a course over time: states as bars, events, deviations, overrides and due visits."""
    service = session.service()
    status = service.status(course)
    wording = _wording(status)
    first = None if since is None else civil_day("--since", since)
    last = None if until is None else civil_day("--until", until)
    shown = [e for e in entries(service.records(course)) if _within(e, wording, first, last)]
    if not shown:
        raise InvalidInput("--since and --until", "days on which something happened")
    drawn = Timeline(
        entries=shown,
        lexicon=Lexicon(status.machine),
        wording=wording,
        visits=status.snapshot.visits if last is None else {},
    )
    session.answer({"course": course, **drawn.json()}, lambda out: out.print(drawn))


@command
def why_not(
    session: Session,
    course: Course,
    event: Annotated[str, typer.Argument(metavar="EVENT", help="What would be sent.")],
    *,
    data: Annotated[
        str | None, typer.Option(metavar="JSON", help='Its data, such as {"grade": "2"}.')
    ] = None,
    role: Annotated[
        str | None, typer.Option(help="Who would send it; else the first that may.")
    ] = None,
    at: At = None,
    override: Annotated[
        list[str] | None, typer.Option(metavar="GUARD", help="A guard to pass; may be repeated.")
    ] = None,
    code: Annotated[str | None, typer.Option(help="The override code.")] = None,
    reason: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="The reason code; else the first where one is required."),
    ] = None,
) -> None:
    """Try an event without writing it: would it be accepted, and if not, why not.

    Without --data only what does not depend on it is weighed. Exits with 0 when it would be
    accepted, with 1 when not.
    """
    service = session.service()
    when = instant_at("--at", at) or service.setting.clock.now()
    status = service.status(course, at=when)
    machine = status.machine
    if event not in machine.events:
        raise UnknownEvent(event, (e.name for e in machine.workflow.events if not e.timer))
    tried = {"course": course, "event": event, "at": when, "role": role}
    named = {"override": override, "code": code, "reason": reason}
    if data is None and any(field.required for field in machine.events[event].fields):
        _require_allowed(machine, event, role, override or ())
        told = _from_options(status, event, when)
    else:
        told = _tried(service, machine, {**tried, **named, "data": data})
    would = told["verdict"] == "accepted"
    wording, lexicon = _wording(status), Lexicon(machine)
    said = wording.decision(
        told, (lexicon.state(told["state_before"]), lexicon.state(told["state"])), would=True
    )
    asked = asked_json(machine.events[event])

    def tell(out: Console) -> None:
        out.print(Lines([said]))
        if asked is not None:
            out.print(f"{event} {signature_said(asked)}.")

    answer = {"course": course, "at": instant_text(when), "would_be_accepted": would, **told}
    session.answer({**answer, "signature": asked}, tell)
    raise typer.Exit(Exit.YES if would else Exit.NO)


def _tried(service: Service, machine: Machine, asked: Mapping[str, Json]) -> Explained:
    """What a whole event would be answered now."""
    course, event = asked["course"], asked["event"]
    declared = machine.events[event]
    role = asked["role"] or declared.roles[0]
    reason = asked["reason"]
    if reason is None and declared.reason_required:
        reason = (*declared.reason_codes, "why-not")[0]
    body: dict[str, Json] = {
        "format": FORMAT,
        "id": "why-not",
        "course": course,
        "event": event,
        "at": instant_text(asked["at"]),
        "actor": {"id": "why-not", "role": role},
        "data": _object("--data", asked["data"]),
    }
    if asked["override"]:
        named = {"guards": asked["override"], "text": "why-not"}
        body["override"] = {"code": asked["code"] or "", **named}
    if reason is not None:
        body["reason"] = {"code": reason}
    answer = service.dry_run(body)
    at = asked["at"]
    seen = Seen(at=at, age=service.setting.clock.now() - at, lacking=answer.lacking)
    return Lexicon(machine).explained(
        event, answer.decision, state_before=answer.state_before, state=answer.state, seen=seen
    )


def _require_allowed(
    machine: Machine, event: str, role: str | None, override: Iterable[str]
) -> None:
    """What depends on no data. Raises NotPermitted and InvalidInput, as the whole event would."""
    roles = machine.events[event].roles
    if role is not None and role not in roles:
        raise NotPermitted(event, role, roles)
    for guard in override:
        if guard not in machine.guards:
            raise InvalidInput("override.guards", "guards of the workflow", found=guard)


def _from_options(status: Status, event: str, at: datetime) -> Explained:
    """What can be said of an event whose data nobody named."""
    lexicon, state = Lexicon(status.machine), status.row["state"]
    option = next((o for o in status.options if o.event == event), None)
    decision: dict[str, Json]
    if option is None:
        decision = {"verdict": "refused", "reason": "illegal-transition"}
    elif not option.requirements and status.machine.events[event].signature is not None:
        decision = {"verdict": "refused", "reason": Reason.UNSIGNED.value}
    elif not option.requirements:
        decision = {"verdict": "accepted", "transition": option.transition}
    else:
        decision = lexicon.refusal(option)
    after = option.target if option is not None and not option.requirements else state
    needs = option.requirements if option is not None else ()
    seen = Seen(at=at, lacking={weighed.guard: weighed.missing for weighed in needs})
    return lexicon.explained(event, decision, state_before=state, state=after, seen=seen)


def _wording(status: Status) -> Wording:
    return Wording.of(status.row, status.machine)


def _standing(
    service: Service, course: str, at: datetime, by: Mapping[str, datetime | None]
) -> tuple[Status, int]:
    try:
        return service.standing(course, at=at, **by)
    except UnknownWorkflow:
        raise
    except (InvalidInput, LookupError, ValueError) as wrong:
        if isinstance(wrong, InvalidInput) and wrong.field == "at":
            raise InvalidInput("--at", wrong.expected) from wrong
        raise Divergence(course, None, "its records do not add up: `verify` says why") from wrong


def _within(entry: Entry, wording: Wording, first: date | None, last: date | None) -> bool:
    if first is None and last is None:
        return True
    if entry.at is None:
        return False
    on = entry.at.astimezone(wording.zone).date()
    return (first is None or first <= on) and (last is None or on <= last)


def _object(option: str, text: str | None) -> Json:
    if text is None:
        return {}
    try:
        found = parse(text)
    except ValueError as wrong:
        raise InvalidInput(option, "a JSON object", found=str(wrong)) from None
    if not isinstance(found, dict):
        raise InvalidInput(option, "a JSON object", found=repr(text))
    return found

"""What-if counts found in other ways than `engine.core.what_if` finds them.

- Of instruments the arithmetic is written out: numbers from the bytes of the records, and no guard.
- Of any workflow each recorded snapshot is rebuilt from the first record on and decided again.
- Of the course that a definition would have made, the recorded events are sent to a service that
  has that definition, at the times at which they were recorded.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.core.decision import decide
from engine.core.definition import Workflow
from engine.core.encoding import instant_from
from engine.core.event import RECONSIDERED
from engine.core.evolution import evolve
from engine.core.machine import Machine
from engine.core.record import Record, decision_json
from engine.core.redecision import snapshots
from engine.core.row import changes
from engine.registry import Registry, stored_form
from engine.store.memory import MemoryStore
from engine.submission import Desk, Setting
from engine.zones import Zones

Lived = tuple[int | None, str, str | None]
"""The record, none for a timer of its own; the verdict; and the state that the event led to."""

Turned = Counter[tuple[str, str, str, str]]
"""Guard, use, what it was, what it is."""


@dataclass
class Counts:
    """What was found of all courses."""

    flipped: int = 0
    diverged: set[str] = field(default_factory=set)
    turned: Turned = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)

    def differs(self, course: str, seq: int) -> None:
        self.diverged.add(course)
        self.first.setdefault(course, seq)


# --- instruments, by arithmetic ------------------------------------------------------------------


def instruments(courses: Mapping[str, Sequence[Record]], limit: Decimal) -> Counts:
    """Each decision by itself, had the limit been another than 5 micrometres."""
    counts = Counts()
    for course, records in courses.items():
        measured: tuple[Decimal, datetime] | None = None
        room: tuple[Decimal, datetime] | None = None
        for record in records[1:]:
            body = json.loads(record.body)
            event, data, state = body["event"], body["event"].get("data", {}), body["state"][0]
            at = instant_from(event["at"])
            if event["event"] == "measurement_recorded":
                measured = Decimal(data["deviation"]["value"]), at
                if "room_temperature" in data:
                    room = Decimal(data["room_temperature"]["value"]), at
                if state in ("in_service", "overdue"):
                    was, now = measured[0] > 5, measured[0] > limit
                    if was != now:
                        counts.turned["deviation_above_limit", "rule", *_words(was, now)] += 1
                        counts.flipped += 1
                        counts.differs(course, record.seq)
            if event["event"] == "release_instrument" and state == "on_bench":
                fresh = measured is not None and at - measured[1] <= timedelta(hours=24)
                was, now = (
                    (measured[0] <= 5, measured[0] <= limit)
                    if fresh and measured is not None
                    else (None, None)
                )
                near = None
                if room is not None and at - room[1] <= timedelta(hours=2):
                    near = 19 <= room[0] <= 21
                passed = "room_near_reference" in event.get("override", {}).get("guards", ())
                if was != now:
                    counts.turned["deviation_within_limit", "requirement", *_words(was, now)] += 1
                    counts.differs(course, record.seq)
                counts.flipped += _granted(was, near, passed) != _granted(now, near, passed)
    return counts


def _granted(within: bool | None, near: bool | None, passed: bool) -> str:
    closing = [one for one in (within, True if passed else near) if one is not True]
    return "granted" if not closing else "no" if False in closing else "unknown"


def _words(*answers: bool | None) -> tuple[str, ...]:
    return tuple({True: "yes", False: "no", None: "unknown"}[one] for one in answers)


# --- any workflow, snapshot by snapshot ----------------------------------------------------------


class Asking:
    """The zone's calendar, whatever a record kept."""

    def __init__(self, zone: str) -> None:
        self.calendar = Zones().of(zone)

    def civil_date(self, instant: datetime) -> Any:
        return self.calendar.civil_date(instant)

    def instant(self, on: Any, time: str) -> datetime:
        return self.calendar.instant(on, time)


def each_by_itself(
    courses: Mapping[str, Sequence[Record]], recorded: Machine, other: Machine
) -> Counts:
    """Each decision by itself, for a definition that differs in parameters alone."""
    counts = Counts()
    for course, records in courses.items():
        for record, was, event in snapshots(records, lambda _: recorded):
            before = was.facing(
                calendar=Asking(was.zone),
                decided_at=was.decided_at,
                readings=was.readings,
                another_open=was.another_open,
            )
            body = json.loads(record.body)
            decision = decide(other, before, event)
            again = json.loads(json.dumps(decision_json(decision)))
            after = evolve(other, before, event, decision)
            overridden = body["event"].get("override", {}).get("guards", ())
            mine = _verdicts(body["decision"], recorded, overridden)
            yours = _verdicts(again, other, overridden)
            turned = list(_turned(mine, yours, overridden))
            counts.turned.update(turned)
            decided = (again["verdict"], again.get("reason"), after.state)
            flipped = decided != (
                body["verdict"], body["decision"].get("reason"), body["state"][1],
            )  # fmt: skip
            counts.flipped += flipped
            if (
                flipped
                or turned
                or _essence(again) != _essence(body["decision"])
                or changes(before, after).get("variables") != body["changes"].get("variables")
            ):
                counts.differs(course, record.seq)
    return counts


def _essence(decision: Mapping[str, Any]) -> tuple[Any, ...]:
    """What is told and which way was taken, without findings and without closed ways."""
    names = ("transition", "moved_by", "advice", "messages", "conflicts")
    return tuple(json.dumps(decision.get(name), sort_keys=True) for name in names)


def _verdicts(
    decision: Mapping[str, Any], machine: Machine, overridden: Sequence[str]
) -> dict[tuple[str, str], str]:
    ways = {way.name: way for way in machine.workflow.transitions}
    found: dict[tuple[str, str], str] = {}
    for attempt in decision.get("attempts", []):
        if not attempt["kept_by"]:
            continue
        kept = {one["guard"]: one["verdict"] for one in attempt["kept_by"]}
        for need in ways[attempt["transition"]].requires:
            if need.guard in kept or need.guard not in overridden:
                found[need.guard, "requirement"] = kept.get(need.guard, "yes")
    for one in decision.get("weighed", []):
        found[one["guard"], "requirement"] = one["verdict"]
    found |= {(rule, "rule"): "no" for rule in decision.get("no", [])}
    found |= {(rule, "rule"): "unknown" for rule in decision.get("unknown", {})}
    found |= {(one["rule"], "rule"): "yes" for one in decision.get("fired", [])}
    return found


def _turned(
    mine: Mapping[tuple[str, str], str],
    yours: Mapping[tuple[str, str], str],
    overridden: Sequence[str],
) -> Iterator[tuple[str, str, str, str]]:
    for guard, use in {*mine, *yours}:
        was, now = (side.get((guard, use), "not weighed") for side in (mine, yours))
        if was == now:
            continue
        if "not weighed" in (was, now):
            if guard in overridden:
                continue
            quiet = {"rule": ("no",), "requirement": ("yes",)}[use]
            if was in quiet or now in quiet or (use == "rule" and was == "unknown"):
                continue
        yield guard, use, was, now


# --- any workflow, by sending the events again ---------------------------------------------------


class _Clock:
    def __init__(self) -> None:
        self.at = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


def lived_again(
    courses: Mapping[str, Sequence[Record]], workflow: Workflow
) -> dict[str, list[Lived]]:
    """What a service with that definition decides of the recorded events, until one of them
    belongs to another way.
    """
    registry = Registry()
    return {
        course: list(_again(records, workflow, registry)) for course, records in courses.items()
    }


def _again(records: Sequence[Record], workflow: Workflow, registry: Registry) -> Iterator[Lived]:
    store, clock = MemoryStore(), _Clock()
    definition = stored_form(workflow)
    foreseen = _foreseen(workflow)
    with store.transaction("again") as tx:
        tx.define(definition)
        desk = Desk(
            setting=Setting(
                tenant="again", registry=registry, clock=clock, calendars=Zones(),
                salt=lambda: "0" * 32, version="again",
            ),
            tx=tx,
        )  # fmt: skip
        numbers: dict[int, int] = {}
        for record in records:
            body = json.loads(record.body)
            event, clock.at = _unsealed(body["event"]), record.recorded_at
            if record.event == RECONSIDERED:
                continue  # each engine makes its own after a correction
            told = len(desk.answers)
            state = desk.answers[-1].state if told else None
            timer = event["id"].split(":")[1] if event["id"].startswith("timer:") else None
            if record.seq == 1:
                desk.submit({**event, "workflow": definition.digest})
                yield 1, "accepted", None
                continue
            if timer is not None:
                desk.due(record.course, record.at or clock.at)
            else:
                if record.at is not None:  # the timers that come first may change where it is
                    desk.due(record.course, record.at)
                    state = desk.answers[-1].state
                was = body["state"][0]
                if (
                    state != was
                    and (record.event, was) in foreseen
                    and (record.event, state) not in foreseen
                ):
                    return
                event.pop("expected_revision", None)
                if event["event"] == "course.corrected":
                    event["data"]["record"] = numbers[event["data"]["record"]]
                desk.submit(event)
            for answer in desk.answers[told:]:
                if answer.event == RECONSIDERED:
                    continue
                own = answer.event_id.split(":")[1] if ":" in answer.event_id else None
                at = json.loads(tx.record(record.course, answer.seq).body)["event"].get("at")
                same = (own, at) == (timer, body["event"].get("at"))
                mine = same if timer is not None else answer.event_id == record.event_id
                if mine:
                    numbers[record.seq] = answer.seq
                moved = answer.state != answer.state_before
                where = answer.state if moved else None
                yield record.seq if mine else None, answer.verdict, where


def _foreseen(workflow: Workflow) -> set[tuple[str, str]]:
    return {
        (way.event, state)
        for way in workflow.transitions
        if not way.deviation
        for state in workflow.expand(way.sources)
    }


def _unsealed(value: Any) -> Any:
    """A recorded event as it might have been sent: some text where a digest is kept."""
    if isinstance(value, dict):
        if value.keys() == {"sha256"}:
            return "a text"
        return {name: _unsealed(part) for name, part in value.items()}
    return [_unsealed(part) for part in value] if isinstance(value, list) else value

"""What happened in a course, one happening for each step of the token and for each refusal.

A record gives one happening, or two: a transition, and then the rule that moved the course on from
where the transition had brought it. They follow one another in the order of the records, which is
the order in which they were decided. That is the order that a net is held against: a late entry
comes where it was taken in, and says beside that when it happened.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from engine.core.definition import Workflow
from engine.core.encoding import Json
from engine.core.event import ADOPTED, ENGINE, ENROLLED
from engine.core.names import event_of
from engine.core.record import Record
from engine.mining.net import moved


class Of(StrEnum):
    """What a happening is."""

    OPENING = "opening"
    TRANSITION = "transition"
    DEVIATION = "deviation"
    RULE = "rule"
    REFUSAL = "refusal"
    ASIDE = "aside"
    """Taken, and nothing of the workflow: a booking, a correction, a review."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One step. `activity` is a label of the net, wherever the net provides for it.

    `before` and `after` are states; `before` is unset where the course begins. `at` is when it
    happened, where that is an instant and known, and `recorded_at` when it was decided. `values`
    are what the event brought, where it was asked for.
    """

    of: Of
    activity: str
    event: str
    record: int
    verdict: str
    at: str | None
    recorded_at: str
    actor: str
    role: str
    before: str | None
    after: str
    round: int
    late: bool
    overridden: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def lifecycle(self) -> str:
        """The word of the standard lifecycle: what was asked for and refused was withdrawn."""
        return "withdraw" if self.of is Of.REFUSAL else "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A course whose happenings follow."""

    course: str
    patient: str
    site: str
    digest: str
    workflow: Workflow
    retrospective: bool
    closed: bool

    @property
    def status(self) -> str:
        return "finished" if self.closed else "running"


class Reading:
    """Reads the records of one course in order, and keeps nothing of them but the round."""

    def __init__(self, workflow: Workflow, *, values: bool = False) -> None:
        self._workflow = workflow
        self._targets = {t.name: t.target for t in workflow.transitions}
        self._actions = {rule.guard: rule.action for rule in workflow.rules}
        self._values = values
        self._round = 1

    def happenings(self, record: Record) -> Iterator[tuple[Happening, Mapping[str, Any]]]:
        """What a record tells, each with what it changed in the course's row."""
        body = json.loads(record.body)
        event, decision, changes = body["event"], body["decision"], body["changes"]
        before, after = body["state"]
        self._round = changes.get("round", self._round)
        middle = after
        if (rule := decision.get("moved_by")) is not None:
            middle = self._targets.get(decision.get("transition")) or before
        of, activity = _what(event["event"], decision)
        said: dict[str, Any] = {
            "event": event["event"],
            "record": record.seq,
            "verdict": body["verdict"],
            "at": event["at"] if isinstance(event.get("at"), str) else None,
            "recorded_at": body["recorded_at"],
            "round": self._round,
            "late": bool(decision.get("late")),
        }
        actor = event["actor"]
        yield (
            Happening(
                of=of,
                activity=activity,
                actor=actor["id"],
                role=actor["role"],
                before=before,
                after=middle,
                overridden=tuple(
                    w["guard"] for w in decision.get("weighed", ()) if w.get("passed")
                ),
                rules=tuple(f["rule"] for f in decision.get("fired", ()) if f.get("delivered")),
                values=self._brought(event) if self._values else {},
                **said,
            ),
            changes,
        )
        if rule is not None:
            yield (
                Happening(
                    of=Of.RULE,
                    activity=moved(self._actions[rule], rule),
                    actor=ENGINE,
                    role=ENGINE,
                    before=middle,
                    after=after,
                    **said,
                ),
                {},
            )

    def _brought(self, event: Mapping[str, Any]) -> dict[str, str]:
        """What the event brought: no text, and of a list nothing."""
        declared = event_of(self._workflow, event["event"])
        kinds = {f.name: f.kind for f in declared.fields} if declared is not None else {}
        found: dict[str, str] = {}
        for name, value in event.get("data", {}).items():
            if kinds.get(name) in (None, "text", "list"):
                continue
            if (said := _said(value)) is not None:
                found[name] = said
        return found


def _what(event: str, decision: Mapping[str, Any]) -> tuple[Of, str]:
    if event in (ENROLLED, ADOPTED):
        return Of.OPENING, event
    name: str | None = decision.get("transition")
    match decision["verdict"]:
        case "refused":
            return Of.REFUSAL, event
        case "deviation":
            return Of.DEVIATION, name or event
        case _:
            return (Of.ASIDE, event) if name is None else (Of.TRANSITION, name)


def _marked(decision: Mapping[str, Any], part: str, name: str, mark: str) -> tuple[str, ...]:
    return tuple(item[name] for item in decision.get(part, ()) if item.get(mark))


def _said(value: Json) -> str | None:
    if isinstance(value, dict):
        inner, unit = value.get("value"), value.get("unit")
        if not isinstance(inner, str | int | bool):
            return None
        return f"{_said(inner)} {unit}" if isinstance(unit, str) else _said(inner)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, str | int) else None

"""A course on one screen: where it stands, what is due, what holds, and what could come next.

Nothing here knows a workflow: which variables and readings there are, and what they are called, is
looked up in the course's own definition.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from engine.core.definition import Input, Kind, Variable
from engine.core.encoding import Json, encode_value, instant_text
from engine.core.expression import Truth
from engine.core.inquiry import Option
from engine.core.phrase import value_text
from engine.core.record import Record
from engine.core.schedule import dueness
from engine.core.signing import owed
from engine.core.view import Reading
from engine.service import Status
from engine.telling.lexicon import Lexicon
from engine.telling.seen import Seen, elapsed
from engine.telling.wording import Wording

RULES_TOLD = 4
"""How many of the rules that fired last are shown."""
RANKS = {"number": 0, "quantity": 0, "date": 1, "code": 2, "yesno": 3, "instant": 4}
"""Totals and counters first: they are what is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What one screen shows of a course at an instant, and what `--json` answers.

    `believed` are variables that would be others with what is believed by now.
    """

    status: Status
    lexicon: Lexicon
    wording: Wording
    at: datetime
    today: date
    bodies: Sequence[Mapping[str, Json]]
    later: int | None = None
    believed: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        status: Status,
        records: Iterable[Record],
        at: datetime,
        *,
        later: int | None = None,
        believed: Mapping[str, Any] | None = None,
    ) -> Overview:
        """The overview of a course as it stands, or as it stood before `later` more records."""
        zone = ZoneInfo(status.row["zone"])
        return cls(
            status=status,
            lexicon=Lexicon(status.machine),
            wording=Wording.of(status.row, status.machine),
            at=at,
            today=at.astimezone(zone).date(),
            bodies=[json.loads(record.body) for record in records],
            later=later,
            believed=believed or {},
        )

    def json(self) -> dict[str, Json]:
        """Everything, as data."""
        row, workflow = self.status.row, self.status.machine.workflow
        seen = Seen(at=self.at, latest=self.status.snapshot.latest)
        names = ("course", "patient", "site", "zone", "retrospective", "round", "seq", "revision")
        return {
            **{name: row[name] for name in names},
            "workflow": workflow.label,
            "title": workflow.title,
            "digest": row["digest"],
            "state": row["state"],
            "state_title": self.lexicon.state(row["state"]),
            "stage": self.lexicon.stage(row["state"]),
            "last_at": row["last_at"],
            "as_of": instant_text(self.at),
            "later_records": self.later or 0,
            "visits": self.visits(),
            "timers": self.timers(),
            "variables": self.variables(),
            "readings": self.readings(),
            "holding": self.holding(),
            "unsigned": self.unsigned(),
            "legal_holds": dict(row.get("legal_holds", {})),
            "overrides": self.overrides(),
            "last_rules": self.last_rules(),
            "questions": [
                self.lexicon.question(rule, names, seen) for rule, names in row["questions"].items()
            ],
            "open_findings": self.open_findings(),
            "next": self.options(),
        }

    def open_findings(self) -> list[Json]:
        """Decisions that would have been different with what is known now and wait for somebody."""
        return [
            {
                "finding": int(name),
                "correction": one.correction,
                "record": one.record,
                "input": one.input,
                "title": None if one.input is None else self.lexicon.called(one.input),
                "decisions": list(one.decisions),
            }
            for name, one in self.status.snapshot.open_findings.items()
        ]

    def unsigned(self) -> list[Json]:
        """The records that wait for signatures, and with which meanings."""
        events, found = self.status.machine.events, list[Json]()
        for seq, awaiting in self.status.snapshot.unsigned.items():
            missing = [one.meaning for one in owed(events[awaiting.event], awaiting)]
            found.append({"record": int(seq), "event": awaiting.event, "missing": missing})
        return sorted(found, key=lambda one: one["record"])

    def visits(self) -> list[Json]:
        """The visits that are due, each with where today lies in its window."""
        titles = {visit.name: visit.title for visit in self.status.machine.workflow.visits}
        return [
            {
                "name": name,
                "title": titles.get(name) or name,
                "number": window.number,
                "earliest": window.earliest.isoformat(),
                "target": window.target.isoformat(),
                "latest": window.latest.isoformat(),
                "due": dueness(window, self.today).value,
            }
            for name, window in self.status.snapshot.visits.items()
        ]

    def timers(self) -> list[Json]:
        """The timers that wait, the next one first."""
        waiting = sorted(self.status.snapshot.timers.items(), key=lambda item: item[1].due)
        events = self.status.machine.timers
        return [
            {
                "name": name,
                "event": events[name],
                "title": self.lexicon.event(events[name]),
                "due": instant_text(armed.due),
                "overdue": armed.due <= self.at,
            }
            for name, armed in waiting
        ]

    def variables(self) -> list[Json]:
        """What the course remembers that is not as it began; `None` is what became unknown.

        Of what would be another with what is believed by now, `believed` says that in words.
        """
        machine, held = self.status.machine, self.status.snapshot.variables
        ranked = sorted(machine.workflow.variables, key=lambda v: RANKS[v.kind])
        return [
            self._value(variable, held.get(variable.name))
            for variable in ranked
            if variable.name in self.believed
            or held.get(variable.name) != machine.initial_values[variable.name]
        ]

    def readings(self) -> list[Json]:
        """The latest reading of each input, the newest first."""
        latest = self.status.snapshot.latest
        newest = sorted(
            latest.values(), key=lambda r: (r.at is not None, r.at, r.seq), reverse=True
        )
        return [self._reading(reading) for reading in newest]

    def holding(self) -> list[Json]:
        """The rules that hold now, with the record since which they do."""
        actions = {rule.guard: rule.action for rule in self.status.machine.workflow.rules}
        ranks = {action.name: action.rank for action in self.status.machine.workflow.actions}
        firing = self.status.snapshot.firing.items()
        return [
            {
                "rule": rule,
                "title": self.lexicon.guard(rule),
                "action": self.lexicon.action(actions[rule]),
                "since": since,
            }
            for rule, since in sorted(firing, key=lambda item: ranks[actions[item[0]]])
        ]

    def overrides(self) -> list[Json]:
        """Every override that was used, the latest first."""
        return [
            {
                "record": body["seq"],
                "event": body["event"]["event"],
                "at": _when(body["event"]),
                "guard": weighed["guard"],
                "title": self.lexicon.guard(weighed["guard"]),
                "verdict": weighed["verdict"],
                "code": body["event"]["override"]["code"],
                "role": body["event"]["actor"]["role"],
            }
            for body in reversed(self.bodies)
            for weighed in body["decision"].get("weighed", ())
            if weighed.get("passed")
        ]

    def last_rules(self) -> list[Json]:
        """The rules that were delivered last and do not hold any more, each once, latest first."""
        found: list[Json] = []
        known = set(self.status.snapshot.firing)
        for body in reversed(self.bodies):
            decision = body["decision"]
            for fired in decision.get("fired", ()):
                fresh = fired.get("delivered") and fired["rule"] not in known
                if fresh and len(found) < RULES_TOLD:
                    known.add(fired["rule"])
                    told = self.lexicon.told(fired, decision.get("moved_by"))
                    found.append({"record": body["seq"], "at": _when(body["event"]), **told})
        return found

    def options(self) -> list[Json]:
        """What could be sent now, requests first, with what is in the way of each."""
        return [self._option(option) for option in self.status.options]

    def _option(self, option: Option) -> dict[str, Json]:
        kept_by = self.lexicon.option(option, self.at)
        lacking = [lack for one in kept_by for lack in one["missing"]]
        by_data = bool(lacking) and all(lack["why"] == "not-sent" for lack in lacking)
        return {
            "event": option.event,
            "title": option.title,
            "kind": option.kind.value,
            "request": option.kind is Kind.REQUEST,
            "verdict": option.verdict.value,
            "target": option.target,
            "roles": list(option.roles),
            "depends_on_data": option.verdict is Truth.UNKNOWN and by_data,
            "requirements": kept_by,
            "signature": option.signature,
        }

    def _value(self, declared: Variable, value: Any) -> dict[str, Json]:  # noqa: ANN401  # any kind
        found: dict[str, Json] = {
            "name": declared.name,
            "title": declared.title or declared.name,
            "value": None if value is None else encode_value(value),
            "unit": declared.unit,
            "said": self._said(declared, value),
        }
        if declared.name in self.believed:
            found["believed"] = self._said(declared, self.believed[declared.name])
        return found

    def _reading(self, reading: Reading) -> dict[str, Json]:
        declared = self.status.machine.inputs[reading.input]
        usable = reading.value is not None
        return {
            "input": reading.input,
            "title": declared.title or reading.input,
            "value": encode_value(reading.value) if usable else None,
            "unit": declared.unit,
            "said": self._said(declared, reading.value),
            "at": None if reading.at is None else instant_text(reading.at),
            "record": reading.seq,
            "flaw": reading.flaw,
            "range": self.lexicon.range_of(reading.input) or None,
            "range_said": self.wording.value(self.lexicon.range_of(reading.input)),
            "corrects": reading.corrects,
            "stale": self._stale(declared, reading),
            "age": None if reading.at is None else elapsed(self.at - reading.at),
            "max_age": None if declared.max_age is None else elapsed(declared.max_age),
        }

    def _said(self, declared: Variable | Input, value: Any) -> str:  # noqa: ANN401  # any kind
        if value is None:
            return "not known"
        if isinstance(value, datetime):
            return self.wording.instant(value)
        if isinstance(value, Decimal) and declared.unit is not None:
            return self.wording.value(f"{value_text(value)} {declared.unit}")
        return value_text(value).replace("_", " ")

    def _stale(self, declared: Input, reading: Reading) -> bool:
        if declared.max_age is None or reading.at is None:
            return False
        return self.at - reading.at > declared.max_age


def _when(event: Mapping[str, Json]) -> str | None:
    at = event["at"]
    return at if isinstance(at, str) else None

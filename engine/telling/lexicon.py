"""What the names of one workflow are called, and on what they rest.

A decision is taken in its recorded form, so that an answer of today and a record of last year are
explained alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TypedDict

from engine.core.definition import Citation, Kind, Requirement, Transition
from engine.core.encoding import Json
from engine.core.entry import IMPOSSIBLE
from engine.core.event import CORRECTIONS
from engine.core.expression import AnyOf, Truth
from engine.core.finding import Missing
from engine.core.inquiry import Option
from engine.core.machine import Machine
from engine.core.names import NAME, spoken, titles
from engine.core.outcome import Reason, Weighed
from engine.core.phrase import text, value_text
from engine.core.record import finding_json
from engine.core.schema import TITLES
from engine.core.view import Reading
from engine.errors import InvalidInput
from engine.telling.deciding import deciding, needed
from engine.telling.explanation import (
    Advised,
    Cited,
    Comparison,
    Explained,
    Lack,
    Question,
    Told,
    Unmet,
    Way,
)
from engine.telling.seen import NOTHING_SEEN, Seen, elapsed

NAMED_AT_MOST = 3
"""How many events are named that would bring what is missing."""


class _Ages(TypedDict):
    age: str | None
    max_age: str | None


class Lexicon:
    """What the names of one workflow are called, and on what they rest."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.workflow = machine.workflow

    def called(self, name: str) -> str:
        """The title of an input, variable, parameter, field or event; else the name in words."""
        return self._titles.get(name) or name.replace("_", " ")

    def state(self, name: str | None) -> str:
        """The title of a state."""
        if name is None:
            return "not begun"
        declared = self.machine.states.get(name)
        return declared.title if declared is not None and declared.title else name

    def stage(self, state: str) -> str:
        """The stage of a state."""
        declared = self.machine.states.get(state)
        return declared.stage if declared is not None else state

    def guard(self, name: str) -> str:
        """The title of a guard."""
        declared = self.machine.guards.get(name)
        return declared.title if declared is not None and declared.title else name

    def event(self, name: str) -> str:
        """The title of an event; the engine's own have theirs."""
        declared = self.machine.events.get(name)
        if declared is None:
            return _ENGINE.get(name, name)
        return declared.title or name.replace("_", " ")

    def action(self, name: str) -> str:
        """The title of an action."""
        titles = {action.name: action.title for action in self.workflow.actions}
        return titles.get(name) or name

    def cited(self, guard: str) -> Cited:
        """On what a guard rests."""
        declared = self.machine.guards.get(guard)
        return _cited(declared.cite) if declared is not None else _NOWHERE

    def lack(self, one: str | Missing, seen: Seen = NOTHING_SEEN) -> Lack:
        """What was lacking, or what a recorded `name (why)` means, looked up in what was seen."""
        if isinstance(one, str):
            name, _, why = one.removesuffix(")").rpartition(" (")
            one = Missing(name or one, why if name else "missing", seen.latest.get(name))
        reading, declared = one.reading, self.machine.inputs.get(one.name)
        taken = reading if declared is not None and one.why in ("stale", "impossible") else None
        return {
            "name": one.name,
            "title": self.called(one.name),
            "why": one.why,
            "sent_by": self._sent_by(one.name),
            "value": None if taken is None else self.measured(taken),
            "record": None if taken is None else taken.seq,
            "range": self.range_of(one.name) if one.why == "impossible" else None,
            **self._ages(one, seen.at),
        }

    def measured(self, reading: Reading) -> str:
        """The value of a reading with its unit."""
        unit = self.machine.inputs[reading.input].unit
        return f"{value_text(reading.value)}{f' {unit}' if unit and unit != '1' else ''}"

    def range_of(self, name: str) -> str:
        """What is physically possible of an input, in words."""
        declared = self.machine.inputs[name]
        low, high = (None if x is None else value_text(x) for x in (declared.low, declared.high))
        said = (
            f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}"
        )
        return f"{said} {declared.unit or ''}".strip() if low or high else ""

    def impossible(self, event: Mapping[str, Json]) -> frozenset[str]:
        """The inputs of which a recorded event brought a value outside their physical range."""
        if event["event"] not in self.machine.events and event["event"] not in CORRECTIONS:
            return frozenset()
        try:
            read = self.machine.forms.reread(event)
        except InvalidInput:  # a record that was changed: `verify` says so
            return frozenset()
        found = {reading.input for reading in read.readings if reading.flaw == IMPOSSIBLE}
        if read.correction is not None and read.correction.flaw == IMPOSSIBLE:
            found.add(read.correction.input)
        return frozenset(found)

    def _ages(self, one: Missing, at: datetime | None) -> _Ages:
        declared, reading = self.machine.inputs.get(one.name), one.reading
        if one.why != "stale" or declared is None:
            return {"age": None, "max_age": None}
        max_age = one.max_age or declared.max_age
        taken = reading.at if reading is not None else None
        return {
            "age": elapsed(at - taken) if at is not None and taken is not None else None,
            "max_age": None if max_age is None else elapsed(max_age),
        }

    def comparison(self, finding: Mapping[str, Json], verdict: str) -> Comparison:
        """A recorded finding of a guard that weighed to `verdict`, the right way round."""
        what, op = finding["what"], finding["op"]
        value, threshold = finding.get("value"), finding.get("threshold")
        name, against, found = (threshold or "").partition(" = ")
        # `limit >= amount` reads better as `amount <= limit`: what is asked for can be changed.
        if against and self._stands_fast(what, op, name):
            what, op, value = name, _MIRRORED[op], None if found == "None" else found
            name, found = finding["what"], finding.get("value")
        if against:
            title = self._titles.get(name) or self.filled(name)
            unknown = found in (None, "None")
            threshold = f"{title}, which is not known" if unknown else f"{title} = {found}"
        return {
            "what": what,
            "title": self._titles.get(what) or self.filled(what),
            "op": op,
            "value": value,
            "threshold": threshold,
            "threshold_name": name if against else None,
            "decides": True,
            "verdict": finding["verdict"],
            "record": finding.get("record"),
            "at": finding.get("at"),
            "needed": needed(op, threshold, finding["verdict"]) if verdict == "no" else None,
        }

    def filled(self, said: str) -> str:
        """A condition in words: parameters by what they are set to, all else by its title."""
        set_ = NAME.sub(lambda found: self._parameters.get(found[0]) or found[0], said)
        return spoken(set_, lambda name: self._titles.get(name) or self._guards.get(name))

    def unmet(
        self, weighed: Mapping[str, Json], transition: str, seen: Seen = NOTHING_SEEN
    ) -> Unmet:
        """A recorded requirement that was not yes, as the transition asks for it."""
        guard, verdict = weighed["guard"], weighed["verdict"]
        declared = self.machine.guards.get(guard)
        asked = self._asked(transition, guard)
        findings = weighed.get("findings", ())
        recorded = dict.fromkeys(m for f in findings for m in f.get("missing", ()))
        missing: Iterable[str | Missing] = seen.lacking.get(guard) or recorded
        return {
            "guard": guard,
            "title": self.guard(guard),
            "condition": self.filled(text(declared.condition)) if declared is not None else "",
            "verdict": verdict,
            "any_will_do": declared is not None and isinstance(declared.condition, AnyOf),
            "comparisons": deciding([self.comparison(f, verdict) for f in findings], verdict),
            "missing": [self.lack(one, seen) for one in missing],
            "citation": self.cited(guard),
            "soft": asked is not None and asked.soft,
            "roles": list(asked.roles) if asked is not None else [],
            "codes": list(asked.codes) if asked is not None else [],
            "passed": bool(weighed.get("passed")),
        }

    def question(self, rule: str, waits_for: Iterable[str], seen: Seen = NOTHING_SEEN) -> Question:
        """A rule that could not be weighed."""
        return {
            "rule": rule,
            "title": self.guard(rule),
            "action": self.action(self._actions.get(rule, "")),
            "waits_for": [self.lack(said, seen) for said in waits_for],
        }

    def told(self, fired: Mapping[str, Json], moved_by: str | None) -> Told:
        """A recorded rule that holds."""
        rule = fired["rule"]
        return {
            "rule": rule,
            "title": self.guard(rule),
            "action": fired["action"],
            "action_title": self.action(fired["action"]),
            "moved": rule == moved_by,
            "comparisons": [self.comparison(f, "yes") for f in fired.get("findings", ())],
            "advice": self.advised(fired.get("advice", ())),
            "citation": self.cited(rule),
        }

    def advised(self, names: Iterable[str]) -> list[Advised]:
        """The texts of advice, with their sources."""
        known = [self.machine.advice[name] for name in names if name in self.machine.advice]
        return [
            {"name": a.name, "text": a.text, "citation": _cited(a.cite) if a.cite else None}
            for a in known
        ]

    def explained(
        self,
        event: str,
        decision: Mapping[str, Json],
        *,
        state_before: str | None,
        state: str,
        seen: Seen = NOTHING_SEEN,
    ) -> Explained:
        """A decision as recorded or answered, with everything that a reader wants to know of it."""
        too_old = decision.get("reason") == Reason.TOO_OLD
        declared = self.machine.events.get(event)
        max_age = declared.max_age if too_old and declared is not None else None
        taken = decision.get("transition")
        passed = [w for w in decision.get("weighed", ()) if w.get("passed")]
        fired = [f for f in decision.get("fired", ()) if f.get("delivered")]
        rules = [self.told(f, decision.get("moved_by")) for f in fired]
        said_by_rules = {advice["name"] for rule in rules for advice in rule["advice"]}
        illegal = decision.get("reason") == "illegal-transition"
        return {
            "event": event,
            "title": self.event(event),
            "verdict": decision["verdict"],
            "reason": decision.get("reason"),
            "age": elapsed(seen.age) if too_old and seen.age is not None else None,
            "max_age": None if max_age is None else elapsed(max_age),
            "late": bool(decision.get("late")),
            "another_open": bool(decision.get("another_open")),
            "transition": taken,
            "state_before": state_before,
            "state": state,
            "moved_by": decision.get("moved_by"),
            "possible_in": self.possible_in(event) if illegal else [],
            "ways": [self._way(attempt, seen) for attempt in decision.get("attempts", ())],
            "overridden": [self.unmet(weighed, taken or "", seen) for weighed in passed],
            "rules": rules,
            "advice": self.advised(
                name for name in decision.get("advice", ()) if name not in said_by_rules
            ),
            "questions": [
                self.question(rule, names, seen)
                for rule, names in decision.get("unknown", {}).items()
            ],
        }

    def bound(self, event: str) -> dict[str, str]:
        """The fields of an event that bring readings, with their inputs."""
        declared = self.machine.events.get(event)
        fields = declared.fields if declared is not None else ()
        return {field.name: field.input for field in fields if field.input is not None}

    def option(self, option: Option, at: datetime | None = None) -> list[Unmet]:
        """What is in the way of an event that could be sent now."""
        seen = Seen(at=at, lacking={w.guard: w.missing for w in option.requirements})
        return [self.unmet(_recorded(w), option.transition, seen) for w in option.requirements]

    def refusal(self, option: Option) -> dict[str, Json]:
        """An option that is not open, in the form of a decision."""
        kept_by = [_recorded(weighed) for weighed in option.requirements]
        reason = Reason.GUARD_FAILED if option.verdict is Truth.NO else Reason.UNDECIDED
        return {
            "verdict": "refused" if option.kind is Kind.REQUEST else "deviation",
            "reason": reason.value,
            "attempts": [{"transition": option.transition, "kept_by": kept_by}],
        }

    def possible_in(self, event: str) -> list[str]:
        """The states from which an event leads anywhere, or in which it stays."""
        return [name for name in self.machine.states if self.machine.accepts(event, name)]

    @cached_property
    def _titles(self) -> dict[str, str]:
        return titles(self.workflow)

    @cached_property
    def _guards(self) -> dict[str, str]:
        return {guard.name: guard.title for guard in self.workflow.guards}

    @cached_property
    def _parameters(self) -> dict[str, str]:
        return {p.name: value_text(p.value) for p in self.workflow.parameters}

    @cached_property
    def _fields(self) -> frozenset[str]:
        return frozenset(field.name for e in self.workflow.events for field in e.fields)

    def _stands_fast(self, what: str, op: str, other: str) -> bool:
        if what in self._parameters:
            return op in _MIRRORED
        return op in _ORDERED and other in self._fields and what not in self._fields

    @cached_property
    def _actions(self) -> dict[str, str]:
        return {rule.guard: rule.action for rule in self.workflow.rules}

    @cached_property
    def _transitions(self) -> dict[str, Transition]:
        return {transition.name: transition for transition in self.workflow.transitions}

    def _asked(self, transition: str, guard: str) -> Requirement | None:
        declared = self._transitions.get(transition)
        needs = declared.requires if declared is not None else ()
        return next((need for need in needs if need.guard == guard), None)

    def _way(self, attempt: Mapping[str, Json], seen: Seen) -> Way:
        name = attempt["transition"]
        declared = self._transitions.get(name)
        return {
            "transition": name,
            "target": declared.target if declared is not None else None,
            "target_title": (
                self.state(declared.target)
                if declared is not None and declared.target is not None
                else None
            ),
            "deviation": declared is not None and declared.deviation,
            "kept_by": [self.unmet(weighed, name, seen) for weighed in attempt["kept_by"]],
        }

    def _sent_by(self, name: str) -> list[str]:
        if name in self.machine.inputs:
            found: Iterator[str] = (
                event.name
                for event in self.workflow.events
                if any(field.input == name for field in event.fields)
            )
        else:
            stating = (event.name for event in self.workflow.events if name in event.updates)
            moving = (t.event for t in self.workflow.transitions if name in t.updates)
            found = (event for event in (*stating, *moving) if not self._by_timer(event))
        return list(dict.fromkeys(found))[:NAMED_AT_MOST]

    def _by_timer(self, event: str) -> bool:
        return event in self.machine.events and self.machine.events[event].timer


_ENGINE = {
    "course.enrolled": "The course begins",
    "course.adopted": "The course is taken over in an attested state",
    "course.reconsidered": "Decisions are weighed again with what is known now",
    "course.signed": "Somebody signed",
    "course.erased": "Free texts were erased",
    "course.legal_hold_placed": "A legal hold was placed",
    "course.legal_hold_released": "A legal hold was released",
    **TITLES,
}
_NOWHERE: Cited = {"source": "", "text": "", "provenance": ""}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_ORDERED = ("<", "<=", ">", ">=")


def _cited(cite: Citation) -> Cited:
    return {"source": cite.source, "text": cite.text, "provenance": cite.provenance.value}


def _recorded(weighed: Weighed) -> Mapping[str, Json]:
    findings: Sequence[Json] = [finding_json(finding) for finding in weighed.findings]
    return {"guard": weighed.guard, "verdict": weighed.verdict.value, "findings": findings}

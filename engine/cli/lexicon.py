"""What the names of one workflow are called, and on what they rest.

A decision is taken in its recorded form, so that an answer of today and a record of last year are
explained alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from engine.cli.explanation import (
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
from engine.core.definition import Citation, Kind, Requirement, Transition
from engine.core.encoding import Json
from engine.core.expression import AnyOf, Truth
from engine.core.inquiry import Option
from engine.core.machine import Machine
from engine.core.outcome import Reason, Weighed
from engine.core.phrase import text, value_text
from engine.core.record import finding_json

NAMED_AT_MOST = 3
"""How many events are named that would bring what is missing."""


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

    def lack(self, said: str) -> Lack:
        """What a recorded `name (why)` means."""
        name, _, why = said.removesuffix(")").rpartition(" (")
        return {
            "name": name or said,
            "title": self.called(name or said),
            "why": why if name else "missing",
            "sent_by": self._sent_by(name),
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
            threshold = f"{self._titles.get(name) or name} = {found}"
        return {
            "what": what,
            "title": self.filled(what) if op == "window" else self._titles.get(what) or what,
            "op": op,
            "value": value,
            "threshold": threshold,
            "verdict": finding["verdict"],
            "record": finding.get("record"),
            "at": finding.get("at"),
            "needed": _needed(op, threshold, finding["verdict"]) if verdict == "no" else None,
        }

    def filled(self, said: str) -> str:
        """A condition in words, its parameters replaced by what they are set to."""
        return _WORD.sub(lambda found: self._parameters.get(found[0]) or found[0], said)

    def unmet(self, weighed: Mapping[str, Json], transition: str) -> Unmet:
        """A recorded requirement that was not yes, as the transition asks for it."""
        guard, verdict = weighed["guard"], weighed["verdict"]
        declared = self.machine.guards.get(guard)
        asked = self._asked(transition, guard)
        findings = weighed.get("findings", ())
        missing = dict.fromkeys(m for f in findings for m in f.get("missing", ()))
        return {
            "guard": guard,
            "title": self.guard(guard),
            "condition": self.filled(text(declared.condition)) if declared is not None else "",
            "verdict": verdict,
            "any_will_do": declared is not None and isinstance(declared.condition, AnyOf),
            "comparisons": [self.comparison(finding, verdict) for finding in findings],
            "missing": [self.lack(said) for said in missing],
            "citation": self.cited(guard),
            "soft": asked is not None and asked.soft,
            "roles": list(asked.roles) if asked is not None else [],
            "codes": list(asked.codes) if asked is not None else [],
            "passed": bool(weighed.get("passed")),
        }

    def question(self, rule: str, waits_for: Iterable[str]) -> Question:
        """A rule that could not be weighed."""
        return {
            "rule": rule,
            "title": self.guard(rule),
            "action": self.action(self._actions.get(rule, "")),
            "waits_for": [self.lack(said) for said in waits_for],
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
    ) -> Explained:
        """A decision as recorded or answered, with everything that a reader wants to know of it."""
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
            "late": bool(decision.get("late")),
            "another_open": bool(decision.get("another_open")),
            "transition": taken,
            "state_before": state_before,
            "state": state,
            "moved_by": decision.get("moved_by"),
            "possible_in": self.possible_in(event) if illegal else [],
            "ways": [self._way(attempt) for attempt in decision.get("attempts", ())],
            "overridden": [self.unmet(weighed, taken or "") for weighed in passed],
            "rules": rules,
            "advice": self.advised(
                name for name in decision.get("advice", ()) if name not in said_by_rules
            ),
            "questions": [
                self.question(rule, names) for rule, names in decision.get("unknown", {}).items()
            ],
        }

    def bound(self, event: str) -> dict[str, str]:
        """The fields of an event that bring readings, with their inputs."""
        declared = self.machine.events.get(event)
        fields = declared.fields if declared is not None else ()
        return {field.name: field.input for field in fields if field.input is not None}

    def option(self, option: Option) -> list[Unmet]:
        """What is in the way of an event that could be sent now."""
        return [self.unmet(_recorded(w), option.transition) for w in option.requirements]

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
        flow = self.workflow
        declared = [(f.name, f.title) for event in flow.events for f in event.fields]
        declared += [(p.name, p.title) for p in flow.parameters]
        declared += [(v.name, v.title) for v in flow.variables]
        declared += [(i.name, i.title) for i in flow.inputs]
        return {name: title for name, title in declared if title}

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

    def _way(self, attempt: Mapping[str, Json]) -> Way:
        name = attempt["transition"]
        declared = self._transitions.get(name)
        return {
            "transition": name,
            "target": declared.target if declared is not None else None,
            "deviation": declared is not None and declared.deviation,
            "kept_by": [self.unmet(weighed, name) for weighed in attempt["kept_by"]],
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


_WORD = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_ENGINE = {
    "course.enrolled": "The course begins",
    "course.adopted": "The course is taken over in an attested state",
    "course.corrected": "A reading is corrected",
}
_NOWHERE: Cited = {"source": "", "text": "", "provenance": ""}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_ORDERED = ("<", "<=", ">", ">=")
_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


def _needed(op: str, threshold: str | None, verdict: str) -> str | None:
    """What a comparison that kept a guard at no would have to say."""
    if op in _NEGATED:
        # A comparison that holds below a "not" is the one that must not hold.
        wanted = _NEGATED[op] if verdict == "yes" else op
        return f"{wanted} {threshold}"
    known: Mapping[str, Callable[[str], str]] = {
        "is": lambda v: "no" if v == "yes" else "yes",
        "is one of": lambda v: f"{'none' if v == 'yes' else 'one'} of {threshold}",
        "is known": lambda v: "unknown" if v == "yes" else "known",
    }
    return known[op](verdict) if op in known else None


def _cited(cite: Citation) -> Cited:
    return {"source": cite.source, "text": cite.text, "provenance": cite.provenance.value}


def _recorded(weighed: Weighed) -> Mapping[str, Json]:
    findings: Sequence[Json] = [finding_json(finding) for finding in weighed.findings]
    return {"guard": weighed.guard, "verdict": weighed.verdict.value, "findings": findings}

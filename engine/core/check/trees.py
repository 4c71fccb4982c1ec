"""The trees: their types, their windows, what they can still weigh to, and which exclude which."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import combinations

from engine.core import expression as tree
from engine.core.check.possibility import Wanted, possible
from engine.core.check.problem import Problem
from engine.core.check.ranges import Ranges
from engine.core.definition import Transition, Workflow
from engine.core.expression import Expression
from engine.core.guard import compile_guard, compile_value
from engine.core.kind import BROKEN, DATE, INSTANT, NUMBER, Schema, Type
from engine.core.names import schema_of, sound
from engine.core.phrase import value_text
from engine.core.quantity import UnitError
from engine.core.weighing import Code


def typed(workflow: Workflow) -> Iterator[Problem]:
    """The problems of every tree of the workflow, and of transitions that compete."""
    trees = _Trees(workflow)
    yield from trees.guards()
    yield from trees.updates()
    yield from trees.times()
    yield from trees.rivals()


_Compiled = tuple[Code, tuple[str, ...]]
"""A tree with its problems; it has a meaning only without any."""


class _Trees:
    """Compiles each tree with the names that it may use where it is used."""

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self.conditions = {guard.name: guard.condition for guard in workflow.guards}
        self.variables = {variable.name: sound(variable.type) for variable in workflow.variables}
        self._schemas: dict[str | None, Schema] = {}
        self._ranges: dict[tuple[str | None, bool], Ranges] = {}
        self._compiled: dict[tuple[int, str | None, Type | None], _Compiled] = {}

    def guards(self) -> Iterator[Problem]:
        """Names, types, windows and ranges of each guard, at every event at which it is weighed."""
        events: dict[str, dict[str | None, None]] = {}
        for transition in self.workflow.transitions:
            for requirement in transition.requires:
                events.setdefault(requirement.guard, {})[transition.event] = None
        for rule in self.workflow.rules:
            events.setdefault(rule.guard, {}).update(dict.fromkeys(rule.events or (None,)))
        for guard in self.workflow.guards:
            place = f"guard {guard.name}"
            used_at = events.get(guard.name, {})
            yield from self._everywhere(place, guard.condition, tuple(used_at))
            yield from self._answers(place, guard.condition, tuple(used_at))

    def updates(self) -> Iterator[Problem]:
        """Each update gives what its variable holds."""
        for event in self.workflow.events:
            yield from self._updates(f"event {event.name}", event.updates, (event.name,))
        for transition in self.workflow.transitions:
            place = f"transition {transition.name}"
            yield from self._updates(place, transition.updates, (transition.event,))
        for rule in self.workflow.rules:
            yield from self._updates(f"rule {rule.guard}", rule.updates, rule.events or (None,))

    def times(self) -> Iterator[Problem]:
        """Timers are due at instants, visits on dates."""
        for timer in self.workflow.timers:
            yield from self._value(f"timer {timer.name}", "due", timer.due, INSTANT, (None,))
        for visit in self.workflow.visits:
            for name, kind in (
                ("number", NUMBER),
                ("earliest", DATE),
                ("target", DATE),
                ("latest", DATE),
            ):
                node: Expression = getattr(visit, name)
                yield from self._value(f"visit {visit.name}", name, node, kind, (None,))
            if (gap := visit.not_before) is not None:
                yield from self._value(f"visit {visit.name}", "not_before", gap, INSTANT, (None,))

    def rivals(self) -> Iterator[Problem]:
        """Transitions of one event, state and priority must exclude each other."""
        for one, other in combinations(self.workflow.transitions, 2):
            if (one.event, one.priority, one.deviation) != (
                other.event,
                other.priority,
                other.deviation,
            ):
                continue
            theirs = set(self.workflow.expand(other.sources))
            shared = [name for name in self.workflow.expand(one.sources) if name in theirs]
            if shared and self._both_open(one, other):
                yield Problem(
                    f"transition {one.name}",
                    f"can open together with {other.name}, at the same priority {one.priority} "
                    f"for {one.event!r} in {', '.join(shared)}",
                )

    # --- one tree -------------------------------------------------------------------------

    def _everywhere(
        self, place: str, node: Expression, events: Sequence[str | None]
    ) -> Iterator[Problem]:
        """What is wrong with a guard; with the events, where it is wrong at some of them only."""
        found: dict[str, list[str]] = {}
        for event in events:
            for problem in self._compile(node, event)[1]:
                found.setdefault(problem, []).append(event or "any event")
        for problem, at in found.items():
            where = "" if len(at) == len(events) else f", at {', '.join(at)}"
            yield Problem(place, f"{problem}{where}")

    def _answers(
        self, place: str, node: Expression, events: Sequence[str | None]
    ) -> Iterator[Problem]:
        compiled = [(event, *self._compile(node, event)) for event in events]
        if not compiled or any(problems for _, _, problems in compiled):
            return
        for answer, never in ((True, "yes"), (False, "no")):
            if not any(
                possible(self._reach(event, fixed=False), [(code, answer)])
                for event, code, _ in compiled
            ):
                yield Problem(place, f"can never be {never} on the declared ranges")

    def _updates(
        self, place: str, updates: Mapping[str, Expression], events: Sequence[str | None]
    ) -> Iterator[Problem]:
        for name, node in updates.items():
            if (kind := self.variables.get(name)) is not None:
                yield from self._value(place, f"update of {name}", node, kind, events)

    def _value(
        self, place: str, what: str, node: Expression, kind: Type, events: Sequence[str | None]
    ) -> Iterator[Problem]:
        problems: dict[str, None] = {}
        for event in events:
            code, found = self._compile(node, event, kind)
            if not found and kind.codes is not None:
                found = (*self._strange(code, kind.codes, event),)
            problems.update(dict.fromkeys(found))
        yield from (Problem(place, f"{what}: {problem}") for problem in problems)

    def _strange(self, code: Code, codes: frozenset[str], event: str | None) -> Iterator[str]:
        given = self._reach(event, fixed=False).codes(code.parts[0]) if code.parts else None
        if given is not None and not given <= codes:
            extra = ", ".join(sorted(given - codes))
            yield f"codes that the variable does not have: {extra}"

    def _compile(self, node: Expression, event: str | None, kind: Type | None = None) -> _Compiled:
        """A tree, with what is wrong with its names, types and windows; a guard has no `kind`."""
        key = (id(node), event, kind)  # by identity: Python holds True and 1 for equal trees
        if key not in self._compiled:
            self._compiled[key] = self._compile_anew(node, event, kind)
        return self._compiled[key]

    def _compile_anew(self, node: Expression, event: str | None, kind: Type | None) -> _Compiled:
        if event not in self._schemas:
            self._schemas[event] = schema_of(self.workflow, event)
        schema, problems = self._schemas[event], list[str]()
        try:
            if kind is None:
                code = compile_guard(node, schema, problems)
            else:
                code = compile_value(node, kind, schema, problems)
        except (TypeError, UnitError) as error:
            return Code(node, BROKEN, lambda _: None), (str(error),)
        if not problems:
            problems += self._spans(code, event)
        return code, tuple(dict.fromkeys(problems))

    def _reach(self, event: str | None, *, fixed: bool) -> Ranges:
        """What names can hold at an event; parameters at their values where they are `fixed`."""
        if (event, fixed) not in self._ranges:
            self._ranges[event, fixed] = Ranges.of(self.workflow, event, fixed=fixed)
        return self._ranges[event, fixed]

    def _spans(self, code: Code, event: str | None) -> Iterator[str]:
        """A window must look back at least as far as it spans, or it can never be full."""
        for part in _walk(code):
            match part.node:
                case tree.Sustained(input=name, horizon=horizon):
                    span, unit = part.parts[2], timedelta(microseconds=1)
                case tree.Total(input=name, horizon=horizon):
                    span, unit = part.parts[1], timedelta(microseconds=1)
                case tree.Count(input=name, horizon=horizon):
                    span, unit = part.parts[0], timedelta(days=1)
                case (
                    tree.Latest(input=name, horizon=timedelta() as horizon)
                    | tree.Sum(input=name, horizon=horizon)
                ):
                    if not horizon:
                        yield f"window over {name!r} without a horizon"
                    continue
                case tree.CivilInstant(time=time):
                    if not _CLOCK.fullmatch(time):
                        yield f"{time!r} is no time of day such as '23:59'"
                    continue
                case _:
                    continue
            longest = self._reach(event, fixed=False).numbers(span, {}).high
            if longest is None:
                longest = self._reach(event, fixed=True).numbers(span, {}).high
            if not horizon:
                yield f"window over {name!r} without a horizon"
            elif longest is not None and int(longest) * unit > horizon:
                yield (
                    f"window over {name!r}: its horizon of {value_text(horizon)} is shorter "
                    f"than its span of {value_text(int(longest) * unit)}"
                )

    # --- two transitions ------------------------------------------------------------------

    def _both_open(self, one: Transition, other: Transition) -> bool:
        """Whether the hard requirements of both can be yes at once; a soft one excludes nothing."""
        names = {r.guard for t in (one, other) for r in t.requires if not r.soft}
        wanted: list[Wanted] = []
        for name in sorted(names & self.conditions.keys()):
            code, problems = self._compile(self.conditions[name], one.event)
            if not problems:
                wanted.append((code, True))
        return possible(self._reach(one.event, fixed=True), wanted)


_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def _walk(code: Code) -> Iterable[Code]:
    yield code
    for part in code.parts:
        yield from _walk(part)

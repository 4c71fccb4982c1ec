"""The one pure function that decides.

`decide(machine, snapshot, event)` has no clock, no identity, no chance and no I/O: same arguments,
same answer, for ever. That is what lets a history be judged again.

The order is fixed (`semantics` 1 and 2): the event's facts first; then requirements, which open a
transition; then the transition's updates; then every rule in scope, none hiding another; then the
action of highest precedence that has a target moves the course.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from engine.core.amending import decide_amendment
from engine.core.custody import decide_custody
from engine.core.definition import Kind
from engine.core.event import Event
from engine.core.finding import explain, lacking, missing
from engine.core.machine import Cursor, Machine, Need, Step, Watch
from engine.core.outcome import (
    Accepted,
    Attempt,
    Decision,
    Deviation,
    Fired,
    Message,
    Reason,
    Refused,
    Weighed,
)
from engine.core.quick import quick
from engine.core.scheduling import decide_scheduling
from engine.core.sight import facts, is_late, latest_time, own_time, revised, view_at
from engine.core.signing import decide_signing, given_for, wanting
from engine.core.snapshot import Snapshot
from engine.core.view import View
from engine.core.weighing import Answer, Code, truth


def decide(machine: Machine, snapshot: Snapshot, event: Event) -> Decision:
    """The decision on an event, with everything that it changes and why.

    Same arguments, same answer, for ever. Raises InvalidInput for a correction that names no
    reading and an amendment that names no record; every other well-formed event gets a decision.
    """
    if event.scheduling is not None:
        return decide_scheduling(machine, snapshot, event)
    if event.signing is not None:
        return decide_signing(machine, snapshot, event)
    if event.custody is not None:
        return decide_custody(snapshot, event)
    if event.amendment is not None:
        return decide_amendment(snapshot, event)
    return _Deciding(machine, snapshot, event).decision()


class _Deciding:
    """The steps of one decision, in their order; thrown away with it."""

    __slots__ = (
        *("machine", "snapshot", "event", "declared", "signature", "readings", "late", "at"),
        *("view", "variables", "assigned", "weighed", "now"),
    )

    def __init__(self, machine: Machine, snapshot: Snapshot, event: Event) -> None:
        self.machine, self.snapshot, self.event = machine, snapshot, event
        self.declared = machine.events.get(event.name)
        self.signature = None if self.declared is None else self.declared.signature
        self.readings = facts(snapshot, event)
        self.late = is_late(snapshot, event)
        self.at = own_time(event, self.readings)
        seen = snapshot.readings.adding(self.readings, self.at)
        self.view = view_at(snapshot, self.at, seen, event.data, late=self.late)
        self.variables: dict[str, Any] = dict(snapshot.variables)
        self.assigned: dict[str, None] = {}  # in their order
        self.weighed: dict[str, tuple[Weighed, ...]] = {}
        self.view.variables = self.variables
        self.view.revised = revised(snapshot, self.readings)
        self.now: View | None = None
        """For a request, the view at the latest time known, where that is later than its own."""

    def decision(self) -> Decision:
        declared = self.declared
        if declared is None:
            return self._taken(Accepted, None, ())
        if declared.kind is Kind.REPORT:
            return self._report()
        return self._request(declared.max_age)

    # --- requests and reports -----------------------------------------------------------------

    def _request(self, max_age: timedelta | None) -> Decision:
        snapshot, at = self.snapshot, self.event.at
        if max_age is not None and at is not None and not snapshot.retrospective:
            age = snapshot.decided_at - at
            if age > max_age:
                return self._refused(Reason.TOO_OLD, ())
        if not self.machine.accepts(self.event.name, snapshot.state):
            return self._refused(Reason.ILLEGAL_TRANSITION, ())
        self.now = self._present()
        cursor = self._run()
        attempts = self._attempts(cursor)
        if cursor.taken is not None:
            # Last of all, so that who is asked to sign sees what would be granted.
            lack = wanting(self.signature, snapshot, self.event)
            if lack is not None:
                return self._refused(lack, attempts)
            return self._taken(Accepted, cursor.taken, attempts)
        return self._refused(self._why(cursor, attempts), attempts)

    def _report(self) -> Decision:
        self._apply(self.machine.updates(self.event.name))
        if not self.machine.accepts(self.event.name, self.snapshot.state):
            return self._taken(Deviation, None, ())
        cursor = self._run()
        attempts = self._attempts(cursor)
        if cursor.taken is None or cursor.taken.transition.deviation:
            return self._taken(Deviation, cursor.taken, attempts)
        return self._taken(Accepted, cursor.taken, attempts)

    def _run(self) -> Cursor:
        cursor = Cursor(self.snapshot.state, self._weigh)
        self.machine.run(self.event.name, cursor)
        return cursor

    def _weigh(self, step: Step) -> bool | None:
        """Whether a way is open; of one that is not, only what keeps it closed is explained."""
        if self.snapshot.another_open and self.machine.opens(step, self.snapshot.state):
            self.weighed[step.transition.name] = ()
            return False
        if not step.needs:
            self.weighed[step.transition.name] = ()
            return True
        found = list[tuple[Need, Answer, View, bool]]()
        for need in step.needs:
            answer, view = self._answer(need.code)
            passed = answer is not True and self._overridden(need, answer)
            found.append((need, answer, view, passed))
        closed = [one for one in found if one[1] is not True and not one[3]]
        self.weighed[step.transition.name] = tuple(
            self._weighed(need, answer, view, passed=passed)
            for need, answer, view, passed in closed or found
        )
        if not closed:
            return True
        return False if any(answer is False for _, answer, _, _ in closed) else None

    def _answer(self, code: Code) -> tuple[Answer, View]:
        """A guard's answer, and the view that gave it.

        A request asks leave now: what was open at its own time must not be closed at the latest
        time known, or dating it back would hide what has become known since. What was fresh at its
        own time may be stale by now: how old a request may be is for its event to say.
        """
        answer = code.run(self.view)
        if answer is True and self.now is not None and code.run(self.now) is False:
            return False, self.now
        return answer, self.view

    def _weighed(self, need: Need, answer: Answer, view: View, *, passed: bool) -> Weighed:
        return Weighed(
            guard=need.requirement.guard,
            verdict=truth(answer),
            missing=() if answer is True else lacking(need.code, view),
            findings=explain(need.code, answer, view),
            passed=passed,
        )

    def _overridden(self, need: Need, answer: Answer) -> bool:
        override, requirement = self.event.override, need.requirement
        if override is None or requirement.guard not in override.guards:
            return False
        if (
            answer is None
            and self.snapshot.retrospective
            and override.code == self.machine.workflow.not_published
        ):
            return True
        return (
            requirement.soft
            and self.event.actor.role in requirement.roles
            and override.code in requirement.codes
        )

    def _attempts(self, cursor: Cursor) -> tuple[Attempt, ...]:
        names = [step.transition.name for step in cursor.failed]
        return tuple([Attempt(transition=name, kept_by=self.weighed[name]) for name in names])

    def _why(self, cursor: Cursor, attempts: Sequence[Attempt]) -> Reason:
        named = self.event.override.guards if self.event.override is not None else ()
        if any(w.guard in named for attempt in attempts for w in attempt.kept_by):
            return Reason.OVERRIDE_NOT_PERMITTED
        return Reason.UNDECIDED if cursor.halted else Reason.GUARD_FAILED

    def _refused(self, reason: Reason, attempts: tuple[Attempt, ...]) -> Refused:
        return Refused(reason=reason, state=self.snapshot.state, attempts=attempts, late=self.late)

    # --- what is taken ------------------------------------------------------------------------

    def _taken(
        self,
        verdict: type[Accepted] | type[Deviation],
        step: Step | None,
        attempts: tuple[Attempt, ...],
    ) -> Decision:
        snapshot, state, number = self.snapshot, self.snapshot.state, self.snapshot.round
        messages: list[Message] = []
        advice: list[str] = []
        if step is not None:
            transition = step.transition
            state = transition.target or state
            if transition.opens_round:
                number += 1
                self.view.round = number
                self._open_round()
            self._apply(step.updates)
            messages += [Message(kind=kind, about=transition.name) for kind in transition.messages]
            advice += transition.advice
        watching = self._watch(state)
        for fired in watching.fired:
            if fired.delivered:
                advice += [name for name in fired.advice if name not in advice]
                messages.append(
                    Message(
                        kind=watching.kinds[fired.rule] or fired.action,
                        about=fired.rule,
                        advice=fired.advice,
                    )
                )
        moved_by, target = watching.move
        return verdict(
            transition=step.transition.name if step is not None else None,
            state_before=snapshot.state,
            state=target or state,
            round=number,
            late=self.late,
            another_open=snapshot.another_open,
            signed=given_for(self.signature, snapshot, self.event),
            weighed=self.weighed[step.transition.name] if step is not None else (),
            attempts=attempts,
            fired=watching.fired,
            unknown=watching.unknown,
            no=watching.no,
            moved_by=moved_by,
            advice=tuple(advice),
            messages=tuple(messages),
            updates=self._changed(),
            readings=self.readings,
            firing=watching.firing,
            questions=self._questions(state, watching),
        )

    def _questions(self, state: str, watching: _Watching) -> dict[str, tuple[str, ...]]:
        open_ = self.snapshot.questions
        if not open_:
            return dict(watching.unknown)
        waiting = self.machine.event_rules(state)
        kept = {name: what for name, what in open_.items() if name in waiting}
        for watch in self.machine.watches(state, self.event.name) if kept else ():
            kept.pop(watch.rule.guard, None)
        return {**kept, **watching.unknown}

    def _open_round(self) -> None:
        initial = self.machine.initial_values
        self._assign(
            [(v.name, initial[v.name]) for v in self.machine.workflow.variables if v.per_round]
        )

    def _apply(self, updates: Sequence[tuple[str, Code]], view: View | None = None) -> None:
        if not updates:
            return
        # All right-hand sides first, then the assignments: their order cannot matter.
        seen = view or self.view
        self._assign([(name, code.run(seen)) for name, code in updates])

    def _assign(self, values: Sequence[tuple[str, Any]]) -> None:
        for name, value in values:
            self.variables[name] = value
            self.assigned[name] = None

    def _changed(self) -> dict[str, Any]:
        before, after = self.snapshot.variables, self.variables
        return {
            name: value
            for name in self.assigned
            if (value := after[name]) != before.get(name) or name not in before
        }

    # --- rules --------------------------------------------------------------------------------

    def _watch(self, state: str) -> _Watching:
        seq = self.snapshot.seq + 1
        present = self._present()
        fired: list[tuple[Watch, Fired, View]] = []
        firing: dict[str, int] = {}
        unknown: dict[str, tuple[str, ...]] = {}
        no: list[str] = []
        watches = self.machine.watches(state, self.event.name)
        for watch, now in zip(watches, self._answers(state, watches, present), strict=True):
            name = watch.rule.guard
            view = self.view if present is None or watch.at_event else present
            if now is False and view is self.view:
                no.append(name)  # as most do
                continue
            answer, told = now, self._told(watch)
            if now is None:
                unknown[name] = tuple(str(m) for m in missing(watch.code, view))
            if view is present and told and answer is not True:
                # What the event tells may have made the rule hold at its own time, and not since.
                then = watch.code.run(self.view)
                if then is True:
                    answer, view = then, self.view
            if answer is True:
                fresh = name not in self.snapshot.firing or watch.at_event or told
                fired.append(
                    (
                        watch,
                        Fired(
                            rule=name,
                            action=watch.action.name,
                            delivered=fresh,
                            advice=watch.rule.advice if fresh else (),
                            findings=explain(watch.code, answer, view) if fresh else (),
                        ),
                        view,
                    )
                )
            elif answer is False and name not in unknown:
                no.append(name)
            if now is True and not watch.at_event:
                firing[name] = self.snapshot.firing.get(name, seq)
        if not fired:
            return _Watching(unknown=unknown, no=tuple(no))
        fired.sort(key=lambda one: one[0].action.rank)
        for watch, found, view in reversed(fired):
            if found.delivered:
                self._apply(watch.updates, view)
        move = next(
            (
                (w.rule.guard, target)
                for w, _, _ in fired
                if (target := self.machine.target(w.action.name, state)) is not None
            ),
            (None, None),
        )
        return _Watching(
            unknown=unknown,
            no=tuple(no),
            fired=tuple(f for _, f, _ in fired),
            firing=firing,
            move=move,
            kinds={w.rule.guard: w.action.message for w, _, _ in fired},
        )

    def _answers(
        self, state: str, watches: Sequence[Watch], present: View | None
    ) -> Sequence[Answer]:
        if present is None:
            return self.machine.sheaf(state, self.event.name).answers(self.view)
        return [watch.code.run(self.view if watch.at_event else present) for watch in watches]

    def _told(self, watch: Watch) -> bool:
        """Whether the event brings something that a rule looks at."""
        reads = watch.reads
        return not reads.isdisjoint(self.event.data) or any(r.input in reads for r in self.readings)

    def _present(self) -> View | None:
        """The view at the latest time known, where the event tells of an earlier one."""
        last = latest_time(self.snapshot, self.event)
        if self.at is None or last is None or self.at >= last:
            return None
        readings = self.snapshot.readings.adding(self.readings, last)
        view = view_at(self.snapshot, last, readings, self.event.data, late=self.late)
        view.variables = self.variables
        view.round = self.view.round
        view.revised = self.view.revised
        return view


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class _Watching:
    unknown: Mapping[str, tuple[str, ...]]
    no: tuple[str, ...]
    fired: tuple[Fired, ...] = ()
    firing: Mapping[str, int] = field(default_factory=dict)
    move: tuple[str | None, str | None] = (None, None)
    kinds: Mapping[str, str | None] = field(default_factory=dict)

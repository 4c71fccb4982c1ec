"""What a constructed course is given: variables, readings and what an event says.

A leaf of a tree (a variable, an input, a field) that was settled stays as it is, absent ones too:
so the parts of a condition can be made true one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.core.entry import IMPOSSIBLE
from engine.core.view import Calendar, Reading, View

NOW = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
"""When the last event of a constructed course happens: constructed courses need no clock."""

Leaf = tuple[str, str]
"""What kind of thing, and its name."""

VARIABLE, INPUT, FIELD, FACT = "variable", "input", "field", "fact"
LATE, RETROSPECTIVE, ROUND = "late", "retrospective", "round"
REVISED, QUESTION = "revised ", "question "
"""The beginnings of facts about an input, and about a rule."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A reading to be: its value in the unit of the input, how long ago, and over how long.

    One that is `flawed` is beyond what is physically possible.
    """

    value: Any
    ago: timedelta = timedelta()
    over: timedelta | None = None
    flawed: bool = False

    @property
    def at(self) -> datetime:
        return NOW - self.ago


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What is given so far. Of what is settled, nothing is changed any more."""

    variables: Mapping[str, Any] = field(default_factory=dict)
    readings: Mapping[str, tuple[Taken, ...]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    settled: frozenset[Leaf] = frozenset()

    def with_leaf(self, leaf: Leaf, value: Any) -> Given:  # noqa: ANN401  # of any kind; None is absent
        """The same with a leaf settled: readings for an input, else a value."""
        kind, name = leaf
        held = {VARIABLE: "variables", INPUT: "readings", FIELD: "data", FACT: "facts"}[kind]
        values = dict(getattr(self, held))
        values.pop(name, None)
        if value is not None:
            values[name] = value
        changed: dict[str, Any] = {held: values, "settled": self.settled | {leaf}}
        return replace(self, **changed)

    def view(self, calendar: Calendar, variables: Mapping[str, Any]) -> View:
        """What a guard sees of it. `variables` are those that are given nothing."""
        readings: dict[str, Sequence[Reading]] = {
            name: self._readings(name, calendar) for name in self.readings
        }
        return View(
            now=NOW,
            today=calendar.civil_date(NOW),
            variables={**variables, **self.variables},
            readings=readings,  # type: ignore[arg-type]  # a mapping will do
            data=self.data,
            calendar=calendar,
            round=self.facts.get(ROUND, 1),
            late=self.facts.get(LATE, False),
            retrospective=self.facts.get(RETROSPECTIVE, False),
            last=NOW + self.lead,
            revised=self.named(REVISED),
            questions=self.named(QUESTION),
        )

    def named(self, beginning: str) -> frozenset[str]:
        """The inputs or rules of which a fact is so."""
        facts = (name for name, so in self.facts.items() if so and name.startswith(beginning))
        return frozenset(name.removeprefix(beginning) for name in facts)

    @property
    def lead(self) -> timedelta:
        """How much later than the last event the course knows of something already."""
        return timedelta(hours=1) if self.facts.get(LATE) else timedelta()

    def _readings(self, name: str, calendar: Calendar) -> list[Reading]:
        taken = sorted(self.readings[name], key=lambda one: one.ago, reverse=True)
        return [
            Reading(
                name,
                one.value,
                one.at,
                calendar.civil_date(one.at),
                1,
                one.over,
                IMPOSSIBLE if one.flawed else None,
            )
            for one in taken
        ]

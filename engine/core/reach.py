"""What trees look at: which inputs and fields, how far back, and whether at the time."""

from __future__ import annotations

from datetime import timedelta

from engine.core import expression as tree
from engine.core.definition import Workflow
from engine.core.expression import Expression


def reads(node: Expression) -> frozenset[str]:
    """The inputs and fields whose values a tree asks for."""
    found: set[str] = set()
    for part in tree.walk(node):
        match part:
            case (
                tree.Latest(input=name)
                | tree.TakenAt(input=name)
                | tree.TakenOn(input=name)
                | tree.Sustained(input=name)
                | tree.Total(input=name)
                | tree.Count(input=name)
                | tree.Sum(input=name)
                | tree.Revised(input=name)
            ):
                found.add(name)
            case tree.Sent(field=name) | tree.SumOf(field=name):
                found.add(name)
            case _:
                pass
    return frozenset(found)


def horizons(workflow: Workflow) -> dict[str, timedelta]:
    """How far back the windows over each input look; inputs without a window are not in it."""
    found: dict[str, timedelta] = {}
    for node in workflow.trees():
        for part in tree.walk(node):
            match part:
                case (
                    tree.Sustained(input=name, horizon=horizon)
                    | tree.Total(input=name, horizon=horizon)
                    | tree.Count(input=name, horizon=horizon)
                    | tree.Sum(input=name, horizon=horizon)
                    | tree.Latest(input=name, horizon=timedelta() as horizon)
                ):
                    found[name] = max(found.get(name, horizon), horizon)
                case _:
                    pass
    return found


def carried(workflow: Workflow) -> frozenset[str]:
    """The inputs on which it may depend what the course remembers: of any other it never does.

    Updates read them, or the guards of rules that have updates do.
    """
    updates = [event.updates for event in workflow.events]
    updates += [transition.updates for transition in workflow.transitions]
    updates += [rule.updates for rule in workflow.rules]
    trees = [node for several in updates for node in several.values()]
    acting = {rule.guard for rule in workflow.rules if rule.updates}
    trees += [guard.condition for guard in workflow.guards if guard.name in acting]
    named = frozenset[str]().union(*map(reads, trees))
    fields = {(f.name, f.input) for event in workflow.events for f in event.fields}
    told = {of for name, of in fields if name in named and of is not None}
    return frozenset(told.union(i.name for i in workflow.inputs if i.name in named))


def remembered(node: Expression) -> bool:
    """Whether a tree gives the same for as long as the course remembers the same."""
    return all(isinstance(part, _REMEMBERED) for part in tree.walk(node))


_REMEMBERED = (
    tree.Constant,
    tree.Setting,
    tree.Remembered,
    tree.Arithmetic,
    tree.Extreme,
    tree.Pick,
    tree.Choose,
    tree.Compare,
    tree.OneOf,
    tree.Known,
    tree.AllOf,
    tree.AnyOf,
    tree.Not,
    tree.CivilInstant,
)

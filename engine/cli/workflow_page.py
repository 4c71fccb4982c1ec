"""How `regimen workflow show` looks: a definition from its states to its visits, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.core.definition import Event, Input, Transition, Workflow
from engine.core.expression import Value
from engine.core.kind import constant
from engine.core.phrase import text, value_text
from engine.core.quantity import decimal_text

QUIET = "dim"


def page(out: Console, workflow: Workflow, digest: str) -> None:
    """Print the definition: every declaration, sections without any left out."""
    out.print(Text.assemble((workflow.title, "bold"), f"  {workflow.label}"))
    out.print(Text(f"{digest}; begins in {workflow.initial}", style=QUIET), soft_wrap=True)
    titles = {action.name: action.title or action.name for action in workflow.actions}
    sections: tuple[tuple[str, tuple[str, ...], Iterable[tuple[str, ...]]], ...] = (
        ("States", ("Stage", "State", "Title", ""), _states(workflow)),
        ("Inputs", ("Input", "Kind", "Possible", "Good for", "LOINC", "Title"),
         map(_input, workflow.inputs)),
        ("Parameters", ("Parameter", "Value", "Bounds", "Set by", "Title"), _parameters(workflow)),
        ("Events", ("Event", "Kind", "Roles", "Fields"), map(_event, workflow.events)),
        ("Transitions", ("Transition", "Event", "From", "To", "Requires"),
         map(_transition, workflow.transitions)),
        ("Guards", ("Guard", "What", "Source"),
         ((g.name, text(g.condition), g.cite.source) for g in workflow.guards)),
        ("Rules", ("Guard", "Action", "In", "At", "Advice"),
         ((r.guard, titles.get(r.action, r.action), _list(r.places), _list(r.events) or "any event",
           _list(r.advice)) for r in workflow.rules)),
        ("Timers", ("Timer", "Sends", "In", "Due"),
         ((t.name, t.event, _list(t.places), text(t.due)) for t in workflow.timers)),
        ("Visits", ("Visit", "In", "Earliest", "Target", "Latest"),
         ((v.name, _list(v.places), *map(text, (v.earliest, v.target, v.latest)))
          for v in workflow.visits)),
    )  # fmt: skip
    for title, head, rows in sections:
        table = Table(*head, box=None, title=title, title_justify="left", title_style="bold")
        for row in rows:
            table.add_row(*row)
        if table.row_count:
            out.print()
            out.print(table)


def _states(workflow: Workflow) -> Iterator[tuple[str, ...]]:
    for stage in workflow.stages():
        for state in workflow.states:
            if state.stage == stage:
                yield stage, state.name, state.title, "closed" if state.closed else ""


def _input(declared: Input) -> tuple[str, ...]:
    kind = " ".join(filter(None, (declared.kind, declared.unit)))
    return (
        declared.name,
        f"{kind}: {', '.join(declared.codes)}" if declared.codes else kind,
        _bounds(*(None if b is None else decimal_text(b) for b in (declared.low, declared.high))),
        "ever" if declared.max_age is None else _length(declared.max_age),
        declared.loinc or "",
        declared.title,
    )


def _parameters(workflow: Workflow) -> Iterator[tuple[str, ...]]:
    for one in workflow.parameters:
        low, high = (None if bound is None else _value(bound) for bound in (one.low, one.high))
        chooser = "site" if one.site else "protocol"
        yield one.name, _value(one.value), _bounds(low, high), chooser, one.title


def _event(event: Event) -> tuple[str, ...]:
    fields = (f"{one.name}*" if one.required else one.name for one in event.fields)
    kind = "timer" if event.timer else event.kind.value
    return event.name, kind, _list(event.roles), _list(fields)


def _transition(transition: Transition) -> tuple[str, ...]:
    needs = (f"{r.guard} (soft)" if r.soft else r.guard for r in transition.requires)
    target = transition.target or "(stays)"
    marks = {
        "by deviation": transition.deviation,
        "next round": transition.opens_round,
        "reopens": transition.reopens,
    }
    told = _list([target, *(name for name, holds in marks.items() if holds)])
    return transition.name, transition.event, _list(transition.sources), told, _list(needs)


def _value(value: Value) -> str:
    kind, plain = constant(value)
    return f"{value_text(plain)} {kind.unit or ''}".strip()


def _bounds(low: str | None, high: str | None) -> str:
    if low is None or high is None:
        return f"at most {high}" if high else f"at least {low}" if low else ""
    return f"{low} to {high}"


def _length(length: timedelta) -> str:
    if length.seconds == 0:
        return "1 day" if length.days == 1 else f"{length.days} days"
    return f"{decimal_text(Decimal(length.days * 86400 + length.seconds) / 3600)} h"


def _list(items: Iterable[str]) -> str:
    return ", ".join(items)

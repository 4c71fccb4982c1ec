"""Why a guard weighed as it did: the comparisons that mattered, and what was missing.

A finding is data, not a sentence: the border turns it into words. Only the comparisons that decided
are kept: the yes branches of a yes, the no branches of a no, and of an unknown exactly what could
not be weighed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.core import expression as tree
from engine.core.expression import Truth
from engine.core.phrase import text, value_text
from engine.core.quantity import decimal_text
from engine.core.view import Reading, View
from engine.core.weighing import Answer, Code, Datum, truth
from engine.core.window import covered_total, window_readings


@dataclass(frozen=True, slots=True)
class Missing:
    """An input, variable or field that could not be used, and why.

    `why` is one of `missing`, `stale`, `impossible`, `entered-in-error`, `not-published`,
    `unset`, `not-sent`, `undated`, `incomplete`.
    """

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name} ({self.why})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One comparison and its verdict.

    `value` and `threshold` are in the words of the definition's units; `record` and `at` say which
    record brought the reading and when it was taken, where a reading was read.
    """

    what: str
    op: str
    verdict: Truth
    value: str | None = None
    threshold: str | None = None
    record: int | None = None
    at: datetime | None = None
    missing: tuple[Missing, ...] = ()


def explain(code: Code, view: View) -> tuple[Finding, ...]:
    """The findings behind a guard's verdict, in reading order."""
    return tuple(_explain(code, view))


def missing(code: Code, view: View) -> tuple[Missing, ...]:
    """What an unknown verdict waits for, each once, in reading order."""
    found: dict[Missing, None] = {}
    for finding in explain(code, view):
        found.update(dict.fromkeys(finding.missing))
    return tuple(found)


def _explain(code: Code, view: View) -> list[Finding]:
    verdict = code.run(view)
    match code.node:
        case tree.AllOf() | tree.AnyOf():
            mattering = [part for part in code.parts if part.run(view) is verdict]
            return [finding for part in mattering for finding in _explain(part, view)]
        case tree.Not():
            return _explain(code.parts[0], view)
        case tree.Compare(op, _, _):
            return [_comparison(op, code, verdict, view)]
        case tree.OneOf(_, codes):
            return [_finding(code.parts[0], "is one of", ", ".join(codes), verdict, view)]
        case tree.Known():
            lacking = tuple(_lacking(code.parts[0], view)) if verdict is False else ()
            source = _reading(code.parts[0], view) if verdict else None
            return [
                Finding(
                    what=text(code.parts[0].node),
                    op="is known",
                    verdict=truth(verdict),
                    missing=lacking,
                    record=source.seq if source else None,
                )
            ]
        case tree.Sustained() | tree.Total() as node:
            return [_window(node, code, verdict, view)]
        case _:
            return [_finding(code, "is", None, verdict, view)]


def _comparison(op: str, code: Code, verdict: Answer, view: View) -> Finding:
    left, right = code.parts
    threshold = shown(right, view)
    if not isinstance(right.node, tree.Constant):
        threshold = f"{text(right.node)} = {threshold}"
    found = _finding(left, op, threshold, verdict, view)
    lacking = tuple(dict.fromkeys((*found.missing, *_lacking(right, view))))
    return Finding(
        what=found.what,
        op=op,
        verdict=found.verdict,
        value=found.value,
        threshold=threshold,
        record=found.record,
        at=found.at,
        missing=lacking if verdict is None else (),
    )


def _finding(code: Code, op: str, threshold: str | None, verdict: Answer, view: View) -> Finding:
    source = _reading(code, view)
    lacking = tuple(_lacking(code, view)) if verdict is None else ()
    return Finding(
        what=text(code.node),
        op=op,
        verdict=truth(verdict),
        value=shown(code, view),
        threshold=threshold,
        missing=lacking,
        record=source.seq if source else None,
        at=source.at if source else None,
    )


def _window(node: tree.Sustained | tree.Total, code: Code, verdict: Answer, view: View) -> Finding:
    bound = code.parts[-1] if node.since is not None else None
    readings = window_readings(view, node.input, node.horizon, bound)
    threshold = f"{node.op} {shown(code.parts[0], view)}"
    if not readings:
        why = "missing" if readings is not None else "undated"
        return Finding(
            what=text(node),
            op="window",
            verdict=truth(verdict),
            threshold=threshold,
            value="no reading",
            missing=(Missing(node.input, why),) if verdict is None else (),
        )
    last = readings[-1]
    said = f"{len(readings)} readings, last {_worded(last.value, code.parts[0].type.unit)}"
    if isinstance(node, tree.Total):
        total = covered_total(readings, code.parts[1].run(view))
        said = (
            "not completely covered" if total is None else _worded(total, code.parts[0].type.unit)
        )
    return Finding(
        what=text(node),
        op="window",
        verdict=truth(verdict),
        value=said,
        threshold=threshold,
        record=last.seq,
        at=last.at,
        missing=(Missing(node.input, "incomplete"),) if verdict is None else (),
    )


def _lacking(code: Code, view: View) -> list[Missing]:
    """The leaves below that give no value; the node's own when it has none below."""
    if code.run(view) is not None:
        return []
    below = [found for part in code.parts for found in _lacking(part, view)]
    if below:
        return below
    match code.node:
        case tree.Latest(name):
            return [Missing(name, _why(code.node, view))]
        case tree.TakenAt(name) | tree.TakenOn(name):
            return [Missing(name, "missing" if not view.readings.get(name) else "undated")]
        case tree.Remembered(name):
            return [Missing(name, "unset")]
        case tree.Sent(name) | tree.SumOf(name, _):
            return [Missing(name, "not-sent")]
        case tree.Now() | tree.Today():
            return [Missing("at", "undated")]
        case tree.Sustained() | tree.Total() | tree.Count():
            return [Missing(code.node.input, "incomplete")]
        case _:
            return [Missing(text(code.node), "missing")]


def _why(node: tree.Latest, view: View) -> str:
    readings = view.readings.get(node.input)
    if not readings:
        return "missing"
    last = readings[-1]
    if last.flaw is not None:
        return last.flaw
    if last.at is None or view.now is None:
        return "undated"
    return "missing" if node.since is not None or node.until is not None else "stale"


def _reading(code: Code, view: View) -> Reading | None:
    """The reading that a value came from, where it came from exactly one."""
    names = {
        node.input
        for node in tree.walk(code.node)
        if isinstance(node, tree.Latest | tree.TakenAt | tree.TakenOn)
    }
    if len(names) != 1:
        return None
    readings = view.readings.get(names.pop())
    return readings[-1] if readings else None


def shown(code: Code, view: View) -> str | None:
    """A value with its unit, as the definition states it; `None` when there is none."""
    return None if (value := code.run(view)) is None else _worded(value, code.type.unit)


def _worded(value: Datum, unit: str | None) -> str:
    if unit is not None:
        return f"{decimal_text(value)} {unit}"
    if isinstance(value, datetime):
        return value.isoformat()
    return value_text(value)

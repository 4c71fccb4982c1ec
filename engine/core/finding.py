"""Why a guard weighed as it did: the comparisons that mattered, and what was missing.

A finding is data, not a sentence: the border turns it into words. Only the comparisons that decided
are kept: the yes branches of a yes, the no branches of a no, and of an unknown exactly what could
not be weighed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine.core import expression as tree
from engine.core.expression import Truth
from engine.core.phrase import value_text
from engine.core.quantity import decimal_text
from engine.core.quick import quick
from engine.core.view import Reading, View
from engine.core.weighing import Answer, Code, Datum, truth
from engine.core.window import covered_total, window_readings


@quick
@dataclass(frozen=True, slots=True)
class Missing:
    """An input, variable or field that could not be used, and why.

    `why` is one of `missing`, `stale`, `impossible`, `entered-in-error`, `not-published`,
    `unset`, `not-sent`, `undated`, `incomplete`. `reading` is what could not be used, where there
    is one, and `max_age` how old it may be.
    """

    name: str
    why: str
    reading: Reading | None = field(default=None, compare=False)
    max_age: timedelta | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.name} ({self.why})"


@quick
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


def explain(code: Code, answer: Answer, view: View) -> tuple[Finding, ...]:
    """The findings behind an answer that a guard gave, in reading order."""
    found: list[Finding] = []
    _explain(code, answer, view, found)
    return tuple(found)


def missing(code: Code, view: View) -> tuple[Missing, ...]:
    """What an unknown verdict waits for, each once, in reading order."""
    found: list[Missing] = []
    if code.run(view) is None:
        _gather(code, view, found)
    return tuple(dict.fromkeys(found))


def lacking(code: Code, view: View) -> tuple[Missing, ...]:
    """What else an answer that is not yes lacks, each once: once the rest is mended, it is asked.

    A no is explained by the comparisons that made it one. What could not be weighed beside them
    would keep the answer from being yes all the same.
    """
    found: list[Missing] = []
    _lacked(code, view, found, wanted=True)
    return tuple(dict.fromkeys(found))


def _explain(code: Code, answer: Answer, view: View, found: list[Finding]) -> None:
    match code.node:
        case tree.Compare(op=op):
            found.append(_comparison(op, code, answer, view))
        case tree.AllOf() | tree.AnyOf():
            for part in code.parts:
                if part.run(view) is answer:
                    _explain(part, answer, view, found)
        case tree.Not():
            _explain(code.parts[0], None if answer is None else not answer, view, found)
        case tree.OneOf(codes=codes):
            found.append(_finding(code.parts[0], "is one of", ", ".join(codes), answer, view))
        case tree.Known():
            found.append(_presence(code.parts[0], answer, view))
        case tree.Sustained() | tree.Total() as node:
            found.append(_window(node, code, answer, view))
        case _:
            found.append(_finding(code, "is", None, answer, view))


def _gather(code: Code, view: View, found: list[Missing]) -> None:
    """What an unknown answer lacks: the same as its findings name, without making them."""
    match code.node:
        case tree.AllOf() | tree.AnyOf():
            for part in code.parts:
                if part.run(view) is None:
                    _gather(part, view, found)
        case tree.Not():
            _gather(code.parts[0], view, found)
        case tree.Compare() | tree.OneOf():
            for part in code.parts:
                found += _lacking(part, view)
        case tree.Sustained() | tree.Total() as node:
            found.append(_lacking_window(node, _readings(node, code, view)))
        case _:
            found += _lacking(code, view)


def _lacked(code: Code, view: View, found: list[Missing], *, wanted: bool) -> None:
    answer = code.run(view)
    if answer is wanted:
        return
    if answer is None:
        _gather(code, view, found)
        return
    match code.node:
        case tree.AllOf() | tree.AnyOf():
            for part in code.parts:
                _lacked(part, view, found, wanted=wanted)
        case tree.Not():
            _lacked(code.parts[0], view, found, wanted=not wanted)
        case tree.Known() if wanted:
            found += _lacking(code.parts[0], view)
        case _:
            return


def _comparison(op: str, code: Code, answer: Answer, view: View) -> Finding:
    left, right = code.parts
    threshold = shown(right, view)
    if not isinstance(right.node, tree.Constant):
        threshold = f"{right.said} = {threshold}"
    source = _reading(left, view)
    lacking = (*_lacking(left, view), *_lacking(right, view)) if answer is None else ()
    return Finding(
        what=left.said,
        op=op,
        verdict=truth(answer),
        value=shown(left, view),
        threshold=threshold,
        record=source.seq if source else None,
        at=source.at if source else None,
        missing=tuple(dict.fromkeys(lacking)),
    )


def _presence(item: Code, answer: Answer, view: View) -> Finding:
    source = _reading(item, view) if answer else None
    return Finding(
        what=item.said,
        op="is known",
        verdict=truth(answer),
        record=source.seq if source else None,
        missing=() if answer else tuple(_lacking(item, view)),
    )


def _finding(code: Code, op: str, threshold: str | None, answer: Answer, view: View) -> Finding:
    source = _reading(code, view)
    return Finding(
        what=code.said,
        op=op,
        verdict=truth(answer),
        value=shown(code, view),
        threshold=threshold,
        record=source.seq if source else None,
        at=source.at if source else None,
        missing=tuple(_lacking(code, view)) if answer is None else (),
    )


def _window(node: tree.Sustained | tree.Total, code: Code, answer: Answer, view: View) -> Finding:
    readings = _readings(node, code, view)
    unit = code.parts[0].type.unit
    last = readings[-1] if readings else None
    if not readings or last is None:
        said = "no reading"
    elif isinstance(node, tree.Total):
        total = covered_total(reversed(readings), code.parts[1].run(view))
        said = "not completely covered" if total is None else _worded(total, unit)
    else:
        said = f"{len(readings)} readings, last {_worded(last.value, unit)}"
    return Finding(
        what=code.said,
        op="window",
        verdict=truth(answer),
        value=said,
        threshold=f"{node.op} {shown(code.parts[0], view)}",
        record=last.seq if last else None,
        at=last.at if last else None,
        missing=(_lacking_window(node, readings),) if answer is None else (),
    )


def _readings(
    node: tree.Sustained | tree.Total, code: Code, view: View
) -> Sequence[Reading] | None:
    bound = code.parts[-1] if node.since is not None else None
    return window_readings(view, node.input, node.horizon, bound)


def _lacking_window(
    node: tree.Sustained | tree.Total, readings: Sequence[Reading] | None
) -> Missing:
    why = "undated" if readings is None else "incomplete" if readings else "missing"
    return Missing(node.input, why)


def _lacking(code: Code, view: View) -> list[Missing]:
    """The leaves below that give no value; the node's own when it has none below."""
    if code.run(view) is not None:
        return []
    below = [found for part in code.parts for found in _lacking(part, view)]
    if below:
        return below
    match code.node:
        case tree.Latest(name):
            max_age = code.node.max_age
            return [Missing(name, _why(code.node, view), view.latest[name], max_age)]
        case tree.TakenAt(name) | tree.TakenOn(name):
            return [Missing(name, "missing" if view.latest[name] is None else "undated")]
        case tree.Remembered(name):
            return [Missing(name, "unset")]
        case tree.Sent(name) | tree.SumOf(name, _):
            return [Missing(name, "not-sent")]
        case tree.Now() | tree.Today() | tree.LatestDay():
            return [Missing("at", "undated")]
        case tree.Sustained() | tree.Total() | tree.Count() | tree.Sum():
            return [Missing(code.node.input, "incomplete")]
        case _:
            return [Missing(code.said, "missing")]


def _why(node: tree.Latest, view: View) -> str:
    last = view.latest[node.input]
    if last is None:
        return "missing"
    if last.flaw is not None:
        return last.flaw
    if last.at is None or view.now is None:
        return "undated"
    return "missing" if node.since is not None or node.until is not None else "stale"


def _reading(code: Code, view: View) -> Reading | None:
    """The reading that a value came from, where it came from exactly one."""
    return view.latest[code.source] if code.source is not None else None


def shown(code: Code, view: View) -> str | None:
    """A value with its unit, as the definition states it; `None` when there is none."""
    return None if (value := code.run(view)) is None else _worded(value, code.type.unit)


def _worded(value: Datum, unit: str | None) -> str:
    if unit is not None:
        return f"{decimal_text(value)} {unit}"
    if isinstance(value, datetime):
        return value.isoformat()
    return value_text(value)

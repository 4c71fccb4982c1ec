"""Trees in words: what a clinician reads on the sheet, in a refusal and in a finding."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from engine.core.expression import (
    AllOf,
    AnyOf,
    Arithmetic,
    Choose,
    CivilInstant,
    Compare,
    Constant,
    Count,
    Expression,
    Extreme,
    Known,
    Late,
    Latest,
    LatestDay,
    Not,
    Now,
    OneOf,
    OpenQuestion,
    Pick,
    Remembered,
    Retrospective,
    Revised,
    Round,
    Sent,
    Setting,
    Sum,
    SumOf,
    Sustained,
    TakenAt,
    TakenOn,
    Today,
    Total,
)
from engine.core.quantity import decimal_text


def text(node: Expression) -> str:  # noqa: PLR0912  # one line a node: a table in disguise
    """The tree in words that a clinician can read."""
    match node:
        case Constant(value):
            return value_text(value)
        case Latest(name, max_age, since, until, _):
            bounds = [
                f"taken since {text(since)}" if since is not None else "",
                f"until {text(until)}" if until is not None else "",
                f"at most {value_text(max_age)} old" if max_age is not None else "",
            ]
            said = ", ".join(b for b in bounds if b)
            return f"{name} ({said})" if said else name
        case TakenAt(name):
            return f"time of {name}"
        case TakenOn(name):
            return f"date of {name}"
        case Remembered(name) | Setting(name):
            return name
        case Sent(name):
            return name
        case SumOf(name, member):
            return f"sum of {name}.{member}"
        case Now():
            return "time of the event"
        case Today():
            return "date of the event"
        case Round():
            return "round"
        case LatestDay():
            return "date of the latest time known"
        case Revised(name):
            return f"earlier {name} corrected or entered late"
        case Late():
            return "entered late"
        case Retrospective():
            return "retrospective course"
        case OpenQuestion(rule):
            return f"{rule} could not be weighed"
        case CivilInstant(on, time):
            return f"{time} on {text(on)}"
        case Arithmetic(op, left, right):
            return f"{_nested(left)} {op if op != '*' else '×'} {_nested(right)}"  # noqa: RUF001  # the sign of multiplication
        case Extreme(op, items):
            return f"{'least' if op == 'min' else 'greatest'} of ({', '.join(map(text, items))})"
        case Pick(index, items):
            return f"entry {text(index)} of ({', '.join(map(text, items))})"
        case Choose(condition, then, otherwise):
            return f"{_nested(then)} if {_nested(condition)} else {_nested(otherwise)}"
        case Compare("==", left, Constant(True)):
            return text(left)
        case Compare("==", left, Constant(False)):
            return f"not {_nested(left)}"
        case Compare(op, left, right):
            return f"{text(left)} {_WORDS[op]} {text(right)}"
        case OneOf(item, codes):
            return f"{text(item)} is one of {', '.join(codes)}"
        case Known(item):
            return f"{text(item)} is known"
        case AllOf(items):
            return " and ".join(map(_nested, items))
        case AnyOf(items):
            return " or ".join(map(_nested, items))
        case Not(item):
            return f"not ({text(item)})"
        case Sustained(name, op, threshold, count, span, horizon, _, _, since, apart):
            gap = f", each {value_text(apart)} apart" if apart else ""
            start = f" since {text(since)}" if since is not None else ""
            return (
                f"{name} {_WORDS[op]} {text(threshold)} in a run of at least {text(count)} "
                f"readings over at least {text(span)}{gap} (within {value_text(horizon)}{start})"
            )
        case Total(name, op, threshold, span, _, _, _, since):
            start = f" since {text(since)}" if since is not None else ""
            return (
                f"total {name} over {text(span)}, completely covered,{start} "
                f"{_WORDS[op]} {text(threshold)}"
            )
        case Count(name, span, _, _, _):
            return f"number of {name} in {text(span)} days"
        case Sum(name, _, _, since):
            start = f" since {text(since)}" if since is not None else ""
            return f"sum of {name}{start}"
    raise TypeError(f"no text for {type(node).__name__}")


def value_text(value: object) -> str:
    """A value as a reader sees it: `3.1 mg/dL`, `6 hours`, `yes`."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
            if seconds and seconds % size == 0:
                n = seconds // size
                # 24-hour multiples stay hours up to two days: "48 hours" is not two calendar days
                if unit == "day" and n <= 3:
                    continue
                return f"{n} {unit}{'' if n == 1 else 's'}"
        return f"{seconds} seconds"
    return str(value)


_WORDS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "==": "is", "!=": "is not"}


def _nested(node: Expression) -> str:
    said = text(node)
    return f"({said})" if isinstance(node, AllOf | AnyOf | Arithmetic | Choose) else said

"""Windows over readings: runs, totals and counts, each with what zero and too few readings mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.core.definition import Input, Variable
from engine.core.expression import (
    Constant,
    Count,
    Expression,
    Sum,
    Sustained,
    Total,
    Truth,
    hours,
)
from engine.core.guard import compile_guard
from engine.core.kind import Schema
from engine.core.names import schema_of
from engine.core.quantity import q
from engine.core.view import Reading, View
from engine.zones import Zones
from tests.core.tiny import level, tiny

Y, N, U = Truth.YES, Truth.NO, Truth.UNKNOWN
NOW = datetime(2026, 3, 10, 20, tzinfo=UTC)
ZONE = Zones().of("America/Los_Angeles")

drained = Input(name="drained", kind="quantity", unit="mL", low=Decimal(0), high=Decimal(9999),
                interval=True)  # fmt: skip
BEGAN, OVER = (Variable(name=name, kind="instant") for name in ("began", "over"))
SCHEMA = schema_of(tiny(inputs=(level, drained), variables=(BEGAN, OVER)))


def run(
    *,
    count: int = 2,
    span: timedelta = timedelta(hours=24),
    apart: timedelta = timedelta(0),
    zero: Truth = N,
    few: Truth = N,
    since: Expression | None = None,
    horizon: timedelta = timedelta(days=7),
) -> Sustained:
    """A run of levels below 30."""
    return Sustained(
        "level", "<", Constant(Decimal(30)), Constant(Decimal(count)), Constant(span), horizon,
        zero, few, since, apart,
    )  # fmt: skip


def drained_below_80(
    *, zero: Truth = N, few: Truth = U, since: Expression | None = None,
    horizon: timedelta = timedelta(days=2),
) -> Total:  # fmt: skip
    return Total("drained", "<", Constant(q(80, "mL")), Constant(hours(8)), horizon, zero, few,
                 since)  # fmt: skip


def weigh(
    node: Expression, readings: Sequence[Reading] = (), schema: Schema = SCHEMA, **variables: Any
) -> Truth:
    problems: list[str] = []
    code = compile_guard(node, schema, problems)
    assert problems == []
    by_input: dict[str, list[Reading]] = {}
    for reading in readings:
        by_input.setdefault(reading.input, []).append(reading)
    return code.weigh(
        View(
            now=NOW,
            today=ZONE.civil_date(NOW),
            variables=variables,
            readings=by_input,
            data={},
            calendar=ZONE,
        )
    )


def levels(*values_and_hours_ago: tuple[int, float]) -> list[Reading]:
    return [
        Reading("level", Decimal(v), NOW - timedelta(hours=ago), None, n)
        for n, (v, ago) in enumerate(values_and_hours_ago, 1)
    ]


def volumes(*values: tuple[int | str, float, float]) -> list[Reading]:
    """Volume, hours ago at the end of the interval, and its length in hours."""
    return [
        Reading("drained", Decimal(v), NOW - timedelta(hours=ago), None, n, timedelta(hours=over))
        for n, (v, ago, over) in enumerate(values, 1)
    ]


# --- runs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("readings", "answer"),
    [
        (levels((29, 0)), N),
        (levels((29, 24), (29, 0)), Y),
        (levels((29, 23.99), (29, 0)), N),
        (levels((29, 24), (30, 12), (29, 0)), N),
        (levels((29, 48), (29, 24), (30, 0)), N),
        (levels((29, 24), (28, 12), (29, 0)), Y),
        (levels((40, 30), (29, 24), (29, 0)), Y),
        (levels((30, 24), (30, 0)), N),
    ],
    ids=[
        "once", "a-day-apart", "just-less", "recovered-between", "recovered-at-last",
        "three", "after-a-good-one", "at-the-limit",
    ],
)  # fmt: skip
def test_a_run_is_long_enough_in_number_and_in_time(readings: list[Reading], answer: Truth) -> None:
    assert weigh(run(), readings) is answer


@pytest.mark.parametrize(("zero", "answer"), [(N, N), (U, U), (Y, Y)], ids=["no", "unknown", "yes"])
def test_without_a_reading_the_answer_is_the_declared_one(zero: Truth, answer: Truth) -> None:
    assert weigh(run(zero=zero)) is answer


@pytest.mark.parametrize(("few", "answer"), [(N, N), (U, U)], ids=["no", "unknown"])
def test_too_few_readings_give_the_declared_answer(few: Truth, answer: Truth) -> None:
    assert weigh(run(few=few), levels((29, 3), (29, 0))) is answer


def test_a_latest_reading_that_is_not_in_the_run_is_a_no_whatever_few_says() -> None:
    assert weigh(run(few=U), levels((29, 24), (30, 0))) is N


def test_counted_readings_lie_apart() -> None:
    """Three prints within a minute are no three readings."""
    node = run(count=3, span=timedelta(minutes=30), apart=timedelta(minutes=5))

    assert weigh(node, levels((29, 0.5), (29, 0.01), (29, 0))) is N
    assert weigh(node, levels((29, 0.5), (29, 0.25), (29, 0))) is Y


def test_a_window_does_not_look_back_beyond_its_horizon() -> None:
    node = run(horizon=timedelta(hours=30))

    assert weigh(node, levels((29, 31), (29, 0))) is N
    assert weigh(node, levels((29, 30), (29, 0))) is Y


def test_a_window_does_not_look_back_beyond_its_beginning() -> None:
    node = run(since=Constant(date(2026, 1, 1)))
    problems: list[str] = []
    compile_guard(node, SCHEMA, problems)
    assert problems, "a window begins at an instant, not at a date"

    began = BEGAN.tree()
    assert weigh(run(since=began), levels((29, 24), (29, 0)), began=NOW - hours(25)) is Y
    assert weigh(run(since=began), levels((29, 24), (29, 0)), began=NOW - hours(24)) is Y
    assert weigh(run(since=began), levels((29, 24), (29, 0)), began=NOW - hours(23)) is N
    assert weigh(run(since=began), levels((29, 24), (29, 0)), began=None) is U


@pytest.mark.parametrize("flaw", ["impossible", "entered-in-error"])
def test_a_reading_that_cannot_be_used_is_not_in_the_window(flaw: str) -> None:
    wrong = Reading("level", Decimal(40), NOW - timedelta(hours=12), None, 9, None, flaw)
    first, last = levels((29, 24), (29, 0))

    assert weigh(run(), [first, wrong, last]) is Y


# --- totals -----------------------------------------------------------------------------------


def hourly(*values: int) -> list[Reading]:
    """Consecutive hours, the last one ending now."""
    n = len(values)
    return volumes(*((v, n - 1 - i, 1) for i, v in enumerate(values)))


@pytest.mark.parametrize(
    ("readings", "answer"),
    [
        (hourly(*[10] * 8), N),
        (hourly(*[10] * 7, 9), Y),
        (hourly(*[9] * 7), U),
        (hourly(500, *[9] * 8), Y),
        (volumes((79, 0, 8)), Y),
        (volumes((80, 0, 8)), N),
        (volumes((40, 4, 4), (39, 0, 4)), Y),
        (volumes((20, 5, 3), (10, 0, 4)), U),
        (volumes((20, 0, 4)), U),
    ],
    ids=[
        "exactly-80", "79", "seven-hours", "only-the-last-eight", "one-of-eight", "at-the-limit",
        "two-of-four", "a-gap", "too-short",
    ],
)  # fmt: skip
def test_a_total_needs_its_whole_span_covered(readings: list[Reading], answer: Truth) -> None:
    assert weigh(drained_below_80(), readings) is answer


def test_of_an_interval_that_begins_before_the_span_only_its_share_counts() -> None:
    """Of 120 mL over 12 hours, 80 fall into the last 8."""
    assert weigh(drained_below_80(), volumes((120, 0, 12))) is N
    assert weigh(drained_below_80(), volumes(("119.9", 0, 12))) is Y


def test_the_span_ends_with_the_latest_reading() -> None:
    assert weigh(drained_below_80(), volumes((70, 5, 8))) is Y


def test_a_total_without_a_reading_is_the_declared_answer() -> None:
    assert weigh(drained_below_80(zero=N)) is N
    assert weigh(drained_below_80(zero=U)) is U


def test_what_was_measured_twice_is_not_counted_twice() -> None:
    """Hourly volumes of 9 mL beside their own sum for the shift are 72 mL, not 144."""
    hours_, shift = hourly(*[9] * 8), volumes((72, 0, 8))

    assert weigh(drained_below_80(), [*hours_, *shift]) is not N
    assert weigh(drained_below_80(), [*hours_[:-1], *shift, hours_[-1]]) is not N


# --- counts -----------------------------------------------------------------------------------


def counted(days: int, zero: Truth = N) -> Count:
    return Count("level", Constant(Decimal(days)), timedelta(days=30), zero)


def on_days_ago(*ago: int) -> list[Reading]:
    today = ZONE.civil_date(NOW)
    return [
        Reading("level", Decimal(1), NOW - timedelta(days=d), today - timedelta(days=d), n)
        for n, d in enumerate(ago, 1)
    ]


@pytest.mark.parametrize(
    ("ago", "two_or_more"),
    [((6, 0), Y), ((7, 0), N), ((6, 3), Y), ((0, 0), Y), ((8, 7), N)],
    ids=["six-days-ago", "seven-days-ago", "within", "same-day", "before"],
)
def test_civil_days_are_counted_with_today_among_them(
    ago: tuple[int, ...], two_or_more: Truth
) -> None:
    assert weigh(counted(7) >= Constant(Decimal(2)), on_days_ago(*ago)) is two_or_more


def test_no_reading_counts_as_none_or_is_unknown_as_declared() -> None:
    assert weigh(counted(7) < Constant(Decimal(1))) is Y
    assert weigh(counted(7, zero=U) < Constant(Decimal(1))) is U


@pytest.mark.parametrize(
    ("semantics", "answer"), [(1, N), (2, Y)], ids=["of-what-can-be-used", "of-what-was-taken"]
)
def test_what_cannot_be_used_was_taken_all_the_same(semantics: int, answer: Truth) -> None:
    fine, wrong = on_days_ago(3, 0)
    wrong = replace(wrong, flaw="impossible")
    schema = replace(SCHEMA, semantics=semantics)

    assert weigh(counted(7) >= Constant(Decimal(2)), [fine, wrong], schema=schema) is answer


# --- sums -------------------------------------------------------------------------------------


def summed(zero: Truth = N, since: Expression | None = None) -> Sum:
    return Sum("level", timedelta(days=7), zero, since)


def test_a_sum_is_of_the_readings_since_an_instant_and_within_the_horizon() -> None:
    readings = levels((50, 24 * 8), (7, 25), (10, 24), (13, 0))

    assert weigh(summed().is_(30), readings) is Y
    assert weigh(summed(since=BEGAN.tree()).is_(23), readings, began=NOW - hours(24)) is Y
    assert weigh(summed(since=BEGAN.tree()).is_(23), readings, began=None) is U


def test_no_reading_sums_up_to_none_or_is_unknown_as_declared() -> None:
    assert weigh(summed().is_(0)) is Y
    assert weigh(summed(zero=U).is_(0)) is U


@pytest.mark.parametrize("flaw", ["impossible", "not-published"])
def test_a_sum_with_a_reading_that_cannot_be_used_is_unknown(flaw: str) -> None:
    first, last = levels((7, 24), (10, 0))

    assert weigh(summed() > 0, [replace(first, flaw=flaw), last]) is U
    assert weigh(summed() > 0, [first, replace(last, at=None)]) is U


def test_only_numbers_and_quantities_are_summed() -> None:
    problems: list[str] = []
    compile_guard(Sum("colour", hours(1), N) > 0, schema_of(tiny()), problems)
    compile_guard(Sum("depth", hours(1), N) > 0, schema_of(tiny()), problems)

    assert problems == ["'colour' cannot be summed", "unknown input 'depth'"]


# --- the latest between two instants ----------------------------------------------------------


def test_the_latest_between_two_instants_sees_neither_side() -> None:
    node = level.between(BEGAN, OVER, horizon=timedelta(days=7)) > 50
    readings = levels((90, 10), (60, 6), (10, 1))

    def answer(since: int, until: int) -> Truth:
        return weigh(node, readings, began=NOW - hours(since), over=NOW - hours(until))

    assert answer(8, 4) is Y
    assert answer(8, 1) is N, "until is included"
    assert answer(6, 4) is Y, "since is included"
    assert answer(5, 2) is U

"""Trees in words: windows and their bounds."""

from __future__ import annotations

from datetime import timedelta

from engine.core.definition import Input, Variable
from engine.core.expression import Constant, Sustained, Total, Truth, hours
from engine.core.phrase import text
from engine.core.quantity import q

pressure = Input(name="pressure", kind="quantity", unit="mm[Hg]")
dosed_at = Variable(name="dosed_at", kind="instant")
ended_at = Variable(name="ended_at", kind="instant")
DAY = timedelta(days=1)


def test_a_reading_between_two_instants_names_both() -> None:
    node = pressure.between(dosed_at, ended_at, horizon=DAY)

    assert text(node) == "pressure (taken since dosed_at, until ended_at)"


def test_the_bound_of_a_window_may_be_any_tree() -> None:
    node = pressure.between(dosed_at.tree(), dosed_at + hours(6), horizon=DAY)

    assert text(node) == "pressure (taken since dosed_at, until dosed_at + 6 hours)"


def test_a_run_and_a_total_say_since_when_they_count() -> None:
    limit, span = Constant(q("90", "mm[Hg]")), Constant(hours(1))
    run = Sustained("pressure", "<", limit, Constant(q("2", "1").value), span, DAY, Truth.NO,
                    Truth.NO, since=dosed_at.tree())  # fmt: skip
    total = Total("urine", "<", Constant(q("80", "mL")), Constant(hours(8)), DAY, Truth.NO,
                  Truth.NO, since=dosed_at.tree())  # fmt: skip

    assert text(run) == (
        "pressure < 90 mm[Hg] in a run of at least 2 readings over at least 1 hour"
        " (within 24 hours since dosed_at)"
    )
    assert text(total) == "total urine over 8 hours, completely covered, since dosed_at < 80 mL"

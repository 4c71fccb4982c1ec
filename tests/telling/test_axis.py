"""The time axis: where an instant stands, and what is folded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.telling.axis import FOLD, TICK, Axis

START = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def days(*numbers: float) -> list[datetime]:
    return [START + n * DAY for n in numbers]


def test_the_first_instant_stands_left_and_the_last_right():
    axis = Axis.over(days(0, 3, 7, 10), width=80)

    assert axis.column(START) == 0
    assert axis.column(START + 10 * DAY) == 79


def test_equal_lengths_of_time_are_equally_long_where_nothing_is_folded():
    axis = Axis.over(days(0, 1, 2, 3, 4), width=81)

    assert [axis.column(at) for at in days(0, 1, 2, 3, 4)] == [0, 20, 40, 60, 80]
    assert FOLD not in axis.line()


def test_a_year_of_silence_after_weeks_of_visits_is_folded():
    axis = Axis.over(days(0, 3, 7, 10, 14, 17, 21, 24, 28, 393), width=80)

    assert axis.folded == (False,) * 8 + (True,)
    assert axis.column(START + 28 * DAY) > 40
    assert FOLD in axis.line()


def test_one_instant_alone_has_an_axis_too():
    axis = Axis.over(days(0), width=40)

    assert axis.column(START) == 0
    assert axis.instant(39) == START
    assert len(axis.line()) == 40


@given(
    st.lists(st.integers(0, 10**7), min_size=1, max_size=30),
    st.integers(20, 200),
)
def test_no_instant_stands_before_an_earlier_one_or_off_the_axis(seconds: list[int], width: int):
    instants = sorted(START + timedelta(seconds=n) for n in seconds)
    axis = Axis.over(instants, width=width)
    columns = [axis.column(at) for at in instants]

    assert columns == sorted(columns)
    assert all(0 <= column < width for column in columns)
    assert len(axis.line()) == width


@given(st.lists(st.integers(0, 10**7), min_size=2, max_size=20, unique=True), st.integers(20, 200))
def test_a_label_names_an_instant_of_its_column(seconds: list[int], width: int):
    axis = Axis.over([START + timedelta(seconds=n) for n in seconds], width=width)

    for column in axis.ticks():
        assert abs(axis.column(axis.instant(column)) - column) <= 1
        assert axis.line()[column] == TICK

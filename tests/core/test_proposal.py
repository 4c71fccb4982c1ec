"""Which day of a window is proposed, by hand across clock changes, and as properties."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from engine.core.proposal import Against, NoCompliantDay, Proposal, Why, propose
from engine.core.snapshot import Window
from engine.zones import Zones

LOS_ANGELES, VIENNA = "America/Los_Angeles", "Europe/Vienna"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Open:
    """Open on some weekdays, and closed on some days for a reason."""

    def __init__(self, weekdays: str = "mo tu we th fr sa su", **closed: str) -> None:
        self.weekdays = set(weekdays.split())
        self.closed = {day[1:].replace("_", "-"): name for day, name in closed.items()}

    def against(self, day: date) -> Against | None:
        if str(day) in self.closed:
            return Against(day, Why.HOLIDAY, self.closed[str(day)])
        name = WEEKDAYS[day.weekday()]
        return None if name[:2] in self.weekdays else Against(day, Why.CLOSED_WEEKDAY, name)


WORKDAYS = "mo tu we th fr"


def window(earliest: str, target: str, latest: str, gap: str | None = None) -> Window:
    days = (date.fromisoformat(day) for day in (earliest, target, latest))
    return Window(1, *days, None if gap is None else at(gap))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def proposed(
    due: Window, clinic: Open, zone: str, as_of: str
) -> tuple[str, str | None, str | None] | list[tuple[str, str, str]]:
    """The day, from when on and why not the target; or each day with what speaks against it."""
    found = propose(due, clinic, Zones().of(zone), as_of=at(as_of))
    match found:
        case Proposal(on, gap, None):
            return str(on), gap and gap.isoformat(), None
        case Proposal(on, gap, against):
            return str(on), gap and gap.isoformat(), f"{against.why} {against.name}".rstrip()
        case NoCompliantDay(days):
            return [(str(one.on), one.why.value, one.name) for one in days]


def test_the_target_is_proposed_where_the_clinic_is_open() -> None:
    due = window("2026-03-02", "2026-03-04", "2026-03-06")

    assert proposed(due, Open(), LOS_ANGELES, "2026-03-01T09:00-08:00") == (
        "2026-03-04",
        None,
        None,
    )


def test_a_closed_target_moves_to_the_next_open_day_even_when_one_before_it_is_nearer() -> None:
    """The target is a Saturday; Friday is one day away, Monday two."""
    due = window("2026-03-04", "2026-03-07", "2026-03-10")

    assert proposed(due, Open(WORKDAYS), LOS_ANGELES, "2026-03-01T09:00-08:00") == (
        "2026-03-09",
        None,
        "closed-weekday saturday",
    )


def test_where_no_open_day_is_left_after_the_target_the_last_one_before_it_is_proposed() -> None:
    due = window("2026-03-04", "2026-03-07", "2026-03-08")

    assert proposed(due, Open(WORKDAYS), LOS_ANGELES, "2026-03-01T09:00-08:00") == (
        "2026-03-06",
        None,
        "closed-weekday saturday",
    )


def test_48_hours_across_the_night_without_an_hour_end_an_hour_later_on_the_wall() -> None:
    """Friday 9:00 PST and 48 hours are Sunday 8 March 10:00 PDT."""
    due = window("2026-03-08", "2026-03-08", "2026-03-12", "2026-03-08T10:00-07:00")
    as_of = "2026-03-06T09:00-08:00"

    assert proposed(due, Open(), LOS_ANGELES, as_of) == (
        "2026-03-08",
        "2026-03-08T17:00:00+00:00",
        None,
    )
    assert proposed(due, Open(WORKDAYS), LOS_ANGELES, as_of) == (
        "2026-03-09",
        None,
        "closed-weekday sunday",
    )


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        ("2026-03-09T06:59+00:00", ("2026-03-08", "2026-03-09T06:59:00+00:00", None)),
        ("2026-03-09T07:00+00:00", ("2026-03-09", "2026-03-09T07:00:00+00:00",
                                    "below-minimum-gap")),
    ],
)  # fmt: skip
def test_the_day_on_which_a_gap_ends_is_that_of_summer_time(
    gap: str, expected: tuple[str, str | None, str | None]
) -> None:
    """Midnight of 9 March is 7:00 UTC already, and was 8:00 the day before."""
    due = window("2026-03-08", "2026-03-08", "2026-03-10", gap)

    assert proposed(due, Open(), LOS_ANGELES, "2026-03-06T09:00-08:00") == expected


def test_48_hours_across_the_night_with_an_hour_more_end_an_hour_earlier_on_the_wall() -> None:
    """Friday 30 October 23:30 PDT and 48 hours are Sunday 22:30 PST, and not Monday."""
    due = window("2026-10-31", "2026-10-31", "2026-11-03", "2026-11-02T06:30+00:00")
    as_of = "2026-10-30T23:30-07:00"

    assert proposed(due, Open(), LOS_ANGELES, as_of) == (
        "2026-11-01",
        "2026-11-02T06:30:00+00:00",
        "below-minimum-gap",
    )
    assert proposed(due, Open(WORKDAYS), LOS_ANGELES, as_of) == (
        "2026-11-02",
        None,
        "below-minimum-gap",
    )


@pytest.mark.parametrize(
    ("zone", "day", "last", "first_after"),
    [
        (LOS_ANGELES, "2026-03-08", "2026-03-09T06:59+00:00", "2026-03-09T07:00+00:00"),
        (LOS_ANGELES, "2026-11-01", "2026-11-02T07:59+00:00", "2026-11-02T08:00+00:00"),
        (VIENNA, "2026-03-29", "2026-03-29T21:59+00:00", "2026-03-29T22:00+00:00"),
        (VIENNA, "2026-10-25", "2026-10-25T22:59+00:00", "2026-10-25T23:00+00:00"),
    ],
)
def test_a_day_of_23_or_25_hours_may_be_proposed_until_its_own_midnight(
    zone: str, day: str, last: str, first_after: str
) -> None:
    due = window(day, day, day)

    assert proposed(due, Open(), zone, last) == (day, None, None)
    assert proposed(due, Open(), zone, first_after) == [(day, "past", "")]


def test_a_holiday_after_the_clocks_went_back_leaves_the_friday_before() -> None:
    """In Vienna the clocks go back on Sunday 25 October; Monday is the National Day."""
    due = window("2026-10-23", "2026-10-25", "2026-10-26")
    clinic = Open(WORKDAYS, d2026_10_26="National Day")

    assert proposed(due, clinic, VIENNA, "2026-10-20T09:00+02:00") == (
        "2026-10-23",
        None,
        "closed-weekday sunday",
    )
    assert proposed(due, clinic, VIENNA, "2026-10-24T00:00+02:00") == [
        ("2026-10-23", "past", ""),
        ("2026-10-24", "closed-weekday", "saturday"),
        ("2026-10-25", "closed-weekday", "sunday"),
        ("2026-10-26", "holiday", "National Day"),
    ]


def test_a_leap_day_is_a_day_like_others() -> None:
    due = window("2028-02-27", "2028-02-28", "2028-03-01")
    as_of = "2028-02-20T09:00-08:00"

    assert proposed(due, Open(WORKDAYS, d2028_02_28="stocktaking"), LOS_ANGELES, as_of) == (
        "2028-02-29",
        None,
        "holiday stocktaking",
    )
    both = Open(WORKDAYS, d2028_02_28="stocktaking", d2028_02_29="stocktaking")
    assert proposed(due, both, LOS_ANGELES, as_of) == ("2028-03-01", None, "holiday stocktaking")


def test_the_year_ends_inside_a_window() -> None:
    """31 December 2026 is a Thursday."""
    clinic = Open(WORKDAYS, d2026_12_31="winter break", d2027_01_01="New Year's Day")
    as_of = "2026-12-20T09:00-08:00"

    assert proposed(
        window("2026-12-29", "2026-12-31", "2027-01-05"), clinic, LOS_ANGELES, as_of
    ) == ("2027-01-04", None, "holiday winter break")
    assert proposed(
        window("2026-12-29", "2026-12-31", "2027-01-03"), clinic, LOS_ANGELES, as_of
    ) == ("2026-12-30", None, "holiday winter break")


def test_a_window_whose_only_open_days_lie_below_the_gap_has_no_compliant_day() -> None:
    due = window("2026-03-04", "2026-03-06", "2026-03-08", "2026-03-07T09:00-08:00")

    assert proposed(due, Open(WORKDAYS), LOS_ANGELES, "2026-03-05T09:00-08:00") == [
        ("2026-03-04", "past", ""),
        ("2026-03-05", "below-minimum-gap", ""),
        ("2026-03-06", "below-minimum-gap", ""),
        ("2026-03-07", "closed-weekday", "saturday"),
        ("2026-03-08", "closed-weekday", "sunday"),
    ]


# --- for every window, clinic and time ------------------------------------------------------------

FIRST = date(2026, 2, 20)
EARLY = st.integers(0, 260).map(lambda n: FIRST + timedelta(days=n))
"""Both clock changes of both zones lie in these days."""
instants = st.integers(-3 * 24 * 60, 280 * 24 * 60).map(
    lambda n: datetime(2026, 2, 20, tzinfo=UTC) + timedelta(minutes=n)
)
zones = st.sampled_from([LOS_ANGELES, VIENNA, "Pacific/Auckland", "UTC"])


@st.composite
def windows(draw: st.DrawFn) -> Window:
    earliest = draw(EARLY)
    target = earliest + timedelta(days=draw(st.integers(0, 12)))
    latest = target + timedelta(days=draw(st.integers(0, 12)))
    gap = draw(st.none() | instants)
    if gap is not None and draw(st.booleans()):
        gap = datetime.combine(earliest, gap.timetz()) + timedelta(days=draw(st.integers(-1, 20)))
    return Window(1, earliest, target, latest, gap)


@st.composite
def clinics(draw: st.DrawFn) -> Open:
    days = draw(st.sets(st.sampled_from([*WORKDAYS.split(), "sa", "su"])))
    closed = draw(st.sets(EARLY, max_size=20))
    clinic = Open(" ".join(days))
    clinic.closed = {str(day): "closed" for day in closed}
    return clinic


def compliant(due: Window, clinic: Open, zone: str, as_of: datetime) -> list[date]:
    """Said again in another way: the days of the window that nothing speaks against."""
    calendar = Zones().of(zone)
    days = [due.earliest + timedelta(days=n) for n in range((due.latest - due.earliest).days + 1)]
    return [
        day
        for day in days
        if clinic.against(day) is None
        and day >= calendar.civil_date(as_of)
        # Some instant of the day lies above the gap: its last one does.
        and (due.not_before is None or due.not_before < calendar.instant(_next(day), "00:00"))
    ]


def _next(day: date) -> date:
    return day + timedelta(days=1)


@given(windows(), clinics(), zones, instants)
@example(window("2026-03-08", "2026-03-08", "2026-03-08"), Open(), LOS_ANGELES,
         datetime(2026, 3, 9, 6, 59, tzinfo=UTC))  # fmt: skip
def test_a_proposal_is_open_inside_its_window_above_the_gap_and_not_over_and_the_best_such_day(
    due: Window, clinic: Open, zone: str, as_of: datetime
) -> None:
    days = compliant(due, clinic, zone, as_of)
    found = propose(due, clinic, Zones().of(zone), as_of=as_of)

    if not days:
        assert isinstance(found, NoCompliantDay)
        every = range((due.latest - due.earliest).days + 1)
        assert [one.on for one in found.days] == [due.earliest + timedelta(days=n) for n in every]
        return
    assert isinstance(found, Proposal)
    after = [day for day in days if day >= due.target]
    assert found.on == (min(after) if after else max(days))
    assert (found.instead_of is None) == (found.on == due.target)


@given(windows(), clinics(), zones, instants)
def test_a_proposal_says_from_when_on_where_the_gap_ends_on_its_day(
    due: Window, clinic: Open, zone: str, as_of: datetime
) -> None:
    calendar = Zones().of(zone)
    found = propose(due, clinic, calendar, as_of=as_of)
    assume(isinstance(found, Proposal))
    assert isinstance(found, Proposal)

    begins = calendar.instant(found.on, "00:00")
    said = found.not_before or begins
    assert due.not_before is None or said >= due.not_before
    assert begins <= said < calendar.instant(_next(found.on), "00:00")


@given(windows(), clinics(), zones, instants, st.timedeltas(timedelta(0), timedelta(days=20)))
def test_as_time_passes_a_day_that_is_not_over_stays_proposed_and_no_day_becomes_free(
    due: Window, clinic: Open, zone: str, as_of: datetime, span: timedelta
) -> None:
    calendar = Zones().of(zone)
    now = propose(due, clinic, calendar, as_of=as_of)
    then = propose(due, clinic, calendar, as_of=as_of + span)

    match now, then:
        case Proposal(on), _ if on >= calendar.civil_date(as_of + span):
            # Why it is not the target may change: what was closed is past by then.
            assert isinstance(then, Proposal)
            assert (then.on, then.not_before) == (on, now.not_before)
        case Proposal(on), Proposal(later):
            assert later > on
        case NoCompliantDay(), _:
            assert isinstance(then, NoCompliantDay)


@given(windows(), clinics(), zones, instants, st.integers(0, 6))
def test_another_closed_day_never_brings_a_proposal_where_there_was_none(
    due: Window, clinic: Open, zone: str, as_of: datetime, weekday: int
) -> None:
    calendar = Zones().of(zone)
    before = propose(due, clinic, calendar, as_of=as_of)
    clinic.weekdays.discard(WEEKDAYS[weekday][:2])
    after = propose(due, clinic, calendar, as_of=as_of)

    assert isinstance(before, Proposal) or isinstance(after, NoCompliantDay)

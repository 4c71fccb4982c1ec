"""Worklists on each database: what they show is what one finds by looking at each course."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from engine.core.encoding import instant_text
from engine.core.proposal import propose
from engine.core.schedule import Dueness, dueness
from engine.core.scheduling import conflicts
from engine.errors import InvalidInput, NotFound
from engine.item import Item
from engine.listing import SPEAKS, Listing
from engine.store.sql import SqlStore
from engine.worklist import WORKLISTS, Ask
from tests.store.crowd import NOON, WORKDAYS, ZONES, Crowd

FRIDAY = date(2026, 3, 6)


@pytest.fixture(scope="module")
def many(database: SqlStore) -> Crowd:
    """Courses that anything may have happened to, at three sites, one of which has a calendar."""
    crowd = Crowd(database, "many")
    crowd.sites.put("north", WORKDAYS)
    chance = Random(20260306)
    for _ in range(120):
        crowd.any_course(chance)
    return crowd


@pytest.fixture
def crowd(database: SqlStore, tenant: str) -> Crowd:
    return Crowd(database, tenant)


def everything(crowd: Crowd, listing: Listing, **how: Any) -> list[Item]:
    """All pages of a list."""
    found: list[Item] = []
    cursor = None
    while True:
        page = crowd.worklists.page(Ask(listing=listing, cursor=cursor, **{"limit": 4} | how))
        found += page.items
        if (cursor := page.cursor) is None:
            return found


def one(crowd: Crowd, listing: Listing, **how: Any) -> Item:
    (item,) = everything(crowd, listing, **how)
    return item


Found = set[tuple[str, str | None]]


def looked_at(crowd: Crowd, listing: Listing, as_of: date | None, sites: set[str] | None) -> Found:
    """What a list should show, found by looking at each course."""
    found: Found = set()
    for name, status in crowd.statuses().items():
        snapshot, machine = status.snapshot, status.machine
        state = machine.states[snapshot.state]
        if sites is not None and snapshot.site not in sites:
            continue
        today = as_of or snapshot.calendar.civil_date(NOON)
        live = snapshot.bookings
        if listing in SPEAKS:
            found |= {
                (name, booking)
                for booking, one in live.items()
                if set(conflicts(machine, snapshot, one)) & set(SPEAKS[listing])
            }
        elif listing is Listing.WAITING_FOR_DATA:
            found |= {(name, None)} if snapshot.questions and not state.closed else set()
        elif listing is Listing.OPEN_FINDINGS:
            found |= {(name, None)} if snapshot.open_findings else set()
        elif listing is Listing.UNSIGNED:
            found |= {(name, None)} if snapshot.unsigned else set()
        elif listing is Listing.WAITING_FOR_DECISION:
            found |= {(name, None)} if state.waits == "decision" else set()
        else:
            for visit, window in snapshot.visits.items():
                where = dueness(window, today)
                free = not any(
                    b.visit == visit and b.number in (None, window.number) for b in live.values()
                )
                if {
                    Listing.DUE_NOW: where is Dueness.NOW,
                    Listing.DUE_SOON: where is Dueness.SOON,
                    Listing.OVERDUE: where is Dueness.OVERDUE,
                    Listing.MISSED: where is Dueness.MISSED,
                    Listing.UNBOOKED: free and where not in (Dueness.LATER, Dueness.MISSED),
                    Listing.HOLD_PAST_REVIEW: state.waits == "hold" and where is Dueness.MISSED,
                    Listing.VISITS: where is not Dueness.LATER,
                }[listing]:
                    found.add((name, visit))
    return found


def about(item: Item) -> tuple[str, str | None]:
    if item.listing in SPEAKS:
        return item.course, item.booked[0].name
    return item.course, item.visit


def test_what_a_correction_puts_in_question_is_listed_until_somebody_disposes_of_it(
    crowd: Crowd,
) -> None:
    finding = crowd.corrects(crowd.course("c-1"))
    item = one(crowd, Listing.OPEN_FINDINGS)

    assert item.json()["findings"] == [
        {"finding": finding, "correction": 3, "record": 2, "input": "level", "decisions": [2]}
    ]
    otherwise = f"finding {finding}: record 2 would have been decided otherwise"
    assert item.why == f"{otherwise} (level of record 2, corrected by 3)"

    body = crowd.bench.body("c-1", "course.finding_disposed", "worker",
                            data={"finding": finding, "disposition": "accepted"},
                            reason={"code": "no-harm"})  # fmt: skip
    crowd.bench.service.submit(body)
    assert everything(crowd, Listing.OPEN_FINDINGS) == []


def test_what_a_late_entry_puts_in_question_is_listed_as_what_a_correction_does(
    crowd: Crowd,
) -> None:
    crowd.course("c-1")
    crowd.sends("c-1", "noted")
    late = NOON - timedelta(minutes=30)
    told = crowd.bench.body("c-1", "told", "worker", data={"level": 61}, at=late.isoformat())
    assert crowd.bench.service.submit(told).revision == 4
    item = one(crowd, Listing.OPEN_FINDINGS)

    assert item.json()["findings"] == [
        {"finding": 4, "correction": None, "record": 3, "input": None, "decisions": [2]}
    ]
    otherwise = "finding 4: record 2 would have been decided otherwise"
    assert item.why == f"{otherwise} (record 3 was entered late)"


def test_a_record_that_waits_for_signatures_is_listed_with_since_when_and_whose(
    crowd: Crowd,
) -> None:
    crowd.course("c-1")
    crowd.sends("c-1", "told", level=41)
    since, until = NOON, NOON + timedelta(days=1)
    crowd.bench.clock.advance(hours=2)
    item = one(crowd, Listing.UNSIGNED)

    (waiting,) = item.json()["unsigned"]
    assert (waiting["record"], waiting["event"]) == (2, "told")
    assert (waiting["since"], waiting["until"]) == (instant_text(since), instant_text(until))
    roles = ["worker", "chief"]
    assert waiting["signatures"] == [
        {"meaning": "measured", "by": "worker-1", "roles": roles},
        {"meaning": "verified", "by": None, "roles": roles},
    ]
    assert item.why == (
        "record 2 told waits since 2026-03-06T20:00:00Z to be signed: measured by worker-1 "
        "and verified by another person (worker, chief)"
    )

    crowd.signs("c-1", 2, "worker-1", "measured")
    (waiting,) = one(crowd, Listing.UNSIGNED).json()["unsigned"]
    assert [s["meaning"] for s in waiting["signatures"]] == ["verified"]
    crowd.signs("c-1", 2, "worker-2", "verified")
    assert everything(crowd, Listing.UNSIGNED) == []


@pytest.mark.parametrize("sites", [None, {"north"}, {"east", "far"}, {"nowhere"}, set()],
                         ids=["all", "one", "two", "unknown", "none"])  # fmt: skip
@pytest.mark.parametrize("listing", [*WORKLISTS, Listing.VISITS])
def test_a_list_shows_what_one_finds_by_looking_at_each_course(
    many: Crowd, listing: Listing, sites: set[str] | None
) -> None:
    scope = None if sites is None else frozenset(sites)
    for as_of in (None, FRIDAY, date(2026, 2, 26), date(2026, 3, 20)):
        items = everything(many, listing, as_of=as_of, sites=scope)
        shown = [about(item) for item in items]

        assert len(set(shown)) == len(shown)
        assert set(shown) == looked_at(many, listing, as_of, sites), as_of
        assert all(item.why and item.json() for item in items)


@pytest.mark.parametrize("listing", [*WORKLISTS, Listing.VISITS, Listing.HOLDS])
def test_a_list_is_of_one_workflow_where_one_is_named(many: Crowd, listing: Listing) -> None:
    whole = everything(many, listing, as_of=FRIDAY)

    assert everything(many, listing, as_of=FRIDAY, workflow="tiny") == whole
    assert everything(many, listing, as_of=FRIDAY, workflow="another") == []


def test_every_list_has_something_to_show(many: Crowd) -> None:
    """Else the test above would prove nothing of it."""
    shown = many.worklists.counts(Ask(listing=Listing.DUE_NOW, limit=2))

    assert {listing for listing, (count, _) in shown.items() if not count} == set()
    assert set(shown) == set(WORKLISTS)


@pytest.mark.parametrize("listing", [*WORKLISTS, Listing.VISITS, Listing.HOLDS])
def test_a_clinic_day_is_that_of_the_booking_else_of_the_proposal(
    many: Crowd, listing: Listing
) -> None:
    whole = everything(many, listing)
    for n in range(-9, 12):
        day = FRIDAY + timedelta(days=n)
        expected = {about(item) for item in whole if day in item.days}

        assert {about(item) for item in everything(many, listing, day=day)} == expected


def test_a_proposal_is_that_of_the_pure_function(many: Crowd) -> None:
    calendars = many.bench.service.setting.calendars
    for item in everything(many, Listing.VISITS):
        site = many.sites.get(item.site)
        assert item.window is not None
        assert item.open_every_day == (site.clinic is None)
        if site.clinic is not None:
            calendar = calendars.of(ZONES[item.site])
            assert item.proposal == propose(item.window, site.clinic, calendar, as_of=NOON)


def test_holds_are_listed_with_their_review(many: Crowd) -> None:
    items = everything(many, Listing.HOLDS)
    on_hold = {name for name, one in many.statuses().items() if one.snapshot.state == "halted"}

    assert [item.course for item in items] == sorted(on_hold)
    assert {item.visit for item in items} <= {"review", None}


def test_an_item_says_what_day_it_is_at_its_site(crowd: Crowd) -> None:
    """Friday noon in Los Angeles is Saturday in Auckland."""
    crowd.course("n", "north", begun=FRIDAY - timedelta(days=2))
    crowd.course("f", "far", begun=FRIDAY - timedelta(days=2))

    found = {item.course: (item.today, item.why) for item in everything(crowd, Listing.DUE_NOW)}
    assert found == {
        "n": (FRIDAY, "open since 2026-03-05; the target is in 1 day; 2026-03-07 is proposed"),
        "f": (
            date(2026, 3, 7),
            "today is the target; it may be done until 2026-03-09; 2026-03-07 is proposed",
        ),
    }


@pytest.mark.parametrize(
    ("day", "apart"),
    [("2026-03-13", "2 days after its last day"), ("2026-03-06", "1 day before it opens")],
)
def test_a_booking_outside_its_window_says_by_how_much(crowd: Crowd, day: str, apart: str) -> None:
    crowd.course("c", begun=FRIDAY)
    crowd.books("c", f"{day}T12:00:00-08:00")

    assert one(crowd, Listing.BOOKED_OUTSIDE_WINDOW).why == (
        f"visit 1 is booked on {day}, outside its window 2026-03-07 to 2026-03-11: {apart}"
    )


def test_a_booking_below_the_minimum_gap_says_when_that_ends(crowd: Crowd) -> None:
    crowd.course("c")
    crowd.sends("c", "noted", started="2026-03-06", number=1, given_at="2026-03-06T09:00:00-08:00")
    crowd.books("c", "2026-03-08T09:59:00-07:00")

    assert one(crowd, Listing.BOOKED_BELOW_MINIMUM_GAP).why == (
        "visit 1 is booked on 2026-03-08, before its minimum gap ends at 2026-03-08T17:00:00Z"
    )


def test_a_hold_shows_its_booking_and_its_review_when_that_is_past(crowd: Crowd) -> None:
    crowd.course("c", begun=FRIDAY - timedelta(days=5))
    crowd.books("c", "2026-03-06T10:00:00-08:00")
    crowd.sends("c", "halts")

    assert one(crowd, Listing.BOOKED_ON_HOLD).why == (
        "visit 1 is booked on 2026-03-06, while the course is on hold in halted"
    )
    assert one(crowd, Listing.HOLD_PAST_REVIEW).why == (
        "on hold in halted; its review was to be by 2026-03-05, 1 day ago"
    )
    assert everything(crowd, Listing.HOLD_PAST_REVIEW, as_of=date(2026, 3, 5)) == []


def test_a_course_that_waits_says_for_what(crowd: Crowd) -> None:
    crowd.course("c", begun=FRIDAY)
    crowd.sends("c", "rise")

    assert one(crowd, Listing.WAITING_FOR_DATA).json()["missing"] == [
        {"rule": "too_high", "inputs": [{"name": "level", "why": "missing"}]}
    ]
    assert one(crowd, Listing.WAITING_FOR_DATA).why == "too high waits for level (missing)"
    assert one(crowd, Listing.WAITING_FOR_DECISION).why == "in high a decision is waited for"


def test_a_visit_is_booked_only_while_its_booking_is_live(crowd: Crowd) -> None:
    crowd.course("c", begun=FRIDAY)
    before = one(crowd, Listing.UNBOOKED).why
    crowd.books("c", "2026-03-09T10:00:00-07:00")
    booked = everything(crowd, Listing.UNBOOKED)
    crowd.sends("c", "course.no_show", booking="b1")

    assert before == "opens in 1 day, on 2026-03-07; not booked; 2026-03-09 is proposed"
    assert booked == []
    assert one(crowd, Listing.UNBOOKED).why == before


def test_an_unbooked_visit_that_no_day_can_be_proposed_for_says_why_not(crowd: Crowd) -> None:
    closed = [{"from": "2026-03-07", "to": "2026-03-11", "reason": "moving"}]
    crowd.sites.put("north", WORKDAYS | {"closures": closed})
    crowd.course("c", begun=FRIDAY)
    item = one(crowd, Listing.UNBOOKED)

    assert item.why == (
        "opens in 1 day, on 2026-03-07; not booked; "
        "no day of the window can be proposed (in a closure: moving)"
    )
    assert item.json()["proposal"]["no_compliant_day"][0] == {
        "on": "2026-03-07",
        "why": "closure",
        "name": "moving",
    }


def test_the_visits_of_a_course_come_with_everything_that_was_booked(crowd: Crowd) -> None:
    crowd.course("c", begun=FRIDAY)
    crowd.books("c", "2026-03-13T10:00:00-07:00")
    crowd.sends("c", "course.cancelled", booking="b1")
    crowd.books("c", "2026-03-12T10:00:00-07:00", "b2")
    found = crowd.worklists.of_course("c")

    assert [(item.visit, item.number) for item in found.items] == [("visit", 1)]
    assert [(b.name, b.booking.status, against) for b, against in found.booked] == [
        ("b2", "booked", ("outside-window",)),
        ("b1", "cancelled", ()),
    ]


def test_a_course_of_another_site_or_tenant_is_not_there(crowd: Crowd, many: Crowd) -> None:
    crowd.course("only-here", begun=FRIDAY)

    for worklists, sites in (
        (crowd.worklists, frozenset({"far"})),
        (crowd.worklists, frozenset[str]()),
        (many.worklists, None),
    ):
        with pytest.raises(NotFound):
            worklists.of_course("only-here", sites=sites)


def test_a_list_is_of_one_tenant(crowd: Crowd, many: Crowd) -> None:
    assert many.names
    for listing in Listing:
        assert everything(crowd, listing) == []


def test_later_pages_are_seen_from_the_instant_of_the_first(crowd: Crowd) -> None:
    for n in range(5):
        crowd.course(f"c{n}", begun=FRIDAY)
    first = crowd.worklists.page(Ask(listing=Listing.DUE_SOON, limit=2))
    crowd.bench.clock.advance(days=2)
    second = crowd.worklists.page(Ask(listing=Listing.DUE_SOON, limit=10, cursor=first.cursor))

    assert [item.course for item in (*first.items, *second.items)] == [f"c{n}" for n in range(5)]
    assert {item.today for item in second.items} == {FRIDAY}
    assert second.cursor is None


@pytest.fixture
def cursor(crowd: Crowd) -> str:
    for n in range(2):
        crowd.course(f"c{n}", begun=FRIDAY)
    found = crowd.worklists.page(Ask(listing=Listing.DUE_SOON, limit=1)).cursor
    assert found is not None
    return found


@pytest.mark.parametrize(
    "how",
    [
        {"listing": Listing.MISSED},
        {"listing": Listing.HOLDS},
        {"as_of": FRIDAY},
    ],
    ids=["another list", "another order", "another day"],
)
def test_a_cursor_is_of_its_own_list(crowd: Crowd, cursor: str, how: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        crowd.worklists.page(Ask(**{"listing": Listing.DUE_SOON, "cursor": cursor} | how))


def test_a_cursor_that_was_cut_is_named(crowd: Crowd, cursor: str) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        crowd.worklists.page(Ask(listing=Listing.DUE_SOON, cursor=cursor[3:]))


@pytest.mark.parametrize("text", ["", "x", "e30", "bnVsbA", "ÿ", "W10", "MQ", "a" * 5000])
def test_what_is_no_cursor_is_named(crowd: Crowd, text: str) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        crowd.worklists.page(Ask(listing=Listing.DUE_NOW, cursor=text))


@pytest.mark.parametrize("how", [{"limit": 0}, {"limit": 201}, {"soon_days": -1},
                                 {"soon_days": 367}])  # fmt: skip
def test_what_is_asked_is_bounded(crowd: Crowd, how: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(how))):
        crowd.worklists.page(Ask(listing=Listing.DUE_NOW, **how))

"""When a message that did not arrive is sent again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from math import ceil
from pathlib import Path

import pytest

from engine.messages import Delivery, Outcome
from engine.webhooks.reply import Reply
from engine.webhooks.schedule import LONGEST_ASKED, RETRIES, asked, outcome

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def delivery(attempts: int = 0) -> Delivery:
    return Delivery(
        endpoint="ep_1", position=1, course="C-1", seq=1, n=1, kind="course.changed",
        recorded_at=NOW, attempts=attempts, next_at=NOW, claimed_until=None, answered=None,
        delivered_at=None, dead_at=None,
    )  # fmt: skip


def after(status: int | None, *, attempts: int = 0, chance: float = 1, **more: str) -> Outcome:
    trouble = "" if status else "timed out"
    reply = Reply(status=status, trouble=trouble, **more)
    return outcome(delivery(attempts), reply, NOW, lambda: chance)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_a_delivery(status: int):
    assert after(status) == Outcome(answered=str(status), delivered_at=NOW)


@pytest.mark.parametrize("status", [301, 302, 400, 401, 404, 410, 429, 500, 503, None])
def test_everything_else_is_tried_again(status: int | None):
    assert after(status).next_at == NOW + RETRIES[0]


def test_each_wait_is_chosen_below_the_one_of_its_attempt():
    for attempts, longest in enumerate(RETRIES):
        assert after(500, attempts=attempts, chance=0).next_at == NOW
        assert after(500, attempts=attempts, chance=0.5).next_at == NOW + longest / 2


def test_a_message_is_given_up_after_the_last_wait():
    assert after(500, attempts=len(RETRIES) - 1).next_at is not None
    assert after(500, attempts=len(RETRIES)) == Outcome(answered="500", dead_at=NOW)


def test_it_takes_days_until_a_message_is_given_up():
    assert 4 * DAY < sum(RETRIES, timedelta()) < 5 * DAY


def in_days(time: timedelta) -> str:
    """With one decimal place, rounded up for a bound."""
    return f"{ceil(time / DAY * 10) / 10:g} days"


def test_the_page_for_the_integrator_says_how_long_that_is():
    page = " ".join((Path(__file__).parents[2] / "docs" / "webhooks.md").read_text().split())
    longest = sum(RETRIES, timedelta())

    assert f"at most {in_days(longest)}, on average {longest / DAY / 2:.1f}" in page
    assert f"it may then take up to {len(RETRIES)} days" in page
    assert len(RETRIES) * LONGEST_ASKED == 11 * DAY


@pytest.mark.parametrize("status", [429, 503])
def test_who_asks_us_to_wait_is_heard(status: int):
    date = format_datetime(NOW + timedelta(hours=3), usegmt=True)

    assert after(status, retry_after="7200").next_at == NOW + timedelta(hours=2)
    assert after(status, retry_after=date).next_at == NOW + timedelta(hours=3)
    assert after(status, retry_after="3", chance=1).next_at == NOW + RETRIES[0]


def test_who_asks_us_to_wait_with_another_status_is_not_heard():
    assert after(500, retry_after="7200").next_at == NOW + RETRIES[0]


@pytest.mark.parametrize(
    "text",
    ["9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT", format_datetime(NOW + 40 * DAY, usegmt=True)],
)
def test_nobody_is_waited_for_longer_than_a_day(text: str):
    assert asked(text, NOW) == DAY


@pytest.mark.parametrize(
    "text", [None, "", "soon", "-5", "1.5", "٣", "Mon, 02 Mar 2026 08:00:00 GMT", "x" * 9999]
)
def test_what_is_no_wait_is_none(text: str | None):
    assert asked(text, NOW) == timedelta()

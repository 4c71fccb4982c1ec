"""When a message that did not arrive is sent again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from engine.messages import Delivery, Outcome
from engine.webhooks.reply import Reply

RETRIES = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    *(timedelta(hours=24),) * 4,
)
"""The longest wait after each attempt; the wait itself is chosen evenly below it.

So that endpoints that were down together are not asked together. The page for the integrator says
what they come to.
"""

LONGEST_ASKED = timedelta(hours=24)
"""How long a receiver may ask us to wait, and is heard."""

SLOW_DOWN = (429, 503)
GONE = 410


def outcome(
    delivery: Delivery, reply: Reply, now: datetime, chance: Callable[[], float]
) -> Outcome:
    """What an attempt leads to: delivered, again later, or given up. `chance` is from 0 to 1."""
    answered = reply.word
    if reply.accepted:
        return Outcome(answered=answered, delivered_at=now)
    if delivery.attempts >= len(RETRIES):
        return Outcome(answered=answered, dead_at=now)
    wait = RETRIES[delivery.attempts] * chance()
    if reply.status in SLOW_DOWN:
        wait = max(wait, asked(reply.retry_after, now))
    return Outcome(answered=answered, next_at=now + wait)


def asked(text: str | None, now: datetime) -> timedelta:
    """How long `Retry-After` asks us to wait, in seconds or until a date; within bounds.

    >>> now = datetime(2026, 3, 2, tzinfo=UTC)
    >>> asked("120", now), asked("soon", now)
    (datetime.timedelta(seconds=120), datetime.timedelta(0))
    """
    text = (text or "").strip()
    if text.isascii() and text.isdigit():
        seconds = min(int(text[:9]), int(LONGEST_ASKED.total_seconds()))
        return timedelta(seconds=seconds)
    try:
        date = parsedate_to_datetime(text)
        if date.utcoffset() is None:
            date = date.replace(tzinfo=UTC)
        return min(max(date - now, timedelta()), LONGEST_ASKED)
    except (ValueError, OverflowError):
        return timedelta()

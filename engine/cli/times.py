"""Times as they are typed at a terminal: an instant with its zone, or a civil date."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from engine.core.encoding import date_from, instant_from
from engine.errors import InvalidInput


def instant_at(option: str, text: str | None) -> datetime | None:
    """The instant of an option, where it was given. Raises InvalidInput, naming the option."""
    if text is None:
        return None
    try:
        return instant_from(text)
    except ValueError as wrong:
        expected = str(wrong).removeprefix("expected ")
        raise InvalidInput(option, expected, found=repr(text)) from None


def moment_at(option: str, text: str | None) -> datetime | None:
    """The instant of an option that looks back, where it was given; a date is the start of its day.

    The day begins in UTC: what is looked at may be of several sites. Raises InvalidInput, naming
    the option.
    """
    if text is None:
        return None
    try:
        return (
            instant_from(text) if "T" in text else datetime.combine(date_from(text), time.min, UTC)
        )
    except ValueError:
        expected = 'a date such as "2026-03-02", or an instant with its zone'
        raise InvalidInput(option, expected, found=repr(text)) from None


def civil_day(option: str, text: str) -> date:
    """The date of an option. Raises InvalidInput, naming the option."""
    try:
        return date_from(text)
    except ValueError:
        raise InvalidInput(option, "a date such as 2026-03-02", found=repr(text)) from None

"""The place where a page of a list ended, as a word that only the list itself can read.

It says from when the list was seen, so that all its pages see it alike. It is no secret and grants
nothing: what may be seen is decided for each page anew.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from engine.core.encoding import canonical, instant_from
from engine.core.wire import EXACT, IDENTIFIER, civil_date
from engine.errors import InvalidInput
from engine.listing import SPEAKS, Listing


def cursor(listing: Listing, as_of: str, key: Sequence[Any]) -> str:
    """Where a page ended: `as_of` is the day or the instant from which it was seen."""
    after = [one.isoformat() if isinstance(one, date) else one for one in key]
    said = {"list": listing.value, "as_of": as_of, "after": after}
    return urlsafe_b64encode(canonical(said)).decode().rstrip("=")


def place(listing: Listing, text: str) -> tuple[date | None, datetime, tuple[Any, ...]]:
    """What `cursor` said: a day, else an instant, and behind what the next page begins.

    Raises InvalidInput for whatever it did not say of this list.
    """
    wrong = InvalidInput("cursor", f"the `next` of a page of {listing.value}")
    try:
        said = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        of, as_of, after = said["list"], said["as_of"], said["after"]
        day = civil_date(as_of)
        instant = instant_from(as_of) if day is None else _NEVER
    except (NotBase64, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        raise wrong from None
    kinds = _ORDER.get(listing, "dnn")
    if of != listing.value or not isinstance(after, list) or len(after) != len(kinds):
        raise wrong
    found = [_part(kind, one) for kind, one in zip(kinds, after, strict=True)]
    if None in found:
        raise wrong
    return day, instant, tuple(found)


def _part(kind: str, said: object) -> date | str | int | None:
    if kind == "i":
        return said if type(said) is int and 0 <= said < EXACT else None
    if not isinstance(said, str):
        return None
    if kind == "d":
        return civil_date(said)
    shape = _CONFLICTS if kind == "c" else IDENTIFIER
    return said if shape.fullmatch(said) else None


_NEVER = datetime.min.replace(tzinfo=UTC)
"""Of a list that is seen from a day, the instant is not looked at."""

_CONFLICTS = re.compile(r"[a-z][a-z -]{0,199}")
_ORDER: Mapping[Listing, str] = {
    **dict.fromkeys(SPEAKS, "cnn"),
    Listing.HOLD_PAST_REVIEW: "nn",
    **dict.fromkeys((Listing.OPEN_FINDINGS, Listing.UNSIGNED), "in"),
    **dict.fromkeys((Listing.WAITING_FOR_DATA, Listing.WAITING_FOR_DECISION, Listing.HOLDS), "n"),
}
"""What the key of a list is made of: conflicts, days, names, numbers; else a day and two names."""

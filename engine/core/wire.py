"""The JSON values that may enter, each read strictly and bounded in size.

An error names the place and what was expected there. It repeats a short word that is in no list,
and never a number, a date or a free text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

from engine.core.encoding import instant_from
from engine.errors import FEW, MANY, InvalidInput

NOT_PUBLISHED = "not-published"
TEXT_LIMIT = 4000
LIST_LIMIT = 200
FIRST_YEAR, LAST_YEAR = 1800, 2299
EXACT = 2**53
"""Below this, every JSON reader holds a whole number exactly."""

PRECISIONS: Mapping[str, str] = {"year": "2009", "month": "2009-03", "day": "2009-03-02"}
"""How coarse an event's time may be, and how such a time is written."""

IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,64}")
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
WORKFLOW = re.compile(r"sha256:[0-9a-f]{64}|[A-Za-z0-9._-]{1,64}(?:@[A-Za-z0-9._+-]{1,64})?")
ZONE = re.compile(r"(?=.{1,64}$)[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")


def members(
    raw: object, place: str, known: Collection[str], required: Iterable[str] = ()
) -> dict[str, Any]:
    """An object with known members only, the required ones among them."""
    if not isinstance(raw, dict):
        raise InvalidInput(place or "body", "an object", found=json_kind(raw))
    for name in raw:
        if name not in known:
            listed = listing(name, known) or "none"
            if isinstance(name, str) and _MEMBER.fullmatch(name):
                raise InvalidInput(_join(place, name), f"no such member, only: {listed}")
            raise InvalidInput(place or "body", f"no other members than: {listed}")
    for name in required:
        if name not in raw:
            raise InvalidInput(_join(place, name), "a value, but it is absent")
    return raw


def listing(name: object, known: Collection[str]) -> str:
    """The names that are known; of very many only those that are similar."""
    if len(known) <= MANY:
        return ", ".join(sorted(known))
    close = ", ".join(get_close_matches(str(name), sorted(known), n=FEW))
    return f"the {len(known)} of the schema{f', such as {close}' if close else ''}"


def word(raw: object, place: str, shape: re.Pattern[str], expected: str) -> str:
    """A string of a certain shape."""
    if not isinstance(raw, str) or not shape.fullmatch(raw):
        raise InvalidInput(place, expected, found=unless(raw, str))
    return raw


def truth_value(raw: object, place: str) -> bool:
    """A JSON boolean and nothing that resembles one."""
    if not isinstance(raw, bool):
        raise InvalidInput(place, "true or false", found=json_kind(raw))
    return raw


def whole(raw: object, place: str, least: int) -> int:
    """A JSON integer that every JSON reader reads alike."""
    if not isinstance(raw, int) or isinstance(raw, bool) or not least <= raw < EXACT:
        raise InvalidInput(place, f"a whole number from {least}", found=unless(raw, int))
    return raw


def civil_day(raw: object, place: str) -> date:
    """A civil date that a calendar has."""
    found = civil_date(raw) if isinstance(raw, str) else None
    if found is None:
        raise InvalidInput(
            place,
            f'a date such as "2009-03-02", in the years {FIRST_YEAR} to {LAST_YEAR}',
            found=unless(raw, str),
        )
    return found


def free_text(raw: object, place: str, *, sealed: bool) -> str:
    """A text that can be erased; in a record only its digest, told as `sha256:…`."""
    if sealed:
        digest = members(raw, place, ("sha256",), ("sha256",))["sha256"]
        return f"sha256:{word(digest, f'{place}.sha256', _DIGEST, 'a SHA-256 in hexadecimal')}"
    # NUL and half surrogate pairs cannot be stored in every database, nor hashed as UTF-8.
    if (
        isinstance(raw, str)
        and len(raw) <= TEXT_LIMIT
        and raw.strip()
        and not _UNSTORABLE.search(raw)
    ):
        return raw
    raise InvalidInput(place, f"a text of 1 to {TEXT_LIMIT} characters", found=unless(raw, str))


def instant(raw: object, place: str) -> datetime:
    """An instant of RFC 3339 with its zone, in UTC."""
    try:
        if isinstance(raw, str) and len(raw) <= 40 and raw.isascii():
            found = instant_from(raw)
            if FIRST_YEAR <= found.year <= LAST_YEAR:
                return found
    except (ValueError, OverflowError):
        pass
    raise InvalidInput(
        place,
        'an instant with its zone such as "2009-03-02T09:00:00-08:00", '
        f"in the years {FIRST_YEAR} to {LAST_YEAR}",
        found=unless(raw, str),
    )


def instant_or_gap(raw: object, place: str) -> datetime | None:
    """As `instant`; `None` when it was not published or is known to the day, month or year only."""
    if not isinstance(raw, dict):
        return instant(raw, place)
    raw = members(raw, place, ("value", "reason", "precision"), ("value",))
    if raw["value"] is None:
        require_not_published(raw, place)
        return None
    if "reason" in raw:
        raise InvalidInput(f"{place}.reason", "no reason beside a value")
    precision = raw.get("precision")
    if not isinstance(precision, str) or precision not in PRECISIONS:
        raise InvalidInput(
            f"{place}.precision", f"one of {', '.join(PRECISIONS)}", found=shown(precision)
        )
    example, value = PRECISIONS[precision], raw["value"]
    first_day = value + "2009-01-01"[len(example) :] if isinstance(value, str) else ""
    if civil_date(first_day) is None:
        raise InvalidInput(
            f"{place}.value", f'a {precision} such as "{example}"', found=unless(value, str)
        )
    return None


def json_kind(raw: object) -> str:
    """What JSON calls a value, for errors: the value itself stays out of them."""
    for kinds, said in _KINDS:
        if isinstance(raw, kinds):
            return said
    return "null" if raw is None else "something that is not JSON"


def shown(raw: object) -> str:
    """How an error repeats what was sent: a short word as it is, of the rest only the kind."""
    if isinstance(raw, str) and _TOKEN.fullmatch(raw) and _LETTER.search(raw):
        return repr(raw)
    return json_kind(raw)


def unless(raw: object, kind: type) -> str | None:
    """The kind of what was sent when that is already wrong; of the right kind nothing is told."""
    return None if isinstance(raw, kind) and not isinstance(raw, bool) else json_kind(raw)


def require_not_published(raw: dict[str, Any], place: str) -> None:
    """A null says why it is one, and nothing else."""
    if raw.get("reason") != NOT_PUBLISHED:
        raise InvalidInput(f"{place}.reason", f'"{NOT_PUBLISHED}", since the value is null')
    for name in ("unit", "over", "precision"):
        if name in raw:
            raise InvalidInput(f"{place}.{name}", "no such member beside a null")


def civil_date(text: str) -> date | None:
    """The date of `YYYY-MM-DD`, `None` for every other text."""
    try:
        found = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None
    return found if found is not None and FIRST_YEAR <= found.year <= LAST_YEAR else None


_MEMBER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_TOKEN = re.compile(r"[A-Za-z0-9_./%*\[\]{}-]{1,40}")
_LETTER = re.compile(r"[A-Za-z%]")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "a boolean"),
    ((int, float), "a number"),
    (str, "a string"),
    (list, "an array"),
    (dict, "an object"),
)


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name

"""One text for one value: canonical JSON, its digest, and the values in it.

- Canonical is RFC 8785 for what is stored here: text, whole numbers, yes and no, null, lists and
  objects. There are no floats: a decimal is text, since the next reader may round.
- What is read is read strictly: a doubled member, a float, NaN, half a surrogate pair or a nesting
  deeper than `DEPTH` is an error that names its place and never shows what was found there.
- Instants are kept in UTC with a `Z`, with microseconds only where there are any.
"""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any, NoReturn, TypeAlias

from engine.core.quantity import decimal_text

Json: TypeAlias = Any
"""What JSON can say. Its shape is known only after it has been looked at."""

DEPTH = 64
"""How many lists and objects may lie in each other."""

WHOLE = 2**53 - 1
"""The largest whole number that every reader of JSON holds exactly."""


def canonical(value: Json) -> bytes:
    """The bytes that are hashed, the same for equal values on every machine.

    Every record passes here, so of all that has no canonical form only floats are looked for:
    TypeError, naming the place. What comes from outside has been through `parse` or
    `require_plain`, which look at everything.

    >>> canonical({"b": ["3.1", None], "a": True})
    b'{"a":true,"b":["3.1",null]}'
    """
    try:
        text = _SORTING.encode(value)
    except (TypeError, ValueError):  # they do not say where
        _refuse_floats(value)
        require_plain(value)
        raise
    # Searches that begin with a rare character cost a tenth of the encoding. A text may end like
    # a float too, so a hit only means that the value itself is looked at.
    if _FRACTION.search(text) or _POWER.search(text):
        _refuse_floats(value)
    # RFC 8785 sorts by UTF-16 units, Python by code points: they differ above U+FFFF.
    if not text.isascii() and max(text) > "\uffff":
        text = _KEEPING.encode(_sorted(value))
    return text.encode()


def digest(value: Json) -> str:
    """The identity of a value: `sha256:` and the hash of its canonical bytes."""
    return "sha256:" + sha256(canonical(value)).hexdigest()


def parse(data: bytes | str) -> Json:
    """Strict JSON to a value that has a canonical form. Raises ValueError naming the place.

    >>> parse('{"dose": {"value": 3.1}}')
    Traceback (most recent call last):
    ValueError: dose.value: floats are not exact; write a decimal as text
    """
    try:
        text = data.decode() if isinstance(data, bytes) else data
    except UnicodeDecodeError as exc:
        raise ValueError(f"not UTF-8 at byte {exc.start}") from None
    try:
        try:
            value, odd = _STRICT.decode(text), False
        except _OddError:  # read again, to say where
            value, odd = _MARKING.decode(text), True
        # Half a pair comes from an escape, or from a text that was never bytes.
        half = "\\u" in text or (text is data and not text.isascii())
        if odd or half or _is_deep(text, value):
            require_plain(value)
    except json.JSONDecodeError as exc:
        raise ValueError(f"not JSON: {exc.msg} at character {exc.pos}") from None
    except RecursionError:
        raise ValueError(f"nested deeper than {DEPTH}") from None
    return value


def require_plain(value: Json, place: str = "", depth: int = DEPTH) -> None:
    """Nothing but what canonical JSON can say. Raises TypeError or ValueError naming the place."""
    if _is_plain(value, depth):
        return
    if isinstance(value, str):
        if not value.isascii() and _HALF.search(value):
            raise ValueError(f"{place or 'value'}: half a surrogate pair")
    elif isinstance(value, int):
        if not -WHOLE <= value <= WHOLE:
            raise ValueError(f"{place or 'value'}: {_LONG}")
    elif isinstance(value, dict | list | tuple):
        if depth == 0:
            raise ValueError(f"{place or 'value'}: nested deeper than {DEPTH}")
        for part, where in _parts(value, place):
            require_plain(part, where, depth - 1)
    elif isinstance(value, _OddError):
        raise ValueError(f"{place or 'value'}: {value}")
    else:
        raise TypeError(f"{place or 'value'}: {type(value).__name__} has no canonical form")


def instant_text(instant: datetime) -> str:
    """An aware instant as text in UTC.

    >>> instant_text(datetime.fromisoformat("2009-03-02T09:00:00-08:00"))
    '2009-03-02T17:00:00Z'
    """
    if instant.tzinfo is not UTC:
        if instant.utcoffset() is None:
            raise ValueError("an instant needs a zone")
        instant = _in_utc(instant)
    return _utc_text(instant)


def instant_from(text: Json) -> datetime:
    """The instant of an RFC 3339 text, in UTC. Raises ValueError, also for one without a zone."""
    if not isinstance(text, str):
        raise ValueError(_EXPECTED_INSTANT)
    return _instant(text)


def date_from(text: Json) -> date:
    """The civil date of `YYYY-MM-DD`. Raises ValueError for every other form."""
    if not isinstance(text, str):
        raise ValueError(_EXPECTED_DATE)
    return _date(text)


def encode_value(value: Json) -> Json:
    """A reading, a variable or a field as JSON. Raises TypeError for what is none of these."""
    write = _WRITERS.get(type(value))
    if write is None:
        raise TypeError(f"{type(value).__name__} is no value of a course")
    return write(value)


def decode_value(kind: str, value: Json) -> Json:
    """What `encode_value` wrote of a value of that kind; null stays unset. Raises ValueError."""
    if value is None:
        return None
    read = _READERS.get(kind)
    if read is None:
        raise ValueError(f"kind {kind!r}: expected one of {', '.join(_READERS)}")
    return read(value)


class _OddError(ValueError):
    """Legal JSON that has no place here. Raised when met, or kept to find out where it lies."""


_INSTANT = re.compile(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# More digits than at the border: what was computed or converted has up to those of the context.
_STORED = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_HALF = re.compile("[\ud800-\udfff]")
_FRACTION = re.compile(r"\.[0-9]+(?:e[+-][0-9]+)?(?:[,\]}]|$)")
_POWER = re.compile(r"e[+-][0-9]+(?:[,\]}]|$)")

_EXPECTED_INSTANT = 'expected an instant with its zone, such as "2009-03-02T17:00:00Z"'
_EXPECTED_DATE = 'expected a date such as "2009-03-02"'
_FLOAT = "floats are not exact; write a decimal as text"
_LONG = f"beyond {WHOLE}; write a long number as text"


def _whole(digits: str) -> int:
    # The length first: reading digits takes the square of their number.
    if len(digits) > 17 or not -WHOLE <= int(digits) <= WHOLE:
        raise _OddError(_LONG)
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _OddError("given twice")
    return made


def _float(_: str) -> NoReturn:
    raise _OddError(_FLOAT)


def _marked(reader: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(found: str) -> Json:
        try:
            return reader(found)
        except _OddError as odd:
            return odd

    return read


def _marked_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        made[key] = _OddError("given twice") if key in made else value
    return made


def _is_deep(text: str, value: Json) -> bool:
    if text.count("[") + text.count("{") <= DEPTH:
        return False
    level: list[Iterable[Json]] = [[value]]
    for _ in range(DEPTH + 1):
        if not level:
            break
        level = [
            part.values() if type(part) is dict else part
            for holder in level
            for part in holder
            if type(part) is dict or type(part) is list
        ]
    return bool(level)


_SORTING = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
)
_KEEPING = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False)
_STRICT = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_float, parse_int=_whole, parse_constant=_float
)
_MARKING = json.JSONDecoder(
    object_pairs_hook=_marked_object,
    parse_float=_marked(_float),
    parse_int=_marked(_whole),
    parse_constant=_marked(_float),
)


def _is_plain(value: Json, depth: int) -> bool:
    """A quick look, which names no place; what it does not know is looked at closely."""
    kind = type(value)
    if kind is str:
        return value.isascii() or not _HALF.search(value)
    if kind is int:
        return -WHOLE <= value <= WHOLE  # type: ignore[no-any-return]  # a comparison of integers
    if kind is dict:
        return depth > 0 and all(
            type(key) is str
            and (key.isascii() or not _HALF.search(key))
            and _is_plain(part, depth - 1)
            for key, part in value.items()
        )
    if kind is list or kind is tuple:
        return depth > 0 and all(_is_plain(part, depth - 1) for part in value)
    return value is None or kind is bool


def _parts(value: Json, place: str) -> Iterable[tuple[Any, str]]:
    if not isinstance(value, dict):
        return ((part, f"{place}[{n}]") for n, part in enumerate(value))
    for key in value:
        if type(key) is not str:
            raise TypeError(f"{place or 'value'}: a member's name is text, not {key!r}")
        require_plain(key, f"{place or 'value'}: a member's name")
    return ((part, f"{place}.{_name(key)}" if place else _name(key)) for key, part in value.items())


def _name(key: str) -> str:
    return key if key.isidentifier() and len(key) <= 80 else reprlib.repr(key)


def _refuse_floats(value: Json, place: str = "") -> None:
    if isinstance(value, float):
        raise TypeError(f"{place or 'value'}: {_FLOAT}")
    if isinstance(value, dict | list | tuple):
        for part, where in _parts(value, place):
            _refuse_floats(part, where)


def _sorted(value: Json) -> Json:
    if isinstance(value, dict):
        order = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return {key: _sorted(value[key]) for key in order}
    return [_sorted(part) for part in value] if isinstance(value, list | tuple) else value


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("an instant outside the years 1 to 9999") from None


# The same texts come again in row after row, and what they say does not change.


@lru_cache(maxsize=4096)
def _instant(text: str) -> datetime:
    if not _INSTANT.fullmatch(text):
        raise ValueError(_EXPECTED_INSTANT)
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo is UTC else _in_utc(instant)


@lru_cache(maxsize=4096)
def _utc_text(instant: datetime) -> str:
    # Only of UTC: in a zone whose clocks go back, two instants may count as equal.
    return instant.isoformat()[:-6] + "Z"


@lru_cache(maxsize=4096)
def _date(text: str) -> date:
    if not _DATE.fullmatch(text):
        raise ValueError(_EXPECTED_DATE)
    return date.fromisoformat(text)


@lru_cache(maxsize=4096)
def _decimal(text: str) -> Decimal:
    if not _STORED.fullmatch(text):
        raise ValueError('expected a decimal such as "3.1"')
    return Decimal(text)


def _number(value: Json) -> Decimal:
    if isinstance(value, str):
        return _decimal(value)
    raise ValueError(f'expected a decimal such as "3.1", not {type(value).__name__}')


def _yes_or_no(value: Json) -> bool:
    if value is True or value is False:
        return bool(value)
    raise ValueError(f"expected true or false, not {type(value).__name__}")


def _code(value: Json) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"expected text, not {type(value).__name__}")


_WRITERS: dict[type, Callable[[Any], Any]] = {
    Decimal: decimal_text,
    bool: bool,
    str: str,
    date: date.isoformat,
    datetime: instant_text,
    type(None): lambda _: None,
}
_READERS: dict[str, Callable[[Any], Any]] = {
    "number": _number,
    "quantity": _number,
    "yesno": _yes_or_no,
    "code": _code,
    "date": date_from,
    "instant": instant_from,
}

"""JSON answers as values, by the annotations of their class.

- A member that is not known is passed over: the service may be newer.
- A decimal stays the text that it is; a day and an instant become what they are.
- One that is needed and absent, or of another kind, is `ValueError` with its name and no value.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")

HEADER = "header"
"""In a field's metadata: the answer's header that it comes from."""

_REVISION = re.compile(r'(?:W/)?"([0-9]{1,15})')
"""What an ETag begins with; a proxy that compresses puts more in it, such as `"12-gzip"`."""


def read(shape: type[T], found: Any, headers: Mapping[str, str] | None = None) -> T:  # noqa: ANN401  # JSON
    """A value of a dataclass. Raises ValueError, naming the member."""
    if not isinstance(found, dict):
        raise ValueError("an object was expected")
    values = {}
    for name, kind, field in _fields(shape):  # type: ignore[arg-type]  # a class can be hashed
        header = field.metadata.get(HEADER)
        told = found.get(name) if header is None else _told(header, headers or {})
        if told is None and not _default(field) and not _optional(kind):
            raise ValueError(f"{name}: a value was expected, but it is absent")
        if told is None and _default(field):
            continue
        try:
            values[name] = _value(kind, told)
        except ValueError as wrong:
            raise ValueError(f"{name}: {wrong}") from None
    return shape(**values)


def listed(shape: type[T], found: Any) -> tuple[T, ...]:  # noqa: ANN401  # JSON
    """Values of a dataclass from an array; of anything else, none."""
    return tuple(read(shape, one) for one in found) if isinstance(found, list) else ()


def _told(header: str, headers: Mapping[str, str]) -> Any:  # noqa: ANN401  # as JSON has it
    """What a header says: a revision in its quotes, or that something is so."""
    text = headers.get(header.lower(), "")
    revision = _REVISION.match(text)
    return text == "true" if revision is None else int(revision[1])


def _value(kind: Any, found: Any) -> Any:  # noqa: ANN401  # JSON
    match kind:
        case types.UnionType() if found is None:
            return None
        case types.UnionType():
            kinds = [one for one in typing.get_args(kind) if one is not types.NoneType]
            # Of several, which are plain then, the one that it is; else what the first expects.
            return _value(next((one for one in kinds if one is type(found)), kinds[0]), found)
        case type() if dataclasses.is_dataclass(kind):
            return read(kind, found)
        case type() if kind in (date, datetime):
            return kind.fromisoformat(_plain(str, found))
        case type() if kind in (str, int, bool):
            return _plain(kind, found)
    match typing.get_origin(kind):
        case origin if origin is tuple:
            return tuple(_value(typing.get_args(kind)[0], one) for one in _plain(list, found))
        case _:
            return _plain(dict, found)


def _plain(kind: type, found: Any) -> Any:  # noqa: ANN401  # JSON
    if type(found) is not kind:  # a truth value is no number
        raise ValueError(f"{_WORDS[kind]} was expected")
    return found


def _default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING


def _optional(kind: Any) -> bool:  # noqa: ANN401  # an annotation
    return types.NoneType in typing.get_args(kind)


@cache
def _fields(shape: type) -> tuple[tuple[str, Any, dataclasses.Field[Any]], ...]:
    kinds = typing.get_type_hints(shape)
    return tuple((field.name, kinds[field.name], field) for field in dataclasses.fields(shape))


_WORDS: Mapping[type, str] = {
    str: "a text", int: "a whole number", bool: "true or false", list: "an array",
    dict: "an object",
}  # fmt: skip

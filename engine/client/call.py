"""One call of the service as a value: what is sent, and how its answer is read. Nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from engine.client.reading import read

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: its headers in lower case, its body whole."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    def json(self) -> Any:  # noqa: ANN401  # JSON
        """The body. Raises ValueError where it is no JSON."""
        return json.loads(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T_co]):
    """What is asked. `repeatable` is a call that may be sent twice and has one effect.

    An event is that by its `id`, which whoever sends it adds once: `keyed` says that it needs one.
    """

    method: str
    path: str
    answer: Callable[[Reply], T_co]
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    keyed: bool = False
    repeatable: bool = True

    @property
    def key(self) -> str | None:
        """The idempotency key, once it has one."""
        return str(self.body["id"]) if self.keyed and self.body and "id" in self.body else None

    def with_key(self, make: Callable[[], str]) -> Call[T_co]:
        """The call with a key, where it needs one and has none."""
        if not self.keyed or self.key is not None:
            return self
        return replace(self, body={**(self.body or {}), "id": make()})

    def content(self) -> bytes | None:
        """The body's bytes. Raises ValueError for what JSON has no word for."""
        if self.body is None:
            return None
        return json.dumps(self.body, ensure_ascii=False, allow_nan=False).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Generic[T_co]):
    """Some of many, and the call for those that follow, where there are more."""

    items: tuple[T_co, ...]
    rest: Call[Part[T_co]] | None = None


def path(template: str, **names: str | int) -> str:
    """A path with names in it. Raises ValueError for one that would be another path."""
    for name, value in names.items():
        if str(value) in ("", ".", ".."):
            raise ValueError(f"{name}: a name was expected")
    return template.format(**{name: quote(str(value), safe="") for name, value in names.items()})


def query(**values: object) -> tuple[tuple[str, str], ...]:
    """What of a query has a value; several values of a name are several of it."""
    return tuple(
        (name, _word(word))
        for name, value in values.items()
        if value is not None
        for word in (value if isinstance(value, tuple) else (value,))
    )


def get(
    where: str, answer: Callable[[Reply], T], asked: tuple[tuple[str, str], ...] = ()
) -> Call[T]:
    """A call that asks and changes nothing."""
    return Call(method="GET", path=where, answer=answer, query=asked)


def instant(at: datetime, name: str) -> str:
    """An instant as it is sent. Raises ValueError for one without its zone."""
    if at.utcoffset() is None:
        raise ValueError(f"{name}: a time without its zone says nothing")
    return at.isoformat()


def one(shape: type[T]) -> Callable[[Reply], T]:
    """Read an answer that is one thing."""
    return lambda reply: read(shape, reply.json(), reply.headers)


def members(shape: type[T], name: str) -> Callable[[Reply], tuple[T, ...]]:
    """Read an answer that has things in a member."""
    return lambda reply: _listed(shape, name, reply.json())


def part(
    shape: type[T], name: str, rest: Callable[[str], Call[Part[T]]]
) -> Callable[[Reply], Part[T]]:
    """Read a page; `rest` makes the call for those that follow of the answer's `next`."""

    def found(reply: Reply) -> Part[T]:
        document = reply.json()
        items = _listed(shape, name, document)
        following = document.get("next")
        return Part(items=items, rest=None if following is None else rest(str(following)))

    return found


def _listed(shape: type[T], name: str, document: Any) -> tuple[T, ...]:  # noqa: ANN401  # JSON
    found = document.get(name) if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise ValueError(f"{name}: an array was expected")
    return tuple(read(shape, item) for item in found)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

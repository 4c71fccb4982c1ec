"""The methods of both clients, each named once: a call, and whether it is one answer or many.

A descriptor gives it as a method of whichever client it is looked up on: one that waits, or one
that is awaited. How each is asked and read is told where it comes from; how it is tried, in
`attempts`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import wraps
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from engine.client import access, calls, lists, messages, review, what_if
from engine.client.call import Call, Part

P = ParamSpec("P")
T = TypeVar("T")


class Waits(Protocol):
    """Runs a call and waits for its answer."""

    def run(self, call: Call[T]) -> T: ...


class Awaits(Protocol):
    """Runs a call whose answer is awaited."""

    async def arun(self, call: Call[T]) -> T: ...


class Single(Generic[P, T]):
    """A method with one answer."""

    def __init__(self, make: Callable[P, Call[T]]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Single[P, T]: ...
    @overload
    def __get__(self, client: Waits, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: Awaits, owner: type) -> Callable[P, Awaitable[T]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        if client is None:
            return self
        run = getattr(client, "run", None) or client.arun

        @wraps(self._make)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:  # noqa: ANN401  # as the overloads say
            return run(self._make(*args, **kwargs))

        return method


class Paged(Generic[P, T]):
    """A method that goes on from page to page."""

    def __init__(self, make: Callable[P, Call[Part[T]]]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Paged[P, T]: ...
    @overload
    def __get__(self, client: Waits, owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: Awaits, owner: type) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        if client is None:
            return self
        through = _through if hasattr(client, "run") else _athrough

        @wraps(self._make)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:  # noqa: ANN401  # likewise
            return through(client, self._make(*args, **kwargs))

        return method


class Methods:
    """What can be asked of the service."""

    workflows = Single(calls.workflows)
    workflow = Single(calls.workflow)
    schema = Single(calls.schema)
    enroll = Single(calls.enroll)
    submit = Single(calls.submit)
    dry_run = Single(calls.dry_run)
    course = Single(calls.course)
    options = Single(calls.options)
    records = Paged(calls.records)
    record = Single(calls.record)
    readings = Single(calls.readings)
    playback = Single(calls.playback)
    search = Paged(calls.search)
    worklists = Single(lists.worklists)
    worklist = Paged(lists.worklist)
    visits = Paged(lists.visits)
    visits_of = Single(lists.visits_of)
    holds = Paged(lists.holds)
    reviews = Single(review.reviews)
    sign_off = Single(review.sign_off)
    review = Paged(review.review)
    what_if = Single(what_if.what_if)
    site = Single(lists.site)
    set_calendar = Single(lists.set_calendar)
    feed = Paged(messages.feed)
    endpoints = Single(messages.endpoints)
    add_endpoint = Single(messages.add_endpoint)
    ping_endpoint = Single(messages.ping_endpoint)
    remove_endpoint = Single(messages.remove_endpoint)
    caller = Single(access.caller)
    tokens = Paged(access.tokens)
    create_token = Single(access.create_token)
    revoke_token = Single(access.revoke_token)
    access_log = Paged(access.access_log)


def _through(client: Waits, call: Call[Part[T]]) -> Iterator[T]:
    following: Call[Part[T]] | None = call
    while following is not None:
        part = client.run(following)
        yield from part.items
        following = part.rest


async def _athrough(client: Awaits, call: Call[Part[T]]) -> AsyncIterator[T]:
    following: Call[Part[T]] | None = call
    while following is not None:
        part = await client.arun(following)
        for item in part.items:
            yield item
        following = part.rest

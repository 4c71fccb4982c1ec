"""What is tried again, when, and for how long."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from engine.client import (
    AsyncClient,
    Client,
    ClientError,
    Conflict,
    GuardFailed,
    Internal,
    Patience,
    TooManyRequests,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
)
from engine.client.call import Call
from tests.client.answers import REPORT, problem, taken
from tests.client.conftest import Far

Make = Callable[..., Client]
LOST = httpx2.ReadError("gone")
ONCE: Call[str] = Call(
    method="POST", path="/v1/tokens", answer=lambda _: "made", body={}, repeatable=False
)


@pytest.mark.parametrize(
    "first",
    [
        LOST,
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("slow"),
        httpx2.RemoteProtocolError("cut"),
        problem("unavailable", 503),
        problem("too-many-requests", 429),
        problem("still-running", 409),
        problem("conflict", 409, retriable=True),
        httpx2.Response(502, text="<html>"),
        httpx2.Response(504, text="<html>"),
    ],
    ids=[
        "lost",
        "refused",
        "slow",
        "cut",
        "unavailable",
        "limited",
        "running",
        "raced",
        "502",
        "504",
    ],
)
def test_what_was_not_answered_is_sent_again_the_same(client_of: Make, far: Far, first: Any):
    answer = client_of(first, first, taken).submit("I-1", REPORT)
    first_sent, *again = far.requests

    assert answer.id == "key-1"
    assert len(again) == 2
    assert all(one.content == first_sent.content for one in again)
    assert {one.headers["Idempotency-Key"] for one in far.requests} == {"key-1"}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (problem("guard-failed", 409), GuardFailed),
        (problem("conflict", 409, retriable=False), Conflict),
        (problem("internal", 500), Internal),
        (httpx2.Response(200, text="<html>"), UnexpectedAnswer),
        (httpx2.Response(307, headers={"Location": "https://elsewhere.example"}), UnexpectedAnswer),
    ],
    ids=["refused", "conflict", "internal", "page", "redirect"],
)
def test_an_answer_is_not_asked_for_twice(
    client_of: Make, far: Far, answer: httpx2.Response, kind: type[ClientError]
):
    with pytest.raises(kind) as raised:
        client_of(answer).submit("I-1", REPORT)

    assert len(far.requests) == 1
    assert raised.value.key == "key-1"


def test_each_call_has_a_key_of_its_own_and_an_events_id_is_one(client_of: Make, far: Far):
    client = client_of(taken)
    client.submit("I-1", REPORT)
    client.submit("I-1", REPORT)
    client.submit("I-1", type(REPORT)(event="e", at=REPORT.at, actor=REPORT.actor, id="mine"))

    assert [json.loads(one.content)["id"] for one in far.requests] == ["key-1", "key-2", "mine"]


def test_what_makes_a_second_thing_is_sent_again_only_where_nothing_came_of_it(
    client_of: Make, far: Far
):
    made = httpx2.Response(201, json={})

    refused = httpx2.ConnectError("refused")
    assert client_of(refused, problem("too-many-requests", 429), made).run(ONCE) == "made"
    for lost in (LOST, problem("unavailable", 503), httpx2.Response(502)):
        far.requests.clear()
        with pytest.raises(ClientError):
            client_of(lost, made).run(ONCE)
        assert len(far.requests) == 1


def test_waits_grow_to_their_most_and_are_drawn_below_it(client_of: Make, far: Far):
    client = client_of(LOST, LOST, LOST, LOST, LOST, LOST, taken, first=1, longest=8, total=100)
    client.submit("I-1", REPORT)

    assert far.slept == [0.5, 1, 2, 4, 4, 4]


def test_a_call_ends_when_the_next_wait_would_go_beyond_its_time(client_of: Make, far: Far):
    far.slow = 2
    with pytest.raises(Unreachable) as raised:
        client_of(LOST, first=1, longest=1, total=10).submit("I-1", REPORT)

    assert raised.value.key == "key-1"
    assert far.now - 1000 <= 10
    assert len(far.requests) == 4


def test_an_attempt_may_not_be_silent_for_longer_than_is_left(client_of: Make, far: Far):
    far.slow = 3
    client_of(LOST, LOST, taken, silence=5, first=1, longest=1, total=10).submit("I-1", REPORT)

    left = [one.extensions["timeout"]["read"] for one in far.requests]
    assert left == [5, 5, 3]


def test_an_answer_that_never_ends_is_given_up(client_of: Make, far: Far):
    def dripping() -> Any:
        while True:
            far.now += 1
            yield b"x"

    endless = httpx2.Response(200, content=dripping())
    with pytest.raises(Unreachable):
        client_of(endless, total=10).course("I-1")


@pytest.mark.parametrize(
    ("said", "wait"), [("3", 3), ("0", 0), ("soon", 0), ("Mon, 02 Mar 2026 16:00:07 GMT", 7)]
)
def test_a_wait_that_the_service_names_is_kept_to(
    client_of: Make, far: Far, said: str, wait: float
):
    busy = problem("too-many-requests", 429, wait=said)
    busy.headers["Date"] = "Mon, 02 Mar 2026 16:00:00 GMT"
    client_of(busy, taken, first=1).submit("I-1", REPORT)

    assert far.slept == [wait + 0.5]


def test_a_wait_beyond_the_time_is_not_begun_and_is_told(client_of: Make, far: Far):
    with pytest.raises(TooManyRequests) as raised:
        client_of(problem("too-many-requests", 429, wait="3600")).course("I-1")

    assert raised.value.retry_after == 3600
    assert far.slept == []


async def _awaited(far: Far, *answers: Any) -> Any:
    far.answers = list(answers)
    transport = httpx2.MockTransport(far.answer)
    async with AsyncClient(
        "http://clinic.example", transport=transport, sleep=far.asleep, world=far.world(),
        patience=Patience(total=2),
    ) as client:  # fmt: skip
        return await client.submit("I-1", REPORT)


def test_an_awaited_call_is_tried_in_the_same_way(far: Far):
    answer = asyncio.run(_awaited(far, LOST, problem("unavailable", 503), taken))

    assert answer.id == "key-1"
    assert [json.loads(one.content)["id"] for one in far.requests] == ["key-1"] * 3
    with pytest.raises(Unavailable):
        asyncio.run(_awaited(far, problem("unavailable", 503)))

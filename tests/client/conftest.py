"""A client whose time, chance and network are the test's."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from engine.client import Client, Patience, World


@dataclass
class Far:
    """The far end: answers with what it was given, in order, and the last for ever.

    Time passes only while the client sleeps, and by `slow` seconds an attempt.
    """

    answers: list[Any] = field(default_factory=list)
    chance: float = 0.5
    slow: float = 0.0
    now: float = 1000.0
    slept: list[float] = field(default_factory=list)
    requests: list[httpx2.Request] = field(default_factory=list)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        self.now += self.slow
        told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(told, Exception):
            raise told
        if not isinstance(told, httpx2.Response):
            return told(request)
        if not told.is_closed:  # a stream, and read once
            return told
        return httpx2.Response(told.status_code, headers=told.headers, content=told.content)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)

    def world(self) -> World:
        keys = itertools.count(1)
        return World(
            chance=lambda: self.chance,
            monotonic=lambda: self.now,
            new_key=lambda: f"key-{next(keys)}",
        )


@pytest.fixture
def far() -> Far:
    return Far()


@pytest.fixture
def client_of(far: Far) -> Callable[..., Client]:
    def made(*answers: Any, **patience: float) -> Client:
        far.answers = list(answers)
        return Client(
            "http://clinic.example",
            "rgm_secret",
            transport=httpx2.MockTransport(far.answer),
            patience=Patience(**patience),
            sleep=far.sleep,
            world=far.world(),
        )

    return made

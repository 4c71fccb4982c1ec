"""A backend that loses no event: it sends each until some service has acknowledged it."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2

READINGS = 5
PAUSE = 0.05
"""Seconds before an event that nobody took is sent again."""


@dataclass
class Load:
    """Writers that send course after course until they are stopped.

    `services` are the URLs to try; they may change at any time. `acknowledged` are the events that
    were taken, with their record's number; `longest_gap` is how many seconds nothing was taken, of
    all writers together.
    """

    token: str
    services: list[str]
    writers: int = 6
    acknowledged: list[tuple[str, str, int]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    tried_again: int = 0

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._telling = threading.Lock()
        self._last = time.monotonic()
        self.longest_gap = 0.0
        self._threads = [
            threading.Thread(target=self._write, args=(number,)) for number in range(self.writers)
        ]

    def start(self) -> None:
        self._last = time.monotonic()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each writer finish its event; nothing is given up that was begun."""
        self._stop.set()
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive(), "an event was never taken"

    def _write(self, writer: int) -> None:
        with httpx2.Client(timeout=60, headers={"Authorization": f"Bearer {self.token}"}) as client:
            for number in itertools.count():
                course = f"W{writer}-{number}"
                for event in events(course):
                    if self._stop.is_set():
                        return
                    self._send(client, course, event)
                self.released.append(course)

    def _send(self, client: httpx2.Client, course: str, event: dict[str, Any]) -> None:
        path = "/v1/courses" if "workflow" in event else f"/v1/courses/{course}/events"
        for attempt in itertools.count():
            url = self.services[(attempt + hash(course)) % len(self.services)]
            try:
                answer = client.post(url + path, json=event, headers={"If-Match": "*"})
            except httpx2.HTTPError:
                answer = None
            if answer is not None and answer.status_code == 201:
                self._taken(course, event["id"], answer.json()["seq"])
                return
            if answer is not None and answer.status_code not in (409, 429, 503):
                self.wrong.append(f"{answer.status_code} {answer.text}")
                return
            self.tried_again += 1
            time.sleep(PAUSE)

    def _taken(self, course: str, event: str, seq: int) -> None:
        with self._telling:
            now = time.monotonic()
            self.longest_gap = max(self.longest_gap, now - self._last)
            self._last = now
            self.acknowledged.append((course, event, seq))


def events(course: str) -> Iterator[dict[str, Any]]:
    """An instrument that was measured, released long ago, and not looked at since."""
    common = {"format": 1, "actor": {"id": "m", "role": "metrologist"}}
    yield common | {
        "id": "begin", "event": "course.enrolled", "at": "2009-03-02T09:00:00Z", "course": course,
        "workflow": "instrument_calibration", "patient": f"of-{course}", "site": "north",
        "zone": "Europe/Vienna", "retrospective": True,
    }  # fmt: skip
    for n in range(1, READINGS + 1):
        data: dict[str, Any] = {"deviation": {"value": str(n % 3), "unit": "um"}}
        data["room_temperature"] = {"value": "20", "unit": "Cel"}
        yield common | {"id": f"m{n}", "event": "measurement_recorded",
                        "at": f"2009-03-02T10:{n:02}:00Z", "data": data}  # fmt: skip
    yield common | {"id": "release", "event": "release_instrument", "at": "2009-03-02T11:00:00Z"}

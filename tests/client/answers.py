"""Answers as the service would give them."""

from __future__ import annotations

import json
from typing import Any

import httpx2

from engine.client import Actor, Event

ANSWER = {
    "course": "I-1", "event": "measurement_recorded", "id": "key-1", "seq": 2,
    "verdict": "accepted", "state_before": "on_bench", "state": "on_bench", "digest": "sha256:0",
    "decision": {},
}  # fmt: skip

REPORT = Event(
    event="measurement_recorded", at="2026-03-02T16:00:00Z", actor=Actor("somebody", "technician")
)


def taken(request: httpx2.Request) -> httpx2.Response:
    """What an event gets that is recorded: its own id."""
    sent = json.loads(request.content)
    return httpx2.Response(201, json=ANSWER | {"id": sent["id"]}, headers={"ETag": '"2"'})


def problem(name: str, status: int, *, wait: str | None = None, **members: Any) -> httpx2.Response:
    headers = {"Content-Type": "application/problem+json"}
    if wait is not None:
        headers["Retry-After"] = wait
    document = {"type": f"/v1/problems/{name}", "title": "T", "status": status, "detail": "D"}
    return httpx2.Response(status, content=json.dumps(document | members), headers=headers)

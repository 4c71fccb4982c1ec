"""The feed over HTTP: pages without a gap, and a stream that goes on where its reader was."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest
import uvicorn

from engine.web.loopback import LoopbackGate
from tests.web.conftest import House
from tests.web.test_events import measured, send


def entries(house: House, **asked: object) -> list[dict[str, Any]]:
    answer = house.client.get("/v1/feed", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found


def events(text: str) -> list[dict[str, str]]:
    """The blocks of a stream, each by its fields."""
    blocks = [block.split("\n") for block in text.split("\n\n") if block]
    return [dict(line.split(": ", 1) for line in block) for block in blocks]


def said(text: str) -> list[dict[str, str]]:
    return [one for one in events(text) if "data" in one]


def seeing(house: House, monkeypatch: pytest.MonkeyPatch, site: str) -> None:
    """From now on callers see what is at one site."""
    gate = house.office.gate
    assert isinstance(gate, LoopbackGate)
    visitor = replace(gate._visitor, sites=frozenset({site}))
    monkeypatch.setattr(gate, "_visitor", visitor)


@pytest.fixture
def short(house: House) -> House:
    """With streams that look three times."""
    house.office.streams.looks, house.office.streams.seconds = 3, 0.01
    return house


def test_what_was_said_is_read_in_order_and_page_by_page(house: House):
    house.enrolled("I-1")
    house.enrolled("I-2")
    house.clock.advance(seconds=1)
    send(house, measured(house))

    first = house.client.get("/v1/feed", params={"limit": 2}).json()
    second = house.client.get("/v1/feed", params={"limit": 2, "after": first["next"]}).json()
    assert [one["position"] for one in first["entries"]] == [1, 2]
    assert (first["next"], first["more"]) == (2, True)
    assert [(one["position"], one["course"]) for one in second["entries"]] == [(3, "I-1")]
    assert (second["next"], second["more"]) == (3, False)
    assert set(first["entries"][0]) == {"position", "course", "seq", "n", "kind", "recorded_at"}


def test_a_caller_of_some_sites_reads_what_was_said_there(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    house.enrolled("I-1")
    house.enrolled("I-2", site="south")
    seeing(house, monkeypatch, "south")

    answer = house.client.get("/v1/feed").json()
    assert [one["course"] for one in answer["entries"]] == ["I-2"]
    assert answer["next"] == 2


@pytest.mark.parametrize("asked", [{"after": -1}, {"after": 2**63}, {"limit": 0}, {"limit": 501}])
def test_a_page_that_cannot_be_is_told_so(house: House, asked: dict[str, int]):
    assert house.client.get("/v1/feed", params=asked).status_code == 422


def test_courses_that_changed_are_found_at_once_though_no_worker_runs(house: House):
    house.enrolled("I-1")
    house.enrolled("I-2")
    head = house.client.get("/v1/feed").json()["next"]
    send(house, measured(house))

    found = house.client.get("/v1/courses", params={"changed_since": head}).json()["courses"]
    assert [one["course"] for one in found] == ["I-1"]


# --- streams ------------------------------------------------------------------------------------


def test_a_stream_gives_what_was_said_after_a_position(short: House):
    short.enrolled("I-1")
    short.enrolled("I-2")

    answer = short.client.get("/v1/feed/stream", params={"after": 1})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    [one] = said(answer.text)
    assert (one["id"], one["event"]) == ("2", "course.changed")
    assert json.loads(one["data"])["course"] == "I-2"
    assert answer.text.startswith("retry: ")


def test_who_comes_back_goes_on_after_the_last_that_came(short: House):
    for number in range(1, 4):
        short.enrolled(f"I-{number}")

    answer = short.client.get(
        "/v1/feed/stream", params={"after": 0}, headers={"Last-Event-ID": "2"}
    )
    assert [one["id"] for one in said(answer.text)] == ["3"]


def test_a_stream_without_a_position_begins_with_the_present(short: House):
    short.enrolled("I-1")

    assert said(short.client.get("/v1/feed/stream").text) == []


def test_a_quiet_stream_says_that_it_is_alive_and_where_it_is(
    short: House, monkeypatch: pytest.MonkeyPatch
):
    short.enrolled("I-1")
    short.office.streams.quiet = 2
    seeing(short, monkeypatch, "elsewhere")

    text = short.client.get("/v1/feed/stream", params={"after": 0}).text
    assert ": alive\nid: 1\n\n" in text


@pytest.mark.parametrize("position", ["x", "-1", "1.5", "9" * 30, "²"])
def test_a_position_that_is_none_is_told_so(short: House, position: str):
    answer = short.client.get(
        "/v1/feed/stream", headers={"Last-Event-ID": position.encode("latin-1")}
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Last-Event-ID"


def test_more_streams_than_there_may_be_are_put_off(short: House):
    short.office.streams.most = 0
    answer = short.client.get("/v1/feed/stream")

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "10"
    assert answer.json()["type"] == "/v1/problems/too-many-requests"


@dataclass
class Served:
    house: House
    url: str


@pytest.fixture
def served(house: House) -> Iterator[Served]:
    """The service behind a server, as screens see it."""
    house.office.streams.seconds = 0.05
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(house.app, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield Served(house, f"http://127.0.0.1:{listening.getsockname()[1]}")
    server.should_exit = True
    thread.join(timeout=20)
    assert not thread.is_alive()


def eventually(house: House, running: int) -> bool:
    deadline = time.monotonic() + 20
    while house.office.streams.running != running and time.monotonic() < deadline:
        time.sleep(0.02)
    return house.office.streams.running == running


def test_a_screen_sees_what_is_said_while_it_looks_and_leaves_nothing_behind(served: Served):
    with httpx2.Client(base_url=served.url, timeout=20, trust_env=False) as client:
        with client.stream("GET", "/v1/feed/stream") as answer:
            assert eventually(served.house, running=1)
            served.house.enrolled("I-1")
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    assert json.loads(line.removeprefix("data: "))["course"] == "I-1"
                    break

        assert eventually(served.house, running=0)


def test_a_service_that_ends_ends_its_streams(served: Served):
    with (
        httpx2.Client(base_url=served.url, timeout=20, trust_env=False) as client,
        client.stream("GET", "/v1/feed/stream") as answer,
    ):
        assert eventually(served.house, running=1)
        served.house.office.streams.ending = True
        assert answer.read().startswith(b"retry: ")


def test_many_screens_that_look_keep_no_request_waiting(served: Served):
    with httpx2.Client(base_url=served.url, timeout=20, trust_env=False) as client:
        looking = [
            client.build_request("GET", "/v1/feed/stream", params={"after": 0}) for _ in range(45)
        ]
        answers = [client.send(one, stream=True) for one in looking]
        assert eventually(served.house, running=45)

        before = time.monotonic()
        assert client.get("/v1/feed").status_code == 200
        assert time.monotonic() - before < 10
        for one in answers:
            one.close()
    assert eventually(served.house, running=0)

"""What stands around the routes: bounds, names, headers, lines, health."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from engine import logs
from engine.traffic import Traffic as Bounds
from engine.web.app import create_app
from engine.web.health import Readiness
from engine.web.limits import Rate, Rates
from engine.web.loopback import LoopbackGate
from engine.web.operation import Operation
from engine.web.pages import STYLE
from engine.web.problems import Problem
from engine.web.server import telling
from tests.web.conftest import House


def client_of(app: FastAPI, peer: str = "127.0.0.1") -> TestClient:
    return TestClient(app, client=(peer, 50000), raise_server_exceptions=False)


@pytest.fixture
def around(house: House) -> Callable[..., FastAPI]:
    """The house's application with bounds of the test's own."""

    def made(*, readiness: Readiness | None = None, **bounds: Any) -> FastAPI:
        operation = Operation(bounds=Bounds(**bounds), readiness=readiness, name=lambda: "made-up")
        return create_app(house.office, version="test", operation=operation)

    return made


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    logs.configure(form="json", level="info")
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


class Seconds:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_caller_has_a_burst_and_then_a_rate():
    clock = Seconds()
    rate = Rate(2, 4, clock=clock)

    assert [rate.take("a") for _ in range(4)] == [0, 0, 0, 0]
    assert rate.take("a") == 0.5
    assert rate.take("b") == 0
    clock.now += 0.5
    assert rate.take("a") == 0
    assert rate.take("a") == 0.5


def test_a_bucket_is_never_fuller_than_its_burst():
    clock = Seconds()
    rate = Rate(2, 4, clock=clock)
    rate.take("a")
    clock.now += 1_000

    assert [rate.take("a") > 0 for _ in range(5)] == [False] * 4 + [True]


def test_who_was_let_in_is_not_kept_out_by_strangers_of_the_same_address():
    rates = Rates(10, clock=Seconds())
    rates.known("Bearer good", ("clinic", "scheduler"))
    for _ in range(60):
        rates.unknown("10.0.0.1")

    with pytest.raises(Problem) as caught:
        rates.knock("Bearer guessed", "10.0.0.1")
    assert caught.value.name == "too-many-requests"
    rates.knock("Bearer good", "10.0.0.1")
    rates.knock("Bearer guessed", "10.0.0.2")


def test_too_many_requests_are_answered_with_when_to_come_again(house: House):
    office = replace(house.office, rates=Rates(1, clock=Seconds()))
    client = client_of(create_app(office, version="test"))
    answers = [client.get("/v1/workflows") for _ in range(3)]

    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[2].json()["type"] == "/v1/problems/too-many-requests"
    assert answers[2].headers["retry-after"] == "1"


def test_attempts_without_a_known_token_are_counted_by_address(house: House):
    client = client_of(house.app, "192.0.2.7")
    statuses = [client.get("/v1/courses").status_code for _ in range(61)]

    assert statuses == [401] * 60 + [429]


def test_no_more_requests_are_under_way_than_were_allowed(
    house: House, around: Callable[..., FastAPI]
):
    """One waits inside, the second is refused, and there is room again once the first has gone."""
    inside, go = threading.Event(), threading.Event()
    app = around(threads=1, requests=1)

    @app.get("/slow")
    def slow() -> str:
        inside.set()
        go.wait(30)
        return "done"

    with client_of(app) as client:
        first = threading.Thread(target=lambda: client.get("/slow"))
        first.start()
        assert inside.wait(30)
        refused = client.get("/v1/courses")
        alive = client.get("/health/live")
        go.set()
        first.join()

        assert refused.status_code == 503
        assert refused.json()["type"] == "/v1/problems/busy"
        assert refused.headers["retry-after"] == "1"
        assert alive.status_code == 200
        assert client.get("/v1/courses").status_code == 200


def test_a_request_that_takes_too_long_is_answered_so_and_finished(
    around: Callable[..., FastAPI],
):
    done = threading.Event()
    app = around(patience=1)

    @app.get("/slow")
    def slow() -> str:
        time.sleep(1.5)
        done.set()
        return "done"

    answer = client_of(app).get("/slow")

    assert answer.status_code == 503
    assert answer.json()["type"] == "/v1/problems/too-slow"
    assert "send it again with the same id" in answer.json()["detail"]
    assert done.wait(10)


def test_what_breaks_is_told_by_kind_and_place_and_never_by_its_message(
    around: Callable[..., FastAPI], lines: Callable[[], list[dict[str, Any]]]
):
    app = around()

    @app.get("/broken/{course}")
    def broken(course: str) -> None:
        raise ValueError(f"platelets of {course}")

    answer = client_of(app).get("/broken/GAR-Z?patient=Smith")
    told = lines()

    assert answer.status_code == 500
    assert answer.json()["type"] == "/v1/problems/internal"
    assert "platelets" not in answer.text + json.dumps(told)
    assert [line["event"] for line in told] == ["request_failed", "request_answered"]
    assert told[0]["error"] == "ValueError"
    assert "test_operation.py:" in told[0]["why"]


def test_a_line_has_the_template_of_the_route_and_nobody_in_it(
    house: House, lines: Callable[[], list[dict[str, Any]]]
):
    house.client.get("/v1/courses/GAR-Z?patient=Smith", headers={"X-Request-Id": "abc-1"})
    house.client.get("/wp-admin/GAR-Z")
    house.client.request("BREW", "/v1/courses")
    found = [line for line in lines() if line["event"] == "request_answered"]

    assert [(one["method"], one["route"], one["status"]) for one in found] == [
        ("GET", "/v1/courses/{course}", 422),  # it has no such parameter
        ("GET", "unknown", 404),
        ("unknown", "/v1/courses", 405),
    ]
    assert found[0]["request"] == "abc-1"
    assert "GAR-Z" not in json.dumps(found)
    assert "Smith" not in json.dumps(found)


@pytest.mark.parametrize(
    ("sent", "answered"),
    [("abc-1", "abc-1"), ("", "made-up"), ("a b", "made-up"), ("x" * 65, "made-up"),
     ('<script>', "made-up")],
)  # fmt: skip
def test_a_request_keeps_its_name_when_it_is_one(
    around: Callable[..., FastAPI], sent: str, answered: str
):
    answer = client_of(around()).get("/health/live", headers={"X-Request-Id": sent})

    assert answer.headers["x-request-id"] == answered


@pytest.mark.parametrize("path", ["/v1/courses", "/v1/courses/none", "/nowhere", "/docs"])
def test_every_answer_may_be_neither_kept_nor_framed_nor_guessed(house: House, path: str):
    headers = house.client.get(path).headers

    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_the_page_of_operations_lists_every_one_and_loads_nothing(house: House):
    page = house.client.get("/docs").text
    document = house.client.get("/v1/openapi.json").json()

    for path, methods in document["paths"].items():
        assert page.count(f"<code>{path}</code>") >= len(methods)
    assert STYLE in page
    for word in ("<script", "src=", "@import", "url(", "<link"):
        assert word not in page


@pytest.mark.parametrize(
    ("trusted", "peer", "said", "known"),
    [
        ("", "127.0.0.1", "203.0.113.9", True),
        ("127.0.0.1", "127.0.0.1", "203.0.113.9", False),
        ("203.0.113.0/24", "203.0.113.9", "127.0.0.1", True),
        ("203.0.113.0/24", "203.0.113.9", "127.0.0.1, 198.51.100.1", False),
        ("203.0.113.0/24", "203.0.113.9", "198.51.100.1, 127.0.0.1", True),
        ("203.0.113.0/24", "203.0.113.9", "127.0.0.1, nobody", False),
        ("203.0.113.0/24", "198.51.100.1", "127.0.0.1", False),
    ],
)  # fmt: skip
def test_a_proxy_speaks_for_another_only_where_it_is_trusted(
    around: Callable[..., FastAPI], trusted: str, peer: str, said: str, *, known: bool
):
    """The gate of this house lets in whoever is at this machine."""
    bounds = Bounds.from_environment({"REGIMEN_PROXY": trusted})
    client = client_of(around(proxy=bounds.proxy), peer)

    found = client.get("/v1/courses", headers={"X-Forwarded-For": said}).status_code
    assert found == (200 if known else 401)


def test_a_page_of_another_origin_reads_nothing_unless_it_may(around: Callable[..., FastAPI]):
    origin = {"Origin": "https://screens.example"}

    without = client_of(around()).get("/v1/courses", headers=origin)
    assert "access-control-allow-origin" not in without.headers
    allowed = client_of(around(origins=("https://screens.example",)))
    assert allowed.get("/v1/courses", headers=origin).headers["access-control-allow-origin"]
    other = allowed.get("/v1/courses", headers={"Origin": "https://other.example"})
    assert "access-control-allow-origin" not in other.headers


def test_a_process_is_ready_only_when_all_that_it_needs_is_there(around: Callable[..., FastAPI]):
    needs = {"database": True, "guards": False}
    readiness = Readiness(lambda: needs)
    client = client_of(around(readiness=readiness))
    first = client.get("/health/ready")
    readiness.leaving = True
    second = client.get("/health/ready")
    readiness.close()

    assert first.status_code == second.status_code == 503
    assert first.json() == {
        "status": "not",
        "checks": {"accepting": "ok", "database": "ok", "guards": "not"},
    }
    assert second.json()["checks"]["accepting"] == "not"


def test_whoever_asks_often_does_not_ask_the_database_often():
    asked: list[None] = []
    readiness = Readiness(lambda: asked.append(None) or {"database": True})

    async def often() -> None:
        for _ in range(50):
            await readiness.now()

    asyncio.run(often())
    readiness.close()

    assert len(asked) == 1


def test_a_database_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.web.health.PATIENCE", 0.1)
    go = threading.Event()
    readiness = Readiness(lambda: {"database": go.wait(30)})

    assert asyncio.run(readiness.now()) == {"database": False, "accepting": True}
    go.set()
    readiness.close()


def test_the_threads_are_as_many_as_the_connections(around: Callable[..., FastAPI]):
    running, most = 0, 0
    changing = threading.Lock()
    app = around(threads=2)

    @app.get("/slow")
    def slow() -> None:
        nonlocal running, most
        with changing:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with changing:
            running -= 1

    with client_of(app) as client:
        threads = [threading.Thread(target=client.get, args=("/slow",)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert most == 2


def test_a_line_of_the_server_is_one_of_ours(lines: Callable[[], list[dict[str, Any]]]):
    with telling():
        logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
        logging.getLogger("asyncio").error("Task failed\nplatelets 29")

    assert [one["why"] for one in lines()] == ["Invalid HTTP request received.", "Task failed"]


def test_the_gate_of_the_demonstration_knows_nobody_who_comes_over_a_network():
    with pytest.raises(Problem):
        LoopbackGate("clinic").identify(None, peer="192.0.2.1")

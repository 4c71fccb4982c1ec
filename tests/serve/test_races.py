"""Clients meet at two services of one database: one request is granted, and no report is lost."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import httpx2
import pytest

from engine import bootstrap
from engine.settings import Settings
from tests.postgres import Server, fresh_database
from tests.serve.process import run, start

ROUNDS = 30
numbers = itertools.count(1)
TOKEN = ("--name", "backend", "--role", "service", "--actor-role", "metrologist")


@dataclass(frozen=True)
class Sending:
    """An event that is sent to one of the services."""

    to: int
    where: str
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


class Pair:
    """Two services of one database, and clients of both that send at the same moment."""

    def __init__(self, url: str, services: Sequence[str], token: str) -> None:
        self.url = url
        bearer = {"Authorization": f"Bearer {token}"}
        # A connection of its own for each who sends: none waits for another's answer.
        self._clients = [
            [httpx2.Client(base_url=one, headers=bearer, timeout=60) for _ in range(5)]
            for one in services
        ]
        self._pool = ThreadPoolExecutor(8)

    def at_once(self, *sendings: Sending) -> list[httpx2.Response]:
        start = Barrier(len(sendings), timeout=60)

        def send(n: int, sending: Sending) -> httpx2.Response:
            start.wait()
            return self._post(self._clients[sending.to][n], sending)

        return list(self._pool.map(send, range(len(sendings)), sendings))

    def send(self, sending: Sending) -> dict[str, Any]:
        """Alone. It must be taken."""
        return taken(self._post(self._clients[sending.to][0], sending))

    def get(self, path: str, *, at: int = 0) -> dict[str, Any]:
        reply = self._clients[at][0].get(path)
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found

    def records(self, course: str, *, at: int = 0) -> list[dict[str, Any]]:
        shown = self.get(f"/v1/courses/{course}/records?limit=500", at=at)
        return list(shown["records"])

    def close(self) -> None:
        self._pool.shutdown()
        for client in (*self._clients[0], *self._clients[1]):
            client.close()

    def _post(self, client: httpx2.Client, sending: Sending) -> httpx2.Response:
        return client.post(sending.where, json=sending.body, headers=sending.headers)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with the tables."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("races") / "courses.db"
        bootstrap.migrate(Settings(database_url=f"sqlite:///{path}"))
        yield f"sqlite:///{path}"
        return
    server: Server = request.getfixturevalue("postgres_server")
    with fresh_database(server) as url:
        bootstrap.migrate(Settings(database_url=url))
        yield url


@pytest.fixture(scope="module")
def pair(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two services of it, each a process, with clients that hold a token."""
    token = json.loads(run("token", "create", *TOKEN, "--json", url=url))["text"]
    folder = tmp_path_factory.mktemp("services")
    services = [start("--port", "0", "--no-worker", url=url, folder=folder) for _ in range(2)]
    try:
        pair = Pair(url, [one.up().url for one in services], token)
        yield pair
        pair.close()
    finally:
        for one in services:
            one.close()


@pytest.fixture
def course(pair: Pair) -> str:
    """A course on the bench, once measured."""
    name = f"I-{next(numbers)}"
    pair.send(enrolment(name, patient=f"of-{name}"))
    pair.send(report(name, "measured", to=1))
    return name


def event(name: str, key: str, **more: Any) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat()
    actor = {"id": "m", "role": "metrologist"}
    return {"format": 1, "id": key, "event": name, "at": at, "actor": actor, **more}


def enrolment(course: str, *, patient: str, to: int = 0) -> Sending:
    about = {"workflow": "instrument_calibration", "site": "north", "zone": "Europe/Vienna"}
    body = event("course.enrolled", f"begin-{course}", course=course, patient=patient, **about)
    return Sending(to, "/v1/courses", body)


def report(course: str, key: str, *, to: int, deviation: int = 3) -> Sending:
    data = {
        "deviation": {"value": f"{deviation}", "unit": "um"},
        "room_temperature": {"value": "20", "unit": "Cel"},
    }
    return Sending(to, of(course), event("measurement_recorded", key, data=data))


def requests(course: str, n: int, revision: int) -> list[Sending]:
    """Three requests that were made on one revision, the first of them sent to both services."""
    expected = {"If-Match": f'"{revision}"'}
    one, second, third = (event("release_instrument", f"{name}-{n}") for name in "abc")
    return [
        Sending(to, of(course), body, {**expected, "Idempotency-Key": body["id"]})
        for to, body in ((0, one), (1, one), (1, second), (0, third))
    ]


def of(course: str) -> str:
    return f"/v1/courses/{course}/events"


@pytest.mark.parametrize("reporting", [False, True], ids=["alone", "with-a-report"])
def test_of_requests_on_one_revision_one_is_granted_and_a_report_is_always_taken(
    pair: Pair, course: str, reporting: bool
):
    for n in range(ROUNDS):
        before = pair.get(f"/v1/courses/{course}", at=n % 2)
        asked = requests(course, n, before["revision"])
        reported = [report(course, f"r-{n}", to=n % 2)] if reporting else []

        replies = pair.at_once(*asked, *reported)

        new = [one["record"]["event"]["id"] for one in pair.records(course)[before["seq"] :]]
        # A report that is first makes every request stale; else the first request is granted.
        won = {new[0]} - {one.body["id"] for one in reported}
        assert len(new) == len(won) + len(reported)
        for sent, reply in zip(asked, replies, strict=False):
            if sent.body["id"] in won:
                assert taken(reply)["verdict"] == "accepted"
            else:
                assert (reply.status_code, reply.json()["expected"]) == (412, before["revision"])
        for reply in replies[len(asked) :]:
            assert taken(reply)["verdict"] == "accepted"
        if won == {f"a-{n}"}:
            assert_one_answer(*replies[:2])
        if won:
            pair.send(Sending(n % 2, of(course), event("returned_to_bench", f"back-{n}")))

    assert_whole(pair, course)


def test_a_report_that_is_sent_to_both_at_once_is_one_record_and_one_answer(
    pair: Pair, course: str
):
    for n in range(ROUNDS):
        body = report(course, f"r-{n}", to=0).body

        replies = pair.at_once(*(Sending(to, of(course), body) for to in (0, 1)))

        assert_one_answer(*replies)

    assert len(pair.records(course)) == 2 + ROUNDS
    assert_whole(pair, course)


def test_of_two_bodies_with_one_key_the_first_is_recorded_and_the_other_told(
    pair: Pair, course: str
):
    for n in range(ROUNDS):
        replies = pair.at_once(*(report(course, f"r-{n}", to=to, deviation=to) for to in (0, 1)))

        (lost,) = (reply for reply in replies if not reply.is_success)
        assert lost.status_code == 422
        assert lost.json()["type"] == "/v1/problems/idempotency-conflict"
        stored = pair.records(course)[-1]["record"]["event"]["data"]["deviation"]["value"]
        assert stored == f"{1 - replies.index(lost)}"

    assert len(pair.records(course)) == 2 + ROUNDS
    assert_whole(pair, course)


def test_a_patient_who_is_enrolled_at_both_at_once_has_one_course(pair: Pair):
    for n in range(ROUNDS):
        names = [f"{name}-{n}" for name in "ab"]

        replies = pair.at_once(
            *(enrolment(name, patient=f"P-{n}", to=to) for to, name in enumerate(names))
        )

        (lost,) = (reply for reply in replies if not reply.is_success)
        assert (lost.status_code, lost.json()["retriable"]) == (409, False)
        won = names[1 - replies.index(lost)]
        listed = pair.get("/v1/courses?limit=500")["courses"]
        assert [one["course"] for one in listed if one["patient"] == f"P-{n}"] == [won]
    assert_whole(pair, won)


def test_of_two_who_sign_a_record_off_at_once_one_does_and_the_other_is_told(pair: Pair):
    """Each saw by which record it was last signed off, and both would leave it to a third."""
    course = f"I-{next(numbers)}"
    pair.send(enrolment(course, patient=f"of-{course}"))
    asked = Sending(0, of(course), event("release_instrument", "too-soon"), {"If-Match": "*"})
    (refused,) = pair.at_once(asked)
    record = refused.json()["seq"]
    seen = None
    for n in range(ROUNDS):
        replies = pair.at_once(*(signing_off(course, record, f"{n}", seen, to=to) for to in (0, 1)))

        (won,) = (reply for reply in replies if reply.is_success)
        (lost,) = (reply for reply in replies if not reply.is_success)
        assert (lost.status_code, lost.json()["retriable"]) == (409, False)
        seen = won.json()["seq"]
        assert f"last signed off by record {seen}" in lost.json()["detail"]

    assert len(pair.records(course)) == record + ROUNDS
    assert_whole(pair, course)


def test_a_sign_off_that_is_sent_to_both_at_once_is_one_record_and_one_answer(pair: Pair):
    course = f"I-{next(numbers)}"
    pair.send(enrolment(course, patient=f"of-{course}"))
    asked = Sending(0, of(course), event("release_instrument", "too-soon"), {"If-Match": "*"})
    (refused,) = pair.at_once(asked)
    record, seen = refused.json()["seq"], None
    for n in range(ROUNDS):
        body = signing_off(course, record, f"{n}", seen, to=0).body

        where = f"/v1/courses/{course}/reviews"
        replies = pair.at_once(*(Sending(to, where, body) for to in (0, 1)))

        assert_one_answer(*replies)
        seen = replies[0].json()["seq"]

    assert len(pair.records(course)) == record + ROUNDS


def signing_off(course: str, record: int, key: str, seen: int | None, *, to: int) -> Sending:
    """A sign-off that leaves the record in its queue, by somebody who did not look before."""
    said = {"record": record, "outcome": "escalated", "reviewed_by": seen}
    actor = {"id": f"m-{key}-{to}", "role": "metrologist"}
    body = {"id": f"s-{key}-{to}", "actor": actor, **said}
    return Sending(to, f"/v1/courses/{course}/reviews", body)


def assert_one_answer(*replies: httpx2.Response) -> None:
    assert {reply.status_code for reply in replies} == {201}
    assert len({reply.content for reply in replies}) == 1
    replayed = [reply.headers.get("Idempotency-Replayed") for reply in replies]
    assert sorted(map(str, replayed)) == ["None", "true"]


def assert_whole(pair: Pair, course: str) -> None:
    """Both services show the same log, without a gap or a double, and it proves itself."""
    shown = pair.records(course)
    assert shown == pair.records(course, at=1)
    assert [one["seq"] for one in shown] == list(range(1, len(shown) + 1))
    ids = [one["record"]["event"]["id"] for one in shown]
    assert len(set(ids)) == len(ids)
    run("verify", url=pair.url)
    run("replay", url=pair.url)


def taken(reply: httpx2.Response) -> dict[str, Any]:
    assert reply.status_code == 201, reply.text
    found: dict[str, Any] = reply.json()
    return found

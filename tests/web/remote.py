"""The bench of the service's own tests, at which everything is sent and asked over HTTP.

What comes back is put into the words of the library again, so that a test cannot tell the two
apart: answers, records and the engine's errors.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from starlette.testclient import TestClient

from engine.answer import Answer
from engine.client import CourseLine, problems
from engine.client.documents import Record as Shown
from engine.core.encoding import canonical, instant_from
from engine.core.record import Record, hash_of
from engine.core.wire import IDENTIFIER, instant_or_gap
from engine.errors import (
    Conflict,
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    RegimenError,
    UnknownEvent,
    UnknownWorkflow,
)
from engine.service import Service
from engine.submission import Setting
from tests.service.bench import Bench
from tests.web.conftest import House

T = TypeVar("T")


@dataclass
class RemoteBench(Bench):
    """A bench whose service is asked over HTTP. Time, timers and the auditor are the library's."""

    def __post_init__(self) -> None:
        super().__post_init__()
        house = House(self.store, self.tenant, offered=())
        house.service, house.clock = self.service, self.clock
        self.service = cast("Service", Remote(house, self.service))

    def row(self, course: str) -> dict[str, Any]:
        """The course's document, which has the members of its row."""
        return cast("Remote", self.service).document(course)


class Remote:
    """A service on the other side of HTTP, with the methods of the library's."""

    def __init__(self, house: House, library: Service) -> None:
        self._http: TestClient = house.client
        self._client = house.caller()
        self._library = library
        self._last = "nowhere"

    @property
    def setting(self) -> Setting:
        return self._library.setting

    def tick(self, *, limit: int = 100) -> int:
        """What a worker does beside the service; nobody asks for it over HTTP."""
        return self._library.tick(limit=limit)

    def submit(self, body: Any) -> Answer:
        """Send an event as a client does: its id is the key too, and what it expects is If-Match.

        A request that expects nothing says so, by `*`. Where the body names no course that a path
        could have, it goes to the course that was sent to last.
        """
        event = body if isinstance(body, dict) else {}
        self._last = event["course"] if _is_name(event.get("course")) else self._last
        begins = event.get("event") in ("course.enrolled", "course.adopted")
        where = "/v1/courses" if begins else f"/v1/courses/{self._last}/events"
        headers = {"Content-Type": "application/json", "If-Match": "*"}
        if _is_name(event.get("id")):
            headers["Idempotency-Key"] = event["id"]
        if "expected_revision" in event:
            headers["If-Match"] = f'"{event["expected_revision"]}"'
        while True:
            reply = self._http.post(where, content=json.dumps(body), headers=headers)
            found = reply.json()
            if reply.status_code == 201:
                return _answer(found, reply.headers)
            problem = problems.problem(found, status=reply.status_code, wait=None)
            if isinstance(problem, problems.Refused):
                return self._refused(problem, reply.headers)
            if not isinstance(problem, problems.StillRunning):
                raise _error(problem, event)
            time.sleep(0.01)

    def submit_many(self, bodies: Iterable[object]) -> list[Answer | RegimenError]:
        """One after another, since HTTP has no batch: the answers are those of one."""
        return [_caught(self.submit, body) for body in bodies]

    def records(self, course: str, after: int = 0) -> list[Record]:
        """Through the pages of the log; each must have the hash that its JSON has."""
        shown = _raising(lambda: list(self._client.records(course, page=3)))
        return [_record(one) for one in shown if one.seq > after]

    def courses(self) -> Iterator[CourseLine]:
        return self._client.search(page=2)

    def document(self, course: str) -> dict[str, Any]:
        """A course as it is shown."""
        reply = self._http.get(f"/v1/courses/{course}")
        assert reply.status_code == 200, reply.text
        document: dict[str, Any] = reply.json()
        return document

    def _refused(self, refused: problems.Refused, headers: Any) -> Answer:
        """A refusal is a problem document, and a record, which has the rest."""
        shown = self._client.record(refused.course, refused.seq or 0)
        record = shown.record
        assert refused.name in (record["decision"]["reason"], "on-hold")
        assert list(refused.attempts) == record["decision"].get("attempts", [])
        event = record["event"]
        told = {"course": refused.course, "event": event["event"], "id": event["id"]}
        before, after = record["state"]
        states = {"state_before": before, "state": after, "digest": record["workflow"]}
        rest = {"seq": shown.seq, "verdict": record["verdict"], "decision": record["decision"]}
        return _answer(told | states | rest, headers)


def _answer(found: dict[str, Any], headers: Any) -> Answer:
    found = dict(found)
    return Answer(
        event_id=found.pop("id"),
        revision=int(headers["ETag"].strip('"')),
        repeated=headers.get("Idempotency-Replayed") == "true",
        **found,
    )


def _record(shown: Shown) -> Record:
    body = canonical(shown.record)
    assert hash_of(body) == shown.hash
    record, event = shown.record, shown.record["event"]
    return Record(
        course=record["course"],
        seq=shown.seq,
        event_id=event["id"],
        event=event["event"],
        verdict=record["verdict"],
        at=instant_or_gap(event["at"], "at"),
        recorded_at=instant_from(record["recorded_at"]),
        prev_hash=record["prev"],
        hash=shown.hash,
        body=body,
    )


def _error(problem: problems.Problem, event: dict[str, Any]) -> RegimenError:
    """The engine's error that a problem document was made of."""
    course = str(problem.members.get("course", ""))
    match problem:
        case problems.UnknownEvent():
            known = problem.errors[0].expected.removeprefix("one of ").split(", ")
            return UnknownEvent(event["event"], known)
        case problems.UnknownWorkflow():
            known = problem.errors[0].expected.partition("(")[2].rstrip(")").split(", ")
            return UnknownWorkflow(event["workflow"], [one for one in known if one[:5] != "none "])
        case problems.Invalid():
            wrong = problem.errors[0]
            return InvalidInput(wrong.field, wrong.expected, found=wrong.found)
        case problems.Malformed():
            return InvalidInput("body", problem.detail)
        case problems.NotFound():
            return NotFound(course)
        case problems.RoleNotHeld():
            permitted = problem.members["permitted"]
            return NotPermitted(event["event"], event["actor"]["role"], permitted)
        case problems.IdempotencyConflict():
            return IdempotencyConflict(course, problem.members["id"])
        case problems.StaleRevision():
            why = problem.detail.removeprefix(f"course {course!r}: ")
            return Conflict(
                course,
                expected=problem.expected,
                actual=problem.actual,
                why=why[:1].lower() + why[1:],
                timers=problem.members.get("timers", 0),
            )
        case problems.Conflict():
            why = problem.detail.removeprefix(f"course {course!r}: ")
            return Conflict(course, why=why, retriable=problem.retriable)
    raise AssertionError(problem.members)


def _raising(ask: Callable[[], T]) -> T:
    """What is asked for, or the engine's error."""
    try:
        return ask()
    except problems.Problem as problem:
        raise _error(problem, {}) from None


def _caught(send: Callable[[object], Answer], body: object) -> Answer | RegimenError:
    try:
        return send(body)
    except RegimenError as wrong:
        return wrong


def _is_name(found: object) -> bool:
    return isinstance(found, str) and IDENTIFIER.fullmatch(found) is not None

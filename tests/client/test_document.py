"""The client against the OpenAPI document: every operation, and every member that it reads."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from engine import client
from engine.client import (
    Actor,
    Client,
    ClientError,
    Enrolment,
    Problem,
    access,
    documents,
    lists,
    messages,
    review,
    what_if,
)
from engine.client.methods import Methods
from engine.client.reading import HEADER
from engine.web.problems import CATALOGUE
from tests.client.answers import REPORT
from tests.client.conftest import Far

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
SCHEMAS = DOCUMENT["components"]["schemas"]
AT = datetime(2026, 3, 2, 16, tzinfo=UTC)
DAY = date(2026, 3, 2)
BEGINNING = Enrolment(
    workflow="w", patient="p", site="north", zone="UTC", at=AT, actor=Actor("a", "nurse")
)

WAITING = client.ReviewItem(
    queue="deviation", course="C-1", site="north", record=2, event="e", verdict="deviation", at=AT,
    recorded_at=AT, actor=Actor("n", "nurse"), reason=None, refused_because=None, guards=(),
    outcome=None, reviewed_by=None, reviewers=(),
)  # fmt: skip

EXAMPLES: dict[str, dict[str, Any]] = {
    "workflows": {},
    "workflow": {"workflow": "w@1"},
    "schema": {"workflow": "w", "event": "e"},
    "enroll": {"course": "C-1", "enrolment": BEGINNING},
    "submit": {"course": "C-1", "event": REPORT, "revision": 3},
    "dry_run": {"course": "C-1", "event": REPORT},
    "course": {"course": "C-1"},
    "options": {"course": "C-1", "at": AT},
    "records": {"course": "C-1", "page": 5, "cursor": "1:2"},
    "record": {"course": "C-1", "seq": 2},
    "readings": {"course": "C-1", "happened_by": AT, "recorded_by": AT, "input": "creatinine"},
    "playback": {"course": "C-1", "step": 2, "at": AT, "sense": "believed"},
    "search": {
        "site": "s", "workflow": "w", "state": "s", "stage": "s", "waits": "hold", "open": True,
        "day": DAY, "changed_since": 7, "after": "C-0", "page": 5,
    },
    "reviews": {"site": "north", "workflow": "w"},
    "review": {
        "queue": "deviation", "site": ("north", "south"), "workflow": "w", "page": 5, "cursor": "c",
    },
    "sign_off": {
        "item": WAITING, "outcome": "acted-on", "actor": Actor("a", "auditor"), "comment": "Read.",
    },
    "what_if": {
        "courses": ["C-1"], "parameters": {"limit": "50"}, "definition": "w@2", "policy": "stop",
    },
    "worklists": {"site": "north", "workflow": "w", "day": DAY, "as_of": DAY, "soon_days": 3},
    "worklist": {
        "kind": "due_now", "site": ("north", "south"), "workflow": "w", "day": DAY, "as_of": DAY,
        "soon_days": 3, "page": 5, "cursor": "c",
    },
    "visits": {
        "site": "north", "workflow": "w", "day": DAY, "as_of": DAY, "soon_days": 3, "page": 5,
        "cursor": "c",
    },
    "visits_of": {"course": "C-1", "as_of": DAY},
    "holds": {"site": "north", "workflow": "w", "as_of": DAY, "page": 5, "cursor": "c"},
    "site": {"site": "north"},
    "set_calendar": {"site": "north", "calendar": {"format": 1}},
    "feed": {"after": 4, "page": 5},
    "endpoints": {},
    "add_endpoint": {"url": "https://scheduling.example/hooks", "kinds": ["course.changed"]},
    "ping_endpoint": {"endpoint": "ep_1"},
    "remove_endpoint": {"endpoint": "ep_1"},
    "caller": {},
    "tokens": {"page": 5, "cursor": "c"},
    "create_token": {
        "name": "his", "roles": ["service"], "actor_roles": ["nurse"], "sites": ["north"],
        "expires_days": 30,
    },
    "revoke_token": {"token": "t-1"},
    "access_log": {"since": AT, "page": 5, "cursor": "c"},
}  # fmt: skip
"""Each method with everything that it takes."""

LEFT_OUT = {
    "GET /v1/problems": "each problem is a class here, with what it means",
    "GET /v1/problems/{name}": "likewise",
    "GET /v1/feed/stream": "for screens: a backend reads the feed",
    "GET /v1/endpoints/{endpoint}": "the list has each",
    "POST /v1/endpoints/{endpoint}/disable": "an operator's: `regimen endpoint disable`",
    "POST /v1/endpoints/{endpoint}/enable": "an operator's: `regimen endpoint enable`",
    "POST /v1/endpoints/{endpoint}/rotate": "an operator's: `regimen endpoint rotate`",
    "GET /v1/endpoints/{endpoint}/deliveries": "an operator's, who looks for what is amiss",
    "GET /v1/dead-letters": "an operator's: `regimen dead-letters`",
    "POST /v1/dead-letters/replay": "likewise",
    "POST /v1/dead-letters/{letter}/replay": "likewise",
    "POST /v1/courses/{course}/signatures": "a person's, who proves anew who they are on a page",
    "POST /v1/courses/{course}/erasures": "a person's, who keeps the records: `regimen erase`",
    "POST /v1/courses/{course}/legal-holds": "likewise: `regimen legal-hold`",
    "POST /v1/courses/{course}/legal-holds/{hold}/release": "likewise",
    "GET /v1/courses/{course}/custody": "likewise: `regimen erasure-check`",
}
"""What has no method, and why."""

LEFT_OUT_BELOW = {
    "/v1/calendar-feeds": "whoever shares a calendar does so on a page of theirs, or by hand",
    "/v1/calendars": "read by calendar programs",
    "/v1/fhir": "FHIR has its own clients",
}
"""Whole branches that have none, and why."""

SHAPES: dict[type, str] = {
    client.WorkflowLine: "WorkflowLine",
    client.State: "StateLine",
    client.EventLine: "EventLine",
    client.Workflow: "WorkflowDocument",
    client.Window: "WindowDocument",
    client.Booking: "BookingDocument",
    client.Question: "QuestionDocument",
    client.Timer: "TimerDocument",
    client.CourseLine: "CourseLine",
    client.Course: "CourseDocument",
    client.Option: "OptionDocument",
    client.Options: "OptionList",
    client.AskedSignature: "AskedSignature",
    client.SecondSigner: "SecondSigner",
    client.Missing: "MissingDocument",
    client.Answer: "AnswerDocument",
    client.Trial: "DryRunDocument",
    client.Record: "RecordDocument",
    client.Signature: "SignatureDocument",
    client.OpenFinding: "FindingDocument",
    client.UnsignedRecord: "UnsignedDocument",
    client.Owed: "OwedDocument",
    client.Reading: "ReadingDocument",
    client.Readings: "ReadingList",
    client.Step: "StepDocument",
    client.Caller: "CallerDocument",
    client.Token: "TokenDocument",
    client.IssuedToken: "IssuedToken",
    client.AccessEntry: "AccessEntry",
    client.DueWindow: "DueWindow",
    client.Visit: "VisitDocument",
    client.Against: "AgainstDocument",
    client.Proposal: "ProposalDocument",
    client.Booked: "BookedDocument",
    client.JudgedBooking: "JudgedBooking",
    client.LackingInput: "LackingInput",
    client.Lacking: "LackingDocument",
    client.Item: "ItemDocument",
    client.Worklist: "WorklistLine",
    client.ReviewItem: "ReviewItem",
    client.ReviewQueue: "QueueLine",
    client.Difference: "Difference",
    client.GuardTurn: "GuardTurn",
    client.GuardTurns: "GuardTurns",
    client.LackCount: "LackCount",
    client.NotJudged: "NotJudged",
    client.ParameterChange: "ParameterChange",
    client.SupposedCourse: "SupposedCourse",
    client.SupposedOutcome: "SupposedOutcome",
    client.SupposedWait: "SupposedWait",
    client.TurnCount: "TurnCount",
    client.UnjudgedRecord: "UnjudgedRecord",
    client.UnreadableCourse: "UnreadableCourse",
    client.WhatIf: "WhatIfAnswer",
    client.Arranged: "ArrangedDocument",
    client.CourseVisits: "CourseVisitsDocument",
    client.Site: "SiteDocument",
    client.Entry: "EntryDocument",
    client.FeedPage: "FeedPage",
    client.Endpoint: "EndpointDocument",
    client.EndpointLine: "EndpointLine",
    client.EndpointSecret: "EndpointSecret",
    client.Ping: "PingDocument",
}
"""What each class is in the document."""


def _operations() -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {template}": operation
        for template, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
    }


def _template(request: httpx2.Request) -> str:
    """The operation that a request is; one without names in its path before one with."""
    parts = request.url.path.split("/")
    for operation in sorted(_operations(), key=lambda name: name.count("{")):
        method, template = operation.split(" ")
        named = template.split("/")
        if method == request.method and len(named) == len(parts) and all(
            known == part or known.startswith("{") for known, part in zip(named, parts, strict=True)
        ):  # fmt: skip
            return operation
    raise AssertionError(f"no operation: {request.method} {request.url.path}")


def _sent(far: Far, client: Client, name: str) -> httpx2.Request:
    far.answers = [httpx2.Response(404)]
    with pytest.raises(ClientError):
        _first(getattr(client, name)(**EXAMPLES[name]))
    return far.requests[-1]


def _first(answer: Any) -> Any:
    """What a method gave, or the first of what it goes through."""
    return next(answer) if isinstance(answer, Iterator) else answer


def test_every_method_has_its_example_here():
    named = {name for name in vars(Methods) if not name.startswith("_")}

    assert named == set(EXAMPLES)


def test_every_operation_has_a_method_or_a_reason_why_it_has_none(
    far: Far, client_of: Callable[..., Client]
):
    client = client_of(None)
    asked = {_template(_sent(far, client, name)) for name in EXAMPLES}

    rest = {
        name for name in _operations() if not name.split(" ")[1].startswith(tuple(LEFT_OUT_BELOW))
    }
    assert asked | set(LEFT_OUT) == rest
    assert not asked & set(LEFT_OUT)


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_a_method_sends_is_in_the_document(
    far: Far, client_of: Callable[..., Client], name: str
):
    request = _sent(far, client_of(None), name)
    operation = _operations()[_template(request)]
    known = {(one["in"], one["name"].lower()) for one in operation.get("parameters", ())}
    needed = {one["name"].lower() for one in operation.get("parameters", ()) if one.get("required")}
    own = {"accept", "accept-encoding", "authorization", "connection", "content-length",
           "content-type", "host", "user-agent"}  # fmt: skip

    query = set(request.url.params)
    assert {("query", one) for one in query} <= known
    assert {("header", one) for one in request.headers if one not in own} <= known
    assert needed <= query | {one for place, one in known if place == "path"}
    assert bool(request.content) == ("requestBody" in operation)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_every_member_that_is_read_is_in_the_document_and_of_that_kind(shape: type):
    schema = SCHEMAS[SHAPES[shape]]
    kinds = typing.get_type_hints(shape)
    for field in dataclasses.fields(shape):
        if HEADER in field.metadata:
            continue
        assert field.name in schema["properties"], f"{shape.__name__}.{field.name}"
        needed = types.NoneType not in typing.get_args(kinds[field.name])
        assert field.name in schema["required"] or not needed, f"{shape.__name__}.{field.name}"
        told = schema["properties"][field.name]
        assert _kinds(told) == _read_as(kinds[field.name]), f"{shape.__name__}.{field.name}"


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_every_member_of_the_document_is_read(shape: type):
    properties = set(SCHEMAS[SHAPES[shape]]["properties"])

    assert properties == {
        field.name for field in dataclasses.fields(shape) if HEADER not in field.metadata
    }


def test_every_class_of_an_answer_is_compared():
    answers = {
        value
        for module in (access, documents, lists, messages, review, what_if)
        for value in vars(module).values()
        if dataclasses.is_dataclass(value) and value.__module__ == module.__name__
    }

    assert answers == set(SHAPES)


def test_every_problem_of_the_catalogue_is_a_class_of_its_name():
    assert set(Problem.known) == set(CATALOGUE)
    for name, kind in Problem.known.items():
        assert kind.__name__ == "".join(part.capitalize() for part in name.split("-"))
        assert getattr(client, kind.__name__) is kind


def _kinds(schema: dict[str, Any]) -> set[str]:
    """What a schema permits, in short."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return {name} if name in SHAPES.values() else _kinds(SCHEMAS[name])
    if "anyOf" in schema:
        return {kind for one in schema["anyOf"] for kind in _kinds(one)}
    if "enum" in schema:
        return {"string"}
    if schema["type"] == "array":
        return {"array", *(f"of {one}" for one in _kinds(schema["items"]))}
    return {schema["type"]}


def _read_as(kind: Any) -> set[str]:
    """What a reader of a member takes, in short."""
    if kind in SHAPES:
        return {SHAPES[kind]}
    if isinstance(kind, types.UnionType):
        return {one for part in typing.get_args(kind) for one in _read_as(part)}
    if typing.get_origin(kind) is tuple:
        return {"array", *(f"of {one}" for one in _read_as(typing.get_args(kind)[0]))}
    words = {str: "string", int: "integer", bool: "boolean", date: "string", datetime: "string"}
    return {words.get(kind, "null" if kind is types.NoneType else "object")}

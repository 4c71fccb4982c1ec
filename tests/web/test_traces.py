"""Spans: one for a request, one for its use case, and nothing clinical on either."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from starlette.testclient import TestClient

from engine.service import Service
from engine.web.app import create_app
from engine.web.operation import Operation
from engine.web.traces import Traces
from tests.web.conftest import House

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass
class Traced:
    """A house whose requests leave spans here."""

    house: House

    def __post_init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.traces = Traces(provider)
        service = Service(self.house.store, replace(self.house.service.setting, watch=self.traces))
        office = replace(self.house.office, services=lambda _: service)
        self.app: FastAPI = create_app(
            office, version="test", operation=Operation(around=self.traces.around)
        )
        self.client = TestClient(
            self.app, client=("127.0.0.1", 50000), raise_server_exceptions=False
        )
        self.house.client = self.client

    def spans(self) -> list[ReadableSpan]:
        found = list(self.exporter.get_finished_spans())
        self.exporter.clear()
        return found


@pytest.fixture
def traced(house: House) -> Iterator[Traced]:
    made = Traced(house)
    yield made
    made.traces.close()


def test_a_use_case_is_a_part_of_its_request(traced: Traced):
    traced.house.enrolled("I-1")
    use_case, request = traced.spans()

    assert (use_case.name, request.name) == ("submit", "POST /v1/courses")
    assert use_case.parent is not None
    assert use_case.parent.span_id == request.context.span_id
    assert dict(request.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/v1/courses",
        "http.response.status_code": 201,
    }


def test_a_request_goes_on_with_the_trace_of_its_caller(traced: Traced):
    traced.client.get("/v1/workflows", headers={"traceparent": PARENT})
    request = traced.spans()[-1]

    assert f"{request.context.trace_id:032x}" == PARENT.split("-")[1]
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == PARENT.split("-")[2]


def test_no_span_names_a_course_or_says_why_something_broke(traced: Traced):
    @traced.app.get("/broken/{course}")
    def broken(course: str) -> None:
        raise ValueError(f"platelets of {course}")

    traced.house.enrolled("I-7")
    traced.client.get("/v1/courses/I-7?patient=Smith")
    traced.client.get("/v1/courses/nobody-7")
    traced.client.get("/broken/I-7")
    spans = traced.spans()
    told = json.dumps([json.loads(span.to_json()) for span in spans])

    for word in ("I-7", "nobody-7", "Smith", "platelets"):
        assert word not in told
    assert spans[-1].status.status_code is StatusCode.ERROR
    assert spans[-1].name == "GET /broken/{course}"


def test_the_kind_of_an_error_is_on_the_span_of_its_use_case(traced: Traced):
    with suppress(KeyError), traced.traces.doing("status"):
        raise KeyError("GAR-Z")
    (span,) = traced.spans()

    assert dict(span.attributes or {}) == {"error.type": "KeyError"}
    assert span.status.status_code is StatusCode.ERROR
    assert not span.events
    assert "GAR-Z" not in span.to_json()

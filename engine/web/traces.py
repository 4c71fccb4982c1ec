"""Spans for OpenTelemetry: one for each request, and one for each use case in it.

A span has the template of the route, the status, and the kind of an error. It has no path, no
query, no course and no message: none of those would be harmless where spans are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.web.lines import method_of, route_of

SERVICE = "regimen"


def sending_to(url: str, version: str) -> TracerProvider:
    """A provider whose spans are sent to a collector by OTLP over HTTP, in the background."""
    resource = Resource({"service.name": SERVICE, "service.version": version})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))
    return provider


class Traces:
    """Makes the spans of one process. Close it when the process ends: it sends what is left."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("regimen")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def doing(self, use_case: str) -> Iterator[None]:
        """The span of a use case."""
        with self._tracer.start_as_current_span(
            use_case, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except Exception as wrong:
                # Its message may be clinical.
                span.set_attribute("error.type", type(wrong).__name__)
                span.set_status(Status(StatusCode.ERROR))
                raise

    def decided(self, verdict: str) -> None:
        """Nothing: decisions are counted, not traced."""

    def around(self, app: ASGIApp) -> ASGIApp:
        """An application whose requests have a span each."""

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            await self._request(app, scope, receive, send)

        return traced

    def close(self) -> None:
        """Send what is left, for as long as that takes within the library's bound."""
        self._provider.shutdown()

    async def _request(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method = method_of(scope)
        with self._tracer.start_as_current_span(
            method,
            context=self._propagator.extract(Headers(scope=scope)),
            kind=SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                await app(scope, receive, noting)
            finally:
                route = route_of(scope)
                span.update_name(f"{method} {route}")
                span.set_attribute("http.request.method", method)
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", status)
                if status >= 500:
                    span.set_status(Status(StatusCode.ERROR))

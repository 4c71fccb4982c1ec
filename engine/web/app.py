"""The application: routes under `/v1`, pages under `/`, and nothing that is open by default."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from fastapi import APIRouter, FastAPI

from engine.core.definition import Workflow
from engine.web.office import Office
from engine.web.openapi import document
from engine.web.operation import Operation, lifespan, operated
from engine.web.problems import Said, handle_problems
from engine.web.routes import (
    calendars,
    courses,
    custody,
    events,
    feed,
    problems,
    records,
    review,
    signatures,
    sites,
    tokens,
    visits,
    webhooks,
    what_if,
    workflows,
    worklists,
)

if find_spec("fhir") is None:  # comes with an extra
    _exchange: tuple[APIRouter, ...] = ()
    _dialects: Mapping[str, Said] = {}
else:
    from engine.web import spoken
    from engine.web.routes import arrivals, fhir

    _exchange = (fhir.router, arrivals.router)
    _dialects = {"/v1/fhir/": spoken.told}

if find_spec("jinja2") is None:  # likewise
    _screens: tuple[APIRouter, ...] = ()
else:
    from engine.web import screens

    _screens = screens.ROUTERS

ROUTERS: tuple[APIRouter, ...] = (
    workflows.router,
    courses.router,
    events.router,
    records.router,
    signatures.router,
    custody.router,
    visits.router,
    worklists.router,
    review.router,
    what_if.router,
    sites.router,
    feed.router,
    webhooks.router,
    tokens.router,
    calendars.router,
    *_exchange,
    problems.router,
)
"""Every resource, in the order of the document."""


def create_app(office: Office, *, version: str, operation: Operation | None = None) -> FastAPI:
    """The application of an office, for any ASGI server."""
    app = _application(version, office.workflows, operation or Operation())
    app.state.office = office
    return app


def described(workflows: tuple[Workflow, ...], *, version: str) -> dict[str, Any]:
    """The OpenAPI document of an application that offers these workflows."""
    return _application(version, workflows, Operation()).openapi()


def _application(version: str, workflows: tuple[Workflow, ...], operation: Operation) -> FastAPI:
    app = FastAPI(
        title="Regimen",
        version=version,
        summary="Courses of treatment whose every decision can be replayed.",
        openapi_url="/v1/openapi.json",
        docs_url=None,  # FastAPI's loads its programs from elsewhere: ours is in `pages`
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,  # bodies are read by us
        lifespan=lifespan(operation),
        # Paths, queries and messages of errors would go along: ours is in `traces`.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    handle_problems(app, _dialects)
    for router in ROUTERS:
        app.include_router(router, prefix="/v1")
    for router in _screens:
        app.include_router(router)
    operated(app, operation)
    app.openapi = lambda: document(app, workflows)  # type: ignore[method-assign]  # as FastAPI says
    return app

"""The application: routes under `/v1`, problem documents, and nothing that is open by default."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI

from engine.core.definition import Workflow
from engine.web.office import Office
from engine.web.openapi import document
from engine.web.problems import handle_problems
from engine.web.routes import courses, events, problems, records, tokens, workflows

ROUTERS: tuple[APIRouter, ...] = (
    workflows.router,
    courses.router,
    events.router,
    records.router,
    tokens.router,
    problems.router,
)
"""Every resource, in the order of the document."""


def create_app(office: Office, *, version: str) -> FastAPI:
    """The application of an office, for any ASGI server."""
    app = _application(version, office.workflows)
    app.state.office = office
    return app


def described(workflows: tuple[Workflow, ...], *, version: str) -> dict[str, Any]:
    """The OpenAPI document of an application that offers these workflows."""
    return _application(version, workflows).openapi()


def _application(version: str, workflows: tuple[Workflow, ...]) -> FastAPI:
    app = FastAPI(
        title="Regimen",
        version=version,
        summary="Courses of treatment whose every decision can be replayed.",
        openapi_url="/v1/openapi.json",
        docs_url="/docs",
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,  # bodies are read by us
    )
    handle_problems(app)
    for router in ROUTERS:
        app.include_router(router, prefix="/v1")
    app.openapi = lambda: document(app, workflows)  # type: ignore[method-assign]  # as FastAPI says
    return app

"""How FHIR is spoken over HTTP: resources, pages of them, and errors as an OperationOutcome."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from engine.core.encoding import Json
from engine.fhir import outcome
from engine.fhir.shape import SHAPES
from engine.fhir.term import MEDIA_TYPE, valid
from engine.web.callers import Desk
from engine.web.office import Exchange
from engine.web.problems import Problem


class FhirResponse(JSONResponse):
    """A resource."""

    media_type = MEDIA_TYPE


_OUTCOME = {"schema": {"type": "object", "title": "OperationOutcome"}}
_STATUSES = (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503)
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "object"}}}, "description": "A resource"},
    **{
        status: {"content": {MEDIA_TYPE: _OUTCOME}, "description": outcome.CODES.get(status, "")}
        for status in _STATUSES
    },
}
RECORDED = RESPONSES | {201: {**RESPONSES[200], "description": "It was recorded"}}


def shape(kind: str) -> dict[str, Any]:
    """What of a resource is read; it may have more elements."""
    content = {MEDIA_TYPE: {"schema": SHAPES[kind]}}
    return {"requestBody": {"required": True, "content": content}}


def told(problem: Problem) -> FhirResponse:
    """A problem as FHIR says it."""
    return FhirResponse(
        outcome.problem(problem.document()), problem.kind.status, headers=problem.headers
    )


def bundle(
    request: Request,
    resources: Iterable[Json],
    cursor: str | None,
    *,
    mode: str = "match",
) -> dict[str, Json]:
    """A page of what was searched, with a link to the next one."""
    asked = f"?{request.url.query}" if request.url.query else ""
    links = [{"relation": "self", "url": f"{request.url.path}{asked}"}]
    if cursor is not None:
        following = request.url.include_query_params(cursor=cursor)
        links.append({"relation": "next", "url": f"{following.path}?{following.query}"})
    return valid(
        {
            "resourceType": "Bundle",
            "type": "searchset",
            "link": links,
            "entry": [{"resource": one, "search": {"mode": mode}} for one in resources],
        }
    )


def exchange(desk: Desk) -> Exchange:
    """What FHIR rests on. Raises Problem where a service does not offer it."""
    if desk.office.exchange is None:
        raise Problem("not-found")
    return desk.office.exchange

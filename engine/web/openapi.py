"""The OpenAPI document: FastAPI's, with each event of each workflow as a type of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from engine.core.definition import Workflow
from engine.core.event import ADOPTED, ENROLLED, OWN
from engine.core.schema import COMMON, Schema, event_schema

_REF = "#/components/schemas/"
_BEGIN = "/v1/courses"
_SEND = ("/v1/courses/{course}/events", "/v1/courses/{course}/events/dry-run")

DESCRIPTION = """
A backend of a clinic scheduling system sends events and asks what is due. A *request* asks leave
and may be refused, with every comparison that decided; a *report* says what happened and is always
taken. Nothing here books, doses or treats: the engine proposes and a clinician decides. It is no
medical device.
""".strip()


def document(app: FastAPI, workflows: Iterable[Workflow]) -> dict[str, Any]:
    """The document of an application; made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=DESCRIPTION,
            routes=app.routes,
        )
        _type_events(made, workflows)
        app.openapi_schema = made
    return app.openapi_schema


def _type_events(made: dict[str, Any], workflows: Iterable[Workflow]) -> None:
    schemas: dict[str, Any] = made["components"]["schemas"]
    first, later = list[str](), list[str]()
    for workflow in workflows:
        own = [event.name for event in workflow.events if not event.timer]
        for name in (ENROLLED, ADOPTED):
            first.append(_added(schemas, workflow, name, in_path=()))
        for name in (*own, *OWN):
            later.append(_added(schemas, workflow, name, in_path=("course",)))
    made["paths"][_BEGIN]["post"]["requestBody"] = _body(first)
    for path in _SEND:
        made["paths"][path]["post"]["requestBody"] = _body(later)


def _added(
    schemas: dict[str, Any], workflow: Workflow, name: str, *, in_path: tuple[str, ...]
) -> str:
    """Add the type of an event; what may stand in the path or a header is not required."""
    schema: Schema = {**event_schema(workflow, name)}
    del schema["$schema"]
    elsewhere = {*in_path, "id"}
    schema["required"] = [member for member in schema["required"] if member not in elsewhere]
    schema["examples"] = [
        {member: value for member, value in example.items() if member not in in_path}
        for example in schema["examples"]
    ]
    label = f"{workflow.name}-{workflow.version}"
    if "override" in schema["properties"]:
        override = f"{label}.override"
        schemas[override] = _shared(schema["properties"]["override"], schemas)
        schema["properties"] = {**schema["properties"], "override": {"$ref": _REF + override}}
    key = f"{label}.{name}"
    schemas[key] = _shared(schema, schemas)
    return key


def _shared(part: Any, schemas: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON
    """A schema in which what many have is only referred to: the document is a third as long."""
    if isinstance(part, list):
        return [_shared(item, schemas) for item in part]
    if not isinstance(part, dict):
        return part
    for name, common in COMMON.items():
        if part == common:
            schemas[name] = common
            return {"$ref": _REF + name}
    return {
        key: item if key in ("examples", "enum", "const") else _shared(item, schemas)
        for key, item in part.items()
    }


def _body(keys: Iterable[str]) -> dict[str, Any]:
    return {
        "required": True,
        "content": {"application/json": {"schema": {"oneOf": [{"$ref": _REF + k} for k in keys]}}},
    }

"""The operations of the OpenAPI document as one page, which loads nothing from anywhere."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code { font-size: 0.9em; } h2 { margin-top: 2.5rem; } pre { overflow-x: auto; background: #f4f4f4;
padding: 0.75rem; } summary { cursor: pointer; padding: 0.25rem 0; } table { border-collapse:
collapse; } td, th { text-align: left; vertical-align: top; padding: 0.2rem 1rem 0.2rem 0; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600; }
"""
_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; frame-ancestors 'none'"
METHODS = ("get", "post", "put", "patch", "delete")


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """The operations of this service, for a person."""
    return HTMLResponse(page(request.app.openapi()), headers={"Content-Security-Policy": POLICY})


def page(document: Mapping[str, Any]) -> str:
    """The page of an OpenAPI document."""
    info = document["info"]
    title = escape(f"{info['title']} {info['version']}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<h1>{title}</h1><p>{escape(info.get('description', ''))}</p>"
        '<p>The whole of it, for programs: <a href="/v1/openapi.json">openapi.json</a></p>'
        f"{''.join(_parts(document))}</body></html>"
    )


def _parts(document: Mapping[str, Any]) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                operation = methods[method]
                tag = (operation.get("tags") or ["other"])[0]
                groups.setdefault(tag, []).append(_operation(method, path, operation, document))
    for tag, operations in groups.items():
        yield f"<h2>{escape(tag)}</h2>{''.join(operations)}"


def _operation(
    method: str, path: str, operation: Mapping[str, Any], document: Mapping[str, Any]
) -> str:
    head = f'<span class="method">{method.upper()}</span> <code>{escape(path)}</code>'
    return (
        f"<details><summary>{head}</summary><p>{escape(operation.get('description', ''))}</p>"
        f"{_parameters(operation)}{_body(operation, document)}{_responses(operation)}</details>"
    )


def _parameters(operation: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one['in'])}"
        f"{', required' if one.get('required') else ''}</td>"
        f"<td>{escape(one.get('description', ''))}</td></tr>"
        for one in operation.get("parameters", ())
    )
    return f"<table>{rows}</table>" if rows else ""


def _body(operation: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = content.get("schema", {})
    names = [
        one["$ref"].rpartition("/")[2] for one in schema.get("oneOf", [schema]) if "$ref" in one
    ]
    return "".join(_schema(name, document["components"]["schemas"][name]) for name in names)


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    examples = "".join(f"<pre>{escape(_json(one))}</pre>" for one in schema.get("examples", ()))
    return (
        f"<details><summary>Body: <code>{escape(name)}</code></summary>"
        f"<p>{escape(schema.get('description', ''))}</p>{examples}</details>"
    )


def _responses(operation: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><th>{escape(status)}</th><td>{escape(one.get('description', ''))}</td></tr>"
        for status, one in operation.get("responses", {}).items()
    )
    return f"<table>{rows}</table>"


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)

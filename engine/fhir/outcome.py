"""Errors and answers as an `OperationOutcome`: each issue names the element that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.core.encoding import Json
from engine.fhir.term import PROBLEM, concept, valid

CODES: Mapping[int, str] = {
    400: "structure",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    408: "timeout",
    409: "conflict",
    412: "conflict",
    413: "too-long",
    415: "not-supported",
    422: "invalid",
    429: "throttled",
    503: "transient",
}
"""FHIR's sort of issue by the status of the answer."""


def problem(document: Mapping[str, Any]) -> dict[str, Any]:
    """A problem of the catalogue; where it names members, an issue for each."""
    status, name = document["status"], document["type"].rpartition("/")[2]
    code = CODES.get(status, "exception")
    members = document.get("errors") or [{}]
    return outcome(
        issue(
            "error",
            code,
            text=_text(document, member),
            expression=member.get("field"),
            problem=name,
        )
        for member in members
    )


def issue(
    severity: str,
    code: str,
    *,
    text: str,
    expression: str | None = None,
    problem: str | None = None,
) -> Json:
    """One issue."""
    found: dict[str, Json] = {"severity": severity, "code": code, "diagnostics": text}
    if problem is not None:
        found["details"] = concept(PROBLEM, problem)
    if expression:
        found["expression"] = [expression]
    return found


def outcome(issues: Iterable[Json]) -> dict[str, Any]:
    """An outcome of these issues."""
    return valid({"resourceType": "OperationOutcome", "issue": list(issues)})


def _text(document: Mapping[str, Any], member: Mapping[str, Any]) -> str:
    expected = member.get("expected")
    if expected is None:
        return str(document["detail"])
    found = f", found {member['found']}" if "found" in member else ""
    return f"expected {expected}{found}"

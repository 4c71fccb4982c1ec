"""Errors as RFC 9457 problem details: a catalogue, and how the engine's errors fall into it.

A `detail` says what to do and never repeats a reading, a text or a person. What guards found is an
extension member, for whoever was allowed to ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPMethod
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from engine.core.encoding import Json
from engine.errors import (
    CalendarChanged,
    CalendarNotFound,
    Conflict,
    EndpointNotFound,
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    RegimenError,
    StoreUnavailable,
    UnknownEvent,
    UnknownWorkflow,
)
from engine.web.canonical import CanonicalResponse

MEDIA_TYPE = "application/problem+json"
PLACE = "/v1/problems/"
"""Where a type is described; a `type` is this and its name."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of problem: its status, what it is called and what to do."""

    status: int
    title: str
    meaning: str


CATALOGUE: Mapping[str, Kind] = {
    "malformed": Kind(
        400, "The body is not JSON", "Send one JSON object; the place of the fault is named."
    ),
    "unauthenticated": Kind(
        401, "Nobody is known by this token", "Send a valid bearer token that has not expired."
    ),
    "reauthenticate": Kind(
        401,
        "Prove anew who signs",
        "Give the token again as `token`, or sign in again: see `max_age` in WWW-Authenticate.",
    ),
    "not-permitted": Kind(
        403, "The caller may not do this", "Ask an administrator for the role that may."
    ),
    "role-not-held": Kind(
        403,
        "The caller does not hold the role that the event names",
        "Send it in a role that the token holds; a workflow says who may send what.",
    ),
    "override-not-permitted": Kind(
        409,
        "The override passes no guard here",
        "The guard is hard, or this role or code may not pass it; see `attempts`.",
    ),
    "not-found": Kind(404, "There is nothing of this name", "Nothing at a site of yours, either."),
    "method-not-allowed": Kind(405, "Not by this method", "See the OpenAPI document."),
    "illegal-transition": Kind(
        409,
        "The course is in a state that takes no such request",
        "Ask what can happen next: GET /v1/courses/{course}/options.",
    ),
    "on-hold": Kind(
        409, "Treatment is held", "The hold is released by its own event; see the options."
    ),
    "guard-failed": Kind(
        409,
        "A requirement is not met",
        "`attempts` has each comparison that decided, with its threshold and its source.",
    ),
    "guard-undecided": Kind(
        409,
        "A requirement cannot be weighed",
        "`missing` names what is missing, stale or impossible: send it, then ask again.",
    ),
    "too-old": Kind(409, "The request is too old", "Ask again, with the present time in `at`."),
    "outside-window": Kind(
        409, "The day lies outside the visit's window", "Choose a day in it, or omit the visit."
    ),
    "no-such-visit": Kind(
        409, "No such visit is due", "See the visits of the course for those that are."
    ),
    "unsigned": Kind(
        409,
        "A signature is lacking",
        "All else would be granted: have it signed at POST /v1/courses/{course}/signatures first.",
    ),
    "altered": Kind(
        409, "It is not what was signed", "Send what was signed, or have this signed, as a new id."
    ),
    "same-signer": Kind(
        409, "Another person has to sign", "Two persons, each authenticated for themselves."
    ),
    "not-a-signer": Kind(
        409,
        "Nobody asks this person for this signature",
        "The workflow says who signs, in which role and with which meaning.",
    ),
    "legal-hold": Kind(
        409, "A legal hold is in force", "Nothing is erased until every hold is released."
    ),
    "no-such-legal-hold": Kind(
        409, "There is no legal hold of that name", "See the custody of the course."
    ),
    "no-such-finding": Kind(409, "No such finding is open", "See the open findings of the course."),
    "conflict": Kind(
        409,
        "The course is not where it was thought",
        "Read it again, then decide whether to retry.",
    ),
    "still-running": Kind(
        409, "The same request is still being answered", "Send it again a little later."
    ),
    "stale-revision": Kind(
        412, "The course has moved on", "Read it again: the ETag is its revision."
    ),
    "stale-calendar": Kind(
        412, "The calendar was set since it was read", "Read it again, then set it anew."
    ),
    "slow-body": Kind(
        408, "The body came too slowly", "Nothing was recorded; send it again, all at once."
    ),
    "too-large": Kind(413, "The body is too large", "Send less at once; `limit` says how much."),
    "unsupported-media-type": Kind(415, "The body is not JSON", "Send application/json."),
    "invalid": Kind(
        422, "A member does not have the shape that was expected", "`errors` names each."
    ),
    "reason-required": Kind(
        422, "A reason is required", "`errors` names the member and its codes."
    ),
    "unknown-event": Kind(
        422, "The course's workflow has no such event", "GET /v1/workflows/{name} lists them."
    ),
    "unknown-workflow": Kind(422, "No such workflow is known", "GET /v1/workflows lists them."),
    "idempotency-conflict": Kind(
        422,
        "The key was used for another body",
        "The first record stands. After a lost answer, send the same body and the same If-Match; "
        "a new key is for a new event.",
    ),
    "precondition-required": Kind(
        428, "A request says which revision it was made on", "Send If-Match with the course's ETag."
    ),
    "too-many-requests": Kind(429, "Too many requests", "Wait as long as Retry-After says."),
    "internal": Kind(500, "Something went wrong here", "Nothing was acknowledged; try again."),
    "busy": Kind(
        503,
        "As much is under way as this service takes on",
        "Nothing was acknowledged; wait as long as Retry-After says, then send it again.",
    ),
    "too-slow": Kind(
        503,
        "The answer took too long",
        "It may have been recorded: send it again with the same id or key, and see.",
    ),
    "unavailable": Kind(
        503, "The database cannot be used", "Nothing was acknowledged; send it again later."
    ),
}
"""Every type of problem. Published: never rename one."""


class Problem(Exception):
    """A problem of the catalogue, raised where a request is answered."""

    def __init__(
        self,
        name: str,
        *,
        detail: str | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Json,
    ) -> None:
        self.name = name
        self.kind = CATALOGUE[name]
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members
        super().__init__(f"{name}: {detail or self.kind.meaning}")

    def document(self) -> dict[str, Json]:
        """The problem document."""
        return {
            "type": PLACE + self.name,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail or self.kind.meaning,
            **self.members,
        }

    def response(self) -> CanonicalResponse:
        return CanonicalResponse(
            self.document(), self.kind.status, headers=self.headers, media_type=MEDIA_TYPE
        )


def problem_of(error: RegimenError) -> Problem:
    """The problem that an error of the engine is to whoever calls over HTTP."""
    match error:
        case UnknownEvent():
            return Problem("unknown-event", errors=[_member(error)])
        case UnknownWorkflow():
            return Problem("unknown-workflow", errors=[_member(error)])
        case InvalidInput() if error.field in ("reason", "reason.code"):
            return Problem("reason-required", errors=[_member(error)])
        case InvalidInput():
            return Problem("invalid", detail=str(error), errors=[_member(error)])
        case NotFound():
            plain = isinstance(error, EndpointNotFound | CalendarNotFound)
            return Problem("not-found") if plain else Problem("not-found", course=error.course)
        case NotPermitted():
            return Problem("role-not-held", event=error.event, permitted=list(error.permitted))
        case CalendarChanged():
            tag = {"ETag": f'"{error.tag}"'}
            return Problem("stale-calendar", site=error.site, headers=tag)
        case IdempotencyConflict():
            return Problem("idempotency-conflict", course=error.course, id=error.event_id)
        case Conflict() if error.expected is not None:
            overtaken = {"timers": error.timers} if error.timers else {}
            return Problem(
                "stale-revision",
                detail=_OVERTAKEN if error.timers else str(error),
                course=error.course,
                expected=error.expected,
                actual=error.actual,
                headers={"ETag": f'"{error.actual}"'},
                **overtaken,
            )
        case Conflict():
            return Problem(
                "conflict", detail=str(error), course=error.course, retriable=error.retriable
            )
        case StoreUnavailable():
            return Problem("unavailable", headers={"Retry-After": "5"})
        case _:
            return Problem("internal")


def refusal(course: str, seq: int | None, decision: Mapping[str, Any], *, held: bool) -> Problem:
    """The problem that a refused request is; the refusal itself is a record."""
    reason = decision["reason"]
    if reason == "illegal-transition" and held:
        reason = "on-hold"
    return Problem(
        reason,
        course=course,
        seq=seq,
        attempts=decision.get("attempts", []),
        missing=missing_of(decision),
    )


def missing_of(decision: Mapping[str, Any]) -> list[Json]:
    """What could not be weighed, each once, in order, and why."""
    said = dict.fromkeys(
        text
        for attempt in decision.get("attempts", ())
        for weighed in attempt["kept_by"]
        for finding in weighed.get("findings", ())
        for text in finding.get("missing", ())
    )
    parts = (text.rstrip(")").partition(" (") for text in said)
    return [{"name": name, "why": why} for name, _, why in parts]


def invalid_request(error: RequestValidationError) -> Problem:
    """The problem that a path, query or header is which does not have its shape."""
    errors: list[Json] = [
        {
            "field": ".".join(map(str, one["loc"][1:])),
            "in": one["loc"][0],
            "expected": one["msg"],
        }
        for one in error.errors()
    ]
    return Problem("invalid", errors=errors)


Said = Callable[["Problem"], Response]
"""How a problem is told to who asked."""


def handle_problems(app: FastAPI, dialects: Mapping[str, Said] | None = None) -> None:
    """Let every error of the application be answered with a problem document.

    Under a path of `dialects` it is told in the words of that path.
    """
    spoken = dict(dialects or {})

    def told(request: Request, problem: Problem) -> Response:
        for path, said in spoken.items():
            if request.url.path.startswith(path):
                return said(problem)
        return problem.response()

    @app.exception_handler(Problem)
    def problem(request: Request, error: Problem) -> Response:
        return told(request, error)

    @app.exception_handler(RegimenError)
    def regimen_error(request: Request, error: RegimenError) -> Response:
        return told(request, problem_of(error))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        return told(request, invalid_request(error))

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        name = _BY_STATUS.get(error.status_code, "internal")
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(sorted(_methods(request)))
        return told(request, Problem(name, headers=headers))

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> Response:  # noqa: ARG001  # the server logs it
        return told(request, Problem("internal"))


def _methods(request: Request) -> set[str]:
    """By which methods a path is answered: the router looks at the first route only."""
    return {
        method
        for method in map(str, HTTPMethod)
        for route in request.app.routes
        if route.matches({**request.scope, "method": method})[0] is Match.FULL
    }


def _member(error: InvalidInput) -> Json:
    found = {} if error.found is None else {"found": error.found}
    return {"field": error.field, "expected": error.expected, **found}


_OVERTAKEN = (
    "Timers that were due have moved the course since it was read, and nobody else has. Read it "
    "again: they are recorded now, and the ETag is its revision."
)
_BY_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 400: "malformed"}

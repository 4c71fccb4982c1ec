"""Who looks at a page: by the session of its cookie, through the gate that the API has.

A program may send the API's `Authorization` instead. Whoever asks for HTML is sent to sign in, or
told as a page what is in the way; everybody else gets the problem documents of the API.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute

from engine.errors import RegimenError
from engine.pages.frame import frame
from engine.pages.press import HEADERS, page
from engine.permission import Action
from engine.web.callers import Desk, Need
from engine.web.office import office_of
from engine.web.problems import Problem, invalid_request, problem_of

COOKIE, HOST_COOKIE = "regimen", "__Host-regimen"
SIGN_IN = "/sign-in"


class Sight(Need):
    """What a page asks of whoever looks at it; the credential is the session's."""

    def credential(self, request: Request) -> str | None:
        """The `Authorization` that was sent, else that of the session."""
        if "authorization" in request.headers:
            return super().credential(request)
        office = office_of(request)
        return office.sessions.authorization(cookie_of(request), office.now())


VisitSight = Annotated[Desk, Depends(Sight(Action.READ_VISITS))]
CourseSight = Annotated[Desk, Depends(Sight(Action.READ_COURSES))]
RecordSight = Annotated[Desk, Depends(Sight(Action.READ_RECORDS))]
ReviewSight = Annotated[Desk, Depends(Sight(Action.WRITE_REVIEWS))]
WorkflowSight = Annotated[Desk, Depends(Sight(Action.READ_WORKFLOWS))]


class Screen(APIRoute):
    """A route whose problems are pages, for whoever asked for a page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, which answers what goes wrong as well."""
        answer = super().get_route_handler()

        async def shown(request: Request) -> Response:
            try:
                return await answer(request)
            except (Problem, RegimenError, RequestValidationError) as wrong:
                if not _wants_html(request):
                    raise
                return _told(request, wrong)

        return shown


def cookie_of(request: Request) -> str | None:
    """The cookie of a session."""
    return request.cookies.get(HOST_COOKIE) or request.cookies.get(COOKIE)


def screen(
    desk: Desk, here: str, template: str, *, status: int = 200, **values: object
) -> HTMLResponse:
    """A page for whoever sits at a desk."""
    return shown(template, {"frame": frame(desk.caller, here), **values}, status=status)


def shown(
    template: str,
    values: Mapping[str, object],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page, with the headers that each of them has."""
    return HTMLResponse(
        page(template, **values), status_code=status, headers={**HEADERS, **(headers or {})}
    )


def within(path: str | None) -> str:
    """A path of ours to go on to, else the first page: never an address of others.

    >>> within("/courses/GAR-Z?round=2"), within("//evil.example"), within("https://evil.example")
    ('/courses/GAR-Z?round=2', '/', '/')
    """
    if not path or not path.isprintable() or not path.startswith("/"):
        return "/"
    return "/" if path[1:2] in ("/", "\\") else path


def _told(request: Request, wrong: Problem | RegimenError | RequestValidationError) -> Response:
    problem = _problem(wrong)
    if problem.name == "unauthenticated" and problem.detail is None:
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        # What a form was sent to is a page, too: whoever signs in again comes back to that.
        to = f"{SIGN_IN}?next={quote(within(asked))}"
        return RedirectResponse(to, status_code=303)
    document = problem.document()
    caller = getattr(request.state, "caller", None)
    return shown(
        "problem.html",
        {
            "frame": None if caller is None else frame(caller, ""),
            "title": document["title"],
            "detail": document["detail"],
            "status": problem.kind.status,
        },
        status=problem.kind.status,
        headers=problem.headers,
    )


def _problem(wrong: Problem | RegimenError | RequestValidationError) -> Problem:
    if isinstance(wrong, Problem):
        return wrong
    return problem_of(wrong) if isinstance(wrong, RegimenError) else invalid_request(wrong)


def _wants_html(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")

"""Signing in and out, and the files that pages load: what anybody may ask.

- What is sent to sign in is a form of one token: bounded, and never in an address.
- The cookie is `HttpOnly`, and `Secure` wherever the browser speaks https; where it speaks plain
  http to anything but this machine, nobody can sign in.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from engine.pages.press import assets
from engine.web.callers import identified
from engine.web.office import office_of
from engine.web.problems import Problem
from engine.web.screens.form import received, require_same_origin
from engine.web.screens.seat import (
    COOKIE,
    HOST_COOKIE,
    SIGN_IN,
    Screen,
    cookie_of,
    shown,
    within,
)
from engine.web.sessions import WHOLE

router = APIRouter(include_in_schema=False, route_class=Screen)

FORM_BYTES = 20 * 1024
"""A token of an identity provider may be long; nothing else comes."""
YEAR = 365 * 24 * 3600

Next = Annotated[str | None, Query(alias="next", max_length=2000)]


@router.get("/")
def first() -> Response:
    """The worklists are what people come for."""
    return RedirectResponse("/worklists", status_code=303)


@router.get(SIGN_IN)
def form(request: Request, next_: Next = None) -> Response:
    """The form that takes a token."""
    return shown("sign_in.html", _page(within(next_), bad=_insecure(request)))


@router.post(SIGN_IN)
async def sign_in(request: Request) -> Response:
    """Begin a session for the token of the form, which ends the one before."""
    require_same_origin(request)
    if _insecure(request):
        raise Problem("not-permitted", detail="signing in needs https")
    sent = await received(request, most=FORM_BYTES)
    token, to = sent.get("token", "").strip(), within(sent.get("next"))
    return await run_in_threadpool(_signed_in, request, token, to)


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    """End the session, here and in the browser."""
    require_same_origin(request)
    office_of(request).sessions.end(cookie_of(request))
    gone = RedirectResponse(SIGN_IN, status_code=303)
    for name in (COOKIE, HOST_COOKIE):
        _set(gone, name, "", seconds=0)
    return gone


@router.get("/assets/{digest}/{name}")
def asset(digest: str, name: str) -> Response:
    """A file that pages load; its address changes with what is in it."""
    found = assets().get(name)
    if found is None or found.digest != digest:
        raise Problem("not-found")
    headers = {"Cache-Control": f"public, max-age={YEAR}, immutable"}
    return Response(found.content, media_type=found.media_type, headers=headers)


def _signed_in(request: Request, token: str, to: str) -> Response:
    office = office_of(request)
    peer = request.client.host if request.client is not None else None
    authorization = f"Bearer {token}"
    try:
        identified(office, authorization, peer)
    except Problem as problem:
        if problem.name != "unauthenticated":
            raise
        wrong = problem.detail or "Nobody is known by this token, or it has expired."
        return shown("sign_in.html", _page(to, wrong=wrong), status=401)
    office.sessions.end(cookie_of(request))
    cookie = office.sessions.begin(authorization, office.now())
    answer = RedirectResponse(to, status_code=303)
    name = COOKIE if _here(request) and not _encrypted(request) else HOST_COOKIE
    _set(answer, name, cookie, seconds=int(WHOLE.total_seconds()))
    return answer


def _page(to: str, *, wrong: str | None = None, bad: bool = False) -> dict[str, object]:
    return {"frame": None, "next": to, "wrong": wrong, "bad": bad}


def _set(answer: Response, name: str, value: str, *, seconds: int) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        secure=name == HOST_COOKIE,
        httponly=True,
        samesite="strict",
    )


def _insecure(request: Request) -> bool:
    """Whether what is sent can be read on its way: plain http to another machine.

    Behind a proxy the browser's own word counts: of the `Origin` that it sends with a form.
    """
    said = urlsplit(request.headers.get("origin", "")).scheme
    return said == "http" and not _here(request)


def _encrypted(request: Request) -> bool:
    scheme = urlsplit(request.headers.get("origin", "")).scheme or request.url.scheme
    return scheme == "https"


def _here(request: Request) -> bool:
    """Whether the browser asked this machine by one of its own names."""
    name = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False

"""Forms that pages send: bounded, in the words of HTML, and only from a page of this service.

A form of another origin is refused before it is read. `SameSite` keeps the session's cookie from it
anyway; but where nobody signs in, in the demonstration, this is all that there is.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from fastapi import Depends, Request

from engine.web.problems import Problem

MEDIA_TYPE = "application/x-www-form-urlencoded"
BYTES = 64 * 1024
"""The longest text that an event may have, where each of its characters is sent as twelve."""
FIELDS = 8

Sent = dict[str, str]
"""What was filled in: each field once. What was left empty is not there."""


async def sent_form(request: Request) -> Sent:
    """The form that was sent. Raises Problem for one of another origin, and for what is none."""
    return await received(request, most=BYTES)


async def received(request: Request, *, most: int) -> Sent:
    """The same, of at most so many bytes."""
    require_same_origin(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise Problem("unsupported-media-type", detail="send the form of this page")
    taken = bytearray()
    async for part in request.stream():
        taken += part
        if len(taken) > most:
            raise Problem("too-large", limit=most)
    try:
        found = parse_qs(taken.decode("ascii"), max_num_fields=FIELDS, errors="strict")
    except ValueError:
        raise Problem("malformed", detail="the form is not one of ours") from None
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def require_same_origin(request: Request) -> None:
    """Raises Problem for a form of another origin, or of none that is named."""
    site = request.headers.get("sec-fetch-site")
    origin = urlsplit(request.headers.get("origin", "")).netloc
    same = bool(origin) and origin == request.headers.get("host")
    if site not in (None, "same-origin") or not (same or site == "same-origin"):
        raise Problem("not-permitted", detail="this form was not sent from a page of this service")


Form = Annotated[Sent, Depends(sent_form)]
"""A route names it behind its `Sight`, so that nobody's form is read before it is known whose."""

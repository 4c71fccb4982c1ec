"""A request's JSON body: bounded in size and depth, read strictly, without a second meaning."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Annotated, Any, NoReturn

from fastapi import Depends, Request
from starlette.requests import ClientDisconnect

from engine.web.office import office_of
from engine.web.problems import Problem

CLOSING = {"Connection": "close"}
"""What is still to come of a body that is not read is not waited for."""


async def json_body(request: Request) -> dict[str, Any]:
    """The one JSON object that was sent.

    Raises Problem for another media type, one that is too large or too deep, and for what is no
    JSON: a member that comes twice, a number that is none, bytes that are no UTF-8.
    """
    sent = await _received(request)
    return parsed(sent, depth=office_of(request).limits.depth)


async def optional_body(request: Request) -> dict[str, Any]:
    """As `json_body`, and an object without members where nothing was sent."""
    if request.headers.get("content-length", "0") == "0" and (
        "transfer-encoding" not in request.headers
    ):
        return {}
    return await json_body(request)


async def decimal_body(request: Request) -> dict[str, Any]:
    """As `json_body`, with its numbers as decimals: FHIR counts the digits that were written."""
    sent = await _received(request)
    return parsed(sent, depth=office_of(request).limits.depth, decimals=True)


async def _received(request: Request) -> bytes:
    limits = office_of(request).limits
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json" and not media.endswith("+json"):
        raise Problem("unsupported-media-type")
    taken = bytearray()
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for part in request.stream():
                taken += part
                if len(taken) > limits.body_bytes:
                    raise Problem("too-large", limit=limits.body_bytes, headers=CLOSING)
    except TimeoutError:
        raise Problem("slow-body", headers=CLOSING) from None
    except ClientDisconnect:  # nobody is there to be told
        raise Problem("malformed", detail="the body ended before it was whole") from None
    return bytes(taken)


Body = Annotated[dict[str, Any], Depends(json_body)]
OptionalBody = Annotated[dict[str, Any], Depends(optional_body)]
DecimalBody = Annotated[dict[str, Any], Depends(decimal_body)]


def parsed(sent: bytes, *, depth: int, decimals: bool = False) -> dict[str, Any]:
    """The object of some bytes. Raises Problem, saying where the fault lies."""
    try:
        text = sent.decode("utf-8")
    except UnicodeDecodeError as wrong:
        raise Problem("malformed", detail=f"byte {wrong.start} is no UTF-8") from None
    try:
        found = json.loads(
            text,
            object_pairs_hook=_once,
            parse_constant=_no_number,
            parse_float=Decimal if decimals else None,
        )
    except json.JSONDecodeError as wrong:
        detail = f"no JSON at line {wrong.lineno}, column {wrong.colno}"
        raise Problem("malformed", detail=detail) from None
    except RecursionError:
        raise Problem("malformed", detail=f"nested deeper than {depth}") from None
    except ValueError:  # Python reads no integer of thousands of digits
        raise Problem("malformed", detail="a number that no JSON reader would keep") from None
    if not isinstance(found, dict):
        raise Problem("malformed", detail="one JSON object is expected")
    if _deeper(found, depth):
        raise Problem("malformed", detail=f"nested deeper than {depth}")
    return found


def _deeper(value: Any, depth: int) -> bool:  # noqa: ANN401  # JSON
    """Whether objects and arrays are nested deeper than so."""
    level = [value]
    for _ in range(depth):
        level = [
            item
            for one in level
            if isinstance(one, dict | list)
            for item in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return any(isinstance(one, dict | list) for one in level)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Problem("malformed", detail="a member stands twice in one object")
    return found


def _no_number(_: str) -> NoReturn:
    raise Problem("malformed", detail="NaN and infinity are no JSON")

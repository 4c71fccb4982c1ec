"""Endpoints of webhooks, what is on its way to them, and what was given up.

They are the whole tenant's: the gate lets nobody to them who may see some sites only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from engine.errors import InvalidInput
from engine.web import messages
from engine.web.bodies import Body, OptionalBody
from engine.web.callers import Desk, EndpointManager, EndpointReader
from engine.web.canonical import CanonicalResponse
from engine.web.responses import PROBLEMS
from engine.webhooks.documents import delivery_json, endpoint_json
from engine.webhooks.endpoints import BEYOND, LONGEST_OVERLAP, OVERLAP, Webhooks

router = APIRouter(tags=["webhooks"])

Id = Annotated[str, Path(pattern="^[A-Za-z0-9_]{1,64}$")]
Limit = Annotated[int, Query(ge=1, le=500)]
_HOURS = 3600.0

_NEW = {
    "type": "object",
    "additionalProperties": False,
    "required": ["url"],
    "properties": {
        "url": {"type": "string", "description": "By https, at a public address."},
        "kinds": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Only messages of these kinds, such as course.changed; else of every.",
        },
    },
}
_ROTATION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "overlap_hours": {
            "type": "integer",
            "minimum": 0,
            "maximum": LONGEST_OVERLAP.days * 24,
            "default": OVERLAP.days * 24,
            "description": "How long the secret before signs too.",
        }
    },
}


def _sent(schema: Mapping[str, Any], *, required: bool = True) -> dict[str, Any]:
    """The body of a route, for the document: it is read by us."""
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": required, "content": content}}


@router.get("/endpoints", response_model=messages.EndpointList, responses=PROBLEMS["read"])
def listed(*, desk: EndpointReader) -> CanonicalResponse:
    """Every endpoint, with how many messages are due to it or were given up."""
    webhooks = _of(desk)
    standing = webhooks.standing()
    lines = []
    for one in webhooks.endpoints():
        due, dead = standing.get(one.id, (0, 0))
        lines.append({**endpoint_json(one), "due": due, "given_up": dead})
    return CanonicalResponse({"endpoints": lines})


@router.post(
    "/endpoints",
    status_code=201,
    response_model=messages.EndpointSecret,
    responses=PROBLEMS["write"],
    openapi_extra=_sent(_NEW),
)
def register(*, desk: EndpointManager, body: Body) -> CanonicalResponse:
    """Send what is said from now on to a URL. Its secret is shown this once."""
    _only(body, _NEW)
    url, kinds = body.get("url"), body.get("kinds", [])
    if not isinstance(url, str):
        raise InvalidInput("url", "a URL such as https://scheduling.example/hooks")
    if not isinstance(kinds, list) or not all(isinstance(one, str) for one in kinds):
        raise InvalidInput("kinds", "an array of kinds such as course.changed")
    made, secret = _of(desk).register(url, kinds, told=desk.told)
    place = {"Location": f"/v1/endpoints/{made.id}", "Cache-Control": "no-store"}
    return CanonicalResponse({**endpoint_json(made), "secret": secret}, 201, headers=place)


@router.get(
    "/endpoints/{endpoint}", response_model=messages.EndpointDocument, responses=PROBLEMS["one"]
)
def shown(*, endpoint: Id, desk: EndpointReader) -> CanonicalResponse:
    """One endpoint."""
    return CanonicalResponse(endpoint_json(_of(desk).endpoint(endpoint)))


@router.post(
    "/endpoints/{endpoint}/disable",
    response_model=messages.EndpointDocument,
    responses=PROBLEMS["one"],
)
def disabled(*, endpoint: Id, desk: EndpointManager) -> CanonicalResponse:
    """Send it nothing; what is said meanwhile waits for it."""
    return CanonicalResponse(endpoint_json(_of(desk).disable(endpoint, told=desk.told)))


@router.post(
    "/endpoints/{endpoint}/enable",
    response_model=messages.EndpointDocument,
    responses=PROBLEMS["one"],
)
def enabled(*, endpoint: Id, desk: EndpointManager) -> CanonicalResponse:
    """Send to it again, beginning with what waited."""
    return CanonicalResponse(endpoint_json(_of(desk).enable(endpoint, told=desk.told)))


@router.post(
    "/endpoints/{endpoint}/rotate",
    response_model=messages.EndpointSecret,
    responses=PROBLEMS["write_one"],
    openapi_extra=_sent(_ROTATION, required=False),
)
def rotated(*, desk: EndpointManager, endpoint: Id, body: OptionalBody) -> CanonicalResponse:
    """Another secret, shown this once. Until the overlap ends, the one before signs too."""
    _only(body, _ROTATION)
    hours = body.get("overlap_hours", OVERLAP.days * 24)
    if type(hours) is not int or not 0 <= hours <= LONGEST_OVERLAP.days * 24:
        raise InvalidInput("overlap_hours", f"whole hours from 0 to {LONGEST_OVERLAP.days * 24}")
    webhooks = _of(desk)
    secret = webhooks.rotate(endpoint, timedelta(hours=hours), told=desk.told)
    found = {**endpoint_json(webhooks.endpoint(endpoint)), "secret": secret}
    return CanonicalResponse(found, headers={"Cache-Control": "no-store"})


@router.post(
    "/endpoints/{endpoint}/ping", response_model=messages.PingDocument, responses=PROBLEMS["one"]
)
def pinged(*, endpoint: Id, desk: EndpointManager) -> CanonicalResponse:
    """Send a test message of type `webhook.ping` at once, and say what was answered."""
    reply = _of(desk).ping(endpoint)
    return CanonicalResponse(
        {"endpoint": endpoint, "accepted": reply.accepted, "answered": reply.word}
    )


@router.get(
    "/endpoints/{endpoint}/deliveries",
    response_model=messages.DeliveryList,
    responses=PROBLEMS["one"],
)
def deliveries(
    *,
    endpoint: Id,
    desk: EndpointReader,
    before: Annotated[int, Query(ge=1, le=BEYOND, description="A position of the feed.")] = BEYOND,
    limit: Limit = 100,
) -> CanonicalResponse:
    """What was sent to an endpoint, or is to be sent, newest first."""
    found = _of(desk).deliveries(endpoint, limit, before)
    return CanonicalResponse(
        {
            "deliveries": [delivery_json(one) for one in found],
            "next": found[-1].position if len(found) == limit else None,
        }
    )


@router.get("/dead-letters", response_model=messages.DeadLetterList, responses=PROBLEMS["read"])
def dead_letters(*, desk: EndpointReader, limit: Limit = 100) -> CanonicalResponse:
    """Messages that were given up, oldest first."""
    found = _of(desk).dead_letters(limit)
    return CanonicalResponse({"dead_letters": [delivery_json(one) for one in found]})


@router.post(
    "/dead-letters/replay", response_model=messages.ReplayedDocument, responses=PROBLEMS["read"]
)
def replayed_all(*, desk: EndpointManager) -> CanonicalResponse:
    """Send all again that was given up."""
    return CanonicalResponse({"replayed": _of(desk).replay_all(told=desk.told)})


@router.post(
    "/dead-letters/{letter}/replay",
    response_model=messages.ReplayedDocument,
    responses=PROBLEMS["one"],
)
def replayed(*, letter: Id, desk: EndpointManager) -> CanonicalResponse:
    """Send one message again, by its webhook-id."""
    _of(desk).replay(letter, told=desk.told)
    return CanonicalResponse({"replayed": 1})


@router.delete("/endpoints/{endpoint}", status_code=204, responses=PROBLEMS["one"])
def removed(*, endpoint: Id, desk: EndpointManager) -> Response:
    """Forget an endpoint and all that was on its way to it."""
    _of(desk).remove(endpoint, told=desk.told)
    return Response(status_code=204)


def _of(desk: Desk) -> Webhooks:
    return desk.office.webhooks(desk.caller.tenant)


def _only(body: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    known = schema["properties"]
    for name in body:
        if name not in known:
            raise InvalidInput(name, f"no such member: {', '.join(known)}")

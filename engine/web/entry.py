"""How an event comes in over HTTP: its key, the revision that it expects, its answer's headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Header

from engine.core.review import Seen
from engine.core.wire import EXACT, IDENTIFIER
from engine.errors import InvalidInput
from engine.permission import Action
from engine.service import Place
from engine.web import documents
from engine.web.callers import Desk
from engine.web.canonical import CanonicalResponse
from engine.web.condition import condition
from engine.web.problems import Problem, refusal

Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="The event's id, where the body has none."),
]
IfMatch = Annotated[
    str | None, Header(description="The course's ETag, for a request; `*` expects nothing.")
]

_ETAG = re.compile(r'"([0-9]{1,15})"')


def etag(revision: int) -> dict[str, str]:
    """The header by which a later request may say what it expects."""
    return {"ETag": f'"{revision}"'}


def addressed(body: Mapping[str, Any], course: str) -> dict[str, Any]:
    """The body with the course of the path. Raises InvalidInput when it names another."""
    if body.get("course", course) != course:
        raise InvalidInput("course", "the course of the path, or nothing")
    return {**body, "course": course}


def keyed(body: Mapping[str, Any], key: str | None) -> dict[str, Any]:
    """The body with the key as its id. Raises InvalidInput without either, or where they differ."""
    if key is None:
        if "id" not in body:
            raise InvalidInput("Idempotency-Key", "a key, or an id in the body: a new one an event")
        return dict(body)
    if not IDENTIFIER.fullmatch(key):
        raise InvalidInput("Idempotency-Key", "1 to 64 letters, digits and . _ : -")
    if body.get("id", key) != key:
        raise InvalidInput("Idempotency-Key", "the id of the event, or no id in the body")
    return {**body, "id": key}


def expecting(
    desk: Desk, body: Mapping[str, Any], if_match: str | None, place: Place
) -> dict[str, Any]:
    """The body of a request with the revision that it expects.

    Raises Problem when it expects none, or none that there could be, and InvalidInput when header
    and body do not agree.
    """
    if if_match is None:
        if "expected_revision" not in body:
            raise Problem("precondition-required")
        return dict(body)
    expected = condition(if_match)
    if expected.whatever:
        return dict(body)
    found = [_ETAG.fullmatch(tag) for tag in expected.tags]
    revisions = [int(one[1]) for one in found if one is not None and int(one[1]) < EXACT]
    actual = int(place.row["revision"])
    if not revisions:
        raise Problem("stale-revision", detail=_NO_TAG, actual=actual, headers=etag(actual))
    if "expected_revision" in body:
        if body["expected_revision"] not in revisions:
            raise InvalidInput("expected_revision", "the revision of If-Match, or nothing")
        return dict(body)
    if len(revisions) > 1:
        # Sent again, it is the same request, whatever became of the course.
        first = desk.service.expected(str(place.row["course"]), str(body.get("id")))
        revisions.sort(key=lambda one: (one != first, one != actual, -one))
    return {**body, "expected_revision": revisions[0]}


def submitted(
    desk: Desk, body: Mapping[str, Any], *, held: bool, seen: Seen | None = None
) -> CanonicalResponse:
    """Send an event once, whatever else is sent meanwhile, and answer as the first time."""
    permit(desk, body)
    course, event_id = str(body.get("course")), str(body.get("id"))
    with desk.office.in_hand.one(desk.caller.tenant, course, event_id):
        found = desk.service.submit(dict(body), seen=seen)
    found = replace(found, decision=shown(desk, found.decision))
    headers = etag(found.revision)
    if found.repeated:
        headers["Idempotency-Replayed"] = "true"
    if found.refused:
        problem = refusal(found.course, found.seq, found.decision, held=held)
        problem.headers |= headers
        return problem.response()
    headers["Location"] = f"/v1/courses/{found.course}/records/{found.seq}"
    return CanonicalResponse(documents.answer(found), 201, headers=headers)


def permit(desk: Desk, body: Mapping[str, Any]) -> None:
    """Raises Problem when the caller may not send this event in this name and role."""
    actor, event = body.get("actor"), body.get("event")
    if not isinstance(actor, Mapping) or not isinstance(event, str):
        return  # the engine says what was expected
    role, name = actor.get("role"), actor.get("id")
    if not isinstance(role, str) or not isinstance(name, str):
        return
    desk.office.gate.require_event(
        desk.caller,
        desk.action,
        event=event,
        actor=name,
        role=role,
        course=str(body.get("course", "")),
    )


def shown(desk: Desk, decision: Mapping[str, Any]) -> Mapping[str, Any]:
    """A decision as its sender may see it: what guards found is for who may read courses."""
    if desk.caller.may(Action.READ_COURSES):
        return decision
    return {name: decision[name] for name in _PLAIN if name in decision}


_NO_TAG = (
    "No tag of If-Match is a revision of a course, or they are weak, which match nothing. Send the "
    "ETag as it was given."
)
_PLAIN = ("verdict", "reason", "conflicts")

"""FHIR R4 coming in: what became of appointments, and observations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from engine.answer import Answer
from engine.core.machine import Machine
from engine.core.wire import IDENTIFIER, NAME
from engine.errors import InvalidInput, NotPermitted, RegimenError
from engine.fhir import booking, observation, outcome
from engine.web.bodies import DecimalBody
from engine.web.callers import Booker, Desk, Sender
from engine.web.entry import etag, permit
from engine.web.spoken import RECORDED, FhirResponse, exchange, shape

router = APIRouter(prefix="/fhir", tags=["fhir"])

Id = Annotated[str, Path(pattern="^[A-Za-z0-9.-]{1,64}$")]
Role = Annotated[
    str, Query(pattern=f"^(?:{NAME.pattern})$", description="`actor.role` of the event.")
]
Actor = Annotated[
    str | None,
    Query(pattern=f"^(?:{IDENTIFIER.pattern})$", description="`actor.id`, else the caller's."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who says so: the actor's role, and its id where it is not the caller's."""

    role: str
    actor: str | None

    def said(self, desk: Desk) -> dict[str, str]:
        """The actor of the event."""
        return {"id": self.actor or desk.caller.id, "role": self.role}


def _desk_clerk(role: Role = "scheduler", actor: Actor = None) -> By:
    return By(role=role, actor=actor)


def _laboratory(role: Role = "laboratory", actor: Actor = None) -> By:
    return By(role=role, actor=actor)


Clerk = Annotated[By, Depends(_desk_clerk)]
Laboratory = Annotated[By, Depends(_laboratory)]


def _takes(method: Callable[..., Any], path: str, kind: str) -> Callable[..., Any]:
    """A route that takes resources of a kind."""
    made: Callable[..., Any] = method(
        path, response_class=FhirResponse, responses=RECORDED, openapi_extra=shape(kind)
    )
    return made


@_takes(router.put, "/Appointment/{id}", booking.KIND)
def put_appointment(*, id: Id, desk: Booker, body: DecimalBody, by: Clerk) -> FhirResponse:  # noqa: A002  # FHIR's word
    """What became of an appointment, as the event of a booking: a fact, so never refused."""
    return _booking(desk, body, by, name=id)


@_takes(router.post, "/Appointment", booking.KIND)
def post_appointment(*, desk: Booker, body: DecimalBody, by: Clerk) -> FhirResponse:
    """The same; the id is the scheduling system's own, in the resource."""
    return _booking(desk, body, by)


@_takes(router.put, "/Observation/{id}", observation.KIND)
def put_observation(*, id: Id, desk: Sender, body: DecimalBody, by: Laboratory) -> FhirResponse:  # noqa: A002  # FHIR's word
    """A measurement, as the event that brings its readings, or as their correction."""
    return _observation(desk, body, by, name=id)


@_takes(router.post, "/Observation", observation.KIND)
def post_observation(*, desk: Sender, body: DecimalBody, by: Laboratory) -> FhirResponse:
    """The same; the id is the source's own, in the resource."""
    return _observation(desk, body, by)


def _booking(
    desk: Desk, body: Mapping[str, Any], by: By, *, name: str | None = None
) -> FhirResponse:
    course = booking.course(body)
    desk.place(course)
    _require_id(body, name, booking.KIND)
    begins = booking.prefix(body)
    # Versions of one appointment are taken one after the other, so that none overtakes another.
    with desk.office.in_hand.one(desk.caller.tenant, course, begins):
        status = desk.service.status(course)
        event = booking.event(
            body,
            patient=str(status.row["patient"]),
            bookings=status.snapshot.bookings,
            told=exchange(desk).told.versions(desk.caller.tenant, course, begins),
            actor=by.said(desk),
        )
        if event is None:
            return _nothing_new()
        return _answered(_sent(desk, [event], booking.PATHS))


def _observation(
    desk: Desk, body: Mapping[str, Any], by: By, *, name: str | None = None
) -> FhirResponse:
    course = observation.course(body)
    place = desk.place(course)
    _require_id(body, name, observation.KIND)
    begins = observation.prefix(body)
    actor, workflow = by.said(desk), place.machine.workflow
    with desk.office.in_hand.one(desk.caller.tenant, course, begins):
        told = exchange(desk).told.versions(desk.caller.tenant, course, begins)
        # Before it is compared with what the course knows: a guess is else told from a hit.
        event = observation.event_of(body, workflow=workflow, told=told, role=by.role)
        permit(desk, {"event": event, "actor": actor, "course": course})
        _require_role(place.machine, event, by.role)
        sent = observation.sent(
            body, workflow=workflow, patient=str(place.row["patient"]), told=told, actor=actor
        )
        if not sent.events:
            return _nothing_new()
        return _answered(_sent(desk, sent.events, sent.paths), sent.left_out)


def _require_role(machine: Machine, event: str, role: str) -> None:
    """Raises NotPermitted where the workflow takes no such event from a role."""
    declared = machine.events.get(event)
    if declared is not None and role not in declared.roles:
        raise NotPermitted(event, role, declared.roles)


def _sent(
    desk: Desk, events: Sequence[Mapping[str, Any]], paths: Mapping[str, str]
) -> list[Answer]:
    """The answers to events that are decided together. Raises what stopped the first of them."""
    for event in events:
        permit(desk, event)
    try:
        if len(events) == 1:
            return [desk.service.submit(dict(events[0]))]
        answers = []
        for found in desk.service.submit_many(map(dict, events)):
            if isinstance(found, RegimenError):
                raise found
            answers.append(found)
        return answers
    except InvalidInput as wrong:
        raise InvalidInput(
            _element(wrong.field, paths), wrong.expected, found=wrong.found
        ) from wrong


def _element(field: str, paths: Mapping[str, str]) -> str:
    """The element that a member of the event was made of; what is none stays as it is."""
    for member, path in paths.items():
        if field == member or field.startswith(f"{member}."):
            return path
    return field


def _answered(answers: Sequence[Answer], left_out: Sequence[str] = ()) -> FhirResponse:
    """What was recorded, with what speaks against a booking."""
    last = answers[-1]
    said = [
        outcome.issue("information", "informational", text=f"{one.event}: record {one.seq}")
        for one in answers
    ]
    said += [
        outcome.issue("warning", "business-rule", text=word)
        for one in answers
        for word in one.decision.get("conflicts", ())
    ]
    said += [
        outcome.issue("information", "incomplete", text="left out: no value", expression=path)
        for path in left_out
    ]
    headers = etag(last.revision)
    headers["Location"] = f"/v1/courses/{last.course}/records/{last.seq}"
    status = 200 if last.repeated else 201
    return FhirResponse(outcome.outcome(said), status, headers=headers)


def _nothing_new() -> FhirResponse:
    text = "nothing that concerns the course has changed"
    return FhirResponse(outcome.outcome([outcome.issue("information", "informational", text=text)]))


def _require_id(body: Mapping[str, Any], name: str | None, kind: str) -> None:
    """Raises InvalidInput where the path names another resource."""
    if name is not None and body.get("id") != name:
        raise InvalidInput(f"{kind}.id", "the id of the path")

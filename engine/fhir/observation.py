"""In: an `Observation`, as the event that brings its readings, or as the correction of those."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.core.definition import Event, Kind, Workflow
from engine.core.encoding import instant_text
from engine.core.event import CORRECTED, RETRACTED
from engine.errors import Conflict, IdempotencyConflict, InvalidInput
from engine.fhir.incoming import (
    Resource,
    course_of,
    envelope,
    require_patient,
    resource,
    status_of,
    updated_at,
    version_of,
)
from engine.fhir.measurement import OBSERVATION, measured
from engine.fhir.table import Line
from engine.told import Version

KIND = OBSERVATION
STATUS = ("final", "amended", "corrected", "entered-in-error")
"""What counts. A preliminary or registered one may still change, a cancelled one says nothing."""

MAPPING = (
    Line("id", "the observation at its source"),
    Line("meta.versionId", "with the id, the event's id: the same version again is the same event"),
    Line("meta.lastUpdated", "`at` of a correction"),
    Line("status", "`final`, `amended`, `corrected`, `entered-in-error`; the others are refused"),
    Line("basedOn", "the course: a `CarePlan` by `urn:x-regimen:course`, or `CarePlan/{course}`"),
    Line("subject", "a patient of `urn:x-regimen:patient` must be the course's"),
    Line("code", "LOINC: the input of the workflow that has this code"),
    Line(
        "effectiveDateTime",
        "`at`, also as `effectiveInstant`: an instant with its zone, never a date",
    ),
    Line("effectivePeriod", "of an input over an interval: its end is `at`, its length `over`"),
    Line("issued", "not before the effective time"),
    Line(
        "valueQuantity",
        "of a quantity: a decimal and its UCUM code, which must convert; no comparator",
    ),
    Line("valueInteger", "of a number, also as `valueQuantity` without a dimension"),
    Line("valueBoolean", "of a yes or no"),
    Line("valueCodeableConcept", "of a code: one of the workflow's, of `urn:x-regimen:code`"),
    Line("valueDateTime", "of a date"),
    Line(
        "dataAbsentReason", "refused; a component that has one is left out, and the answer says so"
    ),
    Line("component", "of a panel: each part as an observation of its own, in one event"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The events that an observation is: none where it says nothing new.

    `paths` are the elements by the event's data, so that an error names what was sent.
    """

    events: tuple[Mapping[str, Any], ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def course(body: Resource) -> str:
    """The course that an observation is for. Raises InvalidInput, naming the element."""
    found = resource(body, KIND)
    return course_of(found.get("basedOn") or (), f"{KIND}.basedOn")


def prefix(body: Resource) -> str:
    """How the ids of an observation's events begin."""
    return version_of(body, KIND)[0]


def event_of(body: Resource, *, workflow: Workflow, told: Sequence[Version], role: str) -> str:
    """The event that a version of an observation is, or would be if it said something new.

    Nothing of the course is compared yet: what an answer says of that is for who may send this.
    Raises InvalidInput, naming the element.
    """
    status = status_of(body, KIND, STATUS)
    _, name = version_of(body, KIND)
    anew = not any(version.event_id.startswith(name) for version in told)
    if told and (told[0].event_id == name or (anew and status == "final")):
        return told[0].event
    if told or status == "entered-in-error":
        return RETRACTED if status == "entered-in-error" else CORRECTED
    return _report(workflow, tuple(measured(body, workflow).values), role).name


def sent(
    body: Resource,
    *,
    workflow: Workflow,
    patient: str,
    told: Sequence[Version],
    actor: Mapping[str, str],
) -> Sent:
    """The events that a version of an observation is.

    `told` is what its versions became before. The first one brings readings; each later one that
    corrects them names the record that brought them. Raises InvalidInput, naming the element,
    Conflict for a version that a later one overtook, and IdempotencyConflict for one that is taken
    back under the number that it was sent by.
    """
    status = status_of(body, KIND, STATUS)
    require_patient([(f"{KIND}.subject", body.get("subject"))], patient)
    _, name = version_of(body, KIND)
    if not told or told[0].event_id == name:
        if status == "entered-in-error" and told:
            raise IdempotencyConflict(course(body), name)
        if status == "entered-in-error":
            raise InvalidInput(f"{KIND}.id", "an observation that was sent before")
        return _brought(body, name, workflow, actor)
    if not any(version.event_id.startswith(name) for version in told):
        if status == "final":
            return _repeated(body, workflow, told)
        _require_later(body, told)
    as_before = [v.event for v in told if v.event_id.startswith(name)]
    return _correction(body, name, status, workflow, first=told[0], actor=actor, told=as_before)


def event_for(workflow: Workflow, inputs: Sequence[str], role: str) -> Event | None:
    """The first report of the workflow that brings all of these by itself, from that role."""
    wanted = set(inputs)
    for event in workflow.events:
        fields = {f.input: f for f in event.fields if f.input is not None}
        required = {f.input or f.name for f in event.fields if f.required}
        if event.kind is not Kind.REPORT or event.timer or event.reason_required:
            continue
        if wanted <= fields.keys() and required <= wanted and role in event.roles:
            return event
    return None


# --- what is sent ---------------------------------------------------------------------------------


def _brought(body: Resource, name: str, workflow: Workflow, actor: Mapping[str, str]) -> Sent:
    found = measured(body, workflow)
    event = _report(workflow, tuple(found.values), actor["role"])
    fields = {f.input: f.name for f in event.fields if f.input is not None}
    data = {fields[of]: value for of, value in found.values.items()}
    made = envelope(event.name, name=name, course=course(body), at=found.at, actor=actor, data=data)
    paths = {f"data.{fields[of]}": path for of, path in found.paths.items()}
    return Sent(events=(made,), paths=paths, left_out=found.left_out)


def _report(workflow: Workflow, inputs: Sequence[str], role: str) -> Event:
    found = event_for(workflow, inputs, role)
    if found is None:
        expected = f"what a report from {role} brings by itself; {', '.join(inputs)} is not"
        raise InvalidInput(f"{KIND}.code", expected)
    return found


def _repeated(body: Resource, workflow: Workflow, told: Sequence[Version]) -> Sent:
    """Nothing, for a final version that says what the first one said; else it should be amended."""
    found, first = measured(body, workflow), json.loads(told[0].body)["event"]
    declared = {e.name: e for e in workflow.events}[told[0].event]
    before = {f.input: first["data"].get(f.name) for f in declared.fields if f.input is not None}
    same = all(before.get(of) == value for of, value in found.values.items())
    if len(told) == 1 and same and first["at"] == instant_text(found.at):
        return Sent()
    raise Conflict(course(body), why="this observation was told before: send it as amended")


def _require_later(body: Resource, told: Sequence[Version]) -> None:
    at = updated_at(body, KIND)
    corrected = [v.at for v in told[1:] if v.at is not None]
    if corrected and max(corrected) >= at:
        raise Conflict(course(body), why="a later version of this observation was told before")


def _correction(
    body: Resource,
    name: str,
    status: str,
    workflow: Workflow,
    *,
    first: Version,
    actor: Mapping[str, str],
    told: Sequence[str],
) -> Sent:
    """A correction of each reading that the first version brought.

    `told` are the events that this very version became before: a version that was taken back when
    there was no event of its own for that is the same events when it comes again.
    """
    event = json.loads(first.body)["event"]
    declared = {e.name: e for e in workflow.events}[first.event]
    brought = {f.input: f.name for f in declared.fields if f.input and f.name in event["data"]}
    at, reason = updated_at(body, KIND), {"code": f"observation-{status}"}
    if status == "entered-in-error":
        made = CORRECTED if CORRECTED in told else RETRACTED
        flag = {"entered_in_error": True} if made == CORRECTED else {}
        data = [{"record": first.seq, "input": of, **flag} for of in brought]
        paths, left_out = dict[str, str](), tuple[str, ...]()
    else:
        made, found = CORRECTED, measured(body, workflow)
        for of, path in found.paths.items():
            if of not in brought:
                raise InvalidInput(f"{path}.code", "what the first version of it measured too")
        if found.at > at:
            raise InvalidInput(f"{KIND}.meta.lastUpdated", "not before the effective time")
        data = [
            {"record": first.seq, "input": of, "value": {**value, "at": instant_text(found.at)}}
            for of, value in found.values.items()
        ]
        (path, *_), left_out = found.paths.values(), found.left_out
        paths = {"data.value": path}
    events = tuple(
        envelope(
            made,
            name=f"{name}.{n}",
            course=course(body),
            at=at,
            actor=actor,
            data=one,
            reason=reason,
        )
        for n, one in enumerate(data, 1)
    )
    return Sent(events=events, paths=paths, left_out=left_out)

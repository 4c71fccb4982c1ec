"""How a course begins: enrolled in the initial state, or adopted in an attested one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.core.event import ADOPTED, Enrolment, Event
from engine.core.machine import Machine
from engine.core.schedule import waiting
from engine.core.snapshot import NONE, Snapshot
from engine.core.view import Calendar, View


def opened(
    machine: Machine, event: Event, enrolment: Enrolment, calendar: Calendar, decided_at: datetime
) -> Snapshot:
    """The course after its first record.

    An adopted course starts in the attested state and round; a variable that nobody attested is
    unset, hence unknown. Raises InvalidInput for a state or variable that the workflow lacks.
    """
    state, variables = machine.workflow.initial, dict(machine.initial_values)
    attested = machine.forms.attested(event, enrolment)
    if event.name == ADOPTED:
        state = enrolment.state or state
        variables = {**dict.fromkeys(variables), **attested}
    course = Snapshot(
        course=event.course,
        digest=machine.digest,
        patient=enrolment.patient,
        site=enrolment.site,
        zone=enrolment.zone,
        retrospective=enrolment.retrospective,
        state=state,
        round=enrolment.round,
        seq=1,
        revision=1,
        calendar=calendar,
        decided_at=decided_at,
        readings=NONE,
        last_at=event.at,
        variables=variables,
    )
    view = _at_the_start(course, variables)
    return replace(course, **waiting(machine, course, view, state=state, seq=1, fired={}))


def _at_the_start(course: Snapshot, variables: dict[str, Any]) -> View:
    at = course.last_at
    return View(
        now=at,
        today=None if at is None else course.calendar.civil_date(at),
        variables=variables,
        readings=course.readings,
        data={},
        calendar=course.calendar,
        round=course.round,
        retrospective=course.retrospective,
    )

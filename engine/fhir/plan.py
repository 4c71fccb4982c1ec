"""Out: where a course stands, as a `CarePlan`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.core.definition import Waits
from engine.core.encoding import Json
from engine.core.machine import Machine
from engine.fhir.table import Line
from engine.fhir.term import (
    COURSE,
    FHIR_ID,
    PATIENT,
    SITE,
    STAGE,
    VISIT,
    WORKFLOW,
    by_identifier,
    concept,
    identifier,
    numbered,
    valid,
)

MAPPING = (
    Line("id", "the course, where FHIR permits its characters"),
    Line("identifier", "`urn:x-regimen:course`"),
    Line("meta.versionId", "the revision: the last record that changed the course"),
    Line("meta.lastUpdated", "when the last record was recorded"),
    Line("status", "`completed` in a closed state, `on-hold` on hold, else `active`"),
    Line("intent", "`plan`"),
    Line("instantiatesUri", "`urn:x-regimen:workflow:` and `name@version`"),
    Line("category", "`urn:x-regimen:stage`: the stage"),
    Line("title", "the title of the workflow"),
    Line("description", "the title of the state"),
    Line("subject", "the patient by `urn:x-regimen:patient`"),
    Line("supportingInfo", "the site by `urn:x-regimen:site`"),
    Line("activity.detail", "each due visit: name, number, window; `scheduled` once it is booked"),
)


def care_plan(row: Mapping[str, Json], machine: Machine) -> dict[str, Any]:
    """The plan of a course."""
    state = machine.states[row["state"]]
    status = "on-hold" if state.waits is Waits.HOLD else "active"
    named = row["course"] if FHIR_ID.fullmatch(row["course"]) else None
    booked = {(visit, number) for visit, number, *_ in row.get("bookings", {}).values()}
    return valid(
        {
            "resourceType": "CarePlan",
            "id": named,
            "meta": {"versionId": str(row["revision"]), "lastUpdated": row["recorded_at"]},
            "identifier": [identifier(COURSE, row["course"])],
            "instantiatesUri": [f"{WORKFLOW}:{machine.workflow.label}"],
            "status": "completed" if state.closed else status,
            "intent": "plan",
            "category": [concept(STAGE, state.stage)],
            "title": machine.workflow.title,
            "description": state.title or state.name,
            "subject": by_identifier("Patient", PATIENT, row["patient"]),
            "supportingInfo": [by_identifier("Location", SITE, row["site"])],
            "activity": [
                _activity(name, window, booked=bool({(name, window[0]), (name, None)} & booked))
                for name, window in sorted(row["visits"].items())
            ],
        }
    )


def _activity(name: str, window: list[Json], *, booked: bool) -> Json:
    number, earliest, _, latest, *_ = window
    return {
        "detail": {
            "extension": numbered(number),
            "kind": "Appointment",
            "code": concept(VISIT, name),
            "status": "scheduled" if booked else "not-started",
            "scheduledPeriod": {"start": earliest, "end": latest},
        }
    }

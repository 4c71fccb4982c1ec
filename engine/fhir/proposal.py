"""Out: a visit that is proposed, as an `Appointment` of status `proposed`. Nothing is booked."""

from __future__ import annotations

from typing import Any

from engine.core.proposal import Proposal
from engine.fhir.table import Line
from engine.fhir.term import (
    COURSE,
    PATIENT,
    SITE,
    VISIT,
    by_identifier,
    concept,
    numbered,
    resource_id,
    valid,
)
from engine.fhir.visit import task_id
from engine.item import Item
from engine.sharing import Place

MAPPING = (
    Line("id", "the same for the same visit of a round, whatever day is proposed"),
    Line("status", "`proposed`"),
    Line("extension", "`urn:x-regimen:number`: which of its series the visit is"),
    Line("serviceType", "`urn:x-regimen:visit`: the name of the visit"),
    Line(
        "supportingInformation",
        "the `CarePlan` of the course by `urn:x-regimen:course`; the `Task`",
    ),
    Line("requestedPeriod[0]", "the proposed day at the site"),
    Line("requestedPeriod[1]", "the window, in which it may be moved"),
    Line("participant", "the patient by `urn:x-regimen:patient`, the site by `urn:x-regimen:site`"),
)


def appointment(item: Item, place: Place) -> dict[str, Any] | None:
    """The proposal of a visit that is not booked; `None` where no day can be proposed."""
    proposal, window = item.proposal, item.window
    if item.booked or window is None or not isinstance(proposal, Proposal):
        return None
    day = proposal.on.isoformat()
    return valid(
        {
            "resourceType": "Appointment",
            "id": resource_id(task_id(item, place), "proposal"),
            "extension": numbered(item.number),
            "status": "proposed",
            "serviceType": [concept(VISIT, item.visit or "")],
            "supportingInformation": [
                by_identifier("CarePlan", COURSE, item.course),
                {"reference": f"Task/{task_id(item, place)}"},
            ],
            "requestedPeriod": [
                {"start": day, "end": day},
                {"start": window.earliest.isoformat(), "end": window.latest.isoformat()},
            ],
            "participant": [
                {
                    "actor": by_identifier("Patient", PATIENT, place.patient),
                    "status": "needs-action",
                },
                {"actor": by_identifier("Location", SITE, item.site), "status": "needs-action"},
            ],
        }
    )

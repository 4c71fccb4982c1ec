"""Out: a record of the audit log, as an `AuditEvent`: who, what, when, how it ended; no finding."""

from __future__ import annotations

import json
from typing import Any

from engine.core.encoding import instant_text
from engine.core.event import ADOPTED, ENROLLED
from engine.core.record import Record
from engine.fhir.table import Line
from engine.fhir.term import (
    ACTOR,
    COURSE,
    EVENT,
    RECORD,
    ROLE,
    by_identifier,
    concept,
    resource_id,
    valid,
)

MAPPING = (
    Line("id", "the same for the same record"),
    Line("type", "`urn:x-regimen:record`: `record`"),
    Line("subtype", "`urn:x-regimen:event`: the event"),
    Line("action", "`C` of the first record, `E` of a refusal, else `U`"),
    Line("period", "`at`: when it happened, as the sender asserts"),
    Line("recorded", "`recorded_at`: the system's time of the decision"),
    Line("outcome", "`0` accepted or a deviation, `4` refused"),
    Line("outcomeDesc", "the verdict, and of a refusal the reason's name"),
    Line("agent", "the actor by `urn:x-regimen:actor`, its role by `urn:x-regimen:role`"),
    Line("source.observer", "the engine, with its version"),
    Line("entity.what", "the course by `urn:x-regimen:course`"),
    Line(
        "entity.detail",
        "`seq`, `event_id`, `hash`, `workflow` (a digest), and whether an `override` was asked",
    ),
)


def audit_event(record: Record) -> dict[str, Any]:
    """A record without anything that was measured, written or found."""
    said = json.loads(record.body)
    event, refused = said["event"], record.verdict == "refused"
    first = record.event in (ENROLLED, ADOPTED)
    reason = said["decision"].get("reason") if refused else None
    at = None if record.at is None else instant_text(record.at)
    return valid(
        {
            "resourceType": "AuditEvent",
            "id": resource_id("record", record.course, str(record.seq)),
            "type": {"system": RECORD, "code": "record"},
            "subtype": [{"system": EVENT, "code": record.event}],
            "action": "C" if first else "E" if refused else "U",
            "period": None if at is None else {"start": at, "end": at},
            "recorded": instant_text(record.recorded_at),
            "outcome": "4" if refused else "0",
            "outcomeDesc": record.verdict if reason is None else f"{record.verdict}: {reason}",
            "agent": [
                {
                    "who": by_identifier("Practitioner", ACTOR, event["actor"]["id"]),
                    "role": [concept(ROLE, event["actor"]["role"])],
                    "requestor": True,
                }
            ],
            "source": {"observer": {"display": f"Regimen {said['engine']}"}},
            "entity": [
                {
                    "what": by_identifier("CarePlan", COURSE, record.course),
                    "detail": [
                        {"type": "seq", "valueString": str(record.seq)},
                        {"type": "event_id", "valueString": record.event_id},
                        {"type": "hash", "valueString": record.hash},
                        {"type": "workflow", "valueString": said["workflow"]},
                        {"type": "override", "valueString": _truth(yes="override" in event)},
                    ],
                }
            ],
        }
    )


def _truth(*, yes: bool) -> str:
    return "true" if yes else "false"

"""What a record brought, in a line, and what is said of it: for terminal and pages alike."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.encoding import Json
from engine.core.event import CORRECTIONS, DISPOSED, ENROLLED, RECONSIDERED, SIGNED
from engine.telling.entry import Entry


def sent(entry: Entry) -> Mapping[str, Json]:
    """What was sent, by name; of the engine's own events what a reader looks for."""
    event = entry.body["event"]
    data: Mapping[str, Json] = event.get("data") or {}
    if entry.event in CORRECTIONS:
        return {data["input"]: data.get("value", "entered in error")}
    if entry.event == RECONSIDERED:
        return _weighed_again(data)
    if entry.event == DISPOSED:
        acted = {"record": data["record"]} if "record" in data else {}
        return {"finding": f"{data['finding']} {data['disposition']}", **acted}
    if entry.event == SIGNED:
        return _of_signature(data)
    if entry.event == ENROLLED:
        return {"workflow": event["workflow"], "site": event["site"]}
    return data


def lateness(entry: Entry) -> str:
    """That a record was entered late, and where the reason is; empty where it was not."""
    if not (entry.late or entry.entered_late):
        return ""
    if entry.marks.late_reason is not None:
        return f"late entry, reason in {entry.marks.late_reason}"
    return "late entry, no reason given" if entry.entered_late else "late entry"


def corrected(entry: Entry, by: int) -> str:
    """How the record `by` corrects a value that this one brought."""
    how = "entered in error" if by in entry.marks.retracted else "corrected"
    return f"{how} by {by}"


def _weighed_again(said: Mapping[str, Json]) -> dict[str, Json]:
    """What a correction or a late entry changes, in a line."""
    differing = ", ".join(str(one["record"]) for one in said["differing"])
    which = "late_entry" if "late_entry" in said else "correction"
    return {
        which: str(said[which]),
        "relied": ", ".join(map(str, said["relied"])) or "nothing",
        "would_differ": differing or "nothing",
    }


def _of_signature(data: Mapping[str, Json]) -> dict[str, Json]:
    """What a signature is of and what it means; hash, name and proof are in its record."""
    if "record" in data:
        return {"record": str(data["record"]), "means": data["meaning"]}
    act = data["event"]
    return {"event to be sent": f"{act['event']} {act['id']}", "means": data["meaning"]}

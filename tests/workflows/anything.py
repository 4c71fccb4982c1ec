"""Whatever may be sent to a course: every event of the workflow with values around its limits."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from engine.core.definition import Event, Field, Kind
from tests.workflows.il2 import split
from workflows.intralesional_il2 import WORKFLOW

EVENTS = {event.name: event for event in WORKFLOW.events if not event.timer}
REPORTS = tuple(name for name, event in EVENTS.items() if event.kind is Kind.REPORT)
REQUESTS = tuple(name for name, event in EVENTS.items() if event.kind is Kind.REQUEST)
INPUTS = {declared.name: declared for declared in WORKFLOW.inputs}
GUARDS = {
    event: tuple(
        dict.fromkeys(
            requirement.guard
            for transition in WORKFLOW.transitions
            if transition.event == event
            for requirement in transition.requires
        )
    )
    for event in EVENTS
}
AROUND: dict[str, tuple[str, ...]] = {
    "systolic": ("60 mm[Hg]", "85 mm[Hg]", "90 mm[Hg]", "91 mm[Hg]", "130 mm[Hg]", "900 mm[Hg]"),
    "heart_rate": ("72 /min", "130 /min", "131 /min", "160 /min"),
    "temperature": ("36.8 Cel", "41 Cel"),
    "spo2": ("89 %", "90 %", "98 %"),
    "platelets": ("19 10*3/uL", "29 10*3/uL", "30 10*3/uL", "250 10*3/uL"),
    "hematocrit": ("27.9 %", "28 %", "42 %"),
    "creatinine": ("0.9 mg/dL", "3 mg/dL", "3.1 mg/dL"),
    "troponin": ("5 ng/L", "14 ng/L", "15 ng/L", "80 ng/L"),
    "troponin_upper_limit": ("14 ng/L",),
    "ck_mb": ("2 ng/mL", "9 ng/mL"),
    "ck_mb_upper_limit": ("5 ng/mL",),
    "urine_output": ("0 mL over 8 h", "79 mL over 8 h", "80 mL over 8 h", "9 mL over 1 h"),
    "il2_dose": ("3 M[IU]", "7 M[IU]", "10 M[IU]", "22 M[IU]", "23 M[IU]"),
    "ldh": ("180 U/L", "300 U/L"),
    "ldh_upper_limit": ("250 U/L",),
}
"""Values at which something may change, below them and above."""

AMOUNTS = ("2.9", "3", "6.9", "7", "7.1", "10", "12", "15", "15.1", "19", "19.1", "21.6", "22",
           "22.1", "40")  # fmt: skip


def data(event: Event) -> st.SearchStrategy[dict[str, Any]]:
    """What the fields of an event may hold, required ones always."""
    required = {f.name: _value(f) for f in event.fields if f.required}
    optional = {f.name: _value(f) for f in event.fields if not f.required and f.kind != "list"}
    made = st.fixed_dictionaries(required, optional=optional)
    if "split" in required:
        return made.map(lambda sent: {**sent, "split": split(sent["amount"])})
    return made


def _value(field: Field) -> st.SearchStrategy[Any]:
    of = INPUTS[field.input] if field.input is not None else field
    if of.name in AROUND:
        return st.sampled_from(AROUND[of.name])
    if of.kind == "quantity" and of.unit == "M[IU]":
        return st.sampled_from([f"{amount} M[IU]" for amount in AMOUNTS])
    if of.kind == "quantity":
        return st.sampled_from([f"{n} {of.unit}" for n in ("1", "2", "4", "80", "650")])
    if of.kind == "date":
        return st.sampled_from(["2026-02-27", "2026-03-02", "2026-03-30"])
    if of.kind == "instant":
        return st.sampled_from(["2026-03-02T10:00:00-08:00", "2026-03-05T09:00:00-08:00"])
    if of.kind == "number":
        return st.integers(int(of.low or 1), int(of.high or 5))
    if of.kind == "code":
        return st.sampled_from(of.codes)
    if of.kind == "text":
        return st.just("Told in a story.")
    return st.just([]) if of.kind == "list" else st.booleans()

"""A workflow whose titles would be markup, if anybody let them."""

from __future__ import annotations

from dataclasses import replace

from engine.core.definition import Signature
from workflows import instrument_calibration

HOSTILE = """<script>alert(1)</script> "quoted" & 'so' </td>"""
ASKED = Signature(meaning="measured", second=True, roles=("metrologist",))
WORKFLOW = replace(
    instrument_calibration.WORKFLOW,
    name="signed_calibration",
    title=f"Calibration {HOSTILE}",
    events=tuple(
        replace(one, signature=ASKED if one.name == "measurement_recorded" else None)
        for one in instrument_calibration.WORKFLOW.events
    ),
    states=tuple(
        replace(one, title=f"{one.title} {HOSTILE}")
        for one in instrument_calibration.WORKFLOW.states
    ),
)

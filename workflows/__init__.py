"""The protocols that come with the engine, each one a value and nothing else."""

from __future__ import annotations

from importlib.resources import files

from workflows import instrument_calibration, instrument_scenario, intralesional_il2
from workflows.intralesional_il2 import scenario as intralesional_il2_scenario

ALL = (intralesional_il2.WORKFLOW, instrument_calibration.WORKFLOW)

SIMULATIONS = {
    scenario.workflow: scenario
    for scenario in (intralesional_il2_scenario.SCENARIO, instrument_scenario.SCENARIO)
}
"""Plausible courses, by the name of their workflow."""

_COURSES = files(intralesional_il2) / "courses"
COURSES = tuple(
    _COURSES / f"{name}.jsonl"
    for name in (
        "GAR-X",
        "GAR-Y",
        "GAR-Z",
        "SHI-constructed",
        "DEH-constructed",
        "DEMO-constructed",
    )
)
"""Courses that `regimen demo` applies; see the README beside them for what is published in each."""

"""The protocols that come with the engine, each one a value and nothing else."""

from __future__ import annotations

from workflows import instrument_calibration

ALL = (instrument_calibration.WORKFLOW,)

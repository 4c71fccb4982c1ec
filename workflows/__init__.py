"""The protocols that come with the engine, each one a value and nothing else."""

from __future__ import annotations

from workflows import instrument_calibration, intralesional_il2

ALL = (intralesional_il2.WORKFLOW, instrument_calibration.WORKFLOW)

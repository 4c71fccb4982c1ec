"""The workflow that the contract is tried with: few events, so that each is tried often."""

from __future__ import annotations

from workflows import instrument_calibration

ALL = (instrument_calibration.WORKFLOW,)
